//! The line in which the user types an answer: a filter, a number, a file name. While it is open it
//! gets every key, so that no letter of a text can do anything else.
//!
//! ```text
//!  ask ──► open ──Esc──► left, nothing changed
//!           │ ▲
//!     Enter │ └── not valid: the fault is shown, the line stays
//!           └───► answered ──► refused by who was to do it: open again, with what was typed
//! ```

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use tui_input::backend::crossterm::EventHandler;
use tui_input::{Input, InputRequest};
use unicode_width::UnicodeWidthChar;

use crate::report::is_acting;
use crate::store::CaptureStore;
use crate::tui::keys;
use crate::tui::text::{Align, LineBuilder};
use crate::tui::theme::Theme;
use crate::tui::view::{Question, QuestionKind, Rows};

/// Answers of one kind that are remembered.
const HISTORY: usize = 100;

/// Characters that a line takes. What is pasted by mistake ends there.
const CHARACTERS: usize = 4_096;

/// Why a text is no valid answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The bytes of the text that are at fault; empty where something is missing there.
    pub place: Range<usize>,
    /// A sentence for the user.
    pub reason: String,
}

/// What could stand in place of a part of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The bytes that it takes the place of.
    pub place: Range<usize>,
    /// What would stand there.
    pub text: String,
    /// What that means; may be empty.
    pub hint: &'static str,
}

/// Why an answer came to nothing though it was valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A sentence for the user.
    pub reason: String,
    /// Whether the same answer once more has its way.
    pub may_insist: bool,
}

/// Knows what a valid answer is, and how it could go on.
pub trait Checker {
    /// Whether `text` answers a question of this kind.
    ///
    /// # Errors
    ///
    /// Where it does not: the place and the reason.
    fn check(&self, kind: QuestionKind, text: &str) -> Result<(), Fault>;

    /// What could stand before `cursor`, a byte of `text`; the likeliest first.
    fn complete(
        &self,
        kind: QuestionKind,
        text: &str,
        cursor: usize,
        capture: &CaptureStore,
    ) -> Vec<Completion>;

    /// A name for a file to write: `wanted`, or one like it where that is taken.
    fn free_name(&self, wanted: &str) -> String {
        wanted.to_owned()
    }

    /// What a filter over `rows` can say, for the help: a word or a line of it, and a sentence; a
    /// heading has none.
    fn help(&self, _rows: Rows) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// The answers of this run, by kind, the latest last.
#[derive(Clone, Debug, Default)]
pub struct History {
    answers: HashMap<QuestionKind, VecDeque<String>>,
}

impl History {
    fn of(&self, kind: QuestionKind) -> impl DoubleEndedIterator<Item = &String> {
        self.answers.get(&kind).into_iter().flatten()
    }

    fn add(&mut self, kind: QuestionKind, answer: &str) {
        if answer.is_empty() || kind == QuestionKind::Confirm {
            return;
        }
        let answers = self.answers.entry(kind).or_default();
        answers.retain(|known| known != answer);
        answers.push_back(answer.to_owned());
        if answers.len() > HISTORY {
            answers.pop_front();
        }
    }
}

/// What came of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The line stays open.
    Open,
    /// The user left it.
    Left,
    /// The answer, valid by the checker.
    Answered(String),
}

/// A question and what is typed so far.
#[derive(Debug)]
pub struct Asking {
    question: Question,
    input: Input,
    /// Whether what stands in the line is still the proposal.
    is_proposal: bool,
    fault: Option<Fault>,
    refusal: Option<Refusal>,
    /// Steps back in the history; 0 for what is being typed.
    back: usize,
    /// What was typed before the history was walked.
    typed: String,
    /// What Tab offers, and which of it stands in the line.
    completions: Vec<Completion>,
    taken: Option<usize>,
}

impl Asking {
    /// Opens the line.
    pub fn new(question: Question, checker: &dyn Checker) -> Self {
        let is_confirm = question.kind == QuestionKind::Confirm;
        let text = if is_confirm { String::new() } else { question.text.clone() };
        let mut asking = Self {
            input: Input::new(text.clone()),
            is_proposal: question.is_proposed && !text.is_empty(),
            typed: text,
            question,
            fault: None,
            refusal: None,
            back: 0,
            completions: Vec::new(),
            taken: None,
        };
        asking.check(checker);
        asking
    }

    /// Opens the line again with an answer that came to nothing.
    pub fn again(
        question: Question,
        answer: String,
        refusal: Refusal,
        checker: &dyn Checker,
    ) -> Self {
        let mut asking = Self::new(Question { text: answer, ..question }, checker);
        asking.is_proposal = false;
        asking.refusal = Some(refusal);
        asking
    }

    /// Whether the answer is given again though it was refused, and may be.
    pub fn insists(&self) -> bool {
        self.refusal.as_ref().is_some_and(|refusal| refusal.may_insist)
    }

    /// The question.
    pub const fn question(&self) -> &Question {
        &self.question
    }

    /// What is typed so far.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// Why it is no valid answer yet.
    pub const fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// Takes a key.
    pub fn key(
        &mut self,
        event: &KeyEvent,
        history: &mut History,
        checker: &dyn Checker,
        capture: &CaptureStore,
    ) -> Outcome {
        if event.kind == KeyEventKind::Release {
            return Outcome::Open;
        }
        if self.question.kind == QuestionKind::Confirm {
            let confirms = |key: &str| key.eq_ignore_ascii_case("y") || key == self.question.text;
            return match keys::name(event) {
                Some(key) if confirms(&key) => Outcome::Answered("y".to_owned()),
                _ => Outcome::Left,
            };
        }
        match event.code {
            KeyCode::Esc => return Outcome::Left,
            KeyCode::Enter => return self.enter(history, checker),
            KeyCode::Tab => self.complete(checker, capture, true),
            KeyCode::BackTab => self.complete(checker, capture, false),
            KeyCode::Up => self.walk(history, checker, true),
            KeyCode::Down => self.walk(history, checker, false),
            // On an empty line there is nothing left to delete but the line.
            KeyCode::Backspace if self.text().is_empty() => return Outcome::Left,
            KeyCode::Char(c) if !event.modifiers.intersects(CHORDS) => {
                self.clear_proposal();
                self.insert(c, checker);
            }
            // AltGr on some terminals: what it types comes without it on all others.
            KeyCode::Char(c) if event.modifiers.contains(CHORDS) => self.insert(c, checker),
            _ => {
                self.input.handle_event(&Event::Key(*event));
                self.edited(checker);
            }
        }
        Outcome::Open
    }

    /// Takes a text that was pasted: as one line, without what could act on a terminal.
    pub fn paste(&mut self, pasted: &str, checker: &dyn Checker) {
        self.clear_proposal();
        for c in pasted.trim_end().chars() {
            self.put(if c.is_whitespace() { ' ' } else { c });
        }
        self.edited(checker);
    }

    /// Whether a key with Alt means something in a line: back and forth by words, and deleting
    /// them.
    pub const fn knows_alt(event: &KeyEvent) -> bool {
        event.modifiers.contains(KeyModifiers::CONTROL)
            || matches!(event.code, KeyCode::Char('b' | 'd' | 'f') | KeyCode::Backspace)
    }

    fn clear_proposal(&mut self) {
        if std::mem::take(&mut self.is_proposal) {
            self.input = Input::default();
        }
    }

    fn insert(&mut self, c: char, checker: &dyn Checker) {
        self.put(c);
        self.edited(checker);
    }

    fn put(&mut self, c: char) {
        if !is_acting(c) && self.text().len() < CHARACTERS {
            self.input.handle(InputRequest::InsertChar(c));
        }
    }

    fn enter(&mut self, history: &mut History, checker: &dyn Checker) -> Outcome {
        self.check(checker);
        if self.fault.is_some() {
            return Outcome::Open;
        }
        if matches!(self.question.kind, QuestionKind::File | QuestionKind::Save)
            && self.text().trim().is_empty()
        {
            return Outcome::Left;
        }
        history.add(self.question.kind, self.text().trim());
        Outcome::Answered(self.text().trim().to_owned())
    }

    /// Goes back or forth in the history.
    fn walk(&mut self, history: &History, checker: &dyn Checker, back: bool) {
        let known = history.of(self.question.kind).count();
        let step = if back { (self.back + 1).min(known) } else { self.back.saturating_sub(1) };
        if step == self.back {
            return;
        }
        if self.back == 0 {
            self.typed = self.text().to_owned();
        }
        self.back = step;
        self.refusal = None;
        self.is_proposal = false;
        let text = match step.checked_sub(1) {
            None => self.typed.clone(),
            Some(nth) => history.of(self.question.kind).rev().nth(nth).cloned().unwrap_or_default(),
        };
        self.input = Input::new(text);
        self.forget_completions();
        self.check(checker);
    }

    /// Puts what could stand before the cursor there: the next of the offers, or the one before.
    fn complete(&mut self, checker: &dyn Checker, capture: &CaptureStore, forth: bool) {
        if self.completions.is_empty() {
            let cursor = self.cursor();
            self.completions = checker.complete(self.question.kind, self.text(), cursor, capture);
        }
        let count = self.completions.len();
        let next = match (self.taken, forth) {
            (_, _) if count == 0 => return,
            (None, true) => 0,
            (None, false) => count - 1,
            (Some(taken), true) => (taken + 1) % count,
            (Some(taken), false) => (taken + count - 1) % count,
        };
        // What the one before left in the line gives way.
        let before = self.taken.and_then(|taken| self.completions.get(taken));
        let before = before.map(|before| (before.place.start, before.text.len()));
        let Some(Completion { place, text, .. }) = self.completions.get(next).cloned() else {
            return;
        };
        let place = match before {
            Some((start, length)) => start..start + length,
            None => place,
        };
        let (Some(head), Some(tail)) =
            (self.text().get(..place.start), self.text().get(place.end..))
        else {
            return;
        };
        let cursor = head.chars().count() + text.chars().count();
        self.input = Input::new(format!("{head}{text}{tail}")).with_cursor(cursor);
        self.taken = Some(next);
        self.refusal = None;
        self.is_proposal = false;
        self.check(checker);
        if count == 1 {
            self.forget_completions();
        }
    }

    /// The byte before which the cursor stands.
    fn cursor(&self) -> usize {
        let text = self.text();
        text.char_indices().nth(self.input.cursor()).map_or(text.len(), |(at, _)| at)
    }

    fn edited(&mut self, checker: &dyn Checker) {
        self.back = 0;
        self.refusal = None;
        self.is_proposal = false;
        self.forget_completions();
        self.check(checker);
    }

    fn forget_completions(&mut self) {
        self.completions.clear();
        self.taken = None;
    }

    fn check(&mut self, checker: &dyn Checker) {
        // Nothing typed takes the filter away, whatever the language says of an empty text.
        let is_empty = self.text().trim().is_empty();
        let kind = self.question.kind;
        self.fault = if is_empty { None } else { checker.check(kind, self.text()).err() };
    }

    /// Draws the line into the last row of `area`, and what is to say of it into the row above.
    pub fn draw(&self, area: Rect, theme: &Theme, buf: &mut Buffer) {
        let Some(y) = area.bottom().checked_sub(1).filter(|y| *y >= area.y) else { return };
        let mut label = LineBuilder::new(area.width, &theme.symbols);
        label.put(&self.question.label, theme.heading).put(" ", Style::new());
        let room = area.width.saturating_sub(u16::try_from(label.width()).unwrap_or(u16::MAX));
        clear(Rect { y, height: 1, ..area }, buf);
        let x = label.draw(buf, area.x, y, Align::Left);
        if self.question.kind != QuestionKind::Confirm {
            self.draw_line(Rect { x, y, width: room, height: 1 }, theme, buf);
        }
        if area.height > 1 {
            self.draw_remark(Rect { y: y - 1, height: 1, ..area }, theme, buf);
        }
    }

    /// The text, the part at fault marked, the cursor always in sight.
    fn draw_line(&self, area: Rect, theme: &Theme, buf: &mut Buffer) {
        let room = usize::from(area.width);
        let cursor = self.cursor();
        let before = self.text().get(..cursor).unwrap_or_default();
        let scroll = (before.chars().map(width).sum::<usize>() + 1).saturating_sub(room);
        let fault = self.fault.as_ref().map_or(0..0, |fault| fault.place.clone());
        let mut column = 0;
        // The cell of the last character, and how many marks stand on it.
        let mut marked = None;
        for (at, c) in self.text().char_indices().chain([(self.text().len(), ' ')]) {
            let (from, width) = (column, width(c));
            column += width;
            if width == 0 {
                if let Some((x, marks)) = marked
                    && marks < MARKS
                    && c != WIDENING
                    && let Some(cell) = buf.cell_mut((x, area.y))
                {
                    cell.set_symbol(&format!("{}{c}", cell.symbol()));
                    marked = Some((x, marks + 1));
                }
                continue;
            }
            marked = None;
            let Some(shown) = from.checked_sub(scroll).filter(|at| at + width <= room) else {
                continue;
            };
            let x = area.x.saturating_add(u16::try_from(shown).unwrap_or(u16::MAX));
            let mut style = if fault.contains(&at) {
                theme.error.add_modifier(Modifier::UNDERLINED)
            } else {
                Style::new()
            };
            if self.is_proposal {
                style = theme.selected;
            }
            if at == cursor {
                style = style.add_modifier(Modifier::REVERSED);
            }
            let symbol = if is_acting(c) { char::REPLACEMENT_CHARACTER } else { c };
            buf.set_stringn(x, area.y, symbol.to_string(), width, style);
            marked = Some((x, 0));
        }
    }

    /// What Tab offers, the fault, or how to go on.
    fn draw_remark(&self, area: Rect, theme: &Theme, buf: &mut Buffer) {
        clear(area, buf);
        let mut pen = LineBuilder::new(area.width, &theme.symbols);
        if self.completions.len() > 1 {
            // As many as fit, beginning so that the one that is taken is among them.
            let taken = self.taken.unwrap_or(0);
            let hint = self.completions.get(taken).map_or("", |completion| completion.hint);
            if !hint.is_empty() {
                pen.put(hint, Style::new()).put("   ", Style::new());
            }
            for (at, completion) in
                self.completions.iter().enumerate().skip(taken.saturating_sub(3))
            {
                let style = if Some(at) == self.taken { theme.selected } else { theme.dim };
                pen.put(&completion.text, style).put("  ", Style::new());
            }
        } else if let Some(fault) = &self.fault {
            let column =
                self.text().get(..fault.place.start).map_or(0, |text| text.chars().count());
            pen.put(&format!("At {}: ", column + 1), theme.error);
            pen.put(&fault.reason, theme.error);
        } else if let Some(refusal) = &self.refusal {
            pen.put(&refusal.reason, theme.error);
        } else if self.is_proposal {
            pen.put("Enter takes it  typing replaces it  End adds to it  Esc leave", theme.dim);
        } else {
            if matches!(self.question.kind, QuestionKind::Filter(_)) {
                let is_empty = self.text().trim().is_empty();
                let (word, style) =
                    if is_empty { ("shows all", theme.dim) } else { ("valid", theme.ok) };
                pen.put(word, style).put("   ", Style::new());
            }
            pen.put(hint(self.question.kind), theme.dim);
        }
        pen.draw(buf, area.x, area.y, Align::Left);
    }
}

/// Makes an emoji of the character before it, which takes two columns then: left out, because there
/// is room for one.
const WIDENING: char = '\u{fe0f}';

/// Marks that are drawn on one character.
const MARKS: usize = 4;

/// Columns of `c` in the line. What could act on a terminal takes one, in which its place is shown:
/// a pattern that Tab puts there may hold it, and so may a filter of the command line.
fn width(c: char) -> usize {
    if is_acting(c) { 1 } else { c.width().unwrap_or(0) }
}

/// Modifiers with which a letter is no letter.
const CHORDS: KeyModifiers = KeyModifiers::CONTROL.union(KeyModifiers::ALT);

const fn hint(kind: QuestionKind) -> &'static str {
    match kind {
        QuestionKind::Filter(_) => {
            "Enter apply  Tab complete  ^U empty the line  Up/Down earlier ones  Esc leave"
        }
        QuestionKind::Search => "Enter search, then n and N   Up/Down earlier ones  Esc leave",
        QuestionKind::GoTo => "a number, or q  w  o FILE  clear  help   Enter do it  Esc leave",
        QuestionKind::File | QuestionKind::Save => {
            "Enter take it  Tab complete  ^U empty the line  Up/Down earlier ones  Esc leave"
        }
        QuestionKind::Confirm => "y yes   any other key no",
    }
}

fn clear(area: Rect, buf: &mut Buffer) {
    for position in area.intersection(buf.area).positions() {
        if let Some(cell) = buf.cell_mut(position) {
            cell.reset();
        }
    }
}
