//! The names of AWS's local zone groups, which geoproximity records may name. Where they are is known
//! to the atlas.

/// In the order of their names.
const LOCAL_ZONE_GROUPS: [&str; 41] = [
    "af-south-1-los-1",
    "ap-northeast-1-tpe-1",
    "ap-south-1-ccu-1",
    "ap-south-1-del-1",
    "ap-southeast-1-bkk-1",
    "ap-southeast-1-han-1",
    "ap-southeast-1-mnl-1",
    "ap-southeast-2-akl-1",
    "ap-southeast-2-per-1",
    "eu-central-1-ham-1",
    "eu-central-1-waw-1",
    "eu-north-1-cph-1",
    "eu-north-1-hel-1",
    "me-south-1-mct-1",
    "us-east-1-atl-1",
    "us-east-1-atl-2",
    "us-east-1-bos-1",
    "us-east-1-bue-1",
    "us-east-1-chi-1",
    "us-east-1-chi-2",
    "us-east-1-dfw-1",
    "us-east-1-dfw-2",
    "us-east-1-iah-1",
    "us-east-1-iah-2",
    "us-east-1-lim-1",
    "us-east-1-mci-1",
    "us-east-1-mia-1",
    "us-east-1-mia-2",
    "us-east-1-msp-1",
    "us-east-1-nyc-1",
    "us-east-1-nyc-2",
    "us-east-1-phl-1",
    "us-east-1-qro-1",
    "us-east-1-scl-1",
    "us-west-2-den-1",
    "us-west-2-hnl-1",
    "us-west-2-las-1",
    "us-west-2-lax-1",
    "us-west-2-pdx-1",
    "us-west-2-phx-2",
    "us-west-2-sea-1",
];

/// The local zone groups that a geoproximity record may name.
pub fn local_zone_groups() -> impl Iterator<Item = &'static str> {
    LOCAL_ZONE_GROUPS.into_iter()
}
