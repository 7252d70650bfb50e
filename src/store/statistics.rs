//! Statistics per pattern, per server, per connection, and by whatever was asked for.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::SocketAddr;

use crate::engine::ConnectionFacts;
use crate::exchange::{Exchange, ExchangeKind, PatternId, Status};
use crate::limits;
use crate::packet::PacketNumber;
use crate::store::{GroupBy, GroupRow, Groups, HeldBack, Latencies, Outcomes, Percentiles};
use crate::stream::CloseReason;

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
    /// What kernels certainly held back of it.
    pub held: HeldBack,
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
        self.held.merge(&other.held);
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
    /// Latency of its calls that ended `ok` or `error`, to one digit.
    pub latency: Option<Percentiles>,
}

impl ConnectionRow {
    /// How it ended. What stood at the end of the capture was ended by that.
    pub fn why(&self) -> CloseReason {
        self.facts.end.map_or(CloseReason::CaptureEnded, |end| end.why)
    }

    /// Sorts the one with the most exchanges first, and among equals the one first seen.
    fn weight(&self) -> (Reverse<u64>, PacketNumber) {
        (Reverse(self.outcomes.messages()), self.facts.first.number)
    }
}

/// What is known of a connection that lives.
#[derive(Clone, Debug)]
struct Live {
    outcomes: Outcomes,
    latency: Latencies,
    /// Its server, and where the row of that lies: no address is looked up per exchange.
    server: Option<(SocketAddr, usize)>,
}

impl Default for Live {
    fn default() -> Self {
        Self { outcomes: Outcomes::default(), latency: Latencies::coarse(), server: None }
    }
}

/// Statistics of everything that was seen and is sure.
#[derive(Debug)]
pub struct Statistics {
    totals: Outcomes,
    patterns: Vec<PatternRow>,
    /// The row of each pattern, by kind and [`PatternId`]: no text is looked up per exchange.
    row_of: [Vec<Option<usize>>; 2],
    servers: Groups,
    groups: Option<Groups>,
    connections: Vec<ConnectionRow>,
    /// By slot.
    live: Vec<Live>,
    connections_folded: u64,
}

impl Default for Statistics {
    fn default() -> Self {
        Self::by(Vec::new())
    }
}

impl Statistics {
    /// Nothing yet; what comes is also grouped by these, if there are any.
    pub fn by(by: Vec<GroupBy>) -> Self {
        Self {
            totals: Outcomes::default(),
            patterns: Vec::new(),
            row_of: Default::default(),
            servers: Groups::new(vec![GroupBy::Server]),
            groups: (!by.is_empty()).then(|| Groups::new(by)),
            connections: Vec::new(),
            live: Vec::new(),
            connections_folded: 0,
        }
    }

    /// Takes an exchange that ended, or that stood open at the end. What is not sure to be one is
    /// left out, and so are replies, of whose calls nothing is known.
    pub fn add(&mut self, exchange: &Exchange<'_>) {
        let is_counted = exchange.sure && exchange.kind != ExchangeKind::Reply;
        if !is_counted || exchange.is_answered_attempt() {
            return;
        }
        self.totals.add(exchange);
        if let Some(groups) = &mut self.groups {
            let place = groups.place(exchange);
            groups.add(place, exchange);
        }
        // An attempt that failed is of no connection, whoever has its slot.
        if exchange.kind == ExchangeKind::Connect {
            let place = self.servers.place(exchange);
            return self.servers.add(place, exchange);
        }
        self.add_to_connection(exchange);
        let Some(row) = self.pattern_row(exchange) else {
            return;
        };
        row.outcomes.add(exchange);
        row.held.add(exchange);
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

    /// What was added as an attempt that waits has ended, and is to be added as it ended.
    pub(super) fn take_back_attempt(&mut self, exchange: &Exchange<'_>) {
        self.totals.take_back_attempt();
        self.servers.take_back_attempt(exchange);
        if let Some(groups) = &mut self.groups {
            groups.take_back_attempt(exchange);
        }
    }

    /// Counts an exchange for its connection and its server.
    fn add_to_connection(&mut self, exchange: &Exchange<'_>) {
        let slot = exchange.connection.slot as usize;
        if self.live.len() <= slot {
            self.live.resize_with(slot + 1, Live::default);
        }
        let Some(live) = self.live.get_mut(slot) else { return };
        live.outcomes.add(exchange);
        if matches!(exchange.status, Status::Ok | Status::Error)
            && let Some(latency) = exchange.latency.latency
        {
            live.latency.record(latency);
        }
        let place = match live.server {
            Some((server, place)) if server == exchange.ends.server => place,
            _ => self.servers.place(exchange),
        };
        live.server = Some((exchange.ends.server, place));
        self.servers.add(place, exchange);
    }

    /// Takes a connection that is over.
    pub fn close(&mut self, facts: &ConnectionFacts) {
        let slot = facts.connection.slot as usize;
        let Live { outcomes, latency, .. } =
            self.live.get_mut(slot).map(std::mem::take).unwrap_or_default();
        let latency = latency.percentiles();
        self.connections.push(ConnectionRow { facts: *facts, outcomes, latency });
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
            let count = row.outcomes.messages();
            (Reverse(row.latency.sum()), Reverse(count), row.kind, row.pattern.as_deref())
        });
        rows
    }

    /// A row per server end: the one with the largest sum of latencies first.
    pub fn servers(&self) -> Vec<&GroupRow> {
        self.servers.rows()
    }

    /// What was asked for beside that.
    pub const fn groups(&self) -> Option<&Groups> {
        self.groups.as_ref()
    }

    /// Whether rows were folded because there were too many.
    pub fn met_a_bound(&self) -> bool {
        self.servers.is_folded() || self.groups.as_ref().is_some_and(Groups::is_folded)
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
        self.servers.merge(other.servers);
        if let (Some(groups), Some(others)) = (&mut self.groups, other.groups) {
            groups.merge(others);
        }
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
                held: HeldBack::default(),
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
    use crate::endpoint::{ConnectionId, ConnectionNumber, Endpoints};
    use crate::endpoint::{PerSide, Roles};
    use crate::exchange::ExchangeNumber;
    use crate::packet::PacketRef;
    use crate::stream::{Ended, Opened};

    const ROWS: u32 = 10_000;

    /// The connection with this number; the packet that showed it has the same.
    fn add(statistics: &mut Statistics, number: u32, events: u64) {
        let connection = ConnectionId { number: ConnectionNumber(number), slot: 0 };
        let end = ([127, 0, 0, 1], 1).into();
        let ends = Endpoints { client: end, server: end };
        let first = PacketRef { number: PacketNumber(number.into()), ..PacketRef::default() };
        for event in 0..events {
            let (exchange, kind) = (ExchangeNumber(event), ExchangeKind::Event);
            statistics.add(&Exchange {
                pattern: Some("log"),
                pattern_id: PatternId(2),
                ..Exchange::empty(exchange, connection, ends, kind, Status::Sent)
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
        for number in (0..3 * ROWS).rev() {
            let events = if number == 0 { 9 } else { u64::from(number.is_multiple_of(5)) };
            add(&mut whole, number, events);
            add(if number.is_multiple_of(2) { &mut even } else { &mut odd }, number, events);
        }
        even.merge(odd);
        for statistics in [&whole, &even] {
            assert_eq!(statistics.connections_folded(), u64::from(2 * ROWS));
            let rows = statistics.connections();
            assert_eq!(rows.len(), ROWS as usize);
            assert_eq!((rows[0].facts.connection.number.0, rows[0].outcomes.events), (0, 9));
            let busy = rows.iter().filter(|row| row.outcomes.events > 0).count();
            assert_eq!(busy, 3 * ROWS as usize / 5);
            let idle = rows.iter().filter(|row| row.outcomes.events == 0);
            assert!(
                idle.map(|row| row.facts.first.number).max() < Some(PacketNumber(u64::from(ROWS))),
                "first seen"
            );
        }
    }
}
