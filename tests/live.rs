//! Live capture, on this host's loopback with real sockets. Needs the right to capture: without
//! it each test says that it is skipped.

#![cfg(feature = "live")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "clippy takes the helpers of a test for a program"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nestscope::packet::LinkType;
use nestscope::source::filter::CaptureFilter;
use nestscope::source::interfaces::interfaces;
use nestscope::source::{CaptureOptions, Next, Source, SourceError, Stop};

fn options(interfaces: &[&str], port: u16) -> CaptureOptions {
    CaptureOptions {
        interfaces: interfaces.iter().map(|&name| name.to_owned()).collect(),
        filter: CaptureFilter { ports: vec![port..=port], user: None },
        ..CaptureOptions::default()
    }
}

/// Opens a capture, or says that this user may not.
fn capture(options: &CaptureOptions, stop: &Stop) -> Option<Source> {
    match Source::live(options, stop) {
        Ok(source) => Some(source),
        Err(SourceError::NoPermission { .. }) => {
            eprintln!("skipped: no permission to capture");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64
}

/// A connection through the loopback, its server echoing.
fn echo() -> (TcpStream, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client.set_nodelay(true).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 65_536];
        while let Ok(count @ 1..) = server.read(&mut buffer) {
            if server.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
    });
    (client, port)
}

#[test]
fn a_packet_is_given_within_100_ms() {
    let (mut client, port) = echo();
    let stop = Stop::default();
    let Some(mut source) = capture(&options(&["lo"], port), &stop) else {
        return;
    };
    let talker = thread::spawn(move || {
        for number in 0..20_u8 {
            thread::sleep(Duration::from_millis(37));
            client.write_all(&[number]).unwrap();
            client.read_exact(&mut [0]).unwrap();
        }
    });
    let mut delays = Vec::new();
    let mut payloads = 0;
    while payloads < 40 {
        match source.next().unwrap() {
            Next::Packet(packet) => {
                assert_eq!(packet.link, LinkType::ETHERNET);
                assert_eq!(packet.number, delays.len() as u64 + 1);
                delays.push(now() - packet.at.as_nanos());
                payloads += usize::from(packet.data.len() == 67);
            }
            Next::Idle(_) => {}
            Next::End => panic!("ended early"),
        }
    }
    talker.join().unwrap();
    delays.sort_unstable();
    let (half, most) = (delays[delays.len() / 2], delays[delays.len() - 1]);
    eprintln!("delays: half {} µs, most {} µs", half / 1_000, most / 1_000);
    assert!(delays[0] >= 0);
    assert!(most < 100_000_000, "{} µs", most / 1_000);
}

#[test]
fn an_idle_capture_says_what_is_settled_and_ends_when_told() {
    let (mut client, port) = echo();
    let stop = Stop::default();
    let Some(mut source) = capture(&options(&["lo", "any"], port), &stop) else {
        return;
    };
    let begun = Instant::now();
    let mut settled = None;
    while begun.elapsed() < Duration::from_millis(400) {
        match source.next().unwrap() {
            Next::Idle(at) => {
                let at = at.map(|at| at.as_nanos());
                assert!(at >= settled);
                settled = at;
            }
            other => panic!("{other:?}"),
        }
    }
    let behind = now() - settled.unwrap();
    assert!((0..200_000_000).contains(&behind), "{behind} ns");
    // What was sent before the stop is given after it.
    client.write_all(b"last").unwrap();
    client.read_exact(&mut [0; 4]).unwrap();
    stop.set();
    let told = Instant::now();
    let mut packets = 0;
    loop {
        match source.next().unwrap() {
            Next::Packet(_) => packets += 1,
            Next::Idle(_) => {}
            Next::End => break,
        }
    }
    // Two with payload and one or two that acknowledge, on each of the two interfaces.
    assert!(packets >= 6, "{packets}");
    assert!(told.elapsed() < Duration::from_millis(500), "{:?}", told.elapsed());
}

#[test]
fn nothing_is_lost_while_the_analysis_is_slow() {
    let (mut client, port) = echo();
    let stop = Stop::default();
    let Some(mut source) = capture(&options(&["lo"], port), &stop) else {
        return;
    };
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("saved.pcapng");
    source.save_to(path.to_str().unwrap()).unwrap();
    const BYTES: usize = 60_000_000;
    let talker = thread::spawn({
        let stop = stop.clone();
        move || {
            let mut reader = client.try_clone().unwrap();
            let back = thread::spawn(move || {
                let mut buffer = vec![0; 65_536];
                let mut count = 0;
                while count < BYTES {
                    count += reader.read(&mut buffer).unwrap();
                }
            });
            let chunk = vec![7; 50_000];
            for _ in 0..BYTES / chunk.len() {
                client.write_all(&chunk).unwrap();
            }
            back.join().unwrap();
            stop.set();
        }
    });
    let (mut packets, mut payload, mut largest) = (0_u64, 0, 0);
    loop {
        match source.next().unwrap() {
            Next::Packet(packet) => {
                if packets == 0 {
                    // Longer than the queue of batches alone could bear.
                    thread::sleep(Duration::from_millis(300));
                }
                packets += 1;
                assert_eq!(packet.number, packets);
                assert_eq!(packet.data.len(), packet.original_len as usize);
                payload += packet.data.len() - 66;
                largest = largest.max(packet.data.len());
            }
            Next::Idle(_) => {}
            Next::End => break,
        }
    }
    talker.join().unwrap();
    source.finish().unwrap();
    eprintln!(
        "{packets} packets, the largest of {largest} bytes, drops {:?}",
        source.kernel_drops()
    );
    if source.kernel_drops() == Some(0) {
        assert!(payload >= 2 * BYTES, "{payload}");
    }
    // What was saved is what was given.
    let mut saved = Source::files(&[path.to_str().unwrap().to_owned()], &Stop::default()).unwrap();
    let mut count = 0;
    while let Next::Packet(_) = saved.next().unwrap() {
        count += 1;
    }
    assert_eq!(count, packets);
    assert_eq!(saved.kernel_drops(), source.kernel_drops());
}

#[test]
fn any_tells_link_type_and_takes_a_users_filter() {
    let (mut client, port) = echo();
    let mut options = options(&["any"], port);
    options.filter.user = Some("src port 1 or dst host 127.0.0.1".to_owned());
    let stop = Stop::default();
    let Some(mut source) = capture(&options, &stop) else {
        return;
    };
    client.write_all(b"x").unwrap();
    loop {
        match source.next().unwrap() {
            Next::Packet(packet) => {
                assert!([LinkType::LINUX_SLL2, LinkType::LINUX_SLL].contains(&packet.link));
                break;
            }
            Next::Idle(_) => {}
            Next::End => panic!("ended early"),
        }
    }
}

#[test]
fn what_cannot_be_opened_is_explained() {
    let stop = Stop::default();
    let error = |options: &CaptureOptions| match Source::live(options, &stop) {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    };
    if capture(&options(&["lo"], 1), &stop).is_none() {
        return;
    }
    let said = error(&options(&["lo", "nosuch0"], 1)).to_string();
    assert!(said.starts_with("there is no interface nosuch0. There are: "), "{said}");
    assert!(said.contains("lo") && said.contains("any"), "{said}");
    let mut wrong = options(&["lo"], 1);
    wrong.filter.user = Some("port port".to_owned());
    let said = error(&wrong).to_string();
    assert!(said.contains("the capture filter \"port port\" is not valid: "), "{said}");
}

#[test]
fn interfaces_are_listed() {
    let list = interfaces().unwrap();
    let loopback = list.iter().find(|interface| interface.loopback).unwrap();
    assert!(loopback.addresses.iter().any(std::net::IpAddr::is_loopback));
    assert!(list.iter().all(|interface| !interface.name.starts_with("dbus")));
    eprintln!("{list:#?}");
}

/// Runs `ip`; false where it is not there or may not.
fn ip(arguments: &str) -> bool {
    Command::new("ip")
        .args(arguments.split(' '))
        .output()
        .is_ok_and(|output| output.status.success())
}

#[test]
fn an_interface_that_goes_away_ends_alone() {
    let name = format!("nst{}", std::process::id() % 10_000);
    if !ip(&format!("link add {name} type dummy")) && !ip(&format!("link add {name} type ifb")) {
        eprintln!("skipped: no interface can be made here");
        return;
    }
    ip(&format!("link set {name} up"));
    let (mut client, port) = echo();
    let stop = Stop::default();
    let Some(mut source) = capture(&options(&[&name, "lo"], port), &stop) else {
        ip(&format!("link del {name}"));
        return;
    };
    assert!(ip(&format!("link del {name}")));
    let begun = Instant::now();
    let mut ended = None;
    while ended.is_none() && begun.elapsed() < Duration::from_secs(5) {
        if let Err(error) = source.next() {
            ended = Some(error.to_string());
        }
    }
    let said = ended.unwrap();
    assert!(said.starts_with(&format!("{name} is no longer captured on: ")), "{said}");
    eprintln!("{said}");
    client.write_all(b"still here").unwrap();
    loop {
        match source.next().unwrap() {
            Next::Packet(_) => break,
            Next::Idle(_) => {}
            Next::End => panic!("the other ended too"),
        }
    }
}
