//! Keys in, screen out: the calls view within the whole screen, over real captures.

use std::cell::RefCell;

use jiff::tz::TimeZone;
use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

use super::*;
use crate::engine::{Config, Engine};
use crate::exchange::{ExchangeKind, ExchangeNumber, Status as Outcome};
use crate::packet::PacketNumber;
use crate::source::file::CaptureFile;
use crate::source::{Next, Stop};
use crate::store::{CaptureStore, Kept};
use crate::time::{Nanos, Timestamp};
use crate::tui::app::{App, Present};
use crate::tui::status::{Activity, Status};
use crate::tui::theme::Theme;
use crate::tui::view::Rows;
use crate::tui::views::call::Call;

/// The packets of a capture, and the engine and the store that take them.
struct Feed {
    capture: CaptureStore,
    engine: Engine,
    packets: Vec<(Timestamp, crate::packet::LinkType, Vec<u8>)>,
    next: usize,
    now: Timestamp,
}

impl Feed {
    fn new(names: &[&str]) -> Self {
        let mut packets = Vec::new();
        for name in names {
            let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
            let mut file = CaptureFile::open(&path, Stop::default()).unwrap();
            while let Next::Packet(packet) = file.next().unwrap() {
                packets.push((packet.at, packet.link, packet.data.to_vec()));
            }
        }
        let engine =
            Engine::new(Config { keep_payloads: true, tell_progress: true, ..Config::default() });
        Self {
            capture: CaptureStore::default(),
            engine,
            packets,
            next: 0,
            now: Timestamp::default(),
        }
    }

    /// Takes in some packets more, and the end of the capture behind the last.
    fn take(&mut self, packets: usize) {
        let Self { capture, engine, packets: all, next, now } = self;
        for (at, link, data) in all.iter().skip(*next).take(packets) {
            *next += 1;
            *now = *at;
            let packet = crate::packet::Packet {
                number: PacketNumber(*next as u64),
                at: *at,
                link: *link,
                point: Default::default(),
                data,
                original_len: u32::try_from(data.len()).unwrap(),
            };
            capture.packet(&packet, Kept::Memory);
            engine.push(&packet, &mut |update| capture.take(&update));
        }
        if *next == all.len() {
            engine.finish(&mut |update| capture.take(&update));
        }
    }
}

/// The screen over a capture.
struct Harness {
    app: App,
    feed: Feed,
    status: Status,
    size: (u16, u16),
    opened: Rc<RefCell<Vec<u64>>>,
    effects: Vec<Effect>,
}

impl Harness {
    /// Everything of these captures was read.
    fn over(names: &[&str], columns: u16, rows: u16) -> Self {
        let mut bench = Self::before(names, columns, rows);
        bench.feed.take(usize::MAX);
        bench.refresh();
        bench
    }

    /// Nothing of them was read yet.
    fn before(names: &[&str], columns: u16, rows: u16) -> Self {
        Self::themed(names, (columns, rows), Theme::new(false, false))
    }

    fn themed(names: &[&str], size: (u16, u16), theme: Theme) -> Self {
        let spawn: Spawn = Rc::new(|job| job());
        let calls = Calls::new(TimeZone::UTC, spawn);
        let opened = Rc::<RefCell<Vec<u64>>>::default();
        let opens = Rc::clone(&opened);
        let mut app = App::new(theme, vec![Box::new(calls)]).with_call(move |number| {
            opens.borrow_mut().push(number.0);
            Box::new(Call::new(number, TimeZone::UTC))
        });
        app.resize(size.0, size.1);
        let status = Status {
            source: names.first().copied().unwrap_or("lo").to_owned(),
            activity: Activity::Ended,
            ..Status::default()
        };
        let feed = Feed::new(names);
        let mut bench = Self { app, feed, status, size, opened, effects: Vec::new() };
        bench.refresh();
        bench
    }

    fn with<R>(&mut self, take: impl FnOnce(&mut App, Present<'_>) -> R) -> R {
        let present = Present {
            capture: &self.feed.capture,
            status: &self.status,
            now: self.feed.now,
            clock: Duration::ZERO,
        };
        take(&mut self.app, present)
    }

    fn refresh(&mut self) {
        self.status.running += Duration::from_millis(300);
        let changed = self.feed.capture.changed();
        self.with(|app, present| app.refresh(&changed, present));
    }

    /// Types keys one after the other, each seen by the screen: letters, and names in `<>`.
    fn keys(&mut self, keys: &str) {
        let mut rest = keys;
        while let Some(c) = rest.chars().next() {
            let (event, tail) = match rest.strip_prefix('<').and_then(|r| r.split_once('>')) {
                Some((name, tail)) if !name.is_empty() => (named(name), tail),
                _ => {
                    let event = KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
                    (event, &rest[c.len_utf8()..])
                }
            };
            rest = tail;
            let effects = self.with(|app, present| app.key(event, present));
            self.effects.extend(effects);
            self.refresh();
        }
    }

    fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) {
        let event = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
        let effects = self.with(|app, present| app.mouse(event, present));
        self.effects.extend(effects);
        self.refresh();
    }

    fn click(&mut self, column: u16, row: u16) {
        self.mouse(MouseEventKind::Down(MouseButton::Left), column, row);
    }

    fn buffer(&mut self) -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, self.size.0, self.size.1));
        self.with(|app, present| app.draw(present, &mut buf));
        buf
    }

    fn lines(&mut self) -> Vec<String> {
        let buf = self.buffer();
        let line = |y| {
            let mut text = String::new();
            let mut x = 0;
            while x < buf.area.width {
                let symbol = buf[(x, y)].symbol();
                text.push_str(symbol);
                // A wide character fills two cells, of which the second is none of the text.
                x += u16::try_from(unicode_width::UnicodeWidthStr::width(symbol)).unwrap().max(1);
            }
            text.trim_end().to_owned()
        };
        (0..buf.area.height).map(line).collect()
    }

    fn screen(&mut self) -> String {
        self.lines().join("\n")
    }

    /// The line that tells what is shown.
    fn state(&mut self) -> String {
        let lines = self.lines();
        lines[lines.len() - 2].clone()
    }

    fn footer(&mut self) -> String {
        self.lines().pop().unwrap()
    }

    /// The numbers in sight.
    fn numbers(&mut self) -> Vec<u64> {
        let lines = self.lines();
        let rows = &lines[4..lines.len() - 2];
        rows.iter().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
    }

    /// The number in the row that is shown as the selected one.
    fn selected(&mut self) -> u64 {
        use ratatui::style::Modifier;
        let buf = self.buffer();
        let rows = 4..buf.area.height - 2;
        let y = rows.clone().find(|&y| buf[(2, y)].modifier.contains(Modifier::REVERSED)).unwrap();
        self.lines()[usize::from(y)].split_whitespace().next().unwrap().parse().unwrap()
    }
}

fn named(name: &str) -> KeyEvent {
    let code = match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Down" => KeyCode::Down,
        "Up" => KeyCode::Up,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "Space" => KeyCode::Char(' '),
        chord => {
            let key = chord.strip_prefix('^').unwrap().chars().next().unwrap();
            return KeyEvent::new(KeyCode::Char(key.to_ascii_lowercase()), KeyModifiers::CONTROL);
        }
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}

#[test]
fn screens_of_several_sizes() {
    for (columns, rows) in [(80, 24), (120, 40), (200, 60)] {
        let mut bench = Harness::over(&["basic-v11.pcap"], columns, rows);
        insta::assert_snapshot!(format!("basic_{columns}x{rows}"), bench.screen());
    }
}

#[test]
fn screens_of_trouble() {
    let mut bench = Harness::over(&["raw-v11.pcap"], 120, 40);
    insta::assert_snapshot!("raw_120x40", bench.screen());
    let mut bench = Harness::themed(&["concurrent-v11.pcap"], (100, 24), Theme::new(false, true));
    bench.feed.take(usize::MAX);
    bench.refresh();
    bench.keys("ssssT/latency >= 10ms<Enter>");
    insta::assert_snapshot!("concurrent_ascii_100x24", bench.screen());
}

#[test]
fn the_newest_is_followed_until_the_user_moves() {
    let mut bench = Harness::before(&["basic-v11.pcap"], 80, 24);
    bench.feed.take(100);
    bench.refresh();
    let newest = bench.selected();
    assert!(bench.state().contains("following"), "{}", bench.state());
    bench.feed.take(20);
    bench.refresh();
    assert!(bench.selected() > newest, "it goes on with what comes");
    bench.keys("k");
    let held = bench.selected();
    let sight = bench.numbers();
    bench.feed.take(60);
    bench.refresh();
    assert_eq!((bench.selected(), bench.numbers()), (held, sight), "and holds still");
    assert!(!bench.state().contains("following"));
    bench.keys("F");
    assert!(bench.selected() > held);
}

#[test]
fn a_call_that_waits_shows_its_age() {
    let mut bench = Harness::before(&["concurrent-v11.pcap"], 120, 24);
    // All 300 calls are under way.
    bench.feed.take(10);
    bench.feed.now = bench.feed.now.saturating_add(Nanos::from_secs(3));
    bench.refresh();
    let line = bench.lines()[5].clone();
    assert!(line.contains("3.0") && line.contains("s ") && line.contains("open"), "{line}");
}

#[test]
fn a_filter_shows_what_it_lets_through_and_esc_clears_it() {
    let mut bench = Harness::over(&["basic-v11.pcap"], 120, 40);
    let all = bench.state();
    bench.keys("/status == error<Enter>");
    let state = bench.state();
    assert!(state.contains(" shown"), "{state}");
    assert!(state.ends_with("filter status == error"), "{state}");
    let lines = bench.lines();
    let rows: Vec<_> = lines[4..lines.len() - 2].iter().filter(|line| !line.is_empty()).collect();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.contains("error")), "{rows:#?}");
    bench.keys("<Esc>");
    assert_eq!(bench.state(), all);
}

#[test]
fn a_filter_that_lets_nothing_through_says_so() {
    let mut bench = Harness::over(&["basic-v11.pcap"], 80, 24);
    bench.keys("/status == orphan<Enter>");
    insta::assert_snapshot!("no_match_80x24", bench.screen());
    bench.keys("jkGg<Space><Enter>ny");
    assert_eq!(*bench.opened.borrow(), [0_u64; 0], "there is nothing to open");
}

#[test]
fn a_filter_from_another_view_is_as_if_typed() {
    let bench = Harness::over(&["basic-v11.pcap"], 80, 24);
    let view = Calls::new(TimeZone::UTC, Rc::new(|job| job()));
    let mut view = view.with_filter("status == error").unwrap();
    let theme = Theme::new(false, false);
    let scene = Scene {
        capture: &bench.feed.capture,
        status: &bench.status,
        now: bench.feed.now,
        theme: &theme,
        area: Rect::new(0, 0, 80, 24),
    };
    view.refresh(&[], &scene);
    assert_eq!(view.listing.len(), 11, "the filter of the command line");
    let commands =
        view.answer(&Question::filter(Rows::Calls, "latency > 10ms"), "latency > 10ms", &scene);
    assert!(commands.is_empty());
    assert_eq!(view.filter, "latency > 10ms");
    let mut commands =
        view.answer(&Question::filter(Rows::Calls, "latency >"), "latency >", &scene);
    assert!(matches!(commands.pop(), Some(Command::Notice(text)) if !text.is_empty()));
    assert_eq!(view.filter, "latency > 10ms", "the last good filter stays");
}

#[test]
fn sorting_keeps_the_selected_call() {
    let mut bench = Harness::over(&["concurrent-v11.pcap"], 120, 40);
    bench.keys("40G");
    assert_eq!(bench.selected(), 40);
    // number, time, kind, pattern, latency.
    bench.keys("ssss");
    assert!(bench.state().contains("sorted by latency ▼"), "{}", bench.state());
    assert_eq!(bench.selected(), 40);
    bench.keys("<Home>");
    let slowest = bench.selected();
    bench.keys("S");
    assert!(bench.state().contains("sorted by latency ▲"), "{}", bench.state());
    assert_eq!(bench.selected(), slowest);
    bench.keys("<End>");
    let archive = bench.feed.capture.archive();
    let latency = |number| archive.row(number).unwrap().latency;
    let most = archive.rows(ExchangeNumber(1)).filter_map(|row| row.latency).max();
    assert_eq!(latency(ExchangeNumber(slowest)), most);
    bench.keys("<<");
    assert!(bench.state().contains("sorted by kind"), "{}", bench.state());
    bench.keys("F");
    assert!(!bench.state().contains("sorted"), "the newest is last only by number");
    assert_eq!(bench.selected(), archive_end(&bench) - 1);
}

fn archive_end(bench: &Harness) -> u64 {
    bench.feed.capture.archive().numbers().end.0
}

#[test]
fn a_column_is_sorted_by_a_click_and_turned_round_by_a_second() {
    let mut bench = Harness::over(&["concurrent-v11.pcap"], 120, 40);
    let titles = bench.lines()[3].clone();
    let column = titles[..titles.find("latency").unwrap()].chars().count();
    let x = u16::try_from(column).unwrap() + 1;
    bench.click(x, 3);
    assert!(bench.state().contains("latency ▼"), "{}", bench.state());
    bench.click(x, 3);
    assert!(bench.state().contains("latency ▲"), "{}", bench.state());
}

#[test]
fn a_click_selects_and_a_double_click_opens() {
    let mut bench = Harness::over(&["basic-v11.pcap"], 80, 24);
    let numbers = bench.numbers();
    bench.click(10, 6);
    assert_eq!(bench.selected(), numbers[2]);
    bench.click(10, 8);
    bench.click(10, 8);
    assert_eq!(*bench.opened.borrow(), [numbers[4]]);
    bench.keys("<Esc>");
    assert_eq!(bench.selected(), numbers[4]);
    bench.mouse(MouseEventKind::ScrollUp, 10, 8);
    assert_eq!(bench.numbers()[0], numbers[0] - 3);
}

#[test]
fn a_number_leads_to_its_call() {
    let mut bench = Harness::over(&["basic-v11.pcap"], 80, 24);
    bench.keys("12G<Enter>");
    assert_eq!(*bench.opened.borrow(), [12]);
    bench.keys("<Esc>:9999<Enter>");
    assert!(bench.footer().contains("There is no exchange 9,999 yet"), "{}", bench.footer());
    bench.keys("/status == error<Enter>:12<Enter>");
    assert!(bench.footer().contains("Exchange 12 is hidden by the filter"), "{}", bench.footer());
}

#[test]
fn marked_calls_are_saved_or_else_all_that_are_shown() {
    let mut bench = Harness::over(&["basic-v11.pcap"], 80, 24);
    bench.keys("12G<Space><Space>20G<Space>w");
    assert!(bench.footer().contains("Save the 3 calls marked"), "{}", bench.footer());
    bench.keys("<Enter>");
    let path = "nestscope-calls.pcapng".to_owned();
    let expected = Effect::save(path.clone(), [12, 13, 20].map(ExchangeNumber).to_vec());
    assert_eq!(bench.effects.pop(), Some(expected));
    assert!(bench.state().contains("3 marked"), "{}", bench.state());
    // None is marked any more, so all that are shown are meant, in whatever order they are shown.
    bench.keys("<^A>/status == error<Enter>ssssw<Enter>");
    let archive = bench.feed.capture.archive();
    let errors = archive.rows(ExchangeNumber(1)).filter(|row| row.status == Outcome::Error);
    let numbers = errors.map(|row| row.number).collect();
    assert_eq!(bench.effects.pop(), Some(Effect::save(path, numbers)));
}

#[test]
fn columns_are_chosen_in_a_list() {
    let mut bench = Harness::over(&["basic-v11.pcap"], 120, 24);
    assert!(bench.lines()[3].contains("status"));
    bench.keys("C");
    insta::assert_snapshot!("columns_120x24", bench.screen());
    bench.keys("jjjjjj<Space><Enter>");
    assert!(!bench.lines()[3].contains("status"), "{}", bench.lines()[3]);
}

#[test]
fn a_search_keeps_the_rows_and_goes_round() {
    let mut bench = Harness::over(&["basic-v11.pcap"], 120, 40);
    let all = bench.state();
    bench.keys("<Home><^S>ERROR<Enter>");
    assert!(bench.footer().contains("Not found: ERROR"), "capitals count: {}", bench.footer());
    bench.keys("<Esc><^S>error<Enter>");
    let archive = bench.feed.capture.archive().clone();
    let holds = |number| {
        let row = archive.row(number).unwrap();
        let pattern = archive.pattern(row.pattern).unwrap_or_default().to_ascii_lowercase();
        let is_said = archive.exchange(number, |exchange| {
            let texts = exchange.data.into_iter().chain(exchange.responses.iter());
            texts
                .chain(exchange.error)
                .any(|it| String::from_utf8_lossy(it).to_ascii_lowercase().contains("error"))
        });
        row.status == Outcome::Error || pattern.contains("error") || is_said.unwrap()
    };
    let numbers = archive.rows(ExchangeNumber(1)).map(|row| row.number);
    let expected: Vec<_> = numbers.filter(|n| holds(*n)).map(|number| number.0).collect();
    let mut met = Vec::new();
    for _ in &expected {
        met.push(bench.selected());
        bench.keys("n");
    }
    assert_eq!(met, expected, "n goes to the next");
    assert_eq!(bench.selected(), expected[0], "and round");
    bench.keys("N");
    assert_eq!(Some(&bench.selected()), expected.last());
    bench.keys("<Esc>");
    assert!(bench.state().starts_with(all.split(" · ").next().unwrap()), "all rows stay");
    // What a client asked for and a server answered, as the rows show it.
    bench.keys("<^S>boom<Enter>");
    assert_eq!(bench.selected(), 47);
    bench.keys("<Esc><^S>9007199254740992<Enter>");
    assert_eq!(bench.selected(), 28);
    bench.keys("<Esc><^S>kind == event<Enter>");
    assert_eq!(archive.row(ExchangeNumber(bench.selected())).unwrap().kind, ExchangeKind::Event);
}

#[test]
fn what_is_copied_is_what_was_sent() {
    let mut bench = Harness::over(&["walkthrough.pcap"], 120, 24);
    let mut copy = |keys: &str| {
        bench.keys(keys);
        match bench.effects.pop() {
            // Nobody sees into the clipboard, so the footer says what is in it.
            Some(Effect::Copy(text)) => (text, bench.footer()),
            other => panic!("{keys}: {other:?}, {}", bench.footer()),
        }
    };
    let (payload, said) = copy("<Home>jyp");
    assert_eq!(payload, "[1,2,3]");
    assert_eq!(said, "Copied 7 B: [1,2,3]");
    assert_eq!(copy("yr").0, "6");
    assert!(copy("yi").0.starts_with('"'));
    assert!(copy("yn").0.contains("| nc "));
    assert!(copy("yt").0.contains(r#"client.send("sum", [1,2,3])"#));
    bench.keys("<Home>yi");
    assert!(bench.footer().contains("no id"), "{}", bench.footer());
}

#[test]
fn what_was_cleared_is_not_counted_and_not_missed() {
    let mut bench = Harness::before(&["basic-v11.pcap"], 80, 24);
    bench.status.activity = Activity::Live;
    bench.feed.take(60);
    bench.refresh();
    bench.feed.capture.clear();
    bench.refresh();
    let screen = bench.screen();
    assert!(screen.contains("\n0 packets  0 calls"), "{screen}");
    assert!(screen.contains("Cleared: no packet came since."), "{screen}");
    bench.feed.take(20);
    bench.refresh();
    assert!(bench.screen().contains("\n20 packets"), "{}", bench.screen());
}

#[test]
fn before_anything_comes_the_screen_says_where_it_listens() {
    let mut bench = Harness::before(&[], 80, 24);
    bench.status.activity = Activity::Live;
    bench.status.filter = "tcp port 8888".to_owned();
    bench.status.running = Duration::from_secs(12);
    bench.with(|app, present| app.refresh(&[], present));
    insta::assert_snapshot!("listening_80x24", bench.screen());
    let mut bench = Harness::over(&["refused.pcap"], 80, 24);
    insta::assert_snapshot!("refused_80x24", bench.screen());
}

#[test]
fn a_search_through_many_rows_does_not_block() {
    let mut bench = Harness::over(&["concurrent-v11.pcap"], 80, 24);
    let archive = bench.feed.capture.archive().clone();
    let mut listing = Listing::new(Rc::new(|job| job()));
    listing.refresh(&archive, &[]);
    let sought = Sought { text: "nowhere".to_owned(), condition: None };
    let mut hunt = Hunt::new(sought, None, true, listing.len());
    assert_eq!(hunt.step(&listing, &archive), Step::Nowhere);
    assert_eq!(hunt.looked_at(), listing.len(), "each row once");
    bench.refresh();
}

#[test]
fn brackets_in_a_call_go_along_the_list() {
    let mut bench = Harness::over(&["basic-v11.pcap"], 120, 40);
    bench.keys("/status == error<Enter>");
    bench.keys("g<Enter>");
    let errors: Vec<u64> = bench
        .feed
        .capture
        .archive()
        .rows(ExchangeNumber(1))
        .filter(|row| row.status == Outcome::Error)
        .map(|row| row.number.0)
        .collect();
    let title = |number: u64| format!("Call {number}");
    assert!(bench.screen().contains(&title(errors[0])));
    bench.keys("]");
    assert!(bench.screen().contains(&title(errors[1])), "{}", bench.screen());
    bench.keys("]");
    bench.keys("[");
    assert!(bench.screen().contains(&title(errors[1])));
}

#[test]
fn where_no_server_says_anything_the_screen_says_what_that_may_mean() {
    const FLAGS: usize = 14 + 20 + 13;
    let mut bench = Harness::before(&["refused.pcap"], 80, 24);
    // Only what the client asks: nobody knows whether somebody answers.
    bench.feed.packets.retain(|(_, _, data)| data[FLAGS] == 0x02);
    let (at, link, data) = bench.feed.packets[0].clone();
    let later = Timestamp::from_nanos(at.as_nanos() + 1_500_000_000);
    bench.feed.packets.push((later, link, data));
    bench.feed.take(usize::MAX);
    bench.feed.capture.counted(&bench.feed.engine.counts(), None, 0);
    bench.refresh();
    let screen = bench.screen();
    assert!(screen.contains("to connect, and no packet of a server:"), "{screen}");
    assert!(!screen.contains("-p"), "{screen}");
}
