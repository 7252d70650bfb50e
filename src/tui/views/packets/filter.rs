//! The packets that a filter lets through: looked for some at a time, so that the screen goes on.

use std::cell::RefCell;
use std::ops::Range;

use super::fields;
use super::reading::{Beginnings, Reading};
use super::search::PACKETS;
use crate::packet::PacketNumber;
use crate::query::{FilterError, RowFilter};
use crate::report::count;
use crate::store::CaptureStore;
use crate::tui::search::BYTES_PER_STEP;

/// A filter in force, and what it let through so far.
#[derive(Debug)]
pub struct Filtered {
    filter: RowFilter,
    /// The numbers of the packets, ascending. At most those that the archive remembers.
    numbers: Vec<PacketNumber>,
    /// The packet that is looked at next.
    next: PacketNumber,
    /// The packets that there are.
    packets: Range<PacketNumber>,
    beginnings: RefCell<Beginnings>,
}

impl Filtered {
    /// Looked at nothing yet; `None` where `text` lets everything through.
    ///
    /// # Errors
    ///
    /// Where `text` is no filter.
    pub fn new(text: &str) -> Result<Option<Self>, FilterError> {
        let filter = RowFilter::parse(fields::FILTERED, text)?;
        let is_empty = filter.is_empty();
        let filtered = Self {
            filter,
            numbers: Vec::new(),
            next: PacketNumber(0),
            packets: PacketNumber(0)..PacketNumber(0),
            beginnings: RefCell::default(),
        };
        Ok((!is_empty).then_some(filtered))
    }

    /// Looks at some packets more, and forgets those that gave way.
    pub fn step(&mut self, capture: &CaptureStore) {
        let packets = capture.archive().packets();
        // Everything was forgotten.
        if packets.end < self.packets.end {
            self.numbers.clear();
            self.next = PacketNumber(0);
        }
        if packets.start > self.packets.start {
            let gone = self.numbers.partition_point(|number| *number < packets.start);
            self.numbers.drain(..gone);
        }
        self.next = self.next.max(packets.start);
        let mut bytes = 0;
        for number in PacketNumber::each(self.next..packets.end).take(PACKETS) {
            self.next = number.next();
            let Some(reading) = Reading::new(number, capture) else { continue };
            let is_wanted = self.filter.matches(&|name, look| {
                fields::tell(&reading, &self.beginnings, capture, name, look);
            });
            if is_wanted {
                self.numbers.push(number);
            }
            bytes += reading.payload().len() as u64;
            if bytes > BYTES_PER_STEP {
                break;
            }
        }
        self.packets = packets;
    }

    /// Whether there are packets that were not looked at.
    pub fn is_at_work(&self) -> bool {
        self.next < self.packets.end
    }

    /// How many it let through.
    pub const fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The number of the packet in this row.
    pub fn number(&self, row: usize) -> Option<PacketNumber> {
        self.numbers.get(row).copied()
    }

    /// The row of this packet, or of the next one that is let through.
    pub fn row(&self, number: PacketNumber) -> usize {
        self.numbers.partition_point(|known| *known < number)
    }

    /// Whether it let this packet through.
    pub fn has(&self, number: PacketNumber) -> bool {
        self.numbers.binary_search(&number).is_ok()
    }

    /// What it is, as it was typed.
    pub fn text(&self) -> String {
        self.filter.to_string()
    }

    /// How many are shown, and how far it is.
    pub fn about(&self) -> String {
        let Range { start, end } = &self.packets;
        let all = count(end.0.saturating_sub(start.0));
        let shown = count(self.numbers.len() as u64);
        let mut about = format!("{shown} of {all} shown");
        if self.is_at_work() {
            about.push_str(&format!(", {} looked at", count(self.next.0.saturating_sub(start.0))));
        }
        about
    }
}
