//! Puts a text into the user's clipboard, or finds out why it cannot get there.
//!
//! ```text
//!  a tool of this desktop (wl-copy, xclip, pbcopy) ──► arrived
//!  OSC 52 ──► terminal                                   no terminal answers whether it took it
//!         ──► tmux: taken (set-clipboard on), handed through (allow-passthrough), or dropped
//! ```

use std::env;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::tui::terminal::{clipboard, passthrough};

/// What is to be done yet, where a tool did not do it.
#[derive(Debug, PartialEq, Eq)]
pub enum Copied {
    /// It is in the clipboard.
    Arrived,
    /// The terminal is to be sent this.
    Send(String),
    /// It cannot get there: a sentence for the user.
    Failed(String),
}

/// How tmux treats what a program sends to the clipboard.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tmux {
    /// `set-clipboard`: `on`, `external` or `off`.
    set_clipboard: String,
    /// Whether it hands on what is meant for the terminal around it.
    passthrough: bool,
}

/// Copies `text`. Takes as long as the tools that it asks: not for the loop of the screen.
pub fn copy(text: &str) -> Copied {
    let tool = tools().into_iter().any(|tool| tool.is_some_and(|words| fed(&words, text)));
    if tool {
        return Copied::Arrived;
    }
    match sequence(text, tmux().as_ref()) {
        Ok(sequence) => Copied::Send(sequence),
        Err(why) => Copied::Failed(why),
    }
}

/// What the terminal is sent, or why there is no way to it.
fn sequence(text: &str, tmux: Option<&Tmux>) -> Result<String, String> {
    let sequence =
        clipboard(text).ok_or("too large for the clipboard of a terminal: save it (w)")?;
    match tmux {
        Some(tmux) if tmux.set_clipboard == "on" => Ok(sequence),
        Some(tmux) if tmux.passthrough => Ok(passthrough(&sequence)),
        Some(tmux) => Err(format!(
            "Not copied: tmux has set-clipboard {}. Type: tmux set -g set-clipboard on",
            tmux.set_clipboard
        )),
        None => Ok(sequence),
    }
}

/// What the tmux around this program does; `None` where there is none, or none that answers.
fn tmux() -> Option<Tmux> {
    env::var_os("TMUX")?;
    let format = "#{set-clipboard} #{allow-passthrough}";
    let output = Command::new("tmux")
        .args(["display-message", "-p", format])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let told = String::from_utf8(output.stdout).ok()?;
    let (set_clipboard, passthrough) = told.trim().split_once(' ')?;
    Some(Tmux {
        set_clipboard: set_clipboard.to_owned(),
        passthrough: matches!(passthrough, "on" | "all" | "1" | "2"),
    })
}

/// The tools that fill the clipboard of this desktop, where there is one.
fn tools() -> [Option<Vec<&'static str>>; 3] {
    let has = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    // Over ssh, the desktop of this host is not the user's.
    let is_here = !has("SSH_CONNECTION");
    [
        has("WAYLAND_DISPLAY").then(|| vec!["wl-copy"]),
        has("DISPLAY").then(|| vec!["xclip", "-selection", "clipboard"]),
        (cfg!(target_os = "macos") && is_here).then(|| vec!["pbcopy"]),
    ]
}

/// Runs a tool that reads `text`; whether it took it.
fn fed(words: &[&str], text: &str) -> bool {
    let Some((program, arguments)) = words.split_first() else { return false };
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return false };
    let written =
        child.stdin.take().is_some_and(|mut stdin| stdin.write_all(text.as_bytes()).is_ok());
    child.wait().is_ok_and(|status| status.success()) && written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tmux_would_drop_is_not_sent() {
        let tmux = |set_clipboard: &str, passthrough| {
            Some(Tmux { set_clipboard: set_clipboard.to_owned(), passthrough })
        };
        let plain = "\x1b]52;c;Zm9v\x07";
        let wrapped = "\x1bPtmux;\x1b\x1b]52;c;Zm9v\x07\x1b\\";
        for (tmux, expected) in [
            (None, plain),
            (tmux("on", false), plain),
            (tmux("on", true), plain),
            (tmux("external", true), wrapped),
            (tmux("off", true), wrapped),
        ] {
            assert_eq!(sequence("foo", tmux.as_ref()).as_deref(), Ok(expected), "{tmux:?}");
        }
        for word in ["external", "off"] {
            let why = sequence("foo", tmux(word, false).as_ref()).unwrap_err();
            assert!(why.contains(word) && why.contains("tmux set -g set-clipboard on"), "{why}");
        }
        assert!(sequence(&"x".repeat(1 << 20), None).unwrap_err().contains("too large"));
    }
}
