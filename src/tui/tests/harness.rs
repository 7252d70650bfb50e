//! For tests: a view within the whole screen, over real captures; keys in, screen out.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use crate::engine::{Config, Engine};
use crate::packet::{LinkType, Packet, PacketNumber};
use crate::source::file::CaptureFile;
use crate::source::{Next, Stop};
use crate::store::{CaptureStore, Kept};
use crate::time::Timestamp;
use crate::tui::app::{App, Present};
use crate::tui::status::{Activity, Status};
use crate::tui::theme::Theme;
use crate::tui::view::{Effect, View};
use crate::tui::views::call::Call;
use crate::tui::views::stream::Stream;

/// A packet that is kept.
pub type Raw = (Timestamp, LinkType, Vec<u8>);

/// The packets of a capture of the lab.
pub fn fixture(name: &str) -> Vec<Raw> {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut file = CaptureFile::open(&path, Stop::default()).unwrap();
    let mut packets = Vec::new();
    while let Next::Packet(packet) = file.next().unwrap() {
        packets.push((packet.at, packet.link, packet.data.to_vec()));
    }
    packets
}

/// A screen over a capture.
pub struct Harness {
    app: App,
    pub capture: CaptureStore,
    engine: Engine,
    taken: u64,
    pub now: Timestamp,
    pub status: Status,
    size: (u16, u16),
    opened: Rc<RefCell<Vec<u64>>>,
    pub effects: Vec<Effect>,
}

impl Harness {
    /// A view over a capture of the lab that was read to its end.
    pub fn over(view: Box<dyn View>, name: &str, size: (u16, u16)) -> Self {
        let mut stage = Self::empty(view, size, Theme::new(false, false));
        stage.status.source = name.to_owned();
        stage.take(&fixture(name));
        stage.finish();
        stage
    }

    /// A view before the first packet.
    pub fn empty(view: Box<dyn View>, size: (u16, u16), theme: Theme) -> Self {
        let opened = Rc::<RefCell<Vec<u64>>>::default();
        let opens = Rc::clone(&opened);
        let mut app = App::new(theme, vec![view]).with_call(move |number| {
            opens.borrow_mut().push(number.0);
            Box::new(Call::new(number, TimeZone::UTC))
        });
        app = app.with_stream(|number| Box::new(Stream::new(number, TimeZone::UTC)));
        app.resize(size.0, size.1);
        let activity = Activity::Reading(0, None);
        let status = Status { source: "lo".to_owned(), activity, ..Status::default() };
        let engine = Engine::new(Config { tell_progress: true, ..Config::default() });
        let mut stage = Self {
            app,
            capture: CaptureStore::default(),
            engine,
            taken: 0,
            now: Timestamp::default(),
            status,
            size,
            opened,
            effects: Vec::new(),
        };
        stage.refresh();
        stage
    }

    /// Takes in packets.
    pub fn take(&mut self, packets: &[Raw]) {
        let Self { capture, engine, taken, now, .. } = self;
        for (at, link, data) in packets {
            *taken += 1;
            *now = *at;
            let packet = Packet {
                number: PacketNumber(*taken),
                at: *at,
                link: *link,
                point: Default::default(),
                data,
                original_len: u32::try_from(data.len()).unwrap(),
            };
            capture.packet(&packet, Kept::Memory);
            engine.push(&packet, &mut |update| capture.take(&update));
        }
        engine.standing(&mut |standing| capture.standing(standing));
        self.refresh();
    }

    /// The capture is over.
    pub fn finish(&mut self) {
        let Self { capture, engine, .. } = self;
        engine.finish(&mut |update| capture.take(&update));
        self.status.activity = Activity::Ended;
        self.refresh();
    }

    pub fn with<R>(&mut self, take: impl FnOnce(&mut App, Present<'_>) -> R) -> R {
        let present = Present {
            capture: &self.capture,
            status: &self.status,
            now: self.now,
            clock: Duration::ZERO,
        };
        take(&mut self.app, present)
    }

    pub fn refresh(&mut self) {
        let changed = self.capture.changed();
        self.with(|app, present| app.refresh(&changed, present));
    }

    /// Types keys one after the other: letters, and names in `<>`.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        let mut rest = keys;
        while let Some(c) = rest.chars().next() {
            let (event, tail) = match rest.strip_prefix('<').and_then(|r| r.split_once('>')) {
                Some((name, tail)) if !name.is_empty() => (named(name), tail),
                _ => (KeyCode::Char(c).into(), &rest[c.len_utf8()..]),
            };
            rest = tail;
            let effects = self.with(|app, present| app.key(event, present));
            self.effects.extend(effects);
            self.refresh();
        }
        self
    }

    pub fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) {
        let event = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
        let effects = self.with(|app, present| app.mouse(event, present));
        self.effects.extend(effects);
        self.refresh();
    }

    pub fn buffer(&mut self) -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, self.size.0, self.size.1));
        self.with(|app, present| app.draw(present, &mut buf));
        buf
    }

    pub fn lines(&mut self) -> Vec<String> {
        let buf = self.buffer();
        let line = |y| {
            let text: String = (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect();
            text.trim_end().to_owned()
        };
        (0..buf.area.height).map(line).collect()
    }

    pub fn screen(&mut self) -> String {
        self.lines().join("\n")
    }

    /// The selected line: the one that is reversed.
    pub fn selected(&mut self) -> String {
        let buf = self.buffer();
        let reversed = |y: &u16| {
            // The first cells may be blank; names of views are reversed too.
            *y > 2 && buf[(0, *y)].modifier.contains(ratatui::style::Modifier::REVERSED)
        };
        let y = (0..buf.area.height).find(reversed).expect("a selected line");
        let text: String = (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect();
        text.trim().to_owned()
    }

    pub fn footer(&mut self) -> String {
        self.lines().pop().unwrap()
    }

    /// The numbers of the calls that were opened.
    pub fn opened(&self) -> Vec<u64> {
        self.opened.borrow().clone()
    }
}

fn named(name: &str) -> KeyEvent {
    let code = match name {
        "^S" => return KeyEvent::new(KeyCode::Char('s'), KeyModifiers::CONTROL),
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "PgDn" => KeyCode::PageDown,
        "PgUp" => KeyCode::PageUp,
        _ => panic!("no key {name}"),
    };
    code.into()
}
