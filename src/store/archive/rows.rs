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
        if number < self.floor {
            return false;
        }
        if number > self.end.saturating_add(LARGEST_HOLE) {
            // What lies before such a hole is given up, for else nothing would ever come after it.
            self.blocks.clear();
            self.floor = number;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn compact(number: u64) -> Compact {
        Compact::new(&Row {
            number,
            time: Timestamp::from_nanos(i64::try_from(number).unwrap()),
            kind: ExchangeKind::Request,
            status: Status::Open,
            pattern: PatternId(7),
            connection: 3,
            latency: None,
            request_bytes: 60,
            reply_bytes: 0,
            replies: 0,
        })
    }

    fn numbers(rows: &Rows) -> Vec<u64> {
        rows.numbers().filter(|number| rows.get(*number).is_some()).collect()
    }

    #[test]
    fn numbers_may_come_late_and_be_left_out() {
        let mut rows = Rows::default();
        assert_eq!(rows.numbers(), 1..1);
        // The first that comes is of the second block.
        for number in [1_030, 1_029, 3, 5_000, 1] {
            assert!(rows.insert(number, compact(number), Address::NONE));
        }
        assert_eq!(numbers(&rows), [1, 3, 1_029, 1_030, 5_000]);
        assert_eq!(rows.get(3).unwrap().row(3).unwrap().time, Timestamp::from_nanos(3));
        assert!(rows.get(4).is_none() && rows.get_mut(4).is_none());
        // A hole that would cost much memory costs what lies before it instead.
        assert!(rows.insert(u64::MAX - 1, compact(9), Address::NONE));
        assert_eq!(rows.numbers(), u64::MAX - 1..u64::MAX);
        assert!(rows.get(5_000).is_none() && rows.get(u64::MAX - 1).is_some());
    }

    #[test]
    fn what_was_dropped_or_cleared_does_not_come_back() {
        let mut rows = Rows::default();
        for number in 1..3_000 {
            assert!(rows.insert(number, compact(number), Address::NONE));
        }
        let picture = rows.clone();
        let mut dropped = 0;
        assert!(rows.drop_oldest(|_| dropped += 1).is_some());
        assert_eq!((dropped, rows.numbers()), (1_023, 1_024..3_000));
        assert!(!rows.insert(1_000, compact(1_000), Address::NONE));
        rows.get_mut(2_000).unwrap().set_latency(Some(Nanos::new(5)));
        assert_eq!(rows.get(2_000).unwrap().row(2_000).unwrap().latency, Some(Nanos::new(5)));
        assert_eq!(picture.get(2_000).unwrap().row(2_000).unwrap().latency, None);
        rows.clear();
        assert_eq!((rows.numbers(), rows.weight()), (3_000..3_000, 0));
        assert!(!rows.insert(2_999, compact(2_999), Address::NONE));
        assert!(rows.insert(3_000, compact(3_000), Address::NONE));
        assert_eq!(numbers(&rows), [3_000]);
        assert_eq!(picture.numbers(), 1..3_000);
    }
}
