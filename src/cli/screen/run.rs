//! One run of the analysis for the screen: what the reader tells goes through the engine into the
//! store, a batch at a time, so that keys and drawing come in between.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::cli::analysis;
use crate::cli::error::CliError;
use crate::cli::screen::reader::{Control, News, Reader};
use crate::cli::screen::resident::resident;
use crate::cli::settings::{Input, Settings};
use crate::engine::{Engine, Shard};
use crate::source::SourceError;
use crate::source::batch::Batch;
use crate::store::{CaptureStore, Kept};
use crate::tui::status::{Activity, Status};

/// A source and what was learned of it.
pub struct Run {
    /// The reader; packets wait in its channel.
    pub reader: Reader,
    /// What was learned.
    pub capture: CaptureStore,
    /// What the header tells of it.
    pub status: Status,
    engine: Engine,
    is_live: bool,
    began: Instant,
    /// Whether there are no more packets but those of the backlog.
    is_read: bool,
    /// When the connections and the memory were last looked at.
    counted: Option<Instant>,
    /// Packets that came while a live capture was paused.
    backlog: VecDeque<Batch>,
    backlog_weight: usize,
    /// The most that they may weigh, in bytes.
    backlog_ceiling: usize,
    file_bytes_cut: u64,
    /// Bytes that the archive may take.
    share: usize,
}

/// What came of a piece of news.
pub enum Outcome {
    /// There may be something new to see.
    Taken,
    /// Something that the user must be told.
    Told(String),
    /// A file or an interface ended before its end.
    Broken(SourceError),
    /// The source could not be opened.
    Failed(CliError),
}

impl Run {
    /// Begins to read what `settings` name.
    ///
    /// # Errors
    ///
    /// Where the system gives no thread.
    pub fn start(settings: &Settings) -> Result<Self, CliError> {
        let mut config = analysis::config(settings, false, Shard::default());
        config.tell_progress = true;
        Ok(Self {
            reader: Reader::start(settings)?,
            capture: CaptureStore::new(share_of_archive(settings.screen.memory)),
            status: Status {
                source: source_name(&settings.input),
                filter: analysis::what_is_taken(settings),
                activity: Activity::Opening,
                is_unsaved: settings.is_live() && settings.save.is_none(),
                speed: settings.screen.speed,
                memory: u64::try_from(settings.screen.memory).ok(),
                is_live: settings.is_live(),
                ..Status::default()
            },
            engine: Engine::new(config),
            is_live: settings.is_live(),
            began: Instant::now(),
            is_read: false,
            counted: None,
            backlog: VecDeque::new(),
            backlog_weight: 0,
            backlog_ceiling: settings.screen.memory / 4,
            file_bytes_cut: 0,
            share: share_of_archive(settings.screen.memory),
        })
    }

    /// Whether packets come by the clock, and not from a file.
    pub const fn is_live(&self) -> bool {
        self.is_live
    }

    /// Whether the time goes on though no packet comes: not in a file, nor while nothing is taken
    /// in, for what was answered meanwhile would seem to be waited for.
    pub fn goes_by_clock(&self) -> bool {
        self.is_live && !self.status.paused && self.status.activity != Activity::Ended
    }

    /// Takes in what the reader told.
    pub fn take(&mut self, news: News) -> Outcome {
        match news {
            News::Opened { again } => {
                self.capture = CaptureStore::with_files(self.share, again);
                self.status.activity =
                    if self.is_live { Activity::Live } else { Activity::Reading(0, None) };
            }
            News::Packets { batch, progress, kernel_drops } => {
                if !self.is_live && progress.read > 0 {
                    self.status.activity = Activity::Reading(progress.read, progress.total);
                }
                self.status.kernel_drops = kernel_drops.or(self.status.kernel_drops);
                return self.take_batch(batch);
            }
            News::Idle(settled, kernel_drops) => {
                self.status.kernel_drops = kernel_drops.or(self.status.kernel_drops);
                if self.backlog.is_empty() && !self.status.paused {
                    let Self { engine, capture, .. } = self;
                    match settled {
                        Some(now) => engine.expire(now, &mut |update| capture.take(&update)),
                        None => engine.pause(&mut |update| capture.take(&update)),
                    }
                }
            }
            News::Trouble(error) => return Outcome::Broken(error),
            News::Ended { kernel_drops, file_bytes_cut, cuts } => {
                self.status.kernel_drops = kernel_drops;
                self.file_bytes_cut = file_bytes_cut;
                self.status.paused = false;
                self.is_read = true;
                if self.backlog.is_empty() {
                    self.finish();
                }
                if !cuts.is_empty() {
                    return Outcome::Told(cuts.join("; "));
                }
            }
            News::Failed(error) => return Outcome::Failed(error),
        }
        Outcome::Taken
    }

    /// Stops taking in, or goes on. A file is read no further; what a live capture brings waits.
    pub fn pause(&mut self, paused: bool) {
        self.status.paused = paused && !self.is_read;
        self.reader.tell(Control::Pause(self.status.paused));
    }

    /// While paused: takes in one packet.
    pub fn step(&mut self) {
        if !self.is_live {
            return self.reader.tell(Control::Step);
        }
        let Some(batch) = self.backlog.pop_front() else { return };
        self.backlog_weight -= batch.weight();
        let mut rest = Batch::default();
        for (packet, place) in batch.packets().skip(1) {
            rest.push(&packet, place);
        }
        self.analyse(&batch, 1);
        if !rest.is_empty() {
            self.backlog_weight += rest.weight();
            self.backlog.push_front(rest);
        }
        self.status.waiting = self.status.waiting.saturating_sub(1);
    }

    /// Plays a file at another pace.
    pub fn set_speed(&mut self, speed: Option<f64>) {
        if !self.is_live {
            self.status.speed = speed;
            self.reader.tell(Control::Speed(speed));
        }
    }

    /// Whether packets wait that may be analysed now.
    pub fn has_backlog(&self) -> bool {
        !self.status.paused && !self.backlog.is_empty()
    }

    /// Analyses one batch of those that waited.
    pub fn catch_up(&mut self) {
        if let Some(batch) = self.backlog.pop_front() {
            self.backlog_weight -= batch.weight();
            self.status.waiting = self.status.waiting.saturating_sub(batch.len() as u64);
            self.analyse(&batch, usize::MAX);
        }
        if self.is_read && self.backlog.is_empty() {
            self.finish();
        }
    }

    /// Brings counts up to date that the engine does not tell by itself: before drawing.
    pub fn count(&mut self) {
        self.status.running = self.began.elapsed();
        let Self { engine, capture, .. } = self;
        let is_due = self.counted.is_none_or(|at| at.elapsed() >= COUNTED_EVERY);
        if is_due {
            self.counted = Some(Instant::now());
            self.status.resident = resident();
        } else if capture.connections().len() > FEW_CONNECTIONS {
            return;
        }
        engine.standing(&mut |standing| capture.standing(standing));
        capture.counted(&engine.counts(), self.status.kernel_drops, self.file_bytes_cut);
    }

    fn take_batch(&mut self, batch: Batch) -> Outcome {
        if !self.is_live || !self.status.paused && self.backlog.is_empty() {
            self.analyse(&batch, usize::MAX);
            return Outcome::Taken;
        }
        self.status.waiting += batch.len() as u64;
        self.backlog_weight += batch.weight();
        self.backlog.push_back(batch);
        if self.status.paused && self.backlog_weight > self.backlog_ceiling {
            self.pause(false);
            return Outcome::Told(
                "Going on: what came while paused fills a quarter of the memory (--memory)"
                    .to_owned(),
            );
        }
        Outcome::Taken
    }

    fn analyse(&mut self, batch: &Batch, packets: usize) {
        let Self { engine, capture, .. } = self;
        for (packet, place) in batch.packets().take(packets) {
            let kept = match place {
                Some((file, offset)) => Kept::File { file, offset },
                None => Kept::Memory,
            };
            capture.packet(&packet, kept);
            engine.push(&packet, &mut |update| capture.take(&update));
        }
    }

    /// There are no more packets: what is open is told as it stands.
    fn finish(&mut self) {
        self.status.activity = Activity::Ended;
        let Self { engine, capture, .. } = self;
        engine.finish(&mut |update| capture.take(&update));
    }
}

/// What is left for the archive of so many bytes for the whole program. Beside it there are the
/// engine, the statistics, packets under way and the program itself, some 32 MB; and what grows
/// with the archive: the lists of its rows, of which there may be two, and what the allocator
/// cannot use.
const fn share_of_archive(memory: usize) -> usize {
    let share = memory.saturating_sub(memory / 8 + REST);
    if share > memory / 4 { share } else { memory / 4 }
}

fn source_name(input: &Input) -> String {
    match input {
        Input::Choice(_) => String::new(),
        Input::Live(live) => live.interfaces.join(", "),
        Input::Files(files) => {
            let names: Vec<_> = files.iter().map(|file| name_of(file)).collect();
            names.join(", ")
        }
    }
}

/// Bytes beside the archive that do not depend on its size.
const REST: usize = 32 << 20;

/// How often all of many connections are asked how they stand, and the system for the memory: both
/// take milliseconds where there are tens of thousands.
const COUNTED_EVERY: Duration = Duration::from_millis(250);

/// So few of them are asked before every drawing.
const FEW_CONNECTIONS: usize = 1_000;

/// What the header calls a file: its name without the folders.
fn name_of(file: &str) -> &str {
    match file {
        "-" => "standard input",
        _ => file.rsplit('/').next().unwrap_or(file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Args;
    use crate::cli::settings::Plan;
    use crate::cli::terminal::Streams;
    use crate::store::Outcomes;

    const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/basic-v11.pcap");

    /// A run of which nothing was taken in, as if what comes came from an interface; and what
    /// comes.
    fn live() -> (Run, Vec<News>) {
        let args = Args::read(["nestscope", "-r", FIXTURE]).unwrap();
        let Plan::Analyse(settings) =
            Plan::new(args, Streams { is_interactive: true, is_piped: false }).unwrap()
        else {
            panic!("no run")
        };
        let mut run = Run::start(&settings).unwrap();
        // To its end at once: a file, which this is, would be paused.
        let news = run.reader.news.iter().collect();
        run.is_live = true;
        (run, news)
    }

    fn known(run: &Run) -> u64 {
        run.capture.archive().packets().end.0 - 1
    }

    fn totals(run: &Run) -> &Outcomes {
        run.capture.statistics().totals()
    }

    #[test]
    fn what_comes_during_a_pause_waits_and_nothing_of_it_is_lost() {
        let (mut through, news) = live();
        news.into_iter().for_each(|news| _ = through.take(news));
        assert_eq!(through.status.activity, Activity::Ended);

        let (mut run, mut news) = live();
        let end = news.pop().unwrap();
        run.pause(true);
        news.into_iter().for_each(|news| _ = run.take(news));
        let all = run.status.waiting;
        assert_eq!((known(&run), all), (0, known(&through)));
        run.take(News::Idle(None, None));
        run.step();
        run.step();
        assert_eq!((known(&run), run.status.waiting), (2, all - 2));
        assert!(!run.has_backlog() && !run.goes_by_clock());
        // The end ends the pause, and what waited is taken in before it.
        run.take(end);
        assert!(run.has_backlog() && !run.status.paused);
        run.pause(true);
        while run.has_backlog() {
            assert_ne!(run.status.activity, Activity::Ended);
            run.catch_up();
        }
        assert_eq!((run.status.activity, run.status.waiting), (Activity::Ended, 0));
        assert_eq!((known(&run), totals(&run)), (all, totals(&through)));
    }

    #[test]
    fn a_pause_ends_where_what_waits_becomes_too_much() {
        let (mut run, news) = live();
        run.backlog_ceiling = 0;
        run.pause(true);
        let told = news.into_iter().find_map(|news| match run.take(news) {
            Outcome::Told(what) => Some(what),
            _ => None,
        });
        let told = told.unwrap();
        assert!(told.contains("--memory"), "{told}");
        assert!(run.has_backlog() && !run.status.paused);
    }
}
