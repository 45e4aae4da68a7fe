//! Rules that are wrong, each one a plausible misreading. An oracle that follows one of them plays
//! a server, and the comparison with the right oracle has to notice.

use meridian_model::RoutingKind;

/// What is done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// A weight of 0 counts as 1.
    ZeroWeightCounts,
    /// A weight of 0 is never chosen while another set is there, healthy or not.
    ZeroWeightNever,
    /// When all are unhealthy, sets of weight 0 are chosen, too.
    WeightedLastResortOfAll,
    /// The weight of unhealthy sets stays in the sum: it goes to the first.
    WeightStays,
    /// A set of weight 0 does not keep its group healthy.
    ZeroWeightIsNoMember,
    /// When both are unhealthy, the secondary answers.
    FailoverToDeadSecondary,
    /// When both are unhealthy, either answers.
    FailoverToBoth,
    /// A lone secondary answers nothing.
    LoneSecondaryIsSilent,
    /// An unhealthy place is replaced by another one of the same continent.
    GeolocationSibling,
    /// An unhealthy place is not widened.
    GeolocationNotWidened,
    /// When all matching are unhealthy, the widest of them answers.
    GeolocationLastResortWidest,
    /// No match and no default is NXDOMAIN.
    NoMatchIsNxdomain,
    /// No match and no default is answered by the first set.
    NoMatchIsFirst,
    /// Turkey lies in Asia.
    TurkeyInAsia,
    /// The farthest region answers.
    LatencyFarthest,
    /// The nearest region answers, healthy or not.
    LatencyIgnoresHealth,
    /// The nearest region answers, whatever was measured.
    LatencyByDistance,
    /// Where anything was measured, a region of which nothing is known does not answer.
    LatencyWantsNumbers,
    /// What was measured from the address of a client in a VPC counts.
    LatencyOfSender,
    /// The Chinese region has no precedence in China.
    ChinaIsNothingSpecial,
    /// In private zones the region of the VPC has no precedence over others as near.
    OwnRegionIsNothingSpecial,
    /// A positive bias divides.
    BiasDivides,
    /// A negative bias multiplies.
    NegativeBiasMultiplies,
    /// No more than 8 is forgotten.
    MultivalueAll,
    /// 8 counts values, not sets.
    MultivalueCountsValues,
    /// When all are unhealthy, nothing is answered.
    MultivalueSilent,
    /// The first TTL is taken instead of the smallest.
    MultivalueFirstTtl,
    /// Sets with the same values are answered like others.
    MultivalueSameTwice,
    /// Sets with the same values take places of others.
    MultivalueSamePlaces,
    /// A block matches a shorter client subnet.
    CidrShorterSubnet,
    /// The shortest block matches.
    CidrShortest,
    /// An unhealthy location is replaced by that of the next shorter block.
    CidrNextBlock,
    /// An unhealthy location without a default answers nothing.
    CidrSilent,
    /// EvaluateTargetHealth is not looked at.
    AliasNeverEvaluates,
    /// EvaluateTargetHealth is always on.
    AliasAlwaysEvaluates,
    /// With a check, the target's health does not count.
    AliasCheckAlone,
    /// The target counts as healthy only if all its members are.
    AliasWantsAll,
    /// A host name elsewhere that nobody has resolved counts as healthy.
    UnresolvedIsHealthy,
    /// Host names elsewhere are answered with all their addresses, whoever's the zone is.
    AddressesForAll,
    /// A set without a check counts as unhealthy once another one is.
    NoCheckIsUnhealthy,
    /// A check that is gone counts as unhealthy.
    GoneCheckIsUnhealthy,
    /// When all are unhealthy, nothing is answered.
    NoLastResort,
    /// The answer bears the target's name.
    AliasShowsTarget,
    /// The source address decides in spite of the subnet.
    SubnetIgnored,
    /// The subnet decides in private zones, too.
    SubnetInVpc,
    /// A subnet of length 0 decides as 0.0.0.0.
    EmptySubnetCounts,
    /// What nobody decides is decided by the seed.
    NothingSettled,
    /// The scope is always 0.
    ScopeZero,
    /// The scope is a bit too wide.
    ScopeTooWide,
    /// A scope of 0 for one family of addresses where the other one is answered otherwise.
    ScopeOfFamily,
    /// The scope is that of the subnet.
    ScopeAsAsked,
    /// An empty answer keeps the zone's negative TTL.
    EmptyAnswerStays,
}

impl Wrong {
    pub(crate) const ALL: [Self; 52] = [
        Self::ZeroWeightCounts,
        Self::ZeroWeightNever,
        Self::WeightedLastResortOfAll,
        Self::WeightStays,
        Self::ZeroWeightIsNoMember,
        Self::FailoverToDeadSecondary,
        Self::FailoverToBoth,
        Self::LoneSecondaryIsSilent,
        Self::GeolocationSibling,
        Self::GeolocationNotWidened,
        Self::GeolocationLastResortWidest,
        Self::NoMatchIsNxdomain,
        Self::NoMatchIsFirst,
        Self::TurkeyInAsia,
        Self::LatencyFarthest,
        Self::LatencyIgnoresHealth,
        Self::LatencyByDistance,
        Self::LatencyWantsNumbers,
        Self::LatencyOfSender,
        Self::ChinaIsNothingSpecial,
        Self::OwnRegionIsNothingSpecial,
        Self::BiasDivides,
        Self::NegativeBiasMultiplies,
        Self::MultivalueAll,
        Self::MultivalueCountsValues,
        Self::MultivalueSilent,
        Self::MultivalueFirstTtl,
        Self::MultivalueSameTwice,
        Self::MultivalueSamePlaces,
        Self::CidrShorterSubnet,
        Self::CidrShortest,
        Self::CidrNextBlock,
        Self::CidrSilent,
        Self::AliasNeverEvaluates,
        Self::AliasAlwaysEvaluates,
        Self::AliasCheckAlone,
        Self::AliasWantsAll,
        Self::UnresolvedIsHealthy,
        Self::AddressesForAll,
        Self::NoCheckIsUnhealthy,
        Self::GoneCheckIsUnhealthy,
        Self::NoLastResort,
        Self::AliasShowsTarget,
        Self::SubnetIgnored,
        Self::SubnetInVpc,
        Self::EmptySubnetCounts,
        Self::NothingSettled,
        Self::ScopeZero,
        Self::ScopeTooWide,
        Self::ScopeOfFamily,
        Self::ScopeAsAsked,
        Self::EmptyAnswerStays,
    ];

    /// The policy that it is about, if it is about one.
    pub(crate) fn kind(self) -> Option<RoutingKind> {
        use RoutingKind::{
            Cidr, Failover, Geolocation, Geoproximity, Latency, Multivalue, Weighted,
        };
        let name = format!("{self:?}");
        let kinds = [
            ("Weight", Weighted),
            ("Failover", Failover),
            ("Secondary", Failover),
            ("Geolocation", Geolocation),
            ("NoMatch", Geolocation),
            ("Turkey", Geolocation),
            ("Empty", Geolocation),
            ("Vpc", Geolocation),
            ("Latency", Latency),
            ("China", Latency),
            ("OwnRegion", Latency),
            ("Bias", Geoproximity),
            ("Multivalue", Multivalue),
            ("Cidr", Cidr),
            ("OfFamily", Cidr),
        ];
        let found = kinds.iter().find(|(word, _)| name.contains(word));
        found.map(|(_, kind)| *kind)
    }
}
