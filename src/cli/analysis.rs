//! The loop of every analysis: packets from the source through the engine to whoever shows what it
//! found.

use std::io;
use std::ops::RangeInclusive;
use std::thread;
use std::time::{Duration, Instant};

use super::error::CliError;
use super::progress::ProgressLine;
use super::settings::{Input, Live, Save, Settings};
use super::terminal;
use crate::engine::{Config, Counts, Engine, EngineEvent, Shard};
use crate::limits;
use crate::source::filter::CaptureFilter;
use crate::source::{CaptureOptions, Next, Source, SourceError, Stop};
use crate::store::{Capture, Completeness};
use crate::stream;
use crate::time::{Nanos, Timestamp};

/// What happens in an analysis.
pub enum Event<'a> {
    /// The first packet came: its time, from which relative times count.
    Began(Timestamp),
    /// Something was found.
    Found(EngineEvent<'a>),
    /// Nothing came for a moment: the time to flush.
    Idle,
}

/// What is known when an analysis is over.
#[derive(Debug)]
pub struct Outcome {
    /// What the engine counted.
    pub counts: Counts,
    /// What the source knows of packets that the kernel had no room for.
    pub kernel_drops: Option<u64>,
    /// Bytes at the ends of files that end inside a packet.
    pub file_bytes_cut: u64,
    /// Whether a source ended before its end. It was told when it happened.
    pub failed: bool,
}

impl Outcome {
    /// What was read.
    pub fn capture(&self) -> Capture {
        Capture::new(&self.counts)
    }

    /// What it lacks.
    pub fn completeness(&self) -> Completeness {
        Completeness {
            kernel_drops: self.kernel_drops,
            file_bytes_cut: self.file_bytes_cut,
            ..Completeness::new(&self.counts)
        }
    }
}

/// Reads all packets and hands on what they say, until the source ends, a limit of the settings is
/// reached or somebody presses Ctrl-C.
///
/// # Errors
///
/// Where no packet can be read at all, and where `show` cannot write.
pub fn run(
    settings: &Settings,
    keep_payloads: bool,
    shard: Shard,
    show: &mut dyn FnMut(Event<'_>) -> io::Result<()>,
) -> Result<Outcome, CliError> {
    let stop = Stop::default();
    tell_of_a_pipe(settings);
    let mut source = open(settings, &stop)?;
    tell_what_is_listened_to(settings);
    if shard.count == 1 {
        end_on_signals(&stop)?;
    } // Else Ctrl-C ends the program: threads stopped at different packets would tell a false sum.
    end_after_time(settings, &stop);
    let mut engine = Engine::new(config(settings, keep_payloads, shard));
    let mut shown = Shown { show, result: Ok(()) };
    let mut progress = ProgressLine::new(settings);
    let mut packets_left = settings.packets.unwrap_or(u64::MAX);
    let (mut failed, mut has_begun) = (false, false);
    let began = Instant::now();
    while packets_left > 0 {
        match source.next() {
            Ok(Next::Packet(packet)) => {
                if !has_begun {
                    shown.show(Event::Began(packet.at));
                    has_begun = true;
                }
                packets_left -= 1;
                engine.push(&packet, &mut |update| shown.found(update));
                progress.packet(|| source.progress());
            }
            Ok(Next::Idle(settled)) => {
                match settled {
                    Some(now) => engine.expire(now, &mut |update| shown.found(update)),
                    None => engine.pause(&mut |update| shown.found(update)),
                }
                shown.show(Event::Idle);
            }
            Ok(Next::End) => break,
            Err(error) => {
                failed |= !matches!(error, SourceError::InterfaceEnded { .. });
                progress.clear();
                terminal::complain(settings.output.color, "warning", &error);
            }
        }
        shown.check()?;
    }
    engine.finish(&mut |update| shown.found(update));
    shown.check()?;
    progress.clear();
    if let Err(error) = source.finish() {
        failed = true;
        terminal::complain(settings.output.color, "warning", &error);
    }
    let counts = engine.counts();
    if settings.output.verbose > 0 {
        let took = Nanos::new(began.elapsed().as_nanos().try_into().unwrap_or(u64::MAX));
        let speed = format!("{} packets in {took}", counts.decode.packets);
        terminal::complain(settings.output.color, "note", &speed);
    }
    let mut file_bytes_cut = 0;
    for cut in source.cuts() {
        file_bytes_cut += cut.bytes;
        if !settings.output.quiet {
            terminal::complain(settings.output.color, "warning", cut);
        }
    }
    Ok(Outcome { counts, kernel_drops: source.kernel_drops(), file_bytes_cut, failed })
}

/// Reads the same files beside [`run`], for the connections of another shard. What is wrong with
/// the files, `run` tells; here it only ends the reading, at the same packet.
///
/// # Errors
///
/// Where the files cannot be opened.
pub fn run_beside(
    settings: &Settings,
    keep_payloads: bool,
    (files, stop): (&[String], &Stop),
    shard: Shard,
    found: &mut dyn FnMut(EngineEvent<'_>),
) -> Result<Counts, CliError> {
    let mut source = Source::files(files, stop)?;
    let mut engine = Engine::new(config(settings, keep_payloads, shard));
    let mut packets_left = settings.packets.unwrap_or(u64::MAX);
    while packets_left > 0 {
        match source.next() {
            Ok(Next::Packet(packet)) => {
                packets_left -= 1;
                engine.push(&packet, found);
            }
            Ok(Next::End) => break,
            Ok(Next::Idle(_)) | Err(_) => {}
        }
    }
    engine.finish(found);
    Ok(engine.counts())
}

/// What the engine of a run of `settings` is told.
pub fn config(settings: &Settings, keep_payloads: bool, shard: Shard) -> Config {
    let reorder_at_most = if settings.is_live() {
        limits::REORDER_AT_MOST_LIVE
    } else {
        limits::REORDER_AT_MOST_FILE
    };
    let stream =
        stream::Config { ports: settings.ports.clone(), reorder_at_most, ..Default::default() };
    Config { stream, keep_payloads, tell_progress: false, shard }
}

/// Opens what `settings` name, and the file that packets are saved in.
///
/// # Errors
///
/// Where one of them cannot be opened.
pub fn open(settings: &Settings, stop: &Stop) -> Result<Source, CliError> {
    let mut source = match &settings.input {
        Input::Choice(_) => return Err(CliError::NoInput),
        Input::Files(files) => Source::files(files, stop)?,
        Input::Live(live) => Source::live(&capture_options(live, settings), stop)?,
    };
    if let Some(Save { file, overwrite, ring }) = &settings.save {
        match ring {
            None if *overwrite => source.save_to(file)?,
            None => source.save_to_new(file)?,
            Some(limits) => source.save_in_ring(file, *limits, settings.output.zone())?,
        }
    }
    Ok(source)
}

/// Says that a pipe is waited for, before it is: its first packet may be long in coming.
fn tell_of_a_pipe(settings: &Settings) {
    let Input::Files(files) = &settings.input else { return };
    let is_read = files.iter().any(|file| file == "-");
    if is_read && !settings.output.quiet && terminal::is_pipe_watched() {
        let reading = "reading packets from the pipe on standard input; Ctrl-C ends";
        terminal::complain(settings.output.color, "note", &reading);
    }
}

/// Says at once that a live run has begun: the first call may be long in coming.
fn tell_what_is_listened_to(settings: &Settings) {
    let Input::Live(live) = &settings.input else { return };
    if settings.output.quiet {
        return;
    }
    let interfaces = live.interfaces.join(", ");
    let listening = format!("listening on {interfaces}, {}; Ctrl-C ends", what_is_taken(settings));
    terminal::complain(settings.output.color, "note", &listening);
}

/// Which packets of its source a run takes: `tcp port 8888`.
pub fn what_is_taken(settings: &Settings) -> String {
    let port = |range: &RangeInclusive<u16>| match (range.start(), range.end()) {
        (low, high) if low == high => low.to_string(),
        (low, high) => format!("{low}-{high}"),
    };
    let ports: Vec<_> = settings.ports.ranges().iter().map(port).collect();
    let ports = if ports.is_empty() { "any".to_owned() } else { ports.join(",") };
    let filter = match &settings.input {
        Input::Live(Live { filter: Some(filter), .. }) => format!(", {filter}"),
        _ => String::new(),
    };
    format!("tcp port {ports}{filter}")
}

fn capture_options(live: &Live, settings: &Settings) -> CaptureOptions {
    let usual = CaptureOptions::default();
    CaptureOptions {
        interfaces: live.interfaces.clone(),
        filter: CaptureFilter {
            ports: settings.ports.ranges().to_vec(),
            user: live.filter.clone(),
            tunnels: live.tunnels,
        },
        snap_len: live.snap_len.unwrap_or(usual.snap_len),
        buffer: live.buffer_kib.map_or(usual.buffer, |kib| kib << 10),
        ..usual
    }
}

/// Ctrl-C and SIGTERM end the run with its summary; again after a while, at once. Not sooner: a
/// shell and `timeout` signal a program and its group, so that one wish comes twice.
fn end_on_signals(stop: &Stop) -> Result<(), CliError> {
    const PATIENCE: Duration = Duration::from_secs(2);
    let stop = stop.clone();
    let mut first = None;
    Ok(ctrlc::set_handler(move || {
        stop.set();
        if first.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            // What a shell reports of a program that was ended by Ctrl-C.
            std::process::exit(130);
        }
    })?)
}

/// Ends the run after the time of `settings`, if they name one.
pub fn end_after_time(settings: &Settings, stop: &Stop) {
    let Some(duration) = settings.duration else {
        return;
    };
    let stop = stop.clone();
    // Sleeps beside the loop, which so needs no clock. Nobody waits for it at the end.
    thread::spawn(move || {
        thread::sleep(duration);
        stop.set();
    });
}

/// Hands on what the engine emits, and keeps the error of whoever could not write it: the engine
/// knows of no output.
struct Shown<'a> {
    show: &'a mut dyn FnMut(Event<'_>) -> io::Result<()>,
    result: io::Result<()>,
}

impl Shown<'_> {
    fn found(&mut self, update: EngineEvent<'_>) {
        self.show(Event::Found(update));
    }

    fn show(&mut self, event: Event<'_>) {
        if self.result.is_ok() {
            self.result = (self.show)(event);
        }
    }

    fn check(&mut self) -> io::Result<()> {
        std::mem::replace(&mut self.result, Ok(()))
    }
}
