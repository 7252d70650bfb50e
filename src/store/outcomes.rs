//! How exchanges ended, counted.

use crate::exchange::{Exchange, ExchangeKind, Held, Status};

/// How many exchanges there were, by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs)]
pub struct Outcomes {
    pub calls: u64,
    pub events: u64,
    pub ok: u64,
    pub error: u64,
    pub open: u64,
    pub closed: u64,
    pub unknown: u64,
    /// Attempts to connect that failed.
    pub connects: u64,
    pub refused: u64,
    pub no_answer: u64,
    pub reset: u64,
}

impl Outcomes {
    /// Calls without a final reply, for whatever reason.
    pub const fn no_reply(&self) -> u64 {
        self.open + self.closed + self.unknown
    }

    /// Calls that ended with an error or with nothing, and attempts to connect that failed.
    pub const fn failures(&self) -> u64 {
        self.error + self.no_reply() + self.connects
    }

    /// Calls and events.
    pub const fn messages(&self) -> u64 {
        self.calls + self.events
    }

    pub(super) fn merge(&mut self, other: &Self) {
        let Self {
            calls,
            events,
            ok,
            error,
            open,
            closed,
            unknown,
            connects,
            refused,
            no_answer,
            reset,
        } = *other;
        self.calls += calls;
        self.events += events;
        self.ok += ok;
        self.error += error;
        self.open += open;
        self.closed += closed;
        self.unknown += unknown;
        self.connects += connects;
        self.refused += refused;
        self.no_answer += no_answer;
        self.reset += reset;
    }

    /// An attempt that was counted while it waited is to be counted by its outcome.
    pub(super) fn take_back_attempt(&mut self) {
        self.connects = self.connects.saturating_sub(1);
        self.no_answer = self.no_answer.saturating_sub(1);
    }

    pub(super) fn add(&mut self, exchange: &Exchange<'_>) {
        match exchange.kind {
            ExchangeKind::Request => self.calls += 1,
            ExchangeKind::Event => self.events += 1,
            ExchangeKind::Connect => self.connects += 1,
            ExchangeKind::Reply => {}
        }
        match exchange.status {
            Status::Ok => self.ok += 1,
            Status::Error => self.error += 1,
            Status::Open => self.open += 1,
            Status::Closed => self.closed += 1,
            Status::Unknown => self.unknown += 1,
            Status::Refused => self.refused += 1,
            Status::NoAnswer => self.no_answer += 1,
            Status::Reset => self.reset += 1,
            Status::Sent | Status::Orphan => {}
        }
    }
}

/// What kernels certainly held back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct HeldBack {
    /// Calls, or events, of which a frame was.
    pub calls: u64,
    /// Nanoseconds that their requests were.
    pub request_ns: u64,
    /// Nanoseconds that their replies were.
    pub reply_ns: u64,
}

impl HeldBack {
    pub(super) fn merge(&mut self, other: &Self) {
        let Self { calls, request_ns, reply_ns } = *other;
        self.calls += calls;
        self.request_ns = self.request_ns.saturating_add(request_ns);
        self.reply_ns = self.reply_ns.saturating_add(reply_ns);
    }

    pub(super) fn add(&mut self, exchange: &Exchange<'_>) {
        let certain = |held: Held| if held.certain { held.at_most.get() } else { 0 };
        let held = (certain(exchange.request_held), certain(exchange.reply_held));
        if held != (0, 0) {
            self.merge(&Self { calls: 1, request_ns: held.0, reply_ns: held.1 });
        }
    }
}
