//! This end: the running server, asked over its admin socket.

use anyhow::{Context, Result};
use meridian_api::remote::RemoteZone;
use serde_json::Value;

use crate::admin::{Client, Command, Conversation, ask};
use crate::transfer::JsonSet;

/// The server and the account that gets the zones.
pub(super) struct Target {
    /// Has all refusals given, and prints none.
    pub(super) client: Client,
    /// By its id.
    pub(super) account: String,
    /// Ids and names of the account's zones, as they were at the beginning.
    zones: Vec<(String, String)>,
}

/// What there is already of a zone.
pub(super) enum Known {
    Nothing,
    /// The zone itself, under this id.
    Itself(String),
    /// Another one of its name.
    Namesake(String),
}

impl Target {
    /// The account by name or id, or the operator's. Fails if there is no server.
    pub(super) fn find(client: &Client, account: Option<&str>) -> Result<Self> {
        let client = Client {
            data_dir: client.data_dir.clone(),
            json: true,
        };
        let account = match account {
            Some(account) => {
                let account = account.to_owned();
                ask(&client, &Command::AccountShow { account })?
            }
            None => {
                let accounts = ask(&client, &Command::AccountList)?;
                let accounts = accounts.as_array().into_iter().flatten();
                let mut operators = accounts.filter(|account| account["operator"] == true);
                operators
                    .next()
                    .context("there is no operator's account")?
                    .clone()
            }
        };
        let account = text(&account, "id");
        let listed = Command::ZoneList {
            account: Some(account.clone()),
            name: None,
        };
        let zones = ask(&client, &listed)?;
        let zones = zones.as_array().into_iter().flatten();
        let zones = zones
            .map(|zone| (text(zone, "id"), text(zone, "name")))
            .collect();
        Ok(Self {
            client,
            account,
            zones,
        })
    }

    /// Fails if the server is gone: what it refuses is a matter of one zone, this is one of all.
    pub(super) fn is_there(&self) -> Result<()> {
        let account = self.account.clone();
        ask(&self.client, &Command::AccountShow { account })?;
        Ok(())
    }

    /// What there is of a zone; `mapped` is the id that the id map has for it.
    pub(super) fn known(&self, zone: &RemoteZone, mapped: Option<&str>) -> Result<Known> {
        let mut namesake = None;
        let same = |name: &str| name.eq_ignore_ascii_case(&zone.name);
        for (id, _) in self.zones.iter().filter(|(_, name)| same(name)) {
            let shown = self.show(id)?;
            if mapped == Some(id) || text(&shown, "caller_reference") == zone.caller_reference {
                return Ok(Known::Itself(id.clone()));
            }
            // A private one is not asked by the same clients.
            if shown["private"] != true {
                namesake = Some(id.clone());
            }
        }
        Ok(namesake.map_or(Known::Nothing, Known::Namesake))
    }

    /// All that is known about a zone here.
    pub(super) fn show(&self, id: &str) -> Result<Value> {
        let zone = id.to_owned();
        ask(&self.client, &Command::ZoneShow { zone })
    }

    /// Hands all record sets of a zone to `each`.
    pub(super) fn each_set(
        &self,
        zone: &str,
        mut each: impl FnMut(&JsonSet) -> Result<()>,
    ) -> Result<()> {
        let zone = zone.to_owned();
        let mut conversation = Conversation::open(&self.client, &Command::ZoneExport { zone })?;
        conversation.progress()?;
        // Ends with the result.
        while let Err(portion) = conversation.answer()? {
            let sets: Vec<JsonSet> = serde_json::from_value(portion["sets"].clone())?;
            sets.iter().try_for_each(&mut each)?;
        }
        Ok(())
    }

    /// The delegation set of this reference: its id and its name servers.
    pub(super) fn delegation_set(&self, reference: &str) -> Result<(String, Vec<String>)> {
        let command = Command::DelegationSetProvide {
            account: self.account.clone(),
            caller_reference: reference.to_owned(),
        };
        let set = ask(&self.client, &command)?;
        Ok((text(&set, "id"), name_servers(&set)))
    }

    /// The health check of this reference: its id.
    pub(super) fn health_check(
        &self,
        caller_reference: String,
        config: String,
        tags: Vec<(String, String)>,
    ) -> Result<String> {
        let command = Command::HealthCheckProvide {
            account: self.account.clone(),
            caller_reference,
            config,
            tags,
        };
        Ok(text(&ask(&self.client, &command)?, "id"))
    }
}

/// A text in an answer; empty if it is not there.
pub(super) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// The name servers in an answer, as registrars want them.
pub(super) fn name_servers(value: &Value) -> Vec<String> {
    let servers = value["name_servers"].as_array().into_iter().flatten();
    servers
        .filter_map(Value::as_str)
        .map(|server| server.trim_end_matches('.').to_owned())
        .collect()
}
