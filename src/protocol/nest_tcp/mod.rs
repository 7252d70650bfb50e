//! Nest's TCP transport, as every Nest from 5 to 12 writes it: `<length>#<json>`, nothing between
//! frames and nothing before the first.
//!
//! Each side of a connection is read for itself. A frame that lies in one chunk is read where it
//! lies; only one that straddles chunks is copied, and no further than to its own end.

mod envelope;
mod length;
mod partial;
mod passing;
mod reader;
mod recognise;
mod search;
mod side;
mod speakers;

pub use envelope::read_body;
use side::SideDecoder;
use speakers::Speakers;

use crate::endpoint::{PerSide, Roles, Side};
use crate::protocol::{Decoded, Decoder, Fault};
use crate::stream::{Chunk, Gap, Opened};

/// Reads the frames of one connection.
#[derive(Debug)]
pub struct NestTcp {
    sides: PerSide<SideDecoder>,
    speakers: Speakers,
}

impl NestTcp {
    /// A decoder for a connection that was just opened.
    pub fn new(opened: &Opened) -> Self {
        Self {
            sides: PerSide {
                client: SideDecoder::new(opened.from_start.client),
                server: SideDecoder::new(opened.from_start.server),
            },
            speakers: Speakers::new((opened.roles == Roles::Known).then_some(Side::Client)),
        }
    }
}

impl Decoder for NestTcp {
    fn push(&mut self, chunk: &Chunk<'_>, budget: usize, emit: &mut dyn FnMut(Decoded<'_>)) {
        if !self.speakers.are_foreign() {
            self.sides.of_mut(chunk.from).push(chunk, budget, &mut self.speakers, emit);
        }
        if self.speakers.are_foreign() {
            self.sides = PerSide::default();
        }
    }

    fn gap(&mut self, gap: &Gap, emit: &mut dyn FnMut(Decoded<'_>)) {
        if !self.speakers.are_foreign() {
            self.sides.of_mut(gap.from).lose_place(gap.from, Fault::Gap, emit);
        }
    }

    fn finish(&mut self, emit: &mut dyn FnMut(Decoded<'_>)) {
        let said_no_length = Side::BOTH.iter().any(|side| self.sides.of(*side).is_no_length());
        self.speakers.finish(said_no_length, emit);
        if !self.speakers.are_foreign() {
            for side in Side::BOTH {
                self.sides.of_mut(side).lose_place(side, Fault::Unfinished, emit);
            }
        }
    }

    fn buffered(&self) -> usize {
        self.sides.client.buffered() + self.sides.server.buffered() + self.speakers.buffered()
    }
}

#[cfg(test)]
mod tests;
