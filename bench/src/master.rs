//! Zones from master files (RFC 1035 section 5), read by crate `domain`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use domain::base::iana::Class;
use domain::base::name::ToName;
use domain::base::rdata::ComposeRecordData;
use domain::zonefile::inplace::{Entry, ScannedRecord, Zonefile};
use meridian_dns::{Name, RecordType, rdata};

use crate::data::{Row, ZoneRows};

/// The zones that a file of `zone<TAB>master file` lines names, read one by one.
///
/// # Errors
/// When the file itself cannot be read; what is wrong with a zone is its item.
pub fn zones(list: &Path) -> Result<impl Iterator<Item = Result<ZoneRows>>> {
    let shown = list.display();
    let text = fs::read_to_string(list).with_context(|| format!("cannot read {shown}"))?;
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    Ok(lines.into_iter().map(|line| {
        let (apex, path) = line
            .split_once('\t')
            .with_context(|| format!("'{line}' is not zone<TAB>file"))?;
        zone(apex, Path::new(path)).with_context(|| path.to_owned())
    }))
}

fn zone(apex: &str, path: &Path) -> Result<ZoneRows> {
    let apex = Name::parse(apex)?.to_lowercase();
    let mut file = Zonefile::load(&mut File::open(path)?)?;
    file.set_default_class(Class::IN);
    let origin = domain::base::Name::from_octets(apex.as_wire().to_vec().into())?;
    file.set_origin(origin);
    let mut rows: BTreeMap<(String, RecordType), Row> = BTreeMap::new();
    while let Some(entry) = file.next_entry()? {
        let Entry::Record(record) = entry else {
            bail!("$INCLUDE is not supported");
        };
        let row = row(&record)?;
        rows.entry((row.name.clone(), row.rtype))
            .and_modify(|known| known.values.extend_from_slice(&row.values))
            .or_insert(row);
    }
    Ok(ZoneRows {
        apex: apex.to_string().trim_end_matches('.').to_owned(),
        rows: rows.into_values().collect(),
    })
}

fn row(record: &ScannedRecord) -> Result<Row> {
    let owner = record.owner().to_vec();
    let name = Name::from_wire(owner.as_slice())?.to_lowercase();
    let code = record.rtype().to_int();
    let rtype = RecordType::from_code(code)
        .ok_or_else(|| anyhow!("{name} has a set of type {code}, which cannot be stored"))?;
    let mut wire = Vec::new();
    record.data().compose_rdata(&mut wire)?;
    Ok(Row {
        name: name.to_string().trim_end_matches('.').to_owned(),
        rtype,
        ttl: record.ttl().as_secs(),
        values: vec![rdata::text(rtype, &wire).map_err(|error| anyhow!("{name}: {error}"))?],
        policy: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_file_gives_sets_with_absolute_names() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("z.zone");
        let text = "$TTL 300\n@ SOA ns1 admin 1 3600 900 604800 300\n@ NS ns1\n@ NS ns2.else.\n\
                    @ TXT \"v=spf1 -all\"\nwww 60 IN A 192.0.2.1\n";
        fs::write(&path, text).unwrap();
        let list = directory.path().join("list");
        fs::write(&list, format!("Z.test\t{}\n", path.display())).unwrap();
        let zones: Vec<ZoneRows> = zones(&list).unwrap().map(Result::unwrap).collect();
        assert_eq!(zones.len(), 1);
        assert_eq!(zones[0].apex, "z.test");
        let shown: Vec<String> = zones[0]
            .rows
            .iter()
            .map(|row| {
                format!(
                    "{} {} {} {}",
                    row.name,
                    row.ttl,
                    row.rtype,
                    row.values.join(" ")
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "www.z.test 60 A 192.0.2.1",
                "z.test 300 NS ns1.z.test. ns2.else.",
                "z.test 300 SOA ns1.z.test. admin.z.test. 1 3600 900 604800 300",
                "z.test 300 TXT \"v=spf1 -all\"",
            ]
        );
    }
}
