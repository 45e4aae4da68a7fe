//! The text formats of metrics: Prometheus' 0.0.4 and OpenMetrics 1.0. Which metrics there are is
//! not here.

use std::fmt::{Display, Write};
use std::time::Duration;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Prometheus,
    OpenMetrics,
}

impl Format {
    /// What a client that accepts this wants.
    pub(crate) fn of(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    /// The value of Content-Type.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What a metric does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only grows; its name ends in `_total`.
    Counter,
    Gauge,
    Histogram,
}

/// A page of metrics being written.
#[derive(Debug)]
pub(crate) struct Page {
    format: Format,
    text: String,
}

/// One metric, whose samples follow.
#[derive(Debug)]
pub(crate) struct Family<'p> {
    page: &'p mut Page,
    name: &'static str,
}

/// A sample's labels.
pub(crate) type Labels<'l> = &'l [(&'l str, &'l str)];

impl Page {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            text: String::new(),
        }
    }

    /// Begins a metric.
    pub(crate) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        let shown = match (self.format, kind) {
            // There the suffix belongs to the sample.
            (Format::OpenMetrics, Kind::Counter) => name.trim_end_matches("_total"),
            _ => name,
        };
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.line(format_args!("# HELP {shown} {help}"));
        self.line(format_args!("# TYPE {shown} {kind}"));
        Family { page: self, name }
    }

    /// The whole page.
    pub(crate) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.line(format_args!("# EOF"));
        }
        self.text
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{line}");
    }
}

impl Family<'_> {
    /// One value.
    pub(crate) fn sample(&mut self, labels: Labels<'_>, value: impl Display) -> &mut Self {
        self.suffixed("", labels, value)
    }

    /// A histogram: for each finite bound how many were at most that, how many there were, and
    /// their sum.
    pub(crate) fn histogram(
        &mut self,
        labels: Labels<'_>,
        buckets: impl Iterator<Item = (Duration, u64)>,
        (count, sum): (u64, Duration),
    ) {
        let mut bucket = |bound: &str, below| {
            let with_bound = [labels, &[("le", bound)]].concat();
            self.suffixed("_bucket", &with_bound, below);
        };
        for (bound, below) in buckets {
            bucket(&bound.as_secs_f64().to_string(), below);
        }
        bucket("+Inf", count);
        self.suffixed("_count", labels, count);
        self.suffixed("_sum", labels, sum.as_secs_f64());
    }

    fn suffixed(&mut self, suffix: &str, labels: Labels<'_>, value: impl Display) -> &mut Self {
        let text = &mut self.page.text;
        text.push_str(self.name);
        text.push_str(suffix);
        for (place, (label, value)) in labels.iter().enumerate() {
            text.push(if place == 0 { '{' } else { ',' });
            text.push_str(label);
            text.push_str("=\"");
            for character in value.chars() {
                match character {
                    '\\' => text.push_str("\\\\"),
                    '"' => text.push_str("\\\""),
                    '\n' => text.push_str("\\n"),
                    other => text.push(other),
                }
            }
            text.push('"');
        }
        if !labels.is_empty() {
            text.push('}');
        }
        let _ = writeln!(text, " {value}");
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(format: Format) -> String {
        let mut page = Page::new(format);
        page.family("a_total", Kind::Counter, "How many.")
            .sample(&[], 1)
            .sample(&[("zone", "a\\\"\n"), ("b", "c")], 2.5);
        let buckets = [(1, 1), (2, 3)].map(|(us, below)| (Duration::from_micros(us), below));
        page.family("b_seconds", Kind::Histogram, "How long.")
            .histogram(
                &[("b", "c")],
                buckets.into_iter(),
                (4, Duration::from_millis(1500)),
            );
        page.finish()
    }

    #[test]
    fn pages_are_as_their_formats_want() {
        let prometheus = r#"# HELP a_total How many.
# TYPE a_total counter
a_total 1
a_total{zone="a\\\"\n",b="c"} 2.5
# HELP b_seconds How long.
# TYPE b_seconds histogram
b_seconds_bucket{b="c",le="0.000001"} 1
b_seconds_bucket{b="c",le="0.000002"} 3
b_seconds_bucket{b="c",le="+Inf"} 4
b_seconds_count{b="c"} 4
b_seconds_sum{b="c"} 1.5
"#;
        assert_eq!(page(Format::Prometheus), prometheus);
        let open = prometheus
            .replace("HELP a_total", "HELP a")
            .replace("TYPE a_total", "TYPE a");
        assert_eq!(page(Format::OpenMetrics), format!("{open}# EOF\n"));
    }

    #[test]
    fn openmetrics_is_for_those_who_ask() {
        let scraper = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3,*/*;q=0.1";
        assert_eq!(Format::of(scraper), Format::OpenMetrics);
        assert_eq!(Format::of("*/*"), Format::Prometheus);
        assert_eq!(Format::of(""), Format::Prometheus);
    }
}
