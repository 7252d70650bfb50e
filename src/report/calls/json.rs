//! JSON Lines: one object per exchange.

use std::io::{self, Write};

use crate::endpoint::Endpoints;
use crate::exchange::{EndedBy, Exchange, ExchangeKind, Span};
use crate::query::Subject;
use crate::report::civil::Civil;
use crate::report::payload::{push_payload, push_string, push_value};

/// The keys of an exchange, in their order: what `-T fields` can be asked for.
pub(super) const KEYS: &[&str] = &[
    "n",
    "kind",
    "pattern",
    "id",
    "client",
    "server",
    "time",
    "status",
    "latency_ns",
    "first_reply_ns",
    "request_ns",
    "wait_ns",
    "reply_ns",
    "replies",
    "request_bytes",
    "reply_bytes",
    "packets",
    "data",
    "response",
    "error",
    "protocol",
    "waited_ns",
    "request_held_ns",
    "reply_held_ns",
    "ended_by",
    "service",
    "instance",
    "client_service",
    "parent",
    "parent_by",
    "candidates",
    "problems",
    "sure",
    "also",
];

/// Writes exchanges as JSON Lines.
#[derive(Debug)]
pub struct JsonLines<W> {
    out: W,
    line: Vec<u8>,
    civil: Civil,
}

impl<W: Write> JsonLines<W> {
    /// Writes to `out`, one `write` per exchange.
    pub fn new(out: W) -> Self {
        Self { out, line: Vec::new(), civil: Civil::rfc3339() }
    }

    /// Writes one exchange.
    pub fn write(&mut self, exchange: &Exchange<'_>) -> io::Result<()> {
        self.line.clear();
        push_exchange(&mut self.line, exchange, &mut self.civil);
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }

    /// Flushes what was written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Appends the object of one exchange. The order of the keys is part of the contract.
pub(super) fn push_exchange(line: &mut Vec<u8>, exchange: &Exchange<'_>, civil: &mut Civil) {
    let Exchange { request, reply, latency, .. } = exchange;
    key(line, "{\"n\":");
    push_value(line, &exchange.number.0);
    key(line, ",\"kind\":\"");
    key(line, exchange.kind.name());
    key(line, "\",\"pattern\":");
    match exchange.pattern {
        Some(pattern) => push_string(line, pattern),
        None => key(line, "null"),
    }
    if matches!(exchange.kind, ExchangeKind::Request | ExchangeKind::Reply) {
        key(line, ",\"id\":");
        push_payload_or_null(line, exchange.id);
    }
    // Writing to a Vec cannot fail.
    _ = write!(
        line,
        ",\"client\":\"{}\",\"server\":\"{}\",\"time\":",
        exchange.ends.client, exchange.ends.server
    );
    match exchange.time() {
        at if at.is_known() => {
            key(line, "\"");
            civil.push_nanos(line, at);
            key(line, "Z\"");
        }
        _ => key(line, "null"),
    }
    key(line, ",\"status\":\"");
    key(line, exchange.status.name());
    key(line, "\"");
    for (name, span) in [
        (",\"latency_ns\":", latency.latency),
        (",\"first_reply_ns\":", latency.first_reply),
        (",\"request_ns\":", latency.request),
        (",\"wait_ns\":", latency.wait),
        (",\"reply_ns\":", latency.reply),
    ] {
        key(line, name);
        push_value(line, &span.map(|span| span.get()));
    }
    key(line, ",\"replies\":");
    push_value(line, &exchange.replies);
    key(line, ",\"request_bytes\":");
    push_value(line, &request.map(|span| span.bytes));
    key(line, ",\"reply_bytes\":");
    push_value(line, &reply.map_or(0, |span| span.bytes));
    key(line, ",\"packets\":{\"request\":");
    push_value(line, &request.map(packets));
    key(line, ",\"reply\":");
    push_value(line, &reply.map(packets));
    key(line, "},\"data\":");
    push_payload_or_null(line, exchange.data);
    key(line, ",\"response\":");
    push_responses(line, exchange);
    key(line, ",\"error\":");
    push_payload_or_null(line, exchange.error);
    push_later(line, exchange);
    key(line, "}");
}

/// Appends the keys that came with later versions.
fn push_later(line: &mut Vec<u8>, exchange: &Exchange<'_>) {
    key(line, ",\"protocol\":");
    push_word(line, protocol(exchange));
    key(line, ",\"waited_ns\":");
    push_value(line, &exchange.waited.map(|span| span.get()));
    key(line, ",\"request_held_ns\":");
    push_value(line, &exchange.request_held().map(|span| span.get()));
    key(line, ",\"reply_held_ns\":");
    push_value(line, &exchange.reply_held().map(|span| span.get()));
    key(line, ",\"ended_by\":");
    push_word(line, exchange.ended_by.map(EndedBy::name));
    // Null and empty until there is somebody who finds them out.
    key(line, ",\"service\":null,\"instance\":null,\"client_service\":null,\"parent\":null");
    key(line, ",\"parent_by\":null,\"candidates\":[],\"problems\":[],\"sure\":");
    push_value(line, &exchange.sure);
    key(line, ",\"also\":");
    match exchange.also {
        None => key(line, "null"),
        Some(Endpoints { client, server }) => {
            // Writing to a Vec cannot fail.
            _ = write!(line, "{{\"client\":\"{client}\",\"server\":\"{server}\"}}");
        }
    }
    if exchange.kind == ExchangeKind::Connect {
        key(line, ",\"attempts\":");
        push_value(line, &exchange.attempts);
    }
}

/// What an exchange spoke; an attempt to connect says nothing.
pub(super) fn protocol(exchange: &Exchange<'_>) -> Option<&'static str> {
    (exchange.kind != ExchangeKind::Connect).then_some("nest-tcp")
}

/// Appends the values that answered, as a JSON array.
pub(super) fn push_responses(line: &mut Vec<u8>, exchange: &Exchange<'_>) {
    line.push(b'[');
    for (index, response) in exchange.responses.iter().enumerate() {
        if index > 0 {
            line.push(b',');
        }
        push_payload(line, response);
    }
    line.push(b']');
}

fn push_payload_or_null(line: &mut Vec<u8>, json: Option<&[u8]>) {
    push_payload(line, json.unwrap_or(b"null"));
}

/// Appends one of our own words, which needs no escapes, or `null`.
fn push_word(line: &mut Vec<u8>, word: Option<&'static str>) {
    match word {
        Some(word) => {
            line.push(b'"');
            key(line, word);
            line.push(b'"');
        }
        None => key(line, "null"),
    }
}

fn key(line: &mut Vec<u8>, text: &str) {
    line.extend_from_slice(text.as_bytes());
}

fn packets(span: Span) -> [u64; 2] {
    span.packets().map(|number| number.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::calls::samples;

    fn lines(exchanges: &[Exchange<'_>]) -> String {
        let mut writer = JsonLines::new(Vec::new());
        for exchange in exchanges {
            writer.write(exchange).unwrap();
        }
        String::from_utf8(writer.out).unwrap()
    }

    #[test]
    fn the_keys_are_those_of_an_exchange() {
        let mut line = Vec::new();
        push_exchange(&mut line, &samples::call(), &mut Civil::rfc3339());
        let outline = crate::json::Outline::of(&line).unwrap();
        let top = outline.items(&line, outline.top(&line).start());
        assert_eq!(top.count(), KEYS.len());
        let text = String::from_utf8(line).unwrap();
        let places: Vec<_> =
            KEYS.iter().map(|key| text.find(&format!("\"{key}\":")).unwrap()).collect();
        assert!(places.is_sorted(), "{places:?}");
    }

    #[test]
    fn exchanges_are_written_to_the_letter() {
        let exchanges = [
            samples::call(),
            samples::event(),
            samples::stream(),
            samples::failed(),
            samples::open(),
            samples::orphan(),
            samples::closed(),
            samples::held(),
            samples::unsure(),
            samples::refused(),
            samples::unanswered(),
        ];
        let expected = [
            r#"{"n":2,"kind":"request","pattern":"sum","id":"e32e6daac5b801d68adcf","client":"127.0.0.1:51304","server":"127.0.0.1:8888","time":"2026-11-22T03:52:01.123456789Z","status":"ok","latency_ns":3612000,"first_reply_ns":3612000,"request_ns":0,"wait_ns":3612000,"reply_ns":0,"replies":1,"request_bytes":64,"reply_bytes":64,"packets":{"request":[6,6],"reply":[8,8]},"data":[1,2,3],"response":[6],"error":null,"protocol":"nest-tcp","waited_ns":null,"request_held_ns":0,"reply_held_ns":0,"ended_by":null,"service":null,"instance":null,"client_service":null,"parent":null,"parent_by":null,"candidates":[],"problems":[],"sure":true,"also":null}"#,
            r#"{"n":1,"kind":"event","pattern":"log","client":"127.0.0.1:51304","server":"127.0.0.1:8888","time":"2026-11-22T03:52:01.123456789Z","status":"sent","latency_ns":null,"first_reply_ns":null,"request_ns":0,"wait_ns":null,"reply_ns":null,"replies":0,"request_bytes":34,"reply_bytes":0,"packets":{"request":[4,4],"reply":null},"data":"求和","response":[],"error":null,"protocol":"nest-tcp","waited_ns":null,"request_held_ns":0,"reply_held_ns":null,"ended_by":null,"service":null,"instance":null,"client_service":null,"parent":null,"parent_by":null,"candidates":[],"problems":[],"sure":true,"also":null}"#,
            r#"{"n":3,"kind":"request","pattern":"{\"cmd\":\"count\"}","id":7,"client":"[::1]:40000","server":"[::1]:3001","time":"2026-11-22T03:52:01.123456789Z","status":"ok","latency_ns":3612000,"first_reply_ns":1000,"request_ns":500,"wait_ns":400,"reply_ns":3611000,"replies":4,"request_bytes":64,"reply_bytes":200,"packets":{"request":[6,7],"reply":[8,12]},"data":{"to":3},"response":[1,12345678901234567890123,{"b":1,"a":"\ud83d"}],"error":null,"protocol":"nest-tcp","waited_ns":null,"request_held_ns":0,"reply_held_ns":0,"ended_by":null,"service":null,"instance":null,"client_service":null,"parent":null,"parent_by":null,"candidates":[],"problems":[],"sure":true,"also":null}"#,
            r#"{"n":4,"kind":"request","pattern":"sum","id":"e32e6daac5b801d68adcf","client":"127.0.0.1:51304","server":"127.0.0.1:8888","time":"2026-11-22T03:52:01.123456789Z","status":"error","latency_ns":3612000,"first_reply_ns":3612000,"request_ns":0,"wait_ns":3612000,"reply_ns":0,"replies":1,"request_bytes":64,"reply_bytes":64,"packets":{"request":[6,6],"reply":[8,8]},"data":[1,2,3],"response":[],"error":{"status":"error","message":"Internal server error"},"protocol":"nest-tcp","waited_ns":null,"request_held_ns":0,"reply_held_ns":0,"ended_by":null,"service":null,"instance":null,"client_service":null,"parent":null,"parent_by":null,"candidates":[],"problems":[],"sure":true,"also":null}"#,
            r#"{"n":5,"kind":"request","pattern":"slow","id":"e32e6daac5b801d68adcf","client":"127.0.0.1:51304","server":"127.0.0.1:8888","time":"2026-11-22T03:52:01.123456789Z","status":"open","latency_ns":null,"first_reply_ns":null,"request_ns":0,"wait_ns":null,"reply_ns":null,"replies":0,"request_bytes":64,"reply_bytes":0,"packets":{"request":[6,6],"reply":null},"data":null,"response":[],"error":null,"protocol":"nest-tcp","waited_ns":null,"request_held_ns":0,"reply_held_ns":null,"ended_by":null,"service":null,"instance":null,"client_service":null,"parent":null,"parent_by":null,"candidates":[],"problems":[],"sure":true,"also":null}"#,
            r#"{"n":6,"kind":"reply","pattern":null,"id":"e32e6daac5b801d68adcf","client":"127.0.0.1:51304","server":"127.0.0.1:8888","time":"2026-11-22T03:52:01.127068789Z","status":"orphan","latency_ns":null,"first_reply_ns":null,"request_ns":null,"wait_ns":null,"reply_ns":0,"replies":1,"request_bytes":null,"reply_bytes":64,"packets":{"request":null,"reply":[8,8]},"data":null,"response":[{"late":true}],"error":null,"protocol":"nest-tcp","waited_ns":null,"request_held_ns":null,"reply_held_ns":0,"ended_by":null,"service":null,"instance":null,"client_service":null,"parent":null,"parent_by":null,"candidates":[],"problems":[],"sure":true,"also":null}"#,
            r#"{"n":7,"kind":"request","pattern":"slow","id":"e32e6daac5b801d68adcf","client":"127.0.0.1:51304","server":"127.0.0.1:8888","time":"2026-11-22T03:52:01.123456789Z","status":"closed","latency_ns":null,"first_reply_ns":null,"request_ns":0,"wait_ns":null,"reply_ns":null,"replies":0,"request_bytes":64,"reply_bytes":0,"packets":{"request":[6,6],"reply":null},"data":{"order":17,"urgent":true},"response":[],"error":null,"protocol":"nest-tcp","waited_ns":1204000000,"request_held_ns":0,"reply_held_ns":null,"ended_by":"server","service":null,"instance":null,"client_service":null,"parent":null,"parent_by":null,"candidates":[],"problems":[],"sure":true,"also":null}"#,
            r#"{"n":8,"kind":"request","pattern":"sum","id":"e32e6daac5b801d68adcf","client":"127.0.0.1:51304","server":"127.0.0.1:8888","time":"2026-11-22T03:52:01.123456789Z","status":"ok","latency_ns":3612000,"first_reply_ns":3612000,"request_ns":0,"wait_ns":3612000,"reply_ns":0,"replies":1,"request_bytes":64,"reply_bytes":64,"packets":{"request":[6,6],"reply":[8,8]},"data":[1,2,3],"response":[6],"error":null,"protocol":"nest-tcp","waited_ns":null,"request_held_ns":41300000,"reply_held_ns":1500000,"ended_by":null,"service":null,"instance":null,"client_service":null,"parent":null,"parent_by":null,"candidates":[],"problems":[],"sure":true,"also":null}"#,
            r#"{"n":9,"kind":"request","pattern":"sum","id":"e32e6daac5b801d68adcf","client":"127.0.0.1:51304","server":"127.0.0.1:8888","time":"2026-11-22T03:52:01.123456789Z","status":"ok","latency_ns":3612000,"first_reply_ns":3612000,"request_ns":0,"wait_ns":3612000,"reply_ns":0,"replies":1,"request_bytes":64,"reply_bytes":64,"packets":{"request":[6,6],"reply":[8,8]},"data":[1,2,3],"response":[6],"error":null,"protocol":"nest-tcp","waited_ns":null,"request_held_ns":0,"reply_held_ns":0,"ended_by":null,"service":null,"instance":null,"client_service":null,"parent":null,"parent_by":null,"candidates":[],"problems":[],"sure":false,"also":null}"#,
            r#"{"n":10,"kind":"connect","pattern":null,"client":"127.0.0.1:51304","server":"127.0.0.1:8888","time":"2026-11-22T03:52:01.123456789Z","status":"refused","latency_ns":null,"first_reply_ns":null,"request_ns":null,"wait_ns":null,"reply_ns":null,"replies":0,"request_bytes":0,"reply_bytes":0,"packets":{"request":[20,20],"reply":[21,21]},"data":null,"response":[],"error":null,"protocol":null,"waited_ns":52000,"request_held_ns":null,"reply_held_ns":null,"ended_by":"reset by server","service":null,"instance":null,"client_service":null,"parent":null,"parent_by":null,"candidates":[],"problems":[],"sure":true,"also":null,"attempts":1}"#,
            r#"{"n":11,"kind":"connect","pattern":null,"client":"127.0.0.1:51304","server":"127.0.0.1:8888","time":"2026-11-22T03:52:01.123456789Z","status":"no answer","latency_ns":null,"first_reply_ns":null,"request_ns":null,"wait_ns":null,"reply_ns":null,"replies":0,"request_bytes":0,"reply_bytes":0,"packets":{"request":[22,24],"reply":[25,25]},"data":null,"response":[],"error":"host unreachable","protocol":null,"waited_ns":3100000000,"request_held_ns":null,"reply_held_ns":null,"ended_by":"network","service":null,"instance":null,"client_service":null,"parent":null,"parent_by":null,"candidates":[],"problems":[],"sure":true,"also":null,"attempts":40}"#,
            "",
        ];
        let written = lines(&exchanges);
        for (line, expected) in written.split('\n').zip(expected) {
            assert_eq!(line, expected);
        }
        assert_eq!(written, expected.join("\n"));
    }

    #[test]
    fn hostile_texts_are_the_same_json_values() {
        let exchange = Exchange {
            pattern: Some("a\u{1b}[2J\u{202e}\n\""),
            data: Some("\"\u{9b}\u{2028}\"".as_bytes()),
            ..samples::call()
        };
        let line = lines(&[exchange]);
        assert!(line.contains(r#""pattern":"a\u001b[2J\u202e\n\"","#), "{line}");
        assert!(line.contains(r#""data":"\u009b\u2028","#), "{line}");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["pattern"], "a\u{1b}[2J\u{202e}\n\"");
        assert_eq!(value["data"], "\u{9b}\u{2028}");
    }

    proptest! {
        #[test]
        fn any_payload_gives_one_clean_line(
            data in proptest::collection::vec(any::<u8>(), 0..64),
            text in any::<String>(),
        ) {
            let json = serde_json::to_vec_pretty(&serde_json::json!({"k": [&text, 1]})).unwrap();
            let data = Exchange { data: Some(&data), ..samples::call() };
            let value = Exchange { data: Some(&json), pattern: Some(&text), ..samples::call() };
            for (exchange, is_json) in [(data, false), (value, true)] {
                let written = lines(&[exchange]);
                let line = written.strip_suffix('\n').unwrap();
                prop_assert!(!line.contains(crate::report::visible::is_acting));
                if is_json {
                    let read: serde_json::Value = serde_json::from_str(line).unwrap();
                    prop_assert_eq!(&read["data"]["k"][0], &text);
                    prop_assert_eq!(&read["pattern"], &text);
                }
            }
        }
    }
}
