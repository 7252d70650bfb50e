//! The key table: what each key does, where. A key means one thing wherever it means anything.

use Action as A;
use Context as C;

use super::{Action, Context};

/// A row of the key table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Where it holds; empty for everywhere.
    pub contexts: &'static [Context],
    /// The keys, as [`name`](super::name) calls them; `y p` is `y`, then `p`.
    pub keys: &'static [&'static str],
    /// What they do.
    pub action: Action,
    /// A word or two for the footer.
    pub short: &'static str,
    /// A sentence for the help.
    pub help: &'static str,
    /// The higher, the sooner it gets room in the footer; 0 for never.
    pub priority: u8,
}

impl Binding {
    /// Whether it holds in `context`.
    pub fn holds_in(&self, context: Context) -> bool {
        self.contexts.is_empty() || self.contexts.contains(&context)
    }
}

const fn row(
    contexts: &'static [Context],
    keys: &'static [&'static str],
    action: Action,
    (short, priority): (&'static str, u8),
    help: &'static str,
) -> Binding {
    Binding { contexts, keys, action, short, help, priority }
}

const EVERYWHERE: &[Context] = &[];
const LISTS: &[Context] = &[C::Calls, C::Patterns, C::Connections, C::Servers];
const GROWING: &[Context] = &[C::Calls, C::Connections, C::Stream, C::Packets];
const TIMED: &[Context] = &[C::Calls, C::Call, C::Connections, C::Stream, C::Packets];
const CAPTURE: &[Context] = &[
    C::Calls,
    C::Call,
    C::Patterns,
    C::Pattern,
    C::Connections,
    C::Stream,
    C::Packets,
    C::Servers,
    C::Choice,
    C::Help,
];
const SAVED: &[Context] =
    &[C::Calls, C::Call, C::Patterns, C::Pattern, C::Connections, C::Stream, C::Servers];
const COPIED: &[Context] = &[
    C::Calls,
    C::Call,
    C::Patterns,
    C::Pattern,
    C::Connections,
    C::Stream,
    C::Packets,
    C::Servers,
];
const ONE_CALL: &[Context] = &[C::Calls, C::Call];
const TEXTS: &[Context] = &[C::Call, C::Stream];
const SEARCHED: &[Context] = COPIED;

/// The key table.
pub const TABLE: &[Binding] = &[
    // Into and out of things: first in the footer.
    row(&[C::Calls], &["Enter"], A::Enter, ("open", 90), "Open the call: payload, timing, packets"),
    row(&[C::Patterns], &["Enter"], A::Enter, ("open", 90), "Open the pattern: its latencies"),
    row(
        &[C::Pattern],
        &["Enter"],
        A::Enter,
        ("its calls", 90),
        "Show the calls of the chosen bar or cell",
    ),
    row(
        &[C::Connections],
        &["Enter"],
        A::Enter,
        ("its calls", 90),
        "Show the calls of the connection",
    ),
    row(&[C::Servers], &["Enter"], A::Enter, ("its calls", 90), "Show the calls to the server"),
    row(&[C::Packets], &["Enter"], A::Enter, ("its call", 90), "Open the call that it carried"),
    row(&[C::Call], &["Enter"], A::Enter, ("fold/open", 90), "Fold or unfold; open what is chosen"),
    row(&[C::Stream], &["Enter"], A::Enter, ("its call", 60), "Open the call at this place"),
    row(&[C::Start], &["Enter"], A::Enter, ("open", 90), "Capture there, or read the file"),
    row(&[C::Choice], &["Enter"], A::Enter, ("take", 90), "Take what is chosen"),
    row(&[C::Help], &["Enter"], A::Enter, ("", 0), "Scroll on"),
    row(
        EVERYWHERE,
        &["Esc"],
        A::Back,
        ("back", 80),
        "Back: out of what is open, one level at a time",
    ),
    // Filter and search.
    row(
        &[C::Calls, C::Patterns, C::Pattern],
        &["/"],
        A::Filter,
        ("filter", 88),
        "Show only the calls that a filter lets through; Esc clears it",
    ),
    row(
        &[C::Connections, C::Packets, C::Servers],
        &["/"],
        A::Filter,
        ("filter", 88),
        "Show only the rows that a filter lets through; Esc clears it",
    ),
    row(TEXTS, &["^S"], A::Search, ("search", 88), "Search in the text"),
    row(
        &[C::Calls, C::Patterns, C::Pattern, C::Connections, C::Packets, C::Servers],
        &["^S"],
        A::Search,
        ("search", 40),
        "Search; all rows stay",
    ),
    row(SEARCHED, &["n"], A::FindNext, ("next found", 20), "To the next place that was found"),
    row(SEARCHED, &["N"], A::FindPrevious, ("", 0), "To the one before"),
    // Rows.
    row(LISTS, &["s"], A::SortNext, ("sort", 70), "Sort by the next column"),
    row(LISTS, &["S"], A::SortReverse, ("reverse", 30), "Sort the other way round"),
    row(LISTS, &["<"], A::SortLeft, ("", 0), "Sort by the column to the left"),
    row(LISTS, &[">"], A::SortRight, ("", 0), "Sort by the column to the right"),
    row(&[C::Calls], &["C"], A::Columns, ("columns", 25), "Choose the columns"),
    row(
        TIMED,
        &["T"],
        A::TimeFormat,
        ("time", 35),
        "Times: of day (or as -t says), since the start, since before",
    ),
    row(GROWING, &["F"], A::Follow, ("follow", 60), "Follow the newest, or hold still"),
    row(
        &[C::Calls, C::Call, C::Patterns, C::Pattern, C::Connections, C::Servers],
        &["Space"],
        A::Mark,
        ("mark", 45),
        "Mark it, for saving: w saves what is marked",
    ),
    row(LISTS, &["^A"], A::MarkAll, ("mark all", 0), "Mark all rows shown, or none"),
    // Details.
    row(&[C::Choice], &["Space"], A::Mark, ("switch", 85), "Switch what is chosen on or off"),
    row(TEXTS, &["E"], A::UnfoldAll, ("unfold all", 22), "Unfold everything"),
    row(TEXTS, &["W"], A::FoldAll, ("fold all", 0), "Wrap everything up"),
    row(&[C::Call, C::Packets], &["x"], A::Hex, ("hex", 66), "The bytes as hex and text"),
    row(
        &[C::Stream],
        &["x"],
        A::Hex,
        ("text/hex", 66),
        "Frame by frame, all bytes as text, all bytes as hex",
    ),
    row(
        &[C::Calls, C::Call, C::Connections, C::Packets],
        &["f"],
        A::Stream,
        ("stream", 64),
        "Follow the stream: all that both sides sent",
    ),
    row(
        &[C::Call, C::Patterns, C::Pattern, C::Packets],
        &["z"],
        A::Zoom,
        ("zoom", 30),
        "Give the pane all the room, or take it back",
    ),
    row(&[C::Call, C::Pattern], &["]"], A::NextCall, ("next", 62), "The next one of the list"),
    row(&[C::Call, C::Pattern], &["["], A::PreviousCall, ("", 0), "The one before in the list"),
    // Out of the program.
    row(SAVED, &["w"], A::Save, ("save", 58), "Save calls as .pcapng, .jsonl or .csv"),
    row(COPIED, &["Y", "y y", "y p"], A::Copy, ("payload", 56), "Copy what is chosen: the payload"),
    row(ONE_CALL, &["y r"], A::CopyResponse, ("response", 56), "Copy what answered the call"),
    row(ONE_CALL, &["y i"], A::CopyId, ("id", 55), "Copy the id of the call"),
    row(ONE_CALL, &["y n"], A::CopyNc, ("nc", 54), "Copy a shell command that repeats the call"),
    row(
        ONE_CALL,
        &["y t"],
        A::CopyTypeScript,
        ("TypeScript", 53),
        "Copy the call as TypeScript: client.send(...)",
    ),
    // Movement.
    row(EVERYWHERE, &["Up", "k"], A::Up, ("", 0), "Up"),
    row(EVERYWHERE, &["Down", "j"], A::Down, ("", 0), "Down"),
    row(EVERYWHERE, &["Left", "h"], A::Left, ("", 0), "To the left; fold"),
    row(EVERYWHERE, &["Right", "l"], A::Right, ("", 0), "To the right; unfold"),
    row(EVERYWHERE, &["PgUp", "^B"], A::PageUp, ("", 0), "A page up"),
    row(EVERYWHERE, &["PgDn", "^F"], A::PageDown, ("", 0), "A page down"),
    row(EVERYWHERE, &["^U"], A::HalfPageUp, ("", 0), "Half a page up"),
    row(EVERYWHERE, &["^D"], A::HalfPageDown, ("", 0), "Half a page down"),
    row(EVERYWHERE, &["g", "Home"], A::Top, ("", 0), "To the top; gg does too"),
    row(EVERYWHERE, &["G", "End"], A::Bottom, ("", 0), "To the bottom; 25G to number 25"),
    row(EVERYWHERE, &["Tab"], A::NextPane, ("", 0), "To the next pane"),
    row(EVERYWHERE, &["Shift-Tab"], A::PreviousPane, ("", 0), "To the pane before"),
    // Views and the program.
    row(CAPTURE, &["1"], A::View(1), ("", 0), "The calls"),
    row(CAPTURE, &["2"], A::View(2), ("", 0), "The patterns"),
    row(CAPTURE, &["3"], A::View(3), ("", 0), "The connections"),
    row(CAPTURE, &["4"], A::View(4), ("", 0), "The packets"),
    row(CAPTURE, &["5"], A::View(5), ("", 0), "The servers"),
    row(CAPTURE, &["p"], A::Pause, ("pause", 50), "Pause and go on; what comes in waits"),
    row(CAPTURE, &["."], A::Step, ("", 0), "While paused: take in one packet more"),
    row(CAPTURE, &["+", "="], A::Faster, ("", 0), "Play a file faster"),
    row(CAPTURE, &["-"], A::Slower, ("", 0), "Play it slower"),
    row(CAPTURE, &["^L"], A::Clear, ("", 0), "Forget everything so far (asks first)"),
    row(&[C::Start], &[":", "o"], A::CommandLine, ("file", 85), "Type the name of a capture file"),
    row(CAPTURE, &[":"], A::CommandLine, ("", 0), ":25 goes to number 25; :q :w :o FILE :clear"),
    row(EVERYWHERE, &["?", "F1"], A::Help, ("help", 89), "These keys, and how to filter"),
    row(EVERYWHERE, &["q"], A::Quit, ("quit", 75), "Back; quit where there is no way back"),
    row(EVERYWHERE, &["^C"], A::QuitNow, ("", 0), "Quit, from everywhere"),
];
