//! Where bytes lie, in one number.

use crate::store::Kept;

/// Where bytes lie: in a capture file, or in the memory of packets. Neighbours have neighbouring
/// numbers, so that differences of them are short.
///
/// ```text
///  bit 63   62 … 47   46 … 0
///     1      file     offset      in a file
///     0      address              in memory
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Place(pub(super) u64);

/// A place, told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lies {
    InFile { file: u16, offset: u64 },
    InMemory { address: u64 },
}

const IN_FILE: u64 = 1 << 63;
const OFFSET_BITS: u32 = 47;

impl Place {
    /// The place of bytes that are kept so; `None` where they have none yet, or lie beyond what a
    /// place can name (128 TiB).
    pub(super) fn of(kept: Kept) -> Option<Self> {
        match kept {
            Kept::File { file, offset } if offset >> OFFSET_BITS == 0 => {
                Some(Self(IN_FILE | u64::from(file) << OFFSET_BITS | offset))
            }
            _ => None,
        }
    }

    pub(super) fn lies(self) -> Lies {
        if self.0 & IN_FILE == 0 {
            return Lies::InMemory { address: self.0 };
        }
        Lies::InFile {
            // 16 bits are left: the one above is the mark.
            file: u16::try_from((self.0 & !IN_FILE) >> OFFSET_BITS).unwrap_or(0),
            offset: self.0 & ((1 << OFFSET_BITS) - 1),
        }
    }

    /// The place of what lies `bytes` further on in the same packet.
    pub(in crate::store) fn add(self, bytes: u64) -> Self {
        Self(self.0 + bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart() {
        for (file, offset) in [(0, 0), (0, 24), (7, (1 << 47) - 1), (u16::MAX, 1 << 40)] {
            let place = Place::of(Kept::File { file, offset }).unwrap();
            assert_eq!(place.lies(), Lies::InFile { file, offset });
        }
        assert_eq!(Place::of(Kept::File { file: 0, offset: 1 << 47 }), None);
        assert_eq!(Place(5).add(3).lies(), Lies::InMemory { address: 8 });
    }
}
