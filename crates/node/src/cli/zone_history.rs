//! `meridian zone history`, `zone diff` and `zone restore`.

use clap::Args;

use super::ClientArguments;
use crate::admin::Command;

#[derive(Args)]
pub(super) struct HistoryArguments {
    /// The zone's id or name.
    zone: String,
    /// How many versions, the newest first.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    #[command(flatten)]
    client: ClientArguments,
}

#[derive(Args)]
pub(super) struct DiffArguments {
    /// The zone's id or name.
    zone: String,
    /// From what it was after this entry; `zone history` shows them.
    #[arg(long, value_name = "ENTRY")]
    from: u64,
    /// To what it was after this entry (default: what it is now).
    #[arg(long, value_name = "ENTRY")]
    to: Option<u64>,
    #[command(flatten)]
    client: ClientArguments,
}

#[derive(Args)]
pub(super) struct RestoreZoneArguments {
    /// The zone's id or name.
    zone: String,
    /// To what it was after this entry; `zone history` shows them.
    #[arg(long, value_name = "ENTRY")]
    to: u64,
    /// Check and show what would change, and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    client: ClientArguments,
}

impl HistoryArguments {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        let Self {
            zone,
            limit,
            client,
        } = self;
        (Command::ZoneHistory { zone, limit }, client)
    }
}

impl DiffArguments {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        let Self {
            zone,
            from,
            to,
            client,
        } = self;
        (Command::ZoneDiff { zone, from, to }, client)
    }
}

impl RestoreZoneArguments {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        let Self {
            zone,
            to,
            dry_run,
            client,
        } = self;
        (Command::ZoneRestore { zone, to, dry_run }, client)
    }
}
