//! The rows of the patterns, or of what was grouped, as CSV. The names are those of the JSON
//! report, flattened.

use std::io::{self, Write};

use super::{REST, Summary, exchanges};
use crate::exchange::ExchangeKind;
use crate::report::{csv_error, visible};
use crate::store::{GroupBy, GroupRow, Latencies, Outcomes, PatternRow};

/// Writes the header row and a row per pattern, the costliest first.
pub fn write(summary: &Summary<'_>, out: &mut impl Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    if let Some(groups) = summary.statistics.groups() {
        csv.write_record(group_header(groups.by())).map_err(csv_error)?;
        for row in groups.rows() {
            csv.write_record(group(summary, row, groups.by())).map_err(csv_error)?;
        }
        return csv.flush();
    }
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
    let last = ["request_bytes", "reply_bytes", "held_calls", "held_request_ns", "held_reply_ns"];
    names.extend(last.map(str::to_owned));
    names
}

fn group_header(by: &[GroupBy]) -> Vec<String> {
    let names = by.iter().flat_map(|by| match by {
        GroupBy::Pattern => &["pattern", "kind"][..],
        GroupBy::Server => &["server"],
        GroupBy::Client => &["client"],
        GroupBy::Connection => &["connection_client", "connection_server"],
    });
    let mut names: Vec<_> = names.copied().chain(OUTCOMES).map(str::to_owned).collect();
    names.push("per_second".to_owned());
    names.extend(PERCENTILES.map(|name| format!("latency_ns_{name}")));
    names
}

const OUTCOMES: [&str; 10] = [
    "calls",
    "events",
    "ok",
    "error",
    "open",
    "closed",
    "unknown",
    "refused",
    "no_answer",
    "reset",
];

fn group(summary: &Summary<'_>, row: &GroupRow, by: &[GroupBy]) -> Vec<String> {
    let common = &row.group;
    let rest = || if common.is_rest { REST.to_owned() } else { String::new() };
    let mut fields = Vec::new();
    for by in by {
        match by {
            GroupBy::Pattern => {
                fields.push(common.pattern.as_deref().map_or_else(rest, visible));
                fields.push(common.kind.map_or("", ExchangeKind::name).to_owned());
            }
            GroupBy::Server => fields.push(common.server.map_or_else(rest, |end| end.to_string())),
            GroupBy::Client => fields.push(common.client.map_or_else(rest, |ip| ip.to_string())),
            GroupBy::Connection => {
                let ends = common.connection.map(|(client, server, _)| [client, server]);
                fields.extend(
                    ends.map_or_else(|| [rest(), rest()], |ends| ends.map(|end| end.to_string())),
                );
            }
        }
    }
    let Outcomes { calls, events, ok, error, open, closed, unknown, .. } = row.outcomes;
    let Outcomes { refused, no_answer, reset, .. } = row.outcomes;
    let outcomes = [calls, events, ok, error, open, closed, unknown, refused, no_answer, reset];
    fields.extend(outcomes.map(|number| number.to_string()));
    fields
        .push(summary.per_second(&row.outcomes).map_or_else(String::new, |rate| rate.to_string()));
    fields.extend(percentiles(&row.latency, ExchangeKind::Request));
    fields
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
    let held = row.held;
    let last = [row.request_bytes, row.reply_bytes, held.calls, held.request_ns, held.reply_ns];
    fields.extend(last.map(|number| number.to_string()));
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
            "pattern,kind,calls,ok,error,open,closed,unknown,latency_ns_count,latency_ns_min,latency_ns_mean,latency_ns_p50,latency_ns_p90,latency_ns_p95,latency_ns_p99,latency_ns_p999,latency_ns_max,wait_ns_count,wait_ns_min,wait_ns_mean,wait_ns_p50,wait_ns_p90,wait_ns_p95,wait_ns_p99,wait_ns_p999,wait_ns_max,request_bytes,reply_bytes,held_calls,held_request_ns,held_reply_ns",
            "sum,request,3,2,1,0,0,0,3,3612000,3612000,3612000,3612000,3612000,3612000,3612000,3612000,3,3612000,3612000,3612000,3612000,3612000,3612000,3612000,3612000,192,192,1,41300000,0",
            r#""{""cmd"":""count""}",request,1,1,0,0,0,0,1,3612000,3612000,3612000,3612000,3612000,3612000,3612000,3612000,1,400,400,400,400,400,400,400,400,64,200,0,0,0"#,
            r"sl|ow`\u{202e}␛[2J,request,1,0,0,1,0,0,,,,,,,,,,,,,,,,,,,64,0,0,0,0",
            "log,event,1,0,0,0,0,0,,,,,,,,,,,,,,,,,,,34,0,0,0,0",
            "",
        ];
        assert_eq!(String::from_utf8(out).unwrap(), expected.join("\n"));
    }

    #[test]
    fn groups_are_rows() {
        let mut out = Vec::new();
        let sample = Sample::some_by(vec![GroupBy::Server, GroupBy::Pattern]);
        write(&sample.summary(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let mut lines = text.lines();
        assert_eq!(
            lines.next().unwrap(),
            "server,pattern,kind,calls,events,ok,error,open,closed,unknown,refused,no_answer,reset,per_second,latency_ns_count,latency_ns_min,latency_ns_mean,latency_ns_p50,latency_ns_p90,latency_ns_p95,latency_ns_p99,latency_ns_p999,latency_ns_max"
        );
        let lines: Vec<_> = lines.collect();
        assert_eq!(lines.len(), 6);
        assert_eq!(
            lines[0],
            "127.0.0.1:8888,sum,request,3,0,2,1,0,0,0,0,0,0,0.6,3,3612000,3612000,3612000,3612000,3612000,3612000,3612000,3612000"
        );
        assert_eq!(lines[5], "127.0.0.1:8889,,connect,0,0,0,0,0,0,0,0,1,0,0,,,,,,,,,");
    }
}
