//! The region that AWS's services have in the names of their hosts: a table of forms, and reading
//! names by it. Whether there is such a region, and what anybody registered, is not known here.

use meridian_dns::Name;

use crate::routing::Region;

/// The forms, without the final dot. A `*` at the beginning stands for one label or more, a `?` for
/// none or more, `{}` for the region.
///
/// Only a label that a service, not a customer, chooses is one of a form: a bucket may be called
/// `eu-west-1`. Services that are in no region (CloudFront, Global Accelerator), and names that do
/// not tell it, are not here.
const FORMS: &[&str] = &[
    // Application and classic load balancers, then those of networks.
    "*.{}.elb.amazonaws.com",
    "*.{}.elb.amazonaws.com.cn",
    "*.elb.{}.amazonaws.com",
    "*.elb.{}.amazonaws.com.cn",
    // S3: web sites, with a dot in regions since 2014, and buckets.
    "?.s3-website-{}.amazonaws.com",
    "?.s3-website.{}.amazonaws.com",
    "?.s3-website.{}.amazonaws.com.cn",
    "?.s3-{}.amazonaws.com",
    "?.s3.{}.amazonaws.com",
    "?.s3.{}.amazonaws.com.cn",
    "?.s3.dualstack.{}.amazonaws.com",
    "?.s3.dualstack.{}.amazonaws.com.cn",
    "*.s3-accesspoint.{}.amazonaws.com",
    "*.s3-accesspoint.{}.amazonaws.com.cn",
    // API Gateway, its regional custom domains among them.
    "*.execute-api.{}.amazonaws.com",
    "*.execute-api.{}.api.aws",
    "*.execute-api.{}.amazonaws.com.cn",
    "*.appsync-api.{}.amazonaws.com",
    "*.lambda-url.{}.on.aws",
    "*.vpc-lattice-svcs.{}.on.aws",
    "*.{}.elasticbeanstalk.com",
    "*.{}.elasticbeanstalk.com.cn",
    "*.{}.awsapprunner.com",
    "*.{}.cs.amazonlightsail.com",
    // Endpoints of VPCs, and machines.
    "*.{}.vpce.amazonaws.com",
    "*.{}.vpce.amazonaws.com.cn",
    "*.{}.compute.amazonaws.com",
    "*.{}.compute.amazonaws.com.cn",
    // What else people give names of their own.
    "*.{}.eks.amazonaws.com",
    "*.{}.es.amazonaws.com",
    "*.iot.{}.amazonaws.com",
    "*.mq.{}.amazonaws.com",
    "*.transfer.{}.amazonaws.com",
    "*.{}.rds.amazonaws.com",
    "*.rds.{}.amazonaws.com.cn",
];

/// Machines in the first region, whose names do not spell it.
const FIRST: (&str, &str) = ("*.compute-1.amazonaws.com", "us-east-1");

/// The region that the name of a host tells. It has the form of AWS's, as in `eu-west-1`, and may
/// be one that this version has not heard of.
pub fn region_of_host(name: &Name) -> Option<Region> {
    let name = name.to_lowercase();
    let mut labels = Vec::with_capacity(name.label_count());
    for label in name.labels() {
        labels.push(std::str::from_utf8(label).ok()?);
    }
    let (form, region) = FIRST;
    if matches(form, &labels).is_some() {
        return Region::new(region);
    }
    let told = FORMS.iter().find_map(|form| matches(form, &labels));
    told.and_then(Region::possible)
}

/// What stands for the region in labels of this form; empty where the form has none.
fn matches<'n>(form: &str, labels: &[&'n str]) -> Option<&'n str> {
    let (first, rest) = form.split_once('.')?;
    let least = match first {
        "*" => 1,
        _ => 0,
    };
    let parts: Vec<&str> = rest.split('.').collect();
    let free = labels.len().checked_sub(parts.len())?;
    if free < least {
        return None;
    }
    let mut region = "";
    for (part, label) in parts.into_iter().zip(labels.get(free..)?) {
        match part.split_once("{}") {
            None if part == *label => {}
            Some((before, after)) => {
                region = label.strip_prefix(before)?.strip_suffix(after)?;
                if !has_form(region) {
                    return None;
                }
            }
            None => return None,
        }
    }
    Some(region)
}

/// Whether it looks like a region's name: small letters in two or more parts, then a number.
fn has_form(text: &str) -> bool {
    let mut parts: Vec<&str> = text.split('-').collect();
    let number = parts.pop().unwrap_or_default();
    let is_number = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    is_number && parts.len() >= 2 && parts.iter().all(is_word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(name: &str) -> Option<String> {
        let region = region_of_host(&Name::parse(name).unwrap());
        region.map(|region| region.as_str().to_owned())
    }

    #[test]
    fn names_of_services_tell_their_region() {
        for (name, region) in [
            ("web-1234567890.us-east-1.elb.amazonaws.com", "us-east-1"),
            (
                "dualstack.Web-1234567890.EU-West-1.ELB.amazonaws.com.",
                "eu-west-1",
            ),
            (
                "internal-x-1.us-gov-west-1.elb.amazonaws.com",
                "us-gov-west-1",
            ),
            ("x-1.cn-north-1.elb.amazonaws.com.cn", "cn-north-1"),
            (
                "net-0123456789abcdef.elb.eu-central-1.amazonaws.com",
                "eu-central-1",
            ),
            (
                "net-1.elb.cn-northwest-1.amazonaws.com.cn",
                "cn-northwest-1",
            ),
            ("s3-website-us-east-1.amazonaws.com", "us-east-1"),
            (
                "www.example.com.s3-website-us-west-2.amazonaws.com",
                "us-west-2",
            ),
            (
                "www.example.com.s3-website.eu-central-1.amazonaws.com",
                "eu-central-1",
            ),
            ("s3-website.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("bucket.s3.ap-south-2.amazonaws.com", "ap-south-2"),
            ("bucket.s3-ap-southeast-1.amazonaws.com", "ap-southeast-1"),
            ("eu-west-1.s3.us-west-1.amazonaws.com", "us-west-1"),
            ("b.s3.dualstack.eu-north-1.amazonaws.com", "eu-north-1"),
            ("a1b2c3.execute-api.sa-east-1.amazonaws.com", "sa-east-1"),
            (
                "d-a1b2c3.execute-api.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
            ),
            ("abc.lambda-url.eu-west-3.on.aws", "eu-west-3"),
            ("app.us-west-2.elasticbeanstalk.com", "us-west-2"),
            (
                "app.eba-a1b2c3d4.ap-northeast-1.elasticbeanstalk.com",
                "ap-northeast-1",
            ),
            ("app.us-east-1.awsapprunner.com", "us-east-1"),
            ("vpce-1-2.svc.eu-west-1.vpce.amazonaws.com", "eu-west-1"),
            ("ec2-192-0-2-1.eu-west-1.compute.amazonaws.com", "eu-west-1"),
            ("ec2-192-0-2-1.compute-1.amazonaws.com", "us-east-1"),
            ("db.c1.eusc-de-east-1.rds.amazonaws.com", "eusc-de-east-1"),
            ("ap-1.s3-accesspoint.us-west-2.amazonaws.com", "us-west-2"),
            ("a1.execute-api.eu-west-1.api.aws", "eu-west-1"),
            ("shop-1.2.vpc-lattice-svcs.us-west-2.on.aws", "us-west-2"),
            ("shop.1.us-west-2.cs.amazonlightsail.com", "us-west-2"),
            ("A1.gr7.us-east-1.eks.amazonaws.com", "us-east-1"),
            ("search-a-1.eu-west-1.es.amazonaws.com", "eu-west-1"),
            ("a1-ats.iot.ap-south-1.amazonaws.com", "ap-south-1"),
            ("b-1-1.mq.us-west-2.amazonaws.com", "us-west-2"),
            ("s-1.server.transfer.us-east-1.amazonaws.com", "us-east-1"),
            ("later.mars-north-1.elb.amazonaws.com", "mars-north-1"),
        ] {
            assert_eq!(told(name).as_deref(), Some(region), "{name}");
        }
    }

    #[test]
    fn other_names_tell_none() {
        for name in [
            ".",
            "www.example.com",
            "d111111abcdef8.cloudfront.net",
            "a1234567890.awsglobalaccelerator.com",
            "us-east-1.elb.amazonaws.com",
            "elb.us-east-1.amazonaws.com",
            "eu-west-1.s3.amazonaws.com",
            "bucket.s3.amazonaws.com",
            "s3-website.amazonaws.com",
            "x.us-east-1.elb.amazonaws.com.example.com",
            "x.us-east-1.elb.amazonaws.org",
            "x.useast1.elb.amazonaws.com",
            "x.east-1.elb.amazonaws.com",
            "x.us-east-.elb.amazonaws.com",
            "x.us--east-1.elb.amazonaws.com",
            "x.us-east-\\061\\061\\061.elb.amazonaws.com",
            "x.\\377us-east-1.elb.amazonaws.com",
            "b.s3-external-1.amazonaws.com",
        ] {
            assert_eq!(told(name), None, "{name}");
        }
    }

    fn label() -> impl Strategy<Value = String> {
        "[a-z0-9]([a-z0-9-]{0,14}[a-z0-9])?"
    }

    proptest! {
        /// However many labels a customer chooses and whatever they are, also other regions.
        #[test]
        fn the_form_decides_and_not_what_customers_choose(
            form in prop::sample::select(FORMS.to_vec()),
            region in prop::sample::select(Region::known().collect::<Vec<_>>()),
            customers in prop::collection::vec(
                prop_oneof![label(), prop::sample::select(Region::known().collect::<Vec<_>>())
                    .prop_map(str::to_owned)],
                1..4,
            ),
            upper in any::<bool>(),
        ) {
            let (_, rest) = form.split_once('.').unwrap();
            let rest = rest.replace("{}", region);
            let mut name = format!("{}.{rest}", customers.join("."));
            if upper {
                name = name.to_ascii_uppercase();
            }
            prop_assert_eq!(told(&name), Some(region.to_owned()));
            // Without the labels that the form wants there is nobody's host.
            let bare = told(&rest);
            prop_assert_eq!(bare.is_some(), form.starts_with('?'));
        }

        #[test]
        fn whatever_a_name_is_it_is_read_without_panic(
            labels in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..12), 0..6),
            form in prop::sample::select(FORMS.to_vec()),
        ) {
            let mut wire = Vec::new();
            for label in &labels {
                wire.push(label.len() as u8);
                wire.extend_from_slice(label);
            }
            for label in form.split('.').skip(1) {
                wire.push(label.len() as u8);
                wire.extend_from_slice(label.as_bytes());
            }
            wire.push(0);
            if let Ok(name) = Name::from_wire(&wire) {
                // `{}` is no region.
                prop_assert_eq!(region_of_host(&name), None);
            }
        }

        #[test]
        fn a_region_that_is_told_stands_in_the_name(name in "([a-z0-9-]{1,9}\\.){1,5}(elb\\.|s3\\.)?amazonaws\\.com") {
            if let Ok(parsed) = Name::parse(&name)
                && let Some(region) = region_of_host(&parsed)
            {
                let spelt = name.contains(region.as_str());
                prop_assert!(spelt || name.contains("compute-1"), "{} in {name}", region.as_str());
            }
        }
    }
}
