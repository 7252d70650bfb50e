//! What can go wrong on the way to a packet. Each message names the thing, the place, and what
//! to do next.

use std::io;

/// Why a source could not be opened, or ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file could not be opened.
    #[error("cannot open {file}: {cause}. {}", to_open(.cause))]
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
    /// The file to save packets in cannot be made.
    #[error(
        "cannot save to {file}: {cause}. Choose a file in a folder that exists and may be written to"
    )]
    SaveTo {
        /// The name that was given.
        file: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The file to save packets in cannot be written. Nothing more is saved.
    #[error("cannot write {file}: {cause}. What was saved before is whole up to its last packet")]
    Save {
        /// The name that was given.
        file: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The packets of a file were to be saved in that same file.
    #[error("{file} is being read; saving to it would destroy it. Save to another file")]
    SaveOverInput {
        /// The name that was given.
        file: String,
    },
    /// The file to save packets in is there already.
    #[error("{file} is there already. Save to {free}, or replace it with --overwrite")]
    SaveExists {
        /// The name that was given.
        file: String,
        /// One that no file has.
        free: String,
    },
    /// The next file of a ring is there already. Nothing more is saved.
    #[error(
        "{file} is there already, and -b writes over no file: nothing more is saved. \
         Choose another name for -w, or move that file away"
    )]
    RingExists {
        /// Its name.
        file: String,
    },
    /// This user may not capture.
    #[error(
        "no permission to capture on {interface}. Run it as root: sudo nestscope … ; \
         or let this program capture for every user: sudo setcap cap_net_raw+ep {program}"
    )]
    NoPermission {
        /// The name that was given.
        interface: String,
        /// The path of this program.
        program: String,
    },
    /// There is no such interface.
    #[error(
        "there is no interface {}. There are: {known}",
        if .interface.is_empty() { "without a name" } else { .interface }
    )]
    NoSuchInterface {
        /// The name that was given.
        interface: String,
        /// The names of those that there are.
        known: String,
    },
    /// The interface cannot be captured on for another reason.
    #[error("cannot capture on {interface}: {reason}. `nestscope interfaces` lists the others")]
    Interface {
        /// The name that was given.
        interface: String,
        /// What libpcap said.
        reason: String,
    },
    /// The interface went down or away while it was captured on.
    #[error("{interface} is no longer captured on: {reason}. What was captured before is kept")]
    InterfaceEnded {
        /// Its name.
        interface: String,
        /// What libpcap said.
        reason: String,
    },
    /// The system does not tell which interfaces there are.
    #[error("cannot list the interfaces: {reason}")]
    Interfaces {
        /// What libpcap said.
        reason: String,
    },
    /// The capture filter makes no sense to libpcap.
    #[error(
        "the capture filter \"{filter}\" is not valid: {reason}. Its language is that of tcpdump: \
         see `man pcap-filter`"
    )]
    Filter {
        /// What the user wrote.
        filter: String,
        /// What libpcap said.
        reason: String,
    },
    /// The system has no room for another thread.
    #[error("cannot begin to capture: {0}")]
    Thread(io::Error),
    /// This build cannot capture.
    #[error(
        "this nestscope reads files only, for it was built without the feature `live`. \
         Capture with another tool: tcpdump -i lo -U -w - | nestscope -r -"
    )]
    FilesOnly,
}

/// What to do about a file that cannot be opened.
fn to_open(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::NotFound => "Is the name right, and this the folder that it is in?",
        io::ErrorKind::PermissionDenied => {
            "Let this user read it, or run it as root: sudo nestscope …"
        }
        _ => "Is it a file or a pipe that can be read?",
    }
}
