//! How far the capture has come, and where its clock was set back.

use crate::packet::{PacketNumber, PacketRef};
use crate::stream::CaptureTime;
use crate::time::{Nanos, Timestamp};

/// Steps that are remembered. A call that is still open behind them lies around the last one too.
const STEPS: usize = 16;

/// The time of the capture, and its last steps back.
#[derive(Debug, Default)]
pub(super) struct Clock {
    time: CaptureTime,
    /// The packets in front of which the clock was set back last: a ring.
    steps: [PacketNumber; STEPS],
    next: usize,
    /// The last of them; 0 where there was none.
    last_step: PacketNumber,
}

impl Clock {
    /// A packet came.
    #[inline]
    pub(super) fn packet(&mut self, packet: PacketRef) {
        if self.time.packet(packet.at) {
            self.step(packet.number);
        }
    }

    #[cold]
    fn step(&mut self, packet: PacketNumber) {
        self.last_step = packet;
        if let Some(oldest) = self.steps.get_mut(self.next) {
            *oldest = packet;
        }
        self.next = (self.next + 1) % STEPS;
    }

    /// It is at least `at`.
    pub(super) fn time(&mut self, at: Timestamp) {
        self.time.time(at);
    }

    /// Time passed since the first packet.
    pub(super) const fn elapsed(&self) -> Nanos {
        self.time.elapsed()
    }

    /// Whether the clock was set back after packet `first`.
    pub(super) fn stepped_after(&self, first: PacketNumber) -> bool {
        self.last_step > first
    }

    /// Whether the clock was set back after packet `first` and not after `last`.
    pub(super) fn stepped_within(&self, first: PacketNumber, last: PacketNumber) -> bool {
        self.stepped_after(first)
            && self.steps.iter().any(|step| (first.next()..=last).contains(step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(number: u64, millis: i64) -> PacketRef {
        PacketRef { number: PacketNumber(number), at: Timestamp::from_nanos(millis * 1_000_000) }
    }

    #[test]
    fn only_a_clock_that_was_set_back_is_a_step() {
        let mut clock = Clock::default();
        // The third is out of order, the fourth was captured after the clock was set.
        for (number, millis) in [(1, 20_000), (2, 31_000), (3, 21_500), (4, 5_000), (5, 6_000)] {
            clock.packet(packet(number, millis));
        }
        assert_eq!(clock.elapsed(), Nanos::from_secs(12));
        for (first, last, stepped) in [(1, 3, false), (3, 4, true), (1, 5, true), (4, 5, false)] {
            let is_within = clock.stepped_within(PacketNumber(first), PacketNumber(last));
            assert_eq!(is_within, stepped, "{first} {last}");
        }
    }
}
