//! Aliases to names elsewhere that are here after all: which loops a change is refused for, and
//! which chains are none.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

mod memory;

use memory::{Memory, account, facts};
use meridian_dns::RecordType::{self, A, Aaaa, Cname, Ns};
use meridian_model::{
    Action, BatchRefusal, Draft, DraftAlias, DraftChange, NewZone, PlanError, Zone, ZoneId,
    plan_batch, plan_create_zone,
};

const OWNER: &str = "111111111111";

/// Zones of two accounts.
struct Bench {
    state: Memory,
    made: u8,
}

impl Bench {
    fn new() -> Self {
        Self {
            state: Memory::with_pool(16),
            made: 0,
        }
    }

    fn zone_of(&mut self, owner: &str, name: &str) -> Zone {
        self.made += 1;
        let new = NewZone {
            name: name.to_owned(),
            caller_reference: format!("r{}", self.made),
            comment: None,
            delegation_set: None,
            vpc: None,
        };
        let owner = account(owner, true);
        let facts = &mut facts(self.made);
        let (zone, effects) = plan_create_zone(&self.state, facts, &owner, new).unwrap();
        self.state.apply(effects);
        zone
    }

    fn zone(&mut self, name: &str) -> Zone {
        self.zone_of(OWNER, name)
    }

    /// Writes sets, or gives what is said against them.
    fn write(&mut self, zone: &Zone, sets: &[Draft]) -> Vec<String> {
        let changes: Vec<DraftChange> = sets
            .iter()
            .map(|set| DraftChange {
                action: Action::Upsert,
                set: set.clone(),
            })
            .collect();
        match plan_batch(&self.state, zone, &changes) {
            Ok(effects) => {
                self.state.apply(effects);
                Vec::new()
            }
            Err(PlanError::Refused(BatchRefusal::InvalidChangeBatch(messages))) => messages,
            Err(other) => panic!("{other:?}"),
        }
    }

    /// What is said against one set, behind the words that every such text has.
    fn loop_of(&mut self, zone: &Zone, set: &Draft) -> String {
        let messages = self.write(zone, std::slice::from_ref(set));
        let [message] = messages.as_slice() else {
            panic!("{messages:?}");
        };
        let (before, path) = message.split_once("that makes a loop: ").unwrap();
        let target = set.alias_target.as_ref().unwrap().dns_name.to_lowercase();
        let tried = format!("Tried to create an alias that targets {target}., type");
        assert!(before.starts_with(&tried), "{message}");
        path.to_owned()
    }
}

fn alias(name: &str, rtype: RecordType, (zone, target): (&str, &str)) -> Draft {
    Draft {
        ttl: None,
        records: None,
        alias_target: Some(DraftAlias {
            hosted_zone_id: ZoneId::new(zone).unwrap(),
            dns_name: target.to_owned(),
            evaluate_target_health: false,
        }),
        ..Draft::simple(name, rtype, 0, &[])
    }
}

fn elsewhere(name: &str, target: &str) -> Draft {
    alias(name, A, ("ZEXTERNAL", target))
}

#[test]
fn two_aliases_to_elsewhere_lead_to_each_other() {
    let mut bench = Bench::new();
    let (here, there) = (bench.zone("here.test"), bench.zone("there.test"));
    // The target is not there yet, and need not be.
    let first = elsewhere("a.here.test", "b.there.test");
    assert_eq!(bench.write(&here, &[first]), [""; 0]);
    let second = elsewhere("b.there.test", "A.here.test");
    assert_eq!(
        bench.loop_of(&there, &second),
        "b.there.test. -> a.here.test. -> b.there.test."
    );
    // Of another type it is none, and none to another name.
    let other = alias("b.there.test", Aaaa, ("ZEXTERNAL", "a.here.test"));
    assert_eq!(bench.write(&there, &[other]), [""; 0]);
    let other = elsewhere("b.there.test", "c.here.test");
    assert_eq!(bench.write(&there, &[other]), [""; 0]);
    // An id of a service means the same.
    let balancer = alias("c.here.test", A, ("Z35SXDOTRQ7X7K", "b.there.test"));
    assert_eq!(
        bench.loop_of(&here, &balancer),
        "c.here.test. -> b.there.test. -> c.here.test."
    );
}

#[test]
fn a_loop_may_lead_over_cnames_wildcards_and_aliases_of_ones_own() {
    let mut bench = Bench::new();
    let (here, there) = (bench.zone("here.test"), bench.zone("there.test"));
    let cname = Draft::simple("c.there.test", Cname, 60, &["d.here.test."]);
    assert_eq!(bench.write(&there, &[cname]), [""; 0]);
    let wild = elsewhere("*.here.test", "c.there.test");
    assert_eq!(
        bench.loop_of(&here, &wild),
        "\\052.here.test. -> c.there.test. -> \\052.here.test."
    );
    let fine = elsewhere("d.here.test", "cdn.else.test");
    assert_eq!(bench.write(&here, &[fine]), [""; 0]);
    assert_eq!(bench.write(&here, &[wild]), [""; 0], "d is there now");
    // From the apex over an alias of the zone's own.
    let own = alias("o.here.test", A, (here.id.as_str(), "here.test"));
    let apex = elsewhere("here.test", "o.here.test");
    assert_eq!(
        bench.write(&here, &[apex, own])[0],
        "Tried to create an alias that targets o.here.test., type A in zone ZEXTERNAL, but that \
         makes a loop: here.test. -> o.here.test. -> here.test."
    );
    let itself = elsewhere("*.w.here.test", "x.w.here.test");
    assert_eq!(
        bench.loop_of(&here, &itself),
        "\\052.w.here.test. -> \\052.w.here.test."
    );
}

#[test]
fn what_is_delegated_private_or_anothers_is_not_looked_into() {
    let mut bench = Bench::new();
    let here = bench.zone("here.test");
    let leads_back = |bench: &mut Bench, zone: &Zone, name: &str| {
        let back = elsewhere(name, "a.here.test");
        assert_eq!(bench.write(zone, &[back]), [""; 0]);
    };
    // Another account's zone.
    let others = bench.zone_of("222222222222", "others.test");
    leads_back(&mut bench, &others, "b.others.test");
    // What lies below a cut, or at it, is somebody else's.
    leads_back(&mut bench, &here, "b.cut.here.test");
    let cut = Draft::simple("cut.here.test", Ns, 60, &["ns.else.test"]);
    assert_eq!(bench.write(&here, &[cut]), [""; 0]);
    let aliases = [
        elsewhere("a.here.test", "b.others.test"),
        elsewhere("a.here.test", "b.cut.here.test"),
        elsewhere("a.here.test", "cut.here.test"),
        elsewhere("a.here.test", "nobody.else.test"),
    ];
    for alias in aliases {
        assert_eq!(bench.write(&here, &[alias]), [""; 0]);
    }
    // Nobody but its networks asks a private zone.
    let mut private = bench.zone("private.test");
    leads_back(&mut bench, &private, "b.private.test");
    let to_private = elsewhere("a.here.test", "b.private.test");
    bench.loop_of(&here, &to_private);
    private.private = true;
    bench
        .state
        .apply(vec![meridian_model::Effect::PutZone(private)]);
    assert_eq!(bench.write(&here, &[to_private]), [""; 0]);
}

#[test]
fn a_chain_begins_anew_where_it_is_asked_for_anew() {
    let mut bench = Bench::new();
    let zone = bench.zone("z.test");
    let own = |name: &str, target: &str| alias(name, A, (zone.id.as_str(), target));
    let mut sets = vec![Draft::simple("n0.z.test", A, 60, &["192.0.2.1"])];
    for n in 1..=10 {
        sets.push(own(&format!("n{n}.z.test"), &format!("n{}.z.test", n - 1)));
    }
    sets.push(elsewhere("m0.z.test", "n10.z.test"));
    for n in 1..=15 {
        sets.push(own(&format!("m{n}.z.test"), &format!("m{}.z.test", n - 1)));
    }
    assert_eq!(bench.write(&zone, &sets), [""; 0]);
    let long = own("m16.z.test", "m15.z.test");
    assert!(bench.write(&zone, &[long])[0].ends_with("a chain of more than 16 aliases"));
}
