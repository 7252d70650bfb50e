//! What is told of a connection, column by column.

use std::cmp::Ordering;

use ratatui::style::Style;

use crate::names::Names;
use crate::report::{count, size, unknown_protocol};
use crate::store::{ConnectionRecord, Percentiles};
use crate::stream::CloseReason;
use crate::time::{Nanos, Timestamp};
use crate::tui::table::{Column, Width};
use crate::tui::text::Align;
use crate::tui::theme::Theme;
use crate::tui::views::times;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Number,
    Client,
    Server,
    State,
    Speaks,
    Age,
    InFlight,
    Calls,
    Events,
    Errors,
    NoReply,
    P50,
    P99,
    ByClient,
    ByServer,
    Retransmissions,
    Missing,
    RoundTrip,
    Seen,
    Began,
}

/// The columns from left to right.
pub const FIELDS: [Field; 20] = [
    Field::Number,
    Field::Client,
    Field::Server,
    Field::State,
    Field::Speaks,
    Field::Age,
    Field::InFlight,
    Field::Calls,
    Field::Events,
    Field::Errors,
    Field::NoReply,
    Field::P50,
    Field::P99,
    Field::ByClient,
    Field::ByServer,
    Field::Retransmissions,
    Field::Missing,
    Field::RoundTrip,
    Field::Seen,
    Field::Began,
];

/// The same, for the table.
pub const COLUMNS: [Column; FIELDS.len()] = [
    column("#", Width::Fixed(5), 20, Align::Right),
    column("client", Width::Flexible { min: 15, weight: 1 }, 20, Align::Left),
    column("server", Width::Flexible { min: 15, weight: 1 }, 20, Align::Left),
    column("state", Width::Fixed(9), 18, Align::Left),
    column("speaks", Width::Fixed(SPEAKS), 17, Align::Left),
    column("age", Width::Fixed(6), 14, Align::Right),
    column("flight", Width::Fixed(6), 15, Align::Right),
    column("calls", Width::Fixed(7), 17, Align::Right),
    column("events", Width::Fixed(7), 5, Align::Right),
    column("errors", Width::Fixed(6), 16, Align::Right),
    column("no reply", Width::Fixed(8), 16, Align::Right),
    column("p50", Width::Fixed(7), 11, Align::Right),
    column("p99", Width::Fixed(7), 12, Align::Right),
    column("by client", Width::Fixed(9), 10, Align::Right),
    column("by server", Width::Fixed(9), 9, Align::Right),
    column("retr", Width::Fixed(5), 8, Align::Right),
    column("missing", Width::Fixed(8), 7, Align::Right),
    column("RTT", Width::Fixed(7), 11, Align::Right),
    column("from", Width::Fixed(5), 6, Align::Left),
    column("began", Width::Fixed(times::WIDTH), 4, Align::Right),
];

/// Columns of what connections usually speak.
pub const SPEAKS: u16 = 7;

const fn column(title: &'static str, width: Width, priority: u8, align: Align) -> Column {
    Column { title, width, priority, align }
}

impl Field {
    /// The order of two connections by this column.
    pub fn compare(self, a: &ConnectionRecord, b: &ConnectionRecord, now: Timestamp) -> Ordering {
        let by = |key: fn(&ConnectionRecord) -> u64| key(a).cmp(&key(b));
        match self {
            Self::Number => a.facts.connection.number.cmp(&b.facts.connection.number),
            Self::Client => a.facts.ends.client.cmp(&b.facts.ends.client),
            Self::Server => a.facts.ends.server.cmp(&b.facts.ends.server),
            Self::State => a.facts.state().cmp(b.facts.state()),
            Self::Speaks => speaks(a).cmp(speaks(b)),
            Self::Age => age(a, now).cmp(&age(b, now)),
            Self::InFlight => by(|record| record.in_flight),
            Self::Calls => by(|record| record.calls),
            Self::Events => by(|record| record.events),
            Self::Errors => by(|record| record.errors),
            Self::NoReply => by(|record| record.no_reply),
            // Too dear for each comparison: the view sorts by them.
            Self::P50 | Self::P99 => Ordering::Equal,
            Self::ByClient => by(|record| record.facts.counts.bytes.client),
            Self::ByServer => by(|record| record.facts.counts.bytes.server),
            Self::Retransmissions => by(retransmissions),
            Self::Missing => missing(a).cmp(&missing(b)),
            Self::RoundTrip => a.facts.counts.round_trip.cmp(&b.facts.counts.round_trip),
            Self::Seen => a.facts.is_from_start().cmp(&b.facts.is_from_start()),
            Self::Began => a.facts.first.at.cmp(&b.facts.first.at),
        }
    }

    /// Its percentile of the latencies, where it tells one.
    pub fn latency(self, record: &ConnectionRecord) -> Option<Nanos> {
        let of: fn(&Percentiles) -> u64 = match self {
            Self::P50 => |latency| latency.p50,
            Self::P99 => |latency| latency.p99,
            _ => return None,
        };
        record.latency().as_ref().map(of).map(Nanos::new)
    }

    /// Its text for a connection whose hosts have these names; empty where there is nothing to
    /// tell. [`Field::Began`] depends on the format of times, and is told elsewhere.
    pub fn text(self, record: &ConnectionRecord, names: &Names, now: Timestamp) -> String {
        let number = |number: u64| if number == 0 { String::new() } else { count(number) };
        let bytes = |bytes: u64| if bytes == 0 { String::new() } else { size(bytes) };
        match self {
            Self::Number => record.facts.connection.number.to_string(),
            Self::Client => names.end(record.facts.ends.client),
            Self::Server => names.end(record.facts.ends.server),
            Self::State => record.facts.state().to_owned(),
            Self::Speaks => speaks(record).to_owned(),
            Self::Age => age(record, now).to_string(),
            Self::InFlight => number(record.in_flight),
            Self::Calls => number(record.calls),
            Self::Events => number(record.events),
            Self::Errors => number(record.errors),
            Self::NoReply => number(record.no_reply),
            Self::P50 | Self::P99 => {
                self.latency(record).map_or_else(String::new, |latency| latency.to_string())
            }
            Self::ByClient => bytes(record.facts.counts.bytes.client),
            Self::ByServer => bytes(record.facts.counts.bytes.server),
            Self::Retransmissions => number(retransmissions(record)),
            Self::Missing => match missing(record) {
                (0, 0) => String::new(),
                // Only that something is missing is known.
                (0, _) => "some".to_owned(),
                (bytes, _) => size(bytes),
            },
            Self::RoundTrip => {
                record.facts.counts.round_trip.map_or_else(String::new, |rtt| rtt.to_string())
            }
            Self::Seen => if record.facts.is_from_start() { "start" } else { "late" }.to_owned(),
            Self::Began => String::new(),
        }
    }

    /// How its text looks.
    pub fn style(self, record: &ConnectionRecord, theme: &Theme) -> Style {
        match self {
            Self::Errors => theme.error,
            Self::NoReply | Self::Retransmissions | Self::Missing => theme.warning,
            Self::State if FAILED.contains(&record.facts.state()) => theme.error,
            Self::Speaks if record.foreign().is_some() => theme.warning,
            _ => Style::new(),
        }
    }
}

/// The states that are failures.
const FAILED: &[&str] = &["no answer", "refused", "reset", "unreachable"];

/// Whether it ended; one that stood when the capture ended did not.
pub fn is_over(record: &ConnectionRecord) -> bool {
    !matches!(record.why(), None | Some(CloseReason::CaptureEnded))
}

/// What it speaks, as far as that showed.
pub fn speaks(record: &ConnectionRecord) -> &'static str {
    match record.foreign() {
        Some(name) => name,
        None if record.facts.spoke_nest => "Nest",
        None if record.facts.counts.bytes.client + record.facts.counts.bytes.server > 0 => {
            "unknown"
        }
        None => "",
    }
}

/// The same, with how it began where that is unknown and there is room for it.
pub fn speaks_within(record: &ConnectionRecord, columns: usize) -> String {
    match speaks(record) {
        "unknown" => unknown_protocol(&record.facts.beginning, columns),
        name => name.to_owned(),
    }
}

/// How long it has lasted, or lasted.
pub fn age(record: &ConnectionRecord, now: Timestamp) -> Nanos {
    let end = match record.why() {
        None => now,
        Some(_) => record.facts.last.at,
    };
    end.saturating_since(record.facts.first.at)
}

pub fn retransmissions(record: &ConnectionRecord) -> u64 {
    let both = record.facts.counts.retransmissions;
    both.client.saturating_add(both.server)
}

/// Bytes that the capture lacks, and in how many gaps.
pub fn missing(record: &ConnectionRecord) -> (u64, u64) {
    let (bytes, gaps) = (record.facts.counts.gap_bytes, record.facts.counts.gaps);
    (bytes.client.saturating_add(bytes.server), gaps.client.saturating_add(gaps.server))
}
