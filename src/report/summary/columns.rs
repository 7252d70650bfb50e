//! What the tables for people tell of a pattern and of a connection.

use super::{exchanges, protocol, state};
use crate::endpoint::PerSide;
use crate::exchange::ExchangeKind;
use crate::report::table::Column;
use crate::report::units::{count, percent, size};
use crate::store::{ConnectionRow, Outcomes, PatternRow, Percentiles};
use crate::time::Nanos;

/// What is told where there is nothing to measure.
const NONE: &str = "-";

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
    // Calls without a final reply, for whatever reason.
    let unanswered = of_calls(|outcomes| count(outcomes.open + outcomes.closed + outcomes.unknown));
    let total = |row: &PatternRow| match row.latency.sum() {
        0 => NONE.to_owned(),
        sum => Nanos::new(u64::try_from(sum).unwrap_or(u64::MAX)).to_string(),
    };
    vec![
        Column::texts("pattern", 0, cells(&pattern)).at_least(16),
        Column::texts("kind", 5, cells(&|row| row.kind.name().to_owned())),
        Column::numbers("calls", 0, cells(&|row| count(exchanges(row)))),
        Column::numbers("errors", 0, errors),
        Column::numbers("no reply", 3, unanswered),
        Column::numbers("p50", 0, percentile(|told| told.p50)),
        Column::numbers("p90", 6, percentile(|told| told.p90)),
        Column::numbers("p99", 1, percentile(|told| told.p99)),
        Column::numbers("max", 2, percentile(|told| told.max)),
        Column::numbers("total", 4, cells(&total)),
        Column::numbers("asked", 7, cells(&|row| size(row.request_bytes))),
        Column::numbers("answered", 8, cells(&|row| size(row.reply_bytes))),
    ]
}

/// A table of connections.
pub fn connections(rows: &[&ConnectionRow]) -> Vec<Column> {
    let cells =
        |cell: &dyn Fn(&ConnectionRow) -> String| rows.iter().map(|row| cell(row)).collect();
    let took =
        |row: &ConnectionRow| row.facts.last.at.saturating_since(row.facts.first.at).to_string();
    let both = |sides: PerSide<u64>| sides.client + sides.server;
    let missing = |row: &ConnectionRow| match both(row.facts.counts.gaps) {
        0 => NONE.to_owned(),
        _ => size(both(row.facts.counts.gap_bytes)),
    };
    // Bytes of which nothing could be told are unknown; where there were none there is no protocol.
    let spoken = |row: &ConnectionRow| match both(row.facts.counts.bytes) {
        0 => protocol(row).unwrap_or(NONE).to_owned(),
        _ => protocol(row).unwrap_or("unknown").to_owned(),
    };
    vec![
        Column::texts("client", 0, cells(&|row| row.facts.ends.client.to_string())),
        Column::texts("server", 0, cells(&|row| row.facts.ends.server.to_string())),
        Column::texts("protocol", 4, cells(&spoken)),
        Column::texts("state", 5, cells(&|row| state(row.why()).to_owned())),
        Column::numbers("time", 7, cells(&took)),
        Column::numbers("calls", 0, cells(&|row| count(row.outcomes.calls))),
        Column::numbers("events", 2, cells(&|row| count(row.outcomes.events))),
        Column::numbers("errors", 1, cells(&|row| count(row.outcomes.error))),
        Column::numbers("asked", 6, cells(&|row| size(row.facts.counts.bytes.client))),
        Column::numbers("answered", 6, cells(&|row| size(row.facts.counts.bytes.server))),
        Column::numbers(
            "sent again",
            8,
            cells(&|row| count(both(row.facts.counts.retransmissions))),
        ),
        Column::numbers("missing", 3, cells(&missing)),
    ]
}
