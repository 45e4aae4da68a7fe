//! What Prometheus answers to `query_range`, as the values of successive periods.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    /// Times in seconds, and values as texts.
    values: Vec<(f64, String)>,
}

/// The times that were asked for, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    /// The first of them.
    pub(super) start: u64,
    /// From one to the next.
    pub(super) period: u64,
    /// How many.
    pub(super) count: usize,
}

impl Times {
    /// The last `count` full periods before `now`.
    pub(super) fn before(now: u64, period: u64, count: usize) -> Self {
        let period = period.max(1);
        let end = now - now % period;
        let before = period.saturating_mul(count.saturating_sub(1) as u64);
        Self {
            start: end.saturating_sub(before),
            period,
            count,
        }
    }

    /// The last of them.
    pub(super) const fn end(&self) -> u64 {
        let steps = self.count.saturating_sub(1) as u64;
        self.start.saturating_add(self.period.saturating_mul(steps))
    }

    /// Which of them this is.
    fn place(&self, time: f64) -> Option<usize> {
        let step = (time - self.start as f64) / self.period as f64;
        let nearest = step.round();
        let is_near = (step - nearest).abs() < 0.01;
        (is_near && nearest >= 0.0 && nearest < self.count as f64).then_some(nearest as usize)
    }
}

/// The value at each of the times, as far as there is one.
pub(super) fn read(body: &[u8], times: &Times) -> Result<Vec<Option<f64>>> {
    let answer: Answer = serde_json::from_slice(body).context("the answer is not Prometheus's")?;
    ensure!(
        answer.status == "success",
        "Prometheus says {}: {}",
        answer.status,
        answer.error
    );
    let data = answer.data.context("the answer has no data")?;
    ensure!(
        data.result_type == "matrix",
        "the answer is a {}, and not a series",
        data.result_type
    );
    let mut values = vec![None; times.count];
    let mut all = data.result.into_iter();
    let Some(series) = all.next() else {
        return Ok(values);
    };
    ensure!(
        all.next().is_none(),
        "the query gives several series; it has to give one, as sum() or max() do"
    );
    for (time, text) in series.values {
        let value: f64 = text.parse().context("a value is no number")?;
        if let Some(place) = times.place(time).and_then(|place| values.get_mut(place)) {
            *place = Some(value);
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: Times = Times {
        start: 1000,
        period: 10,
        count: 4,
    };

    fn read_series(series: &str) -> Result<Vec<Option<f64>>> {
        let body = format!(
            "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{series}]}}}}"
        );
        read(body.as_bytes(), &TIMES)
    }

    #[test]
    fn times_are_full_periods() {
        let times = Times::before(1039, 10, 4);
        assert_eq!((times, times.end()), (TIMES, 1030));
        assert_eq!(Times::before(3, 10, 4).start, 0);
    }

    #[test]
    fn values_stand_at_their_times() {
        let one = "{\"metric\":{\"a\":\"b\"},\"values\":[[1000,\"1.5\"],[1020.001,\"+Inf\"],\
                   [1030,\"NaN\"],[1040,\"7\"],[990,\"7\"],[1005,\"7\"]]}";
        let values = read_series(one).unwrap();
        assert_eq!(values[..3], [Some(1.5), None, Some(f64::INFINITY)]);
        assert!(values[3].is_some_and(f64::is_nan));
        assert_eq!(read_series("").unwrap(), [None; 4]);
    }

    #[test]
    fn what_is_no_series_says_so() {
        let empty = "{\"metric\":{},\"values\":[]}";
        let several = read_series(&format!("{empty},{empty}")).unwrap_err();
        assert!(several.to_string().contains("several series"));
        for (body, part) in [
            ("<html>", "not Prometheus's"),
            (
                "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error\"}",
                "error: parse error",
            ),
            ("{\"status\":\"success\"}", "no data"),
            (
                "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}",
                "a vector",
            ),
        ] {
            let error = read(body.as_bytes(), &TIMES).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let word = "{\"metric\":{},\"values\":[[1000,\"many\"]]}";
        assert!(read_series(word).is_err());
    }
}
