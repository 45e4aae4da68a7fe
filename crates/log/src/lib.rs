//! One ordered journal, its tables and the vault.
