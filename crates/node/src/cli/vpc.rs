//! `meridian vpc`.

use clap::Subcommand;
use meridian_model::Network;

use super::ClientArguments;
use crate::admin::Command;

#[derive(Subcommand)]
pub(super) enum VpcVerb {
    /// Describe a VPC. Clients in its networks see the private zones that are associated with it.
    Create {
        /// Its id, such as vpc-0a1b2c3d (default: made up).
        id: Option<String>,
        /// Its region, as the API names them.
        #[arg(long)]
        region: String,
        /// The account that may associate zones with it, by name or id.
        #[arg(long)]
        account: String,
        /// A network of its clients, such as 10.1.0.0/16; may be given several times. No two
        /// networks overlap, of whatever VPCs.
        #[arg(long, value_name = "CIDR")]
        network: Vec<Network>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Give a VPC other networks instead of all those it has. They count at once.
    Set {
        /// Its id.
        id: String,
        /// A network of its clients; may be given several times. Without one it has none.
        #[arg(long, value_name = "CIDR")]
        network: Vec<Network>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show VPCs.
    List {
        /// Only those of this account, by name or id.
        #[arg(long)]
        account: Option<String>,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Show a VPC and the private zones that are associated with it.
    Show {
        /// Its id.
        id: String,
        #[command(flatten)]
        client: ClientArguments,
    },
    /// Forget a VPC that no zone is associated with.
    Delete {
        /// Its id.
        id: String,
        #[command(flatten)]
        client: ClientArguments,
    },
}

impl VpcVerb {
    pub(super) fn command(self) -> (Command, ClientArguments) {
        let texts = |network: Vec<Network>| network.iter().map(Network::to_string).collect();
        match self {
            Self::Create {
                id,
                region,
                account,
                network,
                client,
            } => {
                let network = texts(network);
                let command = Command::VpcCreate {
                    id,
                    region,
                    account,
                    network,
                };
                (command, client)
            }
            Self::Set {
                id,
                network,
                client,
            } => {
                let network = texts(network);
                (Command::VpcSet { id, network }, client)
            }
            Self::List { account, client } => (Command::VpcList { account }, client),
            Self::Show { id, client } => (Command::VpcShow { id }, client),
            Self::Delete { id, client } => (Command::VpcDelete { id }, client),
        }
    }
}
