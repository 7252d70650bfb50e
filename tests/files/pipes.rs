//! Pipes, FIFOs and standard input.

use std::fs::File;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::by_hand::*;
use crate::*;

fn fifo(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("fifo");
    tool("mkfifo", &[path.to_str().unwrap()]);
    path
}

#[test]
fn packets_of_a_pipe_are_handed_on_as_they_arrive() {
    for (kind, bytes, rows) in every_kind() {
        let folder = TempDir::new().unwrap();
        let path = fifo(&folder);
        let (said, asked) = std::sync::mpsc::channel();
        let writer = std::thread::spawn({
            let path = path.clone();
            move || {
                let mut pipe = File::options().write(true).open(path).unwrap();
                let mut rest = bytes.as_slice();
                // The writer goes on only when what it wrote was read, and closes last.
                while !rest.is_empty() {
                    let (now, later) = rest.split_at(rest.len().min(24));
                    pipe.write_all(now).unwrap();
                    rest = later;
                    if asked.recv().is_err() {
                        break;
                    }
                }
                asked.recv().ok();
            }
        });
        said.send(()).unwrap();
        let mut file = CaptureFile::open(path.to_str().unwrap(), Stop::default()).unwrap();
        let mut seen = 0;
        while seen < rows.len() {
            match file.next().unwrap() {
                Next::Packet(packet) => {
                    assert_eq!(packet.data, rows[seen].3, "{kind}");
                    seen += 1;
                }
                Next::Idle(_) => said.send(()).unwrap(),
                Next::End => panic!("{kind}: ended after {seen} packets"),
            }
        }
        drop(said);
        writer.join().unwrap();
        loop {
            if let Next::End = file.next().unwrap() {
                break;
            }
        }
    }
}

#[test]
fn a_flushed_gzip_pipe_is_live_too() {
    let (bytes, rows) = Order { big: false }.classic(0xA1B2_C3D4, 0);
    let folder = TempDir::new().unwrap();
    let path = fifo(&folder);
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            let pipe = File::options().write(true).open(path).unwrap();
            let mut gzip = flate2::write::GzEncoder::new(pipe, flate2::Compression::fast());
            gzip.write_all(&bytes[..bytes.len() - 3]).unwrap();
            gzip.flush().unwrap();
            wait.recv().ok();
            gzip.write_all(&bytes[bytes.len() - 3..]).unwrap();
            gzip.finish().unwrap();
        }
    });
    let mut file = CaptureFile::open(path.to_str().unwrap(), Stop::default()).unwrap();
    for row in &rows[..2] {
        match file.next().unwrap() {
            Next::Packet(packet) => assert_eq!(packet.data, row.3),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(file.next().unwrap(), Next::Idle(None)));
    done.send(()).unwrap();
    loop {
        match file.next().unwrap() {
            Next::Packet(packet) => break assert_eq!(packet.data, rows[2].3),
            Next::Idle(_) => {}
            Next::End => panic!("ended early"),
        }
    }
    writer.join().unwrap();
}

#[test]
fn a_silent_pipe_can_be_stopped() {
    let folder = TempDir::new().unwrap();
    let path = fifo(&folder);
    let stop = Stop::default();
    let ender = std::thread::spawn({
        let stop = stop.clone();
        move || {
            std::thread::sleep(Duration::from_millis(120));
            stop.set();
        }
    });
    // Nobody ever opens the other end.
    let begun = Instant::now();
    let mut file = CaptureFile::open(path.to_str().unwrap(), stop).unwrap();
    assert!(matches!(file.next().unwrap(), Next::End));
    assert!(file.cut().is_none());
    assert!(begun.elapsed() < Duration::from_secs(1));
    ender.join().unwrap();
}

/// Run by the test below with a capture at its standard input.
#[test]
#[ignore = "part of another test"]
fn from_standard_input() {
    let mut file = CaptureFile::open("-", Stop::default()).unwrap();
    let mut count = 0;
    loop {
        match file.next().unwrap() {
            Next::Packet(_) => count += 1,
            Next::Idle(_) => {}
            Next::End => break,
        }
    }
    println!("{}: {count} packets of {:?} bytes", file.name(), file.progress().total);
}

#[test]
fn standard_input_is_read_from_files_and_pipes() {
    let folder = TempDir::new().unwrap();
    let sample = sample(folder.path(), "sample", 0);
    let read = |input: Stdio| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["pipes::from_standard_input", "--exact", "--ignored", "--nocapture"])
            .stdin(input)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let size = fs::metadata(&sample).unwrap().len();
    let text = read(File::open(&sample).unwrap().into());
    let told = format!("standard input: 200 packets of Some({size}) bytes");
    assert!(text.contains(&told), "{text}");
    let cat = Command::new("cat").arg(&sample).stdout(Stdio::piped()).spawn();
    let text = read(cat.unwrap().stdout.unwrap().into());
    assert!(text.contains("standard input: 200 packets of None bytes"), "{text}");
}

#[test]
fn tcpdump_writes_into_a_pipe() {
    if !has("tcpdump") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let sample = sample(folder.path(), "sample", 0);
    let path = fifo(&folder);
    let mut tcpdump = Command::new("tcpdump")
        .args(["-r", sample.to_str().unwrap(), "--nano", "-U", "-w"])
        .arg(&path)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut file = CaptureFile::open(path.to_str().unwrap(), Stop::default()).unwrap();
    let mut count = 0;
    loop {
        match file.next().unwrap() {
            Next::Packet(_) => count += 1,
            Next::Idle(_) => {}
            Next::End => break,
        }
    }
    assert_eq!(count, 200);
    assert!(file.cut().is_none());
    assert!(tcpdump.wait().unwrap().success());
}
