//! Files that end early, make no sense, or are something else.

use proptest::prelude::*;
use tempfile::TempDir;

use crate::by_hand::*;
use crate::*;

#[test]
fn a_file_cut_anywhere_gives_its_whole_packets() {
    for (kind, bytes, rows) in every_kind() {
        let mut before = 0;
        for end in 0..bytes.len() {
            let path = tempfile::NamedTempFile::new().unwrap();
            fs::write(path.path(), &bytes[..end]).unwrap();
            let (read, error) = read(path.path());
            assert_eq!(read, rows[..read.len()], "{kind} cut at {end}");
            assert!(read.len() >= before, "{kind} cut at {end}: lost a packet");
            before = read.len();
            match error {
                None => {}
                Some(SourceError::NotACapture { .. }) => assert!(end < 24, "{kind} cut at {end}"),
                Some(error) => panic!("{kind} cut at {end}: {error}"),
            }
        }
    }
}

#[test]
fn the_cut_bytes_are_counted() {
    let (bytes, _) = Order { big: false }.classic(0xA1B2_C3D4, 0);
    let path = tempfile::NamedTempFile::new().unwrap();
    for (left, cut) in [(0, 0), (1, 23), (8, 16), (20, 4), (23, 1), (24, 0), (25, 15)] {
        fs::write(path.path(), &bytes[..bytes.len() - left]).unwrap();
        let mut file = CaptureFile::open(path.path().to_str().unwrap(), Stop::default()).unwrap();
        while !matches!(file.next().unwrap(), Next::End) {}
        assert_eq!(file.cut().map_or(0, |cut| cut.bytes), cut, "{left} bytes less");
    }
    // Inside a block that is passed over, larger than the buffer.
    let order = Order { big: false };
    let whole = [order.section(), order.block(0x0B00, &vec![1; 600_000])].concat();
    fs::write(path.path(), &whole[..whole.len() - 1]).unwrap();
    let mut file = CaptureFile::open(path.path().to_str().unwrap(), Stop::default()).unwrap();
    assert!(matches!(file.next().unwrap(), Next::End));
    assert_eq!(file.cut().unwrap().bytes, 600_011);
    assert!(file.cut().unwrap().to_string().contains("its last 600011 bytes"));
}

#[test]
fn compressed_data_cut_anywhere_gives_its_whole_packets() {
    let order = Order { big: false };
    let mut bytes = order.pcap_header(0xA1B2_C3D4, 1);
    let mut noise = 1_u32;
    for number in 0..40 {
        let data: Vec<u8> = (0..50)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 24) as u8
            })
            .collect();
        bytes.extend(order.pcap_record(number, 0, 0, &data, 50));
    }
    let (rows, _) = read_bytes(&bytes);
    let path = tempfile::NamedTempFile::new().unwrap();
    for packed in
        [gzip(&bytes), zstd(&bytes), [zstd(&bytes[..1_000]), zstd(&bytes[1_000..])].concat()]
    {
        for end in (4..packed.len()).step_by(3) {
            fs::write(path.path(), &packed[..end]).unwrap();
            let (read, error) = read(path.path());
            assert_eq!(read, rows[..read.len()]);
            if let Some(error) = error {
                assert!(read.is_empty(), "{end}: {error}");
            }
        }
        fs::write(path.path(), &packed[..packed.len() - 1]).unwrap();
        let mut file = CaptureFile::open(path.path().to_str().unwrap(), Stop::default()).unwrap();
        while !matches!(file.next().unwrap(), Next::End) {}
        assert!(file.cut().unwrap().compression.is_some());
    }
}

#[test]
fn a_cut_zstd_file_gives_what_its_window_held() {
    // 3 MiB in blocks of 128 KiB: an unpacker that keeps back its window would lose nearly all.
    let order = Order { big: false };
    let mut bytes = order.pcap_header(0xA1B2_C3D4, 1);
    for number in 0..3_000_u32 {
        let data: Vec<u8> = (0..1_000_u32).map(|at| (at ^ number).wrapping_mul(37) as u8).collect();
        bytes.extend(order.pcap_record(number, 0, 0, &data, 1_000));
    }
    let folder = TempDir::new().unwrap();
    let plain = folder.path().join("plain");
    fs::write(&plain, &bytes).unwrap();
    let packed = tool("zstd", &["-19", "-q", "-c", plain.to_str().unwrap()]);
    let path = folder.path().join("cut");
    fs::write(&path, &packed[..packed.len() - 5]).unwrap();
    let (read, error) = read(&path);
    assert!(error.is_none(), "{error:?}");
    assert!(read.len() > 2_500, "{} packets of 3000", read.len());
}

#[test]
fn damage_ends_a_file_with_its_place() {
    let order = Order { big: false };
    let (mut bytes, rows) = order.classic(0xA1B2_C3D4, 0);
    let place = bytes.len();
    bytes.extend(order.u32(0));
    bytes.extend(order.u32(0));
    bytes.extend(order.u32(0x4000_0000));
    bytes.extend(order.u32(0x4000_0000));
    let (read, error) = read_bytes(&bytes);
    assert_eq!(read, rows);
    let said = error.unwrap().to_string();
    assert!(
        said.contains(&format!("damaged at byte {place}: a packet of 1073741824 bytes")),
        "{said}"
    );

    let good = [order.section(), order.interface(1, 0, &[])].concat();
    let cases = [
        (order.enhanced(3, 0, b"x", 1), "a packet of interface 3, where 1 are described"),
        (order.block(6, &[0; 8]), "too short for its type"),
        ([6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].to_vec(), "a block of 0 bytes"),
        ([6, 0, 0, 0, 0xFC, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0].to_vec(), "more than any capture"),
        ([1, 0, 0, 0, 12, 0, 0, 0, 13, 0, 0, 0].to_vec(), "does not repeat its length"),
        ([10, 13, 13, 10, 28, 0, 0, 0, 1, 2, 3, 4].to_vec(), "byte-order magic"),
    ];
    for (block, what) in cases {
        let (_, error) = read_bytes(&[good.clone(), block].concat());
        let said = error.unwrap().to_string();
        assert!(said.contains(what), "{said}");
        assert!(said.contains(&format!("damaged at byte {}", good.len())), "{said}");
    }
}

#[test]
fn damaged_compression_ends_a_file_after_its_packets() {
    let (bytes, rows) = Order { big: false }.classic(0xA1B2_C3D4, 0);
    let mut packed = gzip(&bytes);
    let crc = packed.len() - 8;
    packed[crc] ^= 1;
    let (read, error) = read_bytes(&packed);
    assert_eq!(read, rows);
    assert!(matches!(error, Some(SourceError::Unpack { .. })), "{error:?}");

    let mut packed = zstd(&bytes);
    let checksum = packed.len() - 1;
    packed[checksum] ^= 1;
    let (read, error) = read_bytes(&packed);
    assert_eq!(read, rows);
    let said = error.unwrap().to_string();
    assert!(said.contains("the checksum does not match"), "{said}");
}

#[test]
fn what_is_no_capture_is_named() {
    let cases: [(&[u8], &str); 6] = [
        (b"", "it is empty"),
        (b"PK\x03\x04........", "a ZIP archive"),
        (b"0 packets captured\n", "text"),
        (b"<html><body>404</body></html>", "an HTML page"),
        (&[0xD4, 0xC3, 0xB2, 0xA1, 2, 0], "it ends inside its pcap header, after 6 bytes"),
        (&gzip(&gzip(b"x")), "gzip data inside of compressed data"),
    ];
    for (bytes, what) in cases {
        let (_, error) = read_bytes(bytes);
        let said = error.unwrap().to_string();
        assert!(said.contains(what), "{said}");
        assert!(said.contains("nestscope reads pcap and pcapng"), "{said}");
    }
    let said = read(Path::new("/")).1.unwrap().to_string();
    assert!(said.contains("it is a directory"), "{said}");
    let said = read(Path::new("no/such.pcap")).1.unwrap().to_string();
    assert!(said.starts_with("cannot open no/such.pcap: No such file"), "{said}");
}

proptest! {
    #[test]
    fn random_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..600), kind in 0..8_usize, at in 0..400_usize) {
        // As they are, and in the midst of a good file.
        read_bytes(&bytes);
        let (_, mut file, _) = every_kind().swap_remove(kind);
        let at = at.min(file.len());
        file.splice(at..(at + bytes.len() / 8).min(file.len()), bytes);
        read_bytes(&file);
    }

    #[test]
    fn damaged_compression_ends(kind in 0..8_usize, at in 0..2_000_usize, with: u8) {
        let (_, file, _) = every_kind().swap_remove(kind);
        for mut packed in [gzip(&file), zstd(&file)] {
            let at = at % packed.len();
            packed[at] ^= with;
            read_bytes(&packed);
        }
    }
}
