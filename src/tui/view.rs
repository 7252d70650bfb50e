//! What a view is, what it sees, and what it asks for.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::endpoint::ConnectionNumber;
use crate::exchange::ExchangeNumber;
use crate::store::CaptureStore;
use crate::time::Timestamp;
use crate::tui::keys::{Action, Context};
use crate::tui::status::Status;
use crate::tui::theme::Theme;

/// What every view sees. Read-only.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// What is known of the capture.
    pub capture: &'a CaptureStore,
    /// What the header tells: the source, whether it goes on, losses.
    pub status: &'a Status,
    /// The time: of the clock on a live capture, of the last packet in a file.
    pub now: Timestamp,
    /// Colours and symbols.
    pub theme: &'a Theme,
    /// The room of the view, in cells.
    pub area: Rect,
}

/// What an interface carried since the system started, as [`View::traffic`] tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The interface.
    pub name: String,
    /// Packets, both ways.
    pub packets: u64,
    /// Bytes, both ways.
    pub bytes: u64,
}

/// What the mouse did within the area of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// The left button went down.
    Click(Position),
    /// It went down twice in the same place.
    DoubleClick(Position),
    /// The wheel: lines, downwards positive.
    Wheel(Position, i32),
}

/// What a view asks of whoever shows it.
pub enum Command {
    /// Show this view over the present one; Esc leads back.
    Open(Box<dyn View>),
    /// Leave this view.
    Close,
    /// Say something in the footer, until the next key.
    Notice(String),
    /// Ask the user for a line of text; the answer comes as [`View::answer`].
    Ask(Question),
    /// Show this exchange over the present view.
    OpenCall(ExchangeNumber),
    /// Show the stream of the connection with this number over the present view.
    OpenStream(ConnectionNumber),
    /// Show the calls view with this display filter in force.
    ShowCalls(String),
    /// Mark this exchange in the calls view, or no longer.
    Mark(ExchangeNumber),
    /// Something outside of the screen.
    Effect(Effect),
}

/// What a line of text is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Tells the view which question was answered.
    pub id: &'static str,
    /// What kind of text it wants.
    pub kind: QuestionKind,
    /// What stands before the line.
    pub label: String,
    /// What stands in it at first. For a [`QuestionKind::Confirm`]: a key that confirms as `y`
    /// does.
    pub text: String,
    /// Whether that is a proposal, which gives way to the first letter that is typed. Otherwise
    /// letters are added to it.
    pub is_proposed: bool,
}

impl Question {
    /// Asks for a display filter over `rows`; `text` is the one in force. Its id is `filter`, and
    /// only a valid filter, or an empty one, comes as an answer.
    pub fn filter(rows: Rows, text: &str) -> Self {
        Self::new("filter", QuestionKind::Filter(rows), "Filter:", text)
    }

    /// Asks for what to look for. Its id is `search`. It begins empty: what was looked for before
    /// is in the history.
    pub fn search() -> Self {
        Self::new("search", QuestionKind::Search, "Search:", "")
    }

    /// Asks for the name of a file to write, and proposes this one, or one like it that is free.
    /// Its id is `save`.
    pub fn save(name: &str) -> Self {
        Self::new("save", QuestionKind::Save, "Save as (.pcapng, .jsonl, .csv):", name).proposing()
    }

    /// The same, with its text as a proposal.
    #[must_use]
    pub fn proposing(self) -> Self {
        Self { is_proposed: true, ..self }
    }

    pub(super) fn new(id: &'static str, kind: QuestionKind, label: &str, text: &str) -> Self {
        Self { id, kind, label: label.to_owned(), text: text.to_owned(), is_proposed: false }
    }
}

/// What a filter is over. Each has fields of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rows {
    /// Exchanges.
    Calls,
    /// Connections.
    Connections,
    /// Packets.
    Packets,
    /// Server ends.
    Servers,
}

/// What kind of text a question wants. Each kind has a history of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuestionKind {
    /// A display filter; checked while it is typed.
    Filter(Rows),
    /// A text to look for.
    Search,
    /// A number to go to, or a command.
    GoTo,
    /// The name of a file to read.
    File,
    /// The name of a file to write.
    Save,
    /// `y`, or anything else for no. The answer is `y`; a no is not told.
    Confirm,
}

/// What the program does for the screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Leave.
    Quit,
    /// Put a text into the clipboard of the user's terminal.
    Copy(String),
    /// Save exchanges. The format is told by the ending of `path`: pcapng, jsonl, csv.
    Save {
        /// The file.
        path: String,
        /// Their numbers, ascending.
        numbers: Vec<ExchangeNumber>,
        /// Whether a file that is there already may be written over.
        overwrite: bool,
    },
    /// Capture on an interface.
    Capture(String),
    /// Read a capture file.
    Read(String),
    /// Stop taking in, or go on.
    Pause(bool),
    /// While paused: take in one packet more.
    Step,
    /// Play the file at this many times its own pace; `None` for as fast as it can be read.
    Speed(Option<f64>),
    /// Forget everything so far.
    Clear,
}

impl Effect {
    /// Saves these exchanges, unless there is a file of this name.
    pub const fn save(path: String, numbers: Vec<ExchangeNumber>) -> Self {
        Self::Save { path, numbers, overwrite: false }
    }
}

/// One of the things that the screen can show.
///
/// `act`, `mouse`, `answer` and `refresh` change the state; `draw` only reads it.
pub trait View {
    /// Its name for the line of names at the top, such as `Calls` or `Call 25`.
    fn title(&self, scene: &Scene<'_>) -> String;

    /// The keys that mean something here.
    fn context(&self) -> Context;

    /// A key of the table was pressed.
    fn act(&mut self, action: Action, scene: &Scene<'_>) -> Vec<Command>;

    /// The mouse was used. Whatever it does, a key does too.
    fn mouse(&mut self, _mouse: Mouse, _scene: &Scene<'_>) -> Vec<Command> {
        Vec::new()
    }

    /// Selects the next of the exchanges that it lists, or the one before; its number, where it
    /// lists any. So one that was opened from a list is left for its neighbour there.
    fn step(&mut self, _forward: bool, _scene: &Scene<'_>) -> Option<ExchangeNumber> {
        None
    }

    /// A question was answered.
    fn answer(&mut self, _question: &Question, _text: &str, _scene: &Scene<'_>) -> Vec<Command> {
        Vec::new()
    }

    /// Marks an exchange, where it has marks for them, or takes the mark away; whether it is marked
    /// now.
    fn mark(&mut self, _number: ExchangeNumber) -> bool {
        false
    }

    /// What the interfaces of this host carried so far, at a time of the clock: told once a second
    /// or so.
    fn traffic(&mut self, _traffic: &[Traffic], _clock: Duration) {}

    /// Exchanges changed, packets came, time passed or the room changed: called before `draw`.
    fn refresh(&mut self, _changed: &[ExchangeNumber], _scene: &Scene<'_>) {}

    /// The same while it is out of sight: what cannot wait until it is refreshed again.
    fn keep_up(&mut self, _changed: &[ExchangeNumber], _scene: &Scene<'_>) {}

    /// Whether it has more to do though nothing new came: a search goes on in steps. It is
    /// refreshed again at once then, between two looks at the keyboard.
    fn is_at_work(&self) -> bool {
        false
    }

    /// Puts it into `buf`.
    fn draw(&self, scene: &Scene<'_>, buf: &mut Buffer);
}
