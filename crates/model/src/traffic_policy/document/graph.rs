//! Rules that lead to rules, as a graph: no loop, how deep, and in which order. A document may have
//! thousands, so nothing here calls itself.

/// How far the walk is with a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Fresh,
    /// The walk came through here and is further down.
    Open,
    Done,
}

/// A way that comes back to where it began, its first rule named at both ends, if there is one.
/// Edges name places among the rules.
pub(super) fn round(edges: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut marks = vec![Mark::Fresh; edges.len()];
    let mut done = Vec::new();
    (0..edges.len()).find_map(|from| walk(edges, from, &mut marks, &mut done).err())
}

/// The rules that can be reached from this one, each before those that it leads to. There has to be
/// no loop among them.
pub(super) fn in_order(edges: &[Vec<usize>], start: usize) -> Vec<usize> {
    let mut marks = vec![Mark::Fresh; edges.len()];
    let mut done = Vec::new();
    // Without a loop there is nothing that could stop it.
    let _ = walk(edges, start, &mut marks, &mut done);
    done.reverse();
    done
}

/// The most rules on a way from this one, itself included. There has to be no loop.
pub(super) fn depth(edges: &[Vec<usize>], start: usize) -> usize {
    let mut below = vec![0; edges.len()];
    for place in in_order(edges, start).into_iter().rev() {
        let next = edges.get(place).into_iter().flatten();
        let deepest = next.filter_map(|next| below.get(*next).copied()).max();
        if let Some(own) = below.get_mut(place) {
            *own = deepest.unwrap_or(0) + 1;
        }
    }
    below.get(start).copied().unwrap_or(0)
}

/// Goes through everything below a rule, deepest first. `done` gets each rule after all that it leads
/// to; the way of a loop ends the walk.
fn walk(
    edges: &[Vec<usize>],
    from: usize,
    marks: &mut [Mark],
    done: &mut Vec<usize>,
) -> Result<(), Vec<usize>> {
    // The way down: rules, each with how many of its edges were looked at.
    let mut way: Vec<(usize, usize)> = Vec::new();
    let mut next = Some(from);
    loop {
        match next.map(|place| (place, marks.get(place).copied())) {
            Some((place, Some(Mark::Fresh))) => {
                set(marks, place, Mark::Open);
                way.push((place, 0));
            }
            Some((place, Some(Mark::Open))) => {
                let on_it = way.iter().map(|(place, _)| *place);
                let mut round: Vec<usize> = on_it.skip_while(|other| *other != place).collect();
                round.push(place);
                return Err(round);
            }
            _ => {}
        }
        let Some((place, looked)) = way.last_mut() else {
            return Ok(());
        };
        next = edges
            .get(*place)
            .and_then(|next| next.get(*looked))
            .copied();
        *looked += 1;
        if next.is_none() {
            set(marks, *place, Mark::Done);
            done.push(*place);
            way.pop();
        }
    }
}

fn set(marks: &mut [Mark], place: usize, to: Mark) {
    if let Some(mark) = marks.get_mut(place) {
        *mark = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_followed_to_their_ends_and_back() {
        // 0 leads to 1 and 2, both to 3; 4 stands alone.
        let edges = [vec![1, 2], vec![3], vec![3], vec![], vec![0]];
        assert_eq!(round(&edges), None);
        assert_eq!(in_order(&edges, 0), [0, 2, 1, 3]);
        assert_eq!(
            (depth(&edges, 0), depth(&edges, 3), depth(&edges, 4)),
            (3, 1, 4)
        );
        assert_eq!(round(&[vec![0]]), Some(vec![0, 0]));
        assert_eq!(round(&[vec![1], vec![2], vec![1]]), Some(vec![1, 2, 1]));
    }

    #[test]
    fn thousands_of_rules_in_a_row_are_no_strain() {
        let edges: Vec<Vec<usize>> = (1..=5000).map(|next| vec![next]).collect();
        assert_eq!(depth(&edges, 0), 5000);
        let mut closed = edges;
        closed[4999] = vec![0];
        assert_eq!(round(&closed).map(|way| way.len()), Some(5001));
    }
}
