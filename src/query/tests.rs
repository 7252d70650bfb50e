//! The language against exchanges: what each filter finds among six of them.

use std::cell::Cell;
use std::ops::ControlFlow;

use proptest::prelude::*;

use super::*;
use crate::endpoint::{ConnectionId, ConnectionNumber, Endpoints};
use crate::exchange::{
    EndedBy, Exchange, ExchangeKind, ExchangeNumber, Held, Latency, PatternId, Payloads, Span,
    Status,
};
use crate::packet::{PacketNumber, PacketRef};
use crate::time::{Nanos, Timestamp};

/// 2026-11-22T03:52:00Z.
const START: i64 = 1_795_319_520_000_000_000;

fn span(first: u64, last: u64, at: i64, bytes: u64) -> Option<Span> {
    let packet =
        |number| PacketRef { number: PacketNumber(number), at: Timestamp::from_nanos(START + at) };
    Some(Span::in_order(packet(first), packet(last), bytes))
}

fn ends(client: &str, server: &str) -> Endpoints {
    Endpoints { client: client.parse().unwrap(), server: server.parse().unwrap() }
}

/// 1: an answered call, 2: a stream, 3: a failed call, 4: an open call, 5: an event, 6: an orphan.
fn exchanges() -> Vec<Exchange<'static>> {
    let took = |nanos| Some(Nanos::new(nanos));
    let empty = |number, kind, status| {
        let connection = ConnectionId { number: ConnectionNumber(0), slot: 0 };
        let ends = ends("10.0.0.7:51304", "10.1.0.1:8888");
        Exchange::empty(ExchangeNumber(number), connection, ends, kind, status)
    };
    let call = Exchange {
        pattern: Some("sum"),
        pattern_id: PatternId(2),
        id: Some(br#""e32e6daac5b801d68adcf""#),
        request: span(6, 6, 1_000_000_000, 64),
        reply: span(8, 8, 1_003_612_000, 40),
        replies: 1,
        latency: Latency {
            latency: took(3_612_000),
            first_reply: took(3_612_000),
            request: took(0),
            wait: took(3_612_000),
            reply: took(0),
        },
        data: Some(br#"{"user":{"id":42,"name":"Ada"},"items":[{"sku":"x"},{"sku":"y"}]}"#),
        responses: Payloads::new(b"6", &[1]),
        error: Some(b"null"),
        ..empty(1, ExchangeKind::Request, Status::Ok)
    };
    vec![
        call,
        Exchange {
            number: ExchangeNumber(2),
            connection: ConnectionId { number: ConnectionNumber(1), slot: 1 },
            ends: ends("[::1]:40000", "[::1]:3001"),
            pattern: Some(r#"{"cmd":"count"}"#),
            pattern_id: PatternId(3),
            id: Some(b"7"),
            request: span(10, 12, 2_000_000_000, 70_000),
            reply: span(13, 20, 2_000_900_000, 200),
            replies: 3,
            latency: Latency {
                latency: took(2_000_000_000),
                first_reply: took(900_000),
                request: took(1_500),
                wait: took(898_500),
                reply: took(1_999_100_000),
            },
            data: Some(b"[1,2.50,12345678901234567891]"),
            responses: Payloads::new(br#"1{"msg":"\u4f59\u989d","ok":true}"done""#, &[1, 33, 39]),
            error: None,
            ..call
        },
        Exchange {
            number: ExchangeNumber(3),
            pattern: Some("user.create"),
            pattern_id: PatternId(4),
            status: Status::Error,
            latency: Latency { latency: took(10_000_000), ..call.latency },
            data: Some("{\"user\":{\"id\":\"42\",\"name\":null},\"note\":\"余额 a,b\"}".as_bytes()),
            responses: Payloads::default(),
            error: Some(br#"{"status":"error","message":"Time-out of \"db\""}"#),
            ..call
        },
        Exchange {
            id: call.id,
            request: call.request,
            latency: Latency { request: took(0), ..Latency::default() },
            ..empty(4, ExchangeKind::Request, Status::Open)
        },
        Exchange {
            pattern: Some("User.created"),
            pattern_id: PatternId::OTHERS,
            request: call.request,
            latency: Latency { request: took(0), ..Latency::default() },
            data: Some(b"\"sum\""),
            ..empty(5, ExchangeKind::Event, Status::Sent)
        },
        Exchange {
            id: call.id,
            reply: span(30, 30, 9_000_000_000, 50),
            replies: 1,
            latency: Latency { reply: took(0), ..Latency::default() },
            responses: Payloads::new(b"{\"late\":true}", &[13]),
            error: Some(br#""late""#),
            ..empty(6, ExchangeKind::Reply, Status::Orphan)
        },
    ]
}

/// 1: a call whose frames were held, 2: one that its server left, 3: one of which nobody is sure,
/// 4: a refusal, 5: attempts that a router answered.
fn failures() -> Vec<Exchange<'static>> {
    let call = exchanges().remove(0);
    let held = |nanos, certain| Held { at_most: Nanos::new(nanos), certain };
    let left = Exchange {
        number: ExchangeNumber(2),
        status: Status::Closed,
        reply: None,
        replies: 0,
        latency: Latency::default(),
        waited: Some(Nanos::from_secs(2)),
        ended_by: Some(EndedBy::Server),
        ..call
    };
    let refused = Exchange {
        number: ExchangeNumber(4),
        kind: ExchangeKind::Connect,
        pattern: None,
        pattern_id: PatternId::NONE,
        id: None,
        status: Status::Refused,
        waited: Some(Nanos::new(50_000)),
        ended_by: Some(EndedBy::ResetByServer),
        data: None,
        error: None,
        ..left
    };
    vec![
        Exchange {
            request_held: held(41_000_000, true),
            reply_held: held(2_000_000, false),
            ..call
        },
        left,
        Exchange { number: ExchangeNumber(3), sure: false, ..call },
        refused,
        Exchange {
            number: ExchangeNumber(5),
            status: Status::NoAnswer,
            ended_by: Some(EndedBy::Network),
            waited: Some(Nanos::from_secs(3)),
            attempts: 40,
            error: Some(br#""host unreachable""#),
            ..refused
        },
    ]
}

#[test]
fn failures_are_found() {
    let cases: &[(&str, &[u64])] = &[
        ("status == refused", &[4]),
        ("status == \"no answer\"", &[5]),
        ("status == no_answer", &[5]),
        ("status in {'no answer', refused, reset}", &[4, 5]),
        ("status != ok", &[2, 4, 5]),
        ("kind == connect", &[4, 5]),
        ("kind != connect", &[1, 2, 3]),
        ("waited", &[2, 4, 5]),
        ("waited > 1s", &[2, 5]),
        ("not waited", &[1, 3]),
        ("ended_by", &[2, 4, 5]),
        ("ended_by == server", &[2]),
        ("ended_by == 'reset by server'", &[4]),
        ("ended_by in {reset_by_server, network}", &[4, 5]),
        ("ended_by != network", &[2, 4]),
        ("request_held > 40ms", &[1]),
        ("request_held == 0ns", &[2, 3]),
        ("request_held", &[1, 2, 3]),
        ("reply_held == 2ms", &[1]),
        ("reply_held", &[1, 3]),
        ("held == 43ms", &[1]),
        ("held < 1ms", &[2, 3]),
        ("sure == false", &[3]),
        ("sure == true", &[1, 2, 4, 5]),
        ("attempts", &[4, 5]),
        ("attempts > 1", &[5]),
        ("pattern", &[1, 2, 3]),
        ("latency", &[1, 3]),
        ("error", &[5]),
        ("error == 'host unreachable' and client == 10.0.0.7", &[5]),
        ("data", &[1, 2, 3]),
        ("packet == 6", &[1, 2, 3, 4, 5]),
        ("request.bytes == 64 and kind == connect", &[4, 5]),
    ];
    for (text, expected) in cases {
        assert_eq!(found_among(&failures(), text), *expected, "{text}");
    }
}

/// The numbers of the exchanges that `text` finds.
fn found(text: &str) -> Vec<u64> {
    found_among(&exchanges(), text)
}

/// The same of others, found out in each way that there is.
fn found_among(exchanges: &[Exchange<'_>], text: &str) -> Vec<u64> {
    let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{error}"));
    let mut evaluator = Evaluator::new(&filter);
    let mut numbers = Vec::new();
    // Twice, so that what was remembered is used.
    for _ in 0..2 {
        numbers.clear();
        for exchange in exchanges {
            let matches = filter.matches(exchange);
            assert_eq!(evaluator.matches(exchange), matches, "{text}: {exchange:?}");
            if let Some(answer) = evaluator.without_payloads(exchange) {
                assert_eq!(answer, matches, "{text}: {exchange:?}");
            }
            numbers.extend(matches.then_some(exchange.number.0));
        }
    }
    numbers
}

#[test]
fn a_filter_finds_what_it_says() {
    let cases: &[(&str, &[u64])] = &[
        ("", &[1, 2, 3, 4, 5, 6]),
        ("  ", &[1, 2, 3, 4, 5, 6]),
        // Numbers, ranges and sets.
        ("n == 2", &[2]),
        ("n != 2", &[1, 3, 4, 5, 6]),
        ("n < 3", &[1, 2]),
        ("n le 3", &[1, 2, 3]),
        ("n gt 4", &[5, 6]),
        ("n >= 4", &[4, 5, 6]),
        ("n > -1", &[1, 2, 3, 4, 5, 6]),
        ("n in {1, 3..4}", &[1, 3, 4]),
        ("n in {3 .. 4,6}", &[3, 4, 6]),
        ("n not in {1, 3..4}", &[2, 5, 6]),
        ("replies == 3", &[2]),
        ("connection == 1", &[2]),
        ("packet == 6", &[1, 3, 4, 5]),
        ("packet == 11", &[2]),
        ("packet in {14..15, 30}", &[2, 6]),
        ("packet != 6", &[2, 6]),
        ("packet > 19", &[2, 6]),
        ("packet < 7", &[1, 3, 4, 5]),
        // Words.
        ("status == error", &[3]),
        ("status == \"error\"", &[3]),
        ("status != ok", &[3, 4, 5, 6]),
        ("status in {open, orphan}", &[4, 6]),
        ("kind == event", &[5]),
        ("kind eq reply", &[6]),
        // Ends.
        ("client == 10.0.0.7", &[1, 3, 4, 5, 6]),
        ("client == 10.0.0.0/8", &[1, 3, 4, 5, 6]),
        ("client == ::/0", &[2]),
        ("server == 10.1.0.1:8888", &[1, 3, 4, 5, 6]),
        ("server == [::1]:3001", &[2]),
        ("address == ::1", &[2]),
        ("host == 10.1.0.1", &[1, 3, 4, 5, 6]),
        ("host != 10.1.0.1", &[2]),
        ("client in {10.0.0.1..10.0.0.9, 11.0.0.0/8}", &[1, 3, 4, 5, 6]),
        ("port == 8888", &[1, 3, 4, 5, 6]),
        ("port != 8888", &[2]),
        ("port in {3000..3010}", &[2]),
        ("server.port == 3001", &[2]),
        ("client.port == 8888", &[]),
        // Times and spans.
        ("latency > 10ms", &[2]),
        ("latency >= 10ms", &[2, 3]),
        ("latency == 3612us", &[1]),
        ("latency != 3612us", &[2, 3]),
        ("!(latency > 10ms)", &[1, 3, 4, 5, 6]),
        ("latency", &[1, 2, 3]),
        ("not latency", &[4, 5, 6]),
        ("first_reply < 1ms", &[2]),
        ("request_time > 1us", &[2]),
        ("wait in {800us..1ms}", &[2]),
        ("reply_time > 1s", &[2]),
        ("time >= 2026-11-22T03:52:02Z", &[2, 6]),
        ("time < \"2026-11-22 04:52:01.5+01:00\"", &[1, 3, 4, 5]),
        // Sizes.
        ("request.bytes > 64kB", &[2]),
        ("request.bytes", &[1, 2, 3, 4, 5]),
        ("reply.bytes == 0", &[4, 5]),
        ("bytes == 104", &[1, 3]),
        ("bytes < 64B", &[6]),
        // Patterns.
        (r#"pattern == "sum""#, &[1]),
        ("pattern == 'sum'", &[1]),
        (r#"pattern != "sum""#, &[2, 3, 5]),
        (r#"pattern == "Sum""#, &[]),
        ("pattern", &[1, 2, 3, 5]),
        (r#"pattern > "sum""#, &[2, 3]),
        (r#"pattern in {"sum", "user.a".."user.z"}"#, &[1, 3]),
        (r#"pattern contains "creat""#, &[3, 5]),
        (r#"pattern contains "\x22cmd\u0022""#, &[2]),
        (r#"pattern matches "^user\.""#, &[3, 5]),
        (r#"pattern matches "(?-i)^user\.""#, &[3]),
        (r#"pattern ~ "^user\\.c""#, &[3, 5]),
        (r#"pattern ~ r"\bcreate\b""#, &[3]),
        (r#"pattern ~ "\bcreate\b""#, &[3]),
        // JSON.
        ("id == 7", &[2]),
        (r#"id contains "e32e""#, &[1, 3, 4, 6]),
        ("data", &[1, 2, 3, 5]),
        ("data.user.id == 42", &[1]),
        (r#"data.user.id == "42""#, &[3]),
        ("data.user.id != 42", &[3]),
        ("data.user.id == 4.2e1", &[1]),
        (r#"data["user"].id in {1, 40..50}"#, &[1]),
        ("data.user.id > 41", &[1]),
        (r#"data.user.id > "41""#, &[3]),
        ("data.user.name == null", &[3]),
        ("data.user.name", &[1, 3]),
        ("data.user.nobody", &[]),
        ("data.user", &[1, 3]),
        ("data.user == 42", &[]),
        ("data[0] == 1", &[2]),
        ("data[1] == 2.5", &[2]),
        ("data[2] == 12345678901234567891", &[2]),
        ("data[2] == 12345678901234567890", &[]),
        ("data[*] == 1", &[2]),
        ("data[*] != 3", &[2]),
        (r#"data.items[*].sku == "y""#, &[1]),
        (r#"data.items[*].sku != "y""#, &[]),
        (r#"data.items[0].sku != "y""#, &[1]),
        (r#"data == "sum""#, &[5]),
        (r#"response contains "余额""#, &[2]),
        (r#"data contains "余额""#, &[3]),
        (r#"data contains "额 a,b""#, &[3]),
        (r#"data contains "1,2""#, &[]),
        (r#"data contains "user""#, &[1, 3]),
        (r#"data contains "345""#, &[2]),
        (r#"response == "done""#, &[2]),
        ("response[0]", &[]),
        ("response.ok == true", &[2]),
        ("response.late == true", &[6]),
        ("response", &[1, 2, 6]),
        ("response == 6", &[1]),
        ("response != 6", &[2, 6]),
        (r#"response matches "^DONE$""#, &[2]),
        (r#"data matches "^\\d{3,}$""#, &[2]),
        ("error", &[3, 6]),
        ("!error", &[1, 2, 4, 5]),
        (r#"error.message contains "of \"db\"""#, &[3]),
        (r#"error matches "time-?out""#, &[3]),
        (r#"error == "late""#, &[6]),
        // Together.
        ("n == 1 or n == 2 and n == 3", &[1]),
        ("(n == 1 or n == 2) && n == 2", &[2]),
        ("n==1||n==2", &[1, 2]),
        ("not n == 1 and not n == 2", &[3, 4, 5, 6]),
        ("!!n==1", &[1]),
        (r#"data contains "Ada" and status == ok and pattern == "sum""#, &[1]),
        (r#"error or latency > 1s or pattern contains "creat""#, &[2, 3, 5, 6]),
    ];
    for (text, expected) in cases {
        assert_eq!(found(text), *expected, "{text}");
    }
    for field in fields() {
        Filter::parse(field.example).unwrap();
    }
}

#[test]
fn what_is_no_filter_is_explained_by_its_place() {
    let cases = [
        "sum",
        "sum or n == 1",
        "latancy > 10ms",
        "tcp.port == 8888",
        "sumsum > 3",
        "latency > 10",
        "latency > 10 ms",
        "latency > fast",
        "latency > 1.5ns",
        "latency contains \"1\"",
        "latency.x == 1",
        "latency[0] == 1",
        "status == eror",
        "status == broken",
        "status < error",
        "pattern == sum",
        "pattern = \"sum\"",
        "pattern === \"sum\"",
        "pattern like \"sum\"",
        "pattern \"sum\"",
        "pattern == \"sum",
        "pattern == \"s\\um\"",
        "pattern matches \"(\"",
        "pattern matches \"(a{1000}){1000}\"",
        "pattern matches sum",
        "pattern contains \"\"",
        "pattern in \"sum\"",
        "pattern in {\"sum\"",
        "pattern in {\"sum\" \"x\"}",
        "port in {9..3}",
        "port in {}",
        "port in {80,}",
        "client == localhost",
        "client == 10.0.0.0/33",
        "client in {10.0.0.9..10.0.0.1}",
        "time > 03:52:01",
        "time > 2026-11-22T03:52:01",
        "bytes > 1Mb",
        "n == 1.5",
        "data.user..id == 1",
        "data.* == 1",
        "data[x] == 1",
        "data[0 == 1",
        "data == [1,2]",
        "data.id == abc",
        "data in {1..\"x\"}",
        "n == 1 n == 2",
        "n == 1 AND n == 2",
        "n == 1 & n == 2",
        "n == 1, n == 2",
        "(n == 1",
        "n == 1)",
        "()",
        "and n == 1",
        "n == 1 and",
        "n ==",
        "\"sum\" == pattern",
        "n == in",
        "求 == \"和\"",
    ];
    let explained = |text: &str| Filter::parse(text).unwrap_err().to_string();
    insta::assert_snapshot!(cases.map(explained).join("\n\n"));
}

#[test]
fn a_filter_has_bounds() {
    let deep = |depth: usize| "(".repeat(depth) + "n == 1" + &")".repeat(depth);
    assert!(Filter::parse(&deep(64)).is_ok());
    let error = Filter::parse(&deep(65)).unwrap_err();
    assert_eq!(
        (error.span, error.message.as_str()),
        (64..65, "too many parentheses in one another")
    );
    let path = |steps: usize| "data".to_owned() + &".a".repeat(steps);
    assert!(Filter::parse(&path(64)).is_ok());
    assert_eq!(Filter::parse(&path(65)).unwrap_err().message, "the path is too long");
    let long = "n == 1 or ".repeat(409) + "n == 1";
    assert_eq!(long.len(), 4_096);
    assert!(Filter::parse(&long).is_ok());
    assert_eq!(Filter::parse(&(long + " ")).unwrap_err().span, 4_096..4_097);
    assert!(Filter::parse(&("!".repeat(4_000) + "n == 1")).is_ok());
}

#[test]
fn what_a_filter_needs_is_known() {
    let needs = |text| {
        let filter = Filter::parse(text).unwrap();
        (filter.needs_payloads(), filter.needs_number())
    };
    assert_eq!(needs("latency > 1ms and pattern == \"sum\" and packet == 3"), (false, false));
    assert_eq!(needs("not (n == 1 or data)"), (true, true));
    assert_eq!(needs("connection == 1"), (false, true));
    assert_eq!(needs("id == 1"), (false, false));
    assert_eq!(needs("response == 1"), (true, false));
    assert_eq!(needs("error"), (true, false));
}

/// Counts what is asked of it.
struct Counted<'a> {
    exchange: Exchange<'a>,
    patterns: Cell<u32>,
    payloads: Cell<u32>,
}

impl Subject for Counted<'_> {
    fn number(&self) -> ExchangeNumber {
        self.exchange.number
    }
    fn time(&self) -> Timestamp {
        self.exchange.time()
    }
    fn kind(&self) -> ExchangeKind {
        self.exchange.kind
    }
    fn status(&self) -> Status {
        self.exchange.status
    }
    fn connection(&self) -> ConnectionNumber {
        self.exchange.connection.number
    }
    fn replies(&self) -> u32 {
        self.exchange.replies
    }
    fn pattern_id(&self) -> PatternId {
        self.exchange.pattern_id
    }
    fn pattern(&self) -> Option<&str> {
        self.patterns.set(self.patterns.get() + 1);
        self.exchange.pattern
    }
    fn ends(&self) -> Endpoints {
        self.exchange.ends
    }
    fn waited(&self) -> Option<Nanos> {
        self.exchange.waited
    }
    fn ended_by(&self) -> Option<EndedBy> {
        self.exchange.ended_by
    }
    fn request_held(&self) -> Option<Nanos> {
        self.exchange.request_held()
    }
    fn reply_held(&self) -> Option<Nanos> {
        self.exchange.reply_held()
    }
    fn is_sure(&self) -> bool {
        self.exchange.sure
    }
    fn attempts(&self) -> Option<u32> {
        self.exchange.attempts()
    }
    fn latencies(&self) -> Latency {
        self.exchange.latency
    }
    fn request(&self) -> Option<Span> {
        self.exchange.request
    }
    fn reply(&self) -> Option<Span> {
        self.exchange.reply
    }
    fn id(&self) -> Option<std::borrow::Cow<'_, [u8]>> {
        Subject::id(&self.exchange)
    }
    fn data(&self) -> Option<std::borrow::Cow<'_, [u8]>> {
        self.payloads.set(self.payloads.get() + 1);
        Subject::data(&self.exchange)
    }
    fn responses(&self, tell: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> ControlFlow<()> {
        self.payloads.set(self.payloads.get() + 1);
        Subject::responses(&self.exchange, tell)
    }
    fn error(&self) -> Option<std::borrow::Cow<'_, [u8]>> {
        self.payloads.set(self.payloads.get() + 1);
        Subject::error(&self.exchange)
    }
}

/// How often patterns and payloads were asked for while a filter went over the exchanges three
/// times.
fn asked(text: &str) -> (u32, u32) {
    let filter = Filter::parse(text).unwrap();
    let mut evaluator = Evaluator::new(&filter);
    let (mut patterns, mut payloads) = (0, 0);
    for exchange in (0..3).flat_map(|_| exchanges()) {
        let counted = Counted { exchange, patterns: Cell::new(0), payloads: Cell::new(0) };
        evaluator.matches(&counted);
        patterns += counted.patterns.get();
        payloads += counted.payloads.get();
    }
    (patterns, payloads)
}

#[test]
fn a_pattern_is_looked_at_once_and_a_payload_last() {
    // Three have a name of their own; three share the name of none and of others.
    assert_eq!(asked(r#"pattern matches "sum""#), (3 + 3 * 3, 0));
    assert_eq!(asked(r#"data contains "Ada" and n == 1"#), (0, 3));
    assert_eq!(asked(r#"data contains "Ada" or n > 1"#), (0, 3));
    assert_eq!(
        asked(r#"(data or response) and (pattern == "x" or status == ok) and n == 9"#),
        (0, 0)
    );
    // That a call failed needs no payload; what it failed with does.
    assert_eq!(asked("error"), (0, 2 * 3));
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_explained(
        text in prop_oneof![
            any::<String>(),
            proptest::collection::vec(piece(), 0..12).prop_map(|pieces| pieces.concat()),
        ],
    ) {
        match Filter::parse(&text) {
            Ok(filter) => {
                let again = Filter::parse(&filter.to_string()).unwrap();
                prop_assert_eq!(again.to_string(), filter.to_string());
                for exchange in exchanges() {
                    prop_assert_eq!(again.matches(&exchange), filter.matches(&exchange));
                }
            }
            Err(error) => {
                prop_assert!(text.get(error.span.clone()).is_some(), "{:?}", error);
                prop_assert!(!error.message.is_empty() && !error.message.contains('\n'));
                prop_assert_eq!(error.to_string().lines().count(), 3);
            }
        }
    }

    #[test]
    fn what_is_quoted_is_read_as_it_was(text in any::<String>()) {
        let filter = Filter::parse(&format!("pattern == {}", quoted(&text))).unwrap();
        let exchange = Exchange { pattern: Some(&text), ..exchanges().remove(0) };
        prop_assert!(filter.matches(&exchange));
    }
}

/// A piece of a filter.
fn piece() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        " ",
        " ",
        "n",
        "latency",
        "data",
        ".a",
        "[0]",
        "[*]",
        "[",
        "]",
        "status",
        "pattern",
        "client",
        "==",
        "!=",
        "<",
        " in ",
        "{",
        "}",
        ",",
        "..",
        " contains ",
        " matches ",
        "\"",
        "\"a\"",
        "r'\\",
        "'",
        "\\",
        "1",
        "10ms",
        "10.0.0.1",
        "/8",
        "ok",
        "(",
        ")",
        "!",
        " not ",
        " and ",
        "||",
        "é",
        "=",
    ])
}
