//! Which formats there are, and how one looks at first sight.

use meridian_model::Network;

use super::columns::split;

/// How the rows of a file look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `prefix,region,rtt_ms,count[,ts]`.
    Csv,
    /// The same fields in an object on each line.
    Ndjson,
    /// `from,to,ms` between regions.
    Matrix,
    /// Results of pings by RIPE Atlas: an array, or an object on each line.
    RipeAtlas,
    /// Rows of M-Lab's NDT: CSV with a first line, or an object on each line.
    MLab,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Csv,
        Self::Ndjson,
        Self::Matrix,
        Self::RipeAtlas,
        Self::MLab,
    ];

    /// What it is called.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Matrix => "matrix",
            Self::RipeAtlas => "ripe-atlas",
            Self::MLab => "m-lab",
        }
    }

    /// The one that is called so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// What a file seems to be that begins with these bytes, if that can be seen.
    pub fn guess(start: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(start);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if text.starts_with(['[', '{']) {
            let marks = [
                ("\"prb_id\"", Self::RipeAtlas),
                ("\"dst_addr\"", Self::RipeAtlas),
                ("MinRTT", Self::MLab),
                ("\"prefix\"", Self::Ndjson),
            ];
            let found = marks.iter().find(|(mark, _)| text.contains(mark));
            return found.map(|(_, format)| *format);
        }
        let lines = text.lines().map(str::trim);
        let line = lines.into_iter().find(|line| !passes_over(line))?;
        let fields = split(line).ok()?;
        let fields: Vec<&str> = fields.iter().map(AsRef::as_ref).collect();
        let is = |name: &str| fields.iter().any(|field| field.eq_ignore_ascii_case(name));
        let is_network = |field: &&str| field.parse::<Network>().is_ok();
        match fields.as_slice() {
            _ if line.to_ascii_lowercase().contains("minrtt") => Some(Self::MLab),
            _ if is("prefix") && is("region") => Some(Self::Csv),
            _ if is("from") && is("to") && is("ms") => Some(Self::Matrix),
            [prefix, _, _, ..] if is_network(prefix) => Some(Self::Csv),
            [_, _, ms] if ms.parse::<f64>().is_ok() => Some(Self::Matrix),
            _ => None,
        }
    }

    /// Whether all rows may stand in one array.
    pub(super) const fn may_be_array(self) -> bool {
        matches!(self, Self::Ndjson | Self::RipeAtlas | Self::MLab)
    }
}

/// What a file is packed with that begins with these bytes, if it is.
pub fn packed_with(start: &[u8]) -> Option<&'static str> {
    let marks: [(&[u8], _); 4] = [
        (b"\x1f\x8b", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\xfd7zXZ\0", "xz"),
        (b"BZh", "bzip2"),
    ];
    let found = marks.iter().find(|(mark, _)| start.starts_with(mark));
    found.map(|(_, program)| *program)
}

/// Whether lines of values of a file that begins with these bytes end with CR alone: all of it is one
/// line then, which would be taken for the one that names the columns.
pub fn ends_lines_with_cr(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start);
    let first = start.split(|byte| *byte == b'\n').find_map(|line| {
        let line = line.trim_ascii();
        (!line.is_empty()).then_some(line)
    });
    // What is JSON may have it between its parts.
    first.is_some_and(|line| {
        !line.starts_with(b"[") && !line.starts_with(b"{") && line.contains(&b'\r')
    })
}

/// Whether a line of a file of lines says nothing: it is empty, or a comment.
pub(super) fn passes_over(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}
