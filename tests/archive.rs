//! What the archive tells of an exchange after the run, against what the engine told when it ended:
//! over every recording, as it is and mutated; from the file, from memory, and from too little of
//! it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::cast_sign_loss)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Raw, fixtures, mutate, read, recordings};
use nestscope::endpoint::ConnectionNumber;
use nestscope::engine::{Config, Engine, EngineEvent};
use nestscope::exchange::{Exchange, ExchangeNumber, Latency, Status};
use nestscope::export::{Form, save as save_exchanges};
use nestscope::packet::{LinkType, Packet, PacketNumber};
use nestscope::report::calls::JsonLines;
use nestscope::source::{Next, Source, Stop};
use nestscope::store::{Archive, CaptureStore, Kept, Unavailable};

/// An exchange as it was told.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    line: String,
    latency: Latency,
}

impl Told {
    fn of(exchange: &Exchange<'_>) -> Self {
        let mut line = Vec::new();
        JsonLines::new(&mut line).write(exchange).unwrap();
        let id = exchange.connection;
        let line = format!("{} {}", String::from_utf8_lossy(&line), id.slot * 1_000 + id.number.0);
        Self { line, latency: exchange.latency }
    }
}

/// A run of the engine with a store beside it.
struct Run {
    engine: Engine,
    capture: CaptureStore,
    told: BTreeMap<ExchangeNumber, Told>,
    /// What was told but is gone by now need not be in the archive.
    segments: Vec<(PacketNumber, ConnectionNumber)>,
}

impl Run {
    fn new(capture: CaptureStore) -> Self {
        let config = Config { keep_payloads: true, tell_progress: true, ..Config::default() };
        Self { engine: Engine::new(config), capture, told: BTreeMap::new(), segments: Vec::new() }
    }

    fn packet(&mut self, packet: &Packet<'_>, kept: Kept) {
        let Self { engine, capture, told, segments } = self;
        capture.packet(packet, kept);
        engine.push(packet, &mut |update| {
            match update {
                EngineEvent::Segment(connection) => {
                    segments.push((packet.number, connection.number));
                }
                EngineEvent::Late { connection, packet } => {
                    segments.push((packet, connection.number));
                }
                _ => {}
            }
            take(capture, told, &update);
        });
    }

    fn finish(&mut self) {
        let Self { engine, capture, told, segments } = self;
        engine.finish(&mut |update| take(capture, told, &update));
        segments.sort_unstable();
    }
}

fn take(
    capture: &mut CaptureStore,
    told: &mut BTreeMap<ExchangeNumber, Told>,
    update: &EngineEvent<'_>,
) {
    capture.take(update);
    if let EngineEvent::Exchange(exchange) = update
        && !exchange.is_answered_attempt()
    {
        told.insert(exchange.number, Told::of(exchange));
    }
}

fn from_memory(packets: &[Raw], ceiling: usize) -> Run {
    let mut run = Run::new(CaptureStore::new(ceiling));
    for (raw, number) in packets.iter().zip(1..) {
        run.packet(&raw.packet(number), Kept::Memory);
    }
    run.finish();
    run
}

fn from_file(path: &Path) -> Run {
    let files = [path.to_str().unwrap().to_owned()];
    let mut source = Source::files(&files, &Stop::default()).unwrap();
    let mut run = Run::new(CaptureStore::with_files(usize::MAX, source.again()));
    loop {
        match source.next_placed().unwrap() {
            (Next::Packet(packet), place) => {
                let (file, offset) = place.unwrap();
                run.packet(&packet, Kept::File { file, offset });
            }
            (Next::Idle(_), _) => {}
            (Next::End, _) => break,
        }
    }
    run.finish();
    run
}

/// The packets as a capture in nanoseconds.
fn save(packets: &[Raw], path: &Path) {
    let link = packets[0].link;
    let mut bytes = 0xA1B2_3C4D_u32.to_le_bytes().to_vec();
    bytes.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0]);
    bytes.extend(u32::from(link.0).to_le_bytes());
    for raw in packets {
        assert_eq!(raw.link, link);
        let at = raw.at as u64;
        let len = raw.data.len() as u64;
        for number in [at / 1_000_000_000, at % 1_000_000_000, len, u64::from(raw.original_len)] {
            bytes.extend(u32::try_from(number).unwrap().to_le_bytes());
        }
        bytes.extend(&raw.data);
    }
    fs::write(path, bytes).unwrap();
}

/// Everything that was told is there, and is told again.
fn assert_told_again(what: &str, run: &Run) -> usize {
    let archive = run.capture.archive();
    let mut many = archive.bodies();
    for (number, told) in &run.told {
        let row = archive.row(*number).unwrap_or_else(|| panic!("{what}: no row {number}"));
        let detail = archive.detail(*number).unwrap();
        assert_eq!(detail.row, row, "{what}");
        assert_eq!(detail.latency, told.latency, "{what}: {}", told.line);
        assert_eq!(row.latency, told.latency.latency, "{what}: {}", told.line);
        for frame in &detail.frames {
            let body = archive.body(&detail, frame);
            let body = body.unwrap_or_else(|gone| panic!("{what}: {gone}, {frame:?}"));
            assert_eq!(body.len() as u64, frame.body_len);
            assert_eq!(many.get(row.connection, frame), Ok(&*body));
        }
        assert_eq!(archive.exchange(*number, Told::of).as_ref(), Some(told), "{what}");
        assert_eq!(many.exchange(*number, Told::of).as_ref(), Some(told), "{what}");
    }
    let rows = archive.rows(ExchangeNumber(0)).filter(|row| row.status != Status::Open).count();
    assert!(rows <= run.told.len(), "{what}");
    assert_eq!(archive.rows(ExchangeNumber(0)).count(), run.told.len(), "{what}");
    for (number, connection) in &run.segments {
        assert_eq!(archive.packet(*number).unwrap().connection, Some(*connection));
    }
    for connection in (0..10).map(ConnectionNumber) {
        let of_it = |(number, of): &(PacketNumber, ConnectionNumber)| {
            (*of == connection).then_some(*number)
        };
        let expected: Vec<_> = run.segments.iter().filter_map(of_it).collect();
        let all = PacketNumber(0)..PacketNumber(u64::MAX);
        let found = archive.packets_of(connection, all.clone()).map(|packet| packet.number);
        assert_eq!(found.collect::<Vec<_>>(), expected, "{what}");
        let found = archive.packets_of(connection, all).rev().map(|packet| packet.number);
        assert!(found.eq(expected.into_iter().rev()), "{what}");
    }
    run.told.len()
}

fn light() -> impl Iterator<Item = (String, PathBuf, Vec<Raw>)> {
    let all = recordings(&fixtures()).into_iter();
    all.filter(|(name, _)| !name.starts_with("megabyte")).map(|(name, path)| {
        let packets = read(&path);
        (name, path, packets)
    })
}

#[test]
fn every_recording_is_told_again() {
    let mut told = 0;
    for (name, path) in recordings(&fixtures()) {
        let run = from_memory(&read(&path), usize::MAX);
        told += assert_told_again(&format!("{name} in memory"), &run);
        if path.extension().is_some_and(|end| end == "pcap") {
            told += assert_told_again(&format!("{name} in its file"), &from_file(&path));
        }
    }
    assert!(told > 5_000, "{told}");
}

#[test]
fn a_packet_in_memory_or_in_its_file_is_what_it_was() {
    for (name, path, packets) in light() {
        let mut runs = vec![from_memory(&packets, usize::MAX)];
        if path.extension().is_some_and(|end| end == "pcap") {
            runs.push(from_file(&path));
        }
        for run in runs {
            let archive = run.capture.archive();
            assert_eq!(archive.packets(), PacketNumber(1)..PacketNumber(packets.len() as u64 + 1));
            for (raw, number) in packets.iter().zip((1..).map(PacketNumber)) {
                let record = archive.packet(number).unwrap();
                assert_eq!((record.number, record.at.as_nanos()), (number, raw.at), "{name}");
                assert_eq!((record.link, record.original_len), (raw.link, raw.original_len));
                assert_eq!(record.captured_len as usize, raw.data.len());
                assert_eq!(archive.packet_data(number), Ok(raw.data.clone()), "{name} {number}");
            }
        }
    }
}

/// Small recordings of one kind each.
const CHOSEN: [&str; 6] = ["basic-v5", "basic-v11", "ipv6", "medium-v11", "raw-v7", "twoclients"];

#[test]
fn frames_over_many_packets_are_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mutated.pcap");
    let mut chosen = 0;
    for (name, _, packets) in light() {
        if !CHOSEN.contains(&name.as_str()) {
            continue;
        }
        chosen += 1;
        let mut mutated = vec![
            ("cut to 100", mutate::recut(&packets, 100)),
            ("shuffled", mutate::shuffled(&mutate::recut(&packets, 300), 16, 7)),
            ("twice", mutate::twice(&mutate::recut(&packets, 500))),
            ("with losses", mutate::lost(&mutate::recut(&packets, 200), 3, 5)),
            ("with one direction", mutate::one_direction(&packets, true)),
            ("cut by the snap length", mutate::snapped(&packets, 150)),
        ];
        if !name.starts_with("medium") {
            mutated.push(("cut to 7", mutate::recut(&packets, 7)));
            mutated.push(("in fragments", mutate::fragments(&packets, 64, false)));
            let cut = mutate::recut(&packets, 90);
            mutated.push(("cut, in fragments, in reverse", mutate::fragments(&cut, 64, true)));
        }
        for (mutation, packets) in mutated {
            let what = format!("{name}, {mutation}");
            assert_told_again(&what, &from_memory(&packets, usize::MAX));
            save(&packets, &path);
            assert_told_again(&what, &from_file(&path));
        }
    }
    assert_eq!(chosen, CHOSEN.len());
}

/// All light recordings one after the other, several times.
fn long() -> Vec<Raw> {
    let all: Vec<_> = light().flat_map(|(_, _, packets)| packets).collect();
    let ethernet: Vec<_> = all.into_iter().filter(|raw| raw.link == LinkType::ETHERNET).collect();
    let mut long = Vec::new();
    for _ in 0..12 {
        long.extend(ethernet.iter().cloned());
    }
    long
}

fn whole(archive: &Archive, number: ExchangeNumber) -> Result<(), Unavailable> {
    let detail = archive.detail(number).unwrap();
    detail.frames.iter().try_for_each(|frame| archive.body(&detail, frame).map(|_| ()))
}

#[test]
fn with_too_little_memory_the_oldest_gives_way() {
    let packets = long();
    let ceiling = 3 << 20;
    let mut run = Run::new(CaptureStore::new(ceiling));
    let mut most = 0;
    let mut picture = None;
    for (raw, number) in packets.iter().zip(1..) {
        run.packet(&raw.packet(number), Kept::Memory);
        most = most.max(run.capture.memory().used);
        if number == 5_000 {
            picture = Some((run.capture.archive().clone(), run.told.clone()));
        }
    }
    run.finish();
    assert!((ceiling / 2..ceiling + (300 << 10)).contains(&most), "{most}");
    let memory = run.capture.memory();
    let archive = run.capture.archive();
    assert!(memory.packets_dropped > 10_000 && memory.rows_dropped > 0, "{memory:?}");
    assert_eq!(memory.packets_dropped + 1, first_shown(archive).0, "{memory:?}");
    let rows = archive.rows(ExchangeNumber(0)).count() as u64;
    assert_eq!(rows + memory.rows_dropped, run.told.len() as u64);
    // Frames that never became whole have taken a few numbers.
    let numbers = ExchangeNumber::each(archive.numbers()).count() as u64;
    assert!((rows..rows + 100).contains(&numbers));
    let totals = run.capture.statistics().totals();
    let orphans = run.told.values().filter(|told| told.line.contains("\"kind\":\"reply\"")).count();
    let attempts = run.told.values().filter(|told| told.line.contains("\"kind\":\"connect\""));
    let attempts = attempts.count();
    // What nothing confirms is in no statistic.
    let unsure = run.told.values().filter(|told| {
        told.line.contains("\"sure\":false") && !told.line.contains("\"kind\":\"reply\"")
    });
    let others = (orphans + attempts + unsure.count()) as u64;
    assert_eq!(totals.calls + totals.events + others, run.told.len() as u64);

    let (mut shown, mut gone) = (0, 0);
    for number in archive.rows(ExchangeNumber(0)).map(|row| row.number) {
        let again = archive.exchange(number, Told::of).unwrap();
        match whole(archive, number) {
            Ok(()) => {
                shown += 1;
                assert_eq!(again, run.told[&number]);
            }
            Err(why) => {
                gone += 1;
                assert_eq!(why, Unavailable::Dropped);
                assert_eq!(again.latency, run.told[&number].latency);
            }
        }
    }
    assert!(shown > 100 && gone > 500, "{shown} {gone}");

    // What was cloned long ago is as it was.
    let (picture, told) = picture.unwrap();
    for number in picture.rows(ExchangeNumber(0)).map(|row| row.number) {
        if whole(&picture, number).is_ok() && told.contains_key(&number) {
            assert_eq!(picture.exchange(number, Told::of).as_ref(), told.get(&number));
        }
    }
}

/// The first packet whose bytes are there.
fn first_shown(archive: &Archive) -> PacketNumber {
    let mut numbers = PacketNumber::each(archive.packets());
    numbers.find(|number| archive.packet_data(*number).is_ok()).unwrap()
}

#[test]
fn what_was_cleared_is_not_told_again() {
    let packets = read(&fixtures().join("concurrent-v11.pcap"));
    let mut run = Run::new(CaptureStore::default());
    let middle = packets.len() / 2;
    let mut begun = ExchangeNumber(0);
    for (raw, number) in packets.iter().zip(1..) {
        run.packet(&raw.packet(number), Kept::Memory);
        if number == middle as u64 {
            begun = run.capture.archive().numbers().end;
            assert!(begun > ExchangeNumber(100));
            assert!(!run.capture.changed().is_empty());
            run.capture.counted(&run.engine.counts(), None, 0);
            assert_eq!(run.capture.capture().packets, middle as u64);
            run.capture.clear();
            assert_eq!(run.capture.capture().packets, 0);
            assert_eq!(run.capture.completeness().frames, 0);
            assert_eq!(run.capture.archive().numbers(), begun..begun);
            assert_eq!(run.capture.archive().rows(ExchangeNumber(0)).count(), 0);
            assert!(run.capture.archive().packets().is_empty());
            assert_eq!(run.capture.connections().len(), 1);
        }
    }
    run.finish();
    run.capture.counted(&run.engine.counts(), None, 0);
    assert_eq!(run.capture.capture().packets, (packets.len() - middle) as u64);
    let archive = run.capture.archive();
    assert!(archive.packets().start == PacketNumber(middle as u64 + 1));
    let after = run.told.split_off(&begun);
    assert!(!run.told.is_empty());
    assert_eq!(archive.rows(ExchangeNumber(0)).count(), after.len());
    let totals = run.capture.statistics().totals();
    assert_eq!(totals.calls, after.len() as u64);
    assert!(run.capture.changed().iter().all(|number| *number >= begun));
    let [connection] = run.capture.connections() else { panic!("one connection") };
    assert_eq!((connection.calls, connection.in_flight), (after.len() as u64, 0));
    assert!(connection.why().is_some());
}

#[test]
fn a_file_that_changed_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("basic.pcap");
    fs::copy(fixtures().join("basic-v11.pcap"), &path).unwrap();
    let run = from_file(&path);
    let archive = run.capture.archive();
    let reason = |archive: &Archive| {
        let reasons = ExchangeNumber::each(archive.numbers());
        let reasons = reasons.map(|number| whole(archive, number).unwrap_err());
        let mut reasons: Vec<_> = reasons.map(|gone| gone.to_string()).collect();
        reasons.dedup();
        reasons
    };
    let size = fs::metadata(&path).unwrap().len();
    fs::write(&path, vec![0; usize::try_from(size).unwrap()]).unwrap();
    let name = path.to_str().unwrap();
    assert_eq!(reason(archive), [format!("cannot be read again from {name}: it was changed")]);
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(100).unwrap();
    assert_eq!(reason(archive), [format!("cannot be read again from {name}: it became shorter")]);
    // What is gone is left out; the rest is told.
    let number = archive.numbers().start;
    let (data, id, latency) = archive
        .exchange(number, |exchange| {
            (exchange.data.is_some(), exchange.id.is_some(), exchange.latency)
        })
        .unwrap();
    assert_eq!((data, id, latency), (false, false, run.told[&number].latency));
}

/// Only the packets of what was saved are in the file, and they tell it again.
#[test]
fn what_is_saved_as_packets_tells_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved.pcapng");
    for name in ["basic-v11.pcap", "basic-v5.pcap", "concurrent-v12.pcap"] {
        let packets = read(&fixtures().join(name));
        for (what, packets) in [
            ("as it was", packets.clone()),
            ("in small pieces", mutate::recut(&packets, 50)),
            ("out of order", mutate::shuffled(&mutate::recut(&packets, 50), 8, 3)),
            ("twice", mutate::twice(&mutate::recut(&packets, 70))),
            ("in fragments", mutate::fragments(&packets, 24, false)),
            ("in fragments, the last first", mutate::fragments(&packets, 16, true)),
        ] {
            let run = from_memory(&packets, usize::MAX);
            let wanted: Vec<_> = run.told.keys().copied().filter(|n| n.0 % 3 == 1).collect();
            let file = fs::File::create(&path).unwrap();
            let saved =
                save_exchanges(run.capture.archive(), &wanted, Form::Pcapng, None, file).unwrap();
            assert_eq!((saved.exchanges, saved.missing), (wanted.len() as u64, 0));
            let again = from_file(&path);
            let texts =
                |run: &Run, numbers: &mut dyn Iterator<Item = ExchangeNumber>| -> Vec<String> {
                    let archive = run.capture.archive();
                    let text = |exchange: &Exchange<'_>| {
                        let texts = [exchange.id, exchange.data, exchange.error];
                        let responses: Vec<_> = exchange.responses.iter().collect();
                        format!("{:?} {texts:?} {responses:?}", exchange.pattern)
                    };
                    numbers.filter_map(|number| archive.exchange(number, text)).collect()
                };
            let found = texts(&again, &mut again.told.keys().copied());
            for text in texts(&run, &mut wanted.iter().copied()) {
                assert!(found.contains(&text), "{name} {what}: {text}");
            }
        }
    }
}

/// A segment in fragments, which holds several frames: whoever reads one of them needs all
/// fragments.
#[test]
fn of_a_segment_in_fragments_all_are_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved.pcapng");
    for reversed in [false, true] {
        let packets = read(&fixtures().join("together-v11.pcap"));
        let packets = mutate::fragments(&packets, 16, reversed);
        let run = from_memory(&packets, usize::MAX);
        let archive = run.capture.archive();
        for number in run.told.keys().copied() {
            let file = fs::File::create(&path).unwrap();
            let saved = save_exchanges(archive, &[number], Form::Pcapng, None, file).unwrap();
            assert!(saved.packets < 60, "{saved:?}: of one call only");
            let id = |archive: &Archive, number| {
                archive.exchange(number, |exchange| {
                    exchange.id.map(|id| String::from_utf8_lossy(id).into_owned())
                })
            };
            let wanted = id(archive, number);
            let again = from_file(&path);
            let again = again.capture.archive();
            let mut found = ExchangeNumber::each(again.numbers()).map(|number| id(again, number));
            assert!(found.any(|id| id == wanted), "{number}, {reversed}");
            assert_eq!(unjoined_for_tshark(&path), 0, "{number}, {reversed}");
        }
    }
}

/// Fragments of which tshark puts no packet together.
fn unjoined_for_tshark(path: &Path) -> usize {
    let filter = "ip.flags.mf == 1 && !ip.reassembled_in && !ip.fragment";
    let tshark = Command::new("tshark").args(["-n", "-2", "-Y", filter, "-r"]).arg(path).output();
    let Ok(output) = tshark else { return 0 };
    String::from_utf8_lossy(&output.stdout).lines().count()
}
