//! What a sender's kernel holds back: Nagle's algorithm (RFC 896) lets a small segment wait until
//! an earlier small one is acknowledged, and the peer may delay that acknowledgement (RFC 1122,
//! section 4.2.3.2; about 40 ms on Linux).

use crate::decode::{Flags, Segment};
use crate::limits::{HELD_RELEASE, HELD_RELEASE_BY_KERNEL, HELD_ROUND_TRIP};
use crate::time::{Nanos, Timestamp};

/// A segment of which the bytes may have waited in their sender's kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The earliest moment at which its bytes can have been written, to have waited.
    pub since: Timestamp,
    /// The moment at which they could leave.
    pub until: Timestamp,
    /// What let them leave.
    pub by: Release,
    /// Whether they left then so quickly that it was the kernel's doing: a program that happens to
    /// write at that moment is slower.
    pub quick: bool,
}

/// What ended a [`Hold`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// An acknowledgement that carried nothing else.
    Ack,
    /// An acknowledgement that came with data: the sender may have written only then, for it was
    /// answered.
    Data,
    /// They had become a full segment. One large write is that at once, so this was a wait only if
    /// several writes filled it.
    Full,
}

/// A segment with new bytes, as it left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaving {
    pub at: Timestamp,
    /// Position of its first byte.
    pub start: u64,
    /// How many bytes it carries, those that the capture cut off counted.
    pub len: u32,
    /// Bytes of its TCP options: so much less payload fits.
    pub options: u32,
    /// Whether it ends the stream, which Nagle's algorithm does not hold back.
    pub fin: bool,
}

impl Leaving {
    /// `segment`, of which the first byte lies at `start`.
    pub fn of(segment: &Segment<'_>, start: u64) -> Self {
        let header = segment.raw.len().saturating_sub(segment.payload.len());
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        Self {
            at: segment.packet.at,
            start,
            len: length(segment.payload.len()).saturating_add(segment.missing),
            options: length(header.saturating_sub(PLAIN_HEADER)),
            fin: segment.flags.has(Flags::FIN),
        }
    }
}

/// Bytes of a TCP header without options.
const PLAIN_HEADER: usize = 20;

/// The send buffer of one side, as far as the wire shows what it does. All positions are of that
/// side's stream.
///
/// ```text
///   small segment leaves          the ACK of it           what waited leaves
///  ────────┬──────────────────────────┬───────────────────────┬─────►
///        since       bytes wait     until     a moment        │
/// ```
///
/// Linux holds a small segment back only while an earlier *small* one is not acknowledged
/// (Minshall's variant); every full one leaves at once. So there is one small segment at a time on
/// the way, and a second one shows that the algorithm is off (`TCP_NODELAY`).
#[derive(Debug, Default)]
pub(super) struct SendBuffer {
    /// Position behind the last byte that left.
    sent: u64,
    /// When that left.
    sent_at: Timestamp,
    /// Position behind the last small segment that left, and when it did; 0: it was acknowledged.
    small_end: u64,
    small_at: Timestamp,
    /// From the leaving of the last small segment to the acknowledgement of it.
    last_hold: Option<Hold>,
    /// The largest payload that both sides accept, where a SYN told; else 0.
    mss: u32,
    /// The largest segment that left, if no SYN told.
    largest: u32,
    /// How often small segments left that the algorithm would have held back, less how often one
    /// left as it lets them: evidence that it is off. A single one may be due to an ACK that the
    /// capture lacks.
    defiance: u8,
    /// When the peer's SYN was seen, until it is answered.
    peer_syn: Option<Timestamp>,
    /// How long an ACK, from being captured to being heard, and what it sets free, from leaving to
    /// being captured, take together: next to nothing where the capture stands at the sender.
    round_trip: Nanos,
}

/// The payload that every host accepts (RFC 9293, section 3.7.1): a smaller segment is small.
const LEAST_MSS: u32 = 536;

/// From so much evidence on more of it changes nothing.
const MOST_DEFIANCE: u8 = 8;

impl SendBuffer {
    /// A SYN of either side names the largest payload that its sender accepts.
    pub fn limit_mss(&mut self, mss: u16) {
        let mss = u32::from(mss);
        self.mss = if self.mss == 0 { mss } else { self.mss.min(mss) };
    }

    /// The peer's SYN was seen.
    pub fn saw_syn(&mut self, at: Timestamp) {
        self.peer_syn = Some(at);
    }

    /// This side acknowledges something.
    pub fn sends_ack(&mut self, at: Timestamp) {
        if let Some(syn) = self.peer_syn.take() {
            self.round_trip = at.saturating_since(syn).min(HELD_ROUND_TRIP);
        }
    }

    /// The peer acknowledged everything before `position`, in a packet with data or without.
    pub fn acknowledged(&mut self, at: Timestamp, position: u64, with_data: bool) {
        if self.small_end != 0 && position >= self.small_end {
            self.small_end = 0;
            let by = if with_data { Release::Data } else { Release::Ack };
            self.last_hold = Some(Hold { since: self.small_at, until: at, by, quick: false });
        }
    }

    /// A segment with bytes left. Tells whether they may have waited.
    pub fn leaves(&mut self, segment: &Leaving) -> Option<Hold> {
        let Leaving { at, start, len, options, fin } = *segment;
        if start < self.sent {
            // Sent again, or captured twice.
            return None;
        }
        let full = self.full(len, options);
        let small = len < full || len % full != 0;
        let before = std::mem::replace(&mut self.sent_at, at);
        self.sent = start + u64::from(len);
        let outstanding = self.small_end != 0;
        let held_since = self.small_at;
        if small {
            (self.small_end, self.small_at) = (self.sent, at);
        }
        if outstanding {
            if small {
                if !fin {
                    self.defiance = MOST_DEFIANCE.min(self.defiance + 1);
                }
                return None;
            }
            let since = held_since.max(before);
            let hold = Hold { since, until: at, by: Release::Full, quick: true };
            return (self.defiance == 0).then_some(hold);
        }
        let hold = self.last_hold.filter(|_| len < full)?;
        let after = at.since(hold.until)?;
        if after.get() > HELD_RELEASE.get() + self.round_trip.get() {
            return None;
        }
        let quick = after.get() <= HELD_RELEASE_BY_KERNEL.get() + self.round_trip.get();
        if self.defiance > 0 {
            self.defiance -= u8::from(quick);
            return None;
        }
        Some(Hold { quick, ..hold })
    }

    /// The payload of a full segment with so many bytes of options.
    fn full(&mut self, len: u32, options: u32) -> u32 {
        if self.mss == 0 {
            self.largest = self.largest.max(len);
            return self.largest.max(LEAST_MSS);
        }
        self.mss.saturating_sub(options).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: u64 = 1 << 32;

    /// Two hosts with an MSS of 1460 and the option of timestamps; times in microseconds.
    struct Sender {
        buffer: SendBuffer,
        sent: u64,
    }

    impl Sender {
        fn new() -> Self {
            let mut buffer = SendBuffer::default();
            buffer.limit_mss(65_495);
            buffer.limit_mss(1_460);
            Self { buffer, sent: FIRST }
        }

        fn leaving(&mut self, at: i64, len: u32) -> Leaving {
            let start = self.sent;
            self.sent += u64::from(len);
            Leaving { at: micros(at), start, len, options: 12, fin: false }
        }

        fn sends(&mut self, at: i64, len: u32) -> Option<Hold> {
            let leaving = self.leaving(at, len);
            self.buffer.leaves(&leaving)
        }

        fn is_acknowledged(&mut self, at: i64) {
            self.buffer.acknowledged(micros(at), self.sent, false);
        }
    }

    fn micros(at: i64) -> Timestamp {
        Timestamp::from_nanos(at * 1_000)
    }

    fn hold(since: i64, until: i64, by: Release, quick: bool) -> Option<Hold> {
        Some(Hold { since: micros(since), until: micros(until), by, quick })
    }

    #[test]
    fn a_small_segment_waits_for_the_ack_of_an_earlier_one() {
        let mut sender = Sender::new();
        assert_eq!(sender.sends(0, 35), None);
        sender.is_acknowledged(41_000);
        assert_eq!(sender.sends(41_015, 62), hold(0, 41_000, Release::Ack, true));
        // Later than the kernel needs, but soon: perhaps. Later still: it was written only then.
        sender.buffer.acknowledged(micros(60_000), sender.sent, true);
        assert_eq!(sender.sends(61_500, 62), hold(41_015, 60_000, Release::Data, false));
        sender.is_acknowledged(90_000);
        assert_eq!(sender.sends(92_001, 62), None);
    }

    #[test]
    fn full_segments_wait_only_to_be_filled_and_their_acknowledgement_is_not_waited_for() {
        let mut sender = Sender::new();
        // 1,460 less 12 of options.
        assert_eq!(sender.sends(0, 1_448), None);
        assert_eq!(sender.sends(10, 2 * 1_448), None, "cut by the network card");
        assert_eq!(sender.sends(20, 100), None, "nothing small was on the way");
        assert_eq!(sender.sends(9_000, 1_448), hold(20, 9_000, Release::Full, true));
        assert_eq!(sender.sends(9_500, 1_448), hold(9_000, 9_500, Release::Full, true));
        sender.is_acknowledged(40_020);
        assert_eq!(sender.sends(40_030, 70), hold(20, 40_020, Release::Ack, true));
        // The end of a segment that the card cuts is small.
        sender.is_acknowledged(80_000);
        assert_eq!(sender.sends(90_000, 1_448 + 200), None);
        sender.is_acknowledged(130_000);
        assert_eq!(sender.sends(130_010, 70), hold(90_000, 130_000, Release::Ack, true));
    }

    #[test]
    fn a_second_small_segment_on_the_way_shows_that_nothing_is_held_back() {
        let mut sender = Sender::new();
        sender.sends(0, 35);
        assert_eq!(sender.sends(50, 62), None);
        sender.is_acknowledged(40_000);
        assert_eq!(sender.sends(41_500, 62), None, "written just then by chance");
        assert_eq!(sender.sends(41_600, 1_448), None, "large at once");
    }

    #[test]
    fn one_ack_that_the_capture_lacks_is_forgotten_soon() {
        let mut sender = Sender::new();
        sender.sends(0, 35);
        sender.sends(41_000, 62);
        sender.is_acknowledged(80_000);
        assert_eq!(sender.sends(80_010, 35), None);
        sender.is_acknowledged(120_000);
        assert_eq!(sender.sends(120_010, 35), hold(80_010, 120_000, Release::Ack, true));
    }

    #[test]
    fn what_is_sent_again_or_ends_the_stream_shows_nothing() {
        let mut sender = Sender::new();
        let first = sender.leaving(0, 35);
        sender.buffer.leaves(&first);
        assert_eq!(sender.buffer.leaves(&Leaving { at: micros(10), ..first }), None);
        let last = Leaving { fin: true, ..sender.leaving(20, 35) };
        assert_eq!(sender.buffer.leaves(&last), None);
        sender.is_acknowledged(40_000);
        assert_eq!(sender.sends(40_010, 35), hold(20, 40_000, Release::Ack, true));
    }

    #[test]
    fn far_from_the_sender_the_way_is_allowed_for() {
        let far = |answered| {
            let mut sender = Sender::new();
            sender.buffer.saw_syn(micros(0));
            sender.buffer.sends_ack(micros(answered));
            sender.sends(answered, 35);
            sender.is_acknowledged(50_000);
            sender.sends(70_100, 62).map(|hold| hold.quick)
        };
        assert_eq!(far(20_000), Some(true));
        assert_eq!(far(18_500), Some(false));
        assert_eq!(far(18_000), None, "the capture stands nearer than that");
    }

    #[test]
    fn without_a_syn_the_largest_segment_seen_is_taken_for_a_full_one() {
        let mut buffer = SendBuffer::default();
        let mut start = FIRST;
        let mut sends = |buffer: &mut SendBuffer, at, len: u32| {
            let leaving = Leaving { at: micros(at), start, len, options: 12, fin: false };
            start += u64::from(len);
            (buffer.leaves(&leaving), start)
        };
        let (_, end) = sends(&mut buffer, 0, 62);
        buffer.acknowledged(micros(40_000), end, false);
        assert_eq!(sends(&mut buffer, 40_010, 62).0, hold(0, 40_000, Release::Ack, true));
        assert_eq!(sends(&mut buffer, 50_000, 1_448).0, hold(40_010, 50_000, Release::Full, true));
    }
}
