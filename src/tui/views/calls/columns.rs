//! The columns of the list: which there are, how much room each wants, and by which it is sorted.

use crate::store::listing;
use crate::tui::table::{self, Width};
use crate::tui::text::Align;

/// A column of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Number,
    Time,
    Kind,
    Pattern,
    Latency,
    Pace,
    Status,
    Client,
    Server,
    Connection,
    RequestBytes,
    ReplyBytes,
    Replies,
    Waited,
    EndedBy,
    Held,
    Data,
}

/// What a column is.
struct Facts {
    column: Column,
    title: &'static str,
    /// For whoever chooses columns.
    about: &'static str,
    order: Option<listing::Column>,
    /// Whether who sorts by it wants the largest first.
    largest_first: bool,
    /// As [`table::Column::priority`].
    priority: u8,
    width: Width,
    align: Align,
}

const fn facts(
    column: Column,
    (title, about): (&'static str, &'static str),
    (order, largest_first): (Option<listing::Column>, bool),
    priority: u8,
    (width, align): (Width, Align),
) -> Facts {
    Facts { column, title, about, order, largest_first, priority, width, align }
}

const fn fixed(width: u16, align: Align) -> (Width, Align) {
    (Width::Fixed(width), align)
}

const fn flexible(min: u16, weight: u16) -> (Width, Align) {
    (Width::Flexible { min, weight }, Align::Left)
}

/// Columns of a pattern at least: those of its title.
const LEAST_PATTERN: u16 = 7;

/// From left to right.
const COLUMNS: [Facts; 17] = {
    use Align::{Left, Right};
    use Column as C;
    use listing::Column as By;
    [
        facts(
            C::Number,
            ("#", "the number of the exchange, the same in every output"),
            (Some(By::Number), false),
            100,
            fixed(4, Right),
        ),
        facts(
            C::Time,
            ("time", "when its first byte was seen; T changes how it is told"),
            (Some(By::Time), false),
            80,
            fixed(12, Right),
        ),
        facts(
            C::Kind,
            ("", "request, event (!), or a reply without request"),
            (Some(By::Kind), false),
            90,
            fixed(1, Left),
        ),
        facts(
            C::Pattern,
            ("pattern", "what was called"),
            (Some(By::Pattern), false),
            99,
            flexible(LEAST_PATTERN, 1),
        ),
        facts(
            C::Latency,
            ("latency", "what the caller waited; dim while it waits"),
            (Some(By::Latency), true),
            98,
            fixed(8, Right),
        ),
        facts(
            C::Pace,
            ("p50-max", "the latency between the median and the slowest of its pattern, as a bar"),
            (None, true),
            50,
            fixed(7, Left),
        ),
        facts(C::Status, ("status", "how it ended"), (Some(By::Status), true), 95, fixed(7, Left)),
        facts(C::Client, ("client", "who called"), (Some(By::Client), false), 60, fixed(6, Left)),
        facts(
            C::Server,
            ("server", "who was called"),
            (Some(By::Server), false),
            61,
            fixed(6, Left),
        ),
        facts(
            C::Connection,
            ("conn", "the number of the connection"),
            (Some(By::Connection), false),
            10,
            fixed(5, Right),
        ),
        facts(
            C::RequestBytes,
            ("request", "bytes of the request on the wire"),
            (Some(By::RequestBytes), true),
            40,
            fixed(8, Right),
        ),
        facts(
            C::ReplyBytes,
            ("reply", "bytes of the replies on the wire"),
            (Some(By::ReplyBytes), true),
            41,
            fixed(7, Right),
        ),
        facts(
            C::Replies,
            ("replies", "how many frames answered"),
            (Some(By::Replies), true),
            20,
            fixed(8, Right),
        ),
        facts(
            C::Waited,
            ("waited", "how long the caller had waited when a call ended without answer"),
            (Some(By::Waited), true),
            70,
            fixed(7, Right),
        ),
        facts(
            C::EndedBy,
            ("ended by", "who ended it, where nothing answered"),
            (Some(By::EndedBy), true),
            68,
            fixed(15, Left),
        ),
        facts(
            C::Held,
            ("held", "how long kernels may have held its frames; bold where they did"),
            (Some(By::Held), true),
            69,
            fixed(7, Right),
        ),
        facts(
            C::Data,
            ("payload", "the beginning of what was sent and of what answered"),
            (None, false),
            75,
            flexible(23, 1),
        ),
    ]
};

impl Column {
    /// Every column, from left to right.
    pub fn all() -> impl Iterator<Item = Self> {
        COLUMNS.iter().map(|facts| facts.column)
    }

    fn facts(self) -> Option<&'static Facts> {
        COLUMNS.get(self as usize)
    }

    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Kind => "kind",
            Self::RequestBytes => "request bytes",
            Self::ReplyBytes => "reply bytes",
            Self::Connection => "connection",
            _ => self.facts().map_or("", |facts| facts.title),
        }
    }

    /// What it tells.
    pub fn about(self) -> &'static str {
        self.facts().map_or("", |facts| facts.about)
    }

    /// What the list is sorted by where it is sorted by this column.
    pub fn order(self) -> Option<listing::Order> {
        let facts = self.facts()?;
        Some(listing::Order { column: facts.order?, descending: facts.largest_first })
    }

    /// The column that shows what the list is sorted by.
    pub fn of(order: listing::Order) -> Option<Self> {
        let shows = |facts: &&Facts| facts.order == Some(order.column);
        COLUMNS.iter().find(shows).map(|facts| facts.column)
    }

    /// Its place in a table whose numbers and addresses are so wide.
    pub fn layout(self, widths: Widths) -> Option<table::Column> {
        let &Facts { title, width, priority, align, .. } = self.facts()?;
        let width = match self {
            Self::Number => Width::Fixed(widths.number),
            // What it does not need is the payload's.
            Self::Pattern => Width::Growing {
                min: widths.pattern.clamp(LEAST_PATTERN, 12),
                most: widths.pattern.max(LEAST_PATTERN),
                weight: 1,
            },
            Self::Time => Width::Fixed(widths.time),
            Self::Status => Width::Fixed(widths.status),
            Self::Client | Self::Server => Width::Fixed(widths.end),
            _ => width,
        };
        Some(table::Column { title, width, priority, align })
    }
}

/// How wide the columns are whose texts grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Digits of the largest number.
    pub number: u16,
    /// Columns of a time.
    pub time: u16,
    /// Columns of the widest pattern.
    pub pattern: u16,
    /// Columns of the widest status.
    pub status: u16,
    /// An address with its port, or a port alone.
    pub end: u16,
}

/// Columns that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns(u32);

impl Default for Columns {
    /// All but the connection, which its ends tell better, and what few calls have.
    fn default() -> Self {
        let mut columns = Self(0);
        let left_out = [Column::Connection, Column::Waited, Column::Held, Column::EndedBy];
        for column in Column::all().filter(|column| !left_out.contains(column)) {
            columns.switch(column);
        }
        columns
    }
}

impl Columns {
    /// Whether `column` is one of them.
    pub const fn has(self, column: Column) -> bool {
        self.0 & 1 << column as u16 != 0
    }

    /// Shows `column`, or no longer.
    pub const fn switch(&mut self, column: Column) {
        self.0 ^= 1 << column as u16;
    }

    /// Each, from left to right.
    pub fn iter(self) -> impl Iterator<Item = Column> {
        Column::all().filter(move |column| self.has(*column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_found_by_its_place() {
        for (place, facts) in COLUMNS.iter().enumerate() {
            assert_eq!(facts.column as usize, place, "{}", facts.title);
            if let Some(order) = facts.column.order() {
                assert_eq!(Column::of(order), Some(facts.column));
            }
        }
    }

    #[test]
    fn columns_are_switched_on_and_off() {
        let mut columns = Columns::default();
        assert!(!columns.has(Column::Connection));
        columns.switch(Column::Connection);
        columns.switch(Column::Number);
        assert_eq!(columns.iter().next(), Some(Column::Time));
        assert_eq!(columns.iter().count(), COLUMNS.len() - 4);
    }
}
