//! Colours by meaning, and the symbols that are drawn.

use ratatui::style::{Color, Modifier, Style};

use crate::exchange::Status;

/// How the screen looks. The colours are the terminal's own sixteen, which its user has chosen for
/// a light or a dark ground; without colour, meaning is carried by bold, dim and reverse alone.
#[derive(Clone, Debug)]
pub struct Theme {
    /// A good outcome.
    pub ok: Style,
    /// An error.
    pub error: Style,
    /// Something to look at: a slow call, a loss.
    pub warning: Style,
    /// What matters less.
    pub dim: Style,
    /// Headings and names of columns.
    pub heading: Style,
    /// The selected row or cell.
    pub selected: Style,
    /// A row that the user marked.
    pub marked: Style,
    /// What was searched for.
    pub found: Style,
    /// Keys in the footer.
    pub key: Style,
    /// What the client sent.
    pub client: Style,
    /// What the server sent.
    pub server: Style,
    /// Names of JSON members.
    pub name: Style,
    /// Strings of JSON.
    pub string: Style,
    /// Numbers, `true`, `false` and `null` of JSON.
    pub scalar: Style,
    /// From few to many, for heat maps and bars.
    pub heat: [Style; 5],
    /// The characters for lines, bars and arrows.
    pub symbols: Symbols,
}

/// The characters that are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs)]
pub struct Symbols {
    /// From an eighth to a whole, for bars that lie or stand.
    pub lying: [char; 8],
    pub standing: [char; 8],
    /// From few to many, where there may be no colour.
    pub shades: [char; 5],
    pub right: char,
    pub left: char,
    pub horizontal: char,
    pub vertical: char,
    pub folded: char,
    pub unfolded: char,
    pub mark: char,
    pub ellipsis: char,
    pub ascending: char,
    pub descending: char,
    pub dot: char,
    /// The latency unit as [`crate::time::Nanos`] writes it needs `µ`.
    pub is_ascii: bool,
}

impl Symbols {
    /// What nearly every terminal can draw.
    pub const UNICODE: Self = Self {
        lying: ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
        standing: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
        shades: ['·', '░', '▒', '▓', '█'],
        right: '→',
        left: '←',
        horizontal: '─',
        vertical: '│',
        folded: '▸',
        unfolded: '▾',
        mark: '●',
        ellipsis: '…',
        ascending: '▲',
        descending: '▼',
        dot: '·',
        is_ascii: false,
    };

    /// ASCII alone.
    pub const ASCII: Self = Self {
        lying: ['.', '.', '-', '-', '=', '=', '#', '#'],
        standing: ['_', '.', '.', '-', '-', '=', '=', '#'],
        shades: ['.', ':', '+', '*', '#'],
        right: '>',
        left: '<',
        horizontal: '-',
        vertical: '|',
        folded: '+',
        unfolded: '-',
        mark: '*',
        ellipsis: '~',
        ascending: '^',
        descending: 'v',
        dot: '.',
        is_ascii: true,
    };
}

impl Theme {
    /// The theme for a terminal with or without colour, of Unicode or of ASCII alone.
    pub const fn new(coloured: bool, ascii: bool) -> Self {
        let symbols = if ascii { Symbols::ASCII } else { Symbols::UNICODE };
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let dim = plain.add_modifier(Modifier::DIM);
        let reversed = plain.add_modifier(Modifier::REVERSED);
        if !coloured {
            return Self {
                ok: plain,
                error: bold,
                warning: bold,
                dim,
                heading: bold,
                selected: reversed,
                marked: bold,
                found: plain.add_modifier(Modifier::UNDERLINED),
                key: bold,
                client: plain,
                server: dim,
                name: bold,
                string: plain,
                scalar: plain,
                heat: [plain; 5],
                symbols,
            };
        }
        Self {
            ok: plain.fg(Color::Green),
            error: plain.fg(Color::Red),
            warning: plain.fg(Color::Yellow),
            dim,
            heading: bold,
            selected: reversed,
            marked: plain.fg(Color::Magenta),
            found: plain.fg(Color::Black).bg(Color::Yellow),
            key: plain.fg(Color::Cyan),
            client: plain.fg(Color::Cyan),
            server: plain.fg(Color::Magenta),
            name: plain.fg(Color::Blue),
            string: plain.fg(Color::Green),
            scalar: plain.fg(Color::Cyan),
            heat: [
                plain.fg(Color::Blue),
                plain.fg(Color::Cyan),
                plain.fg(Color::Green),
                plain.fg(Color::Yellow),
                plain.fg(Color::Red),
            ],
            symbols,
        }
    }

    /// The colour of an outcome.
    pub const fn status(&self, status: Status) -> Style {
        match status {
            Status::Ok => self.ok,
            Status::Error | Status::Refused | Status::NoAnswer | Status::Reset => self.error,
            Status::Open | Status::Closed | Status::Unknown => self.warning,
            Status::Sent | Status::Orphan => self.dim,
        }
    }
}
