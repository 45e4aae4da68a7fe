//! From the files to an atlas. One that cannot be read never takes away what was known.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use meridian_atlas::{Atlas, Layer, countries, mmdb};

use crate::config::Geo;

/// The countries that come with the program, unless it was built without.
#[cfg(feature = "geo-builtin")]
const COUNTRIES: Option<&[u8]> = Some(include_bytes!("../../../../data/geo/countries"));
#[cfg(not(feature = "geo-builtin"))]
const COUNTRIES: Option<&[u8]> = None;

/// What tells one state of a file from another: device, inode, length, change.
pub(super) type Stamp = (u64, u64, u64, i64, i64);

/// The files of the configuration, in their order.
#[derive(Debug)]
pub(super) struct Files {
    paths: Vec<PathBuf>,
    built_in: bool,
    /// Those that the atlas in use is made of.
    in_use: BTreeSet<PathBuf>,
}

/// What has come of reading them.
#[derive(Debug)]
pub(super) enum Outcome {
    /// An atlas, and what is wrong with files that have never been in use.
    Made(Box<Atlas>, Option<String>),
    /// None: a file is bad that the one in use is made of.
    Refused(String),
}

impl Files {
    pub(super) fn new(config: &Geo) -> Self {
        Self {
            paths: config.files.clone(),
            built_in: config.built_in,
            in_use: BTreeSet::new(),
        }
    }

    /// The state of each; none for one that is not there.
    pub(super) fn stamps(&self) -> Vec<Option<Stamp>> {
        let stamp = |path: &PathBuf| {
            let of = fs::metadata(path).ok()?;
            Some((of.dev(), of.ino(), of.len(), of.ctime(), of.ctime_nsec()))
        };
        self.paths.iter().map(stamp).collect()
    }

    /// Reads all of them.
    pub(super) fn load(&mut self) -> Outcome {
        let mut layers = Vec::new();
        let mut used = BTreeSet::new();
        let mut bad = Vec::new();
        for path in &self.paths {
            match layer(path) {
                Ok(layer) => {
                    layers.push(layer);
                    used.insert(path.clone());
                }
                Err(error) => bad.push((path, format!("{error:#}"))),
            }
        }
        let errors: Vec<&str> = bad.iter().map(|(_, error)| error.as_str()).collect();
        let failure = (!errors.is_empty()).then(|| errors.join("; "));
        if bad.iter().any(|(path, _)| self.in_use.contains(*path)) {
            return Outcome::Refused(failure.unwrap_or_default());
        }
        let made = self.built_in().and_then(|built_in| {
            layers.extend(built_in);
            Ok(Atlas::new(layers)?)
        });
        match made {
            Ok(atlas) => {
                self.in_use = used;
                Outcome::Made(Box::new(atlas), failure)
            }
            Err(error) => Outcome::Refused(format!("{error:#}")),
        }
    }

    fn built_in(&self) -> Result<Option<Layer>> {
        let bytes = COUNTRIES.filter(|_| self.built_in);
        bytes
            .map(|bytes| countries::read(bytes).context("the countries that come with the program"))
            .transpose()
    }
}

fn layer(path: &Path) -> Result<Layer> {
    let shown = path.display();
    let bytes = fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    mmdb::read(&shown.to_string(), &bytes).with_context(|| format!("{shown} is of no use"))
}
