//! How many there were over time: small in a row of a table, or as a chart of its own.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::report::{count, counted};
use crate::store::{Counted, Timeline, Timelines};
use crate::time::{Nanos, Timestamp};
use crate::tui::charts::LEAST;
use crate::tui::charts::axis::span;
use crate::tui::charts::canvas::{Canvas, Spread, coordinate, scaled, standing};
use crate::tui::theme::{Symbols, Theme};

/// The exchanges of a timeline from the first one of all patterns to `now`, in at most `room`
/// columns; and how many buckets of time a column has. The same for all timelines, so that what
/// happened at a time stands in one column.
pub fn columns(
    timelines: &Timelines,
    timeline: &Timeline,
    now: Timestamp,
    room: usize,
) -> (Vec<u64>, u64) {
    let buckets = timelines.buckets(now).max(1);
    let group = buckets.div_ceil(u64::try_from(room).unwrap_or(u64::MAX).max(1));
    let mut columns = vec![0; usize::try_from(buckets.div_ceil(group)).unwrap_or(0).min(room)];
    let all = timelines.counts(timeline).filter(|(_, what, _)| *what == Counted::All);
    for (bucket, _, number) in all {
        let column = usize::try_from(bucket / group).ok();
        if let Some(sum) = column.and_then(|column| columns.get_mut(column)) {
            *sum += number;
        }
    }
    (columns, group)
}

/// A line of bars, as high as their share of the highest; a blank where there is none.
pub fn sparkline(columns: &[u64], symbols: &Symbols) -> String {
    let most = columns.iter().copied().max().unwrap_or(0);
    let bar = |number: u64| match number {
        0 => ' ',
        _ => standing(scaled(number, most, 8).max(1), symbols.standing).next().unwrap_or(' '),
    };
    columns.iter().map(|&number| bar(number)).collect()
}

/// Columns of a bar, at most.
const WIDEST: usize = 4;

/// A chart of what was sent when.
#[derive(Clone, Debug)]
pub struct Rate {
    area: Rect,
    plot: Rect,
    columns: Vec<u64>,
    spread: Spread,
    /// How long a column is, and all of them.
    each: Nanos,
    all: Nanos,
}

impl Rate {
    /// Lays out a timeline; `None` without room.
    pub fn new(
        timelines: &Timelines,
        timeline: &Timeline,
        now: Timestamp,
        area: Rect,
    ) -> Option<Self> {
        if area.width < LEAST.0 || area.height < LEAST.1 {
            return None;
        }
        let plot = Rect { height: area.height - 3, ..area };
        let room = usize::from(plot.width);
        let (columns, group) = columns(timelines, timeline, now, room);
        let length = |columns: usize| {
            let buckets = group.saturating_mul(columns as u64);
            Nanos::new(timelines.width().get().saturating_mul(buckets))
        };
        let spread = Spread::new(columns.len(), plot.width, WIDEST);
        Some(Self { area, plot, spread, each: length(1), all: length(columns.len()), columns })
    }

    /// Puts the chart into `buf`.
    pub fn draw(&self, theme: &Theme, buf: &mut Buffer) {
        let mut canvas = Canvas::new(self.area, theme, buf);
        let (plot, symbols) = (self.plot, theme.symbols);
        let most = self.columns.iter().copied().max().unwrap_or(0);
        for (column, &number) in self.columns.iter().enumerate().filter(|(_, number)| **number > 0)
        {
            let eighths = scaled(number, most, 8 * u64::from(plot.height)).max(1);
            for (row, symbol) in (1..=plot.height).zip(standing(eighths, symbols.standing)) {
                for x in self.spread.of(column) {
                    canvas.put(plot.x.saturating_add(x), plot.bottom() - row, symbol, theme.client);
                }
            }
        }
        let end = plot.x.saturating_add(coordinate(self.spread.room));
        for x in plot.x..end.min(plot.right()) {
            canvas.put(x, plot.bottom(), symbols.horizontal, theme.dim);
        }
        let labels = [(plot.x, "0s".to_owned()), (end, span(self.all, symbols.is_ascii))];
        canvas.labels(plot.bottom() + 1, &labels, theme.dim);
        let told = format!(
            "{} sent, at most {} in {}",
            counted(self.columns.iter().sum(), "message", "messages"),
            count(most),
            span(self.each, symbols.is_ascii)
        );
        canvas.text(self.area.x, plot.bottom() + 2, &told, theme.heading);
    }
}
