//! Options of pcapng blocks: a code, a length, and a value padded to four bytes.

use super::classic::ByteOrder;

/// The options of a block, one after the other; ends at the first that makes no sense.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    order: ByteOrder,
    bytes: &'a [u8],
}

impl<'a> Options<'a> {
    /// None at all.
    pub const NONE: Self = Self { order: ByteOrder::Little, bytes: &[] };

    pub(super) const fn new(order: ByteOrder, bytes: &'a [u8]) -> Self {
        Self { order, bytes }
    }

    /// Appends those that are of one of `kinds` to `to`, in the order of little-endian machines
    /// and without an end, as long as `to` stays within `limit` bytes.
    pub(super) fn copy(self, kinds: &[Kind], to: &mut Vec<u8>, limit: usize) {
        let order = self.order;
        for (code, value) in self {
            let Some(kind) = kinds.iter().find(|kind| kind.code == code) else {
                continue;
            };
            if to.len().saturating_add(value.len() + OPTION_FRAME) <= limit {
                push(to, code, value);
                if kind.is_number && order == ByteOrder::Big {
                    let padded = value.len().next_multiple_of(4);
                    let from = to.len().saturating_sub(padded);
                    if let Some(copy) = to.get_mut(from..from + value.len()) {
                        copy.reverse();
                    }
                }
            }
        }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[c0, c1, l0, l1], values) = self.bytes.split_first_chunk()?;
        let code = self.order.u16([c0, c1]);
        let len = usize::from(self.order.u16([l0, l1]));
        let value = values.get(..len).filter(|_| code != END);
        self.bytes = match value {
            Some(_) => values.get(len.next_multiple_of(4)..).unwrap_or_default(),
            None => &[],
        };
        Some((code, value?))
    }
}

/// An option that is kept when packets are saved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    code: u16,
    /// Whether its value is one number, written in the byte order of the section.
    is_number: bool,
}

/// Text, or bytes whose order is always the same.
pub(super) const fn bytes(code: u16) -> Kind {
    Kind { code, is_number: false }
}

/// A number in the byte order of the section.
pub(super) const fn number(code: u16) -> Kind {
    Kind { code, is_number: true }
}

/// Appends an option in the order of little-endian machines; a value longer than an option can
/// hold is left out.
pub(super) fn push(to: &mut Vec<u8>, code: u16, value: &[u8]) {
    if let Ok(len) = u16::try_from(value.len()) {
        to.extend(code.to_le_bytes());
        to.extend(len.to_le_bytes());
        to.extend_from_slice(value);
        to.resize(to.len() + value.len().next_multiple_of(4) - value.len(), 0);
    }
}

/// Ends the options of a block.
pub(super) const END: u16 = 0;

/// Text for people, in every block.
pub(super) const COMMENT: u16 = 1;

/// The most bytes that an option takes beside its value: code, length, padding.
const OPTION_FRAME: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_turned_and_other_values_are_not() {
        let big = [0, 2, 0, 4, 1, 2, 3, 4, 0, 1, 0, 3, b'o', b'd', b'd', 0, 0, 9, 0, 1, 7, 0, 0, 0];
        let mut little = Vec::new();
        let kinds = [bytes(COMMENT), number(2)];
        Options::new(ByteOrder::Big, &big).copy(&kinds, &mut little, 100);
        assert_eq!(little, [2, 0, 4, 0, 4, 3, 2, 1, 1, 0, 3, 0, b'o', b'd', b'd', 0]);
        let read: Vec<_> = Options::new(ByteOrder::Little, &little).collect();
        assert_eq!(read, [(2, &[4, 3, 2, 1][..]), (1, &b"odd"[..])]);
    }

    #[test]
    fn what_makes_no_sense_ends_them() {
        for bytes in [&[1, 0][..], &[1, 0, 5, 0, 1, 2, 3, 4], &[0, 0, 0, 0, 1, 0, 0, 0]] {
            assert_eq!(Options::new(ByteOrder::Little, bytes).count(), 0, "{bytes:?}");
        }
        // Without the padding of the last.
        assert_eq!(Options::new(ByteOrder::Little, &[1, 0, 1, 0, 7]).count(), 1);
    }

    #[test]
    fn no_more_is_copied_than_may_be() {
        let mut once = Vec::new();
        push(&mut once, COMMENT, &[7; 100]);
        let mut to = Vec::new();
        Options::new(ByteOrder::Little, &once.repeat(9)).copy(&[bytes(COMMENT)], &mut to, 300);
        assert_eq!(to, once.repeat(2));
    }
}
