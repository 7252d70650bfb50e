//! A line per pattern: what it tells, in which columns, in which order.

use std::cmp::Ordering;

use ratatui::style::Style;

use crate::exchange::{ExchangeKind, PatternId};
use crate::report::{count, percent, size};
use crate::store::{CaptureStore, PatternRow};
use crate::time::{Nanos, Timestamp};
use crate::tui::charts::{self, Marks, sparkline};
use crate::tui::table::{Column, Width};
use crate::tui::text::{Align, LineBuilder};
use crate::tui::theme::Theme;
use crate::tui::views::rates::{per_second, rate};

/// What stays the same of a pattern while lines come and go.
pub(super) type Key = (ExchangeKind, PatternId);

/// What is shown of a pattern.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) key: Key,
    pub(super) pattern: Option<String>,
    /// Calls or events.
    pub(super) number: u64,
    /// A second, over all of the time.
    rate: Option<f64>,
    /// Over time, in [`SPANS`] spans at most.
    spark: Vec<u64>,
    errors: u64,
    /// Calls without final reply.
    unanswered: u64,
    pub(super) marks: Option<Marks>,
    bytes: u64,
    /// Of all latencies.
    total: u128,
}

/// Spans of time that are kept for a sparkline; as many share a column as its room asks for.
const SPANS: usize = 128;

/// What a column tells; its place in [`COLUMNS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    Pattern,
    Kind,
    Number,
    Rate,
    Spark,
    Errors,
    Unanswered,
    P50,
    P90,
    P99,
    Max,
    Bytes,
    Total,
}

const FACTS: [Fact; 13] = [
    Fact::Pattern,
    Fact::Kind,
    Fact::Number,
    Fact::Rate,
    Fact::Spark,
    Fact::Errors,
    Fact::Unanswered,
    Fact::P50,
    Fact::P90,
    Fact::P99,
    Fact::Max,
    Fact::Bytes,
    Fact::Total,
];

/// Where the time of all calls stands, which lines are sorted by at first.
pub(super) const TOTAL: usize = 12;

const fn right(title: &'static str, width: u16, priority: u8) -> Column {
    Column { title, width: Width::Fixed(width), priority, align: Align::Right }
}

/// The columns, in the order of [`FACTS`].
pub(super) const COLUMNS: [Column; 13] = [
    Column {
        title: "pattern",
        width: Width::Flexible { min: 15, weight: 3 },
        priority: 13,
        align: Align::Left,
    },
    Column { title: "kind", width: Width::Fixed(7), priority: 4, align: Align::Left },
    right("calls", 9, 12),
    right("rate", 7, 6),
    Column {
        title: "over time",
        width: Width::Flexible { min: 12, weight: 1 },
        priority: 7,
        align: Align::Left,
    },
    right("errors", 7, 9),
    right("no reply", 8, 9),
    right("p50", 7, 8),
    right("p90", 7, 3),
    right("p99", 7, 10),
    right("max", 7, 5),
    right("bytes", 8, 1),
    right("total", 7, 11),
];

impl Line {
    /// A line per pattern and kind, the costliest first.
    pub(super) fn all(capture: &CaptureStore, now: Timestamp) -> Vec<Self> {
        let rows = capture.statistics().patterns();
        rows.into_iter().map(|row| Self::new(row, capture, now)).collect()
    }

    fn new(row: &PatternRow, capture: &CaptureStore, now: Timestamp) -> Self {
        let timelines = capture.timelines();
        let outcomes = &row.outcomes;
        let number = outcomes.calls + outcomes.events;
        let spark = timelines
            .get(row.kind, row.id)
            .map(|timeline| charts::columns(timelines, timeline, now, SPANS).0);
        Self {
            key: (row.kind, row.id),
            pattern: row.pattern.clone(),
            number,
            rate: timelines
                .span()
                .and_then(|(first, last)| rate(number, now.max(last).saturating_since(first))),
            spark: spark.unwrap_or_default(),
            errors: outcomes.error,
            unanswered: outcomes.calls.saturating_sub(outcomes.ok + outcomes.error),
            marks: Marks::of(&row.latency),
            bytes: row.request_bytes + row.reply_bytes,
            total: row.latency.sum(),
        }
    }

    /// The text of the pattern for people.
    pub(super) fn name(&self) -> &str {
        self.pattern.as_deref().unwrap_or("(no pattern)")
    }

    /// Writes the cell of `column`.
    pub(super) fn write(&self, column: usize, theme: &Theme, pen: &mut LineBuilder) {
        let plain = Style::new();
        let latency = |mark: fn(&Marks) -> Nanos| match &self.marks {
            Some(marks) => (mark(marks).to_string(), plain),
            None => ("-".to_owned(), theme.dim),
        };
        let number = |number: u64, text: String, style| match number {
            0 => ("-".to_owned(), theme.dim),
            _ => (text, style),
        };
        let Some(fact) = FACTS.get(column) else { return };
        let (text, style) = match fact {
            Fact::Pattern => {
                let named = self.pattern.is_some() && self.key.1 != PatternId::OTHERS;
                pen.put(self.name(), if named { plain } else { theme.dim });
                return;
            }
            Fact::Kind => (self.key.0.name().to_owned(), theme.dim),
            Fact::Number => (count(self.number), plain),
            Fact::Rate => match self.rate {
                Some(rate) => (per_second(rate), plain),
                None => ("-".to_owned(), theme.dim),
            },
            Fact::Spark => {
                let share = self.spark.len().div_ceil(pen.room().max(1)).max(1);
                let columns: Vec<_> =
                    self.spark.chunks(share).map(|spans| spans.iter().sum()).collect();
                (sparkline(&columns, &theme.symbols), theme.client)
            }
            Fact::Errors => number(self.errors, percent(self.errors, self.number), theme.error),
            Fact::Unanswered => number(self.unanswered, count(self.unanswered), theme.warning),
            Fact::P50 => latency(|marks| marks.p50),
            Fact::P90 => latency(|marks| marks.p90),
            Fact::P99 => latency(|marks| marks.p99),
            Fact::Max => latency(|marks| marks.max),
            Fact::Bytes => (size(self.bytes), plain),
            Fact::Total => match self.marks {
                Some(_) => {
                    let total = u64::try_from(self.total).unwrap_or(u64::MAX);
                    (Nanos::new(total).to_string(), plain)
                }
                None => ("-".to_owned(), theme.dim),
            },
        };
        pen.put_number(&text, style);
    }

    /// How two lines stand to each other by a column, upwards. Those that have nothing there are
    /// the least.
    pub(super) fn compare(&self, other: &Self, column: usize) -> Ordering {
        let by = |fact: fn(&Self) -> u128| fact(self).cmp(&fact(other));
        let latency = |mark: fn(&Marks) -> Nanos| {
            self.marks.as_ref().map(mark).cmp(&other.marks.as_ref().map(mark))
        };
        match FACTS.get(column) {
            Some(Fact::Pattern) => self.pattern.cmp(&other.pattern),
            Some(Fact::Kind) => self.key.0.cmp(&other.key.0),
            // All share the time that their rates are of.
            Some(Fact::Number | Fact::Rate | Fact::Spark) => by(|line| line.number.into()),
            Some(Fact::Errors) => {
                let share =
                    |line: &Self, whole: &Self| u128::from(line.errors) * u128::from(whole.number);
                share(self, other).cmp(&share(other, self))
            }
            Some(Fact::Unanswered) => by(|line| line.unanswered.into()),
            Some(Fact::P50) => latency(|marks| marks.p50),
            Some(Fact::P90) => latency(|marks| marks.p90),
            Some(Fact::P99) => latency(|marks| marks.p99),
            Some(Fact::Max) => latency(|marks| marks.max),
            Some(Fact::Bytes) => by(|line| line.bytes.into()),
            Some(Fact::Total) | None => by(|line| line.total),
        }
    }
}

/// Whether a column is sorted upwards when it is first chosen: texts are, and of numbers the
/// largest are looked for.
pub(super) fn rises(column: usize) -> bool {
    matches!(FACTS.get(column), Some(Fact::Pattern | Fact::Kind))
}

/// Whether lines can be sorted by a column: by the sparkline they would be as by the rate.
pub(super) fn sorts(column: usize) -> bool {
    FACTS.get(column) != Some(&Fact::Spark)
}
