//! What holds the views together: which one is shown, what stands around it, and who gets a key.
//!
//! ```text
//!  ┌ header: source, numbers, losses ┐        a key goes to   1. ^C
//!  │ names of the views              │                        2. the question, if one is open
//!  │                                 │                        3. the app: views, help, pause, quit
//!  │ the view                        │                        4. the view on top
//!  │                                 │
//!  └ keys │ notice │ question        ┘        views:  base 1 ─► opened ─► opened  (Esc goes back)
//!                                                     base 2 …
//! ```

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::report::size;
use crate::store::CaptureStore;
use crate::time::Timestamp;
use crate::tui::filters::Filters;
use crate::tui::header;
use crate::tui::keys::{self, Action, Context, Pressed, Reader};
use crate::tui::question::{Asking, Checker, History, Outcome};
use crate::tui::status::{Activity, Status};
use crate::tui::text::{Align, LineBuilder};
use crate::tui::theme::Theme;
use crate::tui::view::{Command, Effect, Mouse, Question, QuestionKind, Scene, Traffic, View};
use crate::tui::views::help::Help;

/// The least that the screen needs: columns and rows.
pub const LEAST: (u16, u16) = (60, 12);

/// Views that may lie over each other: more than anybody goes down.
const DEPTH: usize = 32;

/// Two clicks in the same place within this time are one double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);

/// Digits that come later begin a number anew: `4`, a look at view 4, `25G`.
const ONE_NUMBER: Duration = Duration::from_millis(1_500);

/// Lines that one notch of the wheel moves.
const WHEEL: i32 = 3;

/// A snapshot handed to every call: the data, the status line, the time.
#[derive(Clone, Copy)]
pub struct Present<'a> {
    /// What is known of the capture.
    pub capture: &'a CaptureStore,
    /// What the header tells of the source.
    pub status: &'a Status,
    /// The time: of the clock on a live capture, of the last packet in a file.
    pub now: Timestamp,
    /// The time since the program started, by the clock: tells a double click from two clicks.
    pub clock: Duration,
}

/// A view of the first level, and what was opened over it.
struct Tab {
    base: Box<dyn View>,
    /// The last one is shown.
    opened: Vec<Box<dyn View>>,
}

impl Tab {
    fn top(&self) -> &dyn View {
        self.opened.last().unwrap_or(&self.base).as_ref()
    }

    /// Whether one exchange is shown, opened straight from the base view.
    fn is_call(&self) -> bool {
        matches!(self.opened.as_slice(), [call] if call.context() == Context::Call)
    }

    fn top_mut(&mut self) -> &mut dyn View {
        self.opened.last_mut().unwrap_or(&mut self.base).as_mut()
    }

    fn views_mut(&mut self) -> impl Iterator<Item = &mut Box<dyn View>> {
        std::iter::once(&mut self.base).chain(&mut self.opened)
    }
}

/// Makes the view of the exchange with a number.
type MakeCall = Box<dyn Fn(u64) -> Box<dyn View>>;

/// Makes the view of the stream of the connection with a serial number.
type MakeStream = Box<dyn Fn(u32) -> Box<dyn View>>;

/// The screen.
pub struct App {
    theme: Theme,
    area: Rect,
    tabs: Vec<Tab>,
    /// `shown < tabs.len()` while there are any.
    shown: usize,
    /// The view that was shown when the first digit of a number was typed.
    home: usize,
    reader: Reader,
    /// When the last key came.
    typed: Duration,
    asking: Option<Asking>,
    history: History,
    checker: Box<dyn Checker>,
    /// Makes the view of one exchange.
    call: Option<MakeCall>,
    stream: Option<MakeStream>,
    notice: Option<String>,
    /// Where and when the last click was.
    clicked: Option<(Position, Duration)>,
}

impl App {
    /// A screen with these views on the keys 1, 2, …; the first one is shown.
    pub fn new(theme: Theme, views: Vec<Box<dyn View>>) -> Self {
        let mut app = Self {
            theme,
            area: Rect::default(),
            tabs: Vec::new(),
            shown: 0,
            home: 0,
            reader: Reader::default(),
            typed: Duration::ZERO,
            asking: None,
            history: History::default(),
            checker: Box::new(Filters),
            call: None,
            stream: None,
            notice: None,
            clicked: None,
        };
        app.show(views);
        app
    }

    /// Lets `checker` judge what is typed, in place of [`Filters`].
    #[must_use]
    pub fn with_checker(mut self, checker: Box<dyn Checker>) -> Self {
        self.checker = checker;
        self
    }

    /// Shows one exchange in the view that `call` makes for its number.
    #[must_use]
    pub fn with_call(mut self, call: impl Fn(u64) -> Box<dyn View> + 'static) -> Self {
        self.call = Some(Box::new(call));
        self
    }

    /// Shows the stream of a connection in the view that `stream` makes for its serial number.
    #[must_use]
    pub fn with_stream(mut self, stream: impl Fn(u32) -> Box<dyn View> + 'static) -> Self {
        self.stream = Some(Box::new(stream));
        self
    }

    /// Shows other views in place of the present ones: those of a capture after the start page.
    pub fn show(&mut self, views: Vec<Box<dyn View>>) {
        self.tabs = views.into_iter().map(|base| Tab { base, opened: Vec::new() }).collect();
        self.shown = 0;
        self.asking = None;
        self.notice = None;
        self.reader.forget();
    }

    /// Says something in the footer, until the next key.
    pub fn notice(&mut self, text: impl Into<String>) {
        self.notice = Some(text.into());
    }

    /// The terminal has this many columns and rows now.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.area = Rect::new(0, 0, columns, rows);
    }

    /// Whether a line is being typed.
    pub const fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// Takes a key.
    pub fn key(&mut self, event: KeyEvent, present: Present<'_>) -> Vec<Effect> {
        self.clicked = None;
        if keys::name(&event)
            .is_some_and(|name| keys::lookup(self.context(), &name) == Some(Action::QuitNow))
        {
            return vec![Effect::Quit];
        }
        if self.asking.is_some() {
            return self.key_of_answer(&event, present);
        }
        self.forget_old_digits(present.clock);
        self.typed = present.clock;
        let before = self.shown;
        let begins = self.reader.digits().is_empty();
        let pressed = self.reader.press(self.context(), &event);
        if begins && !self.reader.digits().is_empty() {
            self.home = before;
        }
        self.notice = None;
        match pressed {
            Pressed::Act(action) => self.act(action, present),
            Pressed::Wait | Pressed::Nothing => Vec::new(),
        }
    }

    /// Takes what was pasted: into a line that is open, and nowhere else.
    pub fn paste(&mut self, text: &str) {
        if let Some(asking) = &mut self.asking {
            asking.paste(text, self.checker.as_ref());
        }
    }

    /// Takes what the mouse did.
    pub fn mouse(&mut self, event: MouseEvent, present: Present<'_>) -> Vec<Effect> {
        let at = Position::new(event.column, event.row);
        let last = match event.kind {
            MouseEventKind::Up(_) | MouseEventKind::Moved => self.clicked,
            _ => self.clicked.take(),
        };
        let mouse = match event.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                let time = present.clock;
                let again = last.is_some_and(|(before, then)| {
                    before == at && time.saturating_sub(then) <= DOUBLE_CLICK
                });
                if again {
                    Mouse::DoubleClick(at)
                } else {
                    self.clicked = Some((at, time));
                    Mouse::Click(at)
                }
            }
            MouseEventKind::ScrollDown => Mouse::Wheel(at, WHEEL),
            MouseEventKind::ScrollUp => Mouse::Wheel(at, -WHEEL),
            _ => return Vec::new(),
        };
        // A line that is being typed is left by key alone: no click loses it.
        if self.asking.is_some() || self.is_too_small() {
            return Vec::new();
        }
        self.notice = None;
        if self.body().contains(at) {
            let scene = scene(&self.theme, present, self.body());
            let commands =
                self.tabs.get_mut(self.shown).map(|tab| tab.top_mut().mouse(mouse, &scene));
            return self.run(commands.unwrap_or_default(), present);
        }
        if at.y == self.area.y + header::ROWS
            && matches!(mouse, Mouse::Click(_) | Mouse::DoubleClick(_))
        {
            let tab = self.names(present).into_iter().find(|name| name.holds(at.x));
            if let Some(tab) = tab {
                self.choose(tab.tab);
            }
        }
        Vec::new()
    }

    /// Exchanges changed, packets came, time passed or the room changed: to be called before
    /// [`draw`](Self::draw).
    pub fn refresh(&mut self, changed: &[u64], present: Present<'_>) {
        self.forget_old_digits(present.clock);
        let scene = scene(&self.theme, present, self.body());
        for (index, tab) in self.tabs.iter_mut().enumerate() {
            let top = tab.opened.len();
            for (depth, view) in tab.views_mut().enumerate() {
                if index == self.shown && depth == top {
                    view.refresh(changed, &scene);
                } else {
                    view.keep_up(changed, &scene);
                }
            }
        }
    }

    /// Whether the view that is shown wants to be refreshed again at once.
    pub fn is_at_work(&self) -> bool {
        self.tabs.get(self.shown).is_some_and(|tab| tab.top().is_at_work())
    }

    /// What the interfaces of this host carried so far, at a time of the clock.
    pub fn traffic(&mut self, traffic: &[Traffic], clock: Duration) {
        for view in self.tabs.iter_mut().flat_map(Tab::views_mut) {
            view.traffic(traffic, clock);
        }
    }

    /// Puts the screen into `buf`, whose area is that of the terminal.
    pub fn draw(&self, present: Present<'_>, buf: &mut Buffer) {
        if self.is_too_small() {
            return self.draw_too_small(buf);
        }
        if self.area.intersection(buf.area) != self.area {
            // The terminal became smaller, and nobody said so yet.
            return;
        }
        header::draw(&present, &self.theme, self.area, buf);
        self.draw_names(present, buf);
        if let Some(tab) = self.tabs.get(self.shown) {
            tab.top().draw(&scene(&self.theme, present, self.body()), buf);
        }
        let footer = Rect { y: self.area.bottom() - 1, height: 1, ..self.area };
        match (&self.asking, &self.notice) {
            (Some(asking), _) => {
                // The row above it is lent by the view: nothing moves.
                asking.draw(Rect { y: footer.y - 1, height: 2, ..footer }, &self.theme, buf);
            }
            (None, Some(notice)) => {
                let mut pen = LineBuilder::new(footer.width, &self.theme.symbols);
                pen.put(notice, self.theme.heading);
                pen.draw(buf, footer.x, footer.y, Align::Left);
            }
            (None, None) => self.draw_keys(footer, buf),
        }
    }

    /// The keys that mean something where the screen is.
    pub fn context(&self) -> Context {
        self.tabs.get(self.shown).map_or(Context::Start, |tab| tab.top().context())
    }

    /// The room of the view.
    pub fn body(&self) -> Rect {
        let above = header::ROWS + 1;
        Rect {
            y: self.area.y + above.min(self.area.height),
            height: self.area.height.saturating_sub(above + 1),
            ..self.area
        }
    }

    const fn is_too_small(&self) -> bool {
        self.area.width < LEAST.0 || self.area.height < LEAST.1
    }
}

/// Keys and what they lead to.
impl App {
    fn forget_old_digits(&mut self, clock: Duration) {
        if !self.reader.digits().is_empty() && clock.saturating_sub(self.typed) > ONE_NUMBER {
            self.reader.forget();
        }
    }

    fn key_of_answer(&mut self, event: &KeyEvent, present: Present<'_>) -> Vec<Effect> {
        let Some(asking) = &mut self.asking else { return Vec::new() };
        let outcome = asking.key(event, &mut self.history, self.checker.as_ref(), present.capture);
        if outcome == Outcome::Open {
            return Vec::new();
        }
        let Some(asking) = self.asking.take() else { return Vec::new() };
        let Outcome::Answered(text) = outcome else { return Vec::new() };
        match asking.question().id {
            COMMAND => self.command(&text, present),
            CLEAR => vec![Effect::Clear],
            _ => self.answer(asking.question(), &text, present),
        }
    }

    /// Gives an answer to the view that is shown, which asked for it.
    fn answer(&mut self, question: &Question, text: &str, present: Present<'_>) -> Vec<Effect> {
        let scene = scene(&self.theme, present, self.body());
        let Some(tab) = self.tabs.get_mut(self.shown) else { return Vec::new() };
        let commands = tab.top_mut().answer(question, text, &scene);
        self.run(commands, present)
    }

    fn act(&mut self, action: Action, present: Present<'_>) -> Vec<Effect> {
        match action {
            Action::QuitNow => return vec![Effect::Quit],
            Action::Quit => {
                return if self.close() { Vec::new() } else { vec![Effect::Quit] };
            }
            Action::View(number) => self.choose(usize::from(number).saturating_sub(1)),
            Action::Help => self.help(present),
            Action::CommandLine => self.ask_for_command(),
            Action::Clear => self.ask(Question::new(
                CLEAR,
                QuestionKind::Confirm,
                "Forget every call and every number so far? (y/n)",
                "",
            )),
            Action::Pause if present.status.activity == Activity::Ended => {
                self.notice("Nothing to pause: it has ended");
            }
            Action::Pause => return vec![Effect::Pause(!present.status.paused)],
            Action::Step if present.status.paused => return vec![Effect::Step],
            Action::Step => self.notice("Pause first (p), then . takes in one packet more"),
            Action::Faster | Action::Slower => {
                return self.change_speed(action == Action::Faster, present.status);
            }
            Action::GoTo(_) => {
                self.shown = self.home.min(self.tabs.len().saturating_sub(1));
                return self.act_of_view(action, present);
            }
            _ => return self.act_of_view(action, present),
        }
        Vec::new()
    }

    fn act_of_view(&mut self, action: Action, present: Present<'_>) -> Vec<Effect> {
        let scene = scene(&self.theme, present, self.body());
        let Some(tab) = self.tabs.get_mut(self.shown) else { return Vec::new() };
        let step = match action {
            Action::NextCall if tab.is_call() => tab.base.step(true, &scene),
            Action::PreviousCall if tab.is_call() => tab.base.step(false, &scene),
            _ => None,
        };
        let action = step.map_or(action, Action::GoTo);
        let commands = tab.top_mut().act(action, &scene);
        self.run(commands, present)
    }

    /// Does what a view asked for.
    fn run(&mut self, commands: Vec<Command>, present: Present<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for command in commands {
            match command {
                Command::Open(view) => self.open(view, present),
                Command::OpenCall(number) => {
                    if let Some(view) = self.call.as_ref().map(|call| call(number)) {
                        self.open(view, present);
                    }
                }
                Command::OpenStream(serial) => {
                    if let Some(view) = self.stream.as_ref().map(|stream| stream(serial)) {
                        self.open(view, present);
                    }
                }
                Command::Close => _ = self.close(),
                Command::Notice(text) => self.notice = Some(text),
                Command::Ask(question) => self.ask(question),
                Command::ShowCalls(filter) => effects.extend(self.show_calls(&filter, present)),
                Command::Effect(effect) => {
                    // No terminal answers that it took a text: the user sees what was sent.
                    if let Effect::Copy(text) = &effect {
                        self.notice = Some(copied(text));
                    }
                    effects.push(effect);
                }
            }
        }
        effects
    }

    fn open(&mut self, mut view: Box<dyn View>, present: Present<'_>) {
        view.refresh(&[], &scene(&self.theme, present, self.body()));
        let Some(tab) = self.tabs.get_mut(self.shown) else { return };
        if tab.opened.len() == DEPTH {
            tab.opened.remove(0);
        }
        tab.opened.push(view);
    }

    /// Goes back one level; whether there was one.
    fn close(&mut self) -> bool {
        self.tabs.get_mut(self.shown).is_some_and(|tab| tab.opened.pop().is_some())
    }

    /// Shows a view of the first level, with what was opened over it; where it is shown already,
    /// without.
    fn choose(&mut self, index: usize) {
        if index == self.shown
            && let Some(tab) = self.tabs.get_mut(index)
        {
            tab.opened.clear();
        }
        if index < self.tabs.len() {
            self.shown = index;
        }
    }

    /// Shows the calls that `filter` lets through, as if it had been typed there.
    fn show_calls(&mut self, filter: &str, present: Present<'_>) -> Vec<Effect> {
        let calls = self.tabs.iter().position(|tab| tab.base.context() == Context::Calls);
        let Some(calls) = calls else { return Vec::new() };
        if let Some(tab) = self.tabs.get_mut(calls) {
            tab.opened.clear();
        }
        self.shown = calls;
        self.answer(&Question::filter(filter), filter, present)
    }

    fn help(&mut self, present: Present<'_>) {
        let context = self.context();
        if context == Context::Help {
            self.close();
        } else {
            self.open(Box::new(Help::new(context, &self.checker.help())), present);
        }
    }

    fn ask(&mut self, question: Question) {
        self.asking = Some(Asking::new(question, self.checker.as_ref()));
    }

    fn ask_for_command(&mut self) {
        self.home = self.shown;
        let question = if self.context() == Context::Start {
            Question::new(FILE, QuestionKind::File, "Capture file:", "")
        } else {
            Question::new(COMMAND, QuestionKind::GoTo, ":", "")
        };
        self.ask(question);
    }

    /// Does what was typed after `:`.
    fn command(&mut self, text: &str, present: Present<'_>) -> Vec<Effect> {
        if let Ok(number) = text.parse() {
            return self.act(Action::GoTo(number), present);
        }
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let action = match word {
            "" => return Vec::new(),
            "q" | "quit" | "q!" | "qa" => Action::QuitNow,
            "w" | "save" if rest.trim().is_empty() => Action::Save,
            "w" | "save" => return self.answer(&Question::save(rest), rest.trim(), present),
            "help" | "h" => Action::Help,
            "clear" => Action::Clear,
            "pause" => Action::Pause,
            "filter" => Action::Filter,
            "o" | "open" | "e" if !rest.trim().is_empty() => {
                return vec![Effect::Read(rest.trim().to_owned())];
            }
            _ => {
                self.notice(format!(
                    "No such command: {text}. A number, q, w, o FILE, clear, help"
                ));
                return Vec::new();
            }
        };
        self.act(action, present)
    }

    fn change_speed(&mut self, faster: bool, status: &Status) -> Vec<Effect> {
        if !matches!(status.activity, Activity::Reading(..)) {
            self.notice("Only a file that is being read can be played faster or slower");
            return Vec::new();
        }
        let speed = if faster {
            status.speed.and_then(|speed| SPEEDS.into_iter().find(|next| *next > speed))
        } else {
            let below = |speed: f64| SPEEDS.into_iter().rev().find(|next| *next < speed);
            Some(status.speed.map_or(SPEEDS.last().copied(), below).unwrap_or(SLOWEST))
        };
        self.notice(match speed {
            Some(speed) => format!("Playing at {speed} times its own pace"),
            None => "Playing as fast as it can be read".to_owned(),
        });
        vec![Effect::Speed(speed)]
    }
}

/// The pace that a file can be played at, by `+` and `-`; behind the last one there is no bound.
const SPEEDS: [f64; 9] = [SLOWEST, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0, 1_000.0];
const SLOWEST: f64 = 0.1;

/// Questions that the app asks itself, and the one that the start page answers.
const COMMAND: &str = "command";
const CLEAR: &str = "clear";
const FILE: &str = "file";

/// The name of a view in the line of names.
struct Name {
    tab: usize,
    text: String,
    from: u16,
    width: u16,
}

impl Name {
    fn holds(&self, x: u16) -> bool {
        (self.from..self.from.saturating_add(self.width)).contains(&x)
    }
}

/// What stands around the view.
impl App {
    /// The names of the views, and behind that of the shown one what was opened over it.
    fn names(&self, present: Present<'_>) -> Vec<Name> {
        let scene = scene(&self.theme, present, self.body());
        let arrow = self.theme.symbols.right;
        let mut x = self.area.x;
        let name = |(index, tab): (usize, &Tab)| {
            let mut text = match self.tabs.len() {
                1 => tab.base.title(&scene),
                _ => format!("{} {}", index + 1, tab.base.title(&scene)),
            };
            if index == self.shown {
                for view in &tab.opened {
                    text.push_str(&format!(" {arrow} {}", view.title(&scene)));
                }
            }
            let room = self.area.right().saturating_sub(x);
            let mut pen = LineBuilder::new(room, &self.theme.symbols);
            let width = u16::try_from(pen.put(&format!(" {text} "), Style::new()).width());
            let name = Name { tab: index, text, from: x, width: width.unwrap_or(room) };
            x = x.saturating_add(name.width).saturating_add(1);
            name
        };
        self.tabs.iter().enumerate().map(name).collect()
    }

    fn draw_names(&self, present: Present<'_>, buf: &mut Buffer) {
        let y = self.area.y + header::ROWS;
        for name in self.names(present) {
            let style = if name.tab == self.shown { self.theme.selected } else { self.theme.dim };
            let mut pen = LineBuilder::new(name.width, &self.theme.symbols);
            pen.put(&format!(" {} ", name.text), style);
            pen.draw(buf, name.from, y, Align::Left);
        }
    }

    /// The keys that work here, or how a half-typed one can go on.
    fn draw_keys(&self, area: Rect, buf: &mut Buffer) {
        let mut pen = LineBuilder::new(area.width, &self.theme.symbols);
        let offers = match self.reader.first() {
            Some(first) => {
                pen.put(first, self.theme.key).put(" then  ", Style::new());
                keys::continuations(self.context(), first)
            }
            None if self.reader.digits().len() > 1 => {
                pen.put(self.reader.digits(), self.theme.key).put("  ", Style::new());
                vec![("G", "goes to this number")]
            }
            None => keys::footer(self.context(), usize::from(area.width)),
        };
        for (nth, (key, short)) in offers.into_iter().enumerate() {
            if nth > 0 {
                pen.put("  ", Style::new());
            }
            pen.put(key, self.theme.key).put(" ", Style::new()).put(short, Style::new());
        }
        pen.draw(buf, area.x, area.y, Align::Left);
    }

    fn draw_too_small(&self, buf: &mut Buffer) {
        let sign = if self.theme.symbols.is_ascii { 'x' } else { '×' };
        let size = |(columns, rows): (u16, u16)| format!("{columns}{sign}{rows}");
        let lines = [
            format!("Too small: {}", size((self.area.width, self.area.height))),
            format!("nestscope needs {}", size(LEAST)),
        ];
        for (y, line) in (self.area.y..self.area.bottom()).zip(lines) {
            let mut pen = LineBuilder::new(self.area.width, &self.theme.symbols);
            pen.put(&line, self.theme.warning);
            pen.draw(buf, self.area.x, y, Align::Left);
        }
    }
}

/// What is said of a text that was copied: how much it is, and how it begins.
fn copied(text: &str) -> String {
    let bytes = size(u64::try_from(text.len()).unwrap_or(u64::MAX));
    let start: String = text.chars().take(BEGINNING).collect();
    format!("Copied {bytes}: {start}")
}

/// Characters of a text that was copied: more than a row shows.
const BEGINNING: usize = 1_000;

const fn scene<'a>(theme: &'a Theme, present: Present<'a>, area: Rect) -> Scene<'a> {
    Scene { capture: present.capture, status: present.status, now: present.now, theme, area }
}
