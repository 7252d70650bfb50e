use insta::assert_snapshot;
use jiff::tz::TimeZone;

use super::*;
use crate::engine::{Config, Engine};
use crate::exchange::ExchangeNumber;
use crate::packet::{LinkType, Packet, PacketNumber};
use crate::source::file::CaptureFile;
use crate::source::{Next, Stop};
use crate::store::{CaptureStore, Kept};
use crate::time::{Nanos, Timestamp};
use crate::tui::status::Status;
use crate::tui::theme::Theme;

/// What a capture of the repository tells.
fn capture(name: &str) -> CaptureStore {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut file = CaptureFile::open(&path, Stop::default()).unwrap();
    let mut capture = CaptureStore::new(256 << 20);
    let mut engine = Engine::new(Config { tell_progress: true, ..Config::default() });
    while let Next::Packet(packet) = file.next().unwrap() {
        capture.packet(&packet, Kept::Memory);
        engine.push(&packet, &mut |update| capture.take(&update));
    }
    engine.finish(&mut |update| capture.take(&update));
    capture
}

/// A screen over one call.
struct Screen {
    capture: CaptureStore,
    theme: Theme,
    status: Status,
    area: Rect,
    view: Call,
}

impl Screen {
    fn new(capture: CaptureStore, number: u64, columns: u16, rows: u16) -> Self {
        Self {
            capture,
            theme: Theme::new(true, false),
            status: Status::default(),
            area: Rect::new(0, 0, columns, rows),
            view: Call::new(ExchangeNumber(number), TimeZone::UTC),
        }
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            capture: &self.capture,
            status: &self.status,
            now: Timestamp::default(),
            theme: &self.theme,
            area: self.area,
        }
    }

    fn with(&mut self, act: impl FnOnce(&mut Call, &Scene<'_>) -> Vec<Command>) -> Vec<Command> {
        let mut view =
            std::mem::replace(&mut self.view, Call::new(ExchangeNumber(0), TimeZone::UTC));
        let commands = act(&mut view, &self.scene());
        self.view = view;
        commands
    }

    fn act(&mut self, actions: &[Action]) -> Vec<Command> {
        let one = |action: &Action| self.with(|view, scene| view.act(*action, scene));
        actions.iter().flat_map(one).collect()
    }

    fn search(&mut self, text: &str) -> Vec<Command> {
        self.with(|view, scene| view.answer(&Question::search(), text, scene))
    }

    fn drawn(&mut self) -> Buffer {
        self.with(|view, scene| {
            view.refresh(&[], scene);
            Vec::new()
        });
        let mut buf = Buffer::empty(self.area);
        self.view.draw(&self.scene(), &mut buf);
        buf
    }

    fn text(&mut self) -> String {
        let buf = self.drawn();
        let line = |row: Rect| {
            let mut line = String::new();
            let mut skip = 0;
            for x in 0..row.width {
                let symbol = buf[(x, row.y)].symbol();
                if skip == 0 {
                    line.push_str(symbol);
                }
                let width = unicode_width::UnicodeWidthStr::width(symbol);
                skip = if skip > 0 { skip - 1 } else { width.saturating_sub(1) };
            }
            line.trim_end().to_owned()
        };
        self.area.rows().map(line).collect::<Vec<_>>().join("\n")
    }
}

fn notices(commands: &[Command]) -> Vec<&str> {
    fn text(command: &Command) -> Option<&str> {
        if let Command::Notice(text) = command { Some(text) } else { None }
    }
    commands.iter().filter_map(text).collect()
}

fn copies(commands: &[Command]) -> Vec<String> {
    let copy = |command: &Command| match command {
        Command::Effect(Effect::Copy(text)) => Some(text.clone()),
        _ => None,
    };
    commands.iter().filter_map(copy).collect()
}

const NEXT: Action = Action::NextPane;

#[test]
fn each_pane_alone() {
    let mut screen = Screen::new(capture("walkthrough.pcap"), 2, 80, 20);
    assert_snapshot!("request_80", screen.text());
    screen.act(&[NEXT]);
    assert_snapshot!("replies_80", screen.text());
    screen.act(&[NEXT]);
    assert_snapshot!("time_80", screen.text());
    screen.act(&[NEXT]);
    assert_snapshot!("ladder_80", screen.text());
    screen.act(&[NEXT]);
    assert_snapshot!("packets_80", screen.text());
}

#[test]
fn all_panes_at_once() {
    let mut screen = Screen::new(capture("walkthrough.pcap"), 2, 120, 36);
    assert_snapshot!("panes_120", screen.text());
    screen.area = Rect::new(0, 0, 200, 56);
    assert_snapshot!("panes_200", screen.text());
    screen.act(&[Action::Zoom]);
    assert_snapshot!("zoomed_200", screen.text());
}

#[test]
fn ascii_alone_without_colour() {
    let mut screen = Screen::new(capture("walkthrough.pcap"), 2, 120, 36);
    screen.theme = Theme::new(false, true);
    let text = screen.text();
    assert!(text.is_ascii(), "{text}");
    assert_snapshot!("ascii_120", text);
}

#[test]
fn a_stream_has_a_list_of_replies() {
    let capture = capture("basic-v11.pcap");
    let stream = capture.archive().rows(ExchangeNumber(1)).find(|row| row.replies >= 3).unwrap();
    let mut screen = Screen::new(capture, stream.number.0, 80, 24);
    screen.act(&[NEXT]);
    assert_snapshot!("stream_replies_80", screen.text());
    screen.act(&[Action::Down, Action::Enter]);
    assert!(screen.view.replies.path().is_none());
    screen.act(&[Action::Back, NEXT]);
    assert_snapshot!("stream_time_80", screen.text());
}

#[test]
fn what_a_kernel_held_back_is_told_apart() {
    // An event and then a call: the request waits for the ACK of the event.
    let mut screen = Screen::new(capture("held.pcap.gz"), 3, 100, 20);
    screen.act(&[NEXT, NEXT]);
    assert_snapshot!("held_request_time_100", screen.text());
    screen.act(&[NEXT]);
    assert_snapshot!("held_request_ladder_100", screen.text());
    // One of many replies that wait for one ACK.
    let mut screen = Screen::new(capture("concurrent-v11.pcap"), 100, 100, 20);
    screen.act(&[NEXT, NEXT]);
    assert_snapshot!("held_reply_time_100", screen.text());
}

#[test]
fn an_error_is_told_first() {
    let capture = capture("basic-v11.pcap");
    let status = crate::exchange::Status::Error;
    let failed =
        capture.archive().rows(ExchangeNumber(1)).find(|row| row.status == status).unwrap();
    let mut screen = Screen::new(capture, failed.number.0, 80, 20);
    assert_snapshot!("error_80", screen.text());
}

#[test]
fn the_bytes_of_the_call_are_marked_in_its_packet() {
    let mut screen = Screen::new(capture("walkthrough.pcap"), 2, 80, 20);
    screen.act(&[Action::Hex]);
    screen.drawn();
    // What the walk through Wireshark ends at: the payload of the packet with PSH.
    let sent = br##"61#{"pattern":"sum","data":[1,2,3],"id":""##;
    assert!(screen.view.packets.selected().unwrap().starts_with(sent));
    let marked = screen.theme.marked.fg;
    let buf = screen.drawn();
    let cells = buf.content().iter().filter(|cell| Some(cell.fg) == marked);
    let text: String = cells.map(|cell| cell.symbol()).collect();
    assert!(text.contains("64 of this call"), "{text}");
    assert!(text.contains(r#"61#{"pattern":"#), "{text}");
    assert!(text.contains("36 31 23 7b"), "{text}");
}

#[test]
fn what_is_chosen_is_copied_as_it_was_sent() {
    let mut screen = Screen::new(capture("walkthrough.pcap"), 2, 80, 20);
    screen.drawn();
    assert_eq!(notices(&screen.search("[1,2")), Vec::<&str>::new());
    assert_eq!(copies(&screen.act(&[Action::Copy])), ["[1,2,3]"]);
    assert_eq!(screen.view.request.path().as_deref(), Some("data"));
    assert_eq!(notices(&screen.search("nowhere")), ["Not found"]);
    let nc = copies(&screen.act(&[Action::CopyNc]));
    assert!(nc[0].starts_with("printf '61#{\"pattern\":\"sum\""), "{nc:?}");
    let script = copies(&screen.act(&[Action::CopyTypeScript]));
    assert_eq!(script[0], "await firstValueFrom(client.send(\"sum\", [1,2,3]));");
    assert_eq!(copies(&screen.act(&[Action::CopyId])).len(), 1);
    assert_eq!(copies(&screen.act(&[Action::CopyResponse])), ["6"]);
}

#[test]
fn brackets_lead_to_the_neighbours() {
    let mut screen = Screen::new(capture("walkthrough.pcap"), 2, 80, 20);
    screen.act(&[NEXT, Action::NextCall]);
    assert_eq!((screen.view.number.0, screen.view.pane), (3, Pane::Replies));
    assert_eq!(notices(&screen.act(&[Action::NextCall])), ["This is the last one"]);
    screen.act(&[Action::PreviousCall, Action::PreviousCall]);
    assert!(screen.text().starts_with("#1 log  sent"));
    assert_eq!(notices(&screen.act(&[Action::PreviousCall])), ["This is the first one"]);
    screen.act(&[Action::GoTo(3)]);
    assert_eq!(screen.view.number, ExchangeNumber(3));
}

#[test]
fn escape_leaves_one_level_a_time() {
    let mut screen = Screen::new(capture("walkthrough.pcap"), 2, 80, 20);
    screen.act(&[Action::Zoom, Action::Bottom, Action::Enter]);
    assert!(screen.act(&[Action::Back]).is_empty(), "out of the opened string");
    assert!(screen.act(&[Action::Back]).is_empty(), "out of the zoom");
    assert!(matches!(screen.act(&[Action::Back])[..], [Command::Close]));
}

#[test]
fn payloads_that_are_gone_say_why() {
    let mut screen = Screen::new(CaptureStore::new(256 << 20), 7, 80, 20);
    assert!(screen.text().starts_with("Call 7 is no longer in memory"));
    screen.act(&[Action::Copy, NEXT, Action::Enter, NEXT, NEXT, NEXT, Action::Hex]);
}

/// An event whose payload and pattern want to act on the terminal.
fn hostile() -> CaptureStore {
    let mut capture = CaptureStore::new(256 << 20);
    let mut engine = Engine::new(Config { tell_progress: true, ..Config::default() });
    let json = "{\"pattern\":\"a\u{202e}b\",\"data\":\"\u{1b}[2J\u{202e}\u{200b}\u{2028}\u{9b}1m\",\"\u{7f}\":[\"\u{202e}\"]}"
        .replace('\u{1b}', "\\u001b");
    let frame = format!("{}#{json}", json.encode_utf16().count());
    let data = tcp(frame.as_bytes());
    let packet = Packet {
        number: PacketNumber(1),
        at: Timestamp::from_nanos(1),
        link: LinkType::RAW,
        point: Default::default(),
        data: &data,
        original_len: u32::try_from(data.len()).unwrap(),
    };
    capture.packet(&packet, Kept::Memory);
    engine.push(&packet, &mut |update| capture.take(&update));
    engine.finish(&mut |update| capture.take(&update));
    capture
}

/// A segment from port 40000 to port 3000 in an IPv4 packet.
fn tcp(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(40 + payload.len()).unwrap().to_be_bytes();
    let mut packet = vec![0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, 6, 0, 0];
    packet.extend([10, 0, 0, 1, 10, 0, 0, 2]);
    packet.extend(40_000_u16.to_be_bytes());
    packet.extend(3_000_u16.to_be_bytes());
    packet.extend([0, 0, 0, 9, 0, 0, 0, 7, 0x50, 0x18, 1, 0, 0, 0, 0, 0]);
    packet.extend(payload);
    packet
}

#[test]
fn nothing_from_the_wire_acts_on_the_terminal() {
    let mut screen = Screen::new(hostile(), 1, 120, 36);
    for columns in [60, 80, 120, 200] {
        screen.area.width = columns;
        for _ in Pane::ALL {
            screen.act(&[NEXT, Action::Bottom, Action::Enter]);
            for cell in screen.drawn().content() {
                let acts = cell.symbol().chars().any(crate::report::is_acting);
                assert!(!acts, "{:?}", cell.symbol());
            }
            screen.act(&[Action::Enter]);
        }
    }
    screen.area = Rect::new(0, 0, 80, 16);
    screen.act(&[NEXT, Action::Top]);
    let text = screen.text();
    assert!(text.contains("\\u{202e}"), "{text}");
}

#[test]
fn every_size_is_drawn() {
    let mut screen = Screen::new(capture("basic-v11.pcap"), 5, 1, 1);
    for (columns, rows) in [(1, 1), (60, 8), (99, 30), (100, 27), (160, 27), (300, 100)] {
        screen.area = Rect::new(0, 0, columns, rows);
        for _ in Pane::ALL {
            screen.act(&[NEXT, Action::Down, Action::Hex]);
            screen.drawn();
        }
    }
}

#[test]
fn every_call_of_every_pane_is_drawn() {
    for name in ["basic-v5.pcap", "raw-v11.pcap", "any.pcap", "ipv6.pcap", "killed-v11.pcap"] {
        let capture = capture(name);
        let numbers: Vec<u64> =
            capture.archive().rows(ExchangeNumber(1)).map(|row| row.number.0).collect();
        let mut screen = Screen::new(capture, 1, 160, 40);
        for number in numbers {
            screen.act(&[Action::GoTo(number), NEXT, Action::UnfoldAll]);
            screen.drawn();
        }
    }
}

#[test]
fn an_attempt_to_connect_shows_who_refused_it_and_its_packets() {
    let mut screen = Screen::new(capture("refused.pcap"), 1, 80, 16);
    assert_snapshot!("refused_time_80", screen.text());
    screen.act(&[NEXT]);
    assert_snapshot!("refused_ladder_80", screen.text());
    screen.act(&[NEXT]);
    assert_snapshot!("refused_packets_80", screen.text());
    screen.area = Rect::new(0, 0, 120, 30);
    assert_snapshot!("refused_120", screen.text());
    for action in Action::all() {
        screen.act(&[action]);
        screen.text();
    }
}

#[test]
fn an_attempt_that_may_still_be_answered_has_not_waited_for_nothing() {
    let path = format!("{}/fixtures/refused.pcap", env!("CARGO_MANIFEST_DIR"));
    let mut file = CaptureFile::open(&path, Stop::default()).unwrap();
    let mut capture = CaptureStore::new(256 << 20);
    let mut engine = Engine::new(Config { tell_progress: true, ..Config::default() });
    // A SYN and its refusal, then a SYN alone.
    let mut last = None;
    for _ in 0..3 {
        let Next::Packet(packet) = file.next().unwrap() else { panic!("three packets") };
        capture.packet(&packet, Kept::Memory);
        engine.push(&packet, &mut |update| capture.take(&update));
        last = Some(packet.at);
    }
    let later = last.unwrap().saturating_add(Nanos::new(2_000_000_000));
    engine.expire(later, &mut |update| capture.take(&update));
    let waits = capture.archive().rows(ExchangeNumber(1)).last().unwrap();
    assert_eq!((waits.status, waits.waited), (crate::exchange::Status::NoAnswer, None));
    let text = Screen::new(capture, waits.number.0, 80, 16).text();
    assert!(text.contains("no answer so far") && !text.contains("0ns"), "{text}");
}

#[test]
fn who_ended_a_call_without_answer_is_told() {
    let capture = capture("killed-v11.pcap");
    let closed = capture
        .archive()
        .rows(ExchangeNumber(1))
        .find(|row| row.status == crate::exchange::Status::Closed)
        .unwrap();
    let mut screen = Screen::new(capture, closed.number.0, 80, 12);
    screen.act(&[NEXT, NEXT]);
    assert_snapshot!("closed_time_80", screen.text());
}
