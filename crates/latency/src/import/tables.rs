//! Small files that say what the rows of a large one name: networks of sites, regions of targets
//! and of sites. Unlike those rows, each of theirs has to be good.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::net::IpAddr;

use meridian_atlas::Point;
use meridian_model::Network;

use super::columns::split;
use super::fields::{network, shown};
use super::pieces::{Piece, Pieces};
use super::{Fault, ImportError, Wrong};

/// Rows of a table.
pub(super) const MAX_ROWS: usize = 100_000;

/// What the rows of a file may name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tables {
    prefixes: BTreeMap<Box<str>, Vec<Network>>,
    targets: BTreeMap<Box<str>, Box<str>>,
    sites: BTreeMap<Box<str>, Site>,
}

/// Where a site is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Site {
    Region(Box<str>),
    At(Point),
}

impl Tables {
    /// Reads `site,prefix`: the networks at each site, which may have several rows.
    ///
    /// # Errors
    ///
    /// The first row that is wrong.
    pub fn read_prefixes(&mut self, input: impl BufRead) -> Result<(), ImportError> {
        rows(input, "site", |values| {
            let [site, prefix] = values else {
                return Err(Wrong::Missing("prefix"));
            };
            let networks = self.prefixes.entry(site.as_str().into()).or_default();
            networks.push(network(prefix)?);
            Ok(())
        })
    }

    /// Reads `address,region`: where pings were sent to, by address or name.
    ///
    /// # Errors
    ///
    /// The first row that is wrong.
    pub fn read_targets(&mut self, input: impl BufRead) -> Result<(), ImportError> {
        rows(input, "address", |values| {
            let [target, region] = values else {
                return Err(Wrong::Missing("region"));
            };
            self.targets.insert(spelt(target), region.as_str().into());
            Ok(())
        })
    }

    /// Reads `site,region` or `site,latitude,longitude`.
    ///
    /// # Errors
    ///
    /// The first row that is wrong.
    pub fn read_sites(&mut self, input: impl BufRead) -> Result<(), ImportError> {
        rows(input, "site", |values| {
            let (name, site) = match values {
                [name, region] => (name, Site::Region(region.as_str().into())),
                [name, latitude, longitude] => (name, Site::At(point(latitude, longitude)?)),
                _ => return Err(Wrong::Missing("region")),
            };
            self.sites.insert(name.to_lowercase().into(), site);
            Ok(())
        })
    }

    pub(super) fn networks_at(&self, site: &str) -> &[Network] {
        self.prefixes.get(site).map_or(&[], Vec::as_slice)
    }

    pub(super) fn region_of_target(&self, target: &str) -> Option<&str> {
        self.targets.get(&spelt(target)).map(AsRef::as_ref)
    }

    pub(super) fn site(&self, name: &str) -> Option<&Site> {
        self.sites.get(name.to_lowercase().as_str())
    }
}

/// An address in one spelling; a name in small letters.
fn spelt(target: &str) -> Box<str> {
    match target.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string().into(),
        Err(_) => target.trim_end_matches('.').to_lowercase().into(),
    }
}

fn point(latitude: &str, longitude: &str) -> Result<Point, Wrong> {
    let number = |text: &str| text.parse::<f32>().ok();
    let point = number(latitude).zip(number(longitude));
    let point = point.and_then(|(latitude, longitude)| Point::new(latitude, longitude));
    point.ok_or_else(|| Wrong::Number {
        field: "latitude and longitude",
        text: shown(&format!("{latitude},{longitude}")),
    })
}

/// Reads all rows. A first line whose first column has this name says only what columns are.
fn rows(
    input: impl BufRead,
    name: &str,
    mut read: impl FnMut(&[String]) -> Result<(), Wrong>,
) -> Result<(), ImportError> {
    let mut pieces = Pieces::new(input, false);
    let mut count = 0;
    // Ends with the file, or with more rows than there may be.
    while let Some(piece) = pieces.next() {
        let Piece { line, text } = piece?;
        let fault = |reason| Fault { line, reason };
        let values: Vec<String> = split(text)
            .map_err(fault)?
            .into_iter()
            .map(Into::into)
            .collect();
        if count == 0
            && values
                .first()
                .is_some_and(|first| first.eq_ignore_ascii_case(name))
        {
            continue;
        }
        count += 1;
        if count > MAX_ROWS {
            return Err(fault(Wrong::TooManyRows).into());
        }
        read(&values).map_err(fault)?;
    }
    Ok(())
}
