//! How far the reading of a large file has come, on standard error where that is a terminal.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::settings::{Settings, Task};
use crate::source::file::Progress;

/// Packets between two looks at the clock: at a million packets a second, a look each 4 ms.
const PACKETS: u32 = 4_096;

/// What is read faster than this needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// A bar that appears when a file takes its time.
pub struct ProgressLine {
    /// `None` where it is not wanted.
    state: Option<State>,
    until_look: u32,
}

enum State {
    Waiting(Instant),
    Drawn(ProgressBar),
}

impl ProgressLine {
    /// A bar for a run of `settings`, from now on. A live run has no end to show, and lines of
    /// calls on the same terminal would tear the bar.
    pub fn new(settings: &Settings) -> Self {
        let printing = settings.task == Task::Calls && io::stdout().is_terminal();
        let wanted = !settings.output.quiet && !settings.is_live() && !printing;
        Self { state: wanted.then(|| State::Waiting(Instant::now())), until_look: PACKETS }
    }

    /// A packet was read.
    #[inline]
    pub fn packet(&mut self, progress: impl FnOnce() -> Progress) {
        self.until_look -= 1;
        if self.until_look == 0 {
            self.until_look = PACKETS;
            self.look(progress());
        }
    }

    /// Takes the bar off the terminal; it comes back if the reading goes on.
    pub fn clear(&mut self) {
        if let Some(State::Drawn(bar)) = &self.state {
            bar.finish_and_clear();
        }
    }

    fn look(&mut self, progress: Progress) {
        let Some(total) = progress.total else {
            return;
        };
        match &self.state {
            Some(State::Waiting(since)) if since.elapsed() >= PATIENCE => {
                self.state = Some(State::Drawn(bar(total)));
            }
            Some(State::Drawn(bar)) => bar.set_position(progress.read),
            _ => {}
        }
    }
}

/// Hidden by indicatif where standard error is no terminal.
fn bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
    let style = "{percent:>3}% {wide_bar} {bytes} of {total_bytes}";
    bar.with_style(
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
    )
}
