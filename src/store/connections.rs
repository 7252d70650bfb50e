//! The connections that a screen lists: those that stand, and those that are over.

use std::cmp::Reverse;

use crate::endpoint::ConnectionId;
use crate::engine::{ClosedConnection, Standing};
use crate::exchange::{Exchange, ExchangeKind, Frame, Status};
use crate::limits;
use crate::store::ConnectionRecord;
use crate::stream::{ConnectionEnd, Opened};

/// Connections, in the order in which they were first seen.
#[derive(Debug, Default)]
pub(super) struct Connections {
    records: Vec<ConnectionRecord>,
    /// Where the record of the connection that lives in each slot lies.
    places: Vec<usize>,
    folded: u64,
}

impl Connections {
    pub(super) fn records(&self) -> &[ConnectionRecord] {
        &self.records
    }

    pub(super) const fn folded(&self) -> u64 {
        self.folded
    }

    pub(super) fn open(&mut self, opened: &Opened) {
        // Now and then, since it sorts them.
        if self.records.len() >= 2 * limits::CONNECTION_ROWS {
            self.fold();
        }
        let slot = opened.connection.slot as usize;
        if self.places.len() <= slot {
            self.places.resize(slot + 1, usize::MAX);
        }
        if let Some(place) = self.places.get_mut(slot) {
            *place = self.records.len();
        }
        self.records.push(ConnectionRecord {
            serial: opened.connection.serial,
            ends: opened.ends,
            first: opened.at,
            last: opened.at,
            why: None,
            tally: ConnectionEnd::default(),
            round_trip: None,
            in_flight: 0,
            calls: 0,
            events: 0,
            errors: 0,
            from_start: opened.from_start.client && opened.from_start.server,
            foreign: None,
            spoke_nest: false,
        });
    }

    pub(super) fn began(&mut self, exchange: &Exchange<'_>, frame: &Frame<'_>) {
        let Some(record) = self.get_mut(exchange.connection) else { return };
        record.spoke_nest = true;
        record.ends = exchange.ends;
        if record.last.number < frame.passage.last.number {
            record.last = frame.passage.last;
        }
        match exchange.kind {
            ExchangeKind::Request => {
                record.calls += 1;
                record.in_flight += 1;
            }
            ExchangeKind::Event => record.events += 1,
            ExchangeKind::Reply => {}
        }
    }

    pub(super) fn ended(&mut self, exchange: &Exchange<'_>) {
        let Some(record) = self.get_mut(exchange.connection) else { return };
        if exchange.kind == ExchangeKind::Request {
            record.in_flight = record.in_flight.saturating_sub(1);
            record.errors += u64::from(exchange.status == Status::Error);
        }
    }

    pub(super) fn standing(&mut self, standing: &Standing) {
        let Some(record) = self.get_mut(standing.connection) else { return };
        record.ends = standing.ends;
        record.first = standing.first;
        record.last = standing.last;
        record.tally = standing.end;
        record.round_trip = standing.end.round_trip;
        record.from_start = standing.from_start.client && standing.from_start.server;
        record.foreign = standing.foreign.map(|foreign| foreign.name());
        record.spoke_nest = standing.spoke_nest;
    }

    pub(super) fn close(&mut self, over: &ClosedConnection) {
        let Some(record) = self.get_mut(over.closed.connection) else { return };
        record.ends = over.ends;
        record.first = over.first;
        record.last = over.closed.at;
        record.why = Some(over.closed.why);
        record.tally = over.closed.end;
        record.round_trip = over.closed.end.round_trip;
        record.in_flight = 0;
        record.from_start = over.from_start.client && over.from_start.server;
        record.foreign = over.foreign.map(|foreign| foreign.name());
        record.spoke_nest = over.spoke_nest;
    }

    /// Forgets those that are over, and what was counted of the others.
    pub(super) fn clear(&mut self) {
        self.retain(|record| record.why.is_none());
        self.folded = 0;
        for record in &mut self.records {
            (record.in_flight, record.calls, record.events, record.errors) = (0, 0, 0, 0);
        }
    }

    fn get_mut(&mut self, id: ConnectionId) -> Option<&mut ConnectionRecord> {
        let place = *self.places.get(id.slot as usize)?;
        self.records.get_mut(place).filter(|record| record.serial == id.serial)
    }

    /// Forgets those that are too many: what is over goes first, then what is least busy.
    fn fold(&mut self) {
        let mut weights: Vec<_> = self.records.iter().map(weight).collect();
        let keep = limits::CONNECTION_ROWS.min(weights.len());
        if keep == weights.len() {
            return;
        }
        let (_, lightest, _) = weights.select_nth_unstable_by_key(keep, |weight| Reverse(*weight));
        let lightest = *lightest;
        let before = self.records.len();
        self.retain(|record| weight(record) > lightest);
        self.folded += (before - self.records.len()) as u64;
    }

    fn retain(&mut self, keep: impl Fn(&ConnectionRecord) -> bool) {
        // Where each one goes, by where it was.
        let mut kept = 0;
        let moved: Vec<_> = self
            .records
            .iter()
            .map(|record| {
                kept += usize::from(keep(record));
                if keep(record) { kept - 1 } else { usize::MAX }
            })
            .collect();
        self.records.retain(|record| keep(record));
        for place in &mut self.places {
            *place = moved.get(*place).copied().unwrap_or(usize::MAX);
        }
    }
}

/// The heavier one stays: no two are equal, since of equally busy ones the older stays.
fn weight(record: &ConnectionRecord) -> (bool, u64, Reverse<u32>) {
    (record.why.is_none(), record.calls + record.events, Reverse(record.serial))
}
