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

use nestscope::packet::{LinkType, PacketNumber};
use nestscope::source::filter::CaptureFilter;
use nestscope::source::interfaces::interfaces;
use nestscope::source::{CaptureOptions, Next, Source, SourceError, Stop};

fn options(interfaces: &[&str], port: u16) -> CaptureOptions {
    CaptureOptions {
        interfaces: interfaces.iter().map(|&name| name.to_owned()).collect(),
        filter: CaptureFilter { ports: vec![port..=port], ..CaptureFilter::default() },
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
                assert_eq!(packet.number, PacketNumber(delays.len() as u64 + 1));
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
fn nothing_is_lost_unseen_while_the_analysis_is_slow() {
    let (mut client, port) = echo();
    let stop = Stop::default();
    let Some(mut source) = capture(&options(&["lo"], port), &stop) else {
        return;
    };
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("saved.pcapng");
    source.save_to(path.to_str().unwrap()).unwrap();
    const BYTES: usize = 20_000_000;
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
                // Some 200 MB/s.
                thread::sleep(Duration::from_micros(200));
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
                assert_eq!(packet.number, PacketNumber(packets));
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
    // On a machine that is busy with other things the kernel may drop some; then it says so.
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

/// Begun in the midst of traffic, a capture has no hole behind its first packets: each direction
/// goes on where its segment before ended.
#[test]
fn a_capture_that_begins_under_load_begins_whole() {
    let (mut client, port) = echo();
    let over = Stop::default();
    let talker = thread::spawn({
        let over = over.clone();
        move || {
            let mut buffer = [0; 8_000];
            while !over.is_set() {
                client.write_all(&[7; 8_000]).unwrap();
                client.read_exact(&mut buffer).unwrap();
            }
        }
    });
    for run in 0..10 {
        let stop = Stop::default();
        let Some(mut source) = capture(&options(&["lo"], port), &stop) else {
            break;
        };
        let mut next: std::collections::HashMap<u16, u32> = std::collections::HashMap::new();
        let (mut packets, mut holes) = (0, Vec::new());
        while packets < 5_000 {
            let Next::Packet(packet) = source.next().unwrap() else { continue };
            packets += 1;
            let number = |at: usize, len: usize| {
                packet.data[at..at + len].iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
            };
            // Ethernet, IPv4 without options, TCP with as many as it says.
            let (from, seq) = (number(34, 2) as u16, number(38, 4));
            let payload = number(16, 2) - 20 - u32::from(packet.data[46] >> 4) * 4;
            if let Some(expected) = next.insert(from, seq.wrapping_add(payload))
                && expected != seq
            {
                holes.push((packets, seq.wrapping_sub(expected).cast_signed()));
            }
        }
        // Reads the drops a last time: of those that a busy machine made, nothing is said here.
        source.finish().unwrap();
        let drops = source.kernel_drops();
        eprintln!("run {run}: {drops:?} drops, {} holes", holes.len());
        assert!(holes.is_empty() || drops != Some(0), "run {run}: {holes:?}");
    }
    over.set();
    talker.join().unwrap();
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

/// Makes an interface that ends with the test; `None` where that is not possible.
struct Made(String);

impl Made {
    fn new(ending: &str) -> Option<Self> {
        let name = format!("nst{}{ending}", std::process::id() % 100_000);
        let made = ["dummy", "ifb"].iter().any(|kind| ip(&format!("link add {name} type {kind}")));
        if !made || !ip(&format!("link set {name} up")) {
            eprintln!("skipped: no interface can be made here");
            return None;
        }
        Some(Self(name))
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        ip(&format!("link del {}", self.0));
    }
}

#[test]
fn an_interface_that_goes_away_or_down_ends_alone() {
    for how in ["del", "down"] {
        let Some(made) = Made::new(how) else { return };
        let name = made.0.clone();
        let (mut client, port) = echo();
        let stop = Stop::default();
        let Some(mut source) = capture(&options(&[&name, "lo"], port), &stop) else {
            return;
        };
        match how {
            "del" => drop(made),
            _ => assert!(ip(&format!("link set {name} down"))),
        }
        let begun = Instant::now();
        let mut ended = None;
        while ended.is_none() && begun.elapsed() < Duration::from_secs(5) {
            if let Err(error) = source.next() {
                ended = Some(error.to_string());
            }
        }
        let said = ended.unwrap();
        assert!(said.starts_with(&format!("{name} is no longer captured on: ")), "{said}");
        eprintln!("{how}: {said}");
        client.write_all(b"still here").unwrap();
        loop {
            match source.next().unwrap() {
                Next::Packet(_) => break,
                Next::Idle(_) => {}
                Next::End => panic!("the other ended too"),
            }
        }
    }
}

#[test]
fn when_all_interfaces_are_gone_the_capture_ends() {
    let Some(made) = Made::new("all") else { return };
    let Some(mut source) = capture(&options(&[&made.0], 1), &Stop::default()) else {
        return;
    };
    drop(made);
    let mut errors = 0;
    loop {
        match source.next() {
            Ok(Next::End) => break,
            Ok(_) => {}
            Err(_) => errors += 1,
        }
    }
    assert_eq!(errors, 1);
}

#[test]
fn packets_with_a_vlan_tag_pass_the_filter() {
    let Some(made) = Made::new("vlan") else {
        return;
    };
    let stop = Stop::default();
    let Some(mut source) = capture(&options(&[&made.0], 8888), &stop) else {
        return;
    };
    let mut sender = pcap::Capture::from_device(made.0.as_str()).unwrap().open().unwrap();
    // Two addresses, then as many tags as there are, then IPv4 with TCP from port 8888.
    let frame = |tags: &[u16], port: u16| {
        let mut frame = vec![2; 12];
        for tag in tags {
            frame.extend(tag.to_be_bytes());
            frame.extend([0, 5]);
        }
        frame.extend([
            0x08, 0x00, 0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ]);
        frame.extend(port.to_be_bytes());
        frame.resize(frame.len() + 38, 0);
        frame
    };
    let all_tags = [&[][..], &[0x8100], &[0x88A8, 0x8100]];
    for tags in all_tags {
        sender.sendpacket(frame(tags, 8889)).unwrap();
        sender.sendpacket(frame(tags, 8888)).unwrap();
    }
    let (mut seen, mut idle) = (Vec::new(), 0);
    while seen.len() < all_tags.len() {
        match source.next().unwrap() {
            Next::Packet(packet) => seen.push(packet.data.to_vec()),
            Next::Idle(_) => {
                idle += 1;
                assert!(idle < 40, "{seen:?}");
            }
            Next::End => panic!("ended early"),
        }
    }
    assert_eq!(seen, all_tags.map(|tags| frame(tags, 8888)));
}

/// Run by the test below as a user who may not capture.
#[test]
#[ignore = "part of another test"]
fn as_nobody() {
    match Source::live(&options(&["lo"], 1), &Stop::default()) {
        Ok(_) => println!("allowed"),
        Err(error) => println!("said: {error}"),
    }
    let permitted = interfaces().unwrap().iter().any(|each| each.permitted.is_ok());
    println!("permitted: {permitted}");
}

#[test]
fn without_permission_it_is_said_what_to_do() {
    let program = std::env::current_exe().unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"])
        .arg(&program)
        .args(["as_nobody", "--exact", "--ignored", "--nocapture"])
        .output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        eprintln!("skipped: cannot run as another user");
        return;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("said: no permission to capture on lo."), "{text}");
    assert!(text.contains("sudo nestscope"), "{text}");
    let line = format!("sudo setcap cap_net_raw+ep {}", program.display());
    assert!(text.contains(&line), "{text}");
    assert!(text.contains("permitted: false"), "{text}");
    eprintln!("{text}");
}
