//! When calls were sent and how long they took: a cell per span of time and of latency, the more
//! calls the denser.
//!
//! ```text
//! · 1  ░ 2 to 3  ▒ 4 to 7  ▓ 8 to 15  █ 16 to 31 calls    what the shades mean
//! 10ms│              ·
//!     │   ·    ░·   ░▒░
//!  1ms│▒▓█▓▓▓▒▓██▓▓▓███◆                                  the selected cell
//!     └────────────────────
//!      0s      10s      20s                               after the first request
//! 12.0s to 12.5s after …, 1ms to 1.6ms: 31 calls          what the selected cell is
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::report::{count, counted};
use crate::store::{Counted, HEAT, Timeline, Timelines};
use crate::time::{Nanos, Timestamp};
use crate::tui::charts::LEAST;
use crate::tui::charts::axis::{after, bound, cells, span};
use crate::tui::charts::canvas::{Canvas, Spread, coordinate};
use crate::tui::theme::Theme;

/// Columns left of the cells: `1000s│`.
const GUTTER: u16 = 6;

/// Columns of a cell, at most.
const WIDEST: usize = 4;

/// Rows of a cell, at most.
const HIGHEST: usize = 2;

/// A place in the map: from the left, and from the bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Later to the right.
    pub column: usize,
    /// Longer to the top.
    pub row: usize,
}

/// The cells of a heat map, laid out for an area. Nothing is clipped: they reach from the first
/// request to now, and from the shortest latency to the longest.
#[derive(Clone, Debug)]
pub struct HeatMap {
    area: Rect,
    plot: Rect,
    /// The cell of latency of the lowest row.
    first: usize,
    columns: usize,
    rows: usize,
    /// Buckets of time in a column.
    group: u64,
    spread: Spread,
    /// Cells of latency in a row.
    tall: usize,
    /// Screen rows of a row.
    high: usize,
    /// When each column begins, and when the last one ends.
    starts: Vec<Option<Timestamp>>,
    /// Row by row from the bottom.
    counts: Vec<u64>,
    /// The fewest calls of each shade that is used, ascending; the last one is the densest.
    levels: Vec<u64>,
}

impl HeatMap {
    /// Lays out the calls of a timeline from the first request to `now`. `range` is the shortest
    /// and the longest latency. `None` without calls, or without room.
    pub fn new(
        timelines: &Timelines,
        timeline: &Timeline,
        range: (Nanos, Nanos),
        now: Timestamp,
        area: Rect,
    ) -> Option<Self> {
        if area.width < LEAST.0 || area.height < LEAST.1 {
            return None;
        }
        let plot = Rect {
            x: area.x + GUTTER,
            y: area.y + 1,
            width: area.width - GUTTER,
            height: area.height - 4,
        };
        let (lowest, last) = cells(range, HEAT);
        // Where there is no room for a row per cell, several share one.
        let shared = |tall: usize| {
            let first = lowest - lowest.saturating_sub(1) % tall;
            (tall, first, (last + 1 - first).div_ceil(tall))
        };
        let fits = |(.., rows): &(usize, usize, usize)| *rows <= plot.height.into();
        let (tall, first, rows) = (1..=HEAT.cells()).map(shared).find(fits)?;
        let (width, buckets) = (u64::from(plot.width), timelines.buckets(now).max(1));
        let group = buckets.div_ceil(width);
        let columns = usize::try_from(buckets.div_ceil(group)).ok()?;
        let mut counts = vec![0; rows * columns];
        for (bucket, what, number) in timelines.counts(timeline) {
            let Counted::Latency(cell) = what else { continue };
            let row = (cell.saturating_sub(first) / tall).min(rows - 1);
            let column = usize::try_from(bucket / group).ok()?;
            if let Some(sum) = counts.get_mut(row * columns + column) {
                *sum += number;
            }
        }
        let most = counts.iter().copied().max().filter(|most| *most > 0)?;
        let starts = (0..).take(columns + 1).map(|column| timelines.start(column * group));
        Some(Self {
            area,
            plot,
            first,
            columns,
            rows,
            group,
            spread: Spread::new(columns, plot.width, WIDEST),
            tall,
            high: (usize::from(plot.height) / rows).clamp(1, HIGHEST),
            starts: starts.collect(),
            counts,
            levels: levels(most),
        })
    }

    /// The cell of a request that was sent then and took that long.
    pub fn of(&self, timelines: &Timelines, at: Timestamp, latency: Nanos) -> Cell {
        let column = usize::try_from(timelines.bucket_at(at) / self.group).unwrap_or(usize::MAX);
        let row = HEAT.cell(latency).saturating_sub(self.first) / self.tall;
        Cell { column: column.min(self.columns - 1), row: row.min(self.rows - 1) }
    }

    /// The cell at a position.
    pub fn at(&self, position: Position) -> Option<Cell> {
        let column = self.spread.at(position.x.checked_sub(self.plot.x)?.into())?;
        let from_bottom = self.plot.bottom().checked_sub(position.y)?.checked_sub(1)?;
        let row = usize::from(from_bottom) / self.high;
        (self.plot.contains(position) && row < self.rows).then_some(Cell { column, row })
    }

    /// The latencies of a cell: from the first one on, and below the second one.
    pub fn latencies(&self, cell: Cell) -> (Nanos, Option<Nanos>) {
        let lowest = self.first + cell.row * self.tall;
        let highest = (lowest + self.tall).min(HEAT.cells()) - 1;
        (HEAT.low(lowest), HEAT.high(highest))
    }

    /// When the requests of a cell were sent: from the first time on, and before the second one.
    pub fn times(&self, cell: Cell) -> (Option<Timestamp>, Option<Timestamp>) {
        let start = |column| self.starts.get(column).copied().flatten();
        (start(cell.column), start(cell.column + 1))
    }

    /// Calls of a cell.
    pub fn count(&self, cell: Cell) -> u64 {
        self.counts.get(cell.row * self.columns + cell.column).copied().unwrap_or(0)
    }

    /// The cell with the most calls.
    pub fn densest(&self) -> Cell {
        let most = self.counts.iter().enumerate().max_by_key(|(_, number)| **number);
        let index = most.map_or(0, |(index, _)| index);
        Cell { column: index % self.columns, row: index / self.columns }
    }

    /// The cell that many columns to the right and rows up, within the map.
    pub fn moved(&self, cell: Cell, right: isize, up: isize) -> Cell {
        Cell {
            column: cell.column.saturating_add_signed(right).min(self.columns - 1),
            row: cell.row.saturating_add_signed(up).min(self.rows - 1),
        }
    }

    /// Puts the map into `buf`, and what the selected cell is.
    pub fn draw(&self, selected: Option<Cell>, theme: &Theme, buf: &mut Buffer) {
        let mut canvas = Canvas::new(self.area, theme, buf);
        self.draw_legend(theme, &mut canvas);
        self.draw_axes(theme, &mut canvas);
        for (index, &number) in self.counts.iter().enumerate() {
            let cell = Cell { column: index % self.columns, row: index / self.columns };
            let is_selected = selected == Some(cell);
            if let Some((symbol, style)) = self.shade(number, theme) {
                self.fill(cell, symbol, style, &mut canvas);
            }
            if is_selected {
                let symbol = match (theme.symbols.is_ascii, number) {
                    (true, _) => 'X',
                    (false, 0) => '◇',
                    (false, _) => '◆',
                };
                self.fill(cell, symbol, theme.heading.patch(theme.warning), &mut canvas);
            }
        }
        let told = match selected {
            Some(cell) => self.told(cell, theme.symbols.is_ascii),
            None => self.told_all(theme.symbols.is_ascii),
        };
        canvas.text(self.area.x, self.plot.bottom() + 2, &told, theme.heading);
    }

    fn fill(&self, cell: Cell, symbol: char, style: Style, canvas: &mut Canvas<'_>) {
        for x in self.spread.of(cell.column) {
            let x = self.plot.x.saturating_add(x);
            for row in 0..self.high {
                let up = coordinate(cell.row * self.high + row + 1);
                canvas.put(x, self.plot.bottom().saturating_sub(up), symbol, style);
            }
        }
    }

    /// The shade of that many calls; of few shades, the densest ones are used.
    fn shade(&self, number: u64, theme: &Theme) -> Option<(char, Style)> {
        let level = self.levels.iter().rposition(|least| *least <= number)?;
        let shade = theme.heat.len() - self.levels.len() + level;
        Some((*theme.symbols.shades.get(shade)?, *theme.heat.get(shade)?))
    }

    fn draw_legend(&self, theme: &Theme, canvas: &mut Canvas<'_>) {
        let most = self.counts.iter().copied().max().unwrap_or(0);
        let mut x = self.area.x;
        for (level, &least) in self.levels.iter().enumerate() {
            let last = self.levels.get(level + 1).map_or(most, |next| next - 1);
            let Some((symbol, style)) = self.shade(least, theme) else { continue };
            canvas.put(x, self.area.y, symbol, style);
            let mut text = count(least);
            if last > least {
                text.push_str(&format!("-{}", count(last)));
            }
            if level + 1 == self.levels.len() {
                text.push_str(if most == 1 { " call" } else { " calls" });
            }
            canvas.text(x.saturating_add(2), self.area.y, &text, theme.dim);
            x = x.saturating_add(coordinate(text.len() + 4));
        }
    }

    fn draw_axes(&self, theme: &Theme, canvas: &mut Canvas<'_>) {
        let symbols = theme.symbols;
        let (left, bottom) = (self.plot.x - 1, self.plot.bottom());
        for y in self.plot.top()..bottom {
            canvas.put(left, y, symbols.vertical, theme.dim);
        }
        canvas.put(left, bottom, if symbols.is_ascii { '+' } else { '└' }, theme.dim);
        let end = self.plot.x.saturating_add(coordinate(self.spread.room));
        for x in self.plot.x..end.min(self.plot.right()) {
            canvas.put(x, bottom, symbols.horizontal, theme.dim);
        }
        for row in 0..self.rows {
            let (low, high) = self.latencies(Cell { column: 0, row });
            let mut decades = (3..13).map(|power| Nanos::new(10_u64.pow(power)));
            let decade = decades.find(|at| low <= *at && high.is_none_or(|high| *at < high));
            // With nothing at a power of ten near, the lowest row says where the axis is.
            if let Some(latency) = decade.or((row == 0).then_some(low)) {
                let up = coordinate(row * self.high + 1);
                let label = format!("{:>5}", bound(latency, symbols.is_ascii));
                canvas.text(self.area.x, bottom.saturating_sub(up), &label, theme.dim);
            }
        }
        self.draw_times(theme, canvas);
    }

    /// The end first, then halves and quarters, as far as there is room.
    fn draw_times(&self, theme: &Theme, canvas: &mut Canvas<'_>) {
        let quarters = [0, 4, 2, 1, 3].map(|quarter| self.columns * quarter / 4);
        let labels: Vec<_> = quarters
            .into_iter()
            .filter_map(|column| {
                let label = after(self.after(column)?, theme.symbols.is_ascii);
                Some((self.plot.x.saturating_add(self.spread.of(column).start), label))
            })
            .collect();
        canvas.labels(self.plot.bottom() + 1, &labels, theme.dim);
    }

    /// How long after the first request a column begins.
    fn after(&self, column: usize) -> Option<Nanos> {
        let first = self.starts.first().copied().flatten()?;
        Some(self.starts.get(column).copied().flatten()?.saturating_since(first))
    }

    fn told(&self, cell: Cell, ascii: bool) -> String {
        let latencies = match self.latencies(cell) {
            (Nanos::ZERO, Some(high)) => format!("below {}", bound(high, ascii)),
            (low, Some(high)) => format!("{} to {}", bound(low, ascii), bound(high, ascii)),
            (low, None) => format!("{} and more", bound(low, ascii)),
        };
        let after = |column| self.after(column).map_or("the end".into(), |at| after(at, ascii));
        let number = counted(self.count(cell), "call", "calls");
        format!(
            "{number} of {latencies}, sent {} to {}",
            after(cell.column),
            after(cell.column + 1)
        )
    }

    fn told_all(&self, ascii: bool) -> String {
        let all = counted(self.counts.iter().sum(), "call", "calls");
        let each = self
            .after(1)
            .map_or_else(String::new, |width| format!(", {} each column", span(width, ascii)));
        format!("{all}{each}")
    }
}

/// The fewest calls of up to five shades: as wide as the eye finds equal on a logarithmic scale.
fn levels(most: u64) -> Vec<u64> {
    // A shade needs no more digits; and the fifth root of a number is far below it.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let mut levels: Vec<u64> = (0..5)
        .map(|shade| ((most as f64 + 1.0).powf(f64::from(shade) / 5.0)).ceil() as u64)
        .filter(|least| *least <= most)
        .collect();
    levels.dedup();
    levels
}
