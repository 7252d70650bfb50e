//! What waits for time to pass. Waits of one length share a queue, in the order in which they
//! began, which is that in which they end: only its front is looked at.

use std::collections::VecDeque;

use super::capture_time::CaptureTime;
use crate::endpoint::Side;
use crate::limits::{
    ATTEMPT_WAIT, REORDER_AT_LEAST, REORDER_PACKETS, RETRANSMISSION_WAIT, SYN_WAIT, WAITS,
};
use crate::packet::{PacketNumber, PacketRef};
use crate::time::{Nanos, Timestamp};

/// What remains of the time for which a client waits when the wait for the answer is over.
const GIVE_UP_WAIT: Nanos = Nanos::new(ATTEMPT_WAIT.get() - SYN_WAIT.get());

/// How far the capture has come, in time and in packets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    time: CaptureTime,
    /// The highest packet number so far.
    packet: PacketNumber,
}

/// A point in the passing of the capture.
#[derive(Clone, Copy, Debug, Default)]
struct Moment {
    packet: PacketNumber,
    /// Time passed since the first packet.
    elapsed: Nanos,
}

impl Clock {
    /// A packet came.
    #[inline]
    pub fn packet(&mut self, packet: PacketRef) {
        self.packet = self.packet.max(packet.number);
        self.time.packet(packet.at);
    }

    /// How long ago `at` was.
    pub fn passed_since(&self, at: Timestamp) -> Nanos {
        self.time.now().map_or(Nanos::ZERO, |now| now.saturating_since(at))
    }

    /// Time passed since the first packet.
    pub fn elapsed(&self) -> Nanos {
        self.time.elapsed()
    }

    /// The highest packet number and the time now. No packet need have both.
    pub fn last(&self) -> PacketRef {
        PacketRef { number: self.packet, at: self.time.now().unwrap_or_default() }
    }

    /// It is at least `at`.
    pub fn time(&mut self, at: Timestamp) {
        self.time.time(at);
    }

    fn now(&self) -> Moment {
        Moment { packet: self.packet, elapsed: self.time.elapsed() }
    }
}

/// What a connection waits for. `slot` and `generation` name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub slot: u32,
    pub generation: u64,
    pub what: What,
}

/// What is to be done when the wait is over.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// Nothing earlier is expected any more: the streams begin with what was seen.
    Settle,
    /// `side` must have been seen up to `upto`, which `by` acknowledged.
    Reach { side: Side, upto: u64, by: PacketRef },
    /// The hole of `side` at `at` must have been filled.
    Hole { side: Side, at: u64 },
    /// Nothing is expected any more of a connection that ended.
    Close,
    /// A connection that another one between the same ends was proven beside must have gone on.
    Superseded,
    /// The SYN must have been answered.
    Answer,
    /// The client must have given up.
    GiveUp,
}

/// The queues.
#[derive(Debug)]
pub(super) struct Waits {
    reorder_at_most: Nanos,
    reorder: VecDeque<(Moment, Wait)>,
    retransmission: VecDeque<(Moment, Wait)>,
    answer: VecDeque<(Moment, Wait)>,
    give_up: VecDeque<(Moment, Wait)>,
}

impl Waits {
    /// No waits; packets out of order are waited for at most `reorder_at_most`.
    pub fn new(reorder_at_most: Nanos) -> Self {
        Self {
            reorder_at_most,
            reorder: VecDeque::new(),
            retransmission: VecDeque::new(),
            answer: VecDeque::new(),
            give_up: VecDeque::new(),
        }
    }

    /// How long packets out of order are waited for.
    pub fn reorder_at_most(&self) -> Nanos {
        self.reorder_at_most
    }

    /// Begins a wait.
    pub fn add(&mut self, clock: &Clock, wait: Wait) {
        let queue = match wait.what {
            What::Settle | What::Reach { .. } | What::Close => &mut self.reorder,
            What::Hole { .. } | What::Superseded => &mut self.retransmission,
            What::Answer => &mut self.answer,
            What::GiveUp => &mut self.give_up,
        };
        queue.push_back((clock.now(), wait));
    }

    /// The next wait that is over.
    pub fn due(&mut self, clock: &Clock) -> Option<Wait> {
        let now = clock.now();
        if let Some((since, _)) = self.reorder.front()
            && self.reordering_passed(*since, now)
        {
            return self.reorder.pop_front().map(|(_, wait)| wait);
        }
        [
            (&mut self.retransmission, RETRANSMISSION_WAIT),
            (&mut self.answer, SYN_WAIT),
            (&mut self.give_up, GIVE_UP_WAIT),
        ]
        .into_iter()
        .find(|(queue, wait)| queue.front().is_some_and(|(since, _)| now.since(*since) >= *wait))
        .and_then(|(queue, _)| queue.pop_front())
        .map(|(_, wait)| wait)
    }

    /// How many wait for packets out of order.
    pub fn reordering(&self) -> usize {
        self.reorder.len()
    }

    /// The oldest of those, over or not.
    pub fn next_reordering(&mut self) -> Option<Wait> {
        self.reorder.pop_front().map(|(_, wait)| wait)
    }

    /// The oldest wait of a queue that is too long.
    pub fn overdue(&mut self) -> Option<Wait> {
        [&mut self.reorder, &mut self.retransmission, &mut self.answer, &mut self.give_up]
            .into_iter()
            .find(|queue| queue.len() > WAITS)
            .and_then(|queue| queue.pop_front())
            .map(|(_, wait)| wait)
    }

    /// How many waits are queued.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.reorder.len() + self.retransmission.len() + self.answer.len() + self.give_up.len()
    }

    fn reordering_passed(&self, since: Moment, now: Moment) -> bool {
        let time = now.since(since);
        let packets = now.packet.0.saturating_sub(since.packet.0);
        time >= self.reorder_at_most || packets >= REORDER_PACKETS && time >= REORDER_AT_LEAST
    }
}

impl Moment {
    fn since(self, earlier: Self) -> Nanos {
        Nanos::new(self.elapsed.get().saturating_sub(earlier.elapsed.get()))
    }
}
