//! Rows by the number of their exchange, in blocks that clones share until one is written.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::Row;
use super::frames::Address;
use crate::exchange::{ExchangeKind, PatternId, Status};
use crate::time::{Nanos, Timestamp};

/// A row as it is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compact {
    pub(super) time: Timestamp,
    /// `u64::MAX` where there is none.
    latency: u64,
    pub(super) reply_bytes: u64,
    /// Its last frame.
    pub(super) frames: Address,
    pub(super) connection: u32,
    pub(super) replies: u32,
    request_bytes: u32,
    pattern: u16,
    /// `None` where no exchange has this number.
    pub(super) kind: Option<ExchangeKind>,
    pub(super) status: Status,
}

const _: () = assert!(size_of::<Compact>() == 48);

impl Compact {
    const HOLE: Self = Self {
        time: Timestamp::from_nanos(0),
        latency: u64::MAX,
        reply_bytes: 0,
        frames: Address::NONE,
        connection: 0,
        replies: 0,
        request_bytes: 0,
        pattern: 0,
        kind: None,
        status: Status::Open,
    };

    /// A row of which no frame is there yet.
    pub(super) fn new(row: &Row) -> Self {
        Self {
            time: row.time,
            latency: row.latency.map_or(u64::MAX, Nanos::get),
            reply_bytes: row.reply_bytes,
            frames: Address::NONE,
            connection: row.connection,
            replies: row.replies,
            // A frame is far smaller than 4 GiB (`limits::FRAME_BYTES`), and patterns are few.
            request_bytes: u32::try_from(row.request_bytes).unwrap_or(u32::MAX),
            pattern: u16::try_from(row.pattern.0).unwrap_or(1),
            kind: Some(row.kind),
            status: row.status,
        }
    }

    pub(super) fn set_latency(&mut self, latency: Option<Nanos>) {
        self.latency = latency.map_or(u64::MAX, Nanos::get);
    }

    /// What a list shows of it; `None` where it is a hole.
    pub(super) fn row(&self, number: u64) -> Option<Row> {
        Some(Row {
            number,
            time: self.time,
            kind: self.kind?,
            status: self.status,
            pattern: PatternId(self.pattern.into()),
            connection: self.connection,
            latency: (self.latency != u64::MAX).then_some(Nanos::new(self.latency)),
            request_bytes: self.request_bytes.into(),
            reply_bytes: self.reply_bytes,
            replies: self.replies,
        })
    }
}

/// The rows that are remembered.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    blocks: VecDeque<Arc<Block>>,
    /// Which block of all the first one is.
    first: u64,
    /// No row before this number is taken in: it was dropped or cleared.
    floor: u64,
    /// Behind the last row.
    end: u64,
}

#[derive(Clone, Debug)]
struct Block {
    rows: Vec<Compact>,
    /// No frame of these rows lies before it.
    frames: Address,
}

/// Rows of a block: few enough to copy one while a picture of the moment is looked at, many enough
/// to make a picture of millions by some thousand pointers.
const BLOCK: u64 = 1 << 10;
const BLOCK_WEIGHT: usize = size_of::<Block>() + size_of::<Compact>() * (1 << 10);

/// Numbers that may be left out: as many frames may have begun at once as there are connections,
/// on both sides. Beyond that something is wrong with the numbers.
const LARGEST_HOLE: u64 = 4 * crate::limits::CONNECTIONS as u64;

impl Default for Rows {
    fn default() -> Self {
        Self { blocks: VecDeque::new(), first: 0, floor: 1, end: 1 }
    }
}

impl Rows {
    pub(super) fn numbers(&self) -> Range<u64> {
        self.floor.max(self.first * BLOCK).min(self.end)..self.end
    }

    pub(super) fn get(&self, number: u64) -> Option<&Compact> {
        let index = usize::try_from((number / BLOCK).checked_sub(self.first)?).ok()?;
        let within = usize::try_from(number % BLOCK).ok()?;
        self.blocks.get(index)?.rows.get(within).filter(|row| row.kind.is_some())
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Compact> {
        // Looked at first: nothing is to be copied for a row that is gone.
        self.get(number)?;
        let index = usize::try_from((number / BLOCK).checked_sub(self.first)?).ok()?;
        let within = usize::try_from(number % BLOCK).ok()?;
        Arc::make_mut(self.blocks.get_mut(index)?).rows.get_mut(within)
    }

    /// Takes in a row, and says whether there is a place for it. Its frames come after `frames`.
    pub(super) fn insert(&mut self, number: u64, row: Compact, frames: Address) -> bool {
        if number < self.floor || number > self.end.saturating_add(LARGEST_HOLE) {
            return false;
        }
        let block = number / BLOCK;
        if self.blocks.is_empty() {
            self.first = block;
        }
        let empty = || Arc::new(Block { rows: Vec::new(), frames });
        while block < self.first {
            self.blocks.push_front(empty());
            self.first -= 1;
        }
        let Ok(index) = usize::try_from(block - self.first) else { return false };
        while self.blocks.len() <= index {
            self.blocks.push_back(empty());
        }
        let Some(block) = self.blocks.get_mut(index).map(Arc::make_mut) else { return false };
        let Ok(within) = usize::try_from(number % BLOCK) else { return false };
        if block.rows.is_empty() {
            block.rows.reserve_exact(1 << 10);
        }
        if block.rows.len() <= within {
            block.rows.resize(within + 1, Compact::HOLE);
        }
        let Some(place) = block.rows.get_mut(within) else { return false };
        *place = row;
        self.end = self.end.max(number + 1);
        true
    }

    /// Drops the oldest block, and lends its rows once more; `None` where there is none.
    pub(super) fn drop_oldest(&mut self, mut each: impl FnMut(&Compact)) -> Option<()> {
        let block = self.blocks.pop_front()?;
        self.first += 1;
        self.floor = self.floor.max((self.first * BLOCK).min(self.end));
        block.rows.iter().filter(|row| row.kind.is_some()).for_each(&mut each);
        Some(())
    }

    /// Drops everything, and takes in nothing with a number up to the last one.
    pub(super) fn clear(&mut self) {
        self.blocks.clear();
        self.floor = self.end;
    }

    /// The number of the first row that is there.
    pub(super) fn oldest(&self) -> Option<&Compact> {
        self.blocks.iter().flat_map(|block| &block.rows).find(|row| row.kind.is_some())
    }

    /// No frame of any row lies before this.
    pub(super) fn oldest_frame(&self) -> Option<Address> {
        self.blocks.iter().map(|block| block.frames).min()
    }

    /// Bytes of memory.
    pub(super) fn weight(&self) -> usize {
        self.blocks.len() * BLOCK_WEIGHT
    }
}
