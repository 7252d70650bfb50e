//! How long the slowest take: latency by the share of calls that take no longer, where each step to
//! the right leaves out nine of ten calls that are left.
//!
//! ```text
//!   10ms│                        ╭─◆
//!       │                 ╭──────╯
//!    1ms│─────────────────╯
//!       └────────────────────────────
//!        0%       90%     99%     max
//! 99.9% of 12,000 calls took at most 8.31ms
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::report::counted;
use crate::store::{Latencies, Scale};
use crate::time::Nanos;
use crate::tui::charts::LEAST;
use crate::tui::charts::axis::{LogAxis, bound, part, span};
use crate::tui::charts::canvas::{Canvas, coordinate};
use crate::tui::theme::Theme;

/// Columns left of the curve: `1000s│`.
const GUTTER: u16 = 6;

/// Nines of a share behind which the curve is not drawn any further: one of a million calls.
const NINES: f64 = 6.0;

/// Shares that are asked for by name, the more telling ones first.
const NAMED: [(f64, &str); 8] = [
    (0.0, "0%"),
    (0.9, "90%"),
    (0.99, "99%"),
    (0.999, "99.9%"),
    (0.5, "50%"),
    (0.9999, "99.99%"),
    (0.99999, "99.999%"),
    (0.999999, "99.9999%"),
];

/// How many nines a share stands for: 1 for 90 %, 2 for 99 %.
fn nines_of(share: f64) -> f64 {
    -(1.0 - share).log10()
}

/// The percentile curve, laid out for an area.
#[derive(Clone, Debug)]
pub struct Curve {
    area: Rect,
    plot: Rect,
    axis: LogAxis,
    /// The bounds of the axis.
    range: (Nanos, Nanos),
    calls: u64,
    /// Shares by column, and the latency that they do not exceed.
    points: Vec<(f64, Nanos)>,
    /// How many nines the last column but one stands for.
    nines: f64,
}

impl Curve {
    /// Lays out a distribution; `None` where it is empty, or without room.
    pub fn new(latencies: &Latencies, area: Rect) -> Option<Self> {
        let (min, max) = latencies.range()?;
        if area.width < LEAST.0 || area.height < LEAST.1 {
            return None;
        }
        let plot = Rect {
            x: area.x + GUTTER,
            width: area.width - GUTTER,
            height: area.height - 3,
            ..area
        };
        let calls = latencies.count();
        // The share of all calls but one, and 90 % where there are fewer than ten.
        #[expect(clippy::cast_precision_loss)]
        let nines = (calls as f64).log10().clamp(1.0, NINES);
        let last = plot.width - 1;
        let share = |column: u16| match column {
            _ if column == last => 1.0,
            _ => 1.0 - 10_f64.powf(-nines * f64::from(column) / f64::from(last)),
        };
        let mut shares: Vec<f64> = (0..plot.width).map(share).collect();
        for (named, _) in NAMED {
            // The column nearest to a share that has a name stands for that share itself.
            let place = part(nines_of(named) / nines, plot.width);
            if let Some(share) = shares.get_mut(usize::from(place)).filter(|_| place < last) {
                *share = named;
            }
        }
        let points = shares.iter().copied().zip(latencies.quantiles(&shares)).collect();
        let scale = Scale::Five;
        let low = scale.low(scale.cell(min)).max(Nanos::new(100));
        let high = scale.high(scale.cell(max)).unwrap_or(max);
        let axis = LogAxis::new(low, high, plot.height);
        Some(Self { area, plot, axis, range: (low, high), calls, points, nines })
    }

    /// The column of a share.
    pub fn of(&self, share: f64) -> usize {
        let before = self.points.partition_point(|(point, _)| *point < share - f64::EPSILON);
        before.min(self.points.len().saturating_sub(1))
    }

    /// The column at a position.
    pub fn at(&self, position: Position) -> Option<usize> {
        let reach = Rect { height: self.plot.height + 2, ..self.plot };
        reach.contains(position).then(|| usize::from(position.x - self.plot.x))
    }

    /// The share of calls of a column, from 0 to 1, and what they took at most.
    pub fn point(&self, column: usize) -> Option<(f64, Nanos)> {
        self.points.get(column).copied()
    }

    /// Puts the curve into `buf`, and what the selected column is.
    pub fn draw(&self, selected: Option<usize>, theme: &Theme, buf: &mut Buffer) {
        let mut canvas = Canvas::new(self.area, theme, buf);
        self.draw_axes(theme, &mut canvas);
        self.draw_line(theme, &mut canvas);
        let ascii = theme.symbols.is_ascii;
        if let Some((column, (_, latency))) = selected.zip(selected.and_then(|at| self.point(at))) {
            let x = self.plot.x.saturating_add(coordinate(column));
            let y = self.row(latency);
            for below in y + 1..self.plot.bottom() {
                canvas.put(x, below, if ascii { ':' } else { '┊' }, theme.dim);
            }
            canvas.put(x, y, if ascii { 'X' } else { '◆' }, theme.heading.patch(theme.warning));
        }
        let told = selected.and_then(|column| self.told(column, ascii));
        let told = told.unwrap_or_else(|| counted(self.calls, "call", "calls"));
        canvas.text(self.area.x, self.plot.bottom() + 2, &told, theme.heading);
    }

    fn row(&self, latency: Nanos) -> u16 {
        self.plot.bottom().saturating_sub(1 + self.axis.place(latency))
    }

    fn draw_axes(&self, theme: &Theme, canvas: &mut Canvas<'_>) {
        let symbols = theme.symbols;
        let (left, bottom) = (self.plot.x - 1, self.plot.bottom());
        for y in self.plot.top()..bottom {
            canvas.put(left, y, symbols.vertical, theme.dim);
        }
        canvas.put(left, bottom, if symbols.is_ascii { '+' } else { '└' }, theme.dim);
        for x in self.plot.x..self.plot.right() {
            canvas.put(x, bottom, symbols.horizontal, theme.dim);
        }
        for latency in self.ticks() {
            let label = format!("{:>5}", bound(latency, symbols.is_ascii));
            canvas.text(self.area.x, self.row(latency), &label, theme.dim);
        }
        let mut labels = vec![(self.plot.right(), "max".to_owned())];
        for (share, name) in NAMED {
            let along = nines_of(share) / self.nines;
            if along < 1.0 {
                labels.push((self.plot.x + part(along, self.plot.width), name.to_owned()));
            }
        }
        canvas.labels(bottom + 1, &labels, theme.dim);
    }

    /// The bounds of the axis and the powers of ten between them; of two in a row, the later one is
    /// written.
    fn ticks(&self) -> Vec<Nanos> {
        let (low, high) = self.range;
        let decades = (0..20).map(|power| Nanos::new(10_u64.pow(power)));
        [high, low].into_iter().chain(decades.filter(|at| (low..=high).contains(at))).collect()
    }

    fn draw_line(&self, theme: &Theme, canvas: &mut Canvas<'_>) {
        let symbols = theme.symbols;
        let [up, right] = if symbols.is_ascii { ['+', '+'] } else { ['╯', '╭'] };
        let mut before = self.points.first().map_or(0, |(_, latency)| self.row(*latency));
        for (x, (_, latency)) in (self.plot.x..).zip(&self.points) {
            let y = self.row(*latency);
            if y >= before {
                canvas.put(x, y, symbols.horizontal, theme.client);
            } else {
                canvas.put(x, before, up, theme.client);
                canvas.put(x, y, right, theme.client);
                (y + 1..before).for_each(|y| canvas.put(x, y, symbols.vertical, theme.client));
            }
            before = y;
        }
    }

    fn told(&self, column: usize, ascii: bool) -> Option<String> {
        let (share, latency) = self.point(column)?;
        let latency = span(latency, ascii);
        let calls = counted(self.calls, "call", "calls");
        Some(match share {
            ..=0.0 => format!("The fastest of {calls} took {latency}"),
            1.0.. => format!("The slowest of {calls} took {latency}"),
            _ => format!("{} of {calls} took at most {latency}", percentage(share)),
        })
    }
}

/// A share with as many digits as tell it from all.
fn percentage(share: f64) -> String {
    let digits = match 1.0 - share {
        0.1.. => 0,
        0.01.. => 1,
        0.001.. => 2,
        0.0001.. => 3,
        _ => 4,
    };
    format!("{:.digits$}%", share * 100.0)
}
