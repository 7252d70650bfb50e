//! Each chart at several sizes, as text; and what it says of its cells against the values.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Color;

use super::*;
use crate::exchange::{Exchange, ExchangeKind, Latency, PatternId, Span};
use crate::packet::PacketRef;
use crate::report::calls::samples;
use crate::store::{Latencies, Timelines};
use crate::time::{Nanos, Timestamp};
use crate::tui::theme::{Symbols, Theme};

/// Calls as (time sent in ms, latency in ns).
type Calls = Vec<(i64, u64)>;

struct Told {
    timelines: Timelines,
    latencies: Latencies,
    now: Timestamp,
}

const SUM: PatternId = PatternId(2);

impl Told {
    fn of(calls: &Calls) -> Self {
        let mut timelines = Timelines::default();
        let mut latencies = Latencies::default();
        for &(at, latency) in calls {
            let at =
                PacketRef { at: Timestamp::from_nanos(at * 1_000_000), ..PacketRef::default() };
            let latency = Nanos::new(latency);
            latencies.record(latency);
            timelines.add(&Exchange {
                pattern_id: SUM,
                request: Some(Span::in_order(at, at, 1)),
                latency: Latency { latency: Some(latency), ..Latency::default() },
                ..samples::call()
            });
        }
        let now = calls.iter().map(|call| call.0).max().unwrap_or(0);
        Self { timelines, latencies, now: Timestamp::from_nanos(now * 1_000_000) }
    }

    fn timeline(&self) -> &crate::store::Timeline {
        self.timelines.get(ExchangeKind::Request, SUM).unwrap()
    }

    fn marks(&self) -> Marks {
        Marks::of(&self.latencies).unwrap()
    }

    fn bars(&self, area: Rect) -> Bars {
        Bars::new(self.timeline().cells(), self.marks(), area).unwrap()
    }

    fn heat(&self, area: Rect) -> Option<HeatMap> {
        let range = self.latencies.range().unwrap();
        HeatMap::new(&self.timelines, self.timeline(), range, self.now, area)
    }
}

/// A service that slows down in its second half, with one call that waited for three seconds.
fn slowing() -> Calls {
    let mut calls: Calls = (0..4_000_i64)
        .map(|n| {
            // Low-discrepancy noise, twice, for a hump.
            let noise =
                (n * 6_180_339_887 % 10_000_000_000 + n * 4_142_135_623 % 10_000_000_000) / 20;
            let base = 1_000_000 + noise.unsigned_abs() / 500;
            (n * 10, if n > 2_500 { base * 3 } else { base })
        })
        .collect();
    calls.push((33_000, 3_141_592_653));
    calls
}

fn area(width: u16, height: u16) -> Rect {
    Rect::new(0, 0, width, height)
}

fn drawn(width: u16, height: u16, draw: impl FnOnce(Rect, &mut Buffer)) -> String {
    // A margin, to see that nothing is drawn beside the area.
    let mut buf = Buffer::empty(area(width + 2, height + 2));
    draw(Rect::new(1, 1, width, height), &mut buf);
    let lines = (0..height + 2).map(|y| {
        let line: String = (0..width + 2).map(|x| buf[(x, y)].symbol().to_owned()).collect();
        let edge = [y == 0, y == height + 1].contains(&true);
        assert!(!edge || line.trim().is_empty(), "row {y}: {line}");
        assert!(line.starts_with(' ') && line.ends_with(' '), "row {y}: {line}");
        line.trim_end().get(1..).unwrap_or("").to_owned()
    });
    lines.skip(1).take(height.into()).map(|line| line + "\n").collect()
}

const SIZES: [(u16, u16); 3] = [(60, 12), (100, 20), (30, 7)];

fn themes() -> [(Theme, &'static str); 2] {
    [(Theme::new(true, false), "unicode"), (Theme::new(false, true), "ascii")]
}

/// Every size in both alphabets.
fn gallery(mut draw: impl FnMut(Rect, &Theme, &mut Buffer)) -> String {
    let mut all = String::new();
    for (theme, name) in themes() {
        for (width, height) in SIZES {
            all += &format!("== {width}x{height} {name}\n");
            all += &drawn(width, height, |area, buf| draw(area, &theme, buf));
        }
    }
    all
}

#[test]
fn histograms() {
    let told = Told::of(&slowing());
    let all = gallery(|area, theme, buf| {
        let bars = told.bars(area);
        bars.draw(Some(bars.of(Nanos::new(1_900_000))), theme, buf);
    });
    insta::assert_snapshot!(all);
}

#[test]
fn an_outlier_is_a_bar_and_is_told() {
    let told = Told::of(&slowing());
    let (theme, _) = &themes()[0];
    let all = drawn(70, 9, |area, buf| {
        let bars = told.bars(area);
        bars.draw(Some(bars.end(true)), theme, buf);
    });
    insta::assert_snapshot!(all);
}

#[test]
fn histograms_of_little() {
    let (theme, _) = &themes()[0];
    let mut all = String::new();
    let beyond = vec![(0, 0), (1, 999), (2, 50_000), (3, 2_000_000_000_000)];
    for calls in [vec![(0, 3_612_000)], vec![(0, 1_000_000); 3], beyond] {
        let told = Told::of(&calls);
        for (width, height) in [(60, 8), (24, 6), (20, 5), (3, 1)] {
            all += &format!("== {} calls in {width}x{height}\n", calls.len());
            all += &drawn(width, height, |area, buf| told.bars(area).draw(None, theme, buf));
        }
    }
    insta::assert_snapshot!(all);
    assert!(Bars::new(&[], Told::of(&vec![(0, 1)]).marks(), area(60, 10)).is_none());
}

#[test]
fn percentile_curves() {
    let told = Told::of(&slowing());
    let all = gallery(|area, theme, buf| {
        let curve = Curve::new(&told.latencies, area).unwrap();
        curve.draw(Some(curve.of(0.99)), theme, buf);
    });
    insta::assert_snapshot!(all);
}

#[test]
fn percentile_curves_of_little() {
    let (theme, _) = &themes()[0];
    let mut all = String::new();
    for calls in [vec![(0, 3_612_000)], vec![(0, 900), (0, 2_000_000)]] {
        let told = Told::of(&calls);
        all += &drawn(60, 8, |area, buf| {
            Curve::new(&told.latencies, area).unwrap().draw(None, theme, buf);
        });
        assert!(Curve::new(&told.latencies, area(20, 5)).is_none());
    }
    insta::assert_snapshot!(all);
    assert!(Curve::new(&Latencies::default(), area(60, 8)).is_none());
}

#[test]
fn heat_maps() {
    let told = Told::of(&slowing());
    let all = gallery(|area, theme, buf| {
        let map = told.heat(area).unwrap();
        map.draw(Some(map.densest()), theme, buf);
    });
    insta::assert_snapshot!(all);
}

#[test]
fn heat_maps_of_little() {
    let (theme, _) = &themes()[0];
    let mut all = String::new();
    for calls in [vec![(0, 3_612_000)], vec![(0, 500_000), (40, 2_000_000), (40, 2_000_000)]] {
        let told = Told::of(&calls);
        all += &drawn(60, 10, |area, buf| told.heat(area).unwrap().draw(None, theme, buf));
        assert!(told.heat(area(20, 5)).is_none());
    }
    insta::assert_snapshot!(all);
}

#[test]
fn rates() {
    let told = Told::of(&slowing());
    let all = gallery(|area, theme, buf| {
        Rate::new(&told.timelines, told.timeline(), told.now, area).unwrap().draw(theme, buf);
    });
    insta::assert_snapshot!(all);
}

#[test]
fn sparklines_stand_below_each_other() {
    assert_eq!(sparkline(&[0, 1, 8, 1_000, 500], &Symbols::UNICODE), " ▁▁█▄");
    assert_eq!(sparkline(&[0, 1, 8, 1_000, 500], &Symbols::ASCII), " __#-");
    let told = Told::of(&slowing());
    for room in [1, 7, 20, 300] {
        let (counts, group) = columns(&told.timelines, told.timeline(), told.now, room);
        assert!(counts.len() <= room);
        assert_eq!(counts.iter().sum::<u64>(), 4_001, "none is lost in {room}");
        let later = Timestamp::from_nanos(told.now.as_nanos() + 40_000_000_000);
        let (quiet, _) = columns(&told.timelines, told.timeline(), later, room);
        assert!(room < 20 || quiet.last() == Some(&0), "the present is at the right: {quiet:?}");
        assert!(group >= 1);
    }
}

#[test]
fn a_bar_counts_what_lies_between_its_bounds() {
    let calls = slowing();
    let told = Told::of(&calls);
    for (width, height) in SIZES {
        let bars = told.bars(area(width, height));
        let mut all = 0;
        for bar in 0..=bars.end(true) {
            let (low, high) = bars.bounds(bar);
            let within = |latency: u64| {
                Nanos::new(latency) >= low && high.is_none_or(|high| Nanos::new(latency) < high)
            };
            let count = calls.iter().filter(|call| within(call.1)).count() as u64;
            assert_eq!(bars.count(bar), count, "bar {bar} of {width}x{height}");
            all += count;
        }
        assert_eq!(all, calls.len() as u64);
    }
}

#[test]
fn a_cell_counts_what_lies_between_its_bounds() {
    let calls = slowing();
    let told = Told::of(&calls);
    for (width, height) in SIZES {
        let map = told.heat(area(width, height)).unwrap();
        let mut all = 0;
        let mut cell = map.moved(map.densest(), isize::MIN, isize::MIN);
        loop {
            let ((low, high), (from, to)) = (map.latencies(cell), map.times(cell));
            let within = |&&(at, latency): &&(i64, u64)| {
                let (at, latency) = (Timestamp::from_nanos(at * 1_000_000), Nanos::new(latency));
                from.is_some_and(|from| at >= from)
                    && to.is_none_or(|to| at < to)
                    && latency >= low
                    && high.is_none_or(|high| latency < high)
            };
            let count = calls.iter().filter(within).count() as u64;
            assert_eq!(map.count(cell), count, "{cell:?} of {width}x{height}");
            assert_eq!(map.of(&told.timelines, from.unwrap(), low), cell);
            all += count;
            let right = map.moved(cell, 1, 0);
            let up = map.moved(Cell { column: 0, ..cell }, 0, 1);
            cell = if right != cell {
                right
            } else if up.row != cell.row {
                up
            } else {
                break;
            };
        }
        assert_eq!(all, calls.len() as u64);
    }
}

#[test]
fn what_is_drawn_at_a_position_is_what_is_hit_there() {
    let told = Told::of(&slowing());
    let area = Rect::new(5, 3, 80, 14);
    let theme = Theme::new(true, false);
    let empty = || Buffer::empty(Rect::new(0, 0, 100, 20));
    // Whatever is selected is marked with a colour that nothing else has here.
    let yellow = |buf: &Buffer, position: Position| buf[position].fg == Color::Yellow;
    let (bars, map) = (told.bars(area), told.heat(area).unwrap());
    let mut hits = 0;
    for position in buf_positions() {
        if let Some(bar) = bars.at(position).filter(|bar| bars.count(*bar) > 0) {
            let mut buf = empty();
            bars.draw(Some(bar), &theme, &mut buf);
            let column = (0..20).filter(|&y| yellow(&buf, Position::new(position.x, y)));
            assert!(column.count() > 0, "{position} is not of bar {bar}");
            hits += 1;
        }
        if let Some(cell) = map.at(position) {
            let mut buf = empty();
            map.draw(Some(cell), &theme, &mut buf);
            assert!(["◆", "◇"].contains(&buf[position].symbol()), "{position} is not {cell:?}");
            hits += 1;
        }
    }
    assert!(hits > 500, "{hits}");
    let beside = Position::new(area.right(), area.y);
    assert_eq!((bars.at(beside), map.at(beside)), (None, None));
}

fn buf_positions() -> impl Iterator<Item = Position> {
    (0..20).flat_map(|y| (0..100).map(move |x| Position::new(x, y)))
}

#[test]
fn arrows_move_from_bar_to_bar() {
    let told = Told::of(&vec![(0, 1_000_000), (0, 2_000_000), (0, 900_000_000)]);
    let bars = told.bars(area(80, 10));
    let first = bars.end(false);
    let second = bars.next(first, true);
    assert_eq!(bars.bounds(second).0, Nanos::new(2_000_000));
    assert_eq!(bars.next(second, true), bars.end(true));
    assert_eq!(bars.next(bars.end(true), true), bars.end(true));
    assert_eq!(bars.next(second, false), first);
}
