//! Zones that are nobody's here: an alias into one of them points to a host name anywhere, which name
//! servers resolve beside the queries. What is found there is the business of `answer`.

mod ids;

use std::collections::HashMap;
use std::sync::LazyLock;

use meridian_dns::RecordType;

use crate::id::ZoneId;

/// The id that stands for all that is elsewhere.
pub const EXTERNAL: &str = "ZEXTERNAL";

/// The service whose targets' health cannot be evaluated, as with Route 53.
const CLOUDFRONT: &str = "CloudFront";

/// Whose zone an external id is. All of them mean the same for answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceZone {
    /// The service's name, for people.
    pub service: &'static str,
    /// The region, where the service has a zone in each.
    pub region: Option<&'static str>,
}

impl ServiceZone {
    /// Whether it is CloudFront's, of which Route 53 takes less than of others.
    pub fn is_cloudfront(&self) -> bool {
        self.service == CLOUDFRONT
    }
}

/// Whose zone this is, if it is external: `ZEXTERNAL`, and the published ids of AWS's services. A
/// zone that is here by such an id comes before.
pub fn external(id: &ZoneId) -> Option<ServiceZone> {
    static ZONES: LazyLock<HashMap<&str, ServiceZone>> = LazyLock::new(|| all().collect());
    ZONES.get(id.as_str()).copied()
}

/// Whether an alias of this type may be external: addresses, and where a service is behind them.
/// Other types have no meaning under another name, or are not asked for.
pub fn is_external_type(rtype: RecordType) -> bool {
    matches!(rtype, RecordType::A | RecordType::Aaaa | RecordType::Https)
}

fn all() -> impl Iterator<Item = (&'static str, ServiceZone)> {
    let anywhere = [("anywhere", EXTERNAL)].into_iter().chain(ids::EVERYWHERE);
    let anywhere = anywhere.map(|(service, id)| {
        let region = None;
        (id, ServiceZone { service, region })
    });
    let by_region = ids::BY_REGION.into_iter().flat_map(|(service, zones)| {
        zones.iter().map(move |(region, id)| {
            let region = Some(*region);
            (*id, ServiceZone { service, region })
        })
    });
    anywhere.chain(by_region)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::routing::Region;

    #[test]
    fn each_id_is_one_zones_and_its_region_is_known() {
        let ids: BTreeSet<&str> = all().map(|(id, _)| id).collect();
        assert_eq!(ids.len(), all().count());
        for (id, zone) in all() {
            assert_eq!(external(&ZoneId::new(id).unwrap()), Some(zone));
            assert!(zone.region.is_none_or(|name| Region::new(name).is_some()));
            // Those that are given here have 21 characters behind the cell of this version.
            assert!(id.len() <= 21 && id.starts_with('Z'), "{id}");
        }
    }

    #[test]
    fn well_known_ids_are_told_from_others() {
        let of = |id: &str| external(&ZoneId::new(id).unwrap());
        let balancer = of("Z35SXDOTRQ7X7K").unwrap();
        assert_eq!(balancer.region, Some("us-east-1"));
        assert!(balancer.service.contains("Load Balancer"));
        assert!(of("Z2FDTNDATAQYW2").unwrap().is_cloudfront());
        assert!(!of(EXTERNAL).unwrap().is_cloudfront());
        assert_eq!(of("Z00ABCDEFGHIJKLMNOPQR"), None);
        assert_eq!(of("ZEXTERNALS"), None);
    }
}
