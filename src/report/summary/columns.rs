//! What the tables for people tell of a pattern, of a group and of a connection.

use super::{REST, Summary, exchanges, spoken};
use crate::endpoint::PerSide;
use crate::exchange::ExchangeKind;
use crate::report::table::Column;
use crate::report::units::{count, percent, size};
use crate::store::{
    ConnectionRow, Group, GroupBy, GroupRow, Latencies, Outcomes, PatternRow, Percentiles,
};
use crate::time::Nanos;

/// What is told where there is nothing to measure.
const NONE: &str = "-";

/// A count that is told of a group.
type Count = fn(&Outcomes) -> u64;

/// A table of patterns. `show` makes a pattern fit for the format.
pub fn patterns(rows: &[&PatternRow], show: fn(&str) -> String) -> Vec<Column> {
    let cells = |cell: &dyn Fn(&PatternRow) -> String| rows.iter().map(|row| cell(row)).collect();
    // Asked once a row: a distribution of few values is put together for each answer.
    let told: Vec<_> = rows.iter().map(|row| row.latency.percentiles()).collect();
    let percentile = |value: fn(&Percentiles) -> u64| {
        let cell = |told: &Percentiles| Nanos::new(value(told)).to_string();
        told.iter().map(|told| told.as_ref().map_or(NONE.to_owned(), cell)).collect()
    };
    let pattern = |row: &PatternRow| match &row.pattern {
        Some(pattern) => show(pattern),
        None => "(no pattern)".to_owned(),
    };
    let of_calls = |value: fn(&Outcomes) -> String| {
        cells(&|row| match row.kind {
            ExchangeKind::Event => NONE.to_owned(),
            _ => value(&row.outcomes),
        })
    };
    let errors = of_calls(|outcomes| percent(outcomes.error, outcomes.calls));
    let unanswered = of_calls(|outcomes| count(outcomes.no_reply()));
    // What kernels held back, of all that the callers waited: a request is held before its call
    // begins.
    let held = |row: &PatternRow| {
        let waited = u64::try_from(row.latency.sum()).unwrap_or(u64::MAX);
        match row.held.request_ns.saturating_add(row.held.reply_ns) {
            0 => NONE.to_owned(),
            held => percent(held, waited.saturating_add(row.held.request_ns)),
        }
    };
    let is_held = rows.iter().any(|row| row.held.calls > 0);
    let mut columns = vec![
        Column::texts("pattern", 0, cells(&pattern)).at_least(16),
        Column::texts("kind", 5, cells(&|row| row.kind.name().to_owned())),
        Column::numbers("calls", 0, cells(&|row| count(exchanges(row)))),
        Column::numbers("errors", 0, errors),
        Column::numbers("no reply", 1, unanswered),
        Column::numbers("p50", 0, percentile(|told| told.p50)),
        Column::numbers("p90", 7, percentile(|told| told.p90)),
        Column::numbers("p99", 1, percentile(|told| told.p99)),
        Column::numbers("max", 3, percentile(|told| told.max)),
        Column::numbers("total", 4, cells(&|row| total(&row.latency))),
        Column::numbers("asked", 8, cells(&|row| size(row.request_bytes))),
        Column::numbers("answered", 9, cells(&|row| size(row.reply_bytes))),
    ];
    if is_held {
        columns.insert(columns.len() - 3, Column::numbers("held", 2, cells(&held)));
    }
    columns
}

/// The sum of all latencies.
fn total(latencies: &Latencies) -> String {
    match latencies.sum() {
        0 => NONE.to_owned(),
        sum => Nanos::new(u64::try_from(sum).unwrap_or(u64::MAX)).to_string(),
    }
}

/// A table of groups, by what their exchanges have in common. `show` makes a pattern fit for the
/// format.
pub fn groups(
    summary: &Summary<'_>,
    rows: &[&GroupRow],
    by: &[GroupBy],
    show: fn(&str) -> String,
) -> Vec<Column> {
    let cells = |cell: &dyn Fn(&GroupRow) -> String| rows.iter().map(|row| cell(row)).collect();
    let told: Vec<_> = rows.iter().map(|row| row.latency.percentiles()).collect();
    let percentile = |value: fn(&Percentiles) -> u64| {
        let cell = |told: &Percentiles| Nanos::new(value(told)).to_string();
        told.iter().map(|told| told.as_ref().map_or(NONE.to_owned(), cell)).collect()
    };
    let failures = |value: Count| cells(&|row| count(value(&row.outcomes)));
    let rate =
        |row: &GroupRow| summary.per_second(&row.outcomes).map_or(NONE.to_owned(), per_second);
    let has = |value: Count| rows.iter().any(|row| value(&row.outcomes) > 0);
    let is_of_connections = by.contains(&GroupBy::Connection);
    let mut columns: Vec<_> =
        by.iter().flat_map(|by| common(*by, rows, is_of_connections, show)).collect();
    columns.extend([
        // As in the table of patterns: in a row of events these are calls.
        match by.contains(&GroupBy::Pattern) {
            true => Column::numbers("calls", 0, failures(Outcomes::messages)),
            false => Column::numbers("calls", 0, failures(|outcomes| outcomes.calls)),
        },
        Column::numbers("errors", 0, failures(|outcomes| outcomes.error)),
        Column::numbers("no reply", 1, failures(Outcomes::no_reply)),
    ]);
    if !by.contains(&GroupBy::Pattern) {
        columns.insert(columns.len() - 2, Column::numbers("events", 6, failures(|o| o.events)));
    }
    // Most captures have none of these: then they take no room.
    let attempts: [(_, Count); 3] = [
        ("refused", |outcomes| outcomes.refused),
        ("no answer", |outcomes| outcomes.no_answer),
        ("reset", |outcomes| outcomes.reset),
    ];
    for (title, value) in attempts.into_iter().filter(|(_, value)| has(*value)) {
        columns.push(Column::numbers(title, 1, failures(value)));
    }
    columns.extend([
        Column::numbers("per s", 5, cells(&rate)),
        Column::numbers("p50", 2, percentile(|told| told.p50)),
        Column::numbers("p90", 8, percentile(|told| told.p90)),
        Column::numbers("p99", 3, percentile(|told| told.p99)),
        Column::numbers("max", 7, percentile(|told| told.max)),
        Column::numbers("total", 9, cells(&|row| total(&row.latency))),
    ]);
    columns
}

/// What the exchanges of each group have in common: a column, or two. The connection tells both
/// ends, so that others may do without.
fn common(
    by: GroupBy,
    rows: &[&GroupRow],
    is_of_connections: bool,
    show: fn(&str) -> String,
) -> Vec<Column> {
    let rank = if is_of_connections { 10 } else { 0 };
    let cells = |cell: &dyn Fn(&Group) -> Option<String>| -> Vec<_> {
        let rest = |group: &Group| if group.is_rest { REST } else { NONE }.to_owned();
        rows.iter().map(|row| cell(&row.group).unwrap_or_else(|| rest(&row.group))).collect()
    };
    let kind = |group: &Group| Some(group.kind?.name().to_owned());
    match by {
        GroupBy::Pattern => {
            let pattern = |group: &Group| group.pattern.as_deref().map(show);
            vec![
                Column::texts("pattern", 0, cells(&pattern)).at_least(12),
                Column::texts("kind", 4, cells(&kind)),
            ]
        }
        GroupBy::Server => {
            vec![Column::texts("server", rank, cells(&|group| Some(group.server?.to_string())))]
        }
        GroupBy::Client => {
            vec![Column::texts("client", rank, cells(&|group| Some(group.client?.to_string())))]
        }
        GroupBy::Connection => {
            let ends = |group: &Group| {
                let (client, server, _) = group.connection?;
                Some(format!("{client} → {server}"))
            };
            vec![Column::texts("connection", 0, cells(&ends))]
        }
    }
}

/// A rate as people read it.
fn per_second(rate: f64) -> String {
    let digits = match rate {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{rate:.digits$}")
}

/// A table of connections.
pub fn connections(rows: &[&ConnectionRow]) -> Vec<Column> {
    let cells =
        |cell: &dyn Fn(&ConnectionRow) -> String| rows.iter().map(|row| cell(row)).collect();
    let took =
        |row: &ConnectionRow| row.facts.last.at.saturating_since(row.facts.first.at).to_string();
    let percentile = |value: fn(&Percentiles) -> u64| {
        cells(&|row: &ConnectionRow| match &row.latency {
            Some(told) => Nanos::new(value(told)).to_string(),
            None => NONE.to_owned(),
        })
    };
    let both = |sides: PerSide<u64>| sides.client + sides.server;
    let missing = |row: &ConnectionRow| match both(row.facts.counts.gaps) {
        0 => NONE.to_owned(),
        _ => match both(row.facts.counts.gap_bytes) {
            // Only that something is missing is known.
            0 => "some".to_owned(),
            bytes => size(bytes),
        },
    };
    let speaks = |row: &ConnectionRow| spoken(&row.facts).unwrap_or_else(|| NONE.to_owned());
    vec![
        Column::texts("client", 0, cells(&|row| row.facts.ends.client.to_string())),
        Column::texts("server", 0, cells(&|row| row.facts.ends.server.to_string())),
        Column::texts("protocol", 6, cells(&speaks)),
        Column::texts("state", 7, cells(&|row| row.facts.state().to_owned())),
        Column::numbers("time", 9, cells(&took)),
        Column::numbers("calls", 0, cells(&|row| count(row.outcomes.calls))),
        Column::numbers("events", 2, cells(&|row| count(row.outcomes.events))),
        Column::numbers("errors", 1, cells(&|row| count(row.outcomes.error))),
        Column::numbers("no reply", 4, cells(&|row| count(row.outcomes.no_reply()))),
        Column::numbers("p50", 3, percentile(|told| told.p50)),
        Column::numbers("p99", 5, percentile(|told| told.p99)),
        Column::numbers("asked", 8, cells(&|row| size(row.facts.counts.bytes.client))),
        Column::numbers("answered", 8, cells(&|row| size(row.facts.counts.bytes.server))),
        Column::numbers(
            "sent again",
            10,
            cells(&|row| count(both(row.facts.counts.retransmissions))),
        ),
        Column::numbers("missing", 3, cells(&missing)),
    ]
}
