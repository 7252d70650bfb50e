use ratatui::layout::Position;
use ratatui::style::Color;

use super::*;
use crate::source::interfaces::Connection;
use crate::store::CaptureStore;
use crate::tui::status::Status;

fn interface(name: &str, up: bool, permitted: Result<(), &str>) -> Interface {
    Interface {
        name: name.to_owned(),
        description: (name == "any").then(|| "all interfaces".to_owned()),
        addresses: match name {
            "lo" => vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
            "eth0" => vec!["10.0.0.7".parse().unwrap()],
            _ => Vec::new(),
        },
        up,
        running: up,
        loopback: name == "lo",
        connection: Connection::Unknown,
        permitted: permitted.map_err(str::to_owned),
    }
}

fn sample(permitted: Result<(), &str>) -> Start {
    let interfaces = vec![
        interface("eth0", true, permitted),
        interface("any", true, permitted),
        interface("wlan0", false, permitted),
        interface("lo", true, permitted),
    ];
    let file = |path: &str, size, secs: i64| CaptureFile {
        path: path.to_owned(),
        size,
        modified: Some(Timestamp::from_nanos(secs * 1_000_000_000)),
    };
    let files = vec![
        file("trace.pcap", 1_190_000_000, 999_900),
        file("/var/tmp/morning\x1b[2J.pcapng.gz", 812_000, 100_000),
    ];
    Start::new(Ok(interfaces), files)
}

/// `lo` carries more and more, `eth0` nothing.
fn flow(start: &mut Start) {
    for second in 0..16_u32 {
        let lo = u64::from(second * second);
        let traffic = [
            Traffic { name: "lo".to_owned(), packets: 100 * lo, bytes: 20_000 * lo },
            Traffic { name: "eth0".to_owned(), packets: 7, bytes: 700 },
        ];
        start.traffic(&traffic, Duration::from_secs(second.into()));
    }
}

struct Harness {
    start: Start,
    area: Rect,
    theme: Theme,
}

impl Harness {
    fn new(mut start: Start, columns: u16, rows: u16) -> Self {
        let area = Rect::new(0, 0, columns, rows);
        let theme = Theme::new(true, false);
        Self::with(&theme, area, |scene| start.refresh(&[], scene));
        Self { start, area, theme }
    }

    fn with<R>(theme: &Theme, area: Rect, take: impl FnOnce(&Scene<'_>) -> R) -> R {
        let (capture, status) = (CaptureStore::default(), Status::default());
        let now = Timestamp::from_nanos(1_000_000_000_000_000);
        take(&Scene { capture: &capture, status: &status, now, theme, area })
    }

    fn act(&mut self, action: Action) -> Vec<Effect> {
        let commands = Self::with(&self.theme, self.area, |scene| self.start.act(action, scene));
        effects(commands)
    }

    fn mouse(&mut self, mouse: Mouse) -> Vec<Effect> {
        let commands = Self::with(&self.theme, self.area, |scene| self.start.mouse(mouse, scene));
        effects(commands)
    }

    fn buffer(&self) -> Buffer {
        let mut buf = Buffer::empty(self.area);
        Self::with(&self.theme, self.area, |scene| self.start.draw(scene, &mut buf));
        buf
    }

    fn screen(&self) -> String {
        let buf = self.buffer();
        let line = |y| -> String { (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect() };
        (0..buf.area.height).map(|y| line(y).trim_end().to_owned() + "\n").collect()
    }
}

fn effects(commands: Vec<Command>) -> Vec<Effect> {
    let effect = |command| match command {
        Command::Effect(effect) => Some(effect),
        _ => None,
    };
    commands.into_iter().filter_map(effect).collect()
}

#[test]
fn it_looks_like_this() {
    let mut start = sample(Ok(()));
    flow(&mut start);
    insta::assert_snapshot!("start_80", Harness::new(start, 80, 20).screen());
    let mut start = sample(Ok(()));
    flow(&mut start);
    insta::assert_snapshot!("start_200", Harness::new(start, 200, 20).screen());
    let mut refused = Harness::new(sample(Err("only root may capture here")), 80, 20);
    refused.act(Action::NextPane);
    insta::assert_snapshot!("start_refused", refused.screen());
    let none = Start::new(Err("this build reads files only".to_owned()), Vec::new());
    insta::assert_snapshot!("start_empty", Harness::new(none, 80, 20).screen());
}

#[test]
fn enter_opens_what_is_selected() {
    let mut stage = Harness::new(sample(Ok(())), 80, 20);
    // The loopback interface comes first.
    assert_eq!(stage.act(Action::Enter), [Effect::Capture("lo".to_owned())]);
    stage.act(Action::Down);
    assert_eq!(stage.act(Action::Enter), [Effect::Capture("eth0".to_owned())]);
    // Down from the last interface lie the files.
    for _ in 0..3 {
        stage.act(Action::Down);
    }
    assert_eq!(stage.act(Action::Enter), [Effect::Read("trace.pcap".to_owned())]);
    stage.act(Action::Up);
    assert_eq!(stage.act(Action::Enter), [Effect::Capture("wlan0".to_owned())]);
}

#[test]
fn where_nothing_may_be_captured_the_files_come_first() {
    let mut stage = Harness::new(sample(Err("not root")), 80, 20);
    assert_eq!(stage.act(Action::Enter), [Effect::Read("trace.pcap".to_owned())]);
    stage.act(Action::NextPane);
    assert_eq!(stage.act(Action::Enter), []);
    assert!(stage.screen().contains("root may: sudo nestscope -i lo  (not root)"));
}

#[test]
fn the_mouse_selects_and_opens() {
    let mut stage = Harness::new(sample(Ok(())), 80, 20);
    let row = |text: &str, stage: &Harness| {
        let y = stage.screen().lines().position(|line| line.starts_with(text)).unwrap();
        Position::new(3, u16::try_from(y).unwrap())
    };
    let at = row("any", &stage);
    assert_eq!(stage.mouse(Mouse::Click(at)), []);
    assert_eq!(stage.act(Action::Enter), [Effect::Capture("any".to_owned())]);
    let at = row("trace.pcap", &stage);
    let read = [Effect::Read("trace.pcap".to_owned())];
    assert_eq!(stage.mouse(Mouse::DoubleClick(at)), read);
}

#[test]
fn rates_are_per_second_whatever_the_time_between() {
    let mut start = sample(Ok(()));
    let mut told = |packets, millis| {
        let lo = Traffic { name: "lo".to_owned(), packets, bytes: packets * 10 };
        start.traffic(&[lo], Duration::from_millis(millis));
        start.rates["lo"].known.back().copied()
    };
    assert_eq!(told(1_000, 5_000), None);
    assert_eq!(told(1_000, 6_000), Some((0, 0)));
    assert_eq!(told(2_000, 6_500), Some((2_000, 20_000)));
    // The interface was made anew.
    assert_eq!(told(3, 7_500), Some((0, 0)));
    // Nothing is divided by no time.
    assert_eq!(told(9, 7_500), Some((0, 0)));
}

#[test]
fn refused_interfaces_are_seen_to_be() {
    let buf = Harness::new(sample(Err("not root")), 120, 20).buffer();
    let no = buf.content.iter().position(|cell| cell.fg == Color::Yellow).unwrap();
    assert_eq!(buf.content[no].symbol(), "n");
}

#[test]
fn it_can_be_drawn_at_any_size() {
    for columns in 0..100 {
        for rows in 0..25 {
            let mut stage = Harness::new(sample(Ok(())), columns, rows);
            stage.screen();
            stage.act(Action::PageDown);
            stage.mouse(Mouse::Click(Position::new(columns / 2, rows / 2)));
            stage.screen();
        }
    }
}
