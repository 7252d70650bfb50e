//! Every kind of file, and its compressed forms.

use crate::by_hand::*;
use crate::*;

#[test]
fn every_kind_of_file_is_read() {
    for (kind, bytes, rows) in every_kind() {
        let (read, error) = read_bytes(&bytes);
        assert!(error.is_none(), "{kind}: {error:?}");
        assert_eq!(read, rows, "{kind}");
    }
}

#[test]
fn every_kind_is_unpacked_whatever_its_name() {
    for (kind, bytes, rows) in every_kind() {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let mut skippable = vec![0x50, 0x2A, 0x4D, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5];
        skippable.extend(zstd(&bytes));
        let packed = [
            gzip(&bytes),
            [gzip(first), gzip(second)].concat(),
            zstd(&bytes),
            [zstd(first), zstd(second)].concat(),
            skippable,
        ];
        for packed in packed {
            let (read, error) = read_bytes(&packed);
            assert!(error.is_none(), "{kind}: {error:?}");
            assert_eq!(read, rows, "{kind}");
        }
    }
}

#[test]
fn drops_told_by_the_file_are_known() {
    let (bytes, _) = Order { big: true }.everything();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &bytes).unwrap();
    let mut file = CaptureFile::open(file.path().to_str().unwrap(), Stop::default()).unwrap();
    assert_eq!(file.kernel_drops(), None);
    while !matches!(file.next().unwrap(), Next::End) {}
    assert_eq!(file.kernel_drops(), Some(7 + 1 + 100));
    assert_eq!(file.progress().read, bytes.len() as u64);
    assert_eq!(file.progress().total, Some(bytes.len() as u64));
}
