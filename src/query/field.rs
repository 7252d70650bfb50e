//! What a filter can ask about: the table from which parsing, help and completion are made.

use std::fmt;

/// A name that a filter may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// As it is typed.
    pub name: &'static str,
    /// What its values are.
    pub kind: FieldKind,
    /// What it tells of an exchange.
    pub meaning: &'static str,
    /// A filter that uses it.
    pub example: &'static str,
    pub(super) fact: Fact,
}

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Whole numbers.
    Number,
    /// Bytes, also `1.5kB` and `1MiB`.
    Size,
    /// Spans of time with their unit: `10ms`.
    Duration,
    /// Points in time, RFC 3339.
    Time,
    /// Texts.
    Text,
    /// One of a few words.
    Word(&'static [&'static str]),
    /// IP addresses, also with a prefix length or a port.
    Address,
    /// JSON values, also inside of them: `data.user.id`, `data[0]`, `data.items[*].sku`.
    Json,
}

impl FieldKind {
    /// The operators that compare its values, as they are usually typed.
    pub const fn operators(self) -> &'static [&'static str] {
        match self {
            Self::Number | Self::Size | Self::Duration | Self::Time => {
                &["==", "!=", "<", "<=", ">", ">=", "in"]
            }
            Self::Text | Self::Json => {
                &["==", "!=", "<", "<=", ">", ">=", "in", "contains", "matches"]
            }
            Self::Word(_) | Self::Address => &["==", "!=", "in"],
        }
    }

    /// What one of its values is called in a message.
    pub(super) const fn value(self) -> &'static str {
        match self {
            Self::Number => "a whole number",
            Self::Size => "a size such as 512 or 1.5kB",
            Self::Duration => "a duration such as 10ms",
            Self::Time => "a time such as 2026-11-22T03:52:01Z",
            Self::Text => "a text in quotes",
            Self::Word(_) => "a word",
            Self::Address => "an IP address such as 10.0.0.7 or 10.0.0.0/8",
            Self::Json => "a text in quotes, a number, true, false or null",
        }
    }
}

impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "number",
            Self::Size => "size",
            Self::Duration => "duration",
            Self::Time => "time",
            Self::Text => "text",
            Self::Word(_) => "word",
            Self::Address => "address",
            Self::Json => "JSON",
        })
    }
}

/// What is read of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    Number,
    Time,
    Kind,
    Pattern,
    Id,
    Status,
    Client,
    ClientPort,
    Server,
    ServerPort,
    Address,
    Port,
    Latency,
    FirstReply,
    RequestTime,
    Wait,
    ReplyTime,
    Waited,
    EndedBy,
    RequestHeld,
    ReplyHeld,
    Held,
    Sure,
    Attempts,
    Replies,
    RequestBytes,
    ReplyBytes,
    Bytes,
    Packet,
    Connection,
    Data,
    Response,
    Error,
    /// Of rows that are no exchanges: the name of the field.
    OfRow(&'static str),
}

impl Field {
    /// A field of rows that are no exchanges: a [`RowFilter`](super::RowFilter) asks for its values
    /// by its name.
    pub(crate) const fn of_row(
        name: &'static str,
        kind: FieldKind,
        meaning: &'static str,
        example: &'static str,
    ) -> Self {
        Self { name, kind, meaning, example, fact: Fact::OfRow(name) }
    }
}

/// The words of `status`, by the number of the outcome.
pub(super) const STATUS: &[&str] = &[
    "ok",
    "error",
    "open",
    "closed",
    "unknown",
    "sent",
    "orphan",
    "refused",
    "no_answer",
    "reset",
];

/// The words of `kind`, by the number of the kind.
pub(super) const KIND: &[&str] = &["request", "event", "reply", "connect"];

/// The words of `ended_by`, by the number of who ended it.
pub(super) const ENDED_BY: &[&str] =
    &["client", "server", "reset_by_client", "reset_by_server", "network", "capture"];

/// The words of what is so or not, by the number of the answer.
pub(super) const TRUTH: &[&str] = &["false", "true"];

macro_rules! table {
    ($($name:literal $kind:expr, $fact:ident, $meaning:literal, $example:literal;)*) => {
        &[$(Field {
            name: $name,
            kind: $kind,
            meaning: $meaning,
            example: $example,
            fact: Fact::$fact,
        }),*]
    };
}

use FieldKind::{Address, Duration, Json, Number, Size, Text, Time, Word};

const FIELDS: &[Field] = table! {
    "n" Number, Number, "its number, counted from 1 by first bytes", "n in {1..100}";
    "time" Time, Time, "when its first byte was seen", "time >= 2026-11-22T03:52:01Z";
    "kind" Word(KIND), Kind,
        "request, event, reply (orphan) or connect (failed attempt)",
        "kind == event";
    "pattern" Text, Pattern, "Nest's route text", r#"pattern == "sum""#;
    "id" Json, Id, "the id that pairs a request with its replies", r#"id contains "e32e""#;
    "status" Word(STATUS), Status, "how it ended", "status in {error, closed}";
    "client" Address, Client, "the address that asked", "client == 10.0.0.0/8";
    "client.port" Number, ClientPort, "its port", "client.port >= 32768";
    "server" Address, Server, "the address that answers", "server == 127.0.0.1:8888";
    "server.port" Number, ServerPort, "its port", "server.port == 8888";
    "address" Address, Address, "either address", "address == ::1";
    "host" Address, Address, "the same as address", "host != 127.0.0.1";
    "port" Number, Port, "either port", "port in {3000..3010, 8888}";
    "latency" Duration, Latency, "from the request's first byte to the final reply's last",
        "latency > 10ms";
    "first_reply" Duration, FirstReply, "from the request's first byte to the first reply's last",
        "first_reply < 500us";
    "request_time" Duration, RequestTime, "how long the request was being sent",
        "request_time > 1ms";
    "wait" Duration, Wait, "from the request's last byte to the first reply's first",
        "wait in {1ms..2ms}";
    "reply_time" Duration, ReplyTime, "from the first reply's first byte to the final reply's last",
        "reply_time >= 1s";
    "waited" Duration, Waited, "how long the caller of what has no final reply had waited",
        "waited > 1s";
    "ended_by" Word(ENDED_BY), EndedBy, "who ended what has no final reply",
        "ended_by in {server, reset_by_server}";
    "request_held" Duration, RequestHeld,
        "the most that a kernel held back the request or event", "request_held > 30ms";
    "reply_held" Duration, ReplyHeld, "the same for the replies", "reply_held > 30ms";
    "held" Duration, Held, "both together", "held > 30ms";
    "sure" Word(TRUTH), Sure, "whether more than its bytes says that it was a message",
        "sure == false";
    "attempts" Number, Attempts, "the attempts that a row of kind connect stands for",
        "attempts > 1";
    "replies" Number, Replies, "frames that answered, the final one included", "replies > 1";
    "request.bytes" Size, RequestBytes, "bytes of the request or event on the wire",
        "request.bytes > 64kB";
    "reply.bytes" Size, ReplyBytes, "bytes of its replies", "reply.bytes == 0";
    "bytes" Size, Bytes, "both together", "bytes >= 1MB";
    "packet" Number, Packet, "the packets from its first byte to its last", "packet == 17";
    "connection" Number, Connection, "the number of its connection, from 0", "connection == 0";
    "data" Json, Data, "what the request or event carries", "data.user.id == 42";
    "response" Json, Response, "what a reply carries; any of them counts",
        r#"response contains "余额""#;
    "error" Json, Error, "the error of the final reply, or what a router said",
        r#"error.message matches "time-?out""#;
};

/// Every field of an exchange, in the order of the help.
pub const fn fields() -> &'static [Field] {
    FIELDS
}

/// What other tools, and Nest itself, call a field.
const ELSEWHERE: &[(&str, &str)] = &[
    ("addr", "address"),
    ("age", "waited"),
    ("args", "data"),
    ("body", "data"),
    ("closed_by", "ended_by"),
    ("cmd", "pattern"),
    ("code", "status"),
    ("conn", "connection"),
    ("dst", "server"),
    ("duration", "latency"),
    ("elapsed", "latency"),
    ("err", "error"),
    ("event", "pattern"),
    ("exception", "error"),
    ("frame.number", "packet"),
    ("frame.time", "time"),
    ("ip", "address"),
    ("ip.addr", "address"),
    ("ip.dst", "server"),
    ("ip.src", "client"),
    ("ipv6.addr", "address"),
    ("length", "bytes"),
    ("message", "data"),
    ("method", "pattern"),
    ("no", "n"),
    ("number", "n"),
    ("outcome", "status"),
    ("params", "data"),
    ("payload", "data"),
    ("reply", "response"),
    ("request", "data"),
    ("result", "response"),
    ("route", "pattern"),
    ("rtt", "latency"),
    ("size", "bytes"),
    ("src", "client"),
    ("state", "status"),
    ("stream", "connection"),
    ("tcp.dstport", "server.port"),
    ("tcp.port", "port"),
    ("tcp.srcport", "client.port"),
    ("tcp.stream", "connection"),
    ("timestamp", "time"),
    ("topic", "pattern"),
    ("type", "kind"),
];

/// The one of `fields` that has this name.
pub(super) fn named(fields: &'static [Field], name: &str) -> Option<&'static Field> {
    fields.iter().find(|field| field.name == name)
}

/// The one of `fields` that somebody meant who typed `name`.
pub(super) fn meant(fields: &'static [Field], name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let is_field = |name: &&str| named(fields, name).is_some();
    let mut elsewhere =
        ELSEWHERE.iter().filter(|(other, _)| *other == lower).map(|(_, field)| *field);
    elsewhere.find(is_field).or_else(|| nearest(&lower, fields.iter().map(|field| field.name)))
}

/// The one of `names` that is a slip or two away from `typed`.
pub fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = typed.chars().count().div_ceil(4).min(3);
    names
        .map(|name| (distance(typed, name), name))
        .filter(|(slips, name)| *slips <= most && *slips < name.len())
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, name)| name)
}

/// How many characters must be put in, left out, changed or exchanged with their neighbour to make
/// `right` of `left`. Words longer than any name are as far away as they are long.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<_>, Vec<_>) = (left.chars().collect(), right.chars().collect());
    if left.len() > 2 * LONGEST {
        return left.len();
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, l) in left.iter().enumerate() {
        let mut this = vec![row + 1];
        for (column, r) in right.iter().enumerate() {
            let at =
                |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX);
            let changed = at(&last, column) + usize::from(l != r);
            let mut slips = changed.min(at(&last, column + 1) + 1).min(at(&this, column) + 1);
            let is_exchange = row > 0
                && column > 0
                && left.get(row - 1) == Some(r)
                && right.get(column - 1) == Some(l);
            if is_exchange {
                slips = slips.min(at(&before, column - 1) + 1);
            }
            this.push(slips);
        }
        before = std::mem::replace(&mut last, this);
    }
    last.last().copied().unwrap_or(0)
}

/// No name of a field is longer.
const LONGEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::{EndedBy, ExchangeKind, Status};
    use crate::query::Filter;

    #[test]
    fn the_table_is_whole() {
        for (index, field) in fields().iter().enumerate() {
            assert_eq!(named(FIELDS, field.name), Some(field), "{} is there twice", field.name);
            assert!(field.name.len() <= LONGEST);
            assert!(field.example.starts_with(field.name), "{index}: {}", field.example);
            Filter::parse(field.example).unwrap();
        }
        for (name, field) in ELSEWHERE {
            assert!(named(FIELDS, name).is_none() && named(FIELDS, field).is_some(), "{name}");
        }
    }

    #[test]
    fn words_are_the_names_in_every_output() {
        let statuses = [
            Status::Ok,
            Status::Error,
            Status::Open,
            Status::Closed,
            Status::Unknown,
            Status::Sent,
            Status::Orphan,
            Status::Refused,
            Status::NoAnswer,
            Status::Reset,
        ];
        // Without quotes a word has no spaces.
        let word = |name: &str| name.replace(' ', "_");
        for (number, status) in statuses.into_iter().enumerate() {
            assert_eq!((status as usize, &*word(status.name())), (number, STATUS[number]));
        }
        let kinds = [
            ExchangeKind::Request,
            ExchangeKind::Event,
            ExchangeKind::Reply,
            ExchangeKind::Connect,
        ];
        for (number, kind) in kinds.into_iter().enumerate() {
            assert_eq!((kind as usize, kind.name()), (number, KIND[number]));
        }
        let ends = [
            EndedBy::Client,
            EndedBy::Server,
            EndedBy::ResetByClient,
            EndedBy::ResetByServer,
            EndedBy::Network,
            EndedBy::Capture,
        ];
        for (number, end) in ends.into_iter().enumerate() {
            assert_eq!((end as usize, &*word(end.name())), (number, ENDED_BY[number]));
        }
    }

    #[test]
    fn slips_are_understood() {
        for (typed, field) in [
            ("latancy", "latency"),
            ("Latency", "latency"),
            ("lateny", "latency"),
            ("pattren", "pattern"),
            ("client.prot", "client.port"),
            ("tcp.port", "port"),
            ("rtt", "latency"),
            ("reqest.bytes", "request.bytes"),
        ] {
            assert_eq!(meant(FIELDS, typed), Some(field), "{typed}");
        }
        for typed in ["sum", "x", "user.created", &"n".repeat(4_000)] {
            assert_eq!(meant(FIELDS, typed), None, "{typed}");
        }
    }
}
