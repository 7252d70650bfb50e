//! What keys ask for, and where.

/// Declares an enum, and the list of its variants that carry nothing.
macro_rules! listed {
    ($(#[$about:meta])* $name:ident $all:literal {
        $($(#[$of:meta])* $variant:ident $(($carried:ty))?,)*
    }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs)]
        pub enum $name {
            $($(#[$of])* $variant $(($carried))?,)*
        }

        impl $name {
            #[doc = $all]
            #[cfg(test)]
            pub(crate) fn all() -> Vec<Self> {
                let all = [$(listed!(@one $name $variant $(($carried))?)),*];
                all.into_iter().flatten().collect()
            }
        }
    };
    (@one $name:ident $variant:ident) => { Some(Self::$variant) };
    (@one $name:ident $variant:ident ($carried:ty)) => { None };
}

listed! {
    /// What a key can ask for. Movement first; what a view does not know it ignores.
    Action "Every action that carries no number." {
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
    UnfoldAll,
    FoldAll,
    Hex,
    Stream,
    Zoom,
    NextCall,
    PreviousCall,
    }
}

listed! {
    /// Where a key means something.
    Context "Every place." {
        Start,
        Calls,
        Call,
        Patterns,
        Pattern,
        Connections,
        Stream,
        Packets,
        Servers,
        Help,
        Choice,
    }
}
