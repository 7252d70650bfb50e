//! What is known of the terminals that the program writes to.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice as Ansi};
use clap::ColorChoice;
use rustix::fs::FileType;
use terminal_size::{Width, terminal_size_of};

use super::settings::Output;
use crate::report::{Layout, Losses, Palette, visible};

/// Columns of a text that goes to a file or into a pipe: wide enough for whole addresses and a
/// good part of the payloads.
const COLUMNS: usize = 200;

/// How a text on standard output is to look.
pub fn layout(output: &Output) -> Layout {
    let stdout = io::stdout();
    Layout {
        columns: columns(&stdout),
        zone: output.zone(),
        time: output.time.unwrap_or_default(),
        palette: palette(output.color, &stdout),
    }
}

/// Columns of the terminal that `stream` is, or of a text that goes elsewhere.
fn columns(stream: &impl AsFd) -> usize {
    terminal_size_of(stream).map_or(COLUMNS, |(Width(columns), _)| columns.into())
}

/// The colours for `stream`.
pub fn palette(choice: ColorChoice, stream: &impl RawStream) -> Palette {
    if is_coloured(choice, stream) { Palette::COLOURED } else { Palette::PLAIN }
}

/// Whether `stream` is to be coloured: NO_COLOR and the like count, unless somebody asked by
/// option.
pub fn is_coloured(choice: ColorChoice, stream: &impl RawStream) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => AutoStream::choice(stream) != Ansi::Never,
    }
}

/// Tells on standard error what is wrong. Names of files and what the system says may hold
/// anything, so they are shown like text from the wire.
pub fn complain(choice: ColorChoice, what: &str, message: &dyn Display) {
    let mut stderr = io::stderr().lock();
    let palette = palette(choice, &stderr);
    let style = if what == "error" { palette.error } else { palette.warning };
    let text = message.to_string();
    let lines: Vec<_> = text.lines().map(visible).collect();
    // Where even this cannot be written nobody can be told.
    let _ = writeln!(stderr, "{style}{what}:{style:#} {}", lines.join("\n"));
}

/// Tells on standard error what the capture lacks: for formats that have no place for it.
pub fn tell_losses(output: &Output, losses: Losses<'_>) {
    if !output.quiet {
        let mut stderr = io::stderr().lock();
        let layout = Layout {
            palette: palette(output.color, &stderr),
            columns: columns(&stderr),
            ..layout(output)
        };
        // Where standard error is closed nobody wants to know.
        let _ = losses.write(&mut stderr, &layout);
    }
}

/// Whether there is a terminal on which a screen can be drawn.
fn is_interactive() -> bool {
    io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// What is known of the program's ends before anything is read or drawn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Streams {
    /// Whether there is a terminal on which a screen can be drawn.
    pub is_interactive: bool,
    /// Whether a pipe or a file stands at standard input.
    pub is_piped: bool,
}

/// Whether standard input is a pipe, which may be silent for long, and somebody reads what is told
/// on standard error meanwhile.
pub fn is_pipe_watched() -> bool {
    stdin_type() == Some(FileType::Fifo) && io::stderr().is_terminal()
}

fn stdin_type() -> Option<FileType> {
    let stat = rustix::fs::fstat(io::stdin()).ok()?;
    Some(FileType::from_raw_mode(stat.st_mode))
}

/// The streams that the program was started with.
pub fn streams() -> Streams {
    // Not a socket: whoever starts programs with one (a daemon, an editor) means nothing by it.
    let is_piped = matches!(stdin_type(), Some(FileType::Fifo | FileType::RegularFile));
    Streams { is_interactive: is_interactive(), is_piped }
}
