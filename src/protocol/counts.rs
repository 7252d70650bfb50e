//! What was read, and what could not be.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use crate::protocol::{Decoded, Foreign, Kind};

/// Counts over all connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that were read.
    pub frames: u64,
    /// Those of them that are neither request, event nor reply.
    pub other: u64,
    /// Frames that could not be read.
    pub undecodable: u64,
    /// Connections that spoke something else, by what they spoke.
    pub foreign: BTreeMap<Foreign, u64>,
}

impl Counts {
    /// Counts one output of a decoder.
    pub fn add(&mut self, decoded: &Decoded<'_>) {
        match decoded {
            Decoded::Message(message) => {
                self.frames += 1;
                self.other += u64::from(matches!(message.kind, Kind::Other));
            }
            Decoded::Undecodable { .. } => self.undecodable += 1,
            Decoded::Foreign(foreign) => *self.foreign.entry(*foreign).or_default() += 1,
            Decoded::Client(_) | Decoded::Started { .. } => {}
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let Self { frames, other, undecodable, foreign } = other;
        self.frames += frames;
        self.other += other;
        self.undecodable += undecodable;
        for (foreign, count) in foreign {
            *self.foreign.entry(foreign).or_default() += count;
        }
    }
}
