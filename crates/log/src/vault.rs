//! Secrets: what a name server must not see and what must be erasable. Sealed rows in a file of
//! their own, never in the journal, whose entries name them by id.
//!
//! A deleted row is gone for readers; its sealed bytes stay in the file until redb uses the page
//! again, and are of use only to somebody who also has the key file.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use prost::Message;
use redb::{Database, ReadTransaction, TableDefinition, WriteTransaction};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::storage::{
    OpenError, StorageError, begin_durable, create_whole, storage_errors_from_redb, write_format,
};
use crate::store::Store;

const FORMAT: u32 = 1;
const ROW_FORMAT: u32 = 1;
const KEY_LEN: usize = 32;
const CACHE_BYTES: usize = 1024 * 1024;
const ROWS: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("rows");
/// Holds one row whose only use is to tell whether the key is the right one.
const CHECK: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("check");
const CHECK_ID: &str = "key";

/// Who may read a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReaderClass {
    /// Control nodes.
    Control,
    /// Exactly the node of this name.
    Node(String),
}

/// A secret in the clear. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes a secret.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The secret itself.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The vault cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The storage fails.
    #[error("the vault's storage failed: {0}")]
    Storage(StorageError),
    /// The vault's file cannot be opened.
    #[error("the vault cannot be opened: {0}")]
    Open(#[from] OpenError),
    /// The key file cannot be read or made.
    #[error("the vault's key file {path} cannot be used: {cause}")]
    KeyFile {
        /// Which one.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The key file is open to others.
    #[error("the vault's key file {path} has mode {mode:04o}: others can read it; chmod 600 it")]
    KeyFileExposed {
        /// Which one.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The key file does not hold a key.
    #[error("the vault's key file {path} has {length} bytes, a key has 32")]
    KeyFileLength {
        /// Which one.
        path: PathBuf,
        /// How long it is.
        length: u64,
    },
    /// There is a vault but no key to it.
    #[error("the vault's key file {0} is missing: put back the one this vault was made with")]
    KeyFileMissing(PathBuf),
    /// The key is not the one the vault was made with.
    #[error("the key file is not the one this vault was made with")]
    WrongKey,
    /// A row is damaged, or was moved from another id or class.
    #[error("the vault row '{0}' cannot be unsealed")]
    Unsealable(String),
    /// The row is sealed to other readers.
    #[error("the vault row '{0}' is not for this reader")]
    OtherReader(String),
    /// The system gives no random numbers.
    #[error("the system's random source failed")]
    Random,
}

storage_errors_from_redb!(VaultError);

/// What tells one vault key from others, and says nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 8]);

impl KeyId {
    /// The id of a key.
    pub fn of(key: &Secret) -> Self {
        let label: &[u8] = b"meridian vault key id\0";
        let hash = crate::format::Hash::of(&[label, key.expose()].concat());
        Self(std::array::from_fn(|place| hash.0[place]))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::format::hex(&self.0, f)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::format::hex(&self.0, f)
    }
}

/// The rows of a vault as of one moment, sealed.
pub struct VaultCopy {
    transaction: ReadTransaction,
    key_id: KeyId,
}

impl VaultCopy {
    /// The key they are sealed under.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The row by which the key is known to be the right one.
    pub(crate) fn check(&self) -> Result<Vec<u8>, VaultError> {
        let table = self.transaction.open_table(CHECK)?;
        let row = table.get(CHECK_ID)?.ok_or(VaultError::WrongKey)?;
        Ok(row.value().to_vec())
    }

    /// Calls for each row, in the order of their ids.
    pub(crate) fn each_row<E: From<VaultError>>(
        &self,
        mut take: impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let rows = self
            .transaction
            .open_table(ROWS)
            .map_err(VaultError::from)?;
        for row in rows.range::<&str>(..).map_err(VaultError::from)? {
            let (id, sealed) = row.map_err(VaultError::from)?;
            take(id.value(), sealed.value())?;
        }
        Ok(())
    }
}

impl fmt::Debug for VaultCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultCopy")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// A new vault that gets the rows of another one, sealed as they are.
pub(crate) struct VaultRestore(Database);

impl VaultRestore {
    /// An empty vault in a new file, whose key is known by the row `check`.
    pub(crate) fn begin(path: &Path, check: &[u8]) -> Result<Self, OpenError> {
        let database = Database::create(path)?;
        create(&database, check)?;
        Ok(Self(database))
    }

    pub(crate) fn put<'a>(
        &self,
        rows: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<(), VaultError> {
        let transaction = begin_durable(&self.0)?;
        let mut table = transaction.open_table(ROWS)?;
        for (id, sealed) in rows {
            table.insert(id, sealed)?;
        }
        drop(table);
        transaction.commit()?;
        Ok(())
    }
}

/// Sealed rows and the key to them.
pub struct Vault {
    store: Store,
    sealer: Sealer,
    key_path: PathBuf,
    key_id: KeyId,
}

#[derive(Clone, PartialEq, Message)]
struct RowMessage {
    #[prost(uint32, tag = "1")]
    format: u32,
    /// The node's name; none for control nodes.
    #[prost(string, optional, tag = "2")]
    node: Option<String>,
    #[prost(bytes = "vec", tag = "3")]
    nonce: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    sealed: Vec<u8>,
}

impl Vault {
    /// Opens `vault.redb` and `vault.key` in the directory, or makes both.
    ///
    /// # Errors
    /// [`VaultError`] when the key file is missing, exposed or not the right one, and when files
    /// fail.
    pub fn open(directory: &Path) -> Result<Self, VaultError> {
        let (path, key_path) = (directory.join("vault.redb"), directory.join("vault.key"));
        // The key is on the disk before there is a vault: a vault without one is a mistake.
        if !path.exists() && !key_path.exists() {
            create_key_file(&key_path)?;
        }
        let key = read_key_file(&key_path)?;
        let (sealer, key_id) = (Sealer::new(&key)?, KeyId::of(&key));
        let check = sealer.seal(CHECK_ID, &ReaderClass::Control, b"")?;
        let fill = |database: &Database| create(database, &check);
        let store = Store::open(&path, CACHE_BYTES, FORMAT, fill)?;
        let vault = Self {
            store,
            sealer,
            key_path,
            key_id,
        };
        vault.check_key()?;
        Ok(vault)
    }

    /// Seals a secret under this id, in place of what was there.
    ///
    /// # Errors
    /// [`VaultError::Storage`] or [`VaultError::Random`].
    pub fn put(&self, id: &str, class: &ReaderClass, secret: &[u8]) -> Result<(), VaultError> {
        let row = self.sealer.seal(id, class, secret)?;
        self.write(|transaction| {
            transaction.open_table(ROWS)?.insert(id, row.as_slice())?;
            Ok(())
        })
    }

    /// The secret under this id, for this reader.
    ///
    /// # Errors
    /// [`VaultError::OtherReader`] when it is sealed to others, [`VaultError::Unsealable`] when
    /// the row was tampered with.
    pub fn get(&self, id: &str, reader: &ReaderClass) -> Result<Option<Secret>, VaultError> {
        let rows = self.begin_read()?.open_table(ROWS)?;
        match rows.get(id)? {
            Some(row) => self.sealer.unseal(id, reader, row.value()).map(Some),
            None => Ok(None),
        }
    }

    /// Removes the row; false when there was none.
    ///
    /// # Errors
    /// [`VaultError::Storage`].
    pub fn delete(&self, id: &str) -> Result<bool, VaultError> {
        self.write(|transaction| Ok(transaction.open_table(ROWS)?.remove(id)?.is_some()))
    }

    /// The ids of all rows, in order.
    ///
    /// # Errors
    /// [`VaultError::Storage`].
    pub fn ids(&self) -> Result<Vec<String>, VaultError> {
        let rows = self.begin_read()?.open_table(ROWS)?;
        let ids = rows.range::<&str>(..)?;
        ids.map(|row| Ok(row?.0.value().to_owned())).collect()
    }

    /// All rows as they are now, sealed. Later changes do not show in it.
    ///
    /// # Errors
    /// [`VaultError::Storage`].
    pub fn copy(&self) -> Result<VaultCopy, VaultError> {
        Ok(VaultCopy {
            transaction: self.begin_read()?,
            key_id: self.key_id,
        })
    }

    /// The key that all rows are sealed under, from its file.
    ///
    /// # Errors
    /// [`VaultError`] when the file is not there any more, or holds another key.
    pub fn key(&self) -> Result<Secret, VaultError> {
        let key = read_key_file(&self.key_path)?;
        if KeyId::of(&key) == self.key_id {
            Ok(key)
        } else {
            Err(VaultError::WrongKey)
        }
    }

    fn begin_read(&self) -> Result<ReadTransaction, VaultError> {
        self.store.mend()?;
        Ok(self.store.begin_read()?)
    }

    /// One durable write.
    fn write<T>(
        &self,
        fill: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, VaultError> {
        self.store.mend()?;
        let written = || {
            let transaction = self.store.begin_write()?;
            let value = fill(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        Ok(self.store.note(written())?)
    }

    fn check_key(&self) -> Result<(), VaultError> {
        let table = self.begin_read()?.open_table(CHECK)?;
        let row = table.get(CHECK_ID)?.ok_or(VaultError::WrongKey)?;
        match self
            .sealer
            .unseal(CHECK_ID, &ReaderClass::Control, row.value())
        {
            Ok(_) => Ok(()),
            Err(_) => Err(VaultError::WrongKey),
        }
    }
}

fn create(database: &Database, check: &[u8]) -> Result<(), redb::Error> {
    let transaction = begin_durable(database)?;
    write_format(&transaction, FORMAT)?;
    transaction.open_table(ROWS)?;
    transaction.open_table(CHECK)?.insert(CHECK_ID, check)?;
    transaction.commit()?;
    Ok(())
}

/// Turns secrets into rows and back.
struct Sealer {
    key: LessSafeKey,
    random: SystemRandom,
}

impl Sealer {
    fn new(key: &Secret) -> Result<Self, VaultError> {
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| VaultError::WrongKey)?;
        Ok(Self {
            key: LessSafeKey::new(key),
            random: SystemRandom::new(),
        })
    }

    fn seal(&self, id: &str, class: &ReaderClass, secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; NONCE_LEN];
        self.random
            .fill(&mut nonce)
            .map_err(|_| VaultError::Random)?;
        // Capacity for the tag, so that no copy of the plaintext is left behind by growing.
        let mut sealed = Vec::with_capacity(secret.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(secret);
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated_data(id, class)),
                &mut sealed,
            )
            .map_err(|_| VaultError::Unsealable(id.into()))?;
        Ok(RowMessage {
            format: ROW_FORMAT,
            node: match class {
                ReaderClass::Control => None,
                ReaderClass::Node(name) => Some(name.clone()),
            },
            nonce: nonce.to_vec(),
            sealed,
        }
        .encode_to_vec())
    }

    fn unseal(&self, id: &str, reader: &ReaderClass, row: &[u8]) -> Result<Secret, VaultError> {
        let unsealable = || VaultError::Unsealable(id.into());
        let row = RowMessage::decode(row).map_err(|_| unsealable())?;
        if row.format != ROW_FORMAT {
            return Err(unsealable());
        }
        let class = row.node.map_or(ReaderClass::Control, ReaderClass::Node);
        if class != *reader {
            return Err(VaultError::OtherReader(id.into()));
        }
        let nonce = row.nonce.try_into().map_err(|_| unsealable())?;
        let mut secret = Zeroizing::new(row.sealed);
        let length = self
            .key
            .open_in_place(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated_data(id, &class)),
                &mut secret,
            )
            .map_err(|_| unsealable())?
            .len();
        secret.truncate(length);
        Ok(Secret(secret))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

/// What a sealed row cannot be moved away from: its id and its readers.
fn associated_data(id: &str, class: &ReaderClass) -> Vec<u8> {
    let mut data = ROW_FORMAT.to_be_bytes().to_vec();
    data.extend_from_slice(&(id.len() as u64).to_be_bytes());
    data.extend_from_slice(id.as_bytes());
    match class {
        ReaderClass::Control => data.push(0),
        ReaderClass::Node(name) => {
            data.push(1);
            data.extend_from_slice(name.as_bytes());
        }
    }
    data
}

fn create_key_file(path: &Path) -> Result<(), VaultError> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    SystemRandom::new()
        .fill(key.as_mut_slice())
        .map_err(|_| VaultError::Random)?;
    write_key(path, key.as_slice())
}

/// Makes the key file of a restored vault.
pub(crate) fn write_key_file(path: &Path, key: &Secret) -> Result<(), VaultError> {
    write_key(path, key.expose())
}

fn write_key(path: &Path, key: &[u8]) -> Result<(), VaultError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let fill = |unfinished: &Path| {
        let mut file = options.open(unfinished)?;
        file.write_all(key)?;
        file.sync_all()
    };
    create_whole(path, fill).map_err(|cause: std::io::Error| VaultError::KeyFile {
        path: path.into(),
        cause,
    })
}

/// Reads a vault's key from its file.
///
/// # Errors
/// [`VaultError`] when there is none, others may read it, or it is not as long as a key.
pub fn read_key_file(path: &Path) -> Result<Secret, VaultError> {
    let failed = |cause| VaultError::KeyFile {
        path: path.into(),
        cause,
    };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            return Err(VaultError::KeyFileMissing(path.into()));
        }
        Err(cause) => return Err(failed(cause)),
    };
    // Asked of the open file, so that nobody can swap it in between.
    let metadata = file.metadata().map_err(failed)?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
        if mode & 0o077 != 0 {
            return Err(VaultError::KeyFileExposed {
                path: path.into(),
                mode,
            });
        }
    }
    if metadata.len() != KEY_LEN as u64 {
        return Err(VaultError::KeyFileLength {
            path: path.into(),
            length: metadata.len(),
        });
    }
    let mut key = Secret::new(vec![0; KEY_LEN]);
    file.read_exact(&mut key.0).map_err(failed)?;
    Ok(key)
}
