//! Bytes → messages: a [`Decoder`] per protocol. Knows what bytes mean; nothing of TCP, of pairing
//! or of time beyond the packets that it is told.

mod counts;
mod message;
pub mod nest_tcp;

pub use counts::Counts;
pub use message::{Decoded, Fault, Foreign, FrameHold, Kind, Message, Placed};
pub use nest_tcp::read_body;

use crate::stream::{Chunk, Gap, Opened};

/// Turns the two streams of one connection into messages.
pub trait Decoder {
    /// The next bytes of one side. At most `budget` bytes may be buffered of a frame that is not
    /// whole yet.
    fn push(&mut self, chunk: &Chunk<'_>, budget: usize, emit: &mut dyn FnMut(Decoded<'_>));

    /// Bytes of one side are missing; what is pushed next of that side lies behind them.
    fn gap(&mut self, gap: &Gap, emit: &mut dyn FnMut(Decoded<'_>));

    /// No more bytes will come.
    fn finish(&mut self, emit: &mut dyn FnMut(Decoded<'_>));

    /// Bytes that are buffered of frames that are not whole yet.
    fn buffered(&self) -> usize;
}

/// The decoder for a connection that was just opened.
pub fn decoder(opened: &Opened) -> Box<dyn Decoder> {
    Box::new(nest_tcp::NestTcp::new(opened))
}
