//! CreateTrafficPolicyInstance.

use meridian_model::{NewInstance, plan_create_instance};

use super::traffic_policy::{own_version, traffic_policy_arn};
use super::traffic_policy_instance::{words, written};
use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::request::{CreateTrafficPolicyInstance, InstanceStatus};
use crate::rights::{authorize, own_zone, zone_arn};

impl Control {
    /// CreateTrafficPolicyInstance: all record sets of the policy by one change.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, `NoSuchTrafficPolicy`, `TooManyTrafficPolicyInstances`,
    /// `TrafficPolicyInstanceAlreadyExists`, `InvalidInput`.
    pub fn create_traffic_policy_instance(
        &self,
        caller: &Caller,
        request: &CreateTrafficPolicyInstance,
    ) -> Outcome<InstanceStatus> {
        let zone_id = request.hosted_zone_id.as_str();
        let effects = self.write_to(Some(zone_id), caller, |snapshot, facts| {
            let action = "route53:CreateTrafficPolicyInstance";
            authorize(snapshot, caller, action, &zone_arn(zone_id))?;
            authorize(
                snapshot,
                caller,
                action,
                &traffic_policy_arn(&request.policy.id),
            )?;
            let zone = own_zone(snapshot, caller, zone_id)?;
            let policy = own_version(snapshot, caller, &request.policy)?;
            let new = NewInstance {
                name: request.name.clone(),
                ttl: request.ttl,
            };
            plan_create_instance(snapshot, facts, &zone, &policy, &new)
                .map_err(|error| refused(error, words))
        })?;
        written(effects)
    }
}
