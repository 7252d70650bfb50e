//! Every bound on what grows, with its reason. Where a bound bites, something is counted.

use crate::time::Nanos;

/// Bytes that arrived out of order and wait for what lies before them, per side of a connection.
/// Linux lets a receive window grow to 6 MiB, so an honest hole can have that much behind it.
pub const BUFFERED_PER_SIDE: usize = 8 << 20;

/// The same for all connections together: keeps the program small when many have a hole at once.
pub const BUFFERED_IN_ALL: usize = 32 << 20;

/// How much one buffered segment weighs beside its bytes, so that empty and tiny ones are bounded
/// too.
pub const BUFFERED_OVERHEAD: usize = 128;

/// Connections followed at once. Those that nobody answered give way first, else one that was
/// silent since the clock hand passed it.
pub const CONNECTIONS: usize = 65_536;

/// Packets after which a packet that was captured out of order is no longer expected.
pub const REORDER_PACKETS: u64 = 256;

/// Time that must pass too: 256 packets are over in a millisecond on a busy link.
pub const REORDER_AT_LEAST: Nanos = Nanos::from_millis(20);

/// Time after which a file is no longer searched for a packet out of order, however few came.
/// By packet time, so it costs nobody any waiting.
pub const REORDER_AT_MOST_FILE: Nanos = Nanos::from_secs(10);

/// The same on an interface, where somebody waits for the answer.
pub const REORDER_AT_MOST_LIVE: Nanos = Nanos::from_millis(60);

/// How long a hole that the receiver has not acknowledged may wait for its retransmission.
/// Linux doubles its retransmission time-out from 200 ms: 0.2, 0.6, 1.4, 3 s.
pub const RETRANSMISSION_WAIT: Nanos = Nanos::from_secs(5);

/// How long after an acknowledgement a segment may leave that waited for it. The kernel sends it at
/// once, before any program runs; a busy machine is slower.
pub const HELD_RELEASE: Nanos = Nanos::from_millis(2);

/// Within so short a time hardly any program answers: one that leaves then was waiting. Of 140
/// segments held in the lab the slowest left after 43 µs; a Node process took 0.4 ms and more.
pub const HELD_RELEASE_BY_KERNEL: Nanos = Nanos::new(200_000);

/// The least that is called a hold for certain: an ACK that was not delayed comes sooner.
pub const HELD_AT_LEAST: Nanos = Nanos::from_millis(1);

/// The longest round trip that is granted to what was held: a handshake that took longer says
/// more of a busy host than of the way to it.
pub const HELD_ROUND_TRIP: Nanos = Nanos::from_millis(300);

/// How far from what is known of a side the next packets of it are expected: an honest hole is no
/// larger than a receive window. What lies further away must first be acknowledged.
pub const WINDOW: u64 = BUFFERED_PER_SIDE as u64;

/// How far the first packet on another path may lie from what is known of a side: a few
/// segments out of order. The initial numbers of two connections are hardly ever so near.
pub const WINDOW_OF_NEW_PATH: u64 = 64 << 10;

/// Connections between the same ends at once, told apart by their numbers. Two are common (two
/// VLANs), captures of many hosts whose containers have the same addresses hold some more; what is
/// beyond is somebody who opens one after the other. Looked through for each segment that has
/// several to choose of.
pub const TWINS: usize = 16;

/// Groups of segments that fit no connection and wait for an acknowledgement. Looked through for
/// each such segment, so few.
pub const STRAY_GROUPS: usize = 256;

/// The last segments of such a group of which one must end where another one acknowledges. Looked
/// through for each, so few; more than a sender has under way on the paths that Nest is used on.
pub const STRAYS_UNDER_WAY: usize = 64;

/// Bytes of the segments in all groups: what a window holds when a capture goes on behind a hole.
pub const STRAY_BYTES: usize = 8 << 20;

/// Resets that wait for the SYN which they may refuse, captured out of order. Looked through for
/// each SYN that opens a connection, so few.
pub const STRAY_RESETS: usize = 64;

/// Segments of a side that are remembered to know a copy by: a bridge hands on bursts of some.
pub const RECENT_SEGMENTS: usize = 8;

/// How much later a copy of a packet may be captured: a router keeps it for microseconds, under
/// load for a few milliseconds. A retransmission with the same number does not exist.
pub const COPY_WITHIN: Nanos = Nanos::from_millis(20);

/// The same where packets have no number: no TCP sends again so soon.
pub const COPY_WITHOUT_ID_WITHIN: Nanos = Nanos::from_millis(1);

/// Wrong checksums in a row after which the network card is taken to compute them. Noise that
/// damages as many in a row would end the connection.
pub const TRUST_IN_CHECKSUMS: u8 = 4;

/// Bytes of damaged segments that are kept for a side until a better copy comes; they count among
/// [`BUFFERED_IN_ALL`] too.
pub const DAMAGED_BYTES: usize = 64 << 10;

/// How long a SYN may go unanswered before the attempt counts as such: Linux sends it again after a
/// second.
pub const SYN_WAIT: Nanos = Nanos::from_secs(1);

/// When the client has given up: Linux's last time-out of a SYN ends after 127 s.
pub const ATTEMPT_WAIT: Nanos = Nanos::from_secs(127);

/// Attempts to different ends, unanswered, of one address within [`ATTEMPTS_WITHIN`] that have rows
/// of their own. More are a scan, and one row.
pub const ATTEMPTS_OF_A_CLIENT: usize = 32;

/// See [`ATTEMPTS_OF_A_CLIENT`].
pub const ATTEMPTS_WITHIN: Nanos = Nanos::from_secs(10);

/// Addresses whose unanswered attempts are counted. The one that began first is forgotten.
pub const ATTEMPTING_CLIENTS: usize = 4_096;

/// Segments with bytes that are remembered to find a connection that the capture saw before and
/// after address translation: the copy comes microseconds later.
pub const TRANSLATION_SEGMENTS: usize = 64;

/// Waits in a queue: each living connection has at most four there, so that in a longer queue
/// some are of connections that are gone. Reached only where time stands still.
pub const WAITS: usize = 4 * CONNECTIONS;

/// Bytes of IP fragments that wait for the rest of their packet.
pub const FRAGMENT_BYTES: usize = 4 << 20;

/// Fragmented packets that are remembered for a moment after they were completed, for copies of
/// their fragments. Looked through for each first fragment, so few.
pub const COMPLETED_FRAGMENTED: usize = 16;

/// How long they wait: what Linux grants them (`ipfrag_time`).
pub const FRAGMENT_WAIT: Nanos = Nanos::from_secs(30);

/// Tunnels and the like in one another in one packet. Real networks nest three; each of them costs
/// a look at the rest of the packet.
pub const TUNNEL_DEPTH: u8 = 8;

/// Kinds of what is no TCP that are counted apart: a capture has ten, and noise could name 65,536
/// types of Ethernet.
pub const OTHER_KINDS: usize = 64;

/// Bytes of one frame that is not whole yet. Nest itself takes 134,217,728 UTF-16 units from 11.0
/// and has no bound before. A frame beyond this is counted and passed over without being buffered.
pub const FRAME_BYTES: usize = 16 << 20;

/// The longest frame that is passed over. No string of Node.js has more UTF-16 units than 2^30 - 25
/// (since V8 8, 2^29 - 24), so that a longer frame was never sent: the next one is looked for
/// behind its header.
pub const FRAME_PASSED_OVER: u64 = 1 << 30;

/// Bytes before the `#` after which they are no frame's length. Nest has no bound.
pub const FRAME_HEADER_BYTES: usize = 512;

/// Requests that wait for a reply, in all. The oldest give way.
pub const OPEN_CALLS: usize = 100_000;

/// Bytes that those requests keep: ids, and payloads where they are printed.
pub const OPEN_CALL_BYTES: usize = 32 << 20;

/// Calls that ended and are still remembered, so that a second final frame is not an orphan.
pub const ENDED_CALLS: usize = 1_024;

/// Replies that wait for their request, whose side waits behind a gap. The oldest are orphans then.
/// As many as a busy link loses the requests of in the 15 s that a gap may be waited for.
pub const EARLY_REPLIES: usize = 65_536;

/// The same of one connection: each request of it looks through them.
pub const EARLY_REPLIES_OF_CONNECTION: usize = 4_096;

/// Bytes that they keep.
pub const EARLY_REPLY_BYTES: usize = 32 << 20;

/// How long an event that nothing confirms may wait on an interface, where somebody waits for it: a
/// request is mostly answered sooner. In a file it waits as long as a packet out of order.
pub const UNSURE_WAIT: Nanos = Nanos::from_secs(1);

/// Events that wait to be confirmed. The oldest are told as unsure then.
pub const UNSURE_EVENTS: usize = 16_384;

/// Bytes that they keep.
pub const UNSURE_EVENT_BYTES: usize = 16 << 20;

/// Runs of frames of one connection that are remembered as unconfirmed: those that are still waited
/// for are the last. What is left of an older one is unsure.
pub const UNCONFIRMED_RUNS: usize = 64;

/// Distinct patterns. What comes after shares one row, named as such.
pub const PATTERNS: usize = 1_000;

/// Bytes of one pattern's text. A longer one is named by its beginning and a hash.
pub const PATTERN_BYTES: usize = 4_096;

/// Connections that a report lists one by one. What comes after is added up in one row.
pub const CONNECTION_ROWS: usize = 10_000;

/// Server ends that a report lists, and rows of a report `--by` something. What comes after is
/// added up in one row: each row has a histogram of its own, up to 80 kB where there are many
/// calls.
pub const GROUP_ROWS: usize = 1_000;

/// Reasons that routers name why a server cannot be reached: ICMP and ICMPv6 know some twenty.
pub const UNREACHABLE_REASONS: usize = 64;

/// Bytes of unfinished frames of all connections together, and of what may be one's beginning.
pub const FRAME_BYTES_IN_ALL: usize = 32 << 20;

/// Frames of one connection that wait until it is known which side is the client, and the bytes
/// which those before the last may have: what only carries an id is tens of bytes, and the next
/// value of its stream or the next request tells.
pub const UNDECIDED_FRAMES: usize = 64;
/// See [`UNDECIDED_FRAMES`].
pub const UNDECIDED_BYTES: usize = 32 << 10;

/// Bytes that the screen remembers, unless the user says otherwise: 400 MB hold 2.4 million calls,
/// and a small server can spare it.
pub const MEMORY: usize = 512 << 20;

/// Packets before and behind those that carried a frame's ends which are searched for the rest of
/// it: a retransmission comes within seconds, in which a busy link carries some ten thousand.
pub const GATHER_PACKETS: u64 = 65_536;

/// The smallest [`MEMORY`]: less would hold only a few blocks.
pub const MEMORY_LEAST: usize = 1 << 20;

/// Changes that are remembered until somebody asks for them: what a second of the fastest load
/// brings. Where nobody asked for so long, everything counts as changed.
pub const CHANGES: usize = 1 << 21;

/// Lines of a JSON tree that are unfolded at once: 20 MB. More fold away again, or stay folded.
pub const TREE_LINES: usize = 500_000;

/// Items of one container that are shown one by one. Those of a larger one come in ranges of as
/// many, so that a payload of a million numbers opens at once.
pub const TREE_ITEMS: u32 = 1_000;

/// Lines up to which a JSON tree is unfolded when it is first shown: a screen or two.
pub const TREE_LINES_AT_FIRST: usize = 100;

/// Bytes of a display filter. Nobody types more; a script that lists ids may come near.
pub const FILTER_BYTES: usize = 4_096;

/// Parentheses in one another in a display filter, and steps into a payload: the program's stack
/// bounds both.
pub const FILTER_DEPTH: usize = 64;

/// Bytes of a compiled regular expression of a display filter.
pub const FILTER_REGEX_BYTES: usize = 1 << 20;

/// Packets of one call that are listed: a stream may be carried by millions.
pub const CALL_PACKETS: usize = 2_000;

/// Frames of a connection that its ladder shows around one call.
pub const LADDER_FRAMES: usize = 400;

/// Exchanges that are looked at on each side of a call for others of its connection.
pub const LADDER_LOOK: u64 = 4_000;

/// Counts in the timelines of all patterns: calls and errors by time, and latencies by time and
/// cell, 8 bytes each. A thousand busy patterns with latencies over two decades need that many;
/// beyond, buckets of time become twice as wide.
pub const TIMELINE_COUNTS: usize = 1_800_000;

/// Frames of one connection, and blocks of its bytes, whose places are remembered while its stream
/// is shown: some 80 MB. Where there are more, the first are forgotten, and read again when asked
/// for.
pub const STREAM_ITEMS: usize = 500_000;

/// Lines of the hosts file that are read. Some block advertising with a hundred thousand, none of
/// which is a host that speaks Nest.
pub const HOSTS_LINES: usize = 10_000;

/// Bytes that are kept of how a connection began, to be shown where it is not recognised: enough
/// for the first word or the magic number of a protocol, and few enough for every connection.
pub const BEGINNING: usize = 16;
