//! What nothing but its own bytes confirms: deferred for a while, then told as such.

use super::{Parties, Tracker, connection_mut};
use crate::endpoint::ConnectionId;
use crate::exchange::deferred::{Deferred, Ticket};
use crate::exchange::kept::KeptExchange;
use crate::exchange::runs::Run;
use crate::exchange::waiting::CallIndex;
use crate::exchange::{Exchange, Span, TrackerEvent};
use crate::limits;
use crate::protocol::Message;
use crate::time::Nanos;

/// An event that waits until something confirms its run.
#[derive(Debug)]
pub(super) struct DeferredEvent {
    event: KeptExchange,
    run: Run,
}

/// The queue of unconfirmed events. They wait longer in a file, where nobody waits for them, than
/// on an interface.
pub(super) fn queue(reorder_at_most: Nanos) -> Deferred<DeferredEvent> {
    let wait = reorder_at_most.max(limits::UNSURE_WAIT);
    Deferred::new(wait, limits::UNSURE_EVENTS, limits::UNSURE_EVENT_BYTES)
}

impl Tracker {
    /// The run of a frame that was found by searching, or that follows one.
    #[cold]
    pub(super) fn run_of(
        &mut self,
        connection: ConnectionId,
        message: &Message<'_>,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) -> Run {
        let Some(known) = connection_mut(&mut self.connections, connection) else {
            return Run::SURE;
        };
        let (run, is_confirmed) = known.doubts().runs.frame(message);
        if !is_confirmed {
            return run;
        }
        self.confirm(connection, run, emit);
        Run::SURE
    }

    /// Request and reply are on both sides: each confirms the other, unless the reply came first.
    /// Says whether both are confirmed.
    #[cold]
    pub(super) fn confirm_pair(
        &mut self,
        connection: ConnectionId,
        place: CallIndex,
        (reply, run): (&Span, Run),
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) -> bool {
        let request_run = self.calls.run(place);
        let Some(request) = self.calls.call(place).map(|(call, _)| call.request) else {
            return false;
        };
        if reply.last.number >= request.last.number || reply.last.at >= request.last.at {
            self.confirm(connection, request_run, emit);
            self.confirm(connection, run, emit);
            self.calls.set_run(place, Run::SURE);
        } else if request_run == Run::SURE {
            self.calls.set_run(place, run);
        }
        self.is_sure(connection, self.calls.run(place))
    }

    fn confirm(
        &mut self,
        connection: ConnectionId,
        run: Run,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let known = connection_mut(&mut self.connections, connection);
        let Some(doubts) = known.and_then(|known| known.doubts.as_mut()) else { return };
        if run == Run::SURE || !doubts.runs.confirm(run) {
            return;
        }
        let of_it = doubts.events.iter().filter(|(of, _)| *of == run);
        for ticket in of_it.map(|(_, ticket)| *ticket).collect::<Vec<_>>() {
            self.release_event(ticket, emit);
        }
    }

    /// Whether something confirms the frames of a run.
    pub(super) fn is_sure(&self, connection: ConnectionId, run: Run) -> bool {
        if run == Run::SURE {
            return true;
        }
        let known = self.connections.get(connection.slot as usize);
        let known = known.filter(|known| known.id == connection);
        let doubts = known.and_then(|known| known.doubts.as_ref());
        doubts.is_none_or(|doubts| doubts.runs.is_sure(run))
    }

    pub(super) fn defer_event(
        &mut self,
        parties: &Parties,
        run: Run,
        event: KeptExchange,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let bytes = event.weight();
        let ticket = self.events.push(self.clock.elapsed(), bytes, DeferredEvent { event, run });
        if let Some(known) = connection_mut(&mut self.connections, parties.connection) {
            known.doubts().events.push_back((run, ticket));
        }
        while let Some(ticket) = self.events.over_limit() {
            self.counts.waits_given_up += 1;
            self.release_event(ticket, emit);
        }
    }

    /// Tells of an event as sure as it is now.
    fn release_event(&mut self, ticket: Ticket, emit: &mut dyn FnMut(TrackerEvent<'_>)) {
        let Some(DeferredEvent { event, run }) = self.events.take(ticket) else { return };
        let event = event.lend();
        if let Some(known) = connection_mut(&mut self.connections, event.connection)
            && let Some(doubts) = &mut known.doubts
            && let Ok(place) = doubts.events.binary_search_by_key(&ticket, |(_, ticket)| *ticket)
        {
            doubts.events.remove(place);
        }
        let sure = self.is_sure(event.connection, run);
        self.tell_deferred_end(&Exchange { sure, ..event }, emit);
    }

    pub(super) fn expire_events(&mut self, emit: &mut dyn FnMut(TrackerEvent<'_>)) {
        while let Some(ticket) = self.events.due(self.clock.elapsed()) {
            self.release_event(ticket, emit);
        }
    }

    /// Nothing of this connection can be confirmed any more.
    pub(super) fn close_events(
        &mut self,
        connection: ConnectionId,
        emit: &mut dyn FnMut(TrackerEvent<'_>),
    ) {
        let first = |tracker: &mut Self| {
            let known = connection_mut(&mut tracker.connections, connection)?;
            known.doubts.as_ref()?.events.front().map(|(_, ticket)| *ticket)
        };
        while let Some(ticket) = first(self) {
            self.release_event(ticket, emit);
        }
    }
}
