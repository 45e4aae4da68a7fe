//! Names of a zone that have something in common that few have: lists which images keep and changes
//! carry on, so that nobody has to look at all names for them.

use std::sync::Arc;

/// Names in order of their labels below the apex.
pub(crate) type Names = Arc<Vec<Arc<[u8]>>>;

/// Whether a name belongs on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    No,
    Yes,
}

impl Listed {
    /// Yes if any of these is so.
    pub(crate) fn if_any<T>(items: &[T], is: impl Fn(&T) -> bool) -> Self {
        if items.iter().any(is) {
            Self::Yes
        } else {
            Self::No
        }
    }
}

/// A list that is being made, or copied when it changes.
#[derive(Debug)]
pub(crate) struct List {
    names: Option<Names>,
}

impl List {
    /// Begins with these.
    pub(crate) fn of(names: Option<&Names>) -> Self {
        Self {
            names: names.cloned(),
        }
    }

    /// Puts a name on the list or takes it off.
    pub(crate) fn set(&mut self, labels: &[u8], listed: Listed) {
        let names = self.names.as_deref().map_or(&[][..], Vec::as_slice);
        let place = names.binary_search_by(|name| (**name).cmp(labels));
        match (place, listed) {
            (Ok(place), Listed::No) => {
                if let Some(names) = &mut self.names {
                    Arc::make_mut(names).remove(place);
                }
            }
            (Err(place), Listed::Yes) => {
                Arc::make_mut(self.names.get_or_insert_default()).insert(place, labels.into());
            }
            (Ok(_), Listed::Yes) | (Err(_), Listed::No) => {}
        }
    }

    /// The list; none if nothing is on it.
    pub(crate) fn finish(self) -> Option<Names> {
        self.names.filter(|names| !names.is_empty())
    }
}

/// The list of these names, which may come in any order and more than once.
pub(crate) fn list(names: impl Iterator<Item = Arc<[u8]>>) -> Option<Names> {
    let mut names: Vec<Arc<[u8]>> = names.collect();
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then(|| Arc::new(names))
}
