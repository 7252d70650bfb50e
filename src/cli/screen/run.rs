//! One run of the analysis for the screen: what the reader tells goes through the engine into the
//! book, a batch at a time, so that keys and drawing come in between.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::cli::analysis;
use crate::cli::error::CliError;
use crate::cli::screen::reader::{Control, News, Reader};
use crate::cli::screen::resident::resident;
use crate::cli::settings::{Input, Settings};
use crate::engine::{Engine, Shard};
use crate::source::batch::Batch;
use crate::store::{Book, Kept};
use crate::tui::status::{Activity, Status};

/// A source and what was learned of it.
pub struct Run {
    /// The reader; packets wait in its channel.
    pub reader: Reader,
    /// What was learned.
    pub book: Book,
    /// What the header tells of it.
    pub status: Status,
    engine: Engine,
    is_live: bool,
    began: Instant,
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
            book: Book::new(share_of_archive(settings.screen.memory)),
            status: Status {
                source: source_name(&settings.input),
                filter: analysis::what_is_taken(settings),
                activity: Activity::Opening,
                speed: settings.screen.speed,
                memory: u64::try_from(settings.screen.memory).ok(),
                ..Status::default()
            },
            engine: Engine::new(config),
            is_live: settings.is_live(),
            began: Instant::now(),
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

    /// Takes in what the reader told.
    pub fn take(&mut self, news: News) -> Outcome {
        match news {
            News::Opened { again } => {
                self.book = Book::with_files(self.share, again);
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
                if self.backlog.is_empty() {
                    let Self { engine, book, .. } = self;
                    match settled {
                        Some(now) => engine.expire(now, &mut |update| book.take(&update)),
                        None => engine.pause(&mut |update| book.take(&update)),
                    }
                }
            }
            News::Trouble(what) => return Outcome::Told(what),
            News::Ended { kernel_drops, file_bytes_cut, cuts } => {
                self.status.kernel_drops = kernel_drops;
                self.file_bytes_cut = file_bytes_cut;
                self.status.activity = Activity::Ended;
                self.finish();
                if let Some(cut) = cuts.into_iter().next() {
                    return Outcome::Told(cut);
                }
            }
            News::Failed(error) => return Outcome::Failed(error),
        }
        Outcome::Taken
    }

    /// Stops taking in, or goes on. A file is read no further; what a live capture brings waits.
    pub fn pause(&mut self, paused: bool) {
        self.status.paused = paused && self.status.activity != Activity::Ended;
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
    }

    /// Brings counts up to date that the engine does not tell by itself: before drawing.
    pub fn count(&mut self) {
        self.status.running = self.began.elapsed();
        let Self { engine, book, .. } = self;
        let is_due = self.counted.is_none_or(|at| at.elapsed() >= COUNTED_EVERY);
        if is_due {
            self.counted = Some(Instant::now());
            self.status.resident = resident();
        } else if book.connections().len() > FEW_CONNECTIONS {
            return;
        }
        engine.standing(&mut |standing| book.standing(standing));
        book.counted(&engine.counts(), self.status.kernel_drops, self.file_bytes_cut);
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
        let Self { engine, book, .. } = self;
        for (packet, place) in batch.packets().take(packets) {
            let kept = match place {
                Some((file, offset)) => Kept::File { file, offset },
                None => Kept::Memory,
            };
            book.packet(&packet, kept);
            engine.push(&packet, &mut |update| book.take(&update));
        }
    }

    /// There are no more packets: what is open is told as it stands.
    fn finish(&mut self) {
        self.status.paused = false;
        while !self.backlog.is_empty() {
            self.catch_up();
        }
        let Self { engine, book, .. } = self;
        engine.finish(&mut |update| book.take(&update));
    }
}

/// What is left for the archive of so many bytes for the whole program. Beside it there are the
/// engine, the statistics, packets under way and the program itself, some 32 MB; and what grows with
/// the archive: the lists of its rows, of which there may be two, and what the allocator cannot use.
const fn share_of_archive(memory: usize) -> usize {
    let share = memory.saturating_sub(memory / 8 + REST);
    if share > memory / 4 { share } else { memory / 4 }
}

fn source_name(input: &Input) -> String {
    match input {
        Input::Choice => String::new(),
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
