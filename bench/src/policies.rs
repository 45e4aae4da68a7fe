//! Routing rules in the neutral form of harnesses that compare name servers: every name of a zone
//! has the same addresses, by weight or by continent.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::data::{Policy, Row, ZoneRows};

/// The rules of one zone.
#[derive(Debug, Deserialize)]
pub struct Policies {
    zone: String,
    /// Labels below the zone.
    names: Vec<String>,
    /// Addresses with their weights.
    #[serde(default)]
    weighted: BTreeMap<String, u8>,
    /// Continents with their addresses.
    #[serde(default)]
    geo: BTreeMap<String, String>,
    /// The address for everywhere else.
    default: Option<String>,
}

impl Policies {
    /// Reads a JSON file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = || path.display().to_string();
        let text = fs::read_to_string(path).with_context(shown)?;
        serde_json::from_str(&text).with_context(shown)
    }

    /// Adds the rules to their zone; other zones stay as they are.
    pub fn add_to(&self, zone: &mut ZoneRows) {
        if self.zone.trim_end_matches('.') != zone.apex {
            return;
        }
        for label in &self.names {
            let name = format!("{label}.{}", zone.apex);
            let mut add = |address: &str, policy| {
                zone.rows
                    .push(Row::routed(&name, address.to_owned(), policy));
            };
            for (address, weight) in &self.weighted {
                add(address, Policy::Weight(*weight));
            }
            for (continent, address) in &self.geo {
                add(address, Policy::Continent(continent.clone()));
            }
            if let Some(address) = &self.default {
                add(address, Policy::AnyPlace);
            }
        }
    }
}
