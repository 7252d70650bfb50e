//! The key table: what each key does, where. The footer and the help are made from it, so that
//! they cannot go stale.

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
    Quit,
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
