//! What tags of health checks say beside the checks: what people call them, and whether certificates
//! count. Tags are the one way to say what Route 53 knows nothing of with unmodified clients.

use std::collections::HashMap;

use meridian_health::Certificate;
use meridian_log::{ReadError, Snapshot};
use meridian_model::{HealthCheckId, TagSet, TaggedKind};

/// The tag that consoles show as a check's name.
const NAME: &str = "Name";
/// The tag that says whether the endpoint's certificate counts, by one of the words below. Others
/// say nothing.
const CERTIFICATE: &str = "meridian:certificate";
const VALIDATE: &str = "validate";
const ANY: &str = "any";

/// By check, of those that have such tags.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    names: HashMap<HealthCheckId, String>,
    certificates: HashMap<HealthCheckId, Certificate>,
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

    /// Whether the certificate of a check's endpoint counts, if that is said.
    pub(crate) fn certificate(&self, check: &HealthCheckId) -> Option<Certificate> {
        self.certificates.get(check).copied()
    }

    fn take(&mut self, set: TagSet) {
        let Ok(check) = HealthCheckId::new(&set.resource.id) else {
            return;
        };
        for tag in set.tags {
            let certificate = match (tag.key.as_str(), tag.value.as_str()) {
                (NAME, _) => {
                    self.names.insert(check.clone(), tag.value);
                    continue;
                }
                (CERTIFICATE, VALIDATE) => Certificate::Valid,
                (CERTIFICATE, ANY) => Certificate::Any,
                _ => continue,
            };
            self.certificates.insert(check.clone(), certificate);
        }
    }
}

#[cfg(test)]
mod tests {
    use meridian_model::{Tag, TaggedResource};

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
            let resource = TaggedResource {
                kind: TaggedKind::HealthCheck,
                id: id.to_owned(),
            };
            let tags = tags.to_vec();
            marks.take(TagSet { resource, tags });
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
    }
}
