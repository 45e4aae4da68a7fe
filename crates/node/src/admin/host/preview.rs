//! `meridian change preview`: what a change would make of answers, tried in a copy of the World
//! that nobody else sees.

mod clients;

use std::collections::BTreeMap;
use std::slice;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use domain::base::iana::Rtype;
use meridian_answer::{
    Ask, GroupSeen, Moment, Possible, PossibleAnswer, Supposed, ViewId, World, ZoneChange, possible,
};
use meridian_control::{ChangePreview, PreviewReason, PreviewedName, PreviewedQuestion};
use meridian_model::{Action, DraftChange, RecordSet};
use serde_json::{Value, json};

use super::super::command::{ActionWord, PlannedChange};
use super::Host;
use crate::answering::{first_view, rcode};
use clients::{Clients, Label, PreviewedClient};

/// How long answers are compared at most.
const LONGEST: Duration = Duration::from_secs(60);
/// Choices do not depend on it: all are looked at.
const ANY_MOMENT: Moment = Moment { now_s: 0, seed: 0 };

/// The zone as it is and as it would be.
struct Worlds {
    before: World,
    after: World,
    view: ViewId,
}

/// Answers before and after.
type Pair = (Vec<PossibleAnswer>, Vec<PossibleAnswer>);

pub(super) fn preview(host: &Host, zone: &str, changes: Vec<PlannedChange>) -> Result<Value> {
    let mut drafts = Vec::with_capacity(changes.len());
    for (place, change) in changes.into_iter().enumerate() {
        let action = match change.action {
            ActionWord::Create => Action::Create,
            ActionWord::Delete => Action::Delete,
            ActionWord::Upsert => Action::Upsert,
        };
        let set = match change.set.into_draft() {
            Ok(set) => set,
            Err(reason) => {
                let reason = format!("change {}: {reason}", place + 1);
                return Ok(refused("InvalidInput", &reason, slice::from_ref(&reason)));
            }
        };
        drafts.push(DraftChange { action, set });
    }
    let change = match host.control()?.preview_change(zone, &drafts)? {
        Ok(change) => change,
        Err(refusal) => {
            let texts = match &refusal {
                meridian_control::Refusal::InvalidChangeBatch(texts) => texts.clone(),
                other => vec![other.to_string()],
            };
            return Ok(refused(refusal.code(), &refusal.to_string(), &texts));
        }
    };
    let worlds = Worlds::of(host, &change)?;
    let clients = Clients::of(&change)?;
    let (questions, mut left_out) = change.questions()?;
    let ends = Instant::now() + LONGEST;
    let mut shown = Vec::with_capacity(questions.len());
    for question in &questions {
        if Instant::now() > ends {
            left_out += 1;
            continue;
        }
        shown.push(compare(&worlds, &clients, &change, question)?);
    }
    Ok(json!({
        "zone": change.zone.id.as_str(),
        "name": change.zone.name.to_string(),
        "questions": shown,
        "left_out": left_out,
    }))
}

fn refused(code: &str, text: &str, messages: &[String]) -> Value {
    json!({ "error": format!("{code}: {text}"), "code": code, "messages": messages })
}

impl Worlds {
    fn of(host: &Host, change: &ChangePreview) -> Result<Self> {
        let zone = &change.zone;
        let world = host.live.load();
        let Some(image) = world.zone(&zone.name, zone.generation) else {
            bail!("{} is not answered here, or not yet", zone.name);
        };
        let view = first_view(image.meta().views);
        if view.is_none() && !zone.private {
            bail!(
                "none of the name servers of {} is at this server",
                zone.name
            );
        }
        let with = |sets: fn(&PreviewedName) -> &[RecordSet]| -> Result<World> {
            let names = change.names.iter().map(|name| (&name.name, sets(name)));
            let image = image.with_names(world.key(), image.meta().last_changed, names)?;
            Ok(world.changed(&[ZoneChange::Put(Arc::new(image))]))
        };
        Ok(Self {
            before: with(|name| &name.before)?,
            after: with(|name| &name.after)?,
            view: view.unwrap_or(ViewId(0)),
        })
    }

    fn ask(
        &self,
        world: &World,
        question: &PreviewedQuestion,
        client: &PreviewedClient,
    ) -> Possible {
        let ask = Ask {
            name: &question.name,
            qtype: question.rtype.code(),
            view: self.view,
            source: client.address,
            subnet: None,
            at: None,
            health: &[],
            moment: ANY_MOMENT,
        };
        let supposed = match client.place {
            Some(place) => Supposed::At(client.address, place),
            None => Supposed::Sender,
        };
        possible(world, &ask, supposed)
    }
}

/// One question for all clients that it matters for.
fn compare(
    worlds: &Worlds,
    clients: &Clients,
    change: &ChangePreview,
    question: &PreviewedQuestion,
) -> Result<Value> {
    let mut pairs: BTreeMap<Pair, Vec<Label>> = BTreeMap::new();
    let (mut groups, mut complete) = (Vec::<GroupSeen>::new(), true);
    let mut all = 0;
    let mut ask = |client: &PreviewedClient, groups: &mut Vec<GroupSeen>| {
        let before = worlds.ask(&worlds.before, question, client);
        let after = worlds.ask(&worlds.after, question, client);
        complete &= before.complete && after.complete;
        for group in before.groups.into_iter().chain(after.groups) {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        let pair = (before.answers, after.answers);
        pairs.entry(pair).or_default().push(client.label.clone());
        all += 1;
    };
    let mut usual = clients.usual().iter();
    if let Some(first) = usual.next() {
        ask(first, &mut groups);
    }
    // Where nothing looks at the client, one is as good as any other.
    if groups.iter().any(|group| group.by_client) {
        for client in usual {
            ask(client, &mut groups);
        }
        // Those that only some set tells apart. Asking for them can show further groups.
        let mut asked = 0;
        for _ in 0..16 {
            let special = clients.told_apart(change, &groups)?;
            if special.len() == asked {
                break;
            }
            for client in special.iter().skip(asked) {
                ask(client, &mut groups);
            }
            asked = special.len();
        }
    }
    let whole = pairs.len() == 1;
    let different = pairs.iter().filter(|((before, after), _)| before != after);
    let different: Vec<Value> = different
        .map(|((before, after), labels)| {
            json!({
                "clients": clients.shown(labels, whole),
                "before": before.iter().map(answer).collect::<Vec<_>>(),
                "after": after.iter().map(answer).collect::<Vec<_>>(),
            })
        })
        .collect();
    Ok(json!({
        "name": question.name.to_string(),
        "type": question.rtype.to_string(),
        "why": match question.why {
            PreviewReason::Changed => "changed",
            PreviewReason::Alias => "alias",
            PreviewReason::Cname => "cname",
            PreviewReason::Wildcard => "wildcard",
        },
        "different": different,
        "complete": complete,
    }))
}

fn answer(answer: &PossibleAnswer) -> Value {
    let records = answer.records.iter().map(|(name, rtype, ttl, data)| {
        json!({
            "name": name,
            "ttl": ttl,
            "type": Rtype::from_int(*rtype).to_string(),
            "data": data,
        })
    });
    json!({
        "share": f64::from(answer.share) / 1e6,
        "rcode": rcode(answer.rcode),
        "records": records.collect::<Vec<_>>(),
        "of_sets": answer.of,
    })
}
