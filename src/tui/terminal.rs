//! The terminal: taken over when the screen begins, given back as it was when it ends, however it
//! ends.

use std::collections::VecDeque;
use std::io::{self, BufWriter, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{panic, process};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
    KeyCode, KeyEvent,
};
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{execute, queue};

pub use ratatui::crossterm::event::Event;

/// Bytes of a text that is put into the clipboard of a terminal. xterm takes 100,000 bytes of
/// base64, which this is; others take more.
const CLIPBOARD: usize = 74_994;

/// What a Rust program that panicked ends with.
const PANICKED: i32 = 101;

/// Bytes of a frame that redraws all of a large terminal, colours included.
const FRAME_BYTES: usize = 128 << 10;

/// Whether the terminal is taken, so that it is given back once.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal, taken over: raw, on its other screen, telling of the mouse and of pasted text.
/// Given back when this is dropped, and before a panic prints.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<io::Stdout>>>,
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    ///
    /// Where standard output is no terminal, or none can be read from.
    pub fn take() -> io::Result<Self> {
        restore_on_panic();
        TAKEN.store(true, Ordering::SeqCst);
        Self::enter().inspect_err(|_| _ = restore())
    }

    fn enter() -> io::Result<Self> {
        enable_raw_mode()?;
        // A frame goes out in one piece: standard output by itself hands on a kilobyte at a time.
        let mut stdout = BufWriter::with_capacity(FRAME_BYTES, io::stdout());
        execute!(stdout, EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste)?;
        // Not by `Terminal::clear`, which asks where the cursor is and waits for the answer.
        execute!(stdout, Clear(ClearType::All))?;
        let mut terminal = Terminal::new(CrosstermBackend::new(stdout))?;
        terminal.hide_cursor()?;
        Ok(Self { terminal })
    }

    /// Its columns and rows.
    ///
    /// # Errors
    ///
    /// Where the system does not tell.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    /// Shows what `draw` puts into the buffer, which has the size of the terminal.
    ///
    /// # Errors
    ///
    /// Where the terminal cannot be written to.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        self.terminal.draw(|frame| draw(frame.buffer_mut()))?;
        Ok(())
    }

    /// Sends a sequence that draws nothing, such as that of [`clipboard`].
    ///
    /// # Errors
    ///
    /// Where the terminal cannot be written to.
    pub fn send(&mut self, sequence: &str) -> io::Result<()> {
        let out = self.terminal.backend_mut();
        out.write_all(sequence.as_bytes())?;
        Write::flush(out)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// What the user does. Where standard input is a pipe, the keys come from the terminal all the
/// same. To be asked by one thread alone.
#[derive(Debug, Default)]
pub struct Events {
    /// What was read, and not told yet.
    waiting: VecDeque<Event>,
}

impl Events {
    /// The next thing: waits for it.
    ///
    /// # Errors
    ///
    /// Where there is no terminal to read from.
    pub fn wait(&mut self) -> io::Result<Event> {
        if let Some(event) = self.waiting.pop_front() {
            return Ok(event);
        }
        let event = event::read()?;
        if event == Event::Key(KeyCode::Esc.into()) {
            // What came in the same read is there at once.
            while self.waiting.len() < LONGEST && event::poll(Duration::ZERO)? {
                self.waiting.push_back(event::read()?);
            }
            rejoin(&mut self.waiting);
        }
        Ok(event)
    }
}

/// Events of the longest sequence that [`rejoin`] knows: `[5~`.
const LONGEST: usize = 3;

/// Behind Esc: makes one key of the letters of its sequence. Esc and an arrow in one read begin
/// with two ESC bytes; crossterm takes those for Esc alone, and `[A` for letters.
fn rejoin(events: &mut VecDeque<Event>) {
    let letters: String = events.iter().map_while(letter).collect();
    let known = [
        ("[A", KeyCode::Up),
        ("[B", KeyCode::Down),
        ("[C", KeyCode::Right),
        ("[D", KeyCode::Left),
        ("[H", KeyCode::Home),
        ("[F", KeyCode::End),
        ("[Z", KeyCode::BackTab),
        ("[1~", KeyCode::Home),
        ("[4~", KeyCode::End),
        ("[5~", KeyCode::PageUp),
        ("[6~", KeyCode::PageDown),
    ];
    if let Some((sequence, key)) = known.into_iter().find(|(text, _)| letters.starts_with(text)) {
        events.drain(..sequence.len());
        events.push_front(Event::Key(key.into()));
    }
}

fn letter(event: &Event) -> Option<char> {
    match event {
        Event::Key(KeyEvent { code: KeyCode::Char(c), .. }) => Some(*c),
        _ => None,
    }
}

/// The sequence (OSC 52) that puts `text` into the clipboard of the user's terminal, over ssh too.
/// `None` where it is larger than terminals take.
pub fn clipboard(text: &str) -> Option<String> {
    (text.len() <= CLIPBOARD).then(|| format!("\x1b]52;c;{}\x07", base64(text.as_bytes())))
}

/// What makes tmux hand `sequence` on to the terminal around it, where it may.
pub fn passthrough(sequence: &str) -> String {
    format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"))
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            [16, 8, 0].iter().zip(group).fold(0, |bits, (by, byte)| bits | u32::from(*byte) << by);
        for (nth, by) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = LETTERS.get((bits >> by & 63) as usize).copied().unwrap_or(b'=');
            out.push(if nth <= group.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

/// Gives the terminal back, once; whether it was taken.
fn restore() -> bool {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return false;
    }
    // Each on its own: what fails keeps none of the rest from being done.
    let mut stdout = io::stdout();
    let _ = queue!(stdout, DisableBracketedPaste, DisableMouseCapture);
    let _ = execute!(stdout, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    true
}

/// Lets a panic give the terminal back before it prints, so that what it prints can be read; then
/// it ends the program, whatever thread it was in: the others would go on drawing over it.
fn restore_on_panic() {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let was_taken = restore();
            before(info);
            if was_taken {
                process::exit(PANICKED);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        // RFC 4648, section 10.
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
        assert_eq!(base64(b"\xff\xfe\xfd"), "//79");
    }

    #[test]
    fn an_arrow_behind_esc_is_one_key_again() {
        let keys = |text: &str| {
            let mut events: VecDeque<Event> =
                text.chars().map(|c| Event::Key(KeyCode::Char(c).into())).collect();
            rejoin(&mut events);
            events.into_iter().collect::<Vec<_>>()
        };
        let key = |code: KeyCode| Event::Key(code.into());
        assert_eq!(keys("[A"), [key(KeyCode::Up)]);
        assert_eq!(keys("[5~"), [key(KeyCode::PageUp)]);
        assert_eq!(keys("[Bq"), [key(KeyCode::Down), key(KeyCode::Char('q'))]);
        assert_eq!(keys("[j"), [key(KeyCode::Char('[')), key(KeyCode::Char('j'))]);
        assert_eq!(keys(""), []);
    }

    #[test]
    fn the_clipboard_has_a_bound() {
        assert_eq!(clipboard("foo").as_deref(), Some("\x1b]52;c;Zm9v\x07"));
        let most = "x".repeat(CLIPBOARD);
        assert!(clipboard(&most).is_some_and(|sequence| sequence.len() <= 100_000));
        assert_eq!(clipboard(&(most + "x")), None);
    }
}
