//! The shell as a user meets it: keys and clicks in, state and cells out.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::packet::{Packet, PacketNumber, PointId};
use crate::store::{CaptureStore, Kept};
use crate::time::Timestamp;
use crate::tui::app::{App, Present};
use crate::tui::filters::Filters;
use crate::tui::keys::{Action, Context, TABLE, name};
use crate::tui::question::{Asking, Checker, Completion, Fault, History};
use crate::tui::status::{Activity, Status};
use crate::tui::tests::harness;
use crate::tui::text::{Align, LineBuilder};
use crate::tui::theme::Theme;
use crate::tui::view::{Command, Effect, Mouse, Question, QuestionKind, Rows, Scene, View};

fn present<'a>(capture: &'a CaptureStore, status: &'a Status, clock: Duration) -> Present<'a> {
    Present { capture, status, now: Timestamp::default(), clock }
}

/// What the probes were told.
type Told = Rc<RefCell<Vec<String>>>;

/// A view that writes down what reaches it.
struct Probe {
    name: &'static str,
    context: Context,
    told: Told,
}

impl Probe {
    fn tell(&self, what: String) {
        self.told.borrow_mut().push(format!("{}: {what}", self.name));
    }
}

impl View for Probe {
    fn title(&self, _scene: &Scene<'_>) -> String {
        self.name.to_owned()
    }

    fn context(&self) -> Context {
        self.context
    }

    fn act(&mut self, action: Action, _scene: &Scene<'_>) -> Vec<Command> {
        self.tell(format!("{action:?}"));
        match action {
            Action::Filter => vec![Command::Ask(Question::filter(Rows::Calls, "status == ok"))],
            Action::Enter => {
                let told = Rc::clone(&self.told);
                vec![Command::Open(Box::new(Probe {
                    name: "Call 25",
                    context: Context::Call,
                    told,
                }))]
            }
            Action::Back => vec![Command::Close],
            Action::Zoom => vec![Command::ShowCalls("pattern == \"sum\"".to_owned())],
            Action::Save => vec![Command::Notice("nothing to save".to_owned())],
            _ => Vec::new(),
        }
    }

    fn mouse(&mut self, mouse: Mouse, _scene: &Scene<'_>) -> Vec<Command> {
        self.tell(format!("{mouse:?}"));
        Vec::new()
    }

    fn answer(&mut self, question: &Question, text: &str, _scene: &Scene<'_>) -> Vec<Command> {
        self.tell(format!("{}={text}", question.id));
        Vec::new()
    }

    fn draw(&self, scene: &Scene<'_>, buf: &mut Buffer) {
        for (y, line) in (scene.area.y..scene.area.bottom()).zip(["first", "second"]) {
            let mut pen = LineBuilder::new(scene.area.width, &scene.theme.symbols);
            pen.put(line, Style::new()).draw(buf, scene.area.x, y, Align::Left);
        }
        let last = scene.area.bottom() - 1;
        LineBuilder::new(scene.area.width, &scene.theme.symbols)
            .put("last row of the view", Style::new())
            .draw(buf, scene.area.x, last, Align::Left);
    }
}

/// Takes `status == …` and `pattern == …`, and completes those names.
struct Words;

impl Checker for Words {
    fn check(&self, kind: QuestionKind, text: &str) -> Result<(), Fault> {
        let valid = !matches!(kind, QuestionKind::Filter(_))
            || text.starts_with("status == ")
            || text.starts_with("pattern == ");
        let end = text.find(' ').unwrap_or(text.len());
        let reason = "no such field".to_owned();
        if valid { Ok(()) } else { Err(Fault { place: 0..end, reason }) }
    }

    fn complete(
        &self,
        _kind: QuestionKind,
        text: &str,
        cursor: usize,
        _book: &CaptureStore,
    ) -> Vec<Completion> {
        let begun = text.get(..cursor).unwrap();
        ["pattern", "packets", "status"]
            .into_iter()
            .filter(|word| word.starts_with(begun))
            .map(|word| Completion { place: 0..cursor, text: word.to_owned(), hint: "a word" })
            .collect()
    }
}

/// An app of four views with what they were told.
struct Harness {
    app: App,
    told: Told,
    capture: CaptureStore,
    status: Status,
    clock: Duration,
}

impl Harness {
    fn new(columns: u16, rows: u16) -> Self {
        Self::with(Theme::new(false, false), columns, rows)
    }

    fn with(theme: Theme, columns: u16, rows: u16) -> Self {
        let told = Told::default();
        let probe = |name, context| -> Box<dyn View> {
            Box::new(Probe { name, context, told: Rc::clone(&told) })
        };
        let views = vec![
            probe("Calls", Context::Calls),
            probe("Patterns", Context::Patterns),
            probe("Connections", Context::Connections),
            probe("Packets", Context::Packets),
        ];
        let mut app = App::new(theme, views).with_checker(Box::new(Words));
        app.resize(columns, rows);
        let status = Status {
            source: "lo".to_owned(),
            filter: "tcp port 8888".to_owned(),
            activity: Activity::Live,
            running: Duration::from_secs(12),
            kernel_drops: Some(0),
            resident: Some(12_300_000),
            ..Status::default()
        };
        Self { app, told, capture: CaptureStore::default(), status, clock: Duration::ZERO }
    }

    fn press(&mut self, code: KeyCode) -> Vec<Effect> {
        self.chord(code, KeyModifiers::NONE)
    }

    fn chord(&mut self, code: KeyCode, held: KeyModifiers) -> Vec<Effect> {
        let present = present(&self.capture, &self.status, self.clock);
        self.app.key(KeyEvent::new(code, held), present)
    }

    /// Types letters; what came of the last.
    fn press_all(&mut self, keys: &str) -> Vec<Effect> {
        keys.chars().map(|c| self.press(KeyCode::Char(c))).last().unwrap_or_default()
    }

    fn click(&mut self, column: u16, row: u16) -> Vec<Effect> {
        self.mouse(MouseEventKind::Down(MouseButton::Left), column, row)
    }

    fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) -> Vec<Effect> {
        let present = present(&self.capture, &self.status, self.clock);
        let event = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
        self.app.mouse(event, present)
    }

    fn told(&self) -> Vec<String> {
        self.told.take()
    }

    fn buffer(&self, columns: u16, rows: u16) -> Buffer {
        let present = present(&self.capture, &self.status, self.clock);
        let mut buf = Buffer::empty(Rect::new(0, 0, columns, rows));
        self.app.draw(present, &mut buf);
        buf
    }

    fn screen(&self, columns: u16, rows: u16) -> String {
        shown(&self.buffer(columns, rows))
    }
}

/// The cells as text, blanks at the ends of lines left out.
fn shown(buf: &Buffer) -> String {
    let line = |y| {
        let line: String = (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect();
        line.trim_end().to_owned() + "\n"
    };
    (0..buf.area.height).map(line).collect()
}

#[test]
fn typing_in_a_line_fires_no_key() {
    let mut stage = Harness::new(80, 24);
    stage.press(KeyCode::Char('/'));
    stage.told();
    for c in (' '..='~').chain(['求']) {
        assert_eq!(stage.press(KeyCode::Char(c)), [], "{c}");
    }
    stage.press(KeyCode::F(1));
    stage.press(KeyCode::PageDown);
    stage.chord(KeyCode::Char('l'), KeyModifiers::CONTROL);
    assert_eq!(stage.told(), [""; 0]);
    assert!(stage.app.is_asking());
    // Ctrl-C is no text.
    let quit = stage.chord(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(quit, [Effect::Quit]);
}

#[test]
fn a_filter_is_answered_only_where_it_is_valid() {
    let mut stage = Harness::new(80, 24);
    stage.press_all("/");
    stage.chord(KeyCode::Char('u'), KeyModifiers::CONTROL);
    stage.press_all("stats == ok");
    insta::assert_snapshot!("filter_at_fault", stage.screen(80, 24));
    stage.told();
    stage.press(KeyCode::Enter);
    assert_eq!(stage.told(), [""; 0]);
    assert!(stage.app.is_asking());
    stage.press(KeyCode::Home);
    for _ in 0..4 {
        stage.press(KeyCode::Right);
    }
    stage.press_all("u");
    stage.press(KeyCode::Enter);
    assert_eq!(stage.told(), ["Calls: filter=status == ok"]);
    assert!(!stage.app.is_asking());
}

#[test]
fn leaving_a_line_changes_nothing_and_an_empty_one_is_an_answer() {
    let mut stage = Harness::new(80, 24);
    stage.press_all("/abc");
    stage.told();
    stage.press(KeyCode::Esc);
    assert_eq!(stage.told(), [""; 0]);
    assert!(!stage.app.is_asking());
    stage.press_all("/");
    stage.chord(KeyCode::Char('u'), KeyModifiers::CONTROL);
    stage.press(KeyCode::Enter);
    assert_eq!(stage.told(), ["Calls: Filter", "Calls: filter="]);
}

#[test]
fn earlier_answers_come_back() {
    let mut stage = Harness::new(80, 24);
    for value in ["error", "open", "error"] {
        stage.press_all("/");
        stage.chord(KeyCode::Char('u'), KeyModifiers::CONTROL);
        stage.press_all(&format!("status == {value}"));
        stage.press(KeyCode::Enter);
    }
    stage.press_all("/");
    stage.chord(KeyCode::Char('u'), KeyModifiers::CONTROL);
    stage.press_all("stat");
    let answer = |stage: &mut Harness, keys: &[KeyCode]| {
        for key in keys {
            stage.press(*key);
        }
        let screen = stage.screen(80, 24);
        screen.lines().last().unwrap().to_owned()
    };
    // The same answer stands there once.
    assert_eq!(answer(&mut stage, &[KeyCode::Up]), "Filter: status == error");
    assert_eq!(answer(&mut stage, &[KeyCode::Up]), "Filter: status == open");
    assert_eq!(answer(&mut stage, &[KeyCode::Up]), "Filter: status == open");
    assert_eq!(answer(&mut stage, &[KeyCode::Down]), "Filter: status == error");
    assert_eq!(answer(&mut stage, &[KeyCode::Down, KeyCode::Down]), "Filter: stat");
    stage.press(KeyCode::Esc);
    // Another kind of question has another history.
    assert_eq!(answer(&mut stage, &[KeyCode::Char(':'), KeyCode::Up]), ":");
}

#[test]
fn tab_completes() {
    let mut stage = Harness::new(80, 24);
    stage.press_all("/");
    stage.chord(KeyCode::Char('u'), KeyModifiers::CONTROL);
    stage.press_all("pa");
    stage.press(KeyCode::Tab);
    insta::assert_snapshot!("filter_completed", stage.screen(80, 24));
    stage.press(KeyCode::Tab);
    assert!(stage.screen(80, 24).ends_with("Filter: packets\n"));
    stage.press(KeyCode::Tab);
    assert!(stage.screen(80, 24).ends_with("Filter: pattern\n"));
    stage.press(KeyCode::BackTab);
    assert!(stage.screen(80, 24).ends_with("Filter: packets\n"));
    // What is typed goes on behind it.
    stage.press_all(" x");
    assert!(stage.screen(80, 24).ends_with("Filter: packets x\n"));
    stage.press(KeyCode::Tab);
    assert!(stage.screen(80, 24).ends_with("Filter: packets x\n"));
}

#[test]
fn a_text_that_was_there_cannot_act() {
    let question = Question {
        text: "a\u{202e}\u{200d}日\u{301}\u{301}\u{301}\u{301}\u{301}\u{2028}❤\u{fe0f}".to_owned(),
        ..Question::search()
    };
    let asking = Asking::new(question, &Filters);
    let mut buf = Buffer::empty(Rect::new(0, 0, 24, 1));
    asking.draw(buf.area, &Theme::new(false, false), &mut buf);
    let line: String = buf.content.iter().map(ratatui::buffer::Cell::symbol).collect();
    assert_eq!(
        line.trim_end(),
        "Search: a\u{fffd}\u{fffd}日\u{301}\u{301}\u{301}\u{301} \u{fffd}❤"
    );
    // The cursor stands behind it, however narrow the room is.
    let mut buf = Buffer::empty(Rect::new(0, 0, 11, 1));
    asking.draw(buf.area, &Theme::new(false, false), &mut buf);
    let line: String = buf.content.iter().map(ratatui::buffer::Cell::symbol).collect();
    assert_eq!(line, "Search: \u{fffd}❤ ");
}

#[test]
fn a_pasted_text_is_one_line_and_cannot_act() {
    let mut stage = Harness::new(80, 24);
    stage.app.paste("q");
    stage.press_all("/");
    stage.chord(KeyCode::Char('u'), KeyModifiers::CONTROL);
    stage.app.paste("status\n==\x1b[2J \u{202e}ok\r\n");
    assert!(
        stage.screen(80, 24).ends_with("Filter: status ==[2J ok\n"),
        "{}",
        stage.screen(80, 24)
    );
    stage.app.paste(&"x".repeat(100_000));
    assert!(stage.app.is_asking());
    assert!(stage.screen(80, 24).ends_with("xxxx\n"));
}

#[test]
fn esc_goes_back_a_level_and_never_quits() {
    let mut stage = Harness::new(80, 24);
    assert_eq!(stage.press(KeyCode::Esc), []);
    stage.press(KeyCode::Enter);
    assert_eq!(stage.app.context(), Context::Call);
    stage.press_all("?");
    assert_eq!(stage.app.context(), Context::Help);
    stage.press(KeyCode::Esc);
    assert_eq!(stage.app.context(), Context::Call);
    // `q` goes back as well, and out of the program at the top.
    assert_eq!(stage.press_all("q"), []);
    assert_eq!(stage.app.context(), Context::Calls);
    assert_eq!(stage.press(KeyCode::Esc), []);
    assert_eq!(stage.press_all("q"), [Effect::Quit]);
}

#[test]
fn each_view_keeps_what_was_opened_over_it() {
    let mut stage = Harness::new(80, 24);
    stage.press(KeyCode::Enter);
    stage.press_all("3");
    assert_eq!(stage.app.context(), Context::Connections);
    stage.press_all("1");
    assert_eq!(stage.app.context(), Context::Call);
    stage.press_all("1");
    assert_eq!(stage.app.context(), Context::Calls);
    // There is no sixth view.
    stage.press_all("6");
    assert_eq!(stage.app.context(), Context::Calls);
}

#[test]
fn a_number_goes_to_a_row_of_the_view_it_was_begun_in() {
    let mut stage = Harness::new(80, 24);
    stage.press_all("4");
    // A look at what is there.
    stage.clock += Duration::from_secs(2);
    stage.press_all("25");
    assert!(stage.screen(80, 24).ends_with("25  G goes to this number\n"));
    stage.press_all("G");
    assert_eq!(stage.told(), ["Packets: GoTo(25)"]);
    stage.press_all(":7");
    stage.press(KeyCode::Enter);
    assert_eq!(stage.told(), ["Packets: GoTo(7)"]);
}

#[test]
fn commands_can_be_typed() {
    let command = |text: &str| {
        let mut stage = Harness::new(80, 24);
        stage.press_all(":");
        stage.press_all(text);
        let effects = stage.press(KeyCode::Enter);
        (effects, stage.told().join(" "), stage.screen(80, 24).lines().last().unwrap().to_owned())
    };
    assert_eq!(command("q").0, [Effect::Quit]);
    assert_eq!(command("o a b.pcap").0, [Effect::Read("a b.pcap".to_owned())]);
    assert_eq!(command("w").1, "Calls: Save");
    assert_eq!(command("w x.csv").1, "Calls: save=x.csv");
    assert_eq!(command("w").2, "nothing to save");
    assert!(command("nonsense").2.starts_with("No such command: nonsense"));
}

#[test]
fn forgetting_asks_first() {
    let mut stage = Harness::new(80, 24);
    let clear = |stage: &mut Harness| stage.chord(KeyCode::Char('l'), KeyModifiers::CONTROL);
    assert_eq!(clear(&mut stage), []);
    assert!(stage.screen(80, 24).ends_with("so far? (y/n)\n"));
    assert_eq!(stage.press(KeyCode::Enter), []);
    assert!(!stage.app.is_asking());
    clear(&mut stage);
    assert_eq!(stage.press_all("y"), [Effect::Clear]);
}

#[test]
fn the_source_is_paused_stepped_and_played() {
    let mut stage = Harness::new(80, 24);
    assert_eq!(stage.press_all("."), []);
    assert_eq!(stage.press_all("p"), [Effect::Pause(true)]);
    stage.status.paused = true;
    assert_eq!(stage.press_all("p"), [Effect::Pause(false)]);
    assert_eq!(stage.press_all("."), [Effect::Step]);
    // Behind the end there is nothing to wait for.
    stage.status.paused = false;
    let before = std::mem::replace(&mut stage.status.activity, Activity::Ended);
    assert_eq!(stage.press_all("p"), []);
    assert!(stage.screen(80, 24).ends_with("it has ended\n"));
    (stage.status.paused, stage.status.activity) = (true, before);
    // A live capture has its own pace.
    assert_eq!(stage.press_all("+"), []);
    stage.status.activity = Activity::Reading(1, Some(2));
    stage.status.speed = Some(1.0);
    assert_eq!(stage.press_all("+"), [Effect::Speed(Some(2.0))]);
    assert_eq!(stage.press_all("-"), [Effect::Speed(Some(0.5))]);
    stage.status.speed = Some(1_000.0);
    assert_eq!(stage.press_all("+"), [Effect::Speed(None)]);
    stage.status.speed = None;
    assert_eq!(stage.press_all("-"), [Effect::Speed(Some(1_000.0))]);
    stage.status.speed = Some(0.1);
    assert_eq!(stage.press_all("-"), [Effect::Speed(Some(0.1))]);
}

#[test]
fn a_view_can_show_calls() {
    let mut stage = Harness::new(80, 24);
    stage.press(KeyCode::Enter);
    stage.press_all("2");
    stage.told();
    stage.press_all("z");
    assert_eq!(stage.told(), ["Patterns: Zoom", "Calls: filter=pattern == \"sum\""]);
    assert_eq!(stage.app.context(), Context::Calls);
}

#[test]
fn the_mouse_reaches_names_and_the_view() {
    let mut stage = Harness::new(80, 24);
    let names = stage.screen(80, 24).lines().nth(2).unwrap().to_owned();
    let at = u16::try_from(names.find("Connections").unwrap()).unwrap();
    stage.click(at, 2);
    assert_eq!(stage.app.context(), Context::Connections);
    stage.click(5, 4);
    stage.click(5, 4);
    stage.click(5, 4);
    stage.mouse(MouseEventKind::ScrollUp, 5, 4);
    let told = stage.told().join("\n");
    insta::assert_snapshot!("mouse", told);
    // Not in the same moment: two clicks.
    stage.click(5, 4);
    stage.clock += Duration::from_secs(1);
    stage.click(5, 4);
    assert!(stage.told().iter().all(|told| told.contains(": Click")));
    // Not while a line is typed: it would be lost.
    stage.press_all("1/");
    stage.told();
    stage.click(5, 4);
    stage.click(1, 2);
    assert_eq!(stage.told(), [""; 0]);
    assert!(stage.app.is_asking());
}

#[test]
fn it_can_be_drawn_at_any_size() {
    for columns in 0..130 {
        for rows in 0..30 {
            let mut stage = Harness::new(columns, rows);
            stage.screen(columns, rows);
            stage.click(columns / 2, rows / 2);
            stage.press_all("?");
            stage.screen(columns, rows);
            stage.press_all("?/");
            stage.screen(columns, rows);
            // A terminal that became smaller before anybody said so.
            stage.screen(columns / 2, rows / 2);
        }
    }
}

#[test]
fn it_looks_like_this() {
    for (columns, rows) in [(80, 24), (120, 40), (200, 60), (59, 12), (8, 2)] {
        let mut stage = Harness::new(columns, rows);
        stage.press(KeyCode::Enter);
        insta::assert_snapshot!(format!("shell_{columns}x{rows}"), stage.screen(columns, rows));
    }
    let mut ascii = Harness::with(Theme::new(false, true), 80, 24);
    ascii.status.activity = Activity::Reading(50, Some(100));
    ascii.status.speed = Some(10.0);
    ascii.status.paused = true;
    ascii.status.waiting = 1_234;
    ascii.status.kernel_drops = None;
    ascii.status.resident = None;
    ascii.press(KeyCode::Enter);
    ascii.press_all("y");
    let screen = ascii.screen(80, 24);
    assert!(screen.is_ascii());
    insta::assert_snapshot!("shell_ascii_playing", screen);
}

#[test]
fn losses_and_states_have_their_colours() {
    let mut stage = Harness::with(Theme::new(true, false), 80, 24);
    stage.status.kernel_drops = Some(3);
    let buf = stage.buffer(80, 24);
    let style_of = |text: &str| {
        let screen = shown(&buf);
        let (y, line) = screen.lines().enumerate().find(|(_, line)| line.contains(text)).unwrap();
        let x = line[..line.find(text).unwrap()].chars().count();
        buf[(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())].clone()
    };
    assert_eq!(style_of("3 kernel drops").fg, Color::Red);
    assert_eq!(style_of("0 errors").fg, Color::Reset);
    assert_eq!(style_of("live").fg, Color::Green);
    assert!(style_of("1 Calls").modifier.contains(Modifier::REVERSED));
    assert!(style_of("2 Patterns").modifier.contains(Modifier::DIM));
    assert_eq!(style_of("? help").fg, Color::Cyan);
}

#[test]
fn esc_and_a_key_in_one_read_are_both_taken() {
    let keys: BTreeSet<_> = TABLE.iter().flat_map(|row| row.keys).copied().collect();
    let single = keys.into_iter().filter(|key| !key.contains(' '));
    for name in single {
        let Some(event) = key_named(name) else { continue };
        // A terminal sends Esc and the key, which comes in as the key with Alt.
        let mut one = Harness::new(80, 24);
        one.press_all("/");
        one.press(KeyCode::Esc);
        one.press(KeyCode::Enter);
        one.told();
        let mut two = Harness::new(80, 24);
        two.press(KeyCode::Enter);
        two.told();
        one.press(KeyCode::Esc);
        let apart = one.chord(event.code, event.modifiers);
        let at_once = two.chord(event.code, event.modifiers | KeyModifiers::ALT);
        assert_eq!(at_once, apart, "{name}");
        assert_eq!(two.told(), one.told(), "{name}");
        assert_eq!(two.screen(80, 24), one.screen(80, 24), "{name}");
    }
}

#[test]
fn esc_and_a_key_in_one_read_leave_a_line_and_what_edits_it_does_not() {
    let mut stage = Harness::new(80, 24);
    stage.press_all("/");
    stage.told();
    stage.chord(KeyCode::Char('b'), KeyModifiers::ALT);
    assert!(stage.app.is_asking(), "a word back");
    stage.chord(KeyCode::Char('j'), KeyModifiers::ALT);
    assert!(!stage.app.is_asking());
    assert_eq!(stage.told(), ["Calls: Down"]);
}

/// The key that [`name`] calls so, where it comes behind ESC as one key with Alt: the keys that are
/// sequences of their own do not.
fn key_named(text: &str) -> Option<KeyEvent> {
    let control =
        |c: char| KeyEvent::new(KeyCode::Char(c.to_ascii_lowercase()), KeyModifiers::CONTROL);
    let event = match (text, text.chars().collect::<Vec<_>>().as_slice()) {
        ("Space", _) => KeyCode::Char(' ').into(),
        ("Enter", _) => KeyCode::Enter.into(),
        ("Tab", _) => KeyCode::Tab.into(),
        (_, ['^', c]) => control(*c),
        (_, [c]) => KeyCode::Char(*c).into(),
        _ => return None,
    };
    assert_eq!(name(&event).as_deref(), Some(text));
    Some(event)
}

#[test]
fn who_leaves_a_capture_that_nothing_saves_is_asked() {
    let raws = harness::fixture("walkthrough.pcap");
    let mut stage = Harness::new(80, 24);
    stage.status.is_unsaved = true;
    assert_eq!(stage.press_all("q"), [Effect::Quit], "nothing came that could be lost");
    for (number, (at, link, data)) in (1..).zip(&raws) {
        let packet = Packet {
            number: PacketNumber(number),
            at: *at,
            link: *link,
            point: PointId(0),
            data,
            original_len: u32::try_from(data.len()).unwrap(),
        };
        stage.capture.packet(&packet, Kept::Memory);
    }
    for (keys, effects) in [("qq", vec![Effect::Quit]), ("qy", vec![Effect::Quit]), ("qj", vec![])]
    {
        assert_eq!(stage.press_all(&keys[..1]), []);
        assert!(stage.screen(80, 24).contains("Quit? 14 packets are saved nowhere"));
        assert_eq!(stage.press_all(&keys[1..]), effects, "{keys}");
        assert!(!stage.app.is_asking());
    }
    stage.press_all(":q");
    assert_eq!(stage.press(KeyCode::Enter), [], ":q asks too");
    stage.press(KeyCode::Esc);
    stage.press_all(":q!");
    assert_eq!(stage.press(KeyCode::Enter), [Effect::Quit]);
    assert_eq!(stage.chord(KeyCode::Char('c'), KeyModifiers::CONTROL), [Effect::Quit]);
    stage.status.is_unsaved = false;
    assert_eq!(stage.press_all("q"), [Effect::Quit], "a file, or -w");
}

#[test]
fn a_proposal_gives_way_to_what_is_typed_and_an_arrow_keeps_it() {
    let line = |keys: &[KeyCode]| {
        let question = Question::filter(Rows::Calls, "pattern == \"sum\"").proposing();
        let mut asking = Asking::new(question, &Filters);
        for key in keys {
            asking.key(&(*key).into(), &mut History::default(), &Filters, &CaptureStore::default());
        }
        asking.text().to_owned()
    };
    assert_eq!(line(&[KeyCode::Char('n')]), "n");
    assert_eq!(line(&[KeyCode::End, KeyCode::Char('x')]), "pattern == \"sum\"x");
    assert_eq!(line(&[KeyCode::Backspace]), "pattern == \"sum");
}

#[test]
fn a_file_that_cannot_be_written_is_asked_for_again() {
    let calls = crate::tui::views::calls::Calls::new(jiff::tz::TimeZone::UTC, Rc::new(|job| job()));
    let mut stage = harness::Harness::over(Box::new(calls), "walkthrough.pcap", (80, 24));
    let saved = |stage: &mut harness::Harness| match stage.effects.pop() {
        Some(Effect::Save { path, overwrite, .. }) => (path, overwrite),
        other => panic!("{other:?}"),
    };
    stage.keys("wx.csv<Enter>");
    assert_eq!(saved(&mut stage), ("x.csv".to_owned(), false));
    stage.with(|app, _| app.refuse_saving("x.csv is there already".to_owned(), true));
    assert!(stage.screen().contains("x.csv is there already"));
    assert!(stage.footer().ends_with(" x.csv"), "{}", stage.footer());
    stage.keys("<Enter>");
    assert_eq!(saved(&mut stage), ("x.csv".to_owned(), true));
    // What is typed anew is another file.
    stage.with(|app, _| app.refuse_saving("x.csv is there already".to_owned(), true));
    stage.keys("2<Enter>");
    assert_eq!(saved(&mut stage), ("x.csv2".to_owned(), false));
}
