//! Files that real tools wrote, read by other real tools as well.

use nestscope::packet::{LinkType, PacketNumber};
use nestscope::source::merge::Merged;
use tempfile::TempDir;

use crate::*;

#[test]
fn tshark_reads_the_same() {
    if !has("tshark") || !has("editcap") || !has("mergecap") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    let first = sample(folder.path(), "first", 0);
    sample(folder.path(), "second", 1_234_567);
    for (format, name) in [("pcap", "us"), ("nsecpcap", "ns"), ("pcapng", "ng"), ("modpcap", "mod")]
    {
        tool("editcap", &["-F", format, first.to_str().unwrap(), &text(name)]);
    }
    // A second interface of another link type: a pcapng that libpcap refuses.
    tool("editcap", &["-T", "rawip", "-F", "pcap", &text("second"), &text("raw")]);
    tool("mergecap", &["-F", "pcapng", "-w", &text("mixed"), &text("first"), &text("raw")]);
    for name in ["us", "ns", "ng", "mod"] {
        tool("gzip", &["-k", &text(name)]);
        tool("zstd", &["-q", "-k", &text(name)]);
    }
    fs::write(path("hand"), Order { big: true }.everything().0).unwrap();
    let names =
        ["first", "us", "ns", "ng", "mod", "mixed", "us.gz", "ns.gz", "ng.gz", "us.zst", "ng.zst"];
    for name in names {
        let (rows, error) = read(&path(name));
        assert!(error.is_none(), "{name}: {error:?}");
        assert_eq!(as_tshark(&rows), tshark(&path(name)), "{name}");
    }
    let links: Vec<u16> = read(&path("mixed")).0.iter().map(|row| row.2).collect();
    assert!(links.contains(&1) && links.contains(&101));

    // The hand-written file, with packets that have no time.
    assert_eq!(as_tshark(&read(&path("hand")).0), tshark(&path("hand")));
}

#[test]
fn files_are_merged_as_mergecap_does() {
    if !has("mergecap") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let paths: Vec<String> = [("a", 0), ("b", 2_500_000), ("c", 0), ("d", 999_000_000)]
        .iter()
        .map(|(name, shift)| sample(folder.path(), name, *shift).to_str().unwrap().to_owned())
        .collect();
    let merged = folder.path().join("merged");
    let mut arguments = vec!["-w", merged.to_str().unwrap()];
    arguments.extend(paths.iter().map(String::as_str));
    tool("mergecap", &arguments);
    let mut files = Merged::open(&paths, &Stop::default()).unwrap();
    let mut rows: Vec<Row> = Vec::new();
    while let Next::Packet(packet) = files.next().unwrap() {
        assert_eq!(packet.link, LinkType::ETHERNET);
        rows.push((
            packet.number.0,
            packet.at.as_nanos(),
            packet.link.0,
            packet.data.to_vec(),
            packet.original_len,
        ));
    }
    assert_eq!(rows.len(), 800);
    assert_eq!(rows, read(&merged).0);
}

#[test]
fn a_damaged_file_leaves_the_others_whole() {
    let folder = TempDir::new().unwrap();
    let good = sample(folder.path(), "good", 0);
    let bad = folder.path().join("bad");
    let order = Order { big: false };
    let mut bytes = order.classic(0xA1B2_C3D4, 0).0;
    bytes.extend([0xFF; 16]);
    fs::write(&bad, bytes).unwrap();
    let paths = [bad, good].map(|path| path.to_str().unwrap().to_owned());
    let mut files = Merged::open(&paths, &Stop::default()).unwrap();
    let (mut packets, mut errors) = (0, 0);
    loop {
        match files.next() {
            Ok(Next::Packet(packet)) => {
                packets += 1;
                assert_eq!(packet.number, PacketNumber(packets));
            }
            Ok(Next::Idle(_)) => panic!("files are never idle"),
            Ok(Next::End) => break,
            Err(_) => errors += 1,
        }
    }
    assert_eq!((packets, errors), (203, 1));
}

/// The recorded captures of this repository: count, bytes, first and last time, as capinfos tells.
#[test]
fn recorded_captures_are_what_capinfos_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let files: Vec<PathBuf> = fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().contains(".pcap"))
        .collect();
    if files.is_empty() || !has("capinfos") {
        eprintln!("skipped: no recorded captures, or no capinfos");
        return;
    }
    let mut arguments = vec!["-TMrB", "-c", "-d", "-a", "-e", "-S"];
    arguments.extend(files.iter().map(|path| path.to_str().unwrap()));
    let told = String::from_utf8(tool("capinfos", &arguments)).unwrap();
    assert_eq!(told.lines().count(), files.len());
    let time = |at: i64| format!("{}.{:09}", at / 1_000_000_000, at % 1_000_000_000);
    for (path, told) in files.iter().zip(told.lines()) {
        let (rows, error) = read(path);
        assert!(error.is_none(), "{path:?}: {error:?}");
        let bytes: u64 = rows.iter().map(|row| u64::from(row.4)).sum();
        let first = rows.iter().map(|row| row.1).min().unwrap();
        let last = rows.iter().map(|row| row.1).max().unwrap();
        let ours = [rows.len().to_string(), bytes.to_string(), time(first), time(last)];
        let told: Vec<&str> = told.split('\t').skip(1).collect();
        // A clock of microseconds is told with six digits.
        for (ours, told) in ours.iter().zip(&told) {
            assert!(ours.starts_with(told.trim_end_matches('0')), "{path:?}: {ours} {told}");
        }
        assert_eq!(told.len(), ours.len());
    }
}
