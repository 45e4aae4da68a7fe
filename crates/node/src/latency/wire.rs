//! Samples on their way from the command line to the server, in portions.

use meridian_latency::import::Record;
use meridian_latency::{Kind, Sample};
use meridian_model::Network;
use serde::{Deserialize, Serialize};

use super::workshop::Lot;

/// What the command line sends.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Portion {
    Records(Vec<Row>),
    End,
}

/// A sample, or a pair of regions; names are short, as there are millions.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Row {
    Sample {
        #[serde(rename = "p")]
        network: String,
        #[serde(rename = "r")]
        region: Box<str>,
        #[serde(rename = "us")]
        rtt_us: u32,
        #[serde(rename = "n")]
        count: u32,
        #[serde(rename = "t")]
        at_s: u64,
        #[serde(rename = "k")]
        kind: String,
        #[serde(rename = "c", skip_serializing_if = "Option::is_none", default)]
        client: Option<u64>,
    },
    Pair {
        from: Box<str>,
        to: Box<str>,
        ms: f32,
    },
}

impl From<Record> for Row {
    fn from(record: Record) -> Self {
        match record {
            Record::Sample(sample) => Self::Sample {
                network: sample.network.to_string(),
                region: sample.region,
                rtt_us: sample.rtt_us,
                count: sample.count,
                at_s: sample.at_s,
                kind: sample.kind.as_str().to_owned(),
                client: sample.client,
            },
            Record::Pair { from, to, ms } => Self::Pair { from, to, ms },
        }
    }
}

impl Row {
    /// Puts it where it belongs; false where it is nothing that the command line sends.
    pub(crate) fn put_to(self, lot: &mut Lot) -> bool {
        match self {
            Self::Sample {
                network,
                region,
                rtt_us,
                count,
                at_s,
                kind,
                client,
            } => {
                let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind);
                let (Ok(network), Some(kind)) = (network.parse::<Network>(), kind) else {
                    return false;
                };
                lot.samples.push(Sample {
                    at_s,
                    network,
                    region,
                    rtt_us,
                    count,
                    weight: kind.weight(),
                    kind,
                    client,
                });
            }
            Self::Pair { from, to, ms } => lot.pairs.push((from, to, ms)),
        }
        true
    }
}
