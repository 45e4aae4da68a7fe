//! The arrows of the design: which crate of the workspace may use which, and which of them alone
//! may use some outside crates. The compiler keeps crates apart; this test keeps the manifests from
//! quietly joining them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Each crate with all it may depend on, tests included. Crates not built yet stand here already.
///
/// Three columns keep the planes apart: `node` alone sees both, `server`, `answer` and `atlas` never
/// meet `log`, `control` and `api`, and the agents know the journal but not who asks.
const ARROWS: &[(&str, &[&str])] = &[
    ("dns", &[]),
    ("model", &["dns"]),
    // Data plane.
    ("atlas", &["dns", "model"]),
    ("answer", &["dns", "model", "atlas"]),
    ("server", &["dns", "model", "atlas", "answer"]),
    // What measures has clocks, samples and addresses of people: of it the data plane sees the map
    // that it makes, which is a type of `atlas`.
    ("latency", &["dns", "model", "atlas"]),
    // Control plane.
    ("log", &["dns", "model"]),
    ("control", &["dns", "model", "log"]),
    ("api", &["dns", "model", "log", "control"]),
    ("console", &["dns", "model", "log", "control"]),
    // Agents. `registrar` has work to hand to the control plane; nobody calls it.
    ("health", &["dns", "model", "log"]),
    ("registrar", &["dns", "model", "log", "control"]),
    // Everything meets here, and nothing may depend on it.
    (
        "node",
        &[
            "dns",
            "model",
            "atlas",
            "answer",
            "server",
            "log",
            "control",
            "api",
            "console",
            "health",
            "latency",
            "registrar",
        ],
    ),
];

/// Outside crates that only some of ours may name, by the beginning of their names.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("etcd-client", &["log"]),
    ("redb", &["log"]),
    ("axum", &["api", "console", "node"]),
    ("askama", &["console"]),
    ("form_urlencoded", &["console"]),
    ("maxminddb", &["atlas"]),
    ("hyper", &["node"]),
    ("quinn", &["server"]),
    ("rustls", &["server"]),
    // Whoever speaks TLS over TCP: the API to its clients, probes to endpoints.
    ("tokio-rustls", &["health", "node"]),
    // Strangers' responses and what they are packed in, taken apart within bounds.
    ("httparse", &["health"]),
    ("miniz_oxide", &["health"]),
    // `meridian tls` makes certificates; `health` and `server` have some made for their tests.
    ("rcgen", &["health", "node", "server"]),
];

/// Crates that only tests may use, the judges of our own codecs and clients, and who may use them
/// all the same: `node` asks servers elsewhere with `domain`, and `health` resolvers, where ours only
/// answers.
const ONLY_IN_TESTS: &[(&str, &[&str])] = &[
    ("domain", &["health", "node"]),
    ("h2", &[]),
    ("prefix-trie", &[]),
    ("proptest", &[]),
    ("tempfile", &[]),
    // Its data are under another licence than its manifest says: see data/geo.
    ("tor-geoip-db", &[]),
];

/// Measures every part of the house and is none itself: it may use whatever it measures.
const MEASURES: &str = "bench";

#[test]
fn crates_depend_only_along_the_arrows() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in packages() {
        let Some(targets) = allowed.get(package.name.as_str()) else {
            wrong.push(format!("{} is not a crate of the design", package.name));
            continue;
        };
        for dependency in package.ours() {
            if !targets.contains(&dependency) {
                wrong.push(format!("{} -> {dependency} is not an arrow", package.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn outside_crates_stay_where_they_belong() {
    let mut wrong = Vec::new();
    for package in packages() {
        for (dependency, kind) in &package.dependencies {
            for (prefix, owners) in OUTSIDE {
                if dependency.starts_with(prefix) && !owners.contains(&package.name.as_str()) {
                    wrong.push(format!("{} must not use {dependency}", package.name));
                }
            }
            for (judge, users) in ONLY_IN_TESTS {
                if dependency == judge && kind != "dev" && !users.contains(&package.name.as_str()) {
                    wrong.push(format!("{} uses {dependency} outside tests", package.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The table itself: what a crate may use, that may use no more, and nothing goes in circles.
#[test]
fn arrows_point_down() {
    for (index, (name, targets)) in ARROWS.iter().enumerate() {
        let above: BTreeSet<&str> = ARROWS[index..].iter().map(|(other, _)| *other).collect();
        for target in *targets {
            assert!(!above.contains(target), "{name} -> {target} points up");
            let (_, reach) = ARROWS
                .iter()
                .find(|(other, _)| other == target)
                .expect("an arrow points at a crate of the table");
            for further in *reach {
                assert!(
                    targets.contains(further),
                    "{name} reaches {further} by {target}"
                );
            }
        }
    }
    let plane = |name: &str| match name {
        "atlas" | "answer" | "server" | "latency" => "data",
        "log" | "control" | "api" | "console" => "control",
        _ => "either",
    };
    for (name, targets) in ARROWS.iter().filter(|(name, _)| *name != "node") {
        for target in *targets {
            assert!(
                plane(name) == plane(target)
                    || plane(target) == "either"
                    || (plane(name) == "either" && plane(target) == "control"),
                "{name} -> {target} joins the planes"
            );
        }
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for package in packages() {
        let manifest = std::fs::read_to_string(&package.manifest)
            .expect("cargo has just read the same manifest");
        let manifest: toml::Table = manifest.parse().expect("cargo has just parsed it");
        let inherits = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"))
            .and_then(toml::Value::as_bool);
        assert_eq!(
            inherits,
            Some(true),
            "{}: lints.workspace = true is missing",
            package.name
        );
    }
}

struct Package {
    /// Without `meridian-`.
    name: String,
    manifest: String,
    /// Name and kind: `normal`, `dev` or `build`.
    dependencies: Vec<(String, String)>,
}

impl Package {
    fn ours(&self) -> impl Iterator<Item = &str> {
        self.dependencies
            .iter()
            .filter_map(|(name, _)| name.strip_prefix("meridian-"))
    }
}

/// The packages of the workspace with the dependencies they declare.
fn packages() -> Vec<Package> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .expect("cargo is there, it built this test");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages: Vec<Package> = array(&metadata["packages"])
        .iter()
        // A package of another name (a bench, a fuzz target) is no part of the house.
        .filter_map(|package| {
            let name = text(&package["name"]).strip_prefix("meridian-")?.to_owned();
            if name == MEASURES {
                return None;
            }
            let dependencies = array(&package["dependencies"])
                .iter()
                .map(|d| {
                    let kind = d["kind"].as_str().unwrap_or("normal");
                    (text(&d["name"]).to_owned(), kind.to_owned())
                })
                .collect();
            Some(Package {
                name,
                manifest: text(&package["manifest_path"]).to_owned(),
                dependencies,
            })
        })
        .collect();
    assert!(
        packages.len() >= 8,
        "the workspace has eight crates or more"
    );
    packages
}

fn array(value: &Value) -> &[Value] {
    value.as_array().expect("an array, as cargo documents")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string, as cargo documents")
}
