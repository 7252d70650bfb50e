//! The report as one JSON object. The order and the names of the keys are the contract.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;

use serde::Serialize;

use super::{REST, Summary, exchanges, protocol};
use crate::endpoint::PerSide;
use crate::exchange::ExchangeKind;
use crate::report::civil::Civil;
use crate::report::payload::push_payload;
use crate::store::{ConnectionRow, GroupBy, GroupRow, HeldBack, Outcomes, PatternRow, Percentiles};

/// Writes the report.
pub fn write(summary: &Summary<'_>, out: &mut impl Write) -> io::Result<()> {
    let raw = serde_json::to_vec(&Report::of(summary))?;
    // Patterns come from the wire: what acts on a terminal is spelt as an escape.
    let mut json = Vec::with_capacity(raw.len() + 1);
    push_payload(&mut json, &raw);
    json.push(b'\n');
    out.write_all(&json)
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<&'a str>,
    capture: Capture,
    completeness: Completeness<'a>,
    totals: Totals,
    patterns: Vec<Pattern<'a>>,
    connections: Vec<Connection>,
    servers: Vec<Group<'a>>,
    /// What `--by` asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<Group<'a>>>,
}

#[derive(Serialize)]
struct Totals {
    calls: u64,
    events: u64,
    ok: u64,
    error: u64,
    open: u64,
    closed: u64,
    unknown: u64,
    no_reply: u64,
    /// Calls of HTTP, which is not read yet.
    http: u64,
    connects: u64,
    refused: u64,
    no_answer: u64,
    reset: u64,
}

#[derive(Serialize)]
struct Capture {
    packets: u64,
    bytes: u64,
    segments: u64,
    first: Option<String>,
    last: Option<String>,
    duration_ns: Option<u64>,
}

#[derive(Serialize)]
struct Completeness<'a> {
    frames: u64,
    frames_undecodable: u64,
    kernel_drops: Option<u64>,
    gaps: u64,
    gap_bytes: u64,
    truncated_packets: u64,
    orphan_replies: u64,
    frames_other: u64,
    malformed_packets: u64,
    unknown_link_packets: u64,
    unknown_link: Option<u16>,
    fragments_lost: u64,
    retransmissions: u64,
    conflicting_segments: u64,
    out_of_window_segments: u64,
    other_port_segments: u64,
    late_replies: u64,
    calls_open: u64,
    calls_evicted: u64,
    clock_steps: u64,
    patterns_folded: u64,
    connections_evicted: u64,
    connections_folded: u64,
    waits_given_up: u64,
    file_bytes_cut: u64,
    foreign_connections: BTreeMap<&'static str, u64>,
    copies: u64,
    unsure: u64,
    unopened: &'a BTreeMap<String, u64>,
    discarded: &'a BTreeMap<&'static str, u64>,
    unacknowledged_gaps: u64,
    without_time: u64,
    reply_first: u64,
    damaged_copies: u64,
    translated_connections: u64,
    one_sided_attempts: u64,
}

/// In a row of events `calls` counts the events.
#[derive(Serialize)]
struct Pattern<'a> {
    pattern: Option<&'a str>,
    kind: &'static str,
    calls: u64,
    ok: u64,
    error: u64,
    open: u64,
    closed: u64,
    unknown: u64,
    latency_ns: Option<Percentiles>,
    wait_ns: Option<Percentiles>,
    request_bytes: u64,
    reply_bytes: u64,
    held: HeldBack,
}

/// What exchanges have in common, as far as it was asked for, and what became of them.
#[derive(Serialize)]
struct Group<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Option<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<Ends>,
    calls: u64,
    events: u64,
    ok: u64,
    error: u64,
    open: u64,
    closed: u64,
    unknown: u64,
    refused: u64,
    no_answer: u64,
    reset: u64,
    /// Calls and events a second of the capture; `None` where that is of no length.
    per_second: Option<f64>,
    latency_ns: Option<Percentiles>,
}

#[derive(Serialize)]
struct Ends {
    client: String,
    server: String,
}

#[derive(Serialize)]
struct Connection {
    client: String,
    server: String,
    first: Option<String>,
    last: Option<String>,
    state: &'static str,
    from_start: bool,
    protocol: Option<&'static str>,
    calls: u64,
    events: u64,
    ok: u64,
    error: u64,
    open: u64,
    closed: u64,
    unknown: u64,
    packets: Sides,
    bytes: Sides,
    retransmissions: Sides,
    gaps: Sides,
    gap_bytes: Sides,
    no_reply: u64,
    latency_ns: Option<Percentiles>,
}

#[derive(Serialize)]
struct Sides {
    client: u64,
    server: u64,
}

impl<'a> Report<'a> {
    fn of(summary: &Summary<'a>) -> Self {
        let Summary { capture, statistics, .. } = summary;
        Self {
            filter: summary.filter,
            capture: Capture {
                packets: capture.packets,
                bytes: capture.bytes,
                segments: capture.segments,
                first: capture.span.map(|(first, _)| Civil::utc(first)),
                last: capture.span.map(|(_, last)| Civil::utc(last)),
                duration_ns: capture.span.map(|(first, last)| last.saturating_since(first).get()),
            },
            completeness: Completeness::of(summary),
            totals: Totals::of(statistics.totals()),
            patterns: statistics.patterns().into_iter().map(Pattern::of).collect(),
            connections: statistics.connections().into_iter().map(Connection::of).collect(),
            servers: groups(summary, &statistics.servers(), &[GroupBy::Server]),
            by: statistics.groups().map(|groups| groups.by().iter().map(|by| by.name()).collect()),
            groups: statistics
                .groups()
                .map(|groups| self::groups(summary, &groups.rows(), groups.by())),
        }
    }
}

impl Totals {
    const fn of(totals: &Outcomes) -> Self {
        let Outcomes { calls, events, ok, error, open, closed, unknown, .. } = *totals;
        let Outcomes { connects, refused, no_answer, reset, .. } = *totals;
        Self {
            calls,
            events,
            ok,
            error,
            open,
            closed,
            unknown,
            no_reply: totals.no_reply(),
            http: 0,
            connects,
            refused,
            no_answer,
            reset,
        }
    }
}

fn groups<'a>(summary: &Summary<'_>, rows: &[&'a GroupRow], by: &[GroupBy]) -> Vec<Group<'a>> {
    rows.iter().map(|row| Group::of(summary, row, by)).collect()
}

impl<'a> Group<'a> {
    fn of(summary: &Summary<'_>, row: &'a GroupRow, by: &[GroupBy]) -> Self {
        let Outcomes { calls, events, ok, error, open, closed, unknown, .. } = row.outcomes;
        let Outcomes { refused, no_answer, reset, .. } = row.outcomes;
        let told = |wanted, text: Option<String>| {
            by.contains(&wanted).then(|| text.unwrap_or_else(|| REST.to_owned()))
        };
        let has_pattern = by.contains(&GroupBy::Pattern);
        let rest = row.group.is_rest.then_some(REST);
        Self {
            pattern: has_pattern.then(|| row.group.pattern.as_deref().or(rest)),
            kind: has_pattern.then(|| row.group.kind.map(ExchangeKind::name)),
            server: told(GroupBy::Server, row.group.server.map(|end| end.to_string())),
            client: told(GroupBy::Client, row.group.client.map(|ip| ip.to_string())),
            connection: by.contains(&GroupBy::Connection).then(|| {
                let end = |end: Option<SocketAddr>| {
                    end.map_or_else(|| REST.to_owned(), |end| end.to_string())
                };
                Ends {
                    client: end(row.group.connection.map(|(client, ..)| client)),
                    server: end(row.group.connection.map(|(_, server, _)| server)),
                }
            }),
            calls,
            events,
            ok,
            error,
            open,
            closed,
            unknown,
            refused,
            no_answer,
            reset,
            per_second: summary.per_second(&row.outcomes),
            latency_ns: row.latency.percentiles(),
        }
    }
}

impl<'a> Completeness<'a> {
    fn of(summary: &Summary<'a>) -> Self {
        let losses = summary.completeness;
        Self {
            frames: losses.frames,
            frames_undecodable: losses.frames_undecodable,
            kernel_drops: losses.kernel_drops,
            gaps: losses.gaps,
            gap_bytes: losses.gap_bytes,
            truncated_packets: losses.truncated_packets,
            orphan_replies: losses.orphan_replies,
            frames_other: losses.frames_other,
            malformed_packets: losses.malformed_packets,
            unknown_link_packets: losses.unknown_link_packets,
            unknown_link: losses.unknown_link,
            fragments_lost: losses.fragments_lost,
            retransmissions: losses.retransmissions,
            conflicting_segments: losses.conflicting_segments,
            out_of_window_segments: losses.out_of_window_segments,
            other_port_segments: losses.other_port_segments,
            late_replies: losses.late_replies,
            calls_open: losses.calls_open,
            calls_evicted: losses.calls_evicted,
            clock_steps: losses.clock_steps,
            patterns_folded: losses.patterns_folded,
            connections_evicted: losses.connections_evicted,
            connections_folded: summary.statistics.connections_folded(),
            waits_given_up: losses.waits_given_up,
            file_bytes_cut: losses.file_bytes_cut,
            foreign_connections: losses
                .foreign_connections
                .iter()
                .map(|(foreign, &number)| (foreign.name(), number))
                .collect(),
            copies: losses.copies,
            unsure: losses.unsure,
            unopened: &losses.unopened,
            discarded: &losses.discarded,
            unacknowledged_gaps: losses.unacknowledged_gaps,
            without_time: losses.without_time,
            reply_first: losses.reply_first,
            damaged_copies: losses.damaged_copies,
            translated_connections: losses.translated_connections,
            one_sided_attempts: losses.one_sided_attempts,
        }
    }
}

impl<'a> Pattern<'a> {
    fn of(row: &'a PatternRow) -> Self {
        let is_request = row.kind == ExchangeKind::Request;
        Self {
            pattern: row.pattern.as_deref(),
            kind: row.kind.name(),
            calls: exchanges(row),
            ok: row.outcomes.ok,
            error: row.outcomes.error,
            open: row.outcomes.open,
            closed: row.outcomes.closed,
            unknown: row.outcomes.unknown,
            latency_ns: row.latency.percentiles().filter(|_| is_request),
            wait_ns: row.wait.percentiles().filter(|_| is_request),
            request_bytes: row.request_bytes,
            reply_bytes: row.reply_bytes,
            held: row.held,
        }
    }
}

impl Connection {
    fn of(row: &ConnectionRow) -> Self {
        let (first, last) = (row.facts.first.at, row.facts.last.at);
        let Outcomes { calls, events, ok, error, open, closed, unknown, .. } = row.outcomes;
        Self {
            client: row.facts.ends.client.to_string(),
            server: row.facts.ends.server.to_string(),
            first: Civil::known_utc(first),
            last: Civil::known_utc(last),
            state: row.facts.state(),
            from_start: row.facts.is_from_start(),
            protocol: protocol(row),
            calls,
            events,
            ok,
            error,
            open,
            closed,
            unknown,
            packets: Sides::of(row.facts.counts.packets),
            bytes: Sides::of(row.facts.counts.bytes),
            retransmissions: Sides::of(row.facts.counts.retransmissions),
            gaps: Sides::of(row.facts.counts.gaps),
            gap_bytes: Sides::of(row.facts.counts.gap_bytes),
            no_reply: row.outcomes.no_reply(),
            latency_ns: row.latency,
        }
    }
}

impl Sides {
    const fn of(PerSide { client, server }: PerSide<u64>) -> Self {
        Self { client, server }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary::samples::Sample;

    fn written(sample: &Sample) -> String {
        let mut out = Vec::new();
        write(&sample.summary(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_report_is_written_to_the_letter() {
        let expected = concat!(
            r#"{"capture":{"packets":40,"bytes":4096,"segments":38,"first":"2026-11-22T03:52:01.123456789Z","last":"2026-11-22T03:52:06.123456789Z","duration_ns":5000000000},"#,
            r#""completeness":{"frames":11,"frames_undecodable":1,"kernel_drops":0,"gaps":1,"gap_bytes":1448,"truncated_packets":0,"orphan_replies":1,"frames_other":0,"malformed_packets":0,"unknown_link_packets":0,"unknown_link":null,"fragments_lost":0,"retransmissions":1,"conflicting_segments":0,"out_of_window_segments":0,"other_port_segments":0,"late_replies":0,"calls_open":1,"calls_evicted":0,"clock_steps":0,"patterns_folded":0,"connections_evicted":0,"connections_folded":0,"waits_given_up":0,"file_bytes_cut":0,"foreign_connections":{"HTTP/1":1},"copies":0,"unsure":1,"unopened":{},"discarded":{},"unacknowledged_gaps":0,"without_time":0,"reply_first":0,"damaged_copies":0,"translated_connections":0,"one_sided_attempts":0},"#,
            r#""totals":{"calls":5,"events":1,"ok":3,"error":1,"open":1,"closed":0,"unknown":0,"no_reply":1,"http":0,"connects":2,"refused":1,"no_answer":1,"reset":0},"#,
            r#""patterns":["#,
            r#"{"pattern":"sum","kind":"request","calls":3,"ok":2,"error":1,"open":0,"closed":0,"unknown":0,"latency_ns":{"count":3,"min":3612000,"mean":3612000,"p50":3612000,"p90":3612000,"p95":3612000,"p99":3612000,"p999":3612000,"max":3612000},"wait_ns":{"count":3,"min":3612000,"mean":3612000,"p50":3612000,"p90":3612000,"p95":3612000,"p99":3612000,"p999":3612000,"max":3612000},"request_bytes":192,"reply_bytes":192,"held":{"calls":1,"request_ns":41300000,"reply_ns":0}},"#,
            r#"{"pattern":"{\"cmd\":\"count\"}","kind":"request","calls":1,"ok":1,"error":0,"open":0,"closed":0,"unknown":0,"latency_ns":{"count":1,"min":3612000,"mean":3612000,"p50":3612000,"p90":3612000,"p95":3612000,"p99":3612000,"p999":3612000,"max":3612000},"wait_ns":{"count":1,"min":400,"mean":400,"p50":400,"p90":400,"p95":400,"p99":400,"p999":400,"max":400},"request_bytes":64,"reply_bytes":200,"held":{"calls":0,"request_ns":0,"reply_ns":0}},"#,
            r#"{"pattern":"sl|ow`\u202e\u001b[2J","kind":"request","calls":1,"ok":0,"error":0,"open":1,"closed":0,"unknown":0,"latency_ns":null,"wait_ns":null,"request_bytes":64,"reply_bytes":0,"held":{"calls":0,"request_ns":0,"reply_ns":0}},"#,
            r#"{"pattern":"log","kind":"event","calls":1,"ok":0,"error":0,"open":0,"closed":0,"unknown":0,"latency_ns":null,"wait_ns":null,"request_bytes":34,"reply_bytes":0,"held":{"calls":0,"request_ns":0,"reply_ns":0}}],"#,
            r#""connections":["#,
            r#"{"client":"127.0.0.1:51304","server":"127.0.0.1:8888","first":"2026-11-22T03:52:01.123456789Z","last":"2026-11-22T03:52:06.123456789Z","state":"finished","from_start":true,"protocol":"nest-tcp","calls":5,"events":1,"ok":3,"error":1,"open":1,"closed":0,"unknown":0,"packets":{"client":20,"server":18},"bytes":{"client":1000,"server":2000},"retransmissions":{"client":0,"server":1},"gaps":{"client":0,"server":1},"gap_bytes":{"client":0,"server":1448},"no_reply":1,"latency_ns":{"count":4,"min":3612000,"mean":3612000,"p50":3612000,"p90":3612000,"p95":3612000,"p99":3612000,"p999":3612000,"max":3612000}},"#,
            r#"{"client":"[::1]:40000","server":"[::1]:80","first":"2026-11-22T03:52:01.123456789Z","last":"2026-11-22T03:52:01.123456789Z","state":"open","from_start":false,"protocol":"HTTP/1","calls":0,"events":0,"ok":0,"error":0,"open":0,"closed":0,"unknown":0,"packets":{"client":0,"server":0},"bytes":{"client":0,"server":0},"retransmissions":{"client":0,"server":0},"gaps":{"client":0,"server":0},"gap_bytes":{"client":0,"server":0},"no_reply":0,"latency_ns":null}],"#,
            r#""servers":["#,
            r#"{"server":"127.0.0.1:8888","calls":4,"events":1,"ok":2,"error":1,"open":1,"closed":0,"unknown":0,"refused":1,"no_answer":0,"reset":0,"per_second":1.0,"latency_ns":{"count":3,"min":3612000,"mean":3612000,"p50":3612000,"p90":3612000,"p95":3612000,"p99":3612000,"p999":3612000,"max":3612000}},"#,
            r#"{"server":"[::1]:3001","calls":1,"events":0,"ok":1,"error":0,"open":0,"closed":0,"unknown":0,"refused":0,"no_answer":0,"reset":0,"per_second":0.2,"latency_ns":{"count":1,"min":3612000,"mean":3612000,"p50":3612000,"p90":3612000,"p95":3612000,"p99":3612000,"p999":3612000,"max":3612000}},"#,
            r#"{"server":"127.0.0.1:8889","calls":0,"events":0,"ok":0,"error":0,"open":0,"closed":0,"unknown":0,"refused":0,"no_answer":1,"reset":0,"per_second":0.0,"latency_ns":null}]}"#,
            "\n"
        );
        let written = written(&Sample::some());
        assert_eq!(written, expected);
        let value: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(value["patterns"][2]["pattern"], "sl|ow`\u{202e}\u{1b}[2J");
    }

    #[test]
    fn a_filter_comes_first() {
        let sample = Sample::default();
        let summary = Summary { filter: Some("pattern == \"s\""), ..sample.summary() };
        let mut out = Vec::new();
        write(&summary, &mut out).unwrap();
        assert!(out.starts_with(br#"{"filter":"pattern == \"s\"","capture":{"packets":0,"#));
    }

    #[test]
    fn a_report_of_nothing_says_so() {
        let written = written(&Sample::default());
        let value: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert!(value["capture"]["first"].is_null());
        assert!(value["capture"]["duration_ns"].is_null());
        assert!(value["completeness"]["kernel_drops"].is_null());
        assert_eq!(value["patterns"], serde_json::json!([]));
    }
}
