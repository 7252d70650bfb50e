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

mod actions;
mod frame;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::{Position, Rect};

use crate::endpoint::ConnectionNumber;
use crate::exchange::ExchangeNumber;
use crate::store::CaptureStore;
use crate::time::Timestamp;
use crate::tui::filters::Filters;
use crate::tui::header;
use crate::tui::keys::{self, Action, Context, Pressed, Reader};
use crate::tui::question::{Asking, Checker, History, Refusal};
use crate::tui::status::Status;
use crate::tui::text::{Align, LineBuilder};
use crate::tui::theme::Theme;
use crate::tui::view::{Effect, Mouse, Question, Scene, Traffic, View};

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
type MakeCall = Box<dyn Fn(ExchangeNumber) -> Box<dyn View>>;

/// Makes the view of the stream of the connection with a number.
type MakeStream = Box<dyn Fn(ConnectionNumber) -> Box<dyn View>>;

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
    /// The file that was to be written last, and what was asked: to ask again where it cannot be.
    saving: Option<(Question, String)>,
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
            saving: None,
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
    pub fn with_call(mut self, call: impl Fn(ExchangeNumber) -> Box<dyn View> + 'static) -> Self {
        self.call = Some(Box::new(call));
        self
    }

    /// Shows the stream of a connection in the view that `stream` makes for its number.
    #[must_use]
    pub fn with_stream(
        mut self,
        stream: impl Fn(ConnectionNumber) -> Box<dyn View> + 'static,
    ) -> Self {
        self.stream = Some(Box::new(stream));
        self
    }

    /// Shows other views in place of the present ones: those of a capture after the start page.
    pub fn show(&mut self, views: Vec<Box<dyn View>>) {
        self.tabs = views.into_iter().map(|base| Tab { base, opened: Vec::new() }).collect();
        self.shown = 0;
        self.asking = None;
        self.saving = None;
        self.notice = None;
        self.reader.forget();
    }

    /// Says something in the footer, until the next key.
    pub fn notice(&mut self, text: impl Into<String>) {
        self.notice = Some(text.into());
    }

    /// The file that was to be written cannot be: asks for its name again, with what was typed and
    /// the reason. Where it `may_insist`, the same name once more is one to overwrite.
    pub fn refuse_saving(&mut self, reason: String, may_insist: bool) {
        match self.saving.take() {
            Some((question, text)) if self.asking.is_none() => {
                let refusal = Refusal { reason, may_insist };
                self.notice = None;
                self.asking = Some(Asking::again(question, text, refusal, self.checker.as_ref()));
            }
            _ => self.notice(reason),
        }
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
        if event.modifiers.contains(KeyModifiers::ALT)
            && !(self.asking.is_some() && Asking::knows_alt(&event))
        {
            // Esc and a key that came in one read: to a terminal that is the same as Alt and the
            // key.
            let escape = KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE);
            let behind = KeyEvent { modifiers: event.modifiers - KeyModifiers::ALT, ..event };
            let mut effects = self.key(escape, present);
            effects.extend(self.key(behind, present));
            return effects;
        }
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
    pub fn refresh(&mut self, changed: &[ExchangeNumber], present: Present<'_>) {
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

const fn scene<'a>(theme: &'a Theme, present: Present<'a>, area: Rect) -> Scene<'a> {
    Scene { capture: present.capture, status: present.status, now: present.now, theme, area }
}
