//! The command line's side of an export: takes sets from the server as they come and writes them,
//! as a master file or as JSON.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use meridian_dns::{Name, RecordType, zonefile};
use serde_json::{Value, json};

use super::set::JsonSet;
use super::{Format, Incomplete};
use crate::admin::{Client, Command, Conversation};
use crate::terminal;

/// Exports a zone to a file, or to standard output.
pub(crate) fn export(
    client: &Client,
    zone: String,
    format: Format,
    output: Option<&Path>,
) -> Result<()> {
    if client.json && output.is_none() && format == Format::Bind {
        bail!("--json is not for a master file on standard output: name a file with --output");
    }
    let conversation = Conversation::open(client, &Command::ZoneExport { zone })?;
    let written = match output {
        None => write(conversation, format, &mut terminal::out())?,
        Some(path) => {
            // Whole or not at all: a failed export leaves what was there.
            let partial = partial(path);
            let written = File::create(&partial)
                .map_err(Into::into)
                .and_then(|file| write(conversation, format, &mut BufWriter::new(file)));
            if written.is_err() {
                let _ = fs::remove_file(&partial);
            }
            let written = written.with_context(|| format!("cannot write {}", path.display()))?;
            fs::rename(&partial, path)?;
            if client.json {
                writeln!(terminal::out(), "{:#}", written.shown(path))?;
            }
            written
        }
    };
    if written.left_out == 0 {
        return Ok(());
    }
    let text = format!(
        "{} record sets with a routing policy, or aliases, are comments only: master files \
         cannot express them, --format json can",
        written.left_out
    );
    Err(Incomplete(text).into())
}

/// How much was written.
struct Written {
    record_sets: u64,
    /// Those of them that are in comments only.
    left_out: u64,
}

impl Written {
    fn shown(&self, path: &Path) -> Value {
        json!({
            "file": path,
            "record_sets": self.record_sets,
            "comments_only": self.left_out,
        })
    }
}

fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// Writes the zone.
fn write(mut conversation: Conversation, format: Format, out: &mut impl Write) -> Result<Written> {
    let start = conversation.progress()?;
    let mut writer: Box<dyn Writer> = match format {
        Format::Bind => Box::new(MasterFile::default()),
        Format::Json => Box::new(Document::default()),
    };
    writer.begin(out, &start["zone"])?;
    let mut record_sets = 0;
    // Ends with the result.
    while let Err(portion) = conversation.answer()? {
        let sets: Vec<JsonSet> = serde_json::from_value(portion["sets"].clone())?;
        for set in sets {
            writer.set(out, set)?;
            record_sets += 1;
        }
        // There may be a million, and nobody who reads on.
        out.flush()?;
    }
    let left_out = writer.end(out)?;
    out.flush()?;
    Ok(Written {
        record_sets,
        left_out,
    })
}

/// One of the two forms.
trait Writer {
    fn begin(&mut self, out: &mut dyn Write, zone: &Value) -> Result<()>;
    fn set(&mut self, out: &mut dyn Write, set: JsonSet) -> Result<()>;
    /// How many sets are in comments only.
    fn end(&mut self, out: &mut dyn Write) -> Result<u64>;
}

/// A JSON document, a set on each line.
#[derive(Default)]
struct Document {
    sets: u64,
}

impl Writer for Document {
    fn begin(&mut self, out: &mut dyn Write, zone: &Value) -> Result<()> {
        let tags = zone["tags"].as_object();
        let tags: Vec<Value> = tags
            .into_iter()
            .flatten()
            .map(|(key, value)| json!({ "Key": key, "Value": value }))
            .collect();
        let hosted_zone = json!({
            "Id": zone["id"],
            "Name": zone["name"],
            "CallerReference": zone["caller_reference"],
            "Config": { "Comment": zone["comment"], "PrivateZone": zone["private"] },
        });
        let vpcs = zone["vpcs"].as_array();
        let vpcs: Vec<Value> = vpcs
            .into_iter()
            .flatten()
            .map(|vpc| json!({ "VPCRegion": vpc["region"], "VPCId": vpc["id"] }))
            .collect();
        let name_servers = json!({ "NameServers": zone["name_servers"] });
        writeln!(out, "{{\"Format\":\"meridian-zone\",\"Version\":1,")?;
        writeln!(out, "\"HostedZone\":{hosted_zone},")?;
        writeln!(out, "\"DelegationSet\":{name_servers},")?;
        writeln!(out, "\"VPCs\":{},", Value::from(vpcs))?;
        writeln!(out, "\"Tags\":{},", Value::from(tags))?;
        write!(out, "\"ResourceRecordSets\":[")?;
        Ok(())
    }

    fn set(&mut self, out: &mut dyn Write, set: JsonSet) -> Result<()> {
        let between = if self.sets == 0 { "" } else { "," };
        write!(out, "{between}\n{}", serde_json::to_string(&set)?)?;
        self.sets += 1;
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<u64> {
        writeln!(out, "\n]}}")?;
        Ok(0)
    }
}

/// A master file. The apex is kept until it is whole, because its SOA comes first.
#[derive(Default)]
struct MasterFile {
    apex: Option<String>,
    waiting: Vec<JsonSet>,
    left_out: u64,
}

impl Writer for MasterFile {
    fn begin(&mut self, out: &mut dyn Write, zone: &Value) -> Result<()> {
        let name = zone["name"].as_str().unwrap_or_default();
        self.apex = Some(name.to_owned());
        writeln!(
            out,
            "; zone {name} ({}) of Meridian",
            zone["id"].as_str().unwrap_or_default()
        )?;
        writeln!(out, "$ORIGIN {}", zonefile::owner(&Name::parse(name)?))?;
        writeln!(out, "$TTL 300")?;
        Ok(())
    }

    fn set(&mut self, out: &mut dyn Write, set: JsonSet) -> Result<()> {
        if self.apex.as_ref() == Some(&set.name) {
            self.waiting.push(set);
            return Ok(());
        }
        self.write_apex(out)?;
        self.write(out, &set)
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<u64> {
        self.write_apex(out)?;
        Ok(self.left_out)
    }
}

impl MasterFile {
    fn write_apex(&mut self, out: &mut dyn Write) -> Result<()> {
        self.apex = None;
        let mut sets = std::mem::take(&mut self.waiting);
        sets.sort_by_key(|set| set.rtype != RecordType::Soa.as_str());
        sets.iter().try_for_each(|set| self.write(out, set))
    }

    fn write(&mut self, out: &mut dyn Write, set: &JsonSet) -> Result<()> {
        let Some(lines) = lines(set) else {
            self.left_out += 1;
            writeln!(out, "; not expressed: {}", serde_json::to_string(set)?)?;
            return Ok(());
        };
        out.write_all(lines.as_bytes())?;
        Ok(())
    }
}

/// The records of a set without a policy; none where there is no such form.
fn lines(set: &JsonSet) -> Option<String> {
    let rtype: RecordType = set.rtype.parse().ok()?;
    if set.set_identifier.is_some() {
        return None;
    }
    let owner = zonefile::owner(&Name::parse(&set.name).ok()?);
    let ttl = set.ttl?;
    let mut lines = String::new();
    for record in set.resource_records.as_ref()? {
        let value = zonefile::value(rtype, &record.value)?;
        lines.push_str(&format!("{owner}\t{ttl}\tIN\t{rtype}\t{value}\n"));
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format, sets: &[&str]) -> (String, u64) {
        let mut out = Vec::new();
        let mut writer: Box<dyn Writer> = match format {
            Format::Bind => Box::new(MasterFile::default()),
            Format::Json => Box::new(Document::default()),
        };
        let zone = json!({ "id": "Z1", "name": "z.", "tags": { "a": "b" } });
        writer.begin(&mut out, &zone).unwrap();
        for set in sets {
            writer
                .set(&mut out, serde_json::from_str(set).unwrap())
                .unwrap();
        }
        let left_out = writer.end(&mut out).unwrap();
        (String::from_utf8(out).unwrap(), left_out)
    }

    const A: &str =
        r#"{"Name":"z.","Type":"A","TTL":60,"ResourceRecords":[{"Value":"192.0.2.1"}]}"#;
    const SOA: &str =
        r#"{"Name":"z.","Type":"SOA","TTL":900,"ResourceRecords":[{"Value":"a. b. 1 2 3 4 5"}]}"#;
    const TXT: &str = r#"{"Name":"\\052.z.","Type":"TXT","TTL":5,"ResourceRecords":[{"Value":"\"a\\\"\\310\" \"b\""}]}"#;
    const ALIAS: &str = r#"{"Name":"b.z.","Type":"A","AliasTarget":{"HostedZoneId":"Z1","DNSName":"z.","EvaluateTargetHealth":false}}"#;

    #[test]
    fn a_master_file_begins_with_its_soa_and_says_what_it_lacks() {
        let (file, left_out) = written(Format::Bind, &[A, SOA, TXT, ALIAS]);
        let expected = format!(
            "; zone z. (Z1) of Meridian\n$ORIGIN z.\n$TTL 300\nz.\t900\tIN\tSOA\ta. b. 1 2 3 4 5\n\
             z.\t60\tIN\tA\t192.0.2.1\n*.z.\t5\tIN\tTXT\t\"a\\\"\\200\" \"b\"\n\
             ; not expressed: {ALIAS}\n"
        );
        assert_eq!((file, left_out), (expected, 1));
    }

    #[test]
    fn a_document_is_json_with_a_set_on_each_line() {
        let (file, left_out) = written(Format::Json, &[A, ALIAS]);
        let read: Value = serde_json::from_str(&file).unwrap();
        assert_eq!(read["ResourceRecordSets"][1]["Name"], "b.z.");
        assert_eq!(read["Tags"][0]["Value"], "b");
        assert_eq!((left_out, file.lines().count()), (0, 9));
        let (empty, _) = written(Format::Json, &[]);
        assert!(serde_json::from_str::<Value>(&empty).is_ok(), "{empty}");
    }
}
