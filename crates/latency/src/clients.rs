//! About how many different clients there were: a bit for each, by its number, in two pages of
//! which the older is dropped when its time is over. Several clients may share a bit.

/// Bits of the clients of two spans of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Clients {
    pub(crate) now: u64,
    pub(crate) before: u64,
    /// Which span of time `now` is about.
    pub(crate) page: u16,
}

impl Clients {
    /// A client has been there in this span. However long nobody was, only one page is dropped for
    /// it: silence is no reason to forget.
    pub(crate) fn saw(&mut self, client: Option<u64>, page: u16) {
        if page > self.page {
            (self.before, self.now, self.page) = (self.now, 0, page);
        }
        self.now |= match client {
            Some(client) => 1 << (client.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58),
            // Whoever is believed needs no others.
            None => u64::MAX,
        };
    }

    /// Whether somebody vouches for it, or so many clients were there that nobody needs to.
    pub(crate) fn are_believed(&self) -> bool {
        (self.now | self.before) == u64::MAX
    }

    /// With those of another.
    pub(crate) fn join(&mut self, other: &Self) {
        self.now |= other.now;
        self.before |= other.before;
        self.page = self.page.max(other.page);
    }

    /// About how many there were; a few hundred at most.
    pub(crate) fn count(&self) -> f32 {
        let clear = (self.now | self.before).count_zeros();
        // Of bits that are set at random, so many clear ones are left by this number of clients.
        #[expect(clippy::cast_precision_loss, reason = "0 to 64")]
        let clear = clear.max(1) as f32;
        64.0 * (64.0 / clear).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lot;

    #[test]
    fn clients_are_counted_once_and_about_right() {
        let mut clients = Clients::default();
        assert!(clients.count() < 0.1);
        for (number, least, most) in [
            (1, 0.9, 1.1),
            (3, 2.5, 3.5),
            (10, 8.0, 12.0),
            (40, 28.0, 55.0),
        ] {
            for _ in 0..3 {
                for number in 0..number {
                    // Numbers of clients are hashes: their bits are any.
                    clients.saw(Some(lot::drawn(number)), 7);
                }
            }
            let count = clients.count();
            assert!((least..most).contains(&count), "{number}: {count}");
        }
        assert!(!clients.are_believed());
        clients.saw(None, 7);
        assert!(clients.are_believed());
        assert!(clients.count() > 200.0);
    }

    #[test]
    fn clients_of_two_spans_count_and_silence_drops_but_one() {
        let mut clients = Clients::default();
        for client in 0..8 {
            clients.saw(Some(client), 1);
        }
        let all = clients.count();
        clients.saw(Some(1), 9);
        assert!((clients.count() - all).abs() < 0.1);
        clients.saw(Some(1), 10);
        assert!(clients.count() < 1.5);
    }
}
