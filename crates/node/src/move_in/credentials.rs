//! The access key for a service elsewhere, found where AWS's tools find it. Only keys as such: what
//! has to be asked of others first (roles, single sign-on, processes) is not followed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

use anyhow::{Context, Result, bail};

/// An access key.
pub(super) struct Key {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
}

/// The key of this profile, or the one that the environment says.
pub(super) fn find(profile: Option<&str>) -> Result<Key> {
    find_in(profile, &|name| env::var(name).ok())
}

fn find_in(profile: Option<&str>, variable: &dyn Fn(&str) -> Option<String>) -> Result<Key> {
    let said = |name: &str| variable(name).filter(|value| !value.is_empty());
    if profile.is_none()
        && let (Some(id), Some(secret)) = (said("AWS_ACCESS_KEY_ID"), said("AWS_SECRET_ACCESS_KEY"))
    {
        let token = said("AWS_SESSION_TOKEN");
        return Ok(Key { id, secret, token });
    }
    let profile = match profile {
        Some(profile) => profile.to_owned(),
        None => said("AWS_PROFILE").unwrap_or_else(|| "default".to_owned()),
    };
    let place = |variable: &str, file: &str| match said(variable) {
        Some(path) => Some(PathBuf::from(path)),
        None => Some(PathBuf::from(said("HOME")?).join(".aws").join(file)),
    };
    let places = [
        (
            place("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            profile.clone(),
        ),
        (
            place("AWS_CONFIG_FILE", "config"),
            format!("profile {profile}"),
        ),
    ];
    let mut seen = None;
    for (path, section) in places {
        let Some(path) = path else { continue };
        if !path.exists() {
            continue;
        }
        let shown = path.display();
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {shown}"))?;
        // In the second file the default has no word in front.
        let found = section_of(&text, &section).or_else(|| section_of(&text, &profile));
        let Some(mut found) = found else { continue };
        let id = found.remove("aws_access_key_id");
        let secret = found.remove("aws_secret_access_key");
        if let (Some(id), Some(secret)) = (id, secret) {
            let token = found.remove("aws_session_token");
            return Ok(Key { id, secret, token });
        }
        seen = Some(path);
    }
    match seen {
        Some(path) => bail!(
            "the profile '{profile}' in {} has no aws_access_key_id and aws_secret_access_key of \
             its own, and roles, single sign-on and processes are not followed here: put a key \
             into the environment, as in `eval \"$(aws configure export-credentials --profile \
             {profile} --format env)\"`",
            path.display()
        ),
        None => bail!(
            "there is no access key: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, nor a \
             profile '{profile}' in the credentials file"
        ),
    }
}

/// What a section says, by lower-case names; none if there is no such section.
fn section_of(text: &str, name: &str) -> Option<BTreeMap<String, String>> {
    let mut found: Option<BTreeMap<String, String>> = None;
    let mut inside = false;
    for line in text.lines() {
        // What is indented belongs to a setting with parts, of which none is of interest.
        if line.starts_with([' ', '\t', '#', ';']) {
            continue;
        }
        let line = line.trim();
        if let Some(title) = line.strip_prefix('[') {
            let title = title.split(']').next().unwrap_or_default().trim();
            inside = title.split_whitespace().eq(name.split_whitespace());
            if inside {
                found.get_or_insert_default();
            }
        } else if inside
            && let (Some(settings), Some((key, value))) = (&mut found, line.split_once('='))
        {
            settings.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(
        profile: Option<&str>,
        variables: &[(&str, &str)],
    ) -> Result<(String, String, Option<String>), String> {
        let variable = |name: &str| {
            let mut variables = variables.iter();
            let (_, value) = variables.find(|(other, _)| *other == name)?;
            Some((*value).to_owned())
        };
        find_in(profile, &variable)
            .map(|key| (key.id, key.secret, key.token))
            .map_err(|error| error.to_string())
    }

    fn key(id: &str, secret: &str, token: Option<&str>) -> (String, String, Option<String>) {
        (id.to_owned(), secret.to_owned(), token.map(str::to_owned))
    }

    #[test]
    fn a_key_is_found_where_aws_tools_find_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let config = folder.path().join("config");
        let text = "# mine\n[default]\naws_access_key_id = A\naws_secret_access_key=S=+/\n\
                    [ two ]\naws_access_key_id=B\naws_secret_access_key=T\naws_session_token=U\n\
                    [role]\nrole_arn = x\n";
        fs::write(&file, text).unwrap();
        let text = "[profile three]\nregion = x\ns3 =\n  aws_access_key_id = no\n\
                    aws_access_key_id = C\naws_secret_access_key = V\n";
        fs::write(&config, text).unwrap();
        let files = [
            ("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap()),
            ("AWS_CONFIG_FILE", config.to_str().unwrap()),
        ];
        assert_eq!(found(None, &files), Ok(key("A", "S=+/", None)));
        assert_eq!(found(Some("two"), &files), Ok(key("B", "T", Some("U"))));
        assert_eq!(found(Some("three"), &files), Ok(key("C", "V", None)));
        assert!(
            found(Some("role"), &files)
                .unwrap_err()
                .contains("export-credentials")
        );
        assert!(found(Some("none"), &files).unwrap_err().contains("'none'"));
        let set = [
            files[0],
            ("AWS_PROFILE", "two"),
            ("AWS_ACCESS_KEY_ID", "E"),
            ("AWS_SECRET_ACCESS_KEY", "F"),
        ];
        assert_eq!(found(None, &set), Ok(key("E", "F", None)));
        assert_eq!(found(None, &set[..2]), Ok(key("B", "T", Some("U"))));
        assert_eq!(found(Some("default"), &set), Ok(key("A", "S=+/", None)));
        assert!(found(None, &[]).is_err());
    }
}
