//! What is known of checks, on the disk: what a process that starts goes by until its checkers have
//! found something out. What is in the file is `meridian_health`'s; it is replaced as a whole.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::Result;
use meridian_health::{MAX_STATE_BYTES, State};

use crate::whole_file;

/// The file.
pub(super) struct LastFile {
    path: PathBuf,
}

impl LastFile {
    /// That of a data directory.
    pub(super) fn of(data_dir: &Path) -> Self {
        Self {
            path: data_dir.join("health-state"),
        }
    }

    /// What was kept, if anything was. A file that cannot be read is set aside, and says so:
    /// nothing is known then, which counts as healthy.
    pub(super) fn read(&self) -> Option<State> {
        self.read_whole().unwrap_or_else(|error| {
            let aside = self.path.with_extension("damaged");
            let shown = self.path.display();
            tracing::error!(
                %error,
                "{shown} cannot be read, checks are healthy until they are probed: {error:#}"
            );
            if let Err(error) = fs::rename(&self.path, &aside) {
                tracing::error!(%error, "{shown} cannot be set aside: {error}");
            }
            None
        })
    }

    fn read_whole(&self) -> Result<Option<State>> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut bytes = Vec::new();
        let most = u64::try_from(MAX_STATE_BYTES).unwrap_or(u64::MAX);
        file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(Some(State::from_bytes(&bytes)?))
    }

    /// Keeps this. The file is there whole, and on the disk, or as it was.
    pub(super) fn write(&self, state: &State) -> Result<()> {
        whole_file::replace(&self.path, &state.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use meridian_health::{Damping, Register, Rules, Votes};
    use meridian_model::Timestamp;

    use super::*;

    #[test]
    fn what_was_written_is_read_and_what_is_damaged_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let file = LastFile::of(folder.path());
        assert_eq!(file.read(), None);
        let votes = Votes::new(Rules::ROUTE_53, Register::default());
        let state = State::of(&votes, &Damping::default(), Timestamp(7));
        file.write(&state).unwrap();
        assert_eq!(file.read(), Some(state));
        fs::write(&file.path, "MHST").unwrap();
        assert_eq!(file.read(), None);
        assert!(!file.path.exists());
        assert_eq!(
            fs::read_to_string(file.path.with_extension("damaged")).unwrap(),
            "MHST"
        );
    }
}
