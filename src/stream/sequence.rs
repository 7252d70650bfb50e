//! Sequence numbers, which wrap, ↔ positions, which do not. The low 32 bits of a position are its
//! sequence number.

use crate::decode::Seq;

/// The position of the first sequence number that is seen of a side. Leaves room below it, for
/// what was sent before and is seen later.
pub(super) fn first_position(seq: Seq) -> u64 {
    (1 << 32) | u64::from(seq.0)
}

/// The position of `seq` that lies next to `near`.
pub(super) fn position(seq: Seq, near: u64) -> u64 {
    near.wrapping_add_signed(i64::from(seq.distance(seq_of(near))))
}

/// The sequence number of a position.
pub(super) fn seq_of(position: u64) -> Seq {
    let [_, _, _, _, a, b, c, d] = position.to_be_bytes();
    Seq(u32::from_be_bytes([a, b, c, d]))
}

/// The first position of `seq` that does not lie before `next`.
pub(super) fn position_from(seq: Seq, next: u64) -> u64 {
    next + u64::from(seq.0.wrapping_sub(seq_of(next).0))
}
