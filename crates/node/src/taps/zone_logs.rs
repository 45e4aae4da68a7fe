//! The query logs of single zones, which their owners ask for through the API: a file for each,
//! `DIRECTORY/ACCOUNT/LOG-GROUP/ZONEID.log`. Nothing that an owner says leads out of the directory.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use meridian_answer::ZoneLog;
use meridian_model::{Generation, QueryLoggingConfig, ZoneId};
use meridian_server::Record;

use super::line::Line;
use super::line_file::LineFile;
use super::{PAUSE_MAX, Sink};
use crate::condition::{Condition, ZoneLogOf};
use crate::config::ZoneQueryLogs;

/// Files that are open at the same time. Those beyond are opened for each batch of their lines.
const OPEN_MAX: usize = 128;
/// Zones whose files are remembered. When there are more, all are looked up again.
const KNOWN_MAX: usize = 4096;
/// How long its thread sleeps while no zone is logged.
const IDLE: Duration = Duration::from_millis(500);
/// The longest name of a directory made of a log group's: what file systems take, and some room.
const GROUP_MAX: usize = 200;

/// Lines for all of them.
pub(super) struct ZoneLogs {
    location: String,
    files: Files,
}

/// The files of zones.
struct Files {
    directory: PathBuf,
    max_file_bytes: u64,
    condition: Arc<Condition>,
    /// Which zones are logged, by the condition's count of changes.
    asked_at: u64,
    /// By generation; none for zones that are not logged any more.
    known: HashMap<Generation, Option<ZoneFile>>,
}

struct ZoneFile {
    zone: ZoneId,
    file: LineFile,
}

impl ZoneLogs {
    pub(super) fn new(
        settings: &ZoneQueryLogs,
        directory: PathBuf,
        location: &str,
        condition: Arc<Condition>,
    ) -> Self {
        Self {
            location: location.to_owned(),
            files: Files {
                directory,
                max_file_bytes: settings.max_file_bytes,
                asked_at: condition.zone_logs().0,
                condition,
                known: HashMap::new(),
            },
        }
    }
}

impl Files {
    /// The zone's file; none if it is not logged any more.
    fn of(&mut self, generation: Generation) -> io::Result<Option<&mut ZoneFile>> {
        let (changes, _) = self.condition.zone_logs();
        if self.asked_at != changes {
            self.asked_at = changes;
            self.forget()?;
        }
        if !self.known.contains_key(&generation) {
            let file = self.look_up(generation)?;
            if self.known.len() >= KNOWN_MAX {
                self.forget()?;
            }
            self.known.insert(generation, file);
        }
        Ok(self.known.get_mut(&generation).and_then(Option::as_mut))
    }

    fn look_up(&self, generation: Generation) -> io::Result<Option<ZoneFile>> {
        match self.condition.zone_log_of(generation) {
            ZoneLogOf::Config(config) => {
                let path = path_of(&self.directory, &config);
                Ok(Some(ZoneFile {
                    zone: config.zone,
                    file: LineFile::new(path, self.max_file_bytes),
                }))
            }
            ZoneLogOf::None => Ok(None),
            ZoneLogOf::Unknown => Err(io::Error::other(
                "the tables, which say where zones are logged, cannot be read",
            )),
        }
    }

    /// Closes all files, which are looked up anew when there is something for them.
    fn forget(&mut self) -> io::Result<()> {
        let flushed = self.flush();
        self.known.clear();
        flushed
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut open = self.all().filter(|file| file.is_open()).count();
        if open >= OPEN_MAX {
            // The batch's own files come first.
            for file in self.all().filter(|file| !file.has_lines()) {
                open -= usize::from(file.is_open());
                file.close();
            }
        }
        let mut outcome = Ok(());
        for file in self.all().filter(|file| file.has_lines()) {
            let was_open = file.is_open();
            let written = write_out(file);
            outcome = outcome.and(written);
            if file.is_open() && !was_open {
                if open < OPEN_MAX {
                    open += 1;
                } else {
                    file.close();
                }
            }
        }
        outcome
    }

    fn all(&mut self) -> impl Iterator<Item = &mut LineFile> {
        self.known.values_mut().flatten().map(|zone| &mut zone.file)
    }
}

impl Sink for ZoneLogs {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        let Some(answered) = record.answered.filter(|a| a.log == ZoneLog::On) else {
            return Ok(());
        };
        let Some(generation) = answered.zone else {
            return Ok(());
        };
        if let Some(ZoneFile { zone, file }) = self.files.of(generation)? {
            file.add(Line {
                record,
                zone: Some(zone),
                rcode: answered.rcode,
                location: &self.location,
            });
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.files.flush()
    }

    fn reopen(&mut self) -> io::Result<()> {
        // Each is opened by its next line.
        self.files.all().for_each(LineFile::begin_anew);
        Ok(())
    }

    fn finish(&mut self) {
        // It fails as it did before, which has been said.
        let _ = self.files.flush();
    }

    fn longest_pause(&self) -> Duration {
        match self.files.condition.zone_logs() {
            (_, 0) => IDLE,
            _ => PAUSE_MAX,
        }
    }
}

/// Writes a file's lines, wherever the file is by now. Without it they are lost.
fn write_out(file: &mut LineFile) -> io::Result<()> {
    if !file.is_open() {
        let opened = file.make_directory().and_then(|()| file.open());
        if opened.is_err() {
            file.forget_lines();
            return opened;
        }
    }
    file.flush()
}

/// Where a zone's lines go.
fn path_of(directory: &Path, config: &QueryLoggingConfig) -> PathBuf {
    let group = directory
        .join(config.account.as_str())
        .join(plain(config.log_group.name()));
    group.join(format!("{}.log", config.zone))
}

/// A log group's name as that of one directory. Two groups may come to share one: files are named
/// after zones, which have one group each.
fn plain(group: &str) -> String {
    let group = group.trim_start_matches('/');
    let safe = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => c,
        _ => '_',
    };
    let name: String = group.chars().take(GROUP_MAX).map(safe).collect();
    match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if name.is_empty() => "_".to_owned(),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Component;

    use meridian_model::{AccountId, LogGroupArn, QueryLoggingConfigId};

    use super::*;

    fn path(group: &str) -> PathBuf {
        let config = QueryLoggingConfig {
            id: QueryLoggingConfigId::new("1").unwrap(),
            account: AccountId::new("123456789012").unwrap(),
            zone: ZoneId::new("Z1").unwrap(),
            log_group: LogGroupArn::stored(format!("arn:aws:logs:r:123456789012:g:{group}")),
        };
        path_of(Path::new("logs"), &config)
    }

    #[test]
    fn log_groups_are_directories() {
        for (group, directory) in [
            ("/aws/route53/example.com", "aws_route53_example.com"),
            ("plain-Group_1", "plain-Group_1"),
            ("..", "_."),
            ("../../etc", "_._.._etc"),
            ("/", "_"),
            ("", "_"),
            ("a#b c", "a_b_c"),
        ] {
            let expected = Path::new("logs/123456789012")
                .join(directory)
                .join("Z1.log");
            assert_eq!(path(group), expected, "{group}");
        }
        assert!(path(&"x".repeat(512)).to_str().unwrap().len() < 255);
    }

    #[test]
    fn no_name_leads_out_of_the_directory() {
        let letters = ["", ".", "/", "\\", "\0", " ", "a", "\u{e9}", ":"];
        for [a, b, c, d] in letters
            .iter()
            .flat_map(|a| letters.map(|b| [*a, b]))
            .flat_map(|[a, b]| letters.map(|c| [a, b, c]))
            .flat_map(|[a, b, c]| letters.map(|d| [a, b, c, d]))
        {
            let group = [a, b, c, d].concat();
            let path = path(&group);
            let parts: Vec<Component<'_>> = path.components().collect();
            assert_eq!(parts.len(), 4, "{group:?}");
            let is_plain = |part: &Component<'_>| matches!(part, Component::Normal(_));
            assert!(parts.iter().all(is_plain), "{group:?}");
        }
    }
}
