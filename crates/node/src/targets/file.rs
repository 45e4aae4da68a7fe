//! What is known of targets, on the disk: what a process that starts answers by before it has asked
//! anybody. JSON, so that people can read it; replaced as a whole.
//!
//! Data of records are the text that people write, or where that would not be read as the same data,
//! as with long opaque parameters, RFC 3597's `\# 2 01ff`.

use std::fs::{self, File};
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use meridian_dns::{Name, RecordType, rdata};
use meridian_model::{Network, Timestamp};
use serde::{Deserialize, Serialize};

use super::book::{Entry, Key};
use super::judge::{Absence, ForNetwork, Gone, Good, Standing};
use super::reply::MAX_RECORDS;
use crate::whole_file;

/// What the file's form is called now.
const VERSION: u32 = 1;
/// The longest file that is read.
const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// How data begin that are not kept as text; no text of records does.
const GENERIC: &str = "\\# ";

/// The file.
#[derive(Debug, Clone)]
pub(crate) struct TargetsFile {
    path: PathBuf,
}

/// All that is in it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    targets: Vec<KeptTarget>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptTarget {
    name: String,
    #[serde(rename = "type")]
    rtype: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    good: Option<KeptGood>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gone: Option<KeptGone>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptGood {
    data: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    networks: Vec<KeptNetwork>,
    ttl_s: u32,
    /// Milliseconds since 1970.
    heard_at: i64,
    source: SocketAddr,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptNetwork {
    network: String,
    heard_at: i64,
    data: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptGone {
    how: KeptAbsence,
    since: i64,
    heard_at: i64,
    source: SocketAddr,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum KeptAbsence {
    NoData,
    NoSuchName,
}

/// Only the version, of any form.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl TargetsFile {
    /// That of a data directory.
    pub(crate) fn of(data_dir: &Path) -> Self {
        Self {
            path: data_dir.join("targets.json"),
        }
    }

    /// What was kept, if anything was. A file that cannot be read is set aside, and says so:
    /// nothing is known then until resolvers are asked. In one that can, a target that makes no
    /// sense is passed over.
    pub(crate) fn read(&self) -> Vec<(Key, Standing)> {
        self.read_whole().unwrap_or_else(|error| {
            let aside = self.path.with_extension("damaged");
            let shown = self.path.display();
            tracing::error!(
                %error,
                "{shown} cannot be read, targets are unknown until resolvers say what they are: \
                 {error:#}"
            );
            if let Err(error) = fs::rename(&self.path, &aside) {
                tracing::error!(%error, "{shown} cannot be set aside: {error}");
            }
            Vec::new()
        })
    }

    fn read_whole(&self) -> Result<Vec<(Key, Standing)>> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened?,
        };
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        ensure!(
            u64::try_from(bytes.len())? <= MAX_BYTES,
            "it has more than {MAX_BYTES} bytes"
        );
        let Versioned { version } = serde_json::from_slice(&bytes)?;
        ensure!(
            version == VERSION,
            "it is in version {version}, and this program knows version {VERSION}"
        );
        let kept: Kept = serde_json::from_slice(&bytes)?;
        let (mut known, mut bad, mut first) = (Vec::new(), 0_usize, None);
        for target in kept.targets {
            match target.read() {
                Ok(target) => known.push(target),
                Err(error) => {
                    bad += 1;
                    first.get_or_insert(error);
                }
            }
        }
        if let Some(error) = first {
            let shown = self.path.display();
            tracing::error!(
                "{shown} says what makes no sense of {bad} targets, which are unknown until \
                 resolvers say what they are; the first: {error:#}"
            );
        }
        Ok(known)
    }

    /// Keeps what is known of these. The file is there whole, and on the disk, or as it was: one
    /// that would not be read back is not written.
    pub(crate) fn write(&self, entries: &[Entry]) -> Result<()> {
        self.write_within(entries, MAX_BYTES)
    }

    fn write_within(&self, entries: &[Entry], most: u64) -> Result<()> {
        let known = entries.iter().filter_map(KeptTarget::of);
        let kept = Kept {
            version: VERSION,
            targets: known.collect(),
        };
        let bytes = serde_json::to_vec(&kept)?;
        ensure!(
            u64::try_from(bytes.len())? <= most,
            "{} would have {} bytes, and {most} are read",
            self.path.display(),
            bytes.len()
        );
        whole_file::replace(&self.path, &bytes)
    }
}

impl KeptTarget {
    /// One of which anything is known.
    fn of(entry: &Entry) -> Option<Self> {
        let (name, rtype) = &entry.key;
        let Standing { good, gone, .. } = &entry.standing;
        let target = Self {
            name: name.to_string(),
            rtype: rtype.to_string(),
            good: good.as_ref().map(|good| KeptGood {
                data: kept(*rtype, &good.data),
                networks: good
                    .for_networks
                    .iter()
                    .map(|own| KeptNetwork {
                        network: own.network.to_string(),
                        heard_at: own.heard_at.0,
                        data: kept(*rtype, &own.data),
                    })
                    .collect(),
                ttl_s: good.ttl_s,
                heard_at: good.heard_at.0,
                source: good.source,
            }),
            gone: gone.map(|gone| KeptGone {
                how: match gone.how {
                    Absence::Data => KeptAbsence::NoData,
                    Absence::Name => KeptAbsence::NoSuchName,
                },
                since: gone.since.0,
                heard_at: gone.heard_at.0,
                source: gone.source,
            }),
        };
        (target.good.is_some() || target.gone.is_some()).then_some(target)
    }

    fn read(self) -> Result<(Key, Standing)> {
        let name =
            Name::parse(&self.name).with_context(|| format!("'{}' is no name", self.name))?;
        let rtype = RecordType::from_str(&self.rtype);
        let rtype = rtype.with_context(|| format!("'{}' is no type of records", self.rtype))?;
        let good = |kept: KeptGood| -> Result<Good> {
            let own = |own: KeptNetwork| -> Result<ForNetwork> {
                Ok(ForNetwork {
                    network: own.network.parse::<Network>()?,
                    heard_at: Timestamp(own.heard_at),
                    data: data(rtype, &own.data)?,
                })
            };
            let own: Result<Vec<ForNetwork>> = kept.networks.into_iter().map(own).collect();
            Ok(Good {
                data: data(rtype, &kept.data)?,
                for_networks: own?,
                ttl_s: kept.ttl_s,
                heard_at: Timestamp(kept.heard_at),
                source: kept.source,
            })
        };
        let gone = |kept: KeptGone| Gone {
            how: match kept.how {
                KeptAbsence::NoData => Absence::Data,
                KeptAbsence::NoSuchName => Absence::Name,
            },
            since: Timestamp(kept.since),
            heard_at: Timestamp(kept.heard_at),
            source: kept.source,
        };
        let standing = Standing {
            good: self.good.map(good).transpose()?,
            gone: self.gone.map(gone),
            ..Standing::default()
        };
        Ok(((name.to_lowercase(), rtype), standing))
    }
}

/// Data of records for people; what was taken in can be written.
pub(crate) fn texts(rtype: RecordType, data: &[Vec<u8>]) -> Vec<String> {
    let text = |data: &Vec<u8>| rdata::text(rtype, data).ok();
    data.iter().filter_map(text).collect()
}

/// Data of records for the file.
fn kept(rtype: RecordType, data: &[Vec<u8>]) -> Vec<String> {
    let kept = |data: &Vec<u8>| match rdata::text(rtype, data) {
        Ok(text) if rdata::parse(rtype, &text).as_ref() == Ok(data) => text,
        _ => generic(data),
    };
    data.iter().map(kept).collect()
}

/// Any data, as RFC 3597 writes them.
fn generic(data: &[u8]) -> String {
    let mut text = format!("{GENERIC}{} ", data.len());
    for byte in data {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(digit.into(), 16));
        }
    }
    text
}

fn read_generic(text: &str) -> Option<Vec<u8>> {
    let (len, digits) = text.strip_prefix(GENERIC)?.split_once(' ')?;
    let digits = digits.chars().map(|digit| digit.to_digit(16));
    let digits: Option<Vec<u32>> = digits.collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let byte = |pair: &[u32]| u8::try_from(pair.iter().fold(0, |sum, digit| sum * 16 + digit));
    let data: Result<Vec<u8>, _> = digits.chunks(2).map(byte).collect();
    let len = len.parse::<usize>().ok()?;
    data.ok().filter(|data| data.len() == len)
}

fn data(rtype: RecordType, texts: &[String]) -> Result<Vec<Vec<u8>>> {
    ensure!(
        (1..=MAX_RECORDS).contains(&texts.len()),
        "a target has {} records",
        texts.len()
    );
    let read = |text: &String| {
        if !text.starts_with(GENERIC) {
            return Ok(rdata::parse(rtype, text)?);
        }
        match read_generic(text).filter(|data| rdata::is_valid(rtype, data)) {
            Some(data) => Ok(data),
            None => bail!("'{text}' is no data of a record"),
        }
    };
    texts.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::book::Book;
    use super::super::judge::Rules;
    use super::*;

    const RULES: Rules = Rules {
        min_ttl_s: 5,
        max_ttl_s: 3600,
        gone_after: Duration::from_secs(600),
        keep: Duration::from_secs(86_400),
    };

    const NOW: Timestamp = Timestamp(1_700_000_001_000);

    fn known() -> Vec<(Key, Standing)> {
        let source = "[::1]:53".parse().unwrap();
        let good = |data: Vec<Vec<u8>>| Good {
            data,
            for_networks: Vec::new(),
            ttl_s: 60,
            heard_at: Timestamp(1_700_000_000_123),
            source,
        };
        let gone = |how| Gone {
            how,
            since: Timestamp(5),
            heard_at: Timestamp(6),
            source,
        };
        let key = |name: &str, rtype| (Name::parse(name).unwrap(), rtype);
        let https = rdata::parse(RecordType::Https, "1 . alpn=\"h2,h3\"").unwrap();
        let own = ForNetwork {
            network: "198.51.100.0/24".parse().unwrap(),
            heard_at: Timestamp(1_699_999_999_000),
            data: vec![vec![192, 0, 2, 2], vec![192, 0, 2, 3]],
        };
        let mut by_network = good(vec![vec![192, 0, 2, 1]]);
        by_network.for_networks = vec![own];
        vec![
            (
                key("a.test", RecordType::A),
                Standing {
                    good: Some(by_network),
                    ..Standing::default()
                },
            ),
            (
                key("a.test", RecordType::Https),
                Standing {
                    good: Some(good(vec![https])),
                    gone: Some(gone(Absence::Data)),
                    ..Standing::default()
                },
            ),
            (
                key("odd\\001\\056name.test", RecordType::Aaaa),
                Standing {
                    gone: Some(gone(Absence::Name)),
                    ..Standing::default()
                },
            ),
        ]
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = TargetsFile::of(folder.path());
        assert_eq!(file.read(), []);
        let mut all = known();
        all.push((
            (Name::parse("new.test").unwrap(), RecordType::A),
            Standing::default(),
        ));
        let book = Book::restored(all, NOW, RULES);
        let entries: Vec<Entry> = book.entries().cloned().collect();
        file.write(&entries).unwrap();
        assert_eq!(file.read(), known());
    }

    #[test]
    fn a_file_too_long_to_be_read_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = TargetsFile::of(folder.path());
        let book = Book::restored(known(), NOW, RULES);
        let mut entries: Vec<Entry> = book.entries().cloned().collect();
        file.write(&entries[..1]).unwrap();
        let old = fs::read(&file.path).unwrap();
        let most = u64::try_from(old.len()).unwrap();
        assert!(file.write_within(&entries, most).is_err());
        assert_eq!(fs::read(&file.path).unwrap(), old);
        entries.truncate(1);
        file.write_within(&entries, most).unwrap();
    }

    #[test]
    fn what_cannot_be_read_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let file = TargetsFile::of(folder.path());
        let target = |rest: &str| {
            format!(
                "{{\"version\":1,\"targets\":[{{\"name\":\"a.test.\",\"type\":\"A\",{rest}}}]}}"
            )
        };
        for text in [
            String::new(),
            "{\"version\":2,\"targets\":[]}".to_owned(),
            "{\"version\":1,\"targets\":[],\"more\":1}".to_owned(),
            target("\"good\":null,\"worse\":1"),
        ] {
            fs::write(&file.path, &text).unwrap();
            assert_eq!(file.read(), [], "{text}");
            assert!(!file.path.exists());
            assert_eq!(
                fs::read_to_string(file.path.with_extension("damaged")).unwrap(),
                text
            );
        }
    }

    #[test]
    fn a_target_that_makes_no_sense_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = TargetsFile::of(folder.path());
        let target = |data: &str| {
            format!(
                "{{\"name\":\"a.test.\",\"type\":\"A\",\"good\":{{\"data\":[{data}],\"ttl_s\":1,\
                 \"heard_at\":1,\"source\":\"[::1]:53\"}}}}"
            )
        };
        for (data, is_good) in [
            ("\"192.0.2.1\"", true),
            ("\"\\\\# 4 c0000201\"", true),
            ("", false),
            ("\"192.0.2.256\"", false),
            ("\"\\\\# 4 c00002\"", false),
            ("\"\\\\# 3 c0000201\"", false),
            ("\"\\\\# 3 c00002\"", false),
            ("\"\\\\# 4 c0000201f\"", false),
            ("\"\\\\# 4 c00002é1\"", false),
            ("\"\\\\# \"", false),
        ] {
            let other = "{\"name\":\"b.test.\",\"type\":\"A\"}";
            let text = format!("{{\"version\":1,\"targets\":[{},{other}]}}", target(data));
            fs::write(&file.path, text).unwrap();
            assert_eq!(file.read().len(), 1 + usize::from(is_good), "{data}");
            assert!(file.path.exists());
        }
    }

    #[test]
    fn data_that_have_no_text_of_their_own_are_read_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let file = TargetsFile::of(folder.path());
        // Priority 1, target ".", and key 65000 with 1200 bytes that take four characters each.
        let mut long = vec![0, 1, 0, 0xfd, 0xe8, 0x04, 0xb0];
        long.extend([0xff; 1200]);
        assert!(rdata::is_valid(RecordType::Https, &long));
        let mut all = known();
        if let Some(good) = &mut all[1].1.good {
            good.data.push(long);
        }
        let book = Book::restored(all.clone(), NOW, RULES);
        let entries: Vec<Entry> = book.entries().cloned().collect();
        file.write(&entries).unwrap();
        assert_eq!(file.read(), all);
    }
}
