//! What the header tells of the run, beside what the store knows.

use std::time::Duration;

/// Where packets come from, and whether they still come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// `lo`, `trace.pcap`, `standard input`; empty on the start page.
    pub source: String,
    /// What is captured of it, such as `tcp port 8888`.
    pub filter: String,
    /// Whether it is captured as it comes, and not read from a file.
    pub is_live: bool,
    /// What it is doing.
    pub activity: Activity,
    /// Whether the user paused it.
    pub paused: bool,
    /// Packets that came while it was paused, and wait.
    pub waiting: u64,
    /// Whether it is a live capture that nothing saves: who leaves loses it.
    pub is_unsaved: bool,
    /// The pace of a file that is played; `None` for as fast as it can be read.
    pub speed: Option<f64>,
    /// How long it has run, by the clock.
    pub running: Duration,
    /// Packets that the kernel had no room for; `None` where nobody knows.
    pub kernel_drops: Option<u64>,
    /// Bytes of memory that the whole program uses, where the system tells.
    pub resident: Option<u64>,
    /// Bytes of memory that the whole program is to keep to, where that is set.
    pub memory: Option<u64>,
}

/// What a source is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Activity {
    /// There is none.
    #[default]
    None,
    /// It is being opened: a pipe of which nothing came yet.
    Opening,
    /// It captures.
    Live,
    /// It reads a file: bytes read, and bytes that there are where that is known.
    Reading(u64, Option<u64>),
    /// It came to its end.
    Ended,
}
