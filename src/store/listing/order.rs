//! By what a list is sorted.

use std::net::SocketAddr;

use super::Rows;
use crate::endpoint::ConnectionNumber;
use crate::exchange::{PatternId, Status};
use crate::store::Row;
use crate::time::Nanos;

/// What a list can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs)]
pub enum Column {
    Number,
    Time,
    Kind,
    Pattern,
    Latency,
    Waited,
    Held,
    Status,
    EndedBy,
    Client,
    Server,
    Connection,
    RequestBytes,
    ReplyBytes,
    Replies,
}

/// A column and a direction. Rows that are equal there are in the order of their numbers, and rows
/// that have nothing there come last in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// What is compared.
    pub column: Column,
    /// Whether the largest comes first, and among equals the newest.
    pub descending: bool,
}

impl Order {
    /// As they began: what a list is in unless somebody sorts it.
    pub const BY_NUMBER: Self = Self { column: Column::Number, descending: false };
}

/// What a row has in a column. The variants of one column are of one kind, or `Absent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key<'a> {
    Number(u64),
    Text(&'a str),
    Address(SocketAddr),
    /// Last, so that it sorts last.
    Absent,
}

impl Column {
    /// What `row` has in this column.
    pub(super) fn key<'a>(self, rows: &'a impl Rows, row: &Row) -> Key<'a> {
        match self.name(row) {
            Some(name) => self.named(rows, name),
            None => self.plain(row).map_or(Key::Absent, Key::Number),
        }
    }

    /// The name of what `row` has in this column, where that is something that many rows share and
    /// that is looked up: a pattern or a connection.
    pub(super) fn name(self, row: &Row) -> Option<u32> {
        match self {
            Self::Pattern => Some(row.pattern.0),
            Self::Client | Self::Server => Some(row.connection.0),
            _ => None,
        }
    }

    /// What has that name.
    pub(super) fn named(self, rows: &impl Rows, name: u32) -> Key<'_> {
        let ends = || rows.ends(ConnectionNumber(name));
        match self {
            Self::Pattern => rows.pattern(PatternId(name)).map_or(Key::Absent, Key::Text),
            Self::Client => ends().map_or(Key::Absent, |ends| Key::Address(ends.client)),
            Self::Server => ends().map_or(Key::Absent, |ends| Key::Address(ends.server)),
            _ => Key::Absent,
        }
    }

    /// What `row` itself has in this column; `None` where that is nothing, or has a name.
    pub(super) fn plain(self, row: &Row) -> Option<u64> {
        Some(match self {
            Self::Number => row.number.0,
            // Earlier than the epoch comes first too.
            Self::Time => row.time.as_nanos().cast_unsigned() ^ 1 << 63,
            Self::Kind => row.kind as u64,
            Self::Latency => return row.latency.map(Nanos::get),
            Self::Waited => return row.waited.map(Nanos::get),
            Self::Held => match row.request_held.at_most.get() + row.reply_held.at_most.get() {
                0 => return None,
                held => held,
            },
            Self::EndedBy => return row.ended_by.map(|end| end as u64),
            Self::Status => severity(row.status),
            Self::Connection => row.connection.0.into(),
            Self::RequestBytes => row.request_bytes,
            Self::ReplyBytes => row.reply_bytes,
            Self::Replies => row.replies.into(),
            Self::Pattern | Self::Client | Self::Server => return None,
        })
    }
}

/// Whoever sorts by outcome looks for trouble: it lies at one end, what went well at the other.
const fn severity(status: Status) -> u64 {
    match status {
        Status::Sent => 0,
        Status::Ok => 1,
        Status::Open => 2,
        Status::Orphan => 3,
        Status::Unknown => 4,
        Status::Closed => 5,
        Status::Error => 6,
        Status::Reset => 7,
        Status::NoAnswer => 8,
        Status::Refused => 9,
    }
}
