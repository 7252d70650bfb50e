//! The connections that a screen lists: those that stand, and those that are over.

use std::cmp::Reverse;

use crate::endpoint::{ConnectionId, ConnectionNumber};
use crate::engine::ConnectionFacts;
use crate::exchange::{Exchange, ExchangeKind, Frame, Status};
use crate::limits;
use crate::store::{ConnectionRecord, Latencies};
use crate::stream::Opened;

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
            facts: ConnectionFacts::opened(opened),
            in_flight: 0,
            calls: 0,
            events: 0,
            errors: 0,
            no_reply: 0,
            latencies: Latencies::coarse(),
            latency: None,
        });
    }

    pub(super) fn began(&mut self, exchange: &Exchange<'_>, frame: &Frame<'_>) {
        let Some(record) = self.get_mut(exchange.connection) else { return };
        record.facts.spoke_nest = true;
        record.facts.ends = exchange.ends;
        if record.facts.last.number < frame.span.last.number {
            record.facts.last = frame.span.last;
        }
        match exchange.kind {
            ExchangeKind::Request => {
                record.calls += 1;
                record.in_flight += 1;
            }
            ExchangeKind::Event => record.events += 1,
            ExchangeKind::Reply | ExchangeKind::Connect => {}
        }
    }

    pub(super) fn ended(&mut self, exchange: &Exchange<'_>) {
        let Some(record) = self.get_mut(exchange.connection) else { return };
        if exchange.kind != ExchangeKind::Request {
            return;
        }
        record.in_flight = record.in_flight.saturating_sub(1);
        if !exchange.sure {
            return;
        }
        match exchange.status {
            Status::Error => record.errors += 1,
            Status::Open | Status::Closed | Status::Unknown => record.no_reply += 1,
            _ => {}
        }
        if matches!(exchange.status, Status::Ok | Status::Error)
            && let Some(latency) = exchange.latency.latency
        {
            record.latencies.record(latency);
        }
    }

    pub(super) fn standing(&mut self, standing: &ConnectionFacts) {
        if let Some(record) = self.get_mut(standing.connection) {
            record.facts = *standing;
        }
    }

    pub(super) fn close(&mut self, over: &ConnectionFacts) {
        if let Some(record) = self.get_mut(over.connection) {
            record.facts = *over;
            record.in_flight = 0;
            // Thousands may be over: of those only the percentiles are kept.
            record.latency = std::mem::take(&mut record.latencies).percentiles();
        }
    }

    /// Forgets those that are over, and what was counted of the others.
    pub(super) fn clear(&mut self) {
        self.retain(|record| record.facts.end.is_none());
        self.folded = 0;
        for record in &mut self.records {
            (record.in_flight, record.calls, record.events) = (0, 0, 0);
            (record.errors, record.no_reply) = (0, 0);
            record.latencies = Latencies::coarse();
        }
    }

    fn get_mut(&mut self, id: ConnectionId) -> Option<&mut ConnectionRecord> {
        let place = *self.places.get(id.slot as usize)?;
        self.records.get_mut(place).filter(|record| record.facts.connection.number == id.number)
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
fn weight(record: &ConnectionRecord) -> (bool, u64, Reverse<ConnectionNumber>) {
    (
        record.facts.end.is_none(),
        record.calls + record.events,
        Reverse(record.facts.connection.number),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::{ConnectionNumber, Endpoints, PerSide, Roles};
    use crate::packet::{PacketNumber, PacketRef};
    use crate::stream::{CloseReason, Ended};
    use crate::time::Timestamp;

    fn packet(number: u64) -> PacketRef {
        PacketRef { number: PacketNumber(number), at: Timestamp::from_nanos(0) }
    }

    fn ends() -> Endpoints {
        Endpoints { client: ([10, 0, 0, 1], 40_000).into(), server: ([10, 0, 0, 2], 3_000).into() }
    }

    fn opened(number: u32, slot: u32) -> Opened {
        Opened {
            connection: ConnectionId { number: ConnectionNumber(number), slot },
            ends: ends(),
            roles: Roles::Known,
            at: packet(u64::from(number) + 1),
            from_start: PerSide { client: true, server: true },
            also: None,
        }
    }

    fn closed(number: u32, slot: u32) -> ConnectionFacts {
        let at = packet(u64::from(number) + 2);
        ConnectionFacts {
            ends: ends().swapped(),
            from_start: PerSide { client: true, server: false },
            last: at,
            end: Some(Ended { why: CloseReason::Reset, at, by: None }),
            ..ConnectionFacts::opened(&opened(number, slot))
        }
    }

    #[test]
    fn a_connection_that_is_over_stays_as_it_was_when_its_slot_is_used_again() {
        let mut connections = Connections::default();
        connections.open(&opened(0, 0));
        connections.close(&closed(0, 0));
        connections.open(&opened(1, 0));
        // Told late, for the one before.
        connections.close(&closed(0, 0));
        let [over, stands] = connections.records() else { panic!("two") };
        let state = |record: &ConnectionRecord| {
            let ConnectionFacts { connection, end, .. } = record.facts;
            (connection.number.0, end.map(|end| end.why), record.facts.from_start.server)
        };
        assert_eq!(state(over), (0, Some(CloseReason::Reset), false));
        assert_eq!((over.facts.ends, over.facts.last), (ends().swapped(), packet(2)));
        assert_eq!(state(stands), (1, None, true));
    }

    #[test]
    fn of_too_many_those_that_are_over_and_least_busy_go_first() {
        let mut connections = Connections::default();
        let all = u32::try_from(2 * limits::CONNECTION_ROWS).unwrap();
        for number in 0..all {
            // The first hundred stand; the others share a slot, one after the other.
            let slot = number.min(100);
            connections.open(&opened(number, slot));
            if number >= 100 {
                if let Some(record) = connections.records.last_mut() {
                    record.calls = u64::from(number);
                }
                connections.close(&closed(number, slot));
            }
        }
        assert_eq!((connections.records().len(), connections.folded()), (all as usize, 0));
        connections.open(&opened(all, 100));
        let kept = limits::CONNECTION_ROWS;
        assert_eq!((connections.records().len(), connections.folded()), (kept + 1, kept as u64));
        let number_of = |record: &ConnectionRecord| record.facts.connection.number.0;
        let numbers: Vec<_> = connections.records().iter().map(number_of).collect();
        let busiest = all - u32::try_from(kept).unwrap() + 100..all;
        assert!((0..100).chain(busiest).chain([all]).eq(numbers));
        // Those that stand are still found.
        for number in [5, all] {
            let slot = number.min(100);
            connections.close(&closed(number, slot));
            let of_it = |record: &&ConnectionRecord| number_of(record) == number;
            assert!(connections.records().iter().find(of_it).unwrap().facts.end.is_some());
        }
        connections.clear();
        assert_eq!(connections.records().len(), 99);
        connections.close(&closed(6, 6));
        let over = connections.records().iter().filter(|record| record.facts.end.is_some());
        assert_eq!(over.map(number_of).collect::<Vec<_>>(), [6]);
    }
}
