//! Reading a JSON document: what `meridian zone export --format json` writes, or what
//! `aws route53 list-resource-record-sets` prints. Sets are read one by one.

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::Format;
use super::records::Contents;
use super::report::Messages;
use super::set::JsonSet;
use crate::terminal::Bar;

/// `HostedZone`, as far as it is taken over.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct JsonZone {
    id: Option<String>,
    config: Option<JsonConfig>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct JsonConfig {
    comment: Option<String>,
    #[serde(default)]
    private_zone: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct JsonTag {
    key: String,
    value: String,
}

/// Reads a document into sorted sets. Sets that are none are refused.
pub(super) fn read(path: &Path, refusals: &mut Messages, bar: &mut Bar) -> Result<Contents> {
    let shown = path.display().to_string();
    let file = File::open(path).with_context(|| format!("cannot read {shown}"))?;
    let mut contents = Contents::new(Format::Json);
    contents.add_file(shown.clone());
    let mut reading = Reading {
        contents: &mut contents,
        refusals,
        bar,
        number: 0,
    };
    let mut input = serde_json::Deserializer::from_reader(BufReader::new(file));
    let read = (&mut reading).deserialize(&mut input);
    read.and_then(|()| input.end())
        .with_context(|| format!("{shown} is no zone in JSON"))?;
    contents.sort();
    Ok(contents)
}

struct Reading<'a> {
    contents: &'a mut Contents,
    refusals: &'a mut Messages,
    bar: &'a mut Bar,
    number: u64,
}

impl<'de> DeserializeSeed<'de> for &mut Reading<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Reading<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with ResourceRecordSets")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut any = false;
        // Ends with the document.
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "HostedZone" => {
                    let zone: JsonZone = map.next_value()?;
                    let id = zone.id.as_deref();
                    let bare = id.map(|id| id.trim_start_matches("/hostedzone/").to_owned());
                    self.contents.zone.id = bare;
                    if let Some(config) = zone.config {
                        self.contents.zone.comment = config.comment;
                        self.contents.zone.private = config.private_zone;
                    }
                }
                "Tags" => {
                    let tags: Vec<JsonTag> = map.next_value()?;
                    let tags = tags.into_iter().map(|tag| (tag.key, tag.value));
                    self.contents.zone.tags = tags.collect();
                }
                "ResourceRecordSets" => {
                    any = true;
                    map.next_value_seed(Sets(self))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if any {
            Ok(())
        } else {
            Err(serde::de::Error::missing_field("ResourceRecordSets"))
        }
    }
}

struct Sets<'a, 'b>(&'a mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for Sets<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Sets<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of record sets")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let reading = self.0;
        // Ends with the list.
        while let Some(value) = list.next_element::<Value>()? {
            reading.number += 1;
            let number = reading.number;
            let set = serde_json::from_value::<JsonSet>(value).map_err(anyhow::Error::from);
            let taken = set.and_then(|set| reading.contents.add_set(number, &set));
            if let Err(error) = taken {
                reading.bar.clear();
                let place = reading.contents.shown(number);
                reading.refusals.say(&place, &error.to_string());
            }
        }
        Ok(())
    }
}
