//! The numbers that decide what samples are worth and when a map may change. The defaults are those
//! of the design; docs/LATENCY.md says what each is for.

/// What samples are worth, and when a map may change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// After this time a sample counts half.
    pub half_life_s: u64,
    /// The same where it is asked whether a path has changed.
    pub recent_half_life_s: u64,
    /// A region of a network of which nothing was heard for so long is forgotten.
    pub keep_s: u64,
    /// Samples may be so much later than now: clocks differ.
    pub tolerance_s: u64,
    /// Which quantile of the samples stands for them.
    pub quantile: f32,
    /// What is known of the wider network counts as much as so many samples.
    pub prior: f32,
    /// A network counts at most as many samples in what is known of its country.
    pub voice: f32,
    /// From so many samples on a network may have a row of its own,
    pub min_samples: f32,
    /// and so many clients,
    pub min_clients: f32,
    /// and when a number is more than so many ms,
    pub publish_ms: f32,
    /// and more than this share, from what would stand there otherwise.
    pub publish_share: f32,
    /// A path has changed when recent samples are more than so many ms,
    pub shift_ms: f32,
    /// and more than this share, from all of them,
    pub shift_share: f32,
    /// and are so many at least.
    pub shift_samples: f32,
    /// It has become slower, too, when for so long, and in as many samples, none was nearer than that
    /// to what they were before.
    pub slower_s: u64,
    /// A published number stays while the new one is less than so many ms
    pub hold_ms: f32,
    /// or less than this share away,
    pub hold_share: f32,
    /// and until that was so in this many builds in a row.
    pub hold_builds: u8,
    /// Networks that samples are kept of.
    pub max_keys: usize,
    /// Of samples of clients, one in so many is not counted, but kept to see what a map is worth;
    /// 0 keeps none.
    pub held_out: u64,
}

const DAY_S: u64 = 86_400;

impl Default for Rules {
    fn default() -> Self {
        Self {
            half_life_s: 14 * DAY_S,
            recent_half_life_s: 6 * 3600,
            keep_s: 730 * DAY_S,
            tolerance_s: 300,
            quantile: 0.25,
            prior: 10.0,
            voice: 200.0,
            min_samples: 20.0,
            min_clients: 3.0,
            publish_ms: 5.0,
            publish_share: 0.15,
            shift_ms: 10.0,
            shift_share: 0.25,
            shift_samples: 50.0,
            slower_s: 900,
            hold_ms: 3.0,
            hold_share: 0.10,
            hold_builds: 3,
            max_keys: 1_000_000,
            held_out: 20,
        }
    }
}
