//! What a pcapng says beside its packets and is kept for the file that they are saved in.

use super::classic::ByteOrder;
use super::options::{self, Kind, Options, bytes, number};
use super::pcapng::SECRETS;

/// What was read and not yet saved: blocks, and what the first section says.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// Comments and the like on the first section; a file that is written has only one.
    section: Vec<u8>,
    has_section: bool,
    /// Blocks, whole, in the order of little-endian machines.
    blocks: Vec<u8>,
}

impl Blocks {
    /// A section begins.
    pub(super) fn section(&mut self, options: Options<'_>) {
        if !std::mem::replace(&mut self.has_section, true) {
            options.copy(OF_SECTION, &mut self.section, SECTION_BYTES);
        }
    }

    /// Appends what the section says to `to`: all of it if it is the `first`; the comments, of
    /// which there may be several, if it is another.
    pub(super) fn of_section(&self, first: bool, to: &mut Vec<u8>) {
        let kinds = if first { OF_SECTION } else { &[bytes(options::COMMENT)] };
        Options::new(ByteOrder::Little, &self.section).copy(kinds, to, SECTION_BYTES);
    }

    /// A block of names or secrets. What would be too much until the next packet is left out.
    pub(super) fn block(&mut self, order: ByteOrder, kind: u32, body: &[u8]) {
        if self.blocks.len() + body.len() > BLOCKS_BYTES {
            return;
        }
        let begin = self.blocks.len();
        self.blocks.extend(kind.to_le_bytes());
        self.blocks.extend([0; 4]);
        let whole = match kind {
            SECRETS => self.secrets(order, body),
            _ => self.names(order, body),
        };
        let len = u32::try_from(self.blocks.len() - begin + 4).ok().filter(|_| whole.is_some());
        let (Some(len), Some(room)) = (len, self.blocks.get_mut(begin + 4..begin + 8)) else {
            self.blocks.truncate(begin);
            return;
        };
        room.copy_from_slice(&len.to_le_bytes());
        self.blocks.extend(len.to_le_bytes());
    }

    /// Hands over the blocks that were kept.
    pub(super) fn take_blocks(&mut self, to: &mut Vec<u8>) {
        to.append(&mut self.blocks);
    }

    /// Their kind, their length, and the secrets; `None` where that makes no sense.
    fn secrets(&mut self, order: ByteOrder, body: &[u8]) -> Option<()> {
        let (&kind, rest) = body.split_first_chunk()?;
        let (&len, rest) = rest.split_first_chunk()?;
        let (kind, len) = (order.u32(kind), order.u32(len));
        let padded = usize::try_from(len).ok()?.checked_next_multiple_of(4)?;
        let (secrets, rest) = rest.split_at_checked(padded)?;
        self.blocks.extend(kind.to_le_bytes());
        self.blocks.extend(len.to_le_bytes());
        self.blocks.extend_from_slice(secrets);
        self.comments(order, rest);
        Some(())
    }

    /// Records, shaped like options and ended like them, then options.
    fn names(&mut self, order: ByteOrder, body: &[u8]) -> Option<()> {
        let mut len = 0;
        for (kind, name) in Options::new(order, body) {
            options::push(&mut self.blocks, kind, name);
            len += 4 + name.len().next_multiple_of(4);
        }
        options::push(&mut self.blocks, options::END, &[]);
        self.comments(order, body.get(len + 4..).unwrap_or_default());
        Some(())
    }

    fn comments(&mut self, order: ByteOrder, rest: &[u8]) {
        let begin = self.blocks.len();
        Options::new(order, rest).copy(&[bytes(options::COMMENT)], &mut self.blocks, usize::MAX);
        if self.blocks.len() > begin {
            options::push(&mut self.blocks, options::END, &[]);
        }
    }
}

/// What is kept of a section: comments, hardware, system. The program is the one that writes.
const OF_SECTION: &[Kind] = &[bytes(options::COMMENT), bytes(2), bytes(3)];

/// What is kept of a packet: all that the format names. Comments, direction, hash, drops before
/// it, number, queue, verdict.
pub(super) const OF_PACKET: &[Kind] =
    &[bytes(options::COMMENT), number(2), bytes(3), number(4), number(5), number(6), bytes(7)];

/// The most bytes that are kept of what a section says: a comment of any length, and some more.
const SECTION_BYTES: usize = 256 << 10;

/// The most bytes of blocks between two packets. The secrets of a browser's day are some 100 KiB.
const BLOCKS_BYTES: usize = 16 << 20;
