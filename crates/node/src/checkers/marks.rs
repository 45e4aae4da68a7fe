//! What tags of health checks say beside the checks: what people call them. Tags are the one thing
//! that unmodified clients can put on a check that Route 53 knows nothing of.

use std::collections::HashMap;

use meridian_log::{ReadError, Snapshot};
use meridian_model::{HealthCheckId, TagSet, TaggedKind};

/// The tag that consoles show as a check's name.
const NAME: &str = "Name";

/// By check, of those that have such tags.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    names: HashMap<HealthCheckId, String>,
}

impl Marks {
    /// As the tables have them.
    pub(crate) fn read(snapshot: &Snapshot) -> Result<Self, ReadError> {
        let mut marks = Self::default();
        snapshot.each_tag_set(TaggedKind::HealthCheck, |set| marks.take(set))?;
        Ok(marks)
    }

    /// What a check is called, if it is.
    pub(crate) fn name(&self, check: &HealthCheckId) -> Option<&str> {
        self.names.get(check).map(String::as_str)
    }

    fn take(&mut self, set: TagSet) {
        let Ok(check) = HealthCheckId::new(&set.resource.id) else {
            return;
        };
        for tag in set.tags {
            if tag.key == NAME {
                self.names.insert(check.clone(), tag.value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use meridian_model::{Tag, TaggedResource};

    use super::*;

    #[test]
    fn checks_are_called_by_the_tag_of_that_name_alone() {
        let tag = |key: &str, value: &str| Tag {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        let mut marks = Marks::default();
        for (id, tags) in [
            ("a", vec![tag("Name", "web"), tag("name", "other")]),
            ("b", vec![tag("name", "other")]),
        ] {
            let resource = TaggedResource {
                kind: TaggedKind::HealthCheck,
                id: id.to_owned(),
            };
            marks.take(TagSet { resource, tags });
        }
        let name = |id| {
            marks
                .name(&HealthCheckId::new(id).unwrap())
                .map(str::to_owned)
        };
        assert_eq!(name("a").as_deref(), Some("web"));
        assert_eq!(name("b"), None);
    }
}
