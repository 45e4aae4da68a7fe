//! What alarms said last, on the disk, in `alarm-states.json`: what a process that starts goes by
//! until it has asked for values. The file is replaced as a whole.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, ensure};
use meridian_health::AlarmState;
use meridian_model::Health;
use serde::{Deserialize, Serialize};

use crate::whole_file;

/// The longest file that is read: more than as many alarms as there may be.
const MAX_LEN: u64 = 4 * 1024 * 1024;
const FORMAT: u32 = 1;

/// By region and name.
pub(super) type States = HashMap<(String, String), AlarmState>;

/// The file.
pub(super) struct KeptFile {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    alarms: Vec<StoredAlarm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredAlarm {
    region: String,
    name: String,
    /// Absent when there was not enough data.
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<String>,
    /// What it said when there was enough last.
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<String>,
}

impl KeptFile {
    /// That of a data directory.
    pub(super) fn of(data_dir: &Path) -> Self {
        Self {
            path: data_dir.join("alarm-states.json"),
        }
    }

    /// What was kept, if anything was. A file that cannot be read is set aside, and says so.
    pub(super) fn read(&self) -> States {
        self.read_whole().unwrap_or_else(|error| {
            let shown = self.path.display();
            tracing::error!(%error, "{shown} cannot be read, nothing is known of alarms: {error:#}");
            if let Err(error) = fs::rename(&self.path, self.path.with_extension("damaged")) {
                tracing::error!(%error, "{shown} cannot be set aside: {error}");
            }
            States::default()
        })
    }

    fn read_whole(&self) -> Result<States> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(States::default()),
            opened => opened?,
        };
        let mut text = String::new();
        file.take(MAX_LEN).read_to_string(&mut text)?;
        let stored: Stored = serde_json::from_str(&text)?;
        ensure!(stored.format == FORMAT, "it is of format {}", stored.format);
        let alarms = stored.alarms.into_iter().map(|alarm| {
            let state = AlarmState::known(health(alarm.says)?, health(alarm.said)?);
            Ok(((alarm.region, alarm.name), state))
        });
        alarms.collect()
    }

    /// Keeps this. The file is there whole, and on the disk, or as it was.
    pub(super) fn write(&self, states: &States) -> Result<()> {
        let word = |health: Option<Health>| health.map(|health| health.as_str().to_owned());
        let alarms = states.iter().map(|((region, name), state)| StoredAlarm {
            region: region.clone(),
            name: name.clone(),
            says: word(state.says()),
            said: word(state.said()),
        });
        let stored = Stored {
            format: FORMAT,
            alarms: alarms.collect(),
        };
        whole_file::replace(&self.path, &serde_json::to_vec(&stored)?)
    }
}

fn health(word: Option<String>) -> Result<Option<Health>> {
    let read = word.map(|word| {
        Health::parse(&word).ok_or_else(|| anyhow!("'{word}' is no state of a health check"))
    });
    read.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_what_is_damaged_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeptFile::of(folder.path());
        assert_eq!(file.read(), States::default());
        let key = |name: &str| ("eu-west-1".to_owned(), name.to_owned());
        let (up, down) = (Some(Health::Healthy), Some(Health::Unhealthy));
        let states = States::from([
            (key("new"), AlarmState::default()),
            (key("without data"), AlarmState::known(None, down)),
            (key("told"), AlarmState::known(up, up)),
        ]);
        file.write(&states).unwrap();
        assert_eq!(file.read(), states);
        for damaged in ["", "{\"format\":2,\"alarms\":[]}"] {
            fs::write(&file.path, damaged).unwrap();
            assert_eq!(file.read(), States::default());
            assert!(!file.path.exists());
        }
    }
}
