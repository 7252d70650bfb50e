//! What a capture with holes still holds, found without the engine: every byte is put at its place
//! in the stream of its side, and a frame counts if all of its bytes are there. Where frames lie is
//! known from what was sent, so that no search is needed. Then paired by connection and id.

use std::collections::{BTreeMap, HashMap, HashSet};

use nestscope::endpoint::Side;
use nestscope::exchange::{ExchangeKind, Latency, Span, Status};
use nestscope::packet::{PacketNumber, PacketRef};
use nestscope::time::Timestamp;

use super::wire::{self, FIN, RST, SYN, Tcp};
use super::{Raw, sent};

/// The replies of one id, each with its way over the wire.
type Answers<'a> = Vec<(&'a Placed, Span)>;

type Direction = (String, String);

/// A recording from which nothing is missing.
pub struct Recording {
    pub name: String,
    pub packets: Vec<Raw>,
    frames: Vec<Placed>,
    /// The initial sequence number of each direction.
    initial: HashMap<Direction, u32>,
}

/// A frame that was sent, and where it lies in the stream of its side.
struct Placed {
    from: Side,
    client: String,
    server: String,
    start: usize,
    end: usize,
    id: Option<String>,
    pattern: Option<String>,
    data: Option<String>,
    failed: bool,
    last: bool,
    /// Whether it has what only the frames of one side have. A reply of `undefined` is an id alone.
    tells_sides: bool,
}

/// An exchange as it must be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub kind: ExchangeKind,
    pub client: String,
    pub server: String,
    pub id: Option<String>,
    pub data: Option<String>,
    pub replies: u32,
    pub latency: Latency,
}

/// What one side sent, as far as the capture holds it.
#[derive(Default)]
struct Stream {
    /// The packet that first brought each byte.
    bytes: Vec<Option<PacketRef>>,
    packets: u64,
    fin: bool,
    reset: bool,
    /// Known to have been sent, by this side's packets and the acknowledgements of the other.
    bottom: Option<usize>,
    top: usize,
}

fn address((ip, port): &(Vec<u8>, u16)) -> String {
    match <[u8; 4]>::try_from(ip.as_slice()) {
        Ok(ip) => format!("{}:{port}", std::net::Ipv4Addr::from(ip)),
        Err(_) => {
            let ip: [u8; 16] = ip.as_slice().try_into().unwrap();
            format!("[{}]:{port}", std::net::Ipv6Addr::from(ip))
        }
    }
}

fn direction(tcp: &Tcp) -> Direction {
    let (from, to) = tcp.ends();
    (address(&from), address(&to))
}

fn truthy(value: Option<&str>) -> bool {
    !matches!(value, None | Some("null" | "false" | "0" | "\"\""))
}

impl Recording {
    pub fn new(name: &str, packets: Vec<Raw>, frames: &[sent::Frame]) -> Self {
        let mut initial = HashMap::new();
        for tcp in packets.iter().map(wire::parse).filter(|tcp| tcp.flags & SYN != 0) {
            initial.insert(direction(&tcp), tcp.seq);
        }
        let mut ends: HashMap<Direction, usize> = HashMap::new();
        let place = |frame: &sent::Frame| {
            let ends = ends.entry(match frame.from {
                Side::Client => (frame.client.clone(), frame.server.clone()),
                Side::Server => (frame.server.clone(), frame.client.clone()),
            });
            let end = ends.or_default();
            let start = *end;
            *end += frame.text.len();
            let body = frame.text.split_once('#').unwrap().1;
            let get = |key| sent::member(body, key);
            let failed = truthy(get("err").as_deref());
            Placed {
                from: frame.from,
                client: frame.client.clone(),
                server: frame.server.clone(),
                start,
                end: *end,
                tells_sides: ["pattern", "response", "err", "isDisposed"]
                    .into_iter()
                    .any(|key| get(key).is_some()),
                id: get("id"),
                pattern: get("pattern"),
                data: get("data"),
                failed,
                last: failed || truthy(get("isDisposed").as_deref()),
            }
        };
        let frames = frames.iter().map(place).collect();
        Self { name: name.to_owned(), packets, frames, initial }
    }

    /// The rows that a capture must give which holds only these packets of the recording, each with
    /// the statuses that it may have.
    pub fn expected(&self, left: &[Raw]) -> Vec<(Row, Vec<Status>)> {
        let streams = self.streams(left);
        let told = self.sides_told(&streams, left);
        let mut rows = Vec::new();
        // By client and id: requests with their replies, each in the order of their bytes.
        let mut calls: BTreeMap<(&str, &str), (Vec<Call<'_>>, Answers<'_>)> = BTreeMap::new();
        for frame in &self.frames {
            let ends = (frame.client.clone(), frame.server.clone());
            let way = match frame.from {
                Side::Client => ends,
                Side::Server => (ends.1, ends.0),
            };
            let span = streams.get(&way).and_then(|stream| stream.span(frame));
            let (Some(span), client) = (span, frame.client.as_str()) else { continue };
            // What only carries an id waits until another frame tells who is the server.
            if !told.contains(client) {
                continue;
            }
            match (frame.from, &frame.id, &frame.pattern) {
                (Side::Client, Some(id), Some(_)) => {
                    let call = Call { frame, span, replies: Vec::new(), ended: false };
                    calls.entry((client, id)).or_default().0.push(call);
                }
                (Side::Client, None, Some(_)) => {
                    let row = frame.row(ExchangeKind::Event, 0, Latency::of(&span, None, true).0);
                    rows.push((row, vec![Status::Sent]));
                }
                (Side::Server, Some(id), _) => {
                    calls.entry((client, id)).or_default().1.push((frame, span));
                }
                _ => {}
            }
        }
        for (requests, replies) in calls.into_values() {
            if requests.is_empty() {
                for (frame, _) in replies {
                    let row = frame.row(ExchangeKind::Reply, 1, Latency::default());
                    rows.push((row, vec![Status::Orphan]));
                }
                continue;
            }
            let mut requests = requests;
            for reply in replies {
                if let Some(call) = requests.iter_mut().find(|call| !call.ended) {
                    call.ended = reply.0.last;
                    call.replies.push(reply);
                }
            }
            rows.extend(requests.iter().map(|call| call.row(self, &streams)));
        }
        rows
    }

    /// The addresses of the clients that some packet or frame shows to be clients.
    fn sides_told(&self, streams: &HashMap<Direction, Stream>, left: &[Raw]) -> HashSet<String> {
        let syns = left.iter().filter(|raw| raw.data.len() >= 14 + 20 + 20).filter_map(|raw| {
            let mut whole = raw.clone();
            whole.data.resize(raw.original_len as usize, 0);
            let tcp = wire::parse(&whole);
            let (from, to) = direction(&tcp);
            let client = if tcp.flags & 0x10 == 0 { from } else { to };
            (tcp.flags & SYN != 0).then_some(client)
        });
        let frames = self.frames.iter().filter(|frame| frame.tells_sides).filter_map(|frame| {
            let ends = (frame.client.clone(), frame.server.clone());
            let way = if frame.from == Side::Client { ends } else { (ends.1, ends.0) };
            streams.get(&way)?.span(frame)?;
            Some(frame.client.clone())
        });
        syns.chain(frames).collect()
    }

    fn streams(&self, left: &[Raw]) -> HashMap<Direction, Stream> {
        let mut streams: HashMap<Direction, Stream> = HashMap::new();
        for (raw, number) in left.iter().zip(1..) {
            if raw.data.len() < 14 + 20 + 20 {
                continue;
            }
            let mut whole = raw.clone();
            whole.data.resize(raw.original_len as usize, 0);
            let tcp = wire::parse(&whole);
            let way = direction(&tcp);
            let Some(&initial) = self.initial.get(&way) else { continue };
            let packet =
                PacketRef { number: PacketNumber(number), at: Timestamp::from_nanos(raw.at) };
            let cut = raw.original_len as usize - raw.data.len();
            let held = tcp.payload.len().saturating_sub(cut);
            let position = |seq: u32, initial: u32| seq.wrapping_sub(initial).wrapping_sub(1);
            let start = position(tcp.payload_seq(), initial) as usize;
            let stream = streams.entry(way.clone()).or_default();
            stream.packets += 1;
            stream.fin |= tcp.flags & FIN != 0;
            stream.reset |= tcp.flags & RST != 0;
            if tcp.flags & RST == 0 {
                stream.sent(start, start + tcp.payload.len());
            }
            if stream.bytes.len() < start + held && held > 0 {
                stream.bytes.resize(start + held, None);
            }
            for place in stream.bytes.get_mut(start..start + held).unwrap_or_default() {
                place.get_or_insert(packet);
            }
            let back = (way.1, way.0);
            if let Some(&initial) = self.initial.get(&back)
                && tcp.flags & 0x10 != 0
            {
                let acked = position(tcp.ack, initial) as usize;
                streams.entry(back).or_default().sent(acked, acked);
            }
        }
        streams
    }
}

impl Stream {
    /// Everything up to `end` was sent, and nothing is known of what lies before `start`.
    fn sent(&mut self, start: usize, end: usize) {
        // What acknowledges the SYN says nothing of bytes before.
        if start < 1 << 31 {
            self.bottom = Some(self.bottom.map_or(start, |bottom| bottom.min(start)));
            self.top = self.top.max(end);
        }
    }

    fn byte(&self, position: usize) -> Option<PacketRef> {
        self.bytes.get(position).copied().flatten()
    }

    /// The way of a frame, if every byte of it is there.
    fn span(&self, frame: &Placed) -> Option<Span> {
        let packets = self.bytes.get(frame.start..frame.end)?;
        let packets: Vec<PacketRef> = packets.iter().copied().collect::<Option<_>>()?;
        let last = packets.iter().copied().max_by_key(|packet| (packet.at, packet.number))?;
        let lowest = packets.iter().map(|packet| packet.number).min()?;
        let bytes = (frame.end - frame.start) as u64;
        Some(Span { first: self.byte(frame.start)?, last, lowest, bytes })
    }

    /// Whether a byte of `within` is missing that is known to have been sent.
    fn lacks(&self, within: std::ops::Range<usize>) -> bool {
        let start = within.start.max(self.bottom.unwrap_or(0));
        (start..within.end.min(self.top)).any(|position| self.byte(position).is_none())
    }

    /// Whether a byte is missing that may have been sent behind packet `number`: what is there
    /// behind it was.
    fn lacks_behind(&self, number: PacketNumber) -> bool {
        let mut later = true;
        for position in (self.bottom.unwrap_or(0)..self.top).rev() {
            match self.byte(position) {
                Some(packet) => later = packet.number > number,
                None if later => return true,
                None => {}
            }
        }
        false
    }
}

struct Call<'a> {
    frame: &'a Placed,
    span: Span,
    replies: Vec<(&'a Placed, Span)>,
    ended: bool,
}

impl Call<'_> {
    fn row(&self, of: &Recording, streams: &HashMap<Direction, Stream>) -> (Row, Vec<Status>) {
        let (first, last) = (self.replies.first(), self.replies.last());
        let reply = first.zip(last).map(|((_, first), (_, last))| Span {
            first: first.first,
            last: last.last,
            lowest: first.lowest,
            bytes: 0,
        });
        let first_end = first.map(|(_, span)| span.last.at);
        let latency = Latency::of(&self.span, first_end.zip(reply.as_ref()), self.ended).0;
        let replies = u32::try_from(self.replies.len()).unwrap();
        let row = self.frame.row(ExchangeKind::Request, replies, latency);
        if self.ended {
            let failed = last.is_some_and(|(reply, _)| reply.failed);
            return (row, vec![if failed { Status::Error } else { Status::Ok }]);
        }
        (row, self.without_end(of, streams))
    }

    fn without_end(&self, of: &Recording, streams: &HashMap<Direction, Stream>) -> Vec<Status> {
        let (client, server) = (&self.frame.client, &self.frame.server);
        let none = Stream::default();
        let stream = |from: &String, to: &String| streams.get(&(from.clone(), to.clone()));
        let asked = stream(client, server).unwrap_or(&none);
        let answered = stream(server, client).unwrap_or(&none);
        let is_answer = |frame: &&Placed| {
            frame.from == Side::Server && frame.client == *client && frame.id == self.frame.id
        };
        let lost = of.frames.iter().filter(is_answer).filter(|frame| frame.last);
        let was_lost = lost.into_iter().any(|frame| answered.lacks(frame.start..frame.end));
        if answered.packets == 0 || was_lost {
            return vec![Status::Unknown];
        }
        let over = asked.reset || answered.reset || asked.fin && answered.fin;
        let mut may = vec![if over { Status::Closed } else { Status::Open }];
        if answered.lacks_behind(self.span.last.number) {
            may.push(Status::Unknown);
        }
        may
    }
}

impl Placed {
    fn row(&self, kind: ExchangeKind, replies: u32, latency: Latency) -> Row {
        Row {
            kind,
            client: self.client.clone(),
            server: self.server.clone(),
            id: self.id.clone(),
            data: self.data.clone().filter(|_| kind != ExchangeKind::Reply),
            replies,
            latency,
        }
    }
}
