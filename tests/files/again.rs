//! Packets read again by their place, against what was lent when they were read first.

use nestscope::source::{Pages, Source, SourceFiles};

use crate::by_hand::*;
use crate::*;

/// A packet's place and its bytes.
type Placed = (Option<(u16, u64)>, Vec<u8>);

/// Reads the files as one capture: each packet's place and bytes, and the files to read again.
fn places(paths: &[&Path]) -> (Vec<Placed>, SourceFiles) {
    let paths: Vec<_> = paths.iter().map(|path| path.to_str().unwrap().to_owned()).collect();
    let mut source = Source::files(&paths, &Stop::default()).unwrap();
    let mut packets = Vec::new();
    loop {
        match source.next_placed().unwrap() {
            (Next::Packet(packet), place) => packets.push((place, packet.data.to_vec())),
            (Next::Idle(_), _) => {}
            (Next::End, _) => return (packets, source.again()),
        }
    }
}

/// Reads every packet again, one by one and by pages, forwards and backwards.
fn read_again(paths: &[&Path]) -> usize {
    let (packets, again) = places(paths);
    let mut pages = Pages::new(again.clone());
    for (place, lent) in packets.iter().chain(packets.iter().rev()) {
        let (file, offset) = place.unwrap();
        let mut bytes = vec![0; lent.len()];
        again.read(file, offset, &mut bytes).unwrap();
        assert_eq!(bytes, *lent, "{paths:?} {place:?}");
        assert_eq!(pages.get(file, offset, lent.len()).unwrap(), lent, "{paths:?} {place:?}");
    }
    packets.len()
}

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == "pcap")).collect()
}

#[test]
fn packets_of_the_recordings_are_where_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let mut packets = 0;
    for path in fixtures() {
        packets += read_again(&[&path]);
        let saved = folder.path().join("saved.pcapng");
        let mut source = Source::files(&[path.to_str().unwrap().to_owned()], &Stop::default());
        let source = source.as_mut().unwrap();
        source.save_to(saved.to_str().unwrap()).unwrap();
        while !matches!(source.next().unwrap(), Next::End) {}
        source.finish().unwrap();
        packets += read_again(&[&saved]);
    }
    assert!(packets > 5_000, "{packets}");
}

#[test]
fn packets_of_every_kind_of_file_are_where_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (index, (_, bytes, rows)) in every_kind().into_iter().enumerate() {
        let path = folder.path().join(index.to_string());
        fs::write(&path, bytes).unwrap();
        assert_eq!(read_again(&[&path]), rows.len());
        paths.push(path);
    }
    let merged: Vec<_> = paths.iter().map(PathBuf::as_path).collect();
    assert!(read_again(&merged) > 30);
}

#[test]
fn pages_are_right_at_their_edges() {
    let order = Order { big: false };
    let mut bytes = order.pcap_header(0xA1B2_C3D4, 1);
    let mut number = 0_u32;
    // Beyond all pages that are kept, with packets across every edge, and one larger than a page.
    while bytes.len() < 6 << 20 {
        number += 1;
        let len = if number == 50 { 300_000 } else { 1 + number as usize * 37 % 1_500 };
        let data: Vec<_> = (0..len).map(|at| (at as u32 ^ number) as u8).collect();
        bytes.extend(order.pcap_record(number, 0, 0, &data, len as u32));
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    assert_eq!(read_again(&[file.path()]), number as usize);
}

#[test]
fn what_is_packed_has_no_place() {
    let folder = tempfile::tempdir().unwrap();
    let plain = sample(folder.path(), "plain", 0);
    let packed = folder.path().join("packed");
    fs::write(&packed, gzip(&fs::read(&plain).unwrap())).unwrap();
    let (packets, again) = places(&[&plain, &packed]);
    assert!((again.has(0), again.has(1), again.has(2)) == (true, false, false));
    let placed = packets.iter().filter(|(place, _)| place.is_some()).count();
    assert_eq!((placed, packets.len()), (200, 400));
}

#[test]
fn a_file_that_became_shorter_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = sample(folder.path(), "cut.pcap", 0);
    let (packets, again) = places(&[&path]);
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1_000).unwrap();
    let (Some((file, offset)), lent) = packets.last().unwrap() else { panic!("no place") };
    let error = again.read(*file, *offset, &mut vec![0; lent.len()]).unwrap_err().to_string();
    assert!(error.ends_with("cut.pcap: it became shorter"), "{error}");
    let error = Pages::new(again).get(*file, *offset, lent.len()).unwrap_err().to_string();
    assert!(error.ends_with("cut.pcap: it became shorter"), "{error}");
}
