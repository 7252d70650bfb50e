//! Where frames lie in their stream, however it was cut, and what is never taken for one. Expected
//! is what the pieces of the stream are known to be; nothing here reads a frame.

use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::decode::Seq;
use crate::endpoint::{ConnectionId, ConnectionNumber, Endpoints};
use crate::packet::{PacketNumber, PacketRef};
use crate::protocol::{Foreign, Placed};
use crate::time::Timestamp;

const CONNECTION: ConnectionId = ConnectionId { number: ConnectionNumber(0), slot: 0 };

/// What may be buffered in these tests, so that a frame of some kilobytes is too large.
const BUDGET: usize = 20_000;

/// What a decoder said of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    place: Range<usize>,
    first: u64,
    earliest: u64,
    last: u64,
    begins_segment: bool,
    placed: Placed,
}

/// What a decoder said of a side.
#[derive(Debug, Default)]
struct Said {
    frames: Vec<Told>,
    undecodable: Vec<Fault>,
    foreign: Option<Foreign>,
}

/// A side of a connection as it was captured.
#[derive(Debug)]
struct Capture<'a> {
    stream: &'a [u8],
    /// Where its segments begin, ascending; 0 is one of them.
    segments: Vec<usize>,
    /// The time at which each was captured, as many as `segments`.
    times: Vec<i64>,
    /// What the capture lacks.
    gaps: Vec<Range<usize>>,
    from_start: bool,
    /// The sequence number of the first byte.
    first: u32,
}

impl<'a> Capture<'a> {
    fn new(stream: &'a [u8], cuts: &[usize]) -> Self {
        let mut segments: Vec<_> = cuts.iter().copied().chain([0]).collect();
        segments.retain(|cut| *cut < stream.len().max(1));
        segments.sort_unstable();
        segments.dedup();
        let times = (0..segments.len()).map(|index| i64::try_from(index).unwrap()).collect();
        Self { stream, segments, times, gaps: Vec::new(), from_start: true, first: 0 }
    }

    /// The segment that a byte is in.
    fn segment(&self, at: usize) -> usize {
        self.segments.iter().rposition(|begin| *begin <= at).unwrap()
    }

    fn packet(&self, segment: usize) -> PacketRef {
        let number = segment as u64 + 1;
        PacketRef { number: PacketNumber(number), at: Timestamp::from_nanos(self.times[segment]) }
    }

    fn is_missing(&self, at: usize) -> bool {
        self.gaps.iter().any(|gap| gap.contains(&at))
    }

    /// What the decoder is to say of the frame at `place`.
    fn told(&self, place: Range<usize>, placed: Placed) -> Told {
        let packets: Vec<_> = (self.segment(place.start)..=self.segment(place.end - 1))
            .map(|segment| self.packet(segment))
            .collect();
        let key = |packet: &&PacketRef| (packet.at, packet.number);
        Told {
            first: packets[0].number.0,
            earliest: packets.iter().min_by_key(key).unwrap().number.0,
            last: packets.iter().max_by_key(key).unwrap().number.0,
            begins_segment: self.segments.contains(&place.start)
                || self.gaps.iter().any(|gap| gap.end == place.start),
            place,
            placed,
        }
    }

    fn decode(&self) -> Said {
        let address = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let mut decoder = NestTcp::new(&Opened {
            connection: CONNECTION,
            ends: Endpoints { client: address(50_000), server: address(3_000) },
            roles: Roles::Known,
            at: PacketRef::default(),
            from_start: PerSide { client: self.from_start, server: self.from_start },
            also: None,
        });
        let first = Seq(self.first);
        let mut said = Said::default();
        let mut take = |decoded: Decoded<'_>| match decoded {
            Decoded::Message(message) => {
                let start = usize::try_from(message.seq.distance(first)).unwrap();
                let place = start..start + usize::try_from(message.wire_len).unwrap();
                let header = self.stream[place.clone()].strip_suffix(message.body).unwrap();
                assert_eq!(header.last(), Some(&b'#'));
                said.frames.push(Told {
                    place,
                    first: message.first.number.0,
                    earliest: message.earliest.number.0,
                    last: message.last.number.0,
                    begins_segment: message.begins_segment,
                    placed: message.placed,
                });
            }
            Decoded::Undecodable { fault, .. } => said.undecodable.push(fault),
            Decoded::Foreign(foreign) => said.foreign = Some(foreign),
            Decoded::Client(_) | Decoded::Started { .. } => {}
        };
        let mut at = 0;
        while at < self.stream.len() {
            let packet = self.packet(self.segment(at));
            if let Some(gap) = self.gaps.iter().find(|gap| gap.contains(&at)) {
                let bytes = (gap.end - at) as u64;
                let (connection, from) = (CONNECTION, Side::Server);
                decoder
                    .gap(&Gap { connection, from, bytes, until: packet, certain: true }, &mut take);
                at = gap.end;
                continue;
            }
            let next = self.segments.iter().copied().chain(self.gaps.iter().map(|gap| gap.start));
            let end = next.filter(|end| *end > at).min().unwrap_or(self.stream.len());
            decoder.push(
                &Chunk {
                    connection: CONNECTION,
                    from: Side::Server,
                    packet,
                    hold: None,
                    offset: at as u64,
                    seq: first.add(u32::try_from(at).unwrap()),
                    after: None,
                    data: &self.stream[at..end],
                },
                BUDGET,
                &mut take,
            );
            assert!(decoder.buffered() <= 3 * BUDGET, "{}", decoder.buffered());
            at = end;
        }
        decoder.finish(&mut take);
        said
    }
}

/// A piece of what one side sends.
#[derive(Clone, Debug)]
enum Piece {
    Frame(Vec<u8>),
    /// A frame that ends where it says and whose text is no JSON.
    Broken(Vec<u8>),
    /// A frame beyond the budget; whether its text is JSON.
    Large(Vec<u8>, bool),
    Blanks(Vec<u8>),
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Frame(bytes)
            | Self::Broken(bytes)
            | Self::Large(bytes, _)
            | Self::Blanks(bytes) => bytes,
        }
    }
}

fn in_units(body: &str) -> Vec<u8> {
    format!("{}#{body}", body.encode_utf16().count()).into_bytes()
}

fn in_bytes(body: &str) -> Vec<u8> {
    format!("{}#{body}", body.len()).into_bytes()
}

/// Whole frames one after the other, as bytes that are no frames themselves.
fn fakes(count: usize) -> String {
    (0..count)
        .map(|id| {
            let body = format!(r#"{{"pattern":"fake","data":"é😀","id":"{id}"}}"#);
            String::from_utf8(in_units(&body)).unwrap()
        })
        .collect()
}

/// The text of a payload, as JSON has it inside of quotes.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9#]{0,40}",
        // What looks like a frame inside of one, and what has more bytes than units.
        Just(r#"12#{\"id\":1}"#.to_owned()),
        Just("é€😀".repeat(9)),
        Just(fakes(2).replace('"', "\\\"")),
    ]
}

fn frame() -> impl Strategy<Value = Piece> {
    (text(), any::<bool>()).prop_map(|(text, bytes)| {
        let body = format!(r#"{{"response":"{text}","id":"x"}}"#);
        Piece::Frame(if bytes { in_bytes(&body) } else { in_units(&body) })
    })
}

fn broken() -> impl Strategy<Value = Piece> {
    let text = prop_oneof![
        (0..30_usize).prop_map(fakes),
        (0..3_usize).prop_map(|count| format!("{{\"response\":{}", fakes(count))),
        (1..3_usize).prop_map(|count| format!("{{}}{}", fakes(count))),
        Just("{\"response\":1".to_owned()),
        Just(String::new()),
    ];
    text.prop_map(|text| Piece::Broken(in_units(&text)))
}

fn large() -> impl Strategy<Value = Piece> {
    (text(), 0..4_u8).prop_map(|(text, kind)| {
        let long = |body: &str| body.repeat(3 * BUDGET / body.len().max(1) + 1);
        let whole = format!(r#"{{"response":"{}","id":"x"}}"#, long(&format!("é{text}")));
        match kind {
            0 => Piece::Large(in_units(&whole), true),
            1 => Piece::Large(in_bytes(&whole), true),
            2 => Piece::Large(in_units(&long(&fakes(1))), false),
            _ => Piece::Large(in_units(&format!("{whole}{}", fakes(20))), false),
        }
    })
}

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        6 => frame(),
        2 => broken(),
        1 => large(),
        1 => "[ \r\n]{1,3}".prop_map(|blanks| Piece::Blanks(blanks.into_bytes())),
    ]
}

fn joined(pieces: &[Piece]) -> (Vec<u8>, Vec<Range<usize>>) {
    let (mut stream, mut places) = (Vec::new(), Vec::new());
    for piece in pieces {
        let start = stream.len();
        stream.extend_from_slice(piece.bytes());
        places.push(start..stream.len());
    }
    (stream, places)
}

fn places(cuts: &[Index], stream: &[u8]) -> Vec<usize> {
    cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    /// Where every byte is there, all frames are read and nothing else is: not what lies inside of
    /// a frame that is no JSON, nor inside of one that is too large.
    #[test]
    fn frames_are_read_and_what_lies_inside_of_others_is_not(
        pieces in prop::collection::vec(piece(), 1..12),
        cuts in prop::collection::vec(any::<Index>(), 0..40),
        times in prop::collection::vec(0..1_000_i64, 41),
        // Numbers that often wrap inside the stream.
        first in prop_oneof![any::<u32>(), (0..400_u32).prop_map(|bytes| u32::MAX - bytes)],
    ) {
        let (stream, places_of_pieces) = joined(&pieces);
        let mut capture = Capture::new(&stream, &places(&cuts, &stream));
        capture.times = times[..capture.segments.len()].to_vec();
        capture.first = first;
        let said = capture.decode();
        let (mut frames, mut faults) = (Vec::new(), Vec::new());
        for (piece, place) in pieces.iter().zip(&places_of_pieces) {
            // What lies in one segment need not be buffered, however large it is.
            let is_cut = capture.segment(place.start) != capture.segment(place.end - 1);
            match piece {
                Piece::Blanks(_) => {}
                Piece::Large(..) if is_cut => faults.push(Fault::TooLarge),
                Piece::Frame(_) | Piece::Large(_, true) => {
                    frames.push(capture.told(place.clone(), Placed::Certain));
                }
                Piece::Broken(_) | Piece::Large(_, false) => faults.push(Fault::Json),
            }
        }
        prop_assert_eq!(said.frames, frames);
        prop_assert_eq!(said.undecodable, faults);
        prop_assert_eq!(said.foreign, None);
    }

    /// Where bytes are missing, or the capture began late, every frame that is whole is read and
    /// nothing else is, and each says how its place is known.
    #[test]
    fn whole_frames_are_found_between_gaps(
        pieces in prop::collection::vec(frame(), 1..20),
        cuts in prop::collection::vec(any::<Index>(), 0..40),
        gaps in prop::collection::vec((any::<Index>(), 1..90_usize), 0..6),
        from_start: bool,
        late in any::<Index>(),
    ) {
        let (stream, places_of_pieces) = joined(&pieces);
        let stream = if from_start { &stream[..] } else { &stream[late.index(stream.len())..] };
        let gone = places_of_pieces.last().unwrap().end - stream.len();
        let mut capture = Capture::new(stream, &places(&cuts, stream));
        capture.from_start = from_start;
        let mut ends: Vec<_> = gaps.iter().map(|(at, len)| (at.index(stream.len() + 1), len)).collect();
        ends.sort_unstable();
        for (start, len) in ends {
            let start = start.max(capture.gaps.last().map_or(1, |gap| gap.end));
            if start < stream.len() {
                capture.gaps.push(start..stream.len().min(start + len));
            }
        }
        let said = capture.decode();
        let mut frames: Vec<Told> = Vec::new();
        for place in &places_of_pieces {
            let Some(start) = place.start.checked_sub(gone) else { continue };
            let place = start..place.end - gone;
            if place.clone().any(|at| capture.is_missing(at)) {
                continue;
            }
            let is_certain = from_start && !(0..start).any(|at| capture.is_missing(at));
            let follows = frames.last().is_some_and(|last| last.place.end == start);
            frames.push(capture.told(place, match (is_certain, follows) {
                (true, _) => Placed::Certain,
                (false, true) => Placed::Joined,
                (false, false) => Placed::Found,
            }));
        }
        prop_assert_eq!(said.frames, frames);
    }
}

/// Every way to cut some bytes into two segments.
fn every_cut(stream: &[u8], mut check: impl FnMut(Said, usize)) {
    for cut in 0..stream.len() {
        check(Capture::new(stream, &[cut]).decode(), cut);
    }
}

fn reply(id: u32) -> Vec<u8> {
    in_units(&format!(r#"{{"response":"é","id":{id}}}"#))
}

fn placed(said: &Said) -> Vec<Placed> {
    said.frames.iter().map(|told| told.placed).collect()
}

#[test]
fn a_broken_frame_is_passed_over_wherever_it_is_cut() {
    let broken = in_units(&format!("{{\"data\":{}", fakes(300)));
    for blanks in ["", "\r\n", " "] {
        let stream = [&reply(1)[..], &broken, blanks.as_bytes(), &reply(2), &reply(3)].concat();
        // All cuts around the ends, some in the middle.
        for cut in (0..stream.len()).filter(|cut| {
            let from_end = stream.len() - cut;
            *cut < 120 || from_end < 120 || cut % 97 == 0
        }) {
            let said = Capture::new(&stream, &[cut]).decode();
            assert_eq!(placed(&said), [Placed::Certain; 3], "{cut}");
            assert_eq!(said.undecodable, [Fault::Json], "{cut}");
        }
        let bytes: Vec<_> = (0..stream.len()).collect();
        let said = Capture::new(&stream, &bytes).decode();
        assert_eq!(placed(&said), [Placed::Certain; 3]);
    }
}

#[test]
fn nothing_behind_a_broken_frame_is_nothing_to_search_for() {
    let broken = in_units(&fakes(5));
    every_cut(&[&reply(1)[..], &broken].concat(), |said, cut| {
        assert_eq!((said.frames.len(), said.undecodable), (1, vec![Fault::Json]), "{cut}");
    });
}

#[test]
fn a_frame_counted_in_bytes_is_passed_over_too() {
    // As many units as it has bytes reach into the frames behind it.
    let broken = in_bytes("{\"data\":\"求求求求求\"");
    let stream = [&reply(1)[..], &broken, &reply(2), &reply(3)].concat();
    every_cut(&stream, |said, cut| {
        assert_eq!(placed(&said), [Placed::Certain; 3], "{cut}");
        assert_eq!(said.undecodable, [Fault::Json], "{cut}");
    });
}

#[test]
fn behind_a_wrong_length_the_next_frame_is_searched_for() {
    let body = r#"{"response":1,"id":1}"#;
    for (length, lost) in [(body.len() - 3, 0), (body.len() + 5, 0), (1, 0), (0, 0)] {
        let wrong = format!("{length}#{body}").into_bytes();
        let stream = [&reply(1)[..], &wrong, &reply(2), &reply(3)].concat();
        every_cut(&stream, |said, cut| {
            use Placed::{Certain, Found, Joined};
            assert_eq!(placed(&said), [Certain, Found, Joined], "{length} {cut}");
            assert_eq!(said.undecodable.len(), 1 + lost, "{length} {cut}");
        });
    }
}

#[test]
fn what_is_found_begins_anew_behind_what_is_no_frame() {
    use Placed::{Found, Joined};
    let frames = [reply(1), reply(2)].concat();
    let broken = in_units("{\"data\":");
    let cases: [(&[u8], &[Placed]); 4] = [
        (b"", &[Found, Joined, Joined, Joined]),
        (b"\r\n", &[Found, Joined, Joined, Joined]),
        (b"noise", &[Found, Joined, Found, Joined]),
        (&broken, &[Found, Joined, Found, Joined]),
    ];
    for (between, expected) in cases {
        let stream = [b"tail\"}", &frames[..], between, &frames].concat();
        for cut in 0..stream.len() {
            let mut capture = Capture::new(&stream, &[cut]);
            capture.from_start = false;
            assert_eq!(placed(&capture.decode()), expected, "{cut}");
        }
    }
}

/// An upload is not known to be one where its headers are missing, and may hold frames as they are:
/// they are found, but not one of them is certain.
#[test]
fn frames_in_the_middle_of_an_upload_are_never_certain() {
    let log: String = (0..50).map(|line| format!("line {line}: {}\n", fakes(3))).collect();
    for size in [1, 7, 100, 1_448] {
        let cuts: Vec<_> = (0..log.len()).step_by(size).collect();
        let mut capture = Capture::new(log.as_bytes(), &cuts);
        capture.from_start = false;
        let said = capture.decode();
        assert_eq!(said.frames.len(), 150, "{size}");
        assert!(!placed(&said).contains(&Placed::Certain), "{size}");
        // Seen from its start, it is no Nest at all.
        let upload = format!("POST /log HTTP/1.1\r\n\r\n{log}");
        let said = Capture::new(upload.as_bytes(), &cuts).decode();
        assert_eq!((said.frames.len(), said.foreign), (0, Some(Foreign::Http1)), "{size}");
    }
}

#[test]
fn a_gap_in_a_frame_that_is_passed_over_loses_the_place() {
    let large = in_units(&format!("{{\"response\":\"{}\"}}", "x".repeat(3 * BUDGET)));
    let stream = [&reply(1)[..], &large, &reply(2), &reply(3)].concat();
    let cuts: Vec<_> = (0..stream.len()).step_by(1_000).collect();
    let mut capture = Capture::new(&stream, &cuts);
    capture.gaps.push(BUDGET + 500..BUDGET + 700);
    let said = capture.decode();
    assert_eq!(placed(&said), [Placed::Certain, Placed::Found, Placed::Joined]);
    assert_eq!(said.undecodable, [Fault::TooLarge]);
}

#[test]
fn a_length_beyond_every_string_is_not_passed_over() {
    let stream = [&reply(1)[..], b"4294967296#{\"response\":1}", &reply(2)].concat();
    every_cut(&stream, |said, cut| {
        assert_eq!(placed(&said), [Placed::Certain, Placed::Found], "{cut}");
        assert_eq!(said.undecodable, [Fault::TooLarge], "{cut}");
    });
}
