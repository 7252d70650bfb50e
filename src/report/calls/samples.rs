//! Exchanges for the tests of the writers.

use crate::endpoint::{ConnectionId, ConnectionNumber, Endpoints};
use crate::exchange::{
    EndedBy, Exchange, ExchangeKind, ExchangeNumber, Held, Latency, PatternId, Payloads, Span,
    Status,
};
use crate::packet::{PacketNumber, PacketRef};
use crate::time::{Nanos, Timestamp};

const START: i64 = 1_795_319_521_123_456_789;

/// A packet, as many nanoseconds after the first one as is said.
pub fn packet(number: u64, after: i64) -> PacketRef {
    PacketRef { number: PacketNumber(number), at: Timestamp::from_nanos(START + after) }
}

fn one(number: u64, after: i64, bytes: u64) -> Option<Span> {
    let packet = packet(number, after);
    Some(Span::in_order(packet, packet, bytes))
}

/// On the connection of the walkthrough.
fn empty(number: u64, kind: ExchangeKind, status: Status) -> Exchange<'static> {
    let connection = ConnectionId { number: ConnectionNumber(0), slot: 0 };
    let ends = Endpoints {
        client: "127.0.0.1:51304".parse().unwrap(),
        server: "127.0.0.1:8888".parse().unwrap(),
    };
    Exchange::empty(ExchangeNumber(number), connection, ends, kind, status)
}

/// The call of the walkthrough.
pub fn call() -> Exchange<'static> {
    let took = Some(Nanos::new(3_612_000));
    Exchange {
        pattern: Some("sum"),
        pattern_id: PatternId(2),
        id: Some(br#""e32e6daac5b801d68adcf""#),
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
        data: Some(b"[1,2,3]"),
        responses: Payloads::new(b"6", &[1]),
        ..empty(2, ExchangeKind::Request, Status::Ok)
    }
}

/// Its event.
pub fn event() -> Exchange<'static> {
    Exchange {
        pattern: Some("log"),
        pattern_id: PatternId(3),
        request: one(4, 0, 34),
        latency: Latency { request: Some(Nanos::ZERO), ..Latency::default() },
        data: Some("\"求和\"".as_bytes()),
        ..empty(1, ExchangeKind::Event, Status::Sent)
    }
}

/// A call answered by three values and an end, over IPv6.
pub fn stream() -> Exchange<'static> {
    Exchange {
        number: ExchangeNumber(3),
        ends: Endpoints {
            client: "[::1]:40000".parse().unwrap(),
            server: "[::1]:3001".parse().unwrap(),
        },
        pattern: Some(r#"{"cmd":"count"}"#),
        pattern_id: PatternId(4),
        id: Some(b"7"),
        request: Some(Span::in_order(packet(6, 0), packet(7, 500), 64)),
        reply: Some(Span::in_order(packet(8, 900), packet(12, 3_612_000), 200)),
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
        number: ExchangeNumber(4),
        status: Status::Error,
        responses: Payloads::default(),
        error: Some(br#"{"status":"error","message":"Internal server error"}"#),
        ..call()
    }
}

/// A call without argument that nothing has answered yet.
pub fn open() -> Exchange<'static> {
    Exchange {
        pattern: Some("slow"),
        pattern_id: PatternId(5),
        id: call().id,
        request: call().request,
        latency: Latency { request: Some(Nanos::ZERO), ..Latency::default() },
        ..empty(5, ExchangeKind::Request, Status::Open)
    }
}

/// A reply to a request that the capture lacks.
pub fn orphan() -> Exchange<'static> {
    Exchange {
        id: call().id,
        reply: call().reply,
        replies: 1,
        latency: Latency { reply: Some(Nanos::ZERO), ..Latency::default() },
        responses: Payloads::new(b"{\"late\":true}", &[13]),
        ..empty(6, ExchangeKind::Reply, Status::Orphan)
    }
}

/// A call that waited until its server closed the connection.
pub fn closed() -> Exchange<'static> {
    Exchange {
        number: ExchangeNumber(7),
        status: Status::Closed,
        waited: Some(Nanos::new(1_204_000_000)),
        ended_by: Some(EndedBy::Server),
        data: Some(br#"{"order":17,"urgent":true}"#),
        ..open()
    }
}

/// A call whose request was certainly held back by the kernel of its caller, and whose reply may
/// have been by that of the server.
pub fn held() -> Exchange<'static> {
    let held = |nanos, certain| Held { at_most: Nanos::new(nanos), certain };
    Exchange {
        number: ExchangeNumber(8),
        request_held: held(41_300_000, true),
        reply_held: held(1_500_000, false),
        ..call()
    }
}

/// A call in a stream of which nothing confirms that it was one.
pub fn unsure() -> Exchange<'static> {
    Exchange { number: ExchangeNumber(9), sure: false, ..call() }
}

/// An attempt to connect that a RST answered.
pub fn refused() -> Exchange<'static> {
    Exchange {
        request: one(20, 0, 0),
        reply: one(21, 52_000, 0),
        waited: Some(Nanos::new(52_000)),
        ended_by: Some(EndedBy::ResetByServer),
        ..empty(10, ExchangeKind::Connect, Status::Refused)
    }
}

/// Attempts to connect that nothing but a router answered.
pub fn unanswered() -> Exchange<'static> {
    Exchange {
        number: ExchangeNumber(11),
        status: Status::NoAnswer,
        request: Some(Span::in_order(packet(22, 0), packet(24, 3_000_000_000), 0)),
        reply: one(25, 3_100_000_000, 0),
        waited: Some(Nanos::new(3_100_000_000)),
        ended_by: Some(EndedBy::Network),
        attempts: 40,
        error: Some(br#""host unreachable""#),
        ..refused()
    }
}
