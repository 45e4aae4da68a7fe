//! The vault on a real directory: what is found in its files, and who is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use meridian_log::{ReaderClass, Vault, VaultError};
use redb::ReadableTable;

const PLANTED: &[u8] = b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|part| part == needle)
}

#[test]
fn a_secret_comes_back_to_its_reader_and_to_nobody_else() {
    let directory = tempfile::tempdir().unwrap();
    let vault = Vault::open(directory.path()).unwrap();
    let node = ReaderClass::Node("ns1".into());
    vault.put("a", &ReaderClass::Control, PLANTED).unwrap();
    vault.put("b", &node, b"").unwrap();
    let secret = vault.get("a", &ReaderClass::Control).unwrap().unwrap();
    assert_eq!(secret.expose(), PLANTED);
    assert_eq!(format!("{secret:?}"), "Secret(…)");
    assert_eq!(vault.get("b", &node).unwrap().unwrap().expose(), b"");
    for (id, reader) in [
        ("a", node.clone()),
        ("b", ReaderClass::Control),
        ("b", ReaderClass::Node("ns2".into())),
    ] {
        let refused = vault.get(id, &reader);
        assert!(matches!(refused, Err(VaultError::OtherReader(_))), "{id}");
    }
    assert!(vault.get("c", &node).unwrap().is_none());
    assert_eq!(vault.ids().unwrap(), ["a", "b"]);
    assert!(vault.delete("b").unwrap());
    assert!(!vault.delete("b").unwrap());
    assert_eq!(vault.ids().unwrap(), ["a"]);
}

#[test]
fn no_file_holds_the_plaintext_and_the_key_file_is_private() {
    let directory = tempfile::tempdir().unwrap();
    let vault = Vault::open(directory.path()).unwrap();
    for number in 0..50 {
        let id = format!("row-{number}");
        vault.put(&id, &ReaderClass::Control, PLANTED).unwrap();
    }
    drop(vault);
    let mut files = 0;
    for file in fs::read_dir(directory.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        assert!(!contains(&bytes, PLANTED), "{path:?}");
        // No part of it either: a cipher that leaves a prefix is none.
        assert!(!contains(&bytes, &PLANTED[..8]), "{path:?}");
        files += 1;
    }
    assert_eq!(files, 2);
    let key = fs::metadata(directory.path().join("vault.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o7777, 0o600);
    assert_eq!(key.len(), 32);

    let vault = Vault::open(directory.path()).unwrap();
    let secret = vault.get("row-49", &ReaderClass::Control).unwrap();
    assert_eq!(secret.unwrap().expose(), PLANTED);
}

#[test]
fn key_files_that_are_wrong_missing_exposed_or_cut_off_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("vault.key");
    drop(Vault::open(directory.path()).unwrap());
    let right = fs::read(&key).unwrap();
    let open = || Vault::open(directory.path()).unwrap_err();

    fs::write(&key, [7; 32]).unwrap();
    assert!(matches!(open(), VaultError::WrongKey));
    fs::write(&key, [7; 31]).unwrap();
    assert!(matches!(
        open(),
        VaultError::KeyFileLength { length: 31, .. }
    ));
    fs::remove_file(&key).unwrap();
    assert!(matches!(open(), VaultError::KeyFileMissing(_)));
    assert!(!key.exists(), "a vault without its key gets no new one");

    fs::write(&key, right).unwrap();
    for mode in [0o640, 0o604, 0o644] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let refused = open();
        assert!(matches!(refused, VaultError::KeyFileExposed { mode: found, .. } if found == mode));
        assert!(refused.to_string().contains("chmod 600"));
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    drop(Vault::open(directory.path()).unwrap());
}

#[test]
fn a_row_cannot_be_moved_changed_or_given_to_another_reader() {
    const ROWS: redb::TableDefinition<'static, &str, &[u8]> = redb::TableDefinition::new("rows");
    let directory = tempfile::tempdir().unwrap();
    let vault = Vault::open(directory.path()).unwrap();
    let node = ReaderClass::Node("ns1".into());
    vault.put("a", &node, PLANTED).unwrap();
    drop(vault);
    {
        let database = redb::Database::open(directory.path().join("vault.redb")).unwrap();
        let transaction = database.begin_write().unwrap();
        let mut rows = transaction.open_table(ROWS).unwrap();
        let row = rows.get("a").unwrap().unwrap().value().to_vec();
        rows.insert("moved", row.as_slice()).unwrap();
        let mut changed = row.clone();
        *changed.last_mut().unwrap() ^= 1;
        rows.insert("changed", changed.as_slice()).unwrap();
        // The node's name stands in the clear in front of the sealed bytes.
        let at = row.windows(3).position(|part| part == b"ns1").unwrap();
        let mut given = row;
        given[at + 2] = b'2';
        rows.insert("a", given.as_slice()).unwrap();
        drop(rows);
        transaction.commit().unwrap();
    }
    let vault = Vault::open(directory.path()).unwrap();
    for (id, reader) in [
        ("moved", &node),
        ("changed", &node),
        ("a", &ReaderClass::Node("ns2".into())),
    ] {
        let refused = vault.get(id, reader);
        assert!(matches!(refused, Err(VaultError::Unsealable(_))), "{id}");
    }
}
