//! What a filter asks of a connection.

use super::columns::{self, age, missing, retransmissions, speaks};
use crate::query::FieldKind::{Address, Duration, Number, Size, Text, Word};
use crate::query::{Field, Look, Value};
use crate::store::ConnectionRecord;
use crate::time::Timestamp;

/// The words of `state`, as [`ConnectionFacts::state`](crate::engine::ConnectionFacts::state) has
/// them.
const STATES: &[&str] = &[
    "closing",
    "evicted",
    "finished",
    "no_answer",
    "open",
    "opening",
    "refused",
    "replaced",
    "reset",
    "unreachable",
];

/// The words of `seen`: from its start on, or not.
const SEEN: &[&str] = &["late", "start"];

/// What a filter may ask for. Most are named as their columns are.
pub const FILTERED: &[Field] = &[
    Field::of_row("connection", Number, "its number, from 0", "connection == 0"),
    Field::of_row("client", Address, "the address that asks", "client == 10.0.0.0/8"),
    Field::of_row("client.port", Number, "its port", "client.port >= 32768"),
    Field::of_row("server", Address, "the address that answers", "server == 127.0.0.1:8888"),
    Field::of_row("server.port", Number, "its port", "server.port == 8888"),
    Field::of_row("address", Address, "either address", "address == ::1"),
    Field::of_row("port", Number, "either port", "port in {3000..3010, 8888}"),
    Field::of_row("state", Word(STATES), "what has become of it", "state in {open, closing}"),
    Field::of_row("speaks", Text, "the protocol, as far as it showed", "speaks == \"Nest\""),
    Field::of_row("age", Duration, "how long it has lasted, or lasted", "age > 10s"),
    Field::of_row("flight", Number, "calls without an answer yet", "flight > 0"),
    Field::of_row("calls", Number, "calls over it", "calls > 100"),
    Field::of_row("events", Number, "events over it", "events > 0"),
    Field::of_row("errors", Number, "calls that failed", "errors > 0"),
    Field::of_row("no_reply", Number, "calls without a final reply", "no_reply > 0"),
    Field::of_row("p50", Duration, "the median latency", "p50 > 10ms"),
    Field::of_row("p99", Duration, "of 100 calls 99 took at most this", "p99 > 100ms"),
    Field::of_row("client.bytes", Size, "bytes from the client", "client.bytes > 1MB"),
    Field::of_row("server.bytes", Size, "bytes from the server", "server.bytes == 0"),
    Field::of_row("retransmitted", Number, "segments sent again", "retransmitted > 0"),
    Field::of_row("missing", Size, "bytes that the capture lacks", "missing > 0"),
    Field::of_row("gaps", Number, "places where bytes are missing", "gaps > 0"),
    Field::of_row("rtt", Duration, "the round trip of the handshake", "rtt > 1ms"),
    Field::of_row("seen", Word(SEEN), "from its start, or from later on", "seen == late"),
];

/// Says what `record` has in the field `name`.
pub fn tell(record: &ConnectionRecord, now: Timestamp, name: &str, look: &mut Look<'_>) {
    let facts = &record.facts;
    let (client, server) = (facts.ends.client, facts.ends.server);
    let mut number = |number: i128| look(&Value::Number(number));
    match name {
        "connection" => number(facts.connection.number.0.into()),
        "client.port" => number(client.port().into()),
        "server.port" => number(server.port().into()),
        "port" => [client, server].iter().for_each(|end| number(end.port().into())),
        "age" => number(age(record, now).get().into()),
        "flight" => number(record.in_flight.into()),
        "calls" => number(record.calls.into()),
        "events" => number(record.events.into()),
        "errors" => number(record.errors.into()),
        "no_reply" => number(record.no_reply.into()),
        "p50" => columns::Field::P50.latency(record).iter().for_each(|it| number(it.get().into())),
        "p99" => columns::Field::P99.latency(record).iter().for_each(|it| number(it.get().into())),
        "client.bytes" => number(facts.counts.bytes.client.into()),
        "server.bytes" => number(facts.counts.bytes.server.into()),
        "retransmitted" => number(retransmissions(record).into()),
        "missing" => number(missing(record).0.into()),
        "gaps" => number(missing(record).1.into()),
        "rtt" => facts.counts.round_trip.iter().for_each(|span| number(span.get().into())),
        "client" => look(&Value::Address(client)),
        "server" => look(&Value::Address(server)),
        "address" => [client, server].iter().for_each(|end| look(&Value::Address(*end))),
        "state" => look_for_word(STATES, facts.state(), look),
        "seen" => look(&Value::Word(facts.is_from_start().into())),
        "speaks" => look(&Value::Text(speaks(record))),
        _ => {}
    }
}

fn look_for_word(words: &[&str], word: &str, look: &mut Look<'_>) {
    // A word of a filter has no space.
    let word = word.replace(' ', "_");
    let place = words.iter().position(|known| *known == word);
    if let Some(place) = place.and_then(|place| u32::try_from(place).ok()) {
        look(&Value::Word(place));
    }
}
