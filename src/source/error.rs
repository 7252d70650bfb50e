//! What can go wrong on the way to a packet. Each message names the thing, the place, and what
//! to do next.

use std::io;

/// Why a source could not be opened, or ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file could not be opened.
    #[error("cannot open {file}: {cause}")]
    Open {
        /// The name that was given.
        file: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The file holds something else than packets.
    #[error(
        "{file} is not a capture file: {found}. \
         nestscope reads pcap and pcapng, also compressed as .gz or .zst"
    )]
    NotACapture {
        /// The name that was given.
        file: String,
        /// What is in it.
        found: String,
    },
    /// `-r -` without anything piped into it.
    #[error(
        "standard input is a terminal, not a capture. \
         Pipe one into it: tcpdump -i lo -U -w - | nestscope -r -"
    )]
    Terminal,
    /// The system failed to read on.
    #[error("cannot read {file} beyond byte {offset}: {cause}")]
    Read {
        /// The name that was given.
        file: String,
        /// Bytes of the file that were read.
        offset: u64,
        /// What the system said.
        cause: io::Error,
    },
    /// The file makes no sense from here on. What lies before was given.
    #[error("{file} is damaged at byte {offset}: {what}. What lies before it was read")]
    Damaged {
        /// The name that was given.
        file: String,
        /// Where, in the bytes of the capture; in a compressed file, those after unpacking.
        offset: u64,
        /// What stands there, and what should.
        what: String,
    },
    /// The compression makes no sense from here on. What lies before was given.
    #[error(
        "{file} is damaged near byte {offset} of its {compression} data: {cause}. \
         What lies before it was read"
    )]
    Unpack {
        /// The name that was given.
        file: String,
        /// Near which byte of the compressed file.
        offset: u64,
        /// `gzip` or `zstd`.
        compression: &'static str,
        /// What the unpacker said.
        cause: io::Error,
    },
}
