//! What tags of health checks say beside the checks: what people call them, and whether certificates
//! count. Tags are the one way to say what Route 53 knows nothing of with unmodified clients.

use std::sync::Arc;

use meridian_health::{Certificate, Places};
use meridian_log::{ReadError, Snapshot};
use meridian_model::{HealthCheckId, Tag, TaggedKind, TaggedResource};

use super::checks::list_of;

/// The tag that consoles show as a check's name.
const NAME: &str = "Name";
/// The tag that says whether the endpoint's certificate counts, by one of the words below. Others
/// say nothing.
const CERTIFICATE: &str = "meridian:certificate";
const VALIDATE: &str = "validate";
const ANY: &str = "any";

/// By check, of those that have such tags. Cloning copies pointers, and copies share what nobody
/// changed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks(Places<Arc<[Marked]>>);

/// A check that has such tags.
#[derive(Debug, Clone)]
struct Marked {
    check: HealthCheckId,
    name: Option<String>,
    certificate: Option<Certificate>,
}

impl Marks {
    /// As the tables have them.
    pub(crate) fn read(snapshot: &Snapshot) -> Result<Self, ReadError> {
        let mut marks = Self::default();
        snapshot.each_tag_set(TaggedKind::HealthCheck, |set| {
            if let Some(check) = Self::check_of(&set.resource) {
                marks.put(&check, &set.tags);
            }
        })?;
        Ok(marks)
    }

    /// The check that has tags, if that is one.
    pub(crate) fn check_of(resource: &TaggedResource) -> Option<HealthCheckId> {
        let is_check = resource.kind == TaggedKind::HealthCheck;
        HealthCheckId::new(&resource.id).ok().filter(|_| is_check)
    }

    /// What a check is called, if it is.
    pub(crate) fn name(&self, check: &HealthCheckId) -> Option<&str> {
        self.of(check)?.name.as_deref()
    }

    /// Whether the certificate of a check's endpoint counts, if that is said.
    pub(crate) fn certificate(&self, check: &HealthCheckId) -> Option<Certificate> {
        self.of(check)?.certificate
    }

    /// A check has these tags from now on, and no others.
    pub(crate) fn put(&mut self, check: &HealthCheckId, tags: &[Tag]) {
        let marked = Marked::of(check, tags);
        if marked.is_none() && self.of(check).is_none() {
            return;
        }
        let list = list_of(check.as_str());
        let known = self.0.get(list).map_or(&[][..], |list| list);
        let others = known.iter().filter(|other| other.check != *check);
        let list_with: Arc<[Marked]> = others.cloned().chain(marked).collect();
        if list_with.is_empty() {
            self.0.take(list);
        } else {
            self.0.put(list, list_with);
        }
    }

    /// Whether they are the very same.
    pub(crate) fn is_copy(&self, other: &Self) -> bool {
        self.0.is_copy(&other.0)
    }

    /// The checks whose tags may be others since then. Some may be told twice.
    pub(crate) fn differences<'m>(
        &'m self,
        before: &'m Self,
    ) -> impl Iterator<Item = &'m HealthCheckId> {
        let lists = self.0.differences(&before.0);
        let lists = lists.flat_map(|list| [list.before, list.now]).flatten();
        lists.flat_map(|list| list.iter().map(|marked| &marked.check))
    }

    fn of(&self, check: &HealthCheckId) -> Option<&Marked> {
        let list = self.0.get(list_of(check.as_str()))?;
        list.iter().find(|marked| marked.check == *check)
    }
}

impl Marked {
    /// None where the tags say nothing of this.
    fn of(check: &HealthCheckId, tags: &[Tag]) -> Option<Self> {
        let value = |key| tags.iter().find(|tag| tag.key == key).map(|tag| &tag.value);
        let certificate = match value(CERTIFICATE).map(String::as_str) {
            Some(VALIDATE) => Some(Certificate::Valid),
            Some(ANY) => Some(Certificate::Any),
            _ => None,
        };
        let name = value(NAME).cloned();
        (name.is_some() || certificate.is_some()).then(|| Self {
            check: check.clone(),
            name,
            certificate,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_whether_certificates_count_are_said_by_these_tags_alone() {
        let mut marks = Marks::default();
        for (id, tags) in [
            ("a", [("Name", "web"), (CERTIFICATE, "validate")]),
            ("b", [("name", "other"), (CERTIFICATE, "any")]),
            ("c", [("Name", ""), (CERTIFICATE, "Validate")]),
        ] {
            let tags = tags.map(|(key, value)| Tag {
                key: key.to_owned(),
                value: value.to_owned(),
            });
            marks.put(&HealthCheckId::new(id).unwrap(), &tags);
        }
        for (id, name, certificate) in [
            ("a", Some("web"), Some(Certificate::Valid)),
            ("b", None, Some(Certificate::Any)),
            ("c", Some(""), None),
            ("d", None, None),
        ] {
            let id = HealthCheckId::new(id).unwrap();
            assert_eq!(marks.name(&id), name, "{id}");
            assert_eq!(marks.certificate(&id), certificate, "{id}");
        }
        // Tags that are gone say nothing any more, and whose they were is told.
        let before = marks.clone();
        marks.put(&HealthCheckId::new("d").unwrap(), &[]);
        assert!(marks.is_copy(&before));
        let gone = HealthCheckId::new("b").unwrap();
        marks.put(&gone, &[]);
        assert_eq!(marks.certificate(&gone), None);
        assert!(marks.differences(&before).any(|id| *id == gone));
        assert_eq!(before.differences(&before).count(), 0);
    }
}
