//! ListTagsForResource and ListTagsForResources, which differ in how many they ask for.

use meridian_model::{State, TagSet, TaggedResource};

use super::Outcome;
use super::change_tags::check_resource;
use crate::caller::Caller;
use crate::control::Control;

impl Control {
    /// ListTagsForResource: the tags by key; none is no refusal.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, `NoSuchHealthCheck`.
    pub fn list_tags(&self, caller: &Caller, resource: TaggedResource) -> Outcome<TagSet> {
        let mut sets = self.tag_sets(caller, "route53:ListTagsForResource", vec![resource])?;
        Ok(sets.remove(0))
    }

    /// ListTagsForResources: those of each resource, in the order asked for.
    ///
    /// # Errors
    /// `NoSuchHostedZone` or `NoSuchHealthCheck` for the first that is not there.
    pub fn list_tags_of_all(
        &self,
        caller: &Caller,
        resources: Vec<TaggedResource>,
    ) -> Outcome<Vec<TagSet>> {
        self.tag_sets(caller, "route53:ListTagsForResources", resources)
    }

    /// A set for each resource.
    fn tag_sets(
        &self,
        caller: &Caller,
        action: &str,
        resources: Vec<TaggedResource>,
    ) -> Outcome<Vec<TagSet>> {
        let snapshot = self.fresh()?;
        let set = |resource| {
            check_resource(&snapshot, caller, action, &resource)?;
            let tags = snapshot.tags(&resource)?;
            Ok(TagSet { resource, tags })
        };
        resources.into_iter().map(set).collect()
    }
}
