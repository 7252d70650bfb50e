//! The key table: what each key does, where. The footer and the help are made from it, so that
//! they cannot go stale.

use std::cmp::Reverse;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use Action as A;
use Context as C;

/// What a key can ask for. Movement first; what a view does not know it ignores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs)]
pub enum Action {
    // Movement.
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    HalfPageUp,
    HalfPageDown,
    Top,
    Bottom,
    /// `25G`, `:25`: to the row with this number.
    GoTo(u64),
    Enter,
    /// Esc: out of what is open. A view that has nothing to leave answers with `Command::Close`.
    Back,
    NextPane,
    PreviousPane,
    // Views and the program.
    View(u8),
    Help,
    /// `:`: asks for a number to go to, or for a command.
    CommandLine,
    /// Out of what is open; out of the program where nothing is.
    Quit,
    /// Out of the program, from everywhere.
    QuitNow,
    Pause,
    Step,
    Faster,
    Slower,
    Clear,
    // Filter and search.
    Filter,
    Search,
    FindNext,
    FindPrevious,
    // Rows.
    Follow,
    Mark,
    MarkAll,
    SortNext,
    SortReverse,
    SortLeft,
    SortRight,
    Columns,
    TimeFormat,
    Save,
    // Copying.
    Copy,
    CopyResponse,
    CopyId,
    CopyNc,
    CopyTypeScript,
    // Details.
    Fold,
    UnfoldAll,
    FoldAll,
    Hex,
    Stream,
    Zoom,
    NextCall,
    PreviousCall,
}

/// Where a key means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs)]
pub enum Context {
    Start,
    Calls,
    Call,
    Patterns,
    Pattern,
    Connections,
    Stream,
    Packets,
    Help,
    Choice,
}

/// A row of the key table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Where it holds; empty for everywhere.
    pub contexts: &'static [Context],
    /// The keys, as [`name`] calls them; `y p` is `y`, then `p`.
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
const LISTS: &[Context] = &[C::Calls, C::Patterns, C::Connections];
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
    C::Choice,
    C::Help,
];
/// Where a key for pausing may be as large as the space bar: it marks or folds nothing.
const SPACIOUS: &[Context] = &[C::Patterns, C::Pattern, C::Connections, C::Stream, C::Packets];
const SAVED: &[Context] = &[C::Calls, C::Call, C::Patterns, C::Pattern, C::Connections, C::Stream];
const COPIED: &[Context] =
    &[C::Calls, C::Call, C::Patterns, C::Pattern, C::Connections, C::Stream, C::Packets];
const ONE_CALL: &[Context] = &[C::Calls, C::Call];
const SEARCHED: &[Context] = &[C::Calls, C::Patterns];
const TEXTS: &[Context] = &[C::Call, C::Stream];
const FOUND: &[Context] = &[C::Calls, C::Call, C::Patterns, C::Connections, C::Stream, C::Packets];

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
        &[C::Calls, C::Patterns],
        &["/"],
        A::Filter,
        ("filter", 88),
        "Show only the calls that a filter lets through; Esc clears it",
    ),
    row(
        &[C::Connections, C::Packets],
        &["/", "^S"],
        A::Search,
        ("search", 88),
        "Search; all rows stay",
    ),
    row(TEXTS, &["/", "^S"], A::Search, ("search", 88), "Search in the text"),
    row(SEARCHED, &["^S"], A::Search, ("search", 40), "Search; all rows stay"),
    row(FOUND, &["n"], A::FindNext, ("next found", 20), "To the next place that was found"),
    row(FOUND, &["N"], A::FindPrevious, ("", 0), "To the one before"),
    // Rows.
    row(LISTS, &["s"], A::SortNext, ("sort", 70), "Sort by the next column"),
    row(LISTS, &["S"], A::SortReverse, ("reverse", 30), "Sort the other way round"),
    row(LISTS, &["<"], A::SortLeft, ("", 0), "Sort by the column to the left"),
    row(LISTS, &[">"], A::SortRight, ("", 0), "Sort by the column to the right"),
    row(&[C::Calls], &["C"], A::Columns, ("columns", 25), "Choose the columns"),
    row(TIMED, &["T"], A::TimeFormat, ("time", 35), "Times: of day, since the start, since before"),
    row(GROWING, &["F"], A::Follow, ("follow", 60), "Follow the newest, or hold still"),
    row(&[C::Calls], &["Space"], A::Mark, ("mark", 45), "Mark the call, for saving"),
    row(&[C::Calls], &["^A"], A::MarkAll, ("mark all", 0), "Mark all calls shown, or none"),
    // Details.
    row(&[C::Call], &["Space", "o"], A::Fold, ("", 0), "Fold or unfold what is chosen"),
    row(&[C::Choice], &["Space"], A::Mark, ("switch", 85), "Switch what is chosen on or off"),
    row(&[C::Call], &["E"], A::UnfoldAll, ("unfold all", 22), "Unfold everything"),
    row(&[C::Call], &["W"], A::FoldAll, ("fold all", 0), "Wrap everything up"),
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
    row(&[C::Stream], &["z"], A::Zoom, ("unfold", 30), "Frames in full, or a row each"),
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
    row(CAPTURE, &["p"], A::Pause, ("pause", 50), "Pause and go on; what comes in waits"),
    row(SPACIOUS, &["Space"], A::Pause, ("", 0), "Pause and go on"),
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

/// The name of a key as the table has it: `j`, `^F`, `PgDn`, `Shift-Tab`; `None` for keys that have
/// none.
pub fn name(event: &KeyEvent) -> Option<String> {
    let held = event.modifiers;
    if held.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META) {
        return None;
    }
    let name = match event.code {
        KeyCode::Char(c) if held.contains(KeyModifiers::CONTROL) => {
            return Some(format!("^{}", c.to_ascii_uppercase()));
        }
        KeyCode::Char(' ') => "Space",
        KeyCode::Char(c) => return Some(c.to_string()),
        KeyCode::F(number) => return Some(format!("F{number}")),
        KeyCode::Tab if held.contains(KeyModifiers::SHIFT) => "Shift-Tab",
        KeyCode::BackTab => "Shift-Tab",
        KeyCode::Tab => "Tab",
        KeyCode::Up => "Up",
        KeyCode::Down => "Down",
        KeyCode::Left => "Left",
        KeyCode::Right => "Right",
        KeyCode::PageUp => "PgUp",
        KeyCode::PageDown => "PgDn",
        KeyCode::Home => "Home",
        KeyCode::End => "End",
        KeyCode::Enter => "Enter",
        KeyCode::Esc => "Esc",
        _ => return None,
    };
    Some(name.to_owned())
}

/// The rows that hold in `context`.
pub fn bindings(context: Context) -> impl Iterator<Item = &'static Binding> {
    TABLE.iter().filter(move |binding| binding.holds_in(context))
}

/// What a footer of `columns` offers in `context`: keys and words, as many as fit in the order of
/// their priority, shown in the order of the table. Two blanks stand between them. Keys that come
/// in two strokes are offered once, by their first.
pub fn footer(context: Context, columns: usize) -> Vec<(&'static str, &'static str)> {
    let mut offers: Vec<(usize, u8, &str, &str)> = Vec::new();
    for (place, row) in bindings(context).enumerate().filter(|(_, row)| row.priority > 0) {
        match row.keys.iter().find_map(|key| key.split_once(' ')) {
            None => {
                let key = row.keys.first().copied().unwrap_or_default();
                offers.push((place, row.priority, key, row.short));
            }
            Some((first, _)) if offers.iter().all(|(_, _, key, _)| *key != first) => {
                offers.push((place, row.priority, first, COPY));
            }
            Some(_) => {}
        }
    }
    offers.sort_by_key(|(place, priority, ..)| (Reverse(*priority), *place));
    // No blanks follow the last one.
    let mut room = columns + GAP;
    offers.retain(|(_, _, key, short)| {
        let width = key.len() + 1 + short.len() + GAP;
        let fits = width <= room;
        room -= if fits { width } else { 0 };
        fits
    });
    offers.sort_by_key(|(place, ..)| *place);
    offers.into_iter().map(|(_, _, key, short)| (key, short)).collect()
}

/// What all keys of two strokes do.
const COPY: &str = "copy";

/// Columns between two keys of the footer.
const GAP: usize = 2;

/// What can follow `prefix` in `context`: the second strokes and their words.
pub fn continuations(context: Context, prefix: &str) -> Vec<(&'static str, &'static str)> {
    let second = |key: &'static str| key.strip_prefix(prefix)?.strip_prefix(' ');
    bindings(context)
        .filter_map(|binding| {
            let key = binding.keys.iter().copied().rev().find_map(second)?;
            Some((key, binding.short))
        })
        .collect()
}

/// What came of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// It asks for this.
    Act(Action),
    /// It is the first of two strokes, or a digit of a number.
    Wait,
    /// It means nothing here.
    Nothing,
}

/// Reads keys one by one and remembers what is half typed: a first stroke, a number.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    first: Option<String>,
    /// At most [`DIGITS`].
    digits: String,
}

/// Digits of a row number: those of a `u64`.
const DIGITS: usize = 19;

impl Reader {
    /// Takes a key.
    pub fn press(&mut self, context: Context, event: &KeyEvent) -> Pressed {
        if event.kind == KeyEventKind::Release {
            return Pressed::Nothing;
        }
        let Some(name) = name(event) else {
            self.forget();
            return Pressed::Nothing;
        };
        if let Some(first) = self.first.take() {
            return lookup(context, &format!("{first} {name}"))
                .map_or(Pressed::Nothing, Pressed::Act);
        }
        if name.len() == 1 && name.bytes().all(|byte| byte.is_ascii_digit()) {
            if self.digits.len() < DIGITS {
                self.digits.push_str(&name);
            }
            return lookup(context, &name).map_or(Pressed::Wait, Pressed::Act);
        }
        let digits = std::mem::take(&mut self.digits);
        let action = lookup(context, &name);
        if let (Some(A::Bottom | A::Top), Some(number)) = (action, number(&digits)) {
            return Pressed::Act(A::GoTo(number));
        }
        if action.is_none() && !continuations(context, &name).is_empty() {
            self.first = Some(name);
            return Pressed::Wait;
        }
        action.map_or(Pressed::Nothing, Pressed::Act)
    }

    /// The first of two strokes, where the second is awaited.
    pub fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }

    /// The digits typed so far.
    pub fn digits(&self) -> &str {
        &self.digits
    }

    /// Forgets what is half typed.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

/// The number that `digits` tell. One digit of a view was meant for the view: `2G` is the bottom
/// of view 2.
fn number(digits: &str) -> Option<u64> {
    let is_view = matches!(digits, "1" | "2" | "3" | "4" | "5" | "6");
    if is_view { None } else { digits.parse().ok() }
}

/// What the key of this name asks for in `context`.
pub fn lookup(context: Context, name: &str) -> Option<Action> {
    bindings(context).find(|binding| binding.keys.contains(&name)).map(|binding| binding.action)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const CONTEXTS: [Context; 10] = [
        C::Start,
        C::Calls,
        C::Call,
        C::Patterns,
        C::Pattern,
        C::Connections,
        C::Stream,
        C::Packets,
        C::Help,
        C::Choice,
    ];

    fn press(reader: &mut Reader, context: Context, keys: &str) -> Vec<Pressed> {
        let event = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
        keys.chars().map(|c| reader.press(context, &event(c))).collect()
    }

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for context in CONTEXTS {
            let mut seen = BTreeMap::new();
            for binding in bindings(context) {
                for key in binding.keys {
                    let before = seen.insert(*key, binding.action);
                    assert_eq!(before, None, "{key} in {context:?}");
                    // The first of two strokes means nothing on its own.
                    let first = key.split(' ').next().unwrap();
                    assert!(*key == first || lookup(context, first).is_none(), "{key}");
                }
            }
        }
    }

    #[test]
    fn whatever_can_be_asked_for_has_a_key_and_a_sentence() {
        use Action::*;
        let all = [
            Up,
            Down,
            Left,
            Right,
            PageUp,
            PageDown,
            HalfPageUp,
            HalfPageDown,
            Top,
            Bottom,
            Enter,
            Back,
            NextPane,
            PreviousPane,
            View(1),
            View(2),
            View(3),
            View(4),
            Help,
            CommandLine,
            Quit,
            QuitNow,
            Pause,
            Step,
            Faster,
            Slower,
            Clear,
            Filter,
            Search,
            FindNext,
            FindPrevious,
            Follow,
            Mark,
            MarkAll,
            SortNext,
            SortReverse,
            SortLeft,
            SortRight,
            Columns,
            TimeFormat,
            Save,
            Copy,
            CopyResponse,
            CopyId,
            CopyNc,
            CopyTypeScript,
            Fold,
            UnfoldAll,
            FoldAll,
            Hex,
            Stream,
            Zoom,
            NextCall,
            PreviousCall,
        ];
        for action in all {
            let rows: Vec<_> = TABLE.iter().filter(|row| row.action == action).collect();
            assert!(!rows.is_empty(), "{action:?}");
            assert!(rows.iter().all(|row| !row.keys.is_empty() && !row.help.is_empty()));
        }
        // A variant more than those, and this does not build until it is in the list above.
        let _ = |action| match action {
            Up | Down | Left | Right | PageUp | PageDown | HalfPageUp | HalfPageDown | Top
            | Bottom | GoTo(_) | Enter | Back | NextPane | PreviousPane | View(_) | Help
            | CommandLine | Quit | QuitNow | Pause | Step | Faster | Slower | Clear | Filter
            | Search | FindNext | FindPrevious | Follow | Mark | MarkAll | SortNext
            | SortReverse | SortLeft | SortRight | Columns | TimeFormat | Save | Copy
            | CopyResponse | CopyId | CopyNc | CopyTypeScript | Fold | UnfoldAll | FoldAll
            | Hex | Stream | Zoom | NextCall | PreviousCall => (),
        };
    }

    #[test]
    fn every_key_of_the_table_can_be_typed() {
        use KeyCode::*;
        let mut typed: Vec<String> = (' '..='~')
            .map(|c| KeyEvent::new(Char(c), KeyModifiers::NONE))
            .chain(('a'..='z').map(|c| KeyEvent::new(Char(c), KeyModifiers::CONTROL)))
            .chain(
                [Up, Down, Left, Right, PageUp, PageDown, Home, End, Enter, Esc, Tab, F(1)]
                    .map(|code| KeyEvent::new(code, KeyModifiers::NONE)),
            )
            .chain([KeyEvent::new(BackTab, KeyModifiers::SHIFT)])
            .filter_map(|event| name(&event))
            .collect();
        typed.sort();
        for stroke in TABLE.iter().flat_map(|row| row.keys).flat_map(|key| key.split(' ')) {
            assert!(typed.binary_search(&stroke.to_owned()).is_ok(), "{stroke}");
        }
    }

    #[test]
    fn a_number_goes_before_g() {
        let mut reader = Reader::default();
        let pressed = press(&mut reader, C::Calls, "25G");
        assert_eq!(pressed.last(), Some(&Pressed::Act(A::GoTo(25))));
        assert_eq!(press(&mut reader, C::Calls, "G"), [Pressed::Act(A::Bottom)]);
        // One digit chose a view.
        let bottom_of_two = [Pressed::Act(A::View(2)), Pressed::Act(A::Bottom)];
        assert_eq!(press(&mut reader, C::Calls, "2G"), bottom_of_two);
        assert_eq!(press(&mut reader, C::Calls, "7g"), [Pressed::Wait, Pressed::Act(A::GoTo(7))]);
        let long = "9".repeat(100) + "G";
        assert_eq!(
            press(&mut reader, C::Calls, &long).last(),
            Some(&Pressed::Act(A::GoTo(9_999_999_999_999_999_999)))
        );
        // What stands between ends it.
        assert_eq!(press(&mut reader, C::Calls, "12jG").last(), Some(&Pressed::Act(A::Bottom)));
    }

    #[test]
    fn two_strokes_copy() {
        let mut reader = Reader::default();
        let id = [Pressed::Wait, Pressed::Act(A::CopyId)];
        assert_eq!(press(&mut reader, C::Calls, "yi"), id);
        // An unknown second stroke does nothing, not even what it does alone.
        assert_eq!(press(&mut reader, C::Calls, "yq"), [Pressed::Wait, Pressed::Nothing]);
        assert_eq!(press(&mut reader, C::Calls, "q"), [Pressed::Act(A::Quit)]);
        assert_eq!(press(&mut reader, C::Help, "y"), [Pressed::Nothing]);
        let offered =
            [("p", "payload"), ("r", "response"), ("i", "id"), ("n", "nc"), ("t", "TypeScript")];
        assert_eq!(continuations(C::Calls, "y"), offered);
    }

    #[test]
    fn the_footer_takes_what_fits() {
        for context in CONTEXTS {
            for columns in 0..200 {
                let offers = footer(context, columns);
                let width: usize =
                    offers.iter().map(|(key, short)| key.len() + short.len() + 3).sum();
                assert!(width <= columns + 2, "{context:?} {columns} {offers:?}");
            }
            let wide = footer(context, 80);
            assert!(wide.contains(&("?", "help")), "{context:?}");
            assert!(wide.contains(&("q", "quit")), "{context:?}");
        }
    }
}
