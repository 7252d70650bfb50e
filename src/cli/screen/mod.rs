//! `nestscope` on a terminal: the screen. Keys, packets and the clock come together here, in one
//! loop that does one thing at a time and never waits for any of them.
//!
//! ```text
//!  keys   (thread) ──┐
//!  signals ──────────┼─► Input ──┐
//!  jobs   (threads) ─┘           ├──► loop: keys first, then packets, a batch at a time;
//!  reader (thread) ────► News ───┘     draws at once after a key, else at most ten times a second
//! ```

mod clipboard;
mod paths;
mod reader;
mod recent;
mod resident;
mod run;
mod save;

use std::cell::Cell;
use std::rc::Rc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, never, select, unbounded};

use crate::cli::error::CliError;
use crate::cli::settings::{Input as Source, Live, Settings};
use crate::cli::terminal as output;
use crate::exchange::ExchangeNumber;
use crate::names::Names;
use crate::report::Losses;
use crate::report::Moments;
use crate::source::SourceError;
use crate::source::interfaces::{self, interfaces};
use crate::store::listing::Spawn;
use crate::store::{Archive, CaptureStore};
use crate::time::Timestamp;
use crate::tui::app::{App, Present};
use crate::tui::status::{Activity, Status};
use crate::tui::terminal::{self, Event};
use crate::tui::theme::Theme;
use crate::tui::view::{Effect, Traffic, View};
use crate::tui::views::start::Start;
use crate::tui::views::{self, TimeStyle};
use clipboard::Copied;
use reader::News;
use run::{Outcome, Run};
use save::Target;

/// Shows the screen until the user leaves it; whether every source was read to its end.
///
/// # Errors
///
/// Where nothing can be read, and where the terminal cannot be drawn on.
pub fn run(settings: &Settings) -> Result<bool, CliError> {
    let (send, inputs) = unbounded();
    // Before the terminal is taken, so that what is wrong is said where it stays.
    let run = match settings.input {
        Source::Choice(_) => None,
        _ => Some(start(settings)?),
    };
    let signal = send.clone();
    ctrlc::set_handler(move || drop(signal.send(Input::Quit)))?;
    let terminal = terminal::Screen::take().map_err(CliError::Terminal)?;
    listen(send.clone())?;
    let mut screen = Screen::new(settings, terminal, run, inputs, send);
    let outcome = screen.run();
    let Screen { terminal, run, failed, saving, .. } = screen;
    drop(terminal);
    finish_saving(settings, saving);
    if let Some(run) = run {
        // What `-w` saves is to be whole.
        if settings.save.is_some() {
            run.reader.end();
        }
        let (capture, completeness) = (run.capture.capture(), run.capture.completeness());
        output::tell_losses(&settings.output, Losses { capture, completeness });
    }
    outcome.map(|()| !failed)
}

/// What the loop is told beside what the reader tells.
enum Input {
    /// The terminal: a key, the mouse, another size.
    Terminal(Event),
    /// Somebody wants the program to end.
    Quit,
    /// A job of a view is done.
    Done,
    /// Something to tell the user.
    Notice(String),
    /// A text was put into the clipboard, as far as that goes beside the loop.
    Copied(Copied),
    /// A file could not be written: why.
    NotSaved(String),
}

/// What the loop is to do after an input.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Stay,
    Leave,
}

struct Screen<'a> {
    settings: &'a Settings,
    terminal: terminal::Screen,
    app: App,
    times: TimeStyle,
    run: Option<Run>,
    /// What is shown where nothing runs.
    nothing: (CaptureStore, Status),
    inputs: Receiver<Input>,
    send: Sender<Input>,
    /// Whether an input changed what is to be seen.
    touched: bool,
    /// When the program began.
    began: Instant,
    /// Whether packets did.
    stale: bool,
    /// Jobs of views that are not done yet.
    jobs: Rc<Cell<usize>>,
    drawn: Instant,
    /// Whether a source ended before its end.
    failed: bool,
    /// Files that are read, or written by `-w`: not to be written over.
    in_use: Vec<String>,
    /// Files that are being written, and what is to be said of each.
    saving: Vec<JoinHandle<String>>,
}

impl<'a> Screen<'a> {
    fn new(
        settings: &'a Settings,
        terminal: terminal::Screen,
        run: Option<Run>,
        inputs: Receiver<Input>,
        send: Sender<Input>,
    ) -> Self {
        let theme = Theme::new(
            output::is_coloured(settings.output.color, &std::io::stdout()),
            settings.screen.ascii,
        );
        let times = TimeStyle { zone: settings.output.zone(), format: settings.output.time };
        let app = views::app(theme, times.clone()).with_checker(Box::new(paths::Answers));
        let saved = settings.save.as_ref().map(|save| &save.file);
        let mut screen = Self {
            settings,
            terminal,
            app,
            times,
            run,
            nothing: (CaptureStore::default(), Status::default()),
            inputs,
            send,
            touched: true,
            began: Instant::now(),
            stale: true,
            jobs: Rc::default(),
            drawn: Instant::now(),
            failed: false,
            in_use: files(&settings.input).iter().chain(saved).cloned().collect(),
            saving: Vec::new(),
        };
        screen.show_views();
        screen
    }

    fn run(&mut self) -> Result<(), CliError> {
        loop {
            // Keys before packets: nobody waits for what can wait.
            while let Ok(input) = self.inputs.try_recv() {
                if self.take(input)? == Next::Leave {
                    return Ok(());
                }
            }
            let due = self.drawn + FRAME;
            if self.touched || self.stale && Instant::now() >= due {
                self.draw()?;
            }
            if let Some(run) = self.run.as_mut().filter(|run| run.has_backlog()) {
                run.catch_up();
                self.stale = true;
                continue;
            }
            // How far a job is, and what it found so far, is to be seen.
            self.stale |= self.jobs.get() > 0;
            // What a view does in steps goes on between two looks at the keys.
            self.touched |= self.app.is_at_work();
            let until = match self.stale {
                _ if self.touched => self.drawn,
                true => due,
                false => self.drawn + TICK,
            };
            let news = match &self.run {
                Some(run) if run.status.activity != Activity::Ended => run.reader.news.clone(),
                _ => never(),
            };
            select! {
                recv(self.inputs) -> input => {
                    let Ok(input) = input else { return Ok(()) };
                    if self.take(input)? == Next::Leave {
                        return Ok(());
                    }
                }
                recv(news) -> news => self.take_news(news.ok())?,
                default(until.saturating_duration_since(Instant::now())) => self.tick(),
            }
        }
    }

    fn take(&mut self, input: Input) -> Result<Next, CliError> {
        self.touched = true;
        if matches!(input, Input::Done) {
            self.jobs.set(self.jobs.get().saturating_sub(1));
        }
        let present = present(&self.run, &self.nothing, self.began);
        let effects = match input {
            Input::Terminal(Event::Key(key)) => self.app.key(key, present),
            Input::Terminal(Event::Mouse(mouse)) => self.app.mouse(mouse, present),
            Input::Terminal(Event::Paste(text)) => {
                self.app.paste(&text);
                Vec::new()
            }
            // The size is asked for with every drawing.
            Input::Terminal(Event::Resize(..) | Event::FocusGained | Event::FocusLost)
            | Input::Done => Vec::new(),
            Input::Notice(text) => {
                self.app.notice(text);
                Vec::new()
            }
            Input::Copied(copied) => {
                match copied {
                    Copied::Arrived => {}
                    Copied::Send(sequence) => {
                        self.terminal.send(&sequence).map_err(CliError::Terminal)?;
                    }
                    Copied::Failed(why) => self.app.notice(why),
                }
                Vec::new()
            }
            Input::NotSaved(why) => {
                self.app.refuse_saving(why, false);
                Vec::new()
            }
            Input::Quit => vec![Effect::Quit],
        };
        for effect in effects {
            if effect == Effect::Quit {
                return Ok(Next::Leave);
            }
            self.bring_about(effect)?;
        }
        Ok(Next::Stay)
    }

    /// Does what the screen asked for.
    fn bring_about(&mut self, effect: Effect) -> Result<(), CliError> {
        match (effect, &mut self.run) {
            (Effect::Quit, _) => {}
            (Effect::Copy(text), _) => {
                let send = self.send.clone();
                thread::spawn(move || send.send(Input::Copied(clipboard::copy(&text))));
            }
            (Effect::Save { path, numbers, overwrite }, Some(run)) => {
                let archive = run.capture.archive().clone();
                match Target::open(&path, overwrite, &self.in_use) {
                    Ok(target) => {
                        let moments = self.settings.output.moments().map(|mut moments| {
                            moments.begin(views::first_packet(&run.capture));
                            moments
                        });
                        self.save(archive, target, numbers, moments);
                    }
                    Err(save::Refused { reason, may_insist }) => {
                        self.app.refuse_saving(reason, may_insist);
                    }
                }
            }
            (Effect::Capture(interface), _) => {
                let usual = match &self.settings.input {
                    Source::Choice(live) | Source::Live(live) => live.clone(),
                    Source::Files(_) => Live::default(),
                };
                self.open(Source::Live(Live { interfaces: vec![interface], ..usual }));
            }
            // The keys come from there.
            (Effect::Read(path), _) if path == "-" => {
                self.app.notice("standard input is read from the start only: nestscope -r -");
            }
            (Effect::Read(path), _) => {
                let path = save::expanded(&path).to_string_lossy().into_owned();
                self.open(Source::Files(vec![path]));
            }
            (Effect::Pause(paused), Some(run)) => run.pause(paused),
            (Effect::Step, Some(run)) => run.step(),
            (Effect::Speed(speed), Some(run)) => run.set_speed(speed),
            (Effect::Clear, Some(run)) => run.capture.clear(),
            (_, None) => {}
        }
        Ok(())
    }

    /// Writes exchanges into a file, beside all else.
    fn save(
        &mut self,
        archive: Archive,
        target: Target,
        numbers: Vec<ExchangeNumber>,
        moments: Option<Moments>,
    ) {
        self.app.notice("saving…");
        let send = self.send.clone();
        self.saving.retain(|save| !save.is_finished());
        self.saving.push(thread::spawn(move || {
            let (told, input) = match target.write(&archive, &numbers, moments) {
                Ok(told) => (told.clone(), Input::Notice(told)),
                Err(told) => (told.clone(), Input::NotSaved(told)),
            };
            // Who has left hears of it all the same.
            let _ = send.send(input);
            told
        }));
    }

    /// Another source in place of the present one; that stays where the other cannot be opened.
    fn open(&mut self, input: Source) {
        // `-w` saves the first source: another one would take the place of what was saved.
        let save = self.settings.save.clone().filter(|_| self.run.is_none());
        let is_saved = save.is_some() == self.settings.save.is_some();
        self.in_use.extend(files(&input).iter().cloned());
        match start(&Settings { input, save, ..self.settings.clone() }) {
            Ok(run) => {
                self.run = Some(run);
                self.show_views();
                if !is_saved {
                    self.app.notice("-w saved the source before; the packets of this one are not");
                }
            }
            Err(error) => self.app.notice(error.to_string()),
        }
    }

    fn take_news(&mut self, news: Option<News>) -> Result<(), CliError> {
        let Some(run) = &mut self.run else { return Ok(()) };
        self.stale = true;
        let Some(news) = news else {
            // The reader is gone without a word: it panicked, and has said so.
            run.status.activity = Activity::Ended;
            self.failed = true;
            return Ok(());
        };
        let told = match run.take(news) {
            Outcome::Taken => return Ok(()),
            Outcome::Told(what) => what,
            Outcome::Broken(error) => {
                // An interface that goes away is no fault of the run, as for every command.
                self.failed |= !matches!(error, SourceError::InterfaceEnded { .. });
                error.to_string()
            }
            // A pipe that was waited for, and is no capture.
            Outcome::Failed(error) => {
                run.status.activity = Activity::Ended;
                self.failed = true;
                error.to_string()
            }
        };
        self.app.notice(told);
        self.touched = true;
        Ok(())
    }

    /// Time passed and nothing else.
    fn tick(&mut self) {
        self.stale = true;
        if self.run.is_none() {
            let traffic: Vec<_> = interfaces::traffic()
                .into_iter()
                .map(|(name, packets, bytes)| Traffic { name, packets, bytes })
                .collect();
            self.app.traffic(&traffic, self.began.elapsed());
        }
    }

    fn draw(&mut self) -> Result<(), CliError> {
        let mut changed = Vec::new();
        if let Some(run) = &mut self.run {
            run.count();
            changed = run.capture.changed();
        }
        let (app, present) = (&mut self.app, present(&self.run, &self.nothing, self.began));
        self.terminal
            .draw(|buffer| {
                app.resize(buffer.area.width, buffer.area.height);
                app.refresh(&changed, present);
                app.draw(present, buffer);
            })
            .map_err(CliError::Terminal)?;
        (self.touched, self.stale, self.drawn) = (false, false, Instant::now());
        Ok(())
    }

    fn show_views(&mut self) {
        let filter = self.settings.filter.as_ref().map(ToString::to_string).unwrap_or_default();
        let views = match &self.run {
            Some(run) => {
                let follow = run.is_live() || run.status.speed.is_some();
                views::of_capture(self.times.clone(), self.spawn(), &filter, follow, self.names())
            }
            None => {
                let interfaces = interfaces().map_err(|error| error.to_string());
                Ok(vec![Box::new(Start::new(interfaces, recent::files())) as Box<dyn View>])
            }
        };
        match views {
            Ok(views) => self.app.show(views),
            Err(error) => self.app.notice(error.to_string()),
        }
    }

    /// The names of hosts, unless the user wants addresses. Without a hosts file there are none.
    fn names(&self) -> Names {
        if self.settings.screen.no_names {
            return Names::default();
        }
        Names::of_hosts(&std::fs::read_to_string("/etc/hosts").unwrap_or_default())
    }

    /// How views have something done that takes long: on a thread, which says when it is done.
    fn spawn(&self) -> Spawn {
        let (send, jobs) = (self.send.clone(), Rc::clone(&self.jobs));
        Rc::new(move |job| {
            jobs.set(jobs.get() + 1);
            let send = send.clone();
            thread::spawn(move || {
                job();
                send.send(Input::Done)
            });
        })
    }
}

/// The files that are read.
fn files(input: &Source) -> &[String] {
    match input {
        Source::Files(files) => files,
        Source::Choice(_) | Source::Live(_) => &[],
    }
}

/// What is, for whoever draws.
fn present<'a>(
    run: &'a Option<Run>,
    (capture, status): &'a (CaptureStore, Status),
    began: Instant,
) -> Present<'a> {
    let elapsed = began.elapsed();
    match run {
        None => Present { capture, status, now: clock(), clock: elapsed },
        Some(run) => Present {
            capture: &run.capture,
            status: &run.status,
            now: match run.goes_by_clock() {
                true => clock(),
                false => run.capture.capture().span.map_or(Timestamp::default(), |(_, last)| last),
            },
            clock: elapsed,
        },
    }
}

/// The time of this host's clock.
fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Begins a run, and waits a moment for its source to be opened: what is wrong with it is an error
/// then, and not a screen.
fn start(settings: &Settings) -> Result<Run, CliError> {
    let mut run = Run::start(settings)?;
    match run.reader.news.recv_timeout(OPENING) {
        Ok(news) => match run.take(news) {
            Outcome::Failed(error) => return Err(error),
            Outcome::Taken | Outcome::Told(_) | Outcome::Broken(_) => {}
        },
        // A pipe of which nothing came yet.
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
    }
    if let Source::Files(files) = &settings.input {
        files.iter().for_each(|file| recent::remember(file));
    }
    Ok(run)
}

/// Waits for the files that are still being written, and tells what came of them.
fn finish_saving(settings: &Settings, saving: Vec<JoinHandle<String>>) {
    for save in saving.into_iter().filter(|save| !save.is_finished()) {
        if let Ok(told) = save.join() {
            output::complain(settings.output.color, "note", &told);
        }
    }
}

/// Begins to read the keyboard.
fn listen(send: Sender<Input>) -> Result<(), CliError> {
    let thread = thread::Builder::new().name("keys".to_owned());
    // It waits for keys until the program ends.
    let listening = thread.spawn(move || {
        let mut events = terminal::Events::default();
        while let Ok(event) = events.wait() {
            if send.send(Input::Terminal(event)).is_err() {
                return;
            }
        }
        // Without a keyboard nobody could leave.
        let _ = send.send(Input::Quit);
    });
    listening.map(drop).map_err(CliError::Terminal)
}

/// Time between two drawings of what packets changed: more often, nobody reads it.
const FRAME: Duration = Duration::from_millis(100);

/// Time after which the screen is drawn though nothing happened: its clocks go by seconds.
const TICK: Duration = Duration::from_secs(1);

/// How long the screen waits for a source to be opened before it draws without.
const OPENING: Duration = Duration::from_millis(300);
