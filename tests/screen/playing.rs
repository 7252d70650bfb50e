//! A file at its own pace.

use std::fs;

use tempfile::TempDir;

use crate::tmux::Terminal;

/// Seconds between two packets of the file that is played. At ten times its pace a test that is
/// slow still finds the second packet ahead.
const APART: u32 = 10_000;

/// The walkthrough with much time between its packets: a pcap file with a header of 24 bytes, and
/// of 16 for each packet, which begins with seconds and ends with lengths.
fn stretched() -> Vec<u8> {
    let mut file = fs::read("fixtures/walkthrough.pcap").unwrap();
    let (mut at, mut number) = (24, 0);
    while at < file.len() {
        let seconds = 1_700_000_000 + APART * number;
        file[at..at + 4].copy_from_slice(&seconds.to_le_bytes());
        file[at + 4..at + 8].fill(0);
        let length = u32::from_le_bytes(file[at + 8..at + 12].try_into().unwrap());
        at += 16 + usize::try_from(length).unwrap();
        number += 1;
    }
    assert_eq!(number, 14);
    file
}

#[test]
fn a_file_is_played_paused_and_stepped() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("slow.pcap"), stretched()).unwrap();
    let terminal = Terminal::run_in(folder, 120, 32, "nestscope -r slow.pcap --speed 10");
    let screen = terminal.wait_for("1 packet ");
    assert!(screen.contains("playing ×10"), "{screen}");
    // Before the next packet: a step has no meaning where nothing is paused.
    terminal.press(&["."]);
    terminal.press(&["p"]);
    let screen = terminal.wait_for("paused");
    assert!(screen.contains("1 packet "), "{screen}");
    for packets in ["2 packets", "3 packets", "4 packets"] {
        terminal.press(&["."]);
        terminal.wait_for(packets);
    }
    // The event is in the fourth.
    terminal.wait_for("1 exchange");
    terminal.press(&[".", ".", ".", "."]);
    let screen = terminal.wait_for("8 packets");
    assert!(screen.contains("[1,2,3] → 6"), "{screen}");
    terminal.press(&["p"]);
    let screen = terminal.wait_without("paused");
    // The one that waited comes at once, the next one not.
    assert!(screen.contains("8 packets") || screen.contains("9 packets"), "{screen}");
    assert!(screen.contains("playing ×10"), "{screen}");
    terminal.press(&["-"]);
    terminal.wait_for("playing ×5");
    // Faster and faster, in the end as fast as it can be read.
    for _ in 0..40 {
        terminal.press(&["+"]);
    }
    let screen = terminal.wait_for("read to its end");
    assert!(screen.contains("14 packets  2 calls  1 event"), "{screen}");
}
