//! The charts of the selected pattern: which there is room for, what is chosen in them.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::chosen::Chosen;
use super::lines::Line;
use super::too_many;
use crate::exchange::{ExchangeKind, PatternId};
use crate::store::{PatternRow, Timeline};
use crate::time::{Nanos, Timestamp};
use crate::tui::charts::{Bars, Cell, Curve, HeatMap, Rate};
use crate::tui::keys::Action;
use crate::tui::text::put;
use crate::tui::view::Scene;

/// One of the charts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Chart {
    #[default]
    Histogram,
    Curve,
    Heat,
}

const ALL: [Chart; 3] = [Chart::Histogram, Chart::Curve, Chart::Heat];

impl Chart {
    const fn name(self) -> &'static str {
        match self {
            Self::Histogram => "latency histogram",
            Self::Curve => "percentile curve",
            Self::Heat => "latency over time",
        }
    }

    /// The next one, or the one before; `None` beyond the last and the first one.
    pub(super) fn next(self, forward: bool) -> Option<Self> {
        let at = ALL.iter().position(|chart| *chart == self)?;
        let next = if forward { at.checked_add(1) } else { at.checked_sub(1) };
        ALL.get(next?).copied()
    }

    /// The first one, or the last one.
    pub(super) const fn first(forward: bool) -> Self {
        if forward { Self::Histogram } else { Self::Heat }
    }
}

/// What is chosen in each chart, as what it means.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choice {
    bar: Option<Nanos>,
    share: Option<f64>,
    cell: Option<(Timestamp, Nanos)>,
}

/// Below this many columns and rows one chart is shown at a time.
const ROOM_FOR_ALL: (u16, u16) = (96, 21);

/// Where the charts stand in `area`: the line of names above each, or of all, and its room.
fn places(area: Rect, focused: Chart) -> Vec<(Chart, Rect)> {
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    if area.width < ROOM_FOR_ALL.0 || area.height < ROOM_FOR_ALL.1 {
        return vec![(focused, below)];
    }
    let (upper, left) = (below.height / 2, below.width / 2);
    let top = Rect { height: upper, ..below };
    vec![
        (Chart::Histogram, Rect { width: left - 1, ..top }),
        (Chart::Curve, Rect { x: top.x + left, width: top.width - left, ..top }),
        (Chart::Heat, Rect { y: below.y + upper, height: below.height - upper, ..below }),
    ]
}

/// What the charts are drawn from.
pub(super) struct Charts<'a> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) line: &'a Line,
    pub(super) row: &'a PatternRow,
    pub(super) timeline: &'a Timeline,
    /// The room of all charts.
    pub(super) area: Rect,
    pub(super) focused: Chart,
}

impl Charts<'_> {
    /// The room of one chart, its name left out.
    fn room(&self, chart: Chart) -> Option<Rect> {
        let place = places(self.area, self.focused).into_iter().find(|(shown, _)| *shown == chart);
        place.map(|(_, room)| Rect { y: room.y + 1, height: room.height.saturating_sub(1), ..room })
    }

    fn bars(&self) -> Option<Bars> {
        Bars::new(self.timeline.cells(), self.line.marks?, self.room(Chart::Histogram)?)
    }

    fn curve(&self) -> Option<Curve> {
        Curve::new(&self.row.latency, self.room(Chart::Curve)?)
    }

    fn heat(&self) -> Option<HeatMap> {
        let (timelines, now) = (self.scene.capture.timelines(), self.scene.now);
        let range = self.row.latency.range()?;
        HeatMap::new(timelines, self.timeline, range, now, self.room(Chart::Heat)?)
    }

    /// Moves what is chosen in the focused chart, or begins where the eye is drawn to.
    pub(super) fn act(&self, action: Action, choice: &mut Choice) -> Option<()> {
        let (right, up) = match action {
            Action::Left => (-1, 0),
            Action::Right => (1, 0),
            Action::Top => (isize::MIN, 0),
            Action::Bottom => (isize::MAX, 0),
            Action::Up | Action::Down if self.focused == Chart::Heat => {
                (0, if action == Action::Up { 1 } else { -1 })
            }
            _ => return None,
        };
        match self.focused {
            Chart::Histogram => {
                let bars = self.bars()?;
                let bar = match (choice.bar.map(|latency| bars.of(latency)), right) {
                    (_, isize::MIN) => bars.end(false),
                    (_, isize::MAX) => bars.end(true),
                    (Some(bar), _) => bars.next(bar, right > 0),
                    (None, _) => bars.of(self.line.marks?.p50),
                };
                choice.bar = Some(bars.bounds(bar).0);
            }
            Chart::Curve => {
                let curve = self.curve()?;
                let column = match choice.share.map(|share| curve.of(share)) {
                    Some(column) => column.saturating_add_signed(right),
                    None => curve.of(0.99),
                };
                choice.share = Some(curve.point(column.min(curve.of(1.0)))?.0);
            }
            Chart::Heat => {
                let map = self.heat()?;
                let cell = match self.cell(&map, choice) {
                    Some(cell) => map.moved(cell, right, up),
                    None => map.densest(),
                };
                choice.cell = Some((map.times(cell).0?, map.latencies(cell).0));
            }
        }
        Some(())
    }

    fn cell(&self, map: &HeatMap, choice: &Choice) -> Option<Cell> {
        let (at, latency) = choice.cell?;
        Some(map.of(self.scene.capture.timelines(), at, latency))
    }

    /// Chooses what is at a position, and says in which chart that is.
    pub(super) fn choose(&self, position: Position, choice: &mut Choice) -> Option<Chart> {
        let shown = places(self.area, self.focused);
        let (chart, _) = shown.into_iter().find(|(_, room)| room.contains(position))?;
        match chart {
            Chart::Histogram => {
                let bar = self.bars().and_then(|bars| Some(bars.bounds(bars.at(position)?).0));
                choice.bar = bar.or(choice.bar);
            }
            Chart::Curve => {
                let point = self.curve().and_then(|curve| curve.point(curve.at(position)?));
                choice.share = point.map(|(share, _)| share).or(choice.share);
            }
            Chart::Heat => {
                let cell = self.heat().and_then(|map| {
                    let cell = map.at(position)?;
                    Some((map.times(cell).0?, map.latencies(cell).0))
                });
                choice.cell = cell.or(choice.cell);
            }
        }
        Some(chart)
    }

    /// The calls that are chosen in the focused chart; all of the pattern where none are.
    pub(super) fn chosen(&self, choice: &Choice) -> Chosen {
        let (kind, id) = self.line.key;
        let pattern = self.line.pattern.clone();
        let mut chosen = Chosen { id, pattern, kind, latency: None, from: None, to: None };
        match self.focused {
            Chart::Histogram => {
                let bar = choice.bar.zip(self.bars());
                chosen.latency = bar.map(|(latency, bars)| bars.bounds(bars.of(latency)));
            }
            Chart::Curve => {
                let point = choice.share.zip(self.curve());
                let point = point.and_then(|(share, curve)| curve.point(curve.of(share)));
                chosen.latency = point.map(|(_, latency)| (latency, None));
            }
            Chart::Heat => {
                let map = self.heat();
                let cell = map.as_ref().and_then(|map| Some((map, self.cell(map, choice)?)));
                if let Some((map, cell)) = cell {
                    chosen.latency = Some(map.latencies(cell));
                    (chosen.from, chosen.to) = map.times(cell);
                }
            }
        }
        chosen
    }

    /// Puts the charts into `buf`; `has_focus` shows in which one the keys work.
    pub(super) fn draw(&self, choice: &Choice, has_focus: bool, buf: &mut Buffer) {
        self.draw_heading(buf);
        if self.line.key.0 == ExchangeKind::Event {
            return self.draw_event(buf);
        }
        let shown = places(self.area, self.focused);
        let alone = shown.len() == 1;
        for (chart, room) in shown {
            let names: &[Chart] = if alone { &ALL } else { &[chart] };
            self.draw_names(names, room, has_focus, buf);
            self.draw_chart(chart, choice, buf);
        }
    }

    fn draw_heading(&self, buf: &mut Buffer) {
        let (theme, area) = (self.scene.theme, self.area);
        let x = put(buf, (area.x, area.y), area.width, self.line.name(), theme.heading, theme);
        let told = match self.line.marks {
            _ if self.line.key.1 == PatternId::OTHERS => format!(": {}", too_many()),
            Some(marks) => format!(
                "  p50 {}  p90 {}  p99 {}  max {}",
                marks.p50, marks.p90, marks.p99, marks.max
            ),
            None => String::new(),
        };
        let told = if theme.symbols.is_ascii { told.replace('µ', "u") } else { told };
        let room = area.right().saturating_sub(x);
        put(buf, (x, area.y), room, &told, theme.dim, theme);
    }

    /// The names of charts in a line, the focused one as such.
    fn draw_names(&self, names: &[Chart], room: Rect, has_focus: bool, buf: &mut Buffer) {
        let theme = self.scene.theme;
        let mut x = room.x;
        for chart in names {
            let style = match (*chart == self.focused, has_focus) {
                (true, true) => theme.heading.patch(theme.selected),
                (true, false) => theme.heading,
                (false, _) => theme.dim,
            };
            let left = room.right().saturating_sub(x);
            x = put(buf, (x, room.y), left, &format!(" {} ", chart.name()), style, theme) + 1;
        }
    }

    fn draw_chart(&self, chart: Chart, choice: &Choice, buf: &mut Buffer) {
        let theme = self.scene.theme;
        let drawn = match chart {
            Chart::Histogram => self.bars().map(|bars| {
                bars.draw(choice.bar.map(|latency| bars.of(latency)), theme, buf);
            }),
            Chart::Curve => self.curve().map(|curve| {
                curve.draw(choice.share.map(|share| curve.of(share)), theme, buf);
            }),
            Chart::Heat => self.heat().map(|map| map.draw(self.cell(&map, choice), theme, buf)),
        };
        if drawn.is_none() {
            let why = match self.line.marks {
                None => "No call of it was answered yet: there is no latency to show.",
                Some(_) => "There is no room for this chart; z gives it more.",
            };
            self.say(chart, why, buf);
        }
    }

    fn draw_event(&self, buf: &mut Buffer) {
        let (theme, area) = (self.scene.theme, self.area);
        if area.height > 2 {
            let text = "An event has no answer, so it has a rate and no latency.";
            put(buf, (area.x, area.y + 2), area.width, text, Style::new(), theme);
        }
        let room = Rect { y: area.y + 4, height: area.height.saturating_sub(4), ..area };
        let (timelines, now) = (self.scene.capture.timelines(), self.scene.now);
        if let Some(rate) = Rate::new(timelines, self.timeline, now, room) {
            rate.draw(theme, buf);
        }
    }

    fn say(&self, chart: Chart, text: &str, buf: &mut Buffer) {
        if let Some(room) = self.room(chart).filter(|room| room.height > 0) {
            put(buf, (room.x, room.y), room.width, text, Style::new(), self.scene.theme);
        }
    }
}
