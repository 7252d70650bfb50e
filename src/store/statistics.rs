//! Statistics per pattern and per connection.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::engine::ConnectionFacts;
use crate::exchange::{Exchange, ExchangeKind, PatternId, Status};
use crate::limits;
use crate::store::Latencies;
use crate::stream::CloseReason;

/// How many exchanges there were, by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[expect(missing_docs)]
pub struct Outcomes {
    pub calls: u64,
    pub events: u64,
    pub ok: u64,
    pub error: u64,
    pub open: u64,
    pub closed: u64,
    pub unknown: u64,
}

impl Outcomes {
    fn merge(&mut self, other: &Self) {
        let Self { calls, events, ok, error, open, closed, unknown } = *other;
        self.calls += calls;
        self.events += events;
        self.ok += ok;
        self.error += error;
        self.open += open;
        self.closed += closed;
        self.unknown += unknown;
    }

    fn add(&mut self, exchange: &Exchange<'_>) {
        match exchange.kind {
            ExchangeKind::Request => self.calls += 1,
            ExchangeKind::Event => self.events += 1,
            ExchangeKind::Reply | ExchangeKind::Connect => {}
        }
        match exchange.status {
            Status::Ok => self.ok += 1,
            Status::Error => self.error += 1,
            Status::Open => self.open += 1,
            Status::Closed => self.closed += 1,
            Status::Unknown => self.unknown += 1,
            Status::Sent | Status::Orphan | Status::Refused | Status::NoAnswer | Status::Reset => {}
        }
    }
}

/// What is known of one pattern.
#[derive(Clone, Debug)]
pub struct PatternRow {
    /// The route text; `None` for requests that had no pattern.
    pub pattern: Option<String>,
    /// Its name in the engine that told of it first.
    pub id: PatternId,
    /// Request or event.
    pub kind: ExchangeKind,
    /// How the exchanges ended. In a row of events only `events` counts.
    pub outcomes: Outcomes,
    /// Latency of the calls that ended `ok` or `error`.
    pub latency: Latencies,
    /// The server's part of it.
    pub wait: Latencies,
    /// Bytes of the requests or events on the wire.
    pub request_bytes: u64,
    /// Bytes of the replies.
    pub reply_bytes: u64,
}

impl PatternRow {
    fn merge(&mut self, other: &Self) {
        self.outcomes.merge(&other.outcomes);
        self.latency.merge(&other.latency);
        self.wait.merge(&other.wait);
        self.request_bytes += other.request_bytes;
        self.reply_bytes += other.reply_bytes;
    }
}

/// What is known of one connection that ended, or that stood when the capture ended.
#[derive(Clone, Debug)]
pub struct ConnectionRow {
    /// What the engine told of it.
    pub facts: ConnectionFacts,
    /// How its exchanges ended.
    pub outcomes: Outcomes,
}

impl ConnectionRow {
    /// How it ended. What stood at the end of the capture was ended by that.
    pub fn why(&self) -> CloseReason {
        self.facts.end.map_or(CloseReason::CaptureEnded, |end| end.why)
    }

    /// Sorts the one with the most exchanges first, and among equals the one first seen.
    fn weight(&self) -> (Reverse<u64>, u64) {
        (Reverse(self.outcomes.calls + self.outcomes.events), self.facts.first.number)
    }
}

/// Statistics of everything that was seen.
#[derive(Debug, Default)]
pub struct Statistics {
    totals: Outcomes,
    patterns: Vec<PatternRow>,
    /// The row of each pattern, by kind and [`PatternId`]: no text is looked up per exchange.
    row_of: [Vec<Option<usize>>; 2],
    connections: Vec<ConnectionRow>,
    /// Outcomes of the connections that live, by slot.
    live: Vec<Outcomes>,
    connections_folded: u64,
}

impl Statistics {
    /// Takes an exchange that ended, or that stood open at the end.
    pub fn add(&mut self, exchange: &Exchange<'_>) {
        self.totals.add(exchange);
        let slot = exchange.connection.slot as usize;
        if self.live.len() <= slot {
            self.live.resize(slot + 1, Outcomes::default());
        }
        if let Some(outcomes) = self.live.get_mut(slot) {
            outcomes.add(exchange);
        }
        let Some(row) = self.pattern_row(exchange) else {
            return;
        };
        row.outcomes.add(exchange);
        row.request_bytes += exchange.request.map_or(0, |span| span.bytes);
        row.reply_bytes += exchange.reply.map_or(0, |span| span.bytes);
        if matches!(exchange.status, Status::Ok | Status::Error) {
            if let Some(latency) = exchange.latency.latency {
                row.latency.record(latency);
            }
            if let Some(wait) = exchange.latency.wait {
                row.wait.record(wait);
            }
        }
    }

    /// Takes a connection that is over.
    pub fn close(&mut self, facts: &ConnectionFacts) {
        let slot = facts.connection.slot as usize;
        let outcomes = self.live.get_mut(slot).map(std::mem::take).unwrap_or_default();
        self.connections.push(ConnectionRow { facts: *facts, outcomes });
        // Now and then, since it sorts them.
        if self.connections.len() >= 2 * limits::CONNECTION_ROWS {
            self.fold_connections();
        }
    }

    /// All exchanges, by how they ended.
    pub const fn totals(&self) -> &Outcomes {
        &self.totals
    }

    /// A row per pattern and kind: the one with the largest sum of latencies first, then the one
    /// with the most exchanges, then by text.
    pub fn patterns(&self) -> Vec<&PatternRow> {
        let mut rows: Vec<_> = self.patterns.iter().collect();
        rows.sort_by_key(|row| {
            let count = row.outcomes.calls + row.outcomes.events;
            (Reverse(row.latency.sum()), Reverse(count), row.kind, row.pattern.as_deref())
        });
        rows
    }

    /// A row per connection, in the order in which they were first seen. Of too many, those with
    /// the most exchanges: the connection that carries most often outlives thousands of others.
    pub fn connections(&self) -> Vec<&ConnectionRow> {
        let mut rows: Vec<_> = self.connections.iter().collect();
        rows.sort_by_key(|row| row.weight());
        rows.truncate(limits::CONNECTION_ROWS);
        rows.sort_by_key(|row| row.facts.first.number);
        rows
    }

    /// Adds what was learned from another shard of the same capture.
    pub fn merge(&mut self, other: Self) {
        self.totals.merge(&other.totals);
        self.connections_folded += other.connections_folded;
        self.connections.extend(other.connections);
        self.fold_connections();

        let mut by_pattern: HashMap<_, _> = self
            .patterns
            .iter()
            .enumerate()
            .map(|(index, row)| ((row.kind, row.pattern.clone()), index))
            .collect();
        for row in other.patterns {
            let known = by_pattern.get(&(row.kind, row.pattern.clone()));
            match known.and_then(|index| self.patterns.get_mut(*index)) {
                Some(known) => known.merge(&row),
                None => {
                    by_pattern.insert((row.kind, row.pattern.clone()), self.patterns.len());
                    self.patterns.push(row);
                }
            }
        }
    }

    /// Connections that have no row because there were too many.
    pub fn connections_folded(&self) -> u64 {
        let too_many = self.connections.len().saturating_sub(limits::CONNECTION_ROWS);
        self.connections_folded + too_many as u64
    }

    /// Forgets the rows of the connections that are too many. Whatever shard they were in, the
    /// same are kept.
    fn fold_connections(&mut self) {
        self.connections_folded = self.connections_folded();
        self.connections.sort_by_key(ConnectionRow::weight);
        self.connections.truncate(limits::CONNECTION_ROWS);
    }

    /// The row that an exchange counts in; `None` for a reply, which has no pattern.
    fn pattern_row(&mut self, exchange: &Exchange<'_>) -> Option<&mut PatternRow> {
        let rows = match exchange.kind {
            ExchangeKind::Request => &mut self.row_of[0],
            ExchangeKind::Event => &mut self.row_of[1],
            ExchangeKind::Reply | ExchangeKind::Connect => return None,
        };
        let id = exchange.pattern_id.0 as usize;
        if rows.len() <= id {
            rows.resize(id + 1, None);
        }
        let index = *rows.get_mut(id)?.get_or_insert_with(|| {
            self.patterns.push(PatternRow {
                pattern: match exchange.pattern_id {
                    PatternId::OTHERS => Some("(other patterns)".to_owned()),
                    _ => exchange.pattern.map(str::to_owned),
                },
                id: exchange.pattern_id,
                kind: exchange.kind,
                outcomes: Outcomes::default(),
                latency: Latencies::default(),
                wait: Latencies::default(),
                request_bytes: 0,
                reply_bytes: 0,
            });
            self.patterns.len() - 1
        });
        self.patterns.get_mut(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::{ConnectionId, Endpoints};
    use crate::endpoint::{PerSide, Roles};
    use crate::exchange::{Latency, Payloads};
    use crate::packet::PacketRef;
    use crate::stream::{Ended, Opened};

    const ROWS: u32 = 10_000;

    /// The connection with this number; the packet that showed it has the same.
    fn add(statistics: &mut Statistics, serial: u32, events: u64) {
        let connection = ConnectionId { serial, slot: 0 };
        let end = ([127, 0, 0, 1], 1).into();
        let ends = Endpoints { client: end, server: end };
        let first = PacketRef { number: serial.into(), ..PacketRef::default() };
        for number in 0..events {
            statistics.add(&Exchange {
                number,
                connection,
                ends,
                kind: ExchangeKind::Event,
                pattern: Some("log"),
                pattern_id: PatternId(2),
                id: None,
                status: Status::Sent,
                request: None,
                reply: None,
                replies: 0,
                latency: Latency::default(),
                waited: None,
                ended_by: None,
                request_held: Default::default(),
                reply_held: Default::default(),
                sure: true,
                attempts: 1,
                data: None,
                responses: Payloads::default(),
                error: None,
            });
        }
        let opened = Opened {
            connection,
            ends,
            roles: Roles::Known,
            at: first,
            from_start: PerSide { client: true, server: true },
            also: None,
        };
        let end = Ended { why: CloseReason::Finished, at: first, by: None };
        statistics.close(&ConnectionFacts { end: Some(end), ..ConnectionFacts::opened(&opened) });
    }

    #[test]
    fn of_too_many_connections_the_busiest_have_rows() {
        assert_eq!(ROWS as usize, limits::CONNECTION_ROWS);
        let (mut whole, mut even, mut odd) = <(Statistics, Statistics, Statistics)>::default();
        // The first to be seen ends last, and carries the most.
        for serial in (0..3 * ROWS).rev() {
            let events = if serial == 0 { 9 } else { u64::from(serial.is_multiple_of(5)) };
            add(&mut whole, serial, events);
            add(if serial.is_multiple_of(2) { &mut even } else { &mut odd }, serial, events);
        }
        even.merge(odd);
        for statistics in [&whole, &even] {
            assert_eq!(statistics.connections_folded(), u64::from(2 * ROWS));
            let rows = statistics.connections();
            assert_eq!(rows.len(), ROWS as usize);
            assert_eq!((rows[0].facts.connection.serial, rows[0].outcomes.events), (0, 9));
            let busy = rows.iter().filter(|row| row.outcomes.events > 0).count();
            assert_eq!(busy, 3 * ROWS as usize / 5);
            let idle = rows.iter().filter(|row| row.outcomes.events == 0);
            assert!(
                idle.map(|row| row.facts.first.number).max() < Some(u64::from(ROWS)),
                "first seen"
            );
        }
    }
}
