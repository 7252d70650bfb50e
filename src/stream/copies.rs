//! Packets that the capture holds twice: a bridge and its port, `any`, a router before and behind.
//! Such a copy is the same IP packet, seen again within microseconds; a segment that was sent again
//! is a new IP packet, milliseconds later.

use crate::decode::{Flags, Segment};
use crate::limits::{COPY_WITHIN, COPY_WITHOUT_ID_WITHIN, RECENT_SEGMENTS};
use crate::time::{Nanos, Timestamp};

/// The last segments of one side, to know a copy by. Kept small: there are two of these for each
/// connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RecentSegments {
    ring: [Known; RECENT_SEGMENTS],
    next: u8,
}

/// What is known of a segment that was seen.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    signature: u32,
    at: Tick,
}

impl RecentSegments {
    /// Remembers a segment.
    pub fn add(&mut self, segment: &Segment<'_>) {
        let Some(at) = Tick::of(segment.packet.at) else { return };
        let index = usize::from(self.next) % RECENT_SEGMENTS;
        if let Some(place) = self.ring.get_mut(index) {
            *place = Known { signature: signature(segment), at };
        }
        self.next = self.next.wrapping_add(1);
    }

    /// Whether one of them is the same packet as this one.
    pub fn contains_copy_of(&self, segment: &Segment<'_>) -> bool {
        let Some(now) = Tick::of(segment.packet.at) else { return false };
        let wanted = signature(segment);
        // Some systems number no packet that may not be cut, and version 6 has no number.
        let within = if segment.ip_id == 0 { COPY_WITHOUT_ID_WITHIN } else { COPY_WITHIN };
        self.ring.iter().any(|known| known.signature == wanted && now.apart(known.at) <= within)
    }
}

/// A moment in steps of 1,024 ns, which go round after 73 minutes: a segment of then has another
/// signature.
#[derive(Clone, Copy, Debug, Default)]
struct Tick(u32);

impl Tick {
    /// `None` where no time is known.
    fn of(at: Timestamp) -> Option<Self> {
        let steps = at.as_nanos() >> STEP_BITS & i64::from(u32::MAX);
        at.is_known().then(|| Self(u32::try_from(steps).unwrap_or_default()))
    }

    /// The span between two moments, whichever is the later one.
    fn apart(self, other: Self) -> Nanos {
        let steps = self.0.wrapping_sub(other.0).cast_signed().unsigned_abs();
        Nanos::new(u64::from(steps) << STEP_BITS)
    }
}

const STEP_BITS: u32 = 10;

/// What a router leaves as it is. Never 0, which stands for no segment.
fn signature(segment: &Segment<'_>) -> u32 {
    let Segment { seq, ack, flags, window, ip_id, payload, missing, .. } = segment;
    let len = (payload.len() as u64).wrapping_add(u64::from(*missing));
    let numbers = u64::from(seq.0) << 32 | u64::from(ack.map_or(0, |ack| ack.0));
    let rest = u64::from(*ip_id) << 48
        | u64::from(*window) << 32
        | u64::from(flags.without(Flags::PSH).0) << 24
        | len & 0x00ff_ffff;
    let mixed = (numbers ^ rest.wrapping_mul(MIX)).wrapping_mul(MIX) >> 32;
    u32::try_from(mixed).unwrap_or_default() | 1
}

/// The multiplier of Fibonacci hashing: what is multiplied by it mixes upwards.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Seq;
    use crate::packet::{PacketNumber, PacketRef};

    fn segment(at: i64, seq: u32, ip_id: u16) -> Segment<'static> {
        let packet = PacketRef { number: PacketNumber(1), at: Timestamp::from_nanos(at) };
        let end = ([10, 0, 0, 1], 80).into();
        Segment { seq: Seq(seq), ip_id, payload: b"abc", ..Segment::empty(packet, end, end) }
    }

    #[test]
    fn a_copy_has_the_same_number_and_comes_at_once() {
        let mut recent = RecentSegments::default();
        assert!(!recent.contains_copy_of(&segment(0, 0, 0)));
        recent.add(&segment(0, 7, 5));
        assert!(recent.contains_copy_of(&segment(30_000, 7, 5)));
        assert!(!recent.contains_copy_of(&segment(30_000, 7, 6)), "sent again");
        assert!(!recent.contains_copy_of(&segment(30_000, 8, 5)), "another segment");
        assert!(!recent.contains_copy_of(&segment(200_000_000, 7, 5)), "too late");
        for seq in 0..u32::try_from(RECENT_SEGMENTS).unwrap() {
            recent.add(&segment(0, 100 + seq, 9));
        }
        assert!(!recent.contains_copy_of(&segment(30_000, 7, 5)), "forgotten");
    }

    #[test]
    fn without_a_number_a_copy_must_come_sooner() {
        let mut recent = RecentSegments::default();
        recent.add(&segment(0, 7, 0));
        assert!(recent.contains_copy_of(&segment(900_000, 7, 0)));
        assert!(!recent.contains_copy_of(&segment(2_000_000, 7, 0)));
    }
}
