//! How far the capture has come.

use crate::limits::REORDER_AT_MOST_FILE;
use crate::time::{Nanos, Timestamp};

/// The time of the capture. What it says has elapsed never steps back, though packets may come out
/// of order and the clock of the capture may be set.
#[derive(Clone, Copy, Debug, Default)]
pub struct CaptureTime {
    latest: Option<Timestamp>,
    elapsed: Nanos,
}

impl CaptureTime {
    /// A packet of this time came. Says whether the clock of the capture was set back in front of
    /// it.
    #[inline]
    pub fn packet(&mut self, at: Timestamp) -> bool {
        !self.time(at) && self.late(at)
    }

    /// Too far back for a packet out of order: the clock was set. Time goes on from there, or
    /// nothing that waits would end until the clock is where it was.
    #[cold]
    fn late(&mut self, at: Timestamp) -> bool {
        let is_set_back =
            self.latest.is_some_and(|latest| latest.saturating_since(at) > REORDER_AT_MOST_FILE);
        if is_set_back {
            self.latest = Some(at);
        }
        is_set_back
    }

    /// It is at least `at`. Says whether that is known, and no earlier than it was.
    #[inline]
    pub fn time(&mut self, at: Timestamp) -> bool {
        let Some(passed) = at.since(self.latest.unwrap_or(at)) else { return false };
        self.elapsed = Nanos::new(self.elapsed.get().saturating_add(passed.get()));
        self.latest = Some(at);
        true
    }

    /// Time passed since the first packet.
    pub const fn elapsed(&self) -> Nanos {
        self.elapsed
    }

    /// What time it is; `None` before the first packet that has one.
    pub const fn now(&self) -> Option<Timestamp> {
        self.latest
    }
}
