//! `meridian status`.

use std::sync::Arc;

use anyhow::Result;
use meridian_model::UnseenState;
use serde_json::{Value, json};

use super::journal::levels;
use super::{Host, Office};

pub(super) fn status(host: &Host) -> Result<Value> {
    let mut status = match &host.office {
        Office::Open { .. } => journal(host)?,
        Office::Shut(why) => json!({
            "dns_alone": &**why,
            "served": host.tables.read()?.head().seq.0,
        }),
    };
    // A reference of our own instead of a guard: counting walks through all names.
    let world = Arc::clone(&host.live.load());
    let size = world.size();
    status["version"] = env!("CARGO_PKG_VERSION").into();
    status["pid"] = std::process::id().into();
    status["listens"] = json!(host.listens);
    status["world"] = json!({
        "zones": size.zones,
        "names": size.names,
        "sets": size.sets,
        "bytes": size.bytes,
    });
    Ok(status)
}

/// What there is to say where the journal can be used.
fn journal(host: &Host) -> Result<Value> {
    let unseen = host.control()?.unseen_generations()?;
    let unseen = |state| unseen.iter().filter(|one| one.state == state).count();
    let head = host.control()?.head()?;
    let nodes = host
        .control()?
        .acks()
        .all()
        .into_iter()
        .map(|(name, served)| {
            let failed: Vec<String> = served.failed.keys().map(ToString::to_string).collect();
            json!({ "name": name, "served": served.seq.0, "failed_zones": failed })
        });
    Ok(json!({
        "epoch": head.epoch,
        "head": head.seq.0,
        "level": levels(&**host.journal()?)?,
        "name_servers": nodes.collect::<Vec<_>>(),
        "unseen_generations": {
            "drafts": unseen(UnseenState::Draft),
            "superseded": unseen(UnseenState::Superseded),
            "garbage": unseen(UnseenState::Garbage),
        },
    }))
}
