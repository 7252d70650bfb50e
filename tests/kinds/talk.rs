//! What two processes say to each other, and whether it was told as it was.

use nestscope::exchange::{ExchangeKind, Status};
use nestscope::packet::LinkType;

use super::MILLI;
use super::common::mutate::Dice;
use super::common::wire::{FIN, RST, SYN, Tcp, with_link};
use super::common::{Outcome, Raw, Record, analyse, framed};

pub const ACK: u8 = 0x10;

/// The ports of a talk, unless its client is given another.
pub const CLIENT: u16 = 40_000;
pub const SERVER: u16 = 3_000;

/// What two processes say to each other, packet by packet.
pub struct Talk {
    pub now: i64,
    /// The next sequence numbers of both.
    pub client: u32,
    pub server: u32,
    pub client_port: u16,
    /// The requests so far.
    pub calls: usize,
    name: &'static str,
    pub packets: Vec<Tcp>,
    /// Each acknowledgement was sent so many packets ago.
    pub lag: usize,
    /// The numbers of both, as they were before each packet since the last hole.
    pub past: Vec<(u32, u32)>,
}

impl Talk {
    pub fn new(name: &'static str, now: i64, dice: &mut Dice) -> Self {
        let (client, server) = (number(dice), number(dice));
        let (packets, past) = (Vec::new(), Vec::new());
        let client_port = CLIENT;
        Self { now, client, server, client_port, calls: 0, name, packets, lag: 0, past }
    }

    /// One that begins with its handshake.
    pub fn opened(dice: &mut Dice) -> Self {
        let mut talk = Self::new("call", 0, dice);
        talk.handshake();
        talk
    }

    /// The next packet of one side, which is not said yet.
    pub fn packet(&mut self, by_client: bool, flags: u8, payload: &[u8]) -> Tcp {
        self.now += MILLI;
        let client = (vec![10, 0, 0, 1], self.client_port);
        let server = (vec![10, 0, 0, 2], SERVER);
        let ((from, from_port), (to, to_port)) =
            if by_client { (client, server) } else { (server, client) };
        let numbers = (self.client, self.server);
        let ago = self.past.len().saturating_sub(self.lag);
        let known = *self.past.get(ago).unwrap_or(&numbers);
        let (seq, ack) = if by_client { (numbers.0, known.1) } else { (numbers.1, known.0) };
        let payload = payload.to_vec();
        let ack = if flags & ACK == 0 { 0 } else { ack };
        let at = self.now;
        Tcp { at, from, to, from_port, to_port, seq, ack, flags, window: 500, payload }
    }

    pub fn push(&mut self, by_client: bool, flags: u8, payload: &[u8]) {
        let packet = self.packet(by_client, flags, payload);
        let len = packet.len();
        self.past.push((self.client, self.server));
        let next = if by_client { &mut self.client } else { &mut self.server };
        *next = next.wrapping_add(len);
        self.packets.push(packet);
    }

    pub fn handshake(&mut self) {
        self.push(true, SYN, b"");
        self.push(false, SYN | ACK, b"");
        self.push(true, ACK, b"");
    }

    /// Captured from its beginning, or from its middle.
    pub fn handshake_or_not(&mut self, dice: &mut Dice) {
        if dice.below(2) == 0 {
            self.handshake();
        }
    }

    pub fn call(&mut self) {
        self.request();
        let reply = self.reply();
        self.push(false, ACK, reply.as_bytes());
    }

    pub fn calls(&mut self, count: usize) {
        for _ in 0..count {
            self.call();
        }
    }

    /// A call that nothing answers yet.
    pub fn request(&mut self) {
        self.calls += 1;
        let (name, id) = (self.name, self.id());
        let request = framed(&format!(r#"{{"pattern":"{name}","data":1,"id":"{id}"}}"#));
        self.push(true, ACK, request.as_bytes());
    }

    /// What answers the last request.
    pub fn reply(&self) -> String {
        framed(&format!(r#"{{"response":2,"isDisposed":true,"id":"{}"}}"#, self.id()))
    }

    /// That of the last request.
    fn id(&self) -> String {
        format!("{}-{}", self.name, self.calls)
    }

    pub fn close(&mut self) {
        self.push(true, ACK | FIN, b"");
        self.push(false, ACK | FIN, b"");
        self.push(true, ACK, b"");
    }

    /// Ends by FIN, by RST, or where the capture has a hole.
    pub fn end_somehow(&mut self, dice: &mut Dice) {
        match dice.below(3) {
            0 => self.close(),
            1 => self.push(true, RST | ACK, b""),
            _ => {}
        }
    }

    pub fn on_vlan(&self, vlan: u8) -> Vec<Raw> {
        self.packets.iter().map(|packet| on_vlan(packet, vlan)).collect()
    }

    pub fn outcome(&self) -> Outcome {
        analyse(&plain(&self.packets))
    }

    /// Each of its calls was answered after a millisecond, and nothing else is told.
    pub fn assert_told(&self, what: &str) -> Outcome {
        let outcome = self.outcome();
        assert_calls(what, &outcome, &[(self.name, self.calls)]);
        outcome
    }
}

pub fn number(dice: &mut Dice) -> u32 {
    u32::try_from(dice.below(1 << 16) << 16 | dice.below(1 << 16)).unwrap()
}

/// A distance beyond any window: nearer, nobody could tell.
pub fn far(dice: &mut Dice) -> u32 {
    (16 << 20) + number(dice) % (1 << 31)
}

pub fn plain(packets: &[Tcp]) -> Vec<Raw> {
    packets.iter().map(Tcp::ethernet).collect()
}

pub fn on_vlan(packet: &Tcp, vlan: u8) -> Raw {
    let header = [&[0; 12][..], &[0x81, 0, 0, vlan, 8, 0]].concat();
    with_link(packet.at, LinkType::ETHERNET, &header, &packet.ip())
}

/// All packets in the order of their times.
pub fn merged(mut packets: Vec<Raw>) -> Vec<Raw> {
    packets.sort_by_key(|packet| packet.at);
    packets
}

/// Each call was answered after a millisecond, and nothing else is told.
pub fn assert_calls(what: &str, outcome: &Outcome, expected: &[(&str, usize)]) {
    let is_attempt = |record: &&Record| record.kind == ExchangeKind::Connect;
    assert_eq!(outcome.records.iter().filter(is_attempt).count(), 0, "{what}");
    assert_calls_beside_attempts(what, outcome, expected);
}

/// The same where attempts to connect failed too.
pub fn assert_calls_beside_attempts(what: &str, outcome: &Outcome, expected: &[(&str, usize)]) {
    let calls = outcome.records.iter().filter(|record| record.kind != ExchangeKind::Connect);
    let mut told: Vec<_> = calls
        .map(|call| {
            let latency = call.latency.latency.map(|latency| latency.get());
            (call.pattern.clone().unwrap_or_default(), call.status, latency)
        })
        .collect();
    told.sort_unstable();
    let millisecond = Some(u64::try_from(MILLI).unwrap());
    let mut all: Vec<_> = expected
        .iter()
        .flat_map(|&(name, count)| {
            std::iter::repeat_n((name.to_owned(), Status::Ok, millisecond), count)
        })
        .collect();
    all.sort_unstable();
    assert_eq!(told, all, "{what}: {:?}", outcome.counts);
}
