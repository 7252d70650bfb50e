//! Bytes → messages: a [`Decoder`] per protocol. Knows what bytes mean; nothing of TCP, of pairing
//! or of time beyond the packets that it is told.

mod message;
pub mod nest_tcp;

pub use message::{Decoded, Fault, Foreign, Kind, Message};

use crate::endpoint::Side;
use crate::stream::{Chunk, Gap};

/// Turns the two streams of one connection into messages.
pub trait Decoder {
    /// The next bytes of one side.
    fn push(&mut self, chunk: &Chunk<'_>, emit: &mut dyn FnMut(Decoded<'_>));

    /// Bytes of one side are missing; what is pushed next lies behind them.
    fn gap(&mut self, gap: &Gap, emit: &mut dyn FnMut(Decoded<'_>));

    /// No more bytes will come.
    fn finish(&mut self, emit: &mut dyn FnMut(Decoded<'_>));

    /// Bytes that the decoder holds of frames that are not whole yet.
    fn held(&self) -> usize;

    /// The side that has shown itself to be the client, where the messages tell.
    fn client(&self) -> Option<Side>;
}
