//! The view at several sizes, as text; what its keys do; and that a bar's filter lists its calls.

use super::*;
use crate::endpoint::{ConnectionId, ConnectionNumber, Endpoints};
use crate::engine::EngineEvent;
use crate::exchange::{
    Exchange, ExchangeKind, ExchangeNumber, Latency, PatternId, Span, Status as Outcome,
};
use crate::packet::PacketRef;
use crate::query::Filter;
use crate::store::CaptureStore;
use crate::time::{Nanos, Timestamp};
use crate::tui::status::Status;
use crate::tui::theme::Theme;

/// 2026-11-22T03:52:01Z.
const START: i64 = 1_795_319_521_000_000_000;

/// A capture, and its exchanges.
struct Harness {
    capture: CaptureStore,
    sent: Vec<Sent>,
    status: Status,
    theme: Theme,
    area: Rect,
}

struct Sent {
    id: u32,
    pattern: Option<&'static str>,
    at: i64,
    status: Outcome,
    latency: Option<u64>,
}

impl Sent {
    fn exchange(&self, number: u64) -> Exchange<'_> {
        let time = Timestamp::from_nanos(START + self.at * 1_000_000);
        let at = PacketRef { at: time, ..PacketRef::default() };
        let end = ([127, 0, 0, 1], 1).into();
        let is_event = self.status == Outcome::Sent;
        let kind = if is_event { ExchangeKind::Event } else { ExchangeKind::Request };
        let connection = ConnectionId { number: ConnectionNumber(0), slot: 0 };
        let ends = Endpoints { client: end, server: end };
        Exchange {
            pattern: self.pattern,
            pattern_id: PatternId(self.id),
            request: Some(Span::in_order(at, at, 64)),
            reply: self.latency.map(|_| Span::in_order(at, at, 70)),
            replies: self.latency.is_some().into(),
            latency: Latency { latency: self.latency.map(Nanos::new), ..Latency::default() },
            ..Exchange::empty(ExchangeNumber(number), connection, ends, kind, self.status)
        }
    }
}

impl Harness {
    fn new(columns: u16, rows: u16) -> Self {
        Self {
            capture: CaptureStore::default(),
            sent: Vec::new(),
            status: Status { activity: Activity::Ended, ..Status::default() },
            theme: Theme::new(true, false),
            area: Rect::new(0, 0, columns, rows),
        }
    }

    /// As many services have it: one pattern with much traffic, one that fails, one that is slow.
    fn of_a_service(columns: u16, rows: u16) -> Self {
        let mut stage = Self::new(columns, rows);
        for n in 0..3_000_i64 {
            // Low-discrepancy noise, twice, for a hump.
            let noise = n * 6_180_339_887 % 10_000_000_000 + n * 4_142_135_623 % 10_000_000_000;
            let noise = noise.unsigned_abs() / 20;
            let at = n * 10;
            stage.call(2, Some("sum"), at, Outcome::Ok, Some(1_000_000 + noise / 500));
            if n % 4 == 0 {
                let outcome = if n % 40 == 0 { Outcome::Error } else { Outcome::Ok };
                let slower = if n > 2_000 { 3 } else { 1 };
                stage.call(
                    3,
                    Some(r#"{"cmd":"user.get"}"#),
                    at,
                    outcome,
                    Some(slower * noise / 40),
                );
            }
            if n % 3 == 0 && n < 1_000 {
                stage.call(4, Some("log\u{1b}[2J"), at, Outcome::Sent, None);
            }
        }
        stage.call(3, Some(r#"{"cmd":"user.get"}"#), 22_000, Outcome::Ok, Some(3_141_592_653));
        stage.call(5, Some("never.answered"), 29_000, Outcome::Open, None);
        stage.call(0, None, 1_000, Outcome::Ok, Some(1));
        stage.call(1, Some("user.4711"), 2_000, Outcome::Ok, Some(700_000));
        stage
    }

    fn call(
        &mut self,
        id: u32,
        pattern: Option<&'static str>,
        at: i64,
        status: Outcome,
        latency: Option<u64>,
    ) {
        let sent = Sent { id, pattern, at, status, latency };
        self.capture.take(&EngineEvent::Exchange(&sent.exchange(self.sent.len() as u64 + 1)));
        self.sent.push(sent);
    }

    /// The exchanges that a filter lists.
    fn listed(&self, filter: &str) -> Vec<&Sent> {
        let filter = Filter::parse(filter).unwrap();
        self.sent.iter().filter(|sent| filter.matches(&sent.exchange(1))).collect()
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            capture: &self.capture,
            status: &self.status,
            now: Timestamp::from_nanos(START + 30_000_000_000),
            theme: &self.theme,
            area: self.area,
        }
    }

    fn view(&self) -> Patterns {
        let mut view = Patterns::new();
        view.refresh(&[ExchangeNumber(1)], &self.scene());
        view
    }

    fn drawn(&self, view: &Patterns) -> String {
        let mut buf = Buffer::empty(self.area);
        view.draw(&self.scene(), &mut buf);
        let line = |y| (0..self.area.width).map(|x| buf[(x, y)].symbol()).collect::<String>();
        (0..self.area.height).map(|y| line(y).trim_end().to_owned() + "\n").collect()
    }

    fn act(&self, view: &mut Patterns, actions: &[Action]) -> Vec<Command> {
        let mut commands = Vec::new();
        for &action in actions {
            commands = view.act(action, &self.scene());
            view.refresh(&[], &self.scene());
        }
        commands
    }
}

fn filter(commands: &[Command]) -> &str {
    match commands {
        [Command::ShowCalls(filter)] => filter,
        [Command::Notice(notice)] => panic!("{notice}"),
        _ => panic!("no filter"),
    }
}

use Action as A;

#[test]
fn the_view_at_80_by_24() {
    let stage = Harness::of_a_service(80, 21);
    let mut view = stage.view();
    let table = stage.drawn(&view);
    insta::assert_snapshot!(table);
    stage.act(&mut view, &[A::Down, A::Enter, A::Right]);
    let histogram = stage.drawn(&view);
    insta::assert_snapshot!(histogram);
    stage.act(&mut view, &[A::NextPane, A::NextPane, A::Right]);
    let heat = stage.drawn(&view);
    insta::assert_snapshot!(heat);
}

#[test]
fn the_view_at_120_by_40() {
    let stage = Harness::of_a_service(120, 37);
    let mut view = stage.view();
    stage.act(&mut view, &[A::NextPane, A::Right]);
    let all = stage.drawn(&view);
    insta::assert_snapshot!(all);
}

#[test]
fn the_view_at_200_by_60_in_ascii() {
    let mut stage = Harness::of_a_service(200, 57);
    stage.theme = Theme::new(false, true);
    let mut view = stage.view();
    stage.act(&mut view, &[A::Down, A::PreviousPane, A::Right, A::Up]);
    let all = stage.drawn(&view);
    // The picture of an escape character has no like in ASCII.
    assert!(all.replace('␛', "").is_ascii(), "{all}");
    insta::assert_snapshot!(all);
}

#[test]
fn events_and_lines_without_latency_say_so() {
    let stage = Harness::of_a_service(80, 21);
    let mut view = stage.view();
    let mut all = String::new();
    for pattern in ["log", "never.answered", "(other patterns)"] {
        view.answer(&Question::search(), pattern, &stage.scene());
        stage.act(&mut view, &[A::Enter]);
        all += &stage.drawn(&view);
        stage.act(&mut view, &[A::Back]);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn nothing_panics_however_small() {
    for (columns, rows) in (0..30).flat_map(|n| [(n, n), (n * 5, 3), (200, n), (3, n)]) {
        let stage = Harness::of_a_service(1, 1);
        let stage = Harness { area: Rect::new(0, 0, columns, rows), ..stage };
        for stage in [stage, Harness::new(columns, rows)] {
            let mut view = stage.view();
            stage.drawn(&view);
            for actions in
                [&[A::Enter, A::Right][..], &[A::NextPane, A::Left], &[A::NextPane, A::Up]]
            {
                stage.act(&mut view, actions);
                stage.drawn(&view);
                view.mouse(Mouse::Click(Position::new(columns / 2, rows / 2)), &stage.scene());
            }
        }
    }
}

#[test]
fn lines_are_sorted_by_any_column_both_ways_and_the_selected_stays() {
    let stage = Harness::of_a_service(120, 21);
    let mut view = stage.view();
    let names =
        |view: &Patterns| view.lines.iter().map(|line| line.name().to_owned()).collect::<Vec<_>>();
    let costliest = names(&view);
    assert_eq!(costliest[0], r#"{"cmd":"user.get"}"#);
    stage.act(&mut view, &[A::Down]);
    // Beyond the last column comes the first one.
    stage.act(&mut view, &[A::SortRight]);
    assert!(names(&view).is_sorted() && view.sorted == Some((0, true)));
    assert_eq!(view.line().unwrap().name(), "sum");
    stage.act(&mut view, &[A::SortReverse]);
    assert!(names(&view).iter().rev().is_sorted());
    stage.act(&mut view, &[A::SortLeft]);
    assert_eq!((names(&view), view.sorted), (costliest, Some((TOTAL, false))));
    for _ in 0..2 * COLUMNS.len() {
        stage.act(&mut view, &[A::SortNext]);
        assert_eq!((view.line().unwrap().name(), view.lines.len()), ("sum", 6));
    }
}

#[test]
fn lines_are_counted_a_few_times_a_second() {
    let mut stage = Harness::of_a_service(80, 21);
    stage.status.activity = Activity::Live;
    let mut view = stage.view();
    let calls = |view: &Patterns| view.lines.iter().map(|line| line.number).sum::<u64>();
    let before = calls(&view);
    stage.call(2, Some("sum"), 30_000, Outcome::Ok, Some(1));
    view.refresh(&[ExchangeNumber(1)], &stage.scene());
    assert_eq!(calls(&view), before, "too soon");
    stage.status.running = Duration::from_millis(300);
    view.refresh(&[], &stage.scene());
    assert_eq!(calls(&view), before + 1, "none is forgotten");
    stage.call(2, Some("sum"), 30_000, Outcome::Ok, Some(1));
    stage.status.activity = Activity::Ended;
    view.refresh(&[ExchangeNumber(1)], &stage.scene());
    assert_eq!(calls(&view), before + 2, "at the end at once");
}

#[test]
fn enter_lists_the_calls_of_a_bar() {
    let stage = Harness::of_a_service(80, 21);
    let mut view = stage.view();
    stage.act(&mut view, &[A::Down, A::Enter]);
    assert_eq!(
        filter(&stage.act(&mut view, &[A::Enter])),
        r#"pattern == "sum" && kind == request"#
    );
    stage.act(&mut view, &[A::Top]);
    let first = stage.act(&mut view, &[A::Enter]);
    assert!(filter(&first).starts_with(r#"pattern == "sum" && latency >= "#), "{}", filter(&first));
    view.answer(&Question::search(), "cmd", &stage.scene());
    stage.act(&mut view, &[A::Bottom]);
    assert_eq!(
        filter(&stage.act(&mut view, &[A::Enter])),
        r#"pattern == "{\"cmd\":\"user.get\"}" && latency >= 2.5s && latency < 3.15s"#
    );
    let listed = stage.listed(filter(&stage.act(&mut view, &[A::Enter])));
    assert_eq!(listed.len(), 1, "the single call that took so long");
    assert_eq!(listed[0].latency, Some(3_141_592_653));
}

#[test]
fn every_bar_and_every_cell_lists_as_many_calls_as_it_counts() {
    let stage = Harness::of_a_service(120, 37);
    let mut view = stage.view();
    let chosen = |view: &Patterns| {
        let chosen = view.chosen(&stage.scene()).unwrap();
        stage.listed(&chosen.filter().unwrap()).len() as u64
    };
    let told = |view: &Patterns, line: usize| -> u64 {
        let screen = stage.drawn(view);
        let text = screen.lines().nth(line).unwrap().trim();
        let words: Vec<_> = text.split_whitespace().collect();
        let at = words.iter().position(|word| word.starts_with("call")).unwrap();
        words[at - 1].replace(',', "").parse().unwrap()
    };
    stage.act(&mut view, &[A::NextPane, A::Top]);
    let last_of_upper = 37 * 2 / 5 + (37 - 37 * 2 / 5 - 1) / 2;
    let mut all = 0;
    for _ in 0..100 {
        assert_eq!(chosen(&view), told(&view, last_of_upper));
        all += chosen(&view);
        let before = view.choice;
        stage.act(&mut view, &[A::Right]);
        if format!("{before:?}") == format!("{:?}", view.choice) {
            break;
        }
    }
    assert_eq!(all, 751, "all calls of the pattern are in a bar");
    stage.act(&mut view, &[A::PreviousPane, A::PreviousPane, A::Top]);
    assert_eq!(view.focus, Some(Chart::Heat));
    for action in [A::Down, A::Right, A::Up, A::Right, A::Up, A::Right, A::Right, A::Down] {
        stage.act(&mut view, &[action; 3]);
        assert_eq!(chosen(&view), told(&view, 36), "{action:?}");
    }
}

#[test]
fn keys_lead_in_and_out() {
    let small = Harness::of_a_service(80, 21);
    let mut view = small.view();
    assert_eq!(view.context(), Context::Patterns);
    small.act(&mut view, &[A::NextPane]);
    assert_eq!(view.context(), Context::Patterns, "no chart is shown yet");
    small.act(&mut view, &[A::Enter]);
    assert_eq!((view.context(), view.zoomed), (Context::Pattern, true));
    small.act(&mut view, &[A::PreviousPane]);
    assert_eq!(view.focus, Some(Chart::Heat), "round and round");
    assert!(small.act(&mut view, &[A::Back]).is_empty());
    assert_eq!((view.context(), view.zoomed), (Context::Patterns, false));
    assert!(matches!(small.act(&mut view, &[A::Back])[..], [Command::Close]));

    let large = Harness::of_a_service(120, 37);
    let mut view = large.view();
    large.act(&mut view, &[A::NextPane, A::NextPane, A::NextPane, A::NextPane]);
    assert_eq!(view.focus, None, "the table is one of the panes");
    large.act(&mut view, &[A::Zoom]);
    assert_eq!((view.focus, view.zoomed), (Some(Chart::Histogram), true));
    large.act(&mut view, &[A::NextCall, A::Zoom]);
    assert_eq!((view.line().unwrap().name(), view.zoomed), ("sum", false));
}

#[test]
fn the_mouse_does_what_keys_do() {
    let stage = Harness::of_a_service(120, 37);
    let mut view = stage.view();
    let scene = stage.scene();
    view.mouse(Mouse::Click(Position::new(3, 2)), &scene);
    assert_eq!(view.line().unwrap().name(), "sum");
    view.mouse(Mouse::Click(Position::new(2, 0)), &scene);
    assert_eq!(view.sorted, Some((0, true)));
    // The middle of the histogram, then of the heat map.
    view.mouse(Mouse::Click(Position::new(20, 20)), &scene);
    assert_eq!(view.focus, Some(Chart::Histogram));
    let commands = view.mouse(Mouse::DoubleClick(Position::new(20, 32)), &scene);
    assert!(filter(&commands).contains("time >= 2026-11-22T03:52:"), "{}", filter(&commands));
}

#[test]
fn what_cannot_be_filtered_says_why() {
    let stage = Harness::of_a_service(80, 21);
    let mut view = stage.view();
    view.answer(&Question::search(), "other", &stage.scene());
    let commands = stage.act(&mut view, &[A::Enter, A::Enter]);
    assert!(matches!(&commands[..], [Command::Notice(why)] if why.contains("the first 1,000")));
}
