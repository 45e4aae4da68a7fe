//! `meridian explain`: an operator may ask at any address, and hears of the zones of all accounts.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Result, bail};
use meridian_answer::{Ask, ViewId, World, explain as ask};
use meridian_control::AdminError;
use meridian_dns::Name;
use meridian_model::{Region, State as _};
use serde_json::Value;

use super::super::command::ExplainCommand;
use super::Host;
use crate::answering::{first_view, moment};
use crate::explanation::{self, Question, Reader};
use crate::supposition::Supposition;

/// Who asks where only a region is told.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

pub(super) fn explain(host: &Host, question: &ExplainCommand) -> Result<Value> {
    know_health_checks(host, question)?;
    if let Some(region) = &question.at
        && Region::new(region).is_none()
        && !host
            .tables
            .read()?
            .own_regions()?
            .iter()
            .any(|own| own.name.as_str() == region)
    {
        bail!("'{region}' is none of the regions, such as eu-west-1");
    }
    let world = host.live.load();
    let name = Name::parse(&question.name)?;
    let view = match question.view {
        Some(address) => view_at(&world, address)?,
        None => usual_view(&world, &name),
    };
    let supposition = Supposition::of(&question.health, &host.board.state());
    let told = ask(
        &world,
        &Ask {
            name: &name,
            qtype: question.rtype,
            view,
            source: question.source.unwrap_or(NOBODY),
            subnet: question.subnet,
            at: question.at.as_deref(),
            health: &supposition.health(),
            moment: moment(),
        },
    );
    let question = Question {
        name: &name,
        qtype: question.rtype,
        region: question.at.as_deref(),
        supposition: &supposition,
        reader: Reader::Operator,
    };
    let mut shown = explanation::shown(&question, &told, &host.board);
    let addresses = world.addresses().iter();
    let addresses = addresses.filter(|(_, other)| *other == view);
    shown["asked_at"] = addresses.map(|(address, _)| address.to_string()).collect();
    shown["zones"] = explanation::zones(&told);
    Ok(shown)
}

/// Whether there are those that something is supposed of. Where there is no journal, those in the
/// tables are all.
fn know_health_checks(host: &Host, question: &ExplainCommand) -> Result<()> {
    let mut supposed = question.health.iter().map(|(id, _)| id.as_str());
    if let Ok(control) = host.control() {
        return Ok(control.know_health_checks(supposed)?);
    }
    let tables = host.tables.read()?;
    supposed.try_for_each(|id| match tables.health_slot(id)? {
        Some(_) => Ok(()),
        None => Err(AdminError::UnknownHealthCheck(id.to_owned()).into()),
    })
}

fn view_at(world: &World, address: IpAddr) -> Result<ViewId> {
    let view = world.view_at(address);
    if view == ViewId::EMPTY {
        let known = world.addresses().iter();
        let known: Vec<String> = known.map(|(address, _)| address.to_string()).collect();
        bail!(
            "no zone is answered at {address}, but at {}",
            known.join(", ")
        );
    }
    Ok(view)
}

/// One in which the public zone with the longest apex is answered. Looks at all zones.
fn usual_view(world: &World, name: &Name) -> ViewId {
    let name = name.to_lowercase();
    let zones = world.zones().filter(|zone| {
        let meta = zone.meta();
        zone.vpcs().is_none() && meta.views != 0 && name.is_within(&meta.apex)
    });
    let longest = zones.max_by_key(|zone| zone.meta().apex.label_count());
    let view = longest.and_then(|zone| first_view(zone.meta().views));
    view.unwrap_or(ViewId(0))
}
