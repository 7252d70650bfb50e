//! Exchanges for the tests of the writers.

use crate::endpoint::{ConnectionId, Endpoints};
use crate::exchange::{Exchange, ExchangeKind, Latency, PatternId, Payloads, Span, Status};
use crate::packet::PacketRef;
use crate::time::{Nanos, Timestamp};

const START: i64 = 1_795_319_521_123_456_789;

/// A packet, as many nanoseconds after the first one as is said.
pub fn packet(number: u64, after: i64) -> PacketRef {
    PacketRef { number, at: Timestamp::from_nanos(START + after) }
}

fn one(number: u64, after: i64, bytes: u64) -> Option<Span> {
    let packet = packet(number, after);
    Some(Span { first: packet, last: packet, bytes })
}

/// The call of the walkthrough.
pub fn call() -> Exchange<'static> {
    let took = Some(Nanos::new(3_612_000));
    Exchange {
        number: 2,
        connection: ConnectionId { serial: 0, slot: 0 },
        ends: Endpoints {
            client: "127.0.0.1:51304".parse().unwrap(),
            server: "127.0.0.1:8888".parse().unwrap(),
        },
        kind: ExchangeKind::Request,
        pattern: Some("sum"),
        pattern_id: PatternId(2),
        id: Some(br#""e32e6daac5b801d68adcf""#),
        status: Status::Ok,
        request: one(6, 0, 64),
        reply: one(8, 3_612_000, 64),
        replies: 1,
        latency: Latency {
            latency: took,
            first_reply: took,
            request: Some(Nanos::ZERO),
            wait: took,
            reply: Some(Nanos::ZERO),
        },
        waited: None,
        ended_by: None,
        request_held: Default::default(),
        reply_held: Default::default(),
        sure: true,
        attempts: 1,
        data: Some(b"[1,2,3]"),
        responses: Payloads::new(b"6", &[1]),
        error: None,
    }
}

/// Its event.
pub fn event() -> Exchange<'static> {
    Exchange {
        number: 1,
        kind: ExchangeKind::Event,
        pattern: Some("log"),
        pattern_id: PatternId(3),
        id: None,
        status: Status::Sent,
        request: one(4, 0, 34),
        data: Some("\"求和\"".as_bytes()),
        ..open()
    }
}

/// A call answered by three values and an end, over IPv6.
pub fn stream() -> Exchange<'static> {
    Exchange {
        number: 3,
        ends: Endpoints {
            client: "[::1]:40000".parse().unwrap(),
            server: "[::1]:3001".parse().unwrap(),
        },
        pattern: Some(r#"{"cmd":"count"}"#),
        pattern_id: PatternId(4),
        id: Some(b"7"),
        request: Some(Span { first: packet(6, 0), last: packet(7, 500), bytes: 64 }),
        reply: Some(Span { first: packet(8, 900), last: packet(12, 3_612_000), bytes: 200 }),
        replies: 4,
        latency: Latency {
            latency: Some(Nanos::new(3_612_000)),
            first_reply: Some(Nanos::new(1_000)),
            request: Some(Nanos::new(500)),
            wait: Some(Nanos::new(400)),
            reply: Some(Nanos::new(3_611_000)),
        },
        data: Some(br#"{"to":3}"#),
        responses: Payloads::new(br#"112345678901234567890123{"b":1,"a":"\ud83d"}"#, &[1, 24, 44]),
        ..call()
    }
}

/// A call that ended with an error.
pub fn failed() -> Exchange<'static> {
    Exchange {
        number: 4,
        status: Status::Error,
        responses: Payloads::default(),
        error: Some(br#"{"status":"error","message":"Internal server error"}"#),
        ..call()
    }
}

/// A call without argument that nothing has answered yet.
pub fn open() -> Exchange<'static> {
    Exchange {
        number: 5,
        pattern: Some("slow"),
        pattern_id: PatternId(5),
        status: Status::Open,
        reply: None,
        replies: 0,
        latency: Latency { request: Some(Nanos::ZERO), ..Latency::default() },
        data: None,
        responses: Payloads::default(),
        ..call()
    }
}

/// A reply to a request that the capture lacks.
pub fn orphan() -> Exchange<'static> {
    Exchange {
        number: 6,
        kind: ExchangeKind::Reply,
        pattern: None,
        pattern_id: PatternId::NONE,
        status: Status::Orphan,
        request: None,
        latency: Latency { reply: Some(Nanos::ZERO), ..Latency::default() },
        data: None,
        responses: Payloads::new(b"{\"late\":true}", &[13]),
        ..call()
    }
}
