//! How many calls took how long: a bar per cell of latency.
//!
//! ```text
//!           p50   p90          p99       max   marks
//! 312│       █ ┊   ┊            ┊         ┊    bars, none lower than an eighth of a row: a single
//!    │     ▁▇█▆▃▁                         ┊    outlier is seen beside a million
//!    │   ▂▆██████▃▂▁▁   ▁                 ▁
//!    └───────▲─────────────────────────────    the selected bar
//!     1ms      2ms     5ms     10ms            bounds
//! 1.6ms to 1.8ms: 312 calls, 25.3%             what the selected bar is
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr;

use crate::report::{count, counted, percent};
use crate::store::{FINE, Latencies, Percentiles, Scale};
use crate::time::Nanos;
use crate::tui::charts::LEAST;
use crate::tui::charts::axis::{bound, fitting, span};
use crate::tui::charts::canvas::{Canvas, coordinate, scaled, standing};
use crate::tui::theme::Theme;

/// A bar is no wider than this, however few there are.
const WIDEST: usize = 6;

/// What is marked beside the bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs)]
pub struct Marks {
    pub min: Nanos,
    pub p50: Nanos,
    pub p90: Nanos,
    pub p99: Nanos,
    pub max: Nanos,
}

impl Marks {
    /// Those of a distribution; `None` where it is empty.
    pub fn of(latencies: &Latencies) -> Option<Self> {
        let Percentiles { min, p50, p90, p99, max, .. } = latencies.percentiles()?;
        let [min, p50, p90, p99, max] = [min, p50, p90, p99, max].map(Nanos::new);
        Some(Self { min, p50, p90, p99, max })
    }
}

/// The bars of a histogram, laid out for an area. Nothing is clipped: they reach from the shortest
/// latency to the longest.
#[derive(Clone, Debug)]
pub struct Bars {
    area: Rect,
    /// Where the bars stand; without room, the numbers are told instead.
    plot: Option<Rect>,
    marks: Marks,
    scale: Scale,
    /// The cell of the first bar.
    first: usize,
    counts: Vec<u64>,
    /// Columns of a bar.
    wide: usize,
}

impl Bars {
    /// Lays out calls by cell of [`FINE`]; `None` where there are none.
    pub fn new(cells: &[u64], marks: Marks, area: Rect) -> Option<Self> {
        let most = cells.iter().max().filter(|most| **most > 0)?;
        // No bar is higher than all calls: the labels have room whatever the scale.
        let gutter = coordinate(count((*most).max(cells.iter().sum())).width()) + 1;
        let has_room = area.width >= LEAST.0.max(gutter + 12) && area.height >= LEAST.1;
        let plot = has_room.then(|| Rect {
            x: area.x + gutter,
            y: area.y + 1,
            width: area.width - gutter,
            height: area.height - 4,
        });
        let room = plot.map_or(12, |plot| plot.width.into());
        let (scale, first, last) = fitting((marks.min, marks.max), room);
        let mut counts = vec![0; last - first + 1];
        for (cell, &number) in cells.iter().enumerate() {
            let bar = scale.cell_of(cell, FINE).saturating_sub(first).min(last - first);
            if let Some(sum) = counts.get_mut(bar) {
                *sum += number;
            }
        }
        let wide = (room / counts.len()).clamp(1, WIDEST);
        Some(Self { area, plot, marks, scale, first, counts, wide })
    }

    /// The bar that takes a latency.
    pub fn of(&self, latency: Nanos) -> usize {
        let bar = self.scale.cell(latency).saturating_sub(self.first);
        bar.min(self.counts.len() - 1)
    }

    /// The bar at a position, which may be above its top or on the axis below it.
    pub fn at(&self, position: Position) -> Option<usize> {
        let plot = self.plot?;
        let reach = Rect { height: plot.height + 2, ..plot };
        let bar = usize::from(position.x.checked_sub(plot.x)?) / self.wide;
        (reach.contains(position) && bar < self.counts.len()).then_some(bar)
    }

    /// The latencies of a bar: from the first one on, and below the second one.
    pub fn bounds(&self, bar: usize) -> (Nanos, Option<Nanos>) {
        let cell = self.first + bar;
        (self.scale.low(cell), self.scale.high(cell))
    }

    /// Calls of a bar.
    pub fn count(&self, bar: usize) -> u64 {
        self.counts.get(bar).copied().unwrap_or(0)
    }

    /// The next bar with calls to the right of one, or to its left; the same where there is none.
    pub fn next(&self, bar: usize, right: bool) -> usize {
        let is_used = |&bar: &usize| self.count(bar) > 0;
        let next = if right {
            (bar + 1..self.counts.len()).find(is_used)
        } else {
            (0..bar.min(self.counts.len())).rev().find(is_used)
        };
        next.unwrap_or(bar)
    }

    /// The last bar with calls, or the first one.
    pub fn end(&self, last: bool) -> usize {
        if last { self.of(self.marks.max) } else { self.of(self.marks.min) }
    }

    /// Puts the bars into `buf`, and what the selected one is.
    pub fn draw(&self, selected: Option<usize>, theme: &Theme, buf: &mut Buffer) {
        let mut canvas = Canvas::new(self.area, theme, buf);
        let Some(plot) = self.plot else { return self.tell(theme, &mut canvas) };
        self.draw_marks(plot, theme, &mut canvas);
        self.draw_bars(plot, selected, theme, &mut canvas);
        self.draw_axis(plot, selected, theme, &mut canvas);
        let ascii = theme.symbols.is_ascii;
        let told = match selected {
            Some(bar) => self.told(bar, ascii),
            None => self.told_all(ascii),
        };
        canvas.text(self.area.x, plot.bottom() + 2, &told, theme.heading);
    }

    /// The numbers alone, one below the other.
    fn tell(&self, theme: &Theme, canvas: &mut Canvas<'_>) {
        let all = counted(self.counts.iter().sum(), "call", "calls");
        canvas.text(self.area.x, self.area.y, &all, theme.heading);
        for (row, (name, latency)) in (1..).zip(self.named()) {
            let text = format!("{name} {}", span(latency, theme.symbols.is_ascii));
            canvas.text(self.area.x, self.area.y.saturating_add(row), &text, theme.dim);
        }
    }

    /// The marks, the more important ones first.
    const fn named(&self) -> [(&'static str, Nanos); 4] {
        let Marks { p50, p90, p99, max, .. } = self.marks;
        [("max", max), ("p50", p50), ("p99", p99), ("p90", p90)]
    }

    fn column(&self, plot: Rect, bar: usize) -> u16 {
        plot.x.saturating_add(coordinate(bar * self.wide))
    }

    fn draw_marks(&self, plot: Rect, theme: &Theme, canvas: &mut Canvas<'_>) {
        let dotted = if theme.symbols.is_ascii { ':' } else { '┊' };
        let middle = coordinate(self.wide / 2);
        let at = |latency| self.column(plot, self.of(latency)) + middle;
        for (_, latency) in self.named() {
            for y in plot.top()..plot.bottom() {
                canvas.put(at(latency), y, dotted, theme.dim);
            }
        }
        let labels = self.named().map(|(name, latency)| (at(latency), name.to_owned()));
        canvas.labels(self.area.y, &labels, theme.dim);
    }

    fn draw_bars(
        &self,
        plot: Rect,
        selected: Option<usize>,
        theme: &Theme,
        canvas: &mut Canvas<'_>,
    ) {
        let most = self.counts.iter().copied().max().unwrap_or(0);
        let [.., dense, _] = theme.symbols.shades;
        let [.., whole] = theme.symbols.standing;
        for (bar, &number) in self.counts.iter().enumerate().filter(|(_, number)| **number > 0) {
            let eighths = scaled(number, most, 8 * u64::from(plot.height)).max(1);
            for (row, symbol) in (1..=plot.height).zip(standing(eighths, theme.symbols.standing)) {
                let is_selected = selected == Some(bar);
                let symbol = if is_selected && symbol == whole { dense } else { symbol };
                let style = if is_selected { theme.warning } else { theme.client };
                let left = self.column(plot, bar);
                // Bars that are wide enough stand apart.
                let gap = usize::from(self.wide > 2);
                for x in left..left.saturating_add(coordinate(self.wide - gap)) {
                    canvas.put(x, plot.bottom() - row, symbol, style);
                }
            }
        }
        canvas.text(self.area.x, plot.y, &count(most), theme.dim);
    }

    fn draw_axis(
        &self,
        plot: Rect,
        selected: Option<usize>,
        theme: &Theme,
        canvas: &mut Canvas<'_>,
    ) {
        let symbols = theme.symbols;
        let corner = if symbols.is_ascii { '+' } else { '└' };
        for y in plot.top()..plot.bottom() {
            canvas.put(plot.x - 1, y, symbols.vertical, theme.dim);
        }
        canvas.put(plot.x - 1, plot.bottom(), corner, theme.dim);
        let end = self.column(plot, self.counts.len()).min(plot.right());
        for x in plot.x..end {
            canvas.put(x, plot.bottom(), symbols.horizontal, theme.dim);
        }
        if let Some(bar) = selected {
            let middle = self.column(plot, bar) + coordinate(self.wide / 2);
            canvas.put(middle, plot.bottom(), symbols.ascending, theme.warning);
        }
        let labels: Vec<_> = self
            .ticks()
            .into_iter()
            .map(|bar| {
                let low = bound(self.scale.low(self.first + bar), symbols.is_ascii);
                (self.column(plot, bar), low)
            })
            .collect();
        canvas.labels(plot.bottom() + 1, &labels, theme.dim);
    }

    /// The bars that begin at a power of ten, then those at 5 and 2 times one.
    fn ticks(&self) -> Vec<usize> {
        let starts = |digit: u64| {
            move |bar: &usize| {
                let low = self.scale.low(self.first + bar).get();
                low > 0 && low == digit * 10_u64.pow(low.ilog10())
            }
        };
        let bars = || 0..self.counts.len();
        [1, 5, 2].into_iter().flat_map(|digit| bars().filter(starts(digit))).collect()
    }

    fn told_all(&self, ascii: bool) -> String {
        let all = counted(self.counts.iter().sum(), "call", "calls");
        let [min, max] = [self.marks.min, self.marks.max].map(|latency| span(latency, ascii));
        if min == max { format!("{all} of {min}") } else { format!("{all} of {min} to {max}") }
    }

    fn told(&self, bar: usize, ascii: bool) -> String {
        let (low, high) = self.bounds(bar);
        let range = match high {
            Some(high) if low == Nanos::ZERO => format!("below {}", bound(high, ascii)),
            Some(high) => format!("{} to {}", bound(low, ascii), bound(high, ascii)),
            None => format!("{} and more", bound(low, ascii)),
        };
        let (number, all) = (self.count(bar), self.counts.iter().sum());
        let below: u64 = self.counts.iter().take(bar).sum();
        let mut told = format!(
            "{range}: {}, {}; {} are shorter",
            counted(number, "call", "calls"),
            percent(number, all),
            percent(below, all)
        );
        if bar == self.of(self.marks.max) {
            told.push_str(&format!("; the longest {}", span(self.marks.max, ascii)));
        }
        told
    }
}
