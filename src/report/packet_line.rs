//! One packet in one line, as Wireshark words it:
//! `56130 → 8888 [PSH, ACK] Seq=1 Ack=1 Win=512 Len=61  61#{"pattern":…`.

use std::fmt::Write;

use super::visible::push_visible;
use crate::decode::{Flags, Headers, Seq};

/// The names of the control bits, from the lowest on.
const NAMES: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];

/// `[PSH, ACK]`; `[]` where no bit is set.
pub fn flags(flags: Flags) -> String {
    let set = |(bit, name): (usize, &'static str)| (flags.0 >> bit & 1 == 1).then_some(name);
    let names: Vec<_> = NAMES.into_iter().enumerate().filter_map(set).collect();
    format!("[{}]", names.join(", "))
}

/// Where the two directions of a connection begin: the sequence number that is shown as 0. It is
/// that of the SYN; where the capture lacks it, the one before the first that was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beginning {
    /// Of whoever sent the packet.
    pub from: Option<Seq>,
    /// Of whoever it was sent to.
    pub to: Option<Seq>,
}

impl Beginning {
    /// Takes in a packet of the connection, in the order of the capture; `Self` is from the view
    /// of its sender.
    pub fn learn(&mut self, headers: &Headers) {
        let before = |seq: Seq| Seq(seq.0.wrapping_sub(1));
        let syn = headers.flags.has(Flags::SYN);
        self.from.get_or_insert(if syn { headers.seq } else { before(headers.seq) });
        // A reset may acknowledge what it does not know.
        if let Some(ack) = headers.ack
            && !headers.flags.has(Flags::RST)
        {
            self.to.get_or_insert(before(ack));
        }
    }

    /// The same for packets of the other direction.
    pub const fn turned(self) -> Self {
        Self { from: self.to, to: self.from }
    }
}

/// The line of a packet whose captured bytes are `data`: what its headers say, then as much of its
/// payload as `columns` have room for. Numbers are relative to `beginning` where that is known.
pub fn packet_line(headers: &Headers, data: &[u8], beginning: Beginning, columns: usize) -> String {
    let relative = |seq: Seq, first: Option<Seq>| match first {
        Some(first) => seq.0.wrapping_sub(first.0),
        None => seq.0,
    };
    let mut line = format!(
        "{} → {} {} Seq={}",
        headers.from.port(),
        headers.to.port(),
        flags(headers.flags),
        relative(headers.seq, beginning.from)
    );
    // Writing to a String cannot fail.
    if let Some(ack) = headers.ack {
        _ = write!(line, " Ack={}", relative(ack, beginning.to));
    }
    _ = write!(line, " Win={} Len={}", headers.window, headers.payload_len);
    // All of it is ASCII but the arrow.
    let room = columns.saturating_sub(line.chars().count() + 2);
    let payload = data.get(headers.payload.clone()).unwrap_or(&[]);
    if room > 0 && !payload.is_empty() {
        line.push_str("  ");
        push_visible(&mut line, payload, room);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::file::CaptureFile;
    use crate::source::{Next, Stop};

    /// The lines of a capture of one connection.
    fn lines(name: &str, columns: usize) -> Vec<String> {
        let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
        let mut file = CaptureFile::open(&path, Stop::default()).unwrap();
        let mut client = None;
        let mut beginning = Beginning::default();
        let mut lines = Vec::new();
        while let Next::Packet(packet) = file.next().unwrap() {
            let headers = Headers::of(&packet).unwrap();
            let from_client = *client.get_or_insert(headers.from) == headers.from;
            let turn = |it: Beginning| if from_client { it } else { it.turned() };
            let mut own = turn(beginning);
            own.learn(&headers);
            beginning = turn(own);
            lines.push(packet_line(&headers, packet.data, own, columns));
        }
        lines
    }

    /// What tshark 4.0 prints of the same file, but for the window: it shows it scaled.
    #[test]
    fn packets_read_as_in_wireshark() {
        assert_eq!(
            lines("walkthrough.pcap", 0),
            [
                "36580 → 8888 [SYN] Seq=0 Win=65495 Len=0",
                "8888 → 36580 [SYN, ACK] Seq=0 Ack=1 Win=65483 Len=0",
                "36580 → 8888 [ACK] Seq=1 Ack=1 Win=64 Len=0",
                "36580 → 8888 [PSH, ACK] Seq=1 Ack=1 Win=64 Len=36",
                "8888 → 36580 [ACK] Seq=1 Ack=37 Win=64 Len=0",
                "36580 → 8888 [PSH, ACK] Seq=37 Ack=1 Win=64 Len=64",
                "8888 → 36580 [ACK] Seq=1 Ack=101 Win=64 Len=0",
                "8888 → 36580 [PSH, ACK] Seq=1 Ack=101 Win=64 Len=64",
                "36580 → 8888 [ACK] Seq=101 Ack=65 Win=64 Len=0",
                "36580 → 8888 [PSH, ACK] Seq=101 Ack=65 Win=64 Len=64",
                "8888 → 36580 [PSH, ACK] Seq=65 Ack=165 Win=64 Len=65",
                "36580 → 8888 [FIN, ACK] Seq=165 Ack=130 Win=64 Len=0",
                "8888 → 36580 [FIN, ACK] Seq=130 Ack=166 Win=64 Len=0",
                "36580 → 8888 [ACK] Seq=166 Ack=131 Win=64 Len=0",
            ]
        );
    }

    #[test]
    fn the_payload_takes_what_room_is_left() {
        let line = lines("walkthrough.pcap", 70).swap_remove(5);
        assert_eq!(
            line,
            "36580 → 8888 [PSH, ACK] Seq=37 Ack=1 Win=64 Len=64  61#{\"pattern\":\"su…"
        );
    }

    #[test]
    fn flags_read_as_in_wireshark() {
        assert_eq!(flags(Flags(0x18)), "[PSH, ACK]");
        assert_eq!(flags(Flags(0x12)), "[SYN, ACK]");
        assert_eq!(flags(Flags(0xff)), "[FIN, SYN, RST, PSH, ACK, URG, ECE, CWR]");
        assert_eq!(flags(Flags(0)), "[]");
    }
}
