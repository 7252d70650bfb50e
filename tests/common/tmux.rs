//! A real terminal: tmux, which takes keys and lets its screen be read. `tools/need test` installs
//! it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long anything may take that should be done at once, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often the screen is looked at while something is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// A terminal with a program in it, and a folder of its own. Both go away when the test is over.
pub struct Terminal {
    /// Where the program runs: `fixtures` leads to those of the repository. The socket of a tmux
    /// server of its own is there too.
    folder: TempDir,
}

impl Terminal {
    /// Runs `command` by a shell in a terminal of this size. Before it, the screen has a line
    /// `before`. When it has ended, the screen has a line `ended: ` with its exit code, and `stty
    /// same` where the settings of the terminal are those of before.
    pub fn run(columns: u16, rows: u16, command: &str) -> Self {
        Self::run_in(TempDir::new().unwrap(), columns, rows, command)
    }

    /// The same in a folder that was made ready.
    pub fn run_in(folder: TempDir, columns: u16, rows: u16, command: &str) -> Self {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        symlink(fixtures, folder.path().join("fixtures")).unwrap();
        let terminal = Self { folder };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let script = format!(
            r#"echo before; was=$(stty -g); {command}; code=$?
            [ "$was" = "$(stty -g)" ] && echo 'stty same'; echo "ended: $code"; exec cat"#
        );
        let size = ["-x", &columns, "-y", &rows];
        let words =
            [&["-f", "/dev/null", "new-session", "-d", "-s", "test"], &size[..], &[&script]];
        terminal.tmux(&words.concat());
        // What the program puts into the clipboard (OSC 52) goes into tmux's own buffer.
        terminal.tmux(&["set-option", "-s", "set-clipboard", "on"]);
        terminal.tmux(&["set-option", "-s", "escape-time", "0"]);
        terminal
    }

    /// The folder in which the program runs.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Presses keys, as tmux names them: `Enter`, `C-c`, `Escape`, `a`.
    pub fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys", "-t", "test"], keys].concat());
    }

    /// Types `text` as it is.
    pub fn type_text(&self, text: &str) {
        self.tmux(&["send-keys", "-t", "test", "-l", text]);
    }

    /// Clears the line that is open, types `text` into it and sends it off.
    pub fn answer(&self, text: &str) {
        self.press(&["C-u"]);
        self.type_text(text);
        self.press(&["Enter"]);
    }

    /// Goes to the row with this number.
    pub fn go_to(&self, number: u32) {
        self.press(&[":"]);
        self.wait_for("Enter do it");
        self.answer(&number.to_string());
        self.wait_for_selected(&format!(" {number} "));
    }

    /// What stands on the screen.
    pub fn screen(&self) -> String {
        self.told(&["capture-pane", "-p", "-t", "test"])
    }

    /// What stands on the screen, with the sequences (SGR) that make it look as it does.
    pub fn screen_with_looks(&self) -> String {
        self.told(&["capture-pane", "-e", "-p", "-t", "test"])
    }

    /// Gives the terminal another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        self.tmux(&["resize-window", "-t", "test", "-x", &columns, "-y", &rows]);
    }

    /// Waits until the screen is as `wanted` says and was so a moment before (it may be seen half
    /// drawn), and returns it.
    pub fn wait(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let settled = || {
            let screen = Some(self.screen()).filter(|screen| wanted(screen))?;
            thread::sleep(LOOK);
            (self.screen() == screen).then_some(screen)
        };
        wait_until(settled, || format!("no {what} on the screen:\n{}", self.screen()))
    }

    /// Waits until `text` stands on the screen, and returns the screen.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait(&format!("`{text}`"), |screen| screen.contains(text))
    }

    /// Waits until `text` stands on the screen no longer, and returns the screen.
    pub fn wait_without(&self, text: &str) -> String {
        self.wait(&format!("end of `{text}`"), |screen| !screen.contains(text))
    }

    /// Waits until the row below the names of the columns that is drawn in reverse holds `text`:
    /// the selected one.
    pub fn wait_for_selected(&self, text: &str) {
        let selected = || reversed(&self.screen_with_looks()).into_iter().skip(TABS).collect();
        wait_until(
            || {
                let rows: Vec<String> = selected();
                rows.iter().any(|row| row.contains(text)).then_some(())
            },
            || format!("`{text}` is not selected, but {:?}:\n{}", selected(), self.screen()),
        );
    }

    /// Presses the keys, which copy something, and waits for `text` in the clipboard.
    pub fn copies(&self, keys: &[&str], text: &str) {
        self.press(keys);
        // There may be no buffer yet.
        let clipboard = || self.ask(&["show-buffer"]).stdout;
        wait_until(
            || (clipboard() == text.as_bytes()).then_some(()),
            || format!("{keys:?} copied {}", String::from_utf8_lossy(&clipboard())),
        );
    }

    /// Waits until `name` lies in the folder, and `told` stands on the screen.
    pub fn wait_for_file(&self, name: &str, told: &str) -> PathBuf {
        self.wait_for(told);
        let path = self.folder.path().join(name);
        assert!(fs::metadata(&path).unwrap().len() > 0);
        path
    }

    /// Waits for the program to end with this exit code, the terminal as it was: its own screen,
    /// cursor, no mouse reports, the settings of before. Returns what stands there.
    pub fn wait_for_end(&self, code: u8) -> String {
        let screen = self.wait_for(&format!("ended: {code}"));
        assert!(screen.contains("before") && screen.contains("stty same"), "{screen}");
        assert_eq!(self.flags(), "0 1 0", "{screen}");
        screen
    }

    /// Whether the program has its own screen, whether the cursor is shown, and whether the mouse
    /// is reported.
    pub fn flags(&self) -> String {
        let format = "#{alternate_on} #{cursor_flag} #{mouse_any_flag}";
        self.told(&["display-message", "-p", "-t", "test", format]).trim().to_owned()
    }

    fn told(&self, words: &[&str]) -> String {
        String::from_utf8(self.tmux(words).stdout).unwrap()
    }

    fn tmux(&self, words: &[&str]) -> Output {
        let output = self.ask(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {words:?}: {said}");
        output
    }

    fn ask(&self, words: &[&str]) -> Output {
        let folder = self.folder.path();
        let program = Path::new(env!("CARGO_BIN_EXE_nestscope"));
        let path = std::env::var("PATH").unwrap();
        let mut tmux = Command::new("tmux");
        tmux.args(words).current_dir(folder);
        // What the program must not take from whoever runs the tests.
        tmux.env("LC_ALL", "C.UTF-8").env("TZ", "UTC").env_remove("TMUX").env_remove("NO_COLOR");
        tmux.env("HOME", folder).env_remove("XDG_STATE_HOME").env("TMUX_TMPDIR", folder);
        tmux.env("PATH", format!("{}:{path}", program.parent().unwrap().display()));
        tmux.output().unwrap_or_else(|error| panic!("tmux: {error} (tools/need test installs it)"))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Without an assertion, which would be a second panic where the first is under way.
        let folder = self.folder.path();
        let _ = Command::new("tmux").arg("kill-server").env("TMUX_TMPDIR", folder).output();
    }
}

/// Looks again and again until there is something.
pub fn wait_until<T>(look: impl Fn() -> Option<T>, missing: impl Fn() -> String) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{}", missing());
        thread::sleep(LOOK);
    }
}

/// Rows of the header and of the tabs, of which one is in reverse too.
const TABS: usize = 3;

/// What of each row is drawn in reverse.
fn reversed(screen: &str) -> Vec<String> {
    let mut is_reversed = false;
    screen
        .lines()
        .map(|line| {
            let mut shown = String::new();
            let mut parts = line.split('\u{1b}');
            let first = parts.next().unwrap_or_default();
            shown.push_str(if is_reversed { first } else { "" });
            for part in parts {
                let Some((codes, text)) =
                    part.strip_prefix('[').and_then(|part| part.split_once('m'))
                else {
                    continue;
                };
                for code in codes.split(';') {
                    is_reversed = match code {
                        "7" => true,
                        "0" | "" | "27" => false,
                        _ => is_reversed,
                    };
                }
                shown.push_str(if is_reversed { text } else { "" });
            }
            shown
        })
        .collect()
}
