//! Settings of who is where.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use serde::Deserialize;

/// `[geo]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Geo {
    /// Files in MaxMind's format; of each address the first counts that knows it.
    pub(crate) files: Vec<PathBuf>,
    /// Whether the countries that come with the program are behind them.
    pub(crate) built_in: bool,
}

impl Default for Geo {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            built_in: true,
        }
    }
}

impl Geo {
    /// Whether there can be such files.
    pub(super) fn check(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        for file in &self.files {
            let path = file.display();
            ensure!(
                !file.as_os_str().is_empty(),
                "geo.files names an empty path; name a file, or leave it out"
            );
            ensure!(
                !file.is_dir(),
                "geo.files names {path}, which is a directory; name files in it"
            );
            ensure!(seen.insert(file), "geo.files names {path} twice");
        }
        Ok(())
    }

    /// The server starts without a file, but hardly anybody wants that.
    pub(super) fn warnings(&self) -> Vec<String> {
        let warning = |path: &PathBuf| {
            let error = File::open(path).err()?;
            let path = path.display();
            Some(format!(
                "geo.files: {path} cannot be read, and addresses are looked up without it: {error}"
            ))
        };
        self.files.iter().filter_map(warning).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_cannot_be_are_refused_and_those_that_are_not_there_are_warned_of() {
        let geo = |text: &str| toml::from_str::<Geo>(text).unwrap();
        assert!(geo("").check().is_ok() && geo("").built_in);
        for (text, part) in [
            ("files = ['']", "an empty path"),
            ("files = ['/']", "/, which is a directory"),
            ("files = ['a', 'b', 'a']", "names a twice"),
        ] {
            let error = geo(text).check().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let absent = geo("files = ['/no/such/file']");
        assert!(absent.check().is_ok());
        assert!(absent.warnings()[0].contains("/no/such/file cannot be read"));
    }
}
