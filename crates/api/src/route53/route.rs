//! From method and path to an operation.

use super::{Call, ROUTES, Reply, planned::PLANNED};
use crate::fault::Failure;
use crate::uri;

/// Carries an operation out.
pub(crate) type Handler = fn(&Call<'_>) -> Result<Reply, Failure>;

/// Where an operation is found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) operation: &'static str,
    pub(super) method: &'static str,
    /// After the version; `{}` is any one segment.
    pub(super) pattern: &'static str,
    /// None for an operation that is planned.
    pub(crate) handler: Option<Handler>,
}

/// What a method and a path lead to.
#[derive(Debug)]
pub(crate) enum Match {
    /// An operation, and the variable parts of the path.
    Operation(Route, Vec<String>),
    /// A path that these other methods have operations at.
    WrongMethod(Vec<&'static str>),
    /// No operation.
    Unknown,
}

/// The first segment of every path.
const VERSION: &str = "2013-04-01";
/// Kinds of resource that clients repeat in front of ids, as in `/hostedzone//hostedzone/Z1`.
const KINDS: [&str; 3] = ["hostedzone", "change", "delegationset"];
/// Segments that an id comes after, and its kind where that is called otherwise.
const KINDS_AFTER: [(&str, &str); 3] = [
    ("hostedzonelimit", "hostedzone"),
    ("reusabledelegationsetlimit", "delegationset"),
    ("keysigningkey", "hostedzone"),
];

/// Finds the operation. A slash at the end, empty segments and the kind in front of an id mean
/// nothing; encoded slashes separate like raw ones.
pub(crate) fn resolve(method: &str, path: &str) -> Match {
    let decoded: Option<Vec<String>> = uri::normal_segments(path)
        .into_iter()
        .map(uri::decode_segment)
        .collect();
    let Some(decoded) = decoded else {
        return Match::Unknown;
    };
    let mut segments: Vec<&str> = decoded
        .iter()
        .flat_map(|s| s.split('/'))
        .filter(|s| !s.is_empty())
        .collect();
    segments.dedup_by(|kind, before| {
        kind == before && KINDS.contains(kind) || KINDS_AFTER.contains(&(*before, *kind))
    });
    let Some((&VERSION, segments)) = segments.split_first() else {
        return Match::Unknown;
    };
    let mut others = Vec::new();
    for route in ROUTES.iter().chain(PLANNED) {
        if let Some(ids) = route.ids(segments) {
            if route.method == method {
                return Match::Operation(*route, ids);
            }
            if !others.contains(&route.method) {
                others.push(route.method);
            }
        }
    }
    if others.is_empty() {
        Match::Unknown
    } else {
        Match::WrongMethod(others)
    }
}

impl Route {
    pub(super) const fn planned(
        operation: &'static str,
        method: &'static str,
        pattern: &'static str,
    ) -> Self {
        Self {
            operation,
            method,
            pattern,
            handler: None,
        }
    }

    /// The variable parts when the path is of this pattern.
    fn ids(&self, segments: &[&str]) -> Option<Vec<String>> {
        let pattern = self.pattern.split('/').skip(1);
        if pattern.clone().count() != segments.len() {
            return None;
        }
        let mut ids = Vec::new();
        for (expected, &found) in pattern.zip(segments) {
            match expected {
                "{}" => ids.push(found.to_owned()),
                literal if literal == found => {}
                _ => return None,
            }
        }
        Some(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str) -> (&'static str, Vec<String>) {
        match resolve(method, path) {
            Match::Operation(route, ids) => (route.operation, ids),
            Match::WrongMethod(_) => ("wrong method", vec![]),
            Match::Unknown => ("unknown", vec![]),
        }
    }

    #[test]
    fn the_seventy_four_operations_have_a_path_each() {
        let routes = || ROUTES.iter().chain(PLANNED);
        let count = |method: &str| routes().filter(|route| route.method == method).count();
        assert_eq!((count("GET"), count("POST"), count("DELETE")), (38, 28, 8));
        for route in routes() {
            let path = format!("/2013-04-01{}", route.pattern.replace("{}", "X"));
            let ids = vec!["X".to_owned(); route.pattern.matches("{}").count()];
            assert_eq!(found(route.method, &path), (route.operation, ids));
        }
    }

    #[test]
    fn kinds_in_front_of_ids_and_stray_slashes_mean_nothing() {
        let zone = ("GetHostedZone", vec!["Z1".to_owned()]);
        for path in [
            "/2013-04-01/hostedzone/Z1",
            "/2013-04-01/hostedzone/Z1/",
            "/2013-04-01/hostedzone//hostedzone/Z1",
            "/2013-04-01/hostedzone/%2Fhostedzone%2FZ1",
            "/2013-04-01/hostedzone/%2fhostedzone%2fZ1",
            "/2013-04-01/x/../hostedzone/./Z1",
        ] {
            assert_eq!(found("GET", path), zone, "{path}");
        }
        for (method, path, operation) in [
            (
                "GET",
                "hostedzonelimit/%2Fhostedzone%2FZ1",
                "GetHostedZoneLimit",
            ),
            ("GET", "hostedzonelimit/hostedzone/Z1", "GetHostedZoneLimit"),
            (
                "DELETE",
                "keysigningkey//hostedzone/Z1",
                "DeleteKeySigningKey",
            ),
        ] {
            let expected = (operation, vec!["Z1".to_owned(), "X".to_owned()]);
            assert_eq!(found(method, &format!("/2013-04-01/{path}/X")), expected);
        }
        let set = "/2013-04-01/reusabledelegationsetlimit/%2Fdelegationset%2FN1/X";
        assert_eq!(found("GET", set).0, "GetReusableDelegationSetLimit");
        let change = ("GetChange", vec!["C1".to_owned()]);
        assert_eq!(found("GET", "/2013-04-01/change//change/C1"), change);
        let tags = (
            "ListTagsForResource",
            vec!["hostedzone".to_owned(), "Z1".to_owned()],
        );
        assert_eq!(
            found("GET", "/2013-04-01/tags/hostedzone/%2Fhostedzone%2FZ1"),
            tags
        );
        let batch = ("ChangeResourceRecordSets", vec!["Z1".to_owned()]);
        assert_eq!(found("POST", "/2013-04-01/hostedzone/Z1/rrset/"), batch);
        assert_eq!(found("POST", "/2013-04-01/hostedzone/Z1/rrset"), batch);
    }

    #[test]
    fn other_paths_and_methods_are_told_apart() {
        assert_eq!(found("PUT", "/2013-04-01/hostedzone").0, "wrong method");
        assert_eq!(found("get", "/2013-04-01/hostedzone").0, "wrong method");
        for path in [
            "/",
            "",
            "/2012-12-12/hostedzone",
            "/2013-04-01",
            "/2013-04-01/x",
            "/2013-04-01/%ff",
        ] {
            assert_eq!(found("GET", path).0, "unknown", "{path}");
        }
    }
}
