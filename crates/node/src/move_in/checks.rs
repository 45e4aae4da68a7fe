//! Health checks: which can be copied and in which order, making them, and the record sets that name
//! them.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow, bail};
use meridian_api::remote::{RemoteHealthCheck, write_check_config};
use meridian_model::HealthCheckDraft;

use super::id_map::IdMap;
use super::report::{HealthCheckReport, Thing};
use super::sorting::LeftOut;
use super::{HealthChecks, MoveIn, Moving};
use crate::transfer::JsonSet;

/// How often checks are looked at for one whose children are all known: as often as they may be
/// calculated from calculated ones.
const ROUNDS: usize = 17;
/// The longest caller reference of a check.
const MAX_REFERENCE: usize = 64;

/// A check that can be copied.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) id: String,
    kind: String,
    config: HealthCheckDraft,
    pub(super) tags: Vec<(String, String)>,
}

impl Check {
    /// Ids of the checks that it is calculated from.
    pub(super) fn children(&self) -> &[String] {
        self.config.settings.children.as_deref().unwrap_or_default()
    }

    /// What it is called here, so that a second run finds it.
    fn reference(&self) -> String {
        format!("import {}", self.id)
    }

    /// Its configuration, with children as they are here.
    fn document(&self, map: &IdMap) -> Result<String> {
        let mut config = self.config.clone();
        for child in config.settings.children.iter_mut().flatten() {
            let Some(new_id) = map.health_checks.get(child) else {
                bail!("is calculated from {child}, which was not copied");
            };
            child.clone_from(new_id);
        }
        let config = config.into_config().map_err(|reason| anyhow!(reason))?;
        Ok(write_check_config(&config))
    }
}

/// Those that can be copied, children first, and the others.
pub(super) fn sorted(all: Vec<RemoteHealthCheck>) -> (Vec<Check>, Vec<Thing>) {
    let mut others = Vec::new();
    let mut open = Vec::new();
    for check in all {
        match checked(&check) {
            Ok(config) => open.push(Check {
                id: check.id,
                kind: check.kind,
                config,
                tags: Vec::new(),
            }),
            Err(reason) => others.push(Thing {
                kind: "health check",
                reason: format!(
                    "{} health check that is not taken here: {reason}",
                    check.kind
                ),
                id: check.id,
            }),
        }
    }
    let mut known = BTreeSet::new();
    let mut checks = Vec::new();
    for _ in 0..ROUNDS {
        let is_ready = |check: &Check| check.children().iter().all(|id| known.contains(id));
        let (ready, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(is_ready);
        open = rest;
        if ready.is_empty() {
            break;
        }
        known.extend(ready.iter().map(|check| check.id.clone()));
        checks.extend(ready);
    }
    others.extend(open.into_iter().map(|check| Thing {
        kind: "health check",
        id: check.id,
        reason: "is calculated from health checks that are not copied".to_owned(),
    }));
    (checks, others)
}

/// A configuration in which nothing is wrong.
fn checked(check: &RemoteHealthCheck) -> Result<HealthCheckDraft, String> {
    let config = check.config.clone()?;
    config.clone().into_config()?;
    if "import ".len() + check.id.len() > MAX_REFERENCE {
        return Err("its id is too long".to_owned());
    }
    Ok(config)
}

impl Moving {
    /// Makes health checks, unless they are there. What speaks against one is in the report.
    pub(super) fn health_checks(&mut self, checks: Vec<Check>) -> Result<()> {
        for check in checks {
            let new_id = match self.provide(&check) {
                Ok(new_id) => new_id,
                Err(error) => {
                    self.target.is_there()?;
                    self.map.health_checks.remove(&check.id);
                    self.report.not_copied.push(Thing {
                        kind: "health check",
                        id: check.id,
                        reason: format!("{error:#}"),
                    });
                    continue;
                }
            };
            if let Some(new_id) = &new_id {
                let ids = &mut self.map.health_checks;
                ids.insert(check.id.clone(), new_id.clone());
            }
            self.report.health_checks.push(HealthCheckReport {
                id: check.id,
                kind: check.kind,
                new_id,
            });
        }
        match self.options.dry_run {
            true => Ok(()),
            false => self.map.write(),
        }
    }

    /// The check's id here; none in a dry run.
    fn provide(&self, check: &Check) -> Result<Option<String>> {
        if self.options.dry_run {
            return Ok(None);
        }
        let config = check.document(&self.map)?;
        let tags = check.tags.clone();
        let id = self.target.health_check(check.reference(), config, tags)?;
        Ok(Some(id))
    }
}

/// A set with the check it has here. In a dry run checks are not there yet: it is looked at without.
pub(super) fn with_new_check(
    options: &MoveIn,
    map: &IdMap,
    mut set: JsonSet,
) -> Result<JsonSet, LeftOut> {
    let Some(old) = set.health_check_id.take() else {
        return Ok(set);
    };
    if options.dry_run {
        return Ok(set);
    }
    set.health_check_id = map.health_checks.get(&old).cloned();
    if set.health_check_id.is_some() || options.health_checks == HealthChecks::Dropped {
        return Ok(set);
    }
    Err(LeftOut::new(&set, obstacle(&old)))
}

/// Why a set with a check that is not copied stays behind.
pub(super) fn obstacle(check: &str) -> String {
    format!(
        "has the health check {check}, which is not copied; --drop-health-checks copies the set \
         without it"
    )
}

#[cfg(test)]
mod tests {
    use meridian_api::remote::read_check_config;

    use super::*;

    fn calculated(id: &str, children: &[&str]) -> RemoteHealthCheck {
        let text = "<HealthCheckConfig xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
                    <Type>CALCULATED</Type><HealthThreshold>1</HealthThreshold>\
                    </HealthCheckConfig>";
        let mut config = read_check_config(text).unwrap();
        let children = children.iter().map(|number| uuid(number));
        config.settings.children = Some(children.collect());
        RemoteHealthCheck {
            id: uuid(id),
            kind: "CALCULATED".to_owned(),
            config: Ok(config),
        }
    }

    fn uuid(digit: &str) -> String {
        format!("0000000{digit}-0000-4000-8000-000000000000")
    }

    #[test]
    fn children_come_before_what_is_calculated_from_them() {
        let all = vec![
            calculated("1", &["2", "3"]),
            calculated("2", &["3"]),
            calculated("3", &[]),
            calculated("4", &["5"]),
            calculated("6", &["7"]),
            calculated("7", &["6"]),
        ];
        let (checks, others) = sorted(all);
        let ids: Vec<&str> = checks.iter().map(|check| check.id.as_str()).collect();
        assert_eq!(ids, ["3", "2", "1"].map(uuid));
        let ids: Vec<&str> = others.iter().map(|thing| thing.id.as_str()).collect();
        assert_eq!(
            ids,
            ["4", "6", "7"].map(uuid),
            "nobody has 5, and 6 and 7 are a ring"
        );
    }
}
