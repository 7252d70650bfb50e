//! Random keys over random traffic: nothing that comes from the wire, from the keyboard, the mouse
//! or the size of the terminal makes the screen panic, lets through what acts on a terminal, or
//! takes more memory than it may.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use jiff::tz::TimeZone;
use proptest::collection::vec;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::engine::{Config, Engine};
use crate::exchange::ExchangeNumber;
use crate::export::{Form, save};
use crate::names::Names;
use crate::packet::{LinkType, Packet, PacketNumber};
use crate::report::is_acting;
use crate::source::interfaces::{Connection, Interface};
use crate::store::{CaptureStore, Kept};
use crate::time::Timestamp;
use crate::tui::app::{App, Present};
use crate::tui::status::{Activity, Status};
use crate::tui::terminal::clipboard;
use crate::tui::theme::Theme;
use crate::tui::view::{Effect, Traffic, View};
use crate::tui::views::start::{CaptureFile, Start};
use crate::tui::views::{app, of_capture};

/// What somebody does to the screen.
#[derive(Clone, Debug)]
enum Step {
    /// One side of a connection says something: `burst` times with ids that go on.
    Say {
        connection: u8,
        server: bool,
        what: What,
        id: u8,
        burst: u16,
        pieces: u8,
    },
    /// A packet that is no segment of the talk.
    Other(Vec<u8>),
    /// The clock of the capture jumps by so many nanoseconds.
    Clock(i64),
    /// The connection loses bytes, or begins anew.
    Lose(u8),
    Flags {
        connection: u8,
        server: bool,
        flags: u8,
    },
    /// Attempts to connect, with this answer, if any.
    Attempt {
        port: u8,
        answer: u8,
        times: u16,
    },
    Keys(Vec<KeyEvent>),
    Type(&'static str),
    Mouse(MouseEventKind, u16, u16),
    Paste(usize),
    Size(u16, u16),
    /// A job of a view gets done.
    Job,
    Finish,
}

/// What is said.
#[derive(Clone, Debug)]
enum What {
    /// A request, an event or a reply, with these of [`VALUES`].
    Message {
        kind: u8,
        pattern: usize,
        value: usize,
        last: bool,
    },
    /// The same with a value made large.
    Large {
        kind: u8,
        shape: u8,
        size: u32,
    },
    /// A frame that says it is longer than it is.
    Unended(u32),
    Garbage(Vec<u8>),
}

/// JSON as nobody sends it.
const VALUES: &[&str] = &[
    "\"sum\"",
    "\"\\u001b]52;c;aGk=\\u0007\\u001b[2J\"",
    "\"\u{202e}evil\u{2066}\u{200b}\u{feff}\"",
    "\"a\\\" || err == \\\"x\"",
    "\"\\\\\\\" or status == error\"",
    "\"line\\nbreak\\r\\t\\u0000\\u009b31m\"",
    "\"\u{9b}31m\u{85}\u{2028}\"",
    "\"\\ud800 lone \\udfff\"",
    "\"e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\"",
    "\"👩‍👩‍👧‍👦🏳️‍🌈❤️🇩🇪👍🏽\"",
    "\"日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語\"",
    "\"\u{ff9e}\u{1160}\u{0e33}\u{0e33}ก\u{0e33}\u{200d}\u{fe0f}\u{fe0f}\"",
    "{\"a\":1,\"a\":2,\"\":3,\"\\u0061\":4}",
    "{\"cmd\":\"\\u001b[H\",\"b\":[{},[],\"\"]}",
    "[1,-0,1e999,123456789012345678901234567890,0.1e-400,true,null]",
    "null",
    "\"\"",
    "\"'; touch /tmp/owned; $(id) `id` '\"",
    "{\"__proto__\":{\"constructor\":\"${alert(1)}\"}}",
    "18446744073709551616",
    "{\"status\":\"error\",\"message\":\"\\u001b[31mno\\u202e\",\"stack\":\"a\\n at b\\n at c\"}",
    "\"{\\\"b\\\":1,\\\"a\\\":\\\"\u{202e}\\\"}\"",
];

/// Lines that are typed whole, so that filters and numbers are reached at all.
const LINES: &[&str] = &[
    "f.*<Esc>",
    "/data.a == 1\n",
    "/pattern ~ \"(a+)+$\"\n",
    "/latency > 1ms or not status == ok\n",
    "/((((((((((((id\n",
    "/\u{1b}[2J\u{202e}日本\u{301}\n",
    ":18446744073709551615\n",
    ":0\n",
    ":w /x.jsonl\n",
    ":o \u{1b}]0;x\u{7}\n",
    "w\u{1b}[31m\u{202e}.pcapng\n",
    "99999999999999999999999999G",
    "4G",
    "5sSG/failed > 0\n",
    "1/kind == connect\n\n",
    "yn",
    "yp",
    "yr",
    "yi",
    "yt",
    "Cy\n",
    ":clear\ny",
    "?",
];

/// What a view has done elsewhere: here, some keys later.
type Job = Box<dyn FnOnce() + Send>;

/// The whole program but its threads and its terminal.
struct Fuzz {
    app: App,
    capture: CaptureStore,
    engine: Engine,
    status: Status,
    taken: u64,
    at: i64,
    clock: Duration,
    size: (u16, u16),
    jobs: Rc<RefCell<VecDeque<Job>>>,
    /// The sequence numbers of each connection, of both sides.
    seqs: [[u32; 2]; 4],
    ids: u64,
}

impl Fuzz {
    fn new() -> Self {
        let jobs = Rc::<RefCell<VecDeque<Job>>>::default();
        let queue = Rc::clone(&jobs);
        let spawn = Rc::new(move |job| queue.borrow_mut().push_back(job));
        let mut app = app(Theme::new(true, false), TimeZone::UTC);
        app.show(of_capture(TimeZone::UTC, spawn, "", true, Names::default()).unwrap());
        let mut fuzz = Self {
            app,
            capture: CaptureStore::new(1),
            engine: Engine::new(Config { tell_progress: true, ..Config::default() }),
            status: Status {
                source: "\u{1b}]0;own\u{7}\u{202e}lo".to_owned(),
                filter: "日本\u{9b}".to_owned(),
                activity: Activity::Live,
                ..Status::default()
            },
            taken: 0,
            at: 1_795_000_000_000_000_000,
            clock: Duration::ZERO,
            size: (100, 30),
            jobs,
            seqs: [[1_000, 2_000]; 4],
            ids: 0,
        };
        // The beginning of the last connection was missed.
        for connection in 0..3 {
            fuzz.segment(connection, false, SYN, b"");
            fuzz.segment(connection, true, SYN | ACK, b"");
        }
        fuzz
    }

    fn with<R>(&mut self, take: impl FnOnce(&mut App, Present<'_>) -> R) -> R {
        let present = Present {
            capture: &self.capture,
            status: &self.status,
            now: Timestamp::from_nanos(self.at),
            clock: self.clock,
        };
        take(&mut self.app, present)
    }

    fn push(&mut self, data: &[u8], cut: u32) {
        if self.status.activity == Activity::Ended {
            return;
        }
        self.taken += 1;
        let packet = Packet {
            number: PacketNumber(self.taken),
            at: Timestamp::from_nanos(self.at),
            link: LinkType::ETHERNET,
            point: Default::default(),
            data,
            original_len: u32::try_from(data.len()).unwrap().saturating_add(cut),
        };
        let Self { capture, engine, .. } = self;
        capture.packet(&packet, Kept::Memory);
        engine.push(&packet, &mut |update| capture.take(&update));
    }

    fn segment(&mut self, connection: u8, server: bool, flags: u8, payload: &[u8]) {
        let seqs = &mut self.seqs[usize::from(connection % 4)];
        let (seq, ack) = (seqs[usize::from(server)], seqs[usize::from(!server)]);
        let grows = u32::try_from(payload.len()).unwrap() + u32::from(flags & 3 != 0);
        seqs[usize::from(server)] = seq.wrapping_add(grows);
        let port = 40_000 + u16::from(connection % 4);
        let client = ([10, 0, 0, connection % 4], port);
        let (from, to) = if server { (SERVICE, client) } else { (client, SERVICE) };
        let data = segment((from, to), (seq, ack), flags, payload);
        self.push(&data, u32::from(flags >> 6));
    }

    /// Tries to connect: what answers is a RST, a SYN-ACK and a RST, a router, or nobody.
    fn attempt(&mut self, port: u8, answer: u8) {
        let client = ([10, 0, 2, answer % 4], 50_000 + u16::from(port));
        let service = ([10, 0, 1, 2], 3_000 + u16::from(port % 8));
        let syn = segment((client, service), (7, 0), SYN, b"");
        self.push(&syn, 0);
        self.at = self.at.saturating_add(700_000);
        match answer % 5 {
            0 => self.push(&segment((service, client), (0, 8), RST | ACK, b""), 0),
            1 => {
                self.push(&segment((service, client), (9, 8), SYN | ACK, b""), 0);
                self.push(&segment((service, client), (10, 8), RST, b""), 0);
            }
            2 => self.push(&unreachable(&syn, port % 16), 0),
            3 => self.at = self.at.saturating_add(3_000_000_000),
            _ => {}
        }
    }

    fn say(&mut self, connection: u8, server: bool, what: &What, id: u8, pieces: u8) {
        // Some ids are used twice, some are as odd as the rest.
        let id = match id % 8 {
            0 => "7".to_owned(),
            1 => VALUES[usize::from(id) % VALUES.len()].to_owned(),
            2 => format!("\"{}\"", "i".repeat(usize::from(id) * 40)),
            _ => format!("\"id{}\"", self.ids),
        };
        let bytes = match what {
            What::Message { kind, pattern, value, last } => {
                frame(&message(*kind, VALUES[*pattern], VALUES[*value], &id, *last))
            }
            What::Large { kind, shape, size } => {
                frame(&message(*kind, "\"large\"", &large(*shape, *size as usize), &id, true))
            }
            What::Unended(len) => format!("{len}#{{\"pattern\":\"never").into_bytes(),
            What::Garbage(bytes) => bytes.clone(),
        };
        let most = if pieces == 0 { 60_000 } else { bytes.len() / usize::from(pieces) + 1 };
        for piece in bytes.chunks(most.clamp(1, 60_000)) {
            self.segment(connection, server, ACK, piece);
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Say { connection, server, what, id, burst, pieces } => {
                for _ in 0..=*burst {
                    self.ids += 1;
                    self.at = self.at.saturating_add(1_000);
                    self.say(*connection, *server, what, *id, *pieces);
                    // The answer, now and then, so that calls end.
                    if id % 3 == 0 {
                        self.say(*connection, !*server, what, *id, *pieces);
                    }
                }
            }
            Step::Other(bytes) => self.push(bytes, u32::MAX),
            Step::Clock(by) => self.at = self.at.saturating_add(*by),
            Step::Lose(connection) => {
                let seqs = &mut self.seqs[usize::from(connection % 4)];
                seqs[usize::from(connection & 4 != 0)] =
                    seqs[0].wrapping_add(u32::from(*connection) * 10_000_000);
            }
            Step::Flags { connection, server, flags } => {
                self.segment(*connection, *server, *flags, b"");
            }
            Step::Attempt { port, answer, times } => {
                for nth in 0..=*times {
                    self.attempt(port.wrapping_add(nth.to_le_bytes()[0]), *answer);
                }
            }
            Step::Keys(keys) => keys.iter().for_each(|key| self.key(*key)),
            Step::Type(line) => self.type_line(line),
            Step::Mouse(kind, column, row) => {
                let event = MouseEvent {
                    kind: *kind,
                    column: *column,
                    row: *row,
                    modifiers: KeyModifiers::NONE,
                };
                let effects = self.with(|app, present| app.mouse(event, present));
                self.bring_about(effects);
            }
            Step::Paste(value) => {
                let text = VALUES[*value];
                self.with(|app, _| app.paste(text));
            }
            Step::Size(columns, rows) => self.size = (*columns, *rows),
            Step::Job => {
                let job = self.jobs.borrow_mut().pop_front();
                if let Some(job) = job {
                    job();
                }
            }
            Step::Finish => {
                let Self { engine, capture, .. } = self;
                engine.finish(&mut |update| capture.take(&update));
                self.status.activity = Activity::Ended;
            }
        }
        self.show();
    }

    fn type_line(&mut self, line: &str) {
        for c in line.chars() {
            let code = if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) };
            self.key(KeyEvent::new(code, KeyModifiers::NONE));
        }
    }

    fn key(&mut self, key: KeyEvent) {
        self.clock += Duration::from_millis(1);
        let effects = self.with(|app, present| app.key(key, present));
        self.bring_about(effects);
    }

    /// Does what the program would do.
    fn bring_about(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Copy(text) => {
                    let sequence = clipboard(&text).unwrap_or_default();
                    let sent = sequence.strip_prefix("\u{1b}]52;c;").unwrap_or_default();
                    let sent = sent.trim_end_matches('\u{7}');
                    assert!(sent.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b)));
                }
                Effect::Save { path, numbers, .. } => {
                    let form = Form::of_path(&path).unwrap_or(Form::Pcapng);
                    assert!(numbers.is_sorted());
                    save(self.capture.archive(), &numbers, form, None, io::sink()).unwrap();
                }
                Effect::Clear => self.capture.clear(),
                Effect::Pause(paused) => self.status.paused = paused,
                Effect::Speed(speed) => self.status.speed = speed,
                Effect::Quit | Effect::Capture(_) | Effect::Read(_) | Effect::Step => {}
            }
        }
    }

    /// Draws, and looks at every cell.
    fn show(&mut self) {
        let Self { engine, capture, .. } = self;
        engine.standing(&mut |standing| capture.standing(standing));
        capture.counted(&engine.counts(), Some(u64::MAX), 0);
        let changed = self.capture.changed();
        let size = self.size;
        let mut buf = Buffer::empty(Rect::new(0, 0, size.0, size.1));
        self.with(|app, present| {
            app.resize(size.0, size.1);
            app.refresh(&changed, present);
            app.draw(present, &mut buf);
        });
        assert_harmless(&buf);
        let memory = self.capture.memory();
        assert!(memory.used <= memory.ceiling + SLACK, "{memory:?}");
    }
}

const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// An address and a port.
type End = ([u8; 4], u16);

const SERVICE: End = ([10, 0, 1, 1], 3_000);

/// A segment in an Ethernet frame.
fn segment((from, to): (End, End), (seq, ack): (u32, u32), flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut data = packet(6, (from.0, to.0), payload.len() + 20);
    data.extend(u16::to_be_bytes(from.1));
    data.extend(u16::to_be_bytes(to.1));
    data.extend(seq.to_be_bytes());
    data.extend(ack.to_be_bytes());
    data.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    data.extend(payload);
    data
}

/// What a router says of the segment in this frame.
fn unreachable(frame: &[u8], code: u8) -> Vec<u8> {
    let about = &frame[14..];
    let to = about[12..16].try_into().unwrap();
    let mut data = packet(1, ([10, 0, 9, 9], to), about.len() + 8);
    data.extend([3, code, 0, 0, 0, 0, 0, 0]);
    data.extend(about);
    data
}

/// The headers of a frame that carries so many bytes of `protocol`.
fn packet(protocol: u8, (from, to): ([u8; 4], [u8; 4]), len: usize) -> Vec<u8> {
    let mut data = vec![0; 12];
    data.extend([8, 0, 0x45, 0]);
    data.extend(u16::try_from(len + 20).unwrap().to_be_bytes());
    data.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
    data.extend(from);
    data.extend(to);
    data
}

/// What cannot give way: the blocks that are being filled, and the largest packet.
const SLACK: usize = 1 << 20;

fn frame(body: &str) -> Vec<u8> {
    format!("{}#{body}", body.encode_utf16().count()).into_bytes()
}

fn message(kind: u8, pattern: &str, value: &str, id: &str, last: bool) -> String {
    match kind % 5 {
        0 | 1 => format!(r#"{{"pattern":{pattern},"data":{value},"id":{id}}}"#),
        2 => format!(r#"{{"pattern":{pattern},"data":{value}}}"#),
        3 => format!(r#"{{"response":{value},"isDisposed":{last},"id":{id}}}"#),
        _ => format!(r#"{{"err":{value},"isDisposed":{last},"id":{id}}}"#),
    }
}

fn large(shape: u8, size: usize) -> String {
    match shape % 7 {
        0 => format!("{}{}", "[".repeat(size), "]".repeat(size)),
        1 => format!("{}1{}", "{\"a\":".repeat(size / 4), "}".repeat(size / 4)),
        2 => format!("\"{}\"", "x".repeat(size)),
        3 => format!("\"{}\"", "日\u{301}".repeat(size / 4)),
        4 => format!("[{}0]", "0,".repeat(size)),
        5 => {
            let keys: Vec<_> = (0..size / 8).map(|n| format!("\"k{}\":[{n}]", n % 97)).collect();
            format!("{{{}}}", keys.join(","))
        }
        // No JSON.
        _ => format!("\"{}", "\\u00".repeat(size / 8)),
    }
}

/// Nothing in any cell acts on a terminal, and nothing stands where it has no room.
fn assert_harmless(buf: &Buffer) {
    for y in 0..buf.area.height {
        for x in 0..buf.area.width {
            let symbol = buf[(x, y)].symbol();
            assert!(!symbol.chars().any(is_acting), "{symbol:?} at {x},{y} of {:?}", buf.area);
            let width = u16::try_from(symbol.width()).unwrap();
            assert!(x + width <= buf.area.width, "{symbol:?} at {x},{y} of {:?}", buf.area);
        }
    }
}

fn what() -> impl Strategy<Value = What> {
    let value = || 0..VALUES.len();
    prop_oneof![
        10 => (any::<u8>(), value(), value(), any::<bool>())
            .prop_map(|(kind, pattern, value, last)| What::Message { kind, pattern, value, last }),
        2 => (any::<u8>(), any::<u8>(), 1_u32..300_000)
            .prop_map(|(kind, shape, size)| What::Large { kind, shape, size }),
        1 => any::<u32>().prop_map(What::Unended),
        1 => vec(any::<u8>(), 0..200).prop_map(What::Garbage),
    ]
}

fn key() -> impl Strategy<Value = KeyEvent> {
    let plain = prop_oneof![
        6 => prop::char::range(' ', '~').prop_map(KeyCode::Char),
        6 => prop::sample::select(vec![
            KeyCode::Up, KeyCode::Down, KeyCode::Left, KeyCode::Right, KeyCode::PageUp,
            KeyCode::PageDown, KeyCode::Home, KeyCode::End, KeyCode::Enter, KeyCode::Esc,
            KeyCode::Tab, KeyCode::BackTab, KeyCode::Backspace, KeyCode::Delete, KeyCode::F(1),
        ]),
        6 => prop::sample::select("12345gGjkhlnNpfmMsSryzxeEcCtw/:?[]<>+-".chars().collect::<Vec<_>>())
            .prop_map(KeyCode::Char),
        1 => any::<char>().prop_map(KeyCode::Char),
    ];
    (plain, 0_u8..12).prop_map(|(code, modifiers)| {
        let modifiers = match modifiers {
            0 => KeyModifiers::CONTROL,
            1 => KeyModifiers::ALT,
            2 => KeyModifiers::SHIFT,
            _ => KeyModifiers::NONE,
        };
        KeyEvent::new(code, modifiers)
    })
}

fn size() -> impl Strategy<Value = (u16, u16)> {
    prop_oneof![
        2 => (0_u16..70, 0_u16..20),
        4 => (60_u16..200, 12_u16..60),
        1 => Just((500, 120)),
        1 => Just((60, 12)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let mouse = prop::sample::select(vec![
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Up(MouseButton::Left),
        MouseEventKind::ScrollDown,
        MouseEventKind::ScrollUp,
        MouseEventKind::Moved,
    ]);
    let place = || prop_oneof![4 => 0_u16..60, 1 => any::<u16>()];
    let clock = prop_oneof![
        4 => -1_000_000_000_i64..5_000_000_000,
        1 => any::<i64>(),
        1 => prop::sample::select(vec![i64::MIN, i64::MAX, 0]),
    ];
    let burst = prop_oneof![8 => 0_u16..4, 1 => 100_u16..3_000];
    prop_oneof![
        12 => (any::<u8>(), any::<bool>(), what(), any::<u8>(), burst, 0_u8..5).prop_map(
            |(connection, server, what, id, burst, pieces)| {
                let is_large = matches!(what, What::Large { .. });
                let burst = if is_large { burst % 4 } else { burst };
                Step::Say { connection, server, what, id, burst, pieces }
            }
        ),
        1 => vec(any::<u8>(), 0..120).prop_map(Step::Other),
        1 => clock.prop_map(Step::Clock),
        1 => any::<u8>().prop_map(Step::Lose),
        1 => (any::<u8>(), any::<bool>(), any::<u8>())
            .prop_map(|(connection, server, flags)| Step::Flags { connection, server, flags }),
        2 => (any::<u8>(), any::<u8>(), prop_oneof![4 => 0_u16..3, 1 => 30_u16..60])
            .prop_map(|(port, answer, times)| Step::Attempt { port, answer, times }),
        16 => vec(key(), 1..12).prop_map(Step::Keys),
        6 => prop::sample::select(LINES.to_vec()).prop_map(Step::Type),
        5 => (mouse, place(), place()).prop_map(|(kind, x, y)| Step::Mouse(kind, x, y)),
        1 => (0..VALUES.len()).prop_map(Step::Paste),
        3 => size().prop_map(|(columns, rows)| Step::Size(columns, rows)),
        4 => Just(Step::Job),
        1 => Just(Step::Finish),
    ]
}

/// Few by default, because each is long; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 24;
    }
    config
}

/// A call whose packets gave way is not told as one without a payload.
#[test]
fn what_cannot_be_read_any_more_is_not_made_up() {
    let mut fuzz = Fuzz::new();
    fuzz.segment(0, false, ACK, &frame(r#"{"pattern":"sum","data":[1,2],"id":"a"}"#));
    fuzz.segment(0, true, ACK, &frame(r#"{"response":3,"isDisposed":true,"id":"a"}"#));
    let saved = |fuzz: &Fuzz| {
        let mut file = Vec::new();
        let saved =
            save(fuzz.capture.archive(), &[ExchangeNumber(1)], Form::JsonLines, None, &mut file)
                .unwrap();
        (saved.exchanges, saved.missing, String::from_utf8(file).unwrap().contains("[1,2]"))
    };
    let press = |fuzz: &mut Fuzz, keys: &str| {
        fuzz.show();
        keys.chars()
            .flat_map(|c| {
                let key = KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
                fuzz.with(|app, present| app.key(key, present))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(saved(&fuzz), (1, 0, true));
    assert_eq!(press(&mut fuzz, "yp"), [Effect::Copy("[1,2]".to_owned())]);
    for _ in 0..40 {
        fuzz.push(&[0; 60_000], 0);
    }
    assert_eq!(saved(&fuzz), (1, 1, false));
    for keys in ["yp", "yr", "yt", "yn"] {
        assert_eq!(press(&mut fuzz, keys), []);
    }
    fuzz.type_line("\n");
    for keys in ["yt", "yn"] {
        assert_eq!(press(&mut fuzz, keys), []);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_key_over_any_traffic_breaks_the_screen(steps in vec(step(), 1..120)) {
        let mut fuzz = Fuzz::new();
        for step in &steps {
            fuzz.take(step);
        }
    }

    #[test]
    fn no_name_breaks_the_first_page(
        names in vec(0..VALUES.len(), 0..40),
        keys in vec(key(), 0..40),
        (columns, rows) in size(),
    ) {
        let text = |nth: &usize| VALUES[*nth].replace("\\u001b", "\u{1b}").replace("\\n", "\n");
        let interfaces = names.iter().map(|nth| Interface {
            name: text(nth),
            description: Some(text(nth)),
            addresses: Vec::new(),
            up: nth % 2 == 0,
            running: nth % 4 == 0,
            connection: Connection::Unknown,
            loopback: nth % 3 == 0,
            permitted: if nth % 5 == 0 { Err(text(nth)) } else { Ok(()) },
        });
        let files = names.iter().map(|nth| CaptureFile {
            path: text(nth),
            size: u64::MAX >> nth,
            modified: Some(Timestamp::from_nanos(i64::MIN >> nth)),
        });
        let start = Start::new(Ok(interfaces.collect()), files.collect());
        let mut fuzz = Fuzz::new();
        fuzz.size = (columns, rows);
        fuzz.app.show(vec![Box::new(start) as Box<dyn View>]);
        for (nth, key) in keys.into_iter().enumerate() {
            let traffic = names.iter().map(|name| Traffic {
                name: text(name),
                packets: u64::MAX >> (nth % 64),
                bytes: u64::MAX,
            });
            fuzz.app.traffic(&traffic.collect::<Vec<_>>(), Duration::from_millis(nth as u64));
            fuzz.key(key);
            fuzz.show();
        }
    }
}
