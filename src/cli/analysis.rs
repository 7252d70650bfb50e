//! The loop of every analysis: packets from the source through the engine to whoever shows what it
//! found.

use std::io;
use std::thread;
use std::time::Instant;

use super::error::CliError;
use super::progress::ProgressLine;
use super::settings::{Input, Live, Settings};
use super::terminal;
use crate::engine::{Config, Engine, Update};
use crate::limits;
use crate::source::filter::CaptureFilter;
use crate::source::{CaptureOptions, Next, Source, SourceError, Stop};
use crate::store::{Capture, Completeness};
use crate::stream;
use crate::time::Nanos;

/// What happens in an analysis.
pub enum Event<'a> {
    /// Something was found.
    Found(Update<'a>),
    /// Nothing came for a moment: the time to flush.
    Idle,
}

/// What is known when an analysis is over.
#[derive(Debug)]
pub struct Outcome {
    /// What was read.
    pub capture: Capture,
    /// What it lacks.
    pub completeness: Completeness,
    /// Whether a source ended before its end. It was told when it happened.
    pub failed: bool,
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
    show: &mut dyn FnMut(Event<'_>) -> io::Result<()>,
) -> Result<Outcome, CliError> {
    let stop = Stop::default();
    let mut source = open(settings, &stop)?;
    end_on_signals(&stop)?;
    end_after_time(settings, &stop);
    let mut engine = Engine::new(Config {
        stream: stream::Config {
            ports: settings.ports.clone(),
            reorder_at_most: if settings.is_live() {
                limits::REORDER_AT_MOST_LIVE
            } else {
                limits::REORDER_AT_MOST_FILE
            },
        },
        keep_payloads,
    });
    let mut shown = Shown { show, result: Ok(()) };
    let mut progress = ProgressLine::new(settings);
    let mut packets_left = settings.packets.unwrap_or(u64::MAX);
    let mut failed = false;
    let began = Instant::now();
    while packets_left > 0 {
        match source.next() {
            Ok(Next::Packet(packet)) => {
                packets_left -= 1;
                engine.push(&packet, &mut |update| shown.found(update));
                progress.packet(|| source.progress());
            }
            Ok(Next::Idle(settled)) => {
                if let Some(now) = settled {
                    engine.expire(now, &mut |update| shown.found(update));
                }
                shown.idle();
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
    let capture = Capture::new(&counts);
    if settings.output.verbose > 0 {
        let took = Nanos::new(began.elapsed().as_nanos().try_into().unwrap_or(u64::MAX));
        let speed = format!("{} packets in {took}", capture.packets);
        terminal::complain(settings.output.color, "note", &speed);
    }
    let mut completeness = Completeness::new(&counts);
    completeness.kernel_drops = source.kernel_drops();
    for cut in source.cuts() {
        completeness.file_bytes_cut += cut.bytes;
        if !settings.output.quiet {
            terminal::complain(settings.output.color, "warning", cut);
        }
    }
    Ok(Outcome { capture, completeness, failed })
}

fn open(settings: &Settings, stop: &Stop) -> Result<Source, CliError> {
    let mut source = match &settings.input {
        Input::Files(files) => Source::files(files, stop)?,
        Input::Live(live) => Source::live(&capture_options(live, settings), stop)?,
    };
    if let Some(file) = &settings.save {
        source.save_to(file)?;
    }
    Ok(source)
}

fn capture_options(live: &Live, settings: &Settings) -> CaptureOptions {
    let usual = CaptureOptions::default();
    CaptureOptions {
        interfaces: live.interfaces.clone(),
        filter: CaptureFilter {
            ports: settings.ports.ranges().to_vec(),
            user: live.filter.clone(),
        },
        snap_len: live.snap_len.unwrap_or(usual.snap_len),
        buffer: live.buffer_kib.map_or(usual.buffer, |kib| kib << 10),
        ..usual
    }
}

/// Ctrl-C and SIGTERM end the run with its summary; the second time, at once.
fn end_on_signals(stop: &Stop) -> Result<(), CliError> {
    let stop = stop.clone();
    Ok(ctrlc::set_handler(move || {
        if stop.is_set() {
            // What a shell reports of a program that was ended by Ctrl-C.
            std::process::exit(130);
        }
        stop.set();
    })?)
}

fn end_after_time(settings: &Settings, stop: &Stop) {
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
    fn found(&mut self, update: Update<'_>) {
        if self.result.is_ok() {
            self.result = (self.show)(Event::Found(update));
        }
    }

    fn idle(&mut self) {
        if self.result.is_ok() {
            self.result = (self.show)(Event::Idle);
        }
    }

    fn check(&mut self) -> io::Result<()> {
        std::mem::replace(&mut self.result, Ok(()))
    }
}
