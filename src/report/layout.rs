//! How a text for people is to look: decided by whoever knows the terminal.

use anstyle::{AnsiColor, Style};
use jiff::tz::TimeZone;

use super::moments::TimeFormat;
use crate::exchange::Status;

/// What a text writer is told about where its text goes.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Columns of the terminal.
    pub columns: usize,
    /// The zone in which times of day are told.
    pub zone: TimeZone,
    /// How points in time are told.
    pub time: TimeFormat,
    /// The colours.
    pub palette: Palette,
}

/// Colours by meaning.
#[derive(Clone, Copy, Debug, Default)]
#[expect(missing_docs)]
pub struct Palette {
    pub ok: Style,
    pub error: Style,
    pub warning: Style,
    pub dim: Style,
    pub heading: Style,
}

impl Palette {
    /// No colour: not one escape sequence is written.
    pub const PLAIN: Self = Self {
        ok: Style::new(),
        error: Style::new(),
        warning: Style::new(),
        dim: Style::new(),
        heading: Style::new(),
    };

    /// The terminal's own sixteen colours, which its user has chosen.
    pub const COLOURED: Self = Self {
        ok: AnsiColor::Green.on_default(),
        error: AnsiColor::Red.on_default(),
        warning: AnsiColor::Yellow.on_default(),
        dim: Style::new().dimmed(),
        heading: Style::new().bold(),
    };

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
