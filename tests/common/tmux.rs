//! A real terminal: tmux, which takes keys and lets its screen be read.

use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take that should be done at once, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the screen is looked at while something is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// A terminal with a program in it. It is closed when the test is over.
pub struct Terminal {
    /// The socket of a tmux server of its own.
    socket: String,
}

impl Terminal {
    /// Runs `command` by a shell in a terminal of this size. When it has ended, the shell writes
    /// `ended: ` and its exit code.
    pub fn start(name: &str, columns: u16, rows: u16, command: &str) -> Self {
        let terminal = Self { socket: format!("nestscope-{}-{name}", std::process::id()) };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let script = format!("printf 'before\\n'; {command}; echo \"ended: $?\"; exec cat");
        terminal.tmux(&[
            "-f", "/dev/null", "new-session", "-d", "-s", "test", "-x", &columns, "-y", &rows, &script,
        ]);
        // OSC 52 of the program goes into tmux's own buffer.
        terminal.tmux(&["set-option", "-s", "set-clipboard", "on"]);
        terminal.tmux(&["set-option", "-s", "escape-time", "0"]);
        terminal
    }

    /// Presses keys, as tmux names them: `Enter`, `C-c`, `Escape`, `a`.
    pub fn press(&self, keys: &[&str]) {
        let mut words = vec!["send-keys", "-t", "test"];
        words.extend(keys);
        self.tmux(&words);
    }

    /// Types `text` as it is.
    pub fn type_text(&self, text: &str) {
        self.tmux(&["send-keys", "-t", "test", "-l", text]);
    }

    /// What stands on the screen.
    pub fn screen(&self) -> String {
        String::from_utf8(self.tmux(&["capture-pane", "-p", "-t", "test"]).stdout).unwrap()
    }

    /// What the program put into the clipboard last.
    pub fn clipboard(&self) -> String {
        String::from_utf8(self.tmux(&["show-buffer"]).stdout).unwrap()
    }

    /// Gives the terminal another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        self.tmux(&["resize-window", "-t", "test", "-x", &columns, "-y", &rows]);
    }

    /// Waits until the screen is as `wanted` says, and returns it.
    pub fn wait(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
            assert!(Instant::now() < until, "no {what} on the screen:\n{screen}");
            thread::sleep(LOOK);
        }
    }

    /// Waits until `text` stands on the screen, and returns the screen.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait(&format!("`{text}`"), |screen| screen.contains(text))
    }

    /// Whether the program left the terminal as it found it: its own screen, the cursor shown, no
    /// mouse reports.
    pub fn is_restored(&self) -> bool {
        let format = "#{alternate_on} #{cursor_flag} #{mouse_any_flag}";
        let flags = self.tmux(&["display-message", "-p", "-t", "test", format]).stdout;
        String::from_utf8(flags).unwrap().trim() == "0 1 0"
    }

    fn tmux(&self, words: &[&str]) -> Output {
        let output = Command::new("tmux")
            .args(["-L", &self.socket])
            .args(words)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("TMUX")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {words:?}: {said}");
        output
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Not by `tmux`, whose assertion would be a second panic where the first is under way.
        let _ = Command::new("tmux").args(["-L", &self.socket, "kill-server"]).output();
    }
}
