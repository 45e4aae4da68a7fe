//! Terraform's `import` blocks: what exists under which id, so that `terraform plan
//! -generate-config-out=FILE` writes the rest.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Write;

use anyhow::Result;

use super::report::Report;
use super::target::Target;
use crate::transfer::JsonSet;

/// Writes the blocks of all that is here now.
pub(super) fn write(out: &mut dyn Write, target: &Target, report: &Report) -> Result<()> {
    let mut blocks = Blocks::default();
    for set in &report.delegation_sets {
        writeln!(out, "{}", blocks.delegation_set(&set.new_id))?;
    }
    let checks = report.health_checks.iter();
    for id in checks.filter_map(|check| check.new_id.as_ref()) {
        writeln!(out, "{}", blocks.health_check(id))?;
    }
    for zone in &report.zones {
        let Some(new_id) = &zone.new_id else { continue };
        let (block, prefix) = blocks.zone(&zone.name, new_id);
        writeln!(out, "{block}")?;
        target.each_set(new_id, |set| {
            if let Some(block) = blocks.set((&zone.name, new_id, &prefix), set) {
                writeln!(out, "{block}")?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// The blocks of all zones, with names that no two resources share.
#[derive(Debug, Default)]
struct Blocks {
    names: HashSet<String>,
}

impl Blocks {
    /// The block of a delegation set.
    fn delegation_set(&mut self, id: &str) -> String {
        let name = self.name(&["set", id]);
        block("aws_route53_delegation_set", &name, id)
    }

    /// The block of a health check.
    fn health_check(&mut self, id: &str) -> String {
        let name = self.name(&["check", id]);
        block("aws_route53_health_check", &name, id)
    }

    /// The block of a zone, and what its records' names begin with.
    fn zone(&mut self, zone: &str, id: &str) -> (String, String) {
        let name = self.name(&[zone.trim_end_matches('.')]);
        (block("aws_route53_zone", &name, id), name)
    }

    /// The block of a record set; none for the zone's own NS and SOA, which the zone brings along.
    fn set(&mut self, (zone, id, prefix): (&str, &str, &str), set: &JsonSet) -> Option<String> {
        if set.name == zone && matches!(set.rtype.as_str(), "NS" | "SOA") {
            return None;
        }
        let identifier = set.set_identifier.as_deref();
        let below = set.name.strip_suffix(zone).unwrap_or(&set.name);
        let below = below.trim_end_matches('.').replace("\\052", "wildcard");
        let below = if below.is_empty() { "apex" } else { &below };
        let mut parts = vec![prefix, below, set.rtype.as_str()];
        parts.extend(identifier);
        let name = self.name(&parts);
        // The provider's own form: Z1_*.example.com_A_identifier.
        let shown = set.name.trim_end_matches('.').replace("\\052", "*");
        let mut record = format!("{id}_{shown}_{}", set.rtype);
        if let Some(identifier) = identifier {
            let _ = write!(record, "_{identifier}");
        }
        Some(block("aws_route53_record", &name, &record))
    }

    /// A name for a resource: letters, digits and `_` alone, and nobody else's.
    fn name(&mut self, parts: &[&str]) -> String {
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        };
        let mut base: String = parts.join("_").chars().map(plain).collect();
        if !base.starts_with(|c: char| c.is_ascii_alphabetic()) {
            base.insert_str(0, "r_");
        }
        let mut name = base.clone();
        let mut number = 1_u64;
        // Ends with a number that is free: there are fewer names than numbers.
        while !self.names.insert(name.clone()) {
            number += 1;
            name = format!("{base}_{number}");
        }
        name
    }
}

fn block(kind: &str, name: &str, id: &str) -> String {
    format!(
        "import {{\n  to = {kind}.{name}\n  id = {}\n}}\n",
        quoted(id)
    )
}

/// A string of HCL.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace("${", "$${")
        .replace("%{", "%%{");
    let mut out = String::with_capacity(escaped.len() + 2);
    out.push('"');
    for c in escaped.chars() {
        if c.is_control() {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_string() {
        assert_eq!(quoted("a\\100\n\"$x${%{"), r#""a\\100\u000a\"$x$${%%{""#);
    }

    #[test]
    fn names_are_plain_and_nobody_elses() {
        let mut blocks = Blocks::default();
        let (block, prefix) = blocks.zone("1.example.", "Z1");
        assert_eq!(
            block,
            "import {\n  to = aws_route53_zone.r_1_example\n  id = \"Z1\"\n}\n"
        );
        let set = |name: &str, rtype: &str, identifier: Option<&str>| {
            let mut set = JsonSet::default();
            name.clone_into(&mut set.name);
            rtype.clone_into(&mut set.rtype);
            set.set_identifier = identifier.map(str::to_owned);
            set
        };
        let zone = ("1.example.", "Z1", prefix.as_str());
        let mut shown = |set: JsonSet| blocks.set(zone, &set);
        assert_eq!(shown(set("1.example.", "NS", None)), None);
        let apex = shown(set("1.example.", "A", None)).unwrap();
        assert!(
            apex.contains("aws_route53_record.r_1_example_apex_a\n"),
            "{apex}"
        );
        assert!(apex.contains("id = \"Z1_1.example_A\""), "{apex}");
        let wild = shown(set("\\052.1.example.", "A", Some("a\"${b"))).unwrap();
        assert!(wild.contains("r_1_example_wildcard_a_a___b\n"), "{wild}");
        assert!(
            wild.contains(r#"id = "Z1_*.1.example_A_a\"$${b""#),
            "{wild}"
        );
        let one = shown(set("a-b.1.example.", "A", None)).unwrap();
        let two = shown(set("a_b.1.example.", "A", None)).unwrap();
        assert!(
            one.contains("_a_b_a\n") && two.contains("_a_b_a_2\n"),
            "{one}{two}"
        );
    }
}
