//! ChangeCidrCollection.

use meridian_model::{Change, ChangeCidrRefusal, Effect, plan_change_cidr_collection};

use super::cidr::{LINE, cidr_collection_arn, own_cidr_collection};
use super::{Outcome, refused, submitted};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::{ChangeCidrCollection, ChangeOutcome};
use crate::rights::authorize;

/// How many wrong blocks a message names: a thousand may be sent.
const NAMED_MAX: usize = 10;

impl Control {
    /// ChangeCidrCollection: blocks are put and deleted in one step, in any order.
    ///
    /// # Errors
    /// `NoSuchCidrCollectionException`, `CidrCollectionVersionMismatchException`, `InvalidInput`
    /// for what is no block and for too many at once, `CidrBlockInUseException`, `LimitsExceeded`.
    pub fn change_cidr_collection(
        &self,
        caller: &Caller,
        request: &ChangeCidrCollection,
    ) -> Outcome<ChangeOutcome> {
        let effects = self.write_to(Some(LINE), caller, |snapshot, facts| {
            let arn = cidr_collection_arn(&request.id);
            authorize(snapshot, caller, "route53:ChangeCidrCollection", &arn)?;
            let collection = own_cidr_collection(snapshot, caller, &request.id)?;
            let (version, changes) = (request.version, request.changes.as_slice());
            let mut effects = plan_change_cidr_collection(snapshot, &collection, version, changes)
                .map_err(|error| refused(error, words))?;
            effects.push(Effect::PutChange(Change {
                id: facts.change_id(),
                account: caller.account.clone(),
                zone: None,
                submitted_at: facts.now,
                comment: None,
            }));
            Ok(effects)
        })?;
        submitted(&effects)
    }
}

fn words(refusal: ChangeCidrRefusal) -> Refusal {
    match refusal {
        ChangeCidrRefusal::NotBlocks(texts) => {
            let texts = texts.iter().map(|text| format!("'{text}'"));
            Refusal::InvalidInput(format!(
                "CIDR blocks are IPv4 networks of /1 to /24 and IPv6 networks of /1 to /48, but \
                 not {}",
                named(texts)
            ))
        }
        ChangeCidrRefusal::TooManyInRequest { most } => {
            Refusal::InvalidInput(format!("A request can name {most} CIDR blocks at most."))
        }
        ChangeCidrRefusal::VersionMismatch { current } => {
            Refusal::CidrCollectionVersionMismatch(current)
        }
        ChangeCidrRefusal::InUse(blocks) => {
            let blocks = blocks
                .into_iter()
                .map(|(block, [a, b])| format!("{block} (locations {a} and {b})"));
            Refusal::CidrBlockInUse(named(blocks))
        }
        ChangeCidrRefusal::TooMany => Refusal::LimitsExceeded(
            "Limits Exceeded: MAX_CIDR_BLOCKS_BY_COLLECTION - Cannot add more CIDR blocks."
                .to_owned(),
        ),
    }
}

/// The first of these, and how many more there are.
fn named(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(NAMED_MAX);
    let first: Vec<String> = all.take(NAMED_MAX).collect();
    match more {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_ten_and_counts_the_rest() {
        let texts = |count: usize| (0..count).map(|n| n.to_string());
        assert_eq!(named(texts(2)), "0, 1");
        assert_eq!(named(texts(10)), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
        assert_eq!(
            named(texts(1000)),
            "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 990 more"
        );
    }
}
