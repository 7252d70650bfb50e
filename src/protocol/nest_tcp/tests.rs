//! Where frames lie in their stream, however it was cut.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::endpoint::ConnectionId;

const CONNECTION: ConnectionId = ConnectionId { serial: 0, slot: 0 };

/// A piece of what one side sends.
#[derive(Clone, Debug)]
enum Piece {
    Bytes(Vec<u8>),
    /// As many bytes that the capture lacks.
    Gap(u32),
}

fn piece() -> impl Strategy<Value = Piece> {
    let frame = |body: String| {
        let units = body.encode_utf16().count();
        Piece::Bytes(format!("{units}#{body}").into_bytes())
    };
    let text = prop_oneof![
        "[a-z]{0,40}",
        // What looks like a frame inside of one, and what has more bytes than units.
        Just(r#"12#{\"id\":1}"#.to_owned()),
        Just("é€😀".repeat(9)),
    ];
    prop_oneof![
        6 => text.prop_map(move |text| frame(format!(r#"{{"response":"{text}","id":"x"}}"#))),
        1 => "[ \r\n]{1,3}".prop_map(|blanks| Piece::Bytes(blanks.into_bytes())),
        1 => Just(Piece::Bytes(b"9#{\"broken\"".to_vec())),
        1 => Just(Piece::Bytes(b"lost its place: 3".to_vec())),
        1 => (1..100_u32).prop_map(Piece::Gap),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever was searched, dropped or lost before, the bytes from a message's number on are
    /// those of its frame.
    #[test]
    fn a_frame_lies_where_its_message_says(
        pieces in prop::collection::vec(piece(), 1..12),
        cuts in prop::collection::vec(any::<Index>(), 0..40),
        // Numbers that often wrap inside the stream.
        first in prop_oneof![any::<u32>(), (0..400_u32).prop_map(|bytes| u32::MAX - bytes)],
        from_start in any::<bool>(),
    ) {
        let address = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let mut decoder = NestTcp::new(&Opened {
            connection: CONNECTION,
            ends: PerSide { client: address(50_000), server: address(3_000) },
            roles: Roles::Known,
            at: PacketRef::default(),
            from_start: PerSide { client: from_start, server: from_start },
        });
        let length: usize = pieces.iter().map(|piece| match piece {
            Piece::Bytes(bytes) => bytes.len(),
            Piece::Gap(_) => 0,
        }).sum();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(length + 1)).collect();
        cuts.sort_unstable();
        let mut told = Vec::new();
        let mut take = |decoded: Decoded<'_>| {
            if let Decoded::Message(message) = decoded {
                let (wire_len, body) = (message.wire_len, message.body.to_vec());
                told.push((message.seq, usize::try_from(wire_len).unwrap(), body));
            }
        };
        // The stream by place, with zeros in the gaps, and how many bytes of it were captured.
        let (mut stream, mut captured, mut number) = (Vec::new(), 0, 0);
        for piece in &pieces {
            number += 1;
            let packet = PacketRef { number, ..PacketRef::default() };
            match piece {
                Piece::Bytes(bytes) => {
                    let mut rest = bytes.as_slice();
                    while !rest.is_empty() {
                        let next = cuts.iter().find(|&&cut| cut > captured);
                        let size = next.map_or(rest.len(), |cut| rest.len().min(cut - captured));
                        let (data, behind) = rest.split_at(size);
                        let offset = stream.len() as u64;
                        let seq = Seq(first).add(u32::try_from(offset).unwrap());
                        let chunk = Chunk {
                            connection: CONNECTION, from: Side::Server, packet, hold: None, offset, seq, data,
                        };
                        decoder.push(&chunk, usize::MAX, &mut take);
                        stream.extend_from_slice(data);
                        captured += size;
                        rest = behind;
                    }
                }
                Piece::Gap(bytes) => {
                    stream.resize(stream.len() + *bytes as usize, 0);
                    let gap = Gap {
                        connection: CONNECTION,
                        from: Side::Server,
                        bytes: u64::from(*bytes),
                        until: packet,
                    };
                    decoder.gap(&gap, &mut take);
                }
            }
        }
        decoder.finish(&mut take);
        for (seq, wire_len, body) in told {
            let at = usize::try_from(seq.distance(Seq(first))).unwrap();
            let frame = &stream[at..at + wire_len];
            let header = frame.strip_suffix(body.as_slice()).unwrap();
            let digits = header.strip_suffix(b"#").unwrap();
            prop_assert!(!digits.is_empty() && digits.iter().all(u8::is_ascii_digit), "{digits:?}");
        }
    }
}
