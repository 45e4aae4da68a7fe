//! CreateCidrCollection.

use meridian_model::{
    CidrCollection, CreateCidrRefusal, Effect, NewCidrCollection, plan_create_cidr_collection,
};

use super::cidr::LINE;
use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::{Fault, Refusal};
use crate::rights::authorize;

impl Control {
    /// CreateCidrCollection: a new one, or the one that the same request made before.
    ///
    /// # Errors
    /// `CidrCollectionAlreadyExistsException`, `LimitsExceeded`.
    pub fn create_cidr_collection(
        &self,
        caller: &Caller,
        request: &NewCidrCollection,
    ) -> Outcome<CidrCollection> {
        let effects = self.write_to(Some(LINE), caller, |snapshot, facts| {
            authorize(snapshot, caller, "route53:CreateCidrCollection", "*")?;
            plan_create_cidr_collection(snapshot, facts, &caller.account, request.clone())
                .map_err(|error| refused(error, words))
        })?;
        let made = effects.into_iter().find_map(|effect| match effect {
            Effect::PutCidrCollection(collection) => Some(collection),
            _ => None,
        });
        Ok(made.ok_or_else(|| Fault::Storage("a commit lost its collection".to_owned()))?)
    }
}

fn words(refusal: CreateCidrRefusal) -> Refusal {
    match refusal {
        CreateCidrRefusal::NameTaken => Refusal::CidrCollectionAlreadyExists(
            "A CIDR collection with this name and a different caller reference already exists in \
             this account.",
        ),
        CreateCidrRefusal::ReferenceUsed => Refusal::CidrCollectionAlreadyExists(
            "A CIDR collection with this caller reference and a different name already exists in \
             this account.",
        ),
        CreateCidrRefusal::TooMany => Refusal::LimitsExceeded(
            "Limits Exceeded: MAX_CIDR_COLLECTIONS_BY_OWNER - Cannot create more CIDR collections."
                .to_owned(),
        ),
    }
}
