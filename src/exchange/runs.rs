//! Which frames of a connection something outside their own bytes confirms, or their form where
//! many of them follow one another: *Sure* in `docs/ARCHITECTURE.md`.

use std::collections::VecDeque;

use crate::endpoint::{PerSide, Side};
use crate::limits;
use crate::protocol::{Message, Placed};

/// Names a run within its connection: frames of one side that follow one another without a byte
/// between, of which the first was found by searching. One confirms all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Run(u32);

impl Run {
    /// Stands for every frame whose place is certain, and for those that were confirmed.
    pub(super) const SURE: Self = Self(0);
}

/// Frames in a row by which a stream of events that nothing answers is known as such, and the
/// segments that must begin with one of them. Text that merely holds frames is cut into segments
/// wherever it is.
const FRAMES_IN_A_ROW: u32 = 8;
const SEGMENTS_IN_A_ROW: u32 = 4;

/// The runs of a connection.
#[derive(Debug, Default)]
pub(super) struct Runs {
    latest: Run,
    sides: PerSide<SideRun>,
    /// Ascending.
    unconfirmed: VecDeque<Run>,
    /// Those up to this one are not known any more, and taken for unconfirmed.
    forgotten: Run,
}

/// The run that one side is in.
#[derive(Debug, Default)]
struct SideRun {
    /// [`Run::SURE`] once it was confirmed.
    run: Run,
    /// 0 outside of a run.
    frames: u32,
    /// Segments that began with one of them.
    segments: u32,
    /// Whether this side sent what is no frame.
    noisy: bool,
}

impl Runs {
    /// Takes in a frame whose place is not certain. Gives its run, and whether that is confirmed by
    /// its own form now.
    pub(super) fn frame(&mut self, message: &Message<'_>) -> (Run, bool) {
        let side = self.sides.of_mut(message.from);
        if message.placed == Placed::Found || side.frames == 0 {
            // As many runs as there are gaps: far fewer than 2^32.
            self.latest = Run(self.latest.0.saturating_add(1));
            *side = SideRun { run: self.latest, noisy: side.noisy, ..SideRun::default() };
            self.unconfirmed.push_back(self.latest);
            if self.unconfirmed.len() > limits::UNCONFIRMED_RUNS
                && let Some(oldest) = self.unconfirmed.pop_front()
            {
                self.forgotten = oldest;
            }
        }
        side.frames = side.frames.saturating_add(1);
        side.segments = side.segments.saturating_add(u32::from(message.begins_segment));
        let formed = side.frames >= FRAMES_IN_A_ROW && side.segments >= SEGMENTS_IN_A_ROW;
        (side.run, side.run != Run::SURE && formed && !side.noisy)
    }

    /// The run of `from` is over.
    pub(super) fn cut(&mut self, from: Side) {
        self.sides.of_mut(from).frames = 0;
    }

    /// `from` sent what is no frame.
    pub(super) fn noise(&mut self, from: Side) {
        self.cut(from);
        self.sides.of_mut(from).noisy = true;
    }

    /// Something confirms a frame of `run`. Says whether that is news.
    pub(super) fn confirm(&mut self, run: Run) -> bool {
        let Ok(place) = self.unconfirmed.binary_search(&run) else { return false };
        self.unconfirmed.remove(place);
        for side in Side::BOTH {
            let side = self.sides.of_mut(side);
            if side.run == run {
                side.run = Run::SURE;
            }
        }
        true
    }

    pub(super) fn is_sure(&self, run: Run) -> bool {
        run == Run::SURE || run > self.forgotten && self.unconfirmed.binary_search(&run).is_err()
    }
}
