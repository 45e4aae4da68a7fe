//! ChangeTagsForResource: tags are put and removed together, or not at all.

use std::collections::BTreeMap;

use super::PlanError;
use crate::effect::Effect;
use crate::id::AccountId;
use crate::quota::Quota;
use crate::state::State;
use crate::tag::{Tag, TagSet, TaggedResource};

/// The most tags that one request puts, and the most that it removes.
const MAX_TAGS_PER_REQUEST: usize = 10;
/// What the keys of tags that belong to the service begin with, in any case.
const RESERVED: &str = "aws:";

/// Tags to put and keys to remove.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagChange {
    /// Added, or given another value.
    pub put: Vec<Tag>,
    /// Removed; keys that are not there are none the less gone.
    pub remove: Vec<String>,
}

/// `InvalidInput` with this message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRefusal(pub String);

/// What a request does to the tags of a resource that `account` owns.
///
/// # Errors
/// [`TagRefusal`], or the state's error.
pub fn plan_change_tags<S: State>(
    state: &S,
    account: &AccountId,
    resource: &TaggedResource,
    change: &TagChange,
) -> Result<Vec<Effect>, PlanError<TagRefusal, S::Error>> {
    let refuse = |text| Err(PlanError::Refused(TagRefusal(text)));
    if let Some(problem) = problem(change) {
        return refuse(problem);
    }
    let before = state.tags(resource)?;
    let mut tags: BTreeMap<&str, &str> = before
        .iter()
        .chain(&change.put)
        .map(|tag| (tag.key.as_str(), tag.value.as_str()))
        .collect();
    tags.retain(|key, _| !change.remove.iter().any(|removed| removed == key));
    let limit = state.limit(account, Quota::TagsByResource)?;
    if tags.len() as u64 > limit && tags.len() > before.len() {
        return refuse(format!(
            "The {} {} cannot have more than {limit} tags.",
            resource.kind.as_str(),
            resource.id
        ));
    }
    let tags: Vec<Tag> = tags
        .into_iter()
        .map(|(key, value)| Tag {
            key: key.to_owned(),
            value: value.to_owned(),
        })
        .collect();
    if tags == before {
        return Ok(Vec::new());
    }
    Ok(vec![Effect::PutTags(TagSet {
        resource: resource.clone(),
        tags,
    })])
}

/// What is wrong with a request whatever the tags of the resource are.
fn problem(TagChange { put, remove }: &TagChange) -> Option<String> {
    if put.is_empty() && remove.is_empty() {
        return Some("At least one of AddTags and RemoveTagKeys is required.".to_owned());
    }
    for (list, len) in [("AddTags", put.len()), ("RemoveTagKeys", remove.len())] {
        if len > MAX_TAGS_PER_REQUEST {
            return Some(format!(
                "{list} has {len} members, more than {MAX_TAGS_PER_REQUEST}."
            ));
        }
    }
    let mut seen: Vec<&str> = Vec::with_capacity(put.len() + remove.len());
    for key in put.iter().map(|tag| &tag.key).chain(remove) {
        if key.is_empty() {
            return Some("The key of a tag cannot be empty.".to_owned());
        }
        let start = key.get(..RESERVED.len());
        if start.is_some_and(|start| start.eq_ignore_ascii_case(RESERVED)) {
            return Some(format!(
                "The tag key '{key}' is reserved: keys cannot begin with '{RESERVED}'."
            ));
        }
        if seen.contains(&key.as_str()) {
            return Some(format!("The tag key '{key}' is in the request twice."));
        }
        seen.push(key);
    }
    None
}
