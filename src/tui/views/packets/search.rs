//! A search through the payloads of packets, some of them at a time.

use std::ops::Range;

use super::filter::Filtered;
use super::reading::Reading;
use crate::packet::PacketNumber;
use crate::report::count;
use crate::store::CaptureStore;
use crate::tui::find::Needle;

/// Packets that are looked at in one step, so that the screen goes on meanwhile.
pub const PACKETS: usize = 4_000;

/// Bytes that are looked at in one step.
pub const BYTES: usize = 16 << 20;

/// A search that is under way: once round all packets.
#[derive(Debug)]
pub struct Search {
    /// The packets there were when it began.
    packets: Range<PacketNumber>,
    /// The packet that is looked at next.
    next: PacketNumber,
    /// Packets that are still to be looked at.
    left: u64,
    backwards: bool,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It goes on.
    Goes,
    /// In this packet.
    Found(PacketNumber),
    /// In none.
    Nowhere,
}

impl Search {
    /// Begins behind packet `here`, or before it.
    pub fn new(here: PacketNumber, packets: Range<PacketNumber>, backwards: bool) -> Self {
        let left = packets.end.0.saturating_sub(packets.start.0);
        let mut hunt = Self { packets, next: here, left, backwards };
        hunt.go_on();
        hunt
    }

    /// Goes to the next packet, round the ends.
    fn go_on(&mut self) {
        let Range { start, end } = self.packets;
        self.next = match (self.backwards, self.next) {
            (false, next) if next.next() >= end => start,
            (false, next) => next.next(),
            (true, next) if next <= start => end.saturating_sub(1),
            (true, next) => next.saturating_sub(1),
        };
    }

    /// Looks at some packets more.
    pub fn step(
        &mut self,
        needle: &Needle,
        filtered: Option<&Filtered>,
        capture: &CaptureStore,
    ) -> Step {
        let mut bytes = 0;
        for _ in 0..PACKETS {
            if self.left == 0 {
                return Step::Nowhere;
            }
            let number = self.next;
            self.left -= 1;
            self.go_on();
            if filtered.is_some_and(|filtered| !filtered.has(number)) {
                continue;
            }
            let Some(reading) = Reading::new(number, capture) else { continue };
            if needle.find(reading.payload(), 0).is_some() {
                return Step::Found(number);
            }
            bytes += reading.payload().len();
            if bytes > BYTES {
                break;
            }
        }
        Step::Goes
    }

    /// How far it is.
    pub fn about(&self) -> String {
        let all = self.packets.end.0.saturating_sub(self.packets.start.0);
        let looked = all.saturating_sub(self.left);
        format!("Searching: {} of {} packets (Esc ends it)", count(looked), count(all))
    }
}
