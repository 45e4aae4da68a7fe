//! `meridian record`.

use anyhow::{Result, bail};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use meridian_dns::RecordType;
use serde_json::Value;

use super::ClientArguments;
use crate::admin::{
    self, AliasWords, Client, Command, PolicyWords, RecordAddCommand, RecordRemoveCommand,
};

#[derive(Subcommand)]
pub(super) enum RecordVerb {
    /// Write a record set, or those of A and AAAA, by the rules of ChangeResourceRecordSets.
    ///
    /// What few words leave open is filled in: the types that addresses and targets have, the region
    /// of a latency record by the target's registration or name, the identifier by the policy.
    /// What was written is printed.
    Add(Box<AddArguments>),
    /// Show the record sets of a zone, or of one name.
    List {
        /// The zone, by id or name.
        zone: String,
        /// Only those of this name.
        name: Option<String>,
        #[command(flatten)]
        owner: OwnerArguments,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Take a record set away.
    Remove {
        /// The zone, by id or name.
        zone: String,
        /// Its name: within the zone, or relative to it; @ is the apex.
        name: String,
        /// Its type; needed for the zone's own NS and SOA.
        #[arg(long = "type", value_name = "TYPE", value_parser = rtype)]
        rtype: Option<String>,
        /// Its identifier.
        #[arg(long, value_name = "ID")]
        set_identifier: Option<String>,
        /// All that fit, and not just one.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        owner: OwnerArguments,
        #[command(flatten)]
        client: ClientArguments,
    },
}

/// Whose zone it is.
#[derive(Args)]
pub(super) struct OwnerArguments {
    /// The zone's account, by name or id, where several have zones of the name.
    #[arg(long)]
    account: Option<String>,
}

#[derive(Args)]
#[command(group(ArgGroup::new("target").required(true).args(["value", "alias"])))]
#[command(group(ArgGroup::new("by_region").args(["latency", "geoproximity"])))]
#[command(group(ArgGroup::new("policy").args(["latency", "weight", "failover", "multivalue", "continent", "country", "geoproximity", "cidr_collection"])))]
pub(super) struct AddArguments {
    /// The zone, by id or name.
    zone: String,
    /// The name: within the zone, or relative to it; @ is the apex.
    name: String,
    /// A value; may be given several times. Addresses need no type.
    #[arg(long)]
    value: Vec<String>,
    /// An alias to this name: of a record set in the zone (@ is the apex, one without a dot is
    /// relative to it), else of any host, which name servers look up.
    #[arg(long, value_name = "TARGET")]
    alias: Option<String>,
    /// The zone that the alias's target is in, by id or name: another of the account, or one of
    /// AWS's by its id.
    #[arg(long, value_name = "ZONE", requires = "alias")]
    alias_zone: Option<String>,
    /// Do not have the health of the alias's target count.
    #[arg(long, requires = "alias")]
    ignore_target_health: bool,
    /// The type; of an alias it may be given several times.
    #[arg(long = "type", value_name = "TYPE", value_parser = rtype)]
    rtype: Vec<String>,
    /// Seconds that values may be kept for.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(0..=2_147_483_647), conflicts_with = "alias")]
    ttl: u32,
    /// Chosen by latency. The region is that of the target: as it was registered (`meridian resource`),
    /// else as its name tells.
    #[arg(long)]
    latency: bool,
    /// The region of a latency or geoproximity record.
    #[arg(long, requires = "by_region")]
    region: Option<String>,
    /// Chosen by weight.
    #[arg(long, value_name = "0..255")]
    weight: Option<u8>,
    /// A half of a pair.
    #[arg(long, value_enum)]
    failover: Option<Role>,
    /// One of up to eight healthy ones that are answered together.
    #[arg(long)]
    multivalue: bool,
    /// For clients of a continent, such as EU.
    #[arg(long, value_name = "CODE")]
    continent: Option<String>,
    /// For clients of a country, such as DE; * is for those of no other.
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
    /// For those of a part of the country.
    #[arg(long, value_name = "CODE", requires = "country")]
    subdivision: Option<String>,
    /// Chosen by distance, from the region or where --near says. The region is told as for latency.
    #[arg(long)]
    geoproximity: bool,
    /// Where a geoproximity record stands, if not in a region: a local zone group, or a point.
    #[arg(
        long,
        value_name = "GROUP|LATITUDE,LONGITUDE",
        requires = "geoproximity",
        conflicts_with = "region",
        allow_hyphen_values = true
    )]
    near: Option<String>,
    /// Stretches the reach of a geoproximity record, or shrinks it.
    #[arg(long, value_name = "-99..99", requires = "geoproximity", value_parser = clap::value_parser!(i8).range(-99..=99), allow_hyphen_values = true)]
    bias: Option<i8>,
    /// For clients whose addresses are in a CIDR collection, by its id.
    #[arg(long, value_name = "ID", requires = "cidr_location")]
    cidr_collection: Option<String>,
    /// The location in the collection; * is for addresses in none.
    #[arg(long, value_name = "NAME", requires = "cidr_collection")]
    cidr_location: Option<String>,
    /// What tells the sets of a name and type apart (default: the region, the half, the place, the location).
    #[arg(long, value_name = "ID", requires = "policy")]
    set_identifier: Option<String>,
    /// The health check (default under a policy: that of the resource that the values are).
    #[arg(long, value_name = "ID")]
    health_check: Option<String>,
    /// Replace what is there.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    owner: OwnerArguments,
    #[command(flatten)]
    client: ClientArguments,
}

/// A half of a failover pair.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    Primary,
    Secondary,
}

impl RecordVerb {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let (command, client) = match self {
            Self::Add(arguments) => arguments.command(),
            Self::List {
                zone,
                name,
                owner,
                client,
            } => return list(&zone, name.as_deref(), &owner, &client.client()?),
            Self::Remove {
                zone,
                name,
                rtype,
                set_identifier,
                all,
                owner,
                client,
            } => {
                let command = RecordRemoveCommand {
                    zone,
                    account: owner.account,
                    name,
                    rtype,
                    set_identifier,
                    all,
                };
                (Command::RecordRemove(command), client)
            }
        };
        admin::call(&client.client()?, &command)
    }
}

impl AddArguments {
    fn command(self) -> (Command, ClientArguments) {
        let command = RecordAddCommand {
            zone: self.zone,
            account: self.owner.account,
            name: self.name,
            types: self.rtype,
            values: self.value,
            ttl: self.ttl,
            alias: self.alias.map(|name| AliasWords {
                name,
                zone: self.alias_zone,
                ignore_health: self.ignore_target_health,
            }),
            policy: PolicyWords {
                latency: self.latency,
                region: self.region,
                weight: self.weight,
                failover: self.failover.map(|role| match role {
                    Role::Primary => "PRIMARY".to_owned(),
                    Role::Secondary => "SECONDARY".to_owned(),
                }),
                multivalue: self.multivalue,
                continent: self.continent,
                country: self.country,
                subdivision: self.subdivision,
                geoproximity: self.geoproximity,
                near: self.near,
                bias: self.bias,
                cidr_collection: self.cidr_collection,
                cidr_location: self.cidr_location,
            },
            set_identifier: self.set_identifier,
            health_check: self.health_check,
            replace: self.replace,
        };
        (Command::RecordAdd(Box::new(command)), self.client)
    }
}

/// All sets, however many: the server hands them out in pages.
fn list(zone: &str, name: Option<&str>, owner: &OwnerArguments, client: &Client) -> Result<()> {
    let page = |from: Option<Value>| Command::RecordList {
        zone: zone.to_owned(),
        account: owner.account.clone(),
        name: name.map(str::to_owned),
        from,
    };
    let mut command = page(None);
    let mut sets = Vec::new();
    // Each page begins behind the one before, so the last one comes.
    loop {
        let mut told = admin::ask(client, &command)?;
        if let Value::Array(rows) = told["sets"].take() {
            sets.extend(rows);
        }
        match told["next"].take() {
            Value::Null => return admin::show(client, &command, &Value::Array(sets)),
            next => command = page(Some(next)),
        }
    }
}

/// One of the types of the API, in capitals.
fn rtype(text: &str) -> Result<String> {
    let text = text.to_ascii_uppercase();
    if text.parse::<RecordType>().is_err() {
        let known: Vec<&str> = RecordType::ALL.iter().map(|it| it.as_str()).collect();
        bail!("it is one of {}", known.join(", "));
    }
    Ok(text)
}
