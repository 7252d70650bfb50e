//! Where packets come from: capture files, pipes, interfaces; and where they are saved.
//!
//! Takes a path or the name of an interface, gives [`Packet`]s whose bytes are lent until the next
//! one is asked for. Knows nothing of what is in a packet.
//!
//! ```text
//!  file ─┐                      ┌─ classic ─┐
//!  pipe ─┼─ input ──► window ──►│           ├─► file ──► merge ─┐
//!  .gz ──┤  (bytes)  (buffer)   └─ pcapng ──┘                   ├──► Source ──► Packet<'_>
//!  .zst ─┘                                              live ───┘       └─────► writer, ring
//! ```

mod any;
pub mod batch;
mod classic;
#[cfg(feature = "live")]
mod device;
mod error;
pub mod file;
pub mod filter;
mod input;
pub mod interfaces;
mod kept;
#[cfg(feature = "live")]
pub mod live;
pub mod merge;
pub mod options;
mod pcapng;
mod points;
mod ring;
mod sniff;
mod source_files;
mod window;
pub mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use any::{CaptureOptions, Source};
pub use error::SourceError;
pub use points::{CapturePoints, Point};
pub use ring::{RingLimit, RingLimits, free_name};
pub use source_files::{AgainError, Pages, SourceFiles};

use crate::packet::Packet;
use crate::time::Timestamp;

/// What a source gives when it is asked for the next packet.
#[derive(Clone, Copy, Debug)]
pub enum Next<'a> {
    /// A packet. Its bytes are lent until the source is asked again.
    Packet(Packet<'a>),
    /// Nothing came for some 50 ms: the moment to run time-outs and to flush what was printed.
    /// The time, where the source knows one, is a point before which every packet was given; a
    /// pipe knows none, for its writer may hold packets back as long as it likes.
    Idle(Option<Timestamp>),
    /// There are no more.
    End,
}

/// Tells sources to end: set by Ctrl-C, by SIGTERM, by a limit on the run. Clones share one flag.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Ends every source that was given this flag, within some 100 ms.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was set.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
