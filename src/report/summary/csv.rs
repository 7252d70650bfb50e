//! The rows of the patterns as CSV. The names are those of the JSON report, flattened.

use std::io::{self, Write};

use super::{Summary, exchanges};
use crate::exchange::ExchangeKind;
use crate::report::{csv_error, visible};
use crate::store::{Latencies, PatternRow};

/// Writes the header row and a row per pattern, the costliest first.
pub fn write(summary: &Summary<'_>, out: &mut impl Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(header()).map_err(csv_error)?;
    for row in summary.statistics.patterns() {
        csv.write_record(record(row)).map_err(csv_error)?;
    }
    csv.flush()
}

/// What a distribution is told by.
const PERCENTILES: [&str; 9] = ["count", "min", "mean", "p50", "p90", "p95", "p99", "p999", "max"];

fn header() -> Vec<String> {
    let mut names: Vec<_> =
        ["pattern", "kind", "calls", "ok", "error", "open", "closed", "unknown"]
            .map(str::to_owned)
            .into();
    for distribution in ["latency_ns", "wait_ns"] {
        names.extend(PERCENTILES.map(|name| format!("{distribution}_{name}")));
    }
    names.extend(["request_bytes", "reply_bytes"].map(str::to_owned));
    names
}

fn record(row: &PatternRow) -> Vec<String> {
    let mut fields =
        vec![row.pattern.as_deref().map(visible).unwrap_or_default(), row.kind.name().to_owned()];
    let outcomes = row.outcomes;
    fields.extend(
        [
            exchanges(row),
            outcomes.ok,
            outcomes.error,
            outcomes.open,
            outcomes.closed,
            outcomes.unknown,
        ]
        .map(|number| number.to_string()),
    );
    for latencies in [&row.latency, &row.wait] {
        fields.extend(percentiles(latencies, row.kind));
    }
    fields.extend([row.request_bytes, row.reply_bytes].map(|number| number.to_string()));
    fields
}

fn percentiles(latencies: &Latencies, kind: ExchangeKind) -> [String; 9] {
    match latencies.percentiles() {
        Some(told) if kind == ExchangeKind::Request => [
            told.count, told.min, told.mean, told.p50, told.p90, told.p95, told.p99, told.p999,
            told.max,
        ]
        .map(|number| number.to_string()),
        _ => Default::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary::samples::Sample;

    #[test]
    fn patterns_are_rows() {
        let mut out = Vec::new();
        write(&Sample::some().summary(), &mut out).unwrap();
        let expected = [
            "pattern,kind,calls,ok,error,open,closed,unknown,latency_ns_count,latency_ns_min,latency_ns_mean,latency_ns_p50,latency_ns_p90,latency_ns_p95,latency_ns_p99,latency_ns_p999,latency_ns_max,wait_ns_count,wait_ns_min,wait_ns_mean,wait_ns_p50,wait_ns_p90,wait_ns_p95,wait_ns_p99,wait_ns_p999,wait_ns_max,request_bytes,reply_bytes",
            "sum,request,2,1,1,0,0,0,2,3612000,3612000,3612000,3612000,3612000,3612000,3612000,3612000,2,3612000,3612000,3612000,3612000,3612000,3612000,3612000,3612000,128,128",
            r#""{""cmd"":""count""}",request,1,1,0,0,0,0,1,3612000,3612000,3612000,3612000,3612000,3612000,3612000,3612000,1,400,400,400,400,400,400,400,400,64,200"#,
            r"sl|ow`\u{202e}␛[2J,request,1,0,0,1,0,0,,,,,,,,,,,,,,,,,,,64,0",
            "log,event,1,0,0,0,0,0,,,,,,,,,,,,,,,,,,,34,0",
            "",
        ];
        assert_eq!(String::from_utf8(out).unwrap(), expected.join("\n"));
    }
}
