//! DeleteCidrCollection.

use meridian_model::{CidrCollectionInUse, plan_delete_cidr_collection};

use super::cidr::{LINE, cidr_collection_arn, own_cidr_collection};
use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::rights::authorize;

impl Control {
    /// DeleteCidrCollection: one without blocks that no record set is routed by.
    ///
    /// # Errors
    /// `NoSuchCidrCollectionException`, `CidrCollectionInUseException`.
    pub fn delete_cidr_collection(&self, caller: &Caller, id: &str) -> Outcome<()> {
        self.write_to(Some(LINE), caller, |snapshot, _| {
            let arn = cidr_collection_arn(id);
            authorize(snapshot, caller, "route53:DeleteCidrCollection", &arn)?;
            let collection = own_cidr_collection(snapshot, caller, id)?;
            plan_delete_cidr_collection(snapshot, &collection)
                .map_err(|error| refused(error, words))
        })?;
        Ok(())
    }
}

fn words(refusal: CidrCollectionInUse) -> Refusal {
    Refusal::CidrCollectionInUse(match refusal {
        CidrCollectionInUse::NotEmpty => "This CIDR collection is in use, and isn't empty.",
        CidrCollectionInUse::RecordSets => {
            "This CIDR collection is in use: record sets are routed by it."
        }
    })
}
