//! What a filter asks of an exchange.

use std::borrow::Cow;
use std::ops::ControlFlow;

use crate::endpoint::{ConnectionNumber, Endpoints};
use crate::exchange::{
    EndedBy, Exchange, ExchangeKind, ExchangeNumber, Latency, PatternId, Span, Status,
};
use crate::time::{Nanos, Timestamp};

/// Something that a filter can be asked about. Each fact is asked for only where the answer depends
/// on it: those that cost more come later here, and are asked for last.
pub trait Subject {
    /// Its number.
    fn number(&self) -> ExchangeNumber;
    /// When its first byte was seen.
    fn time(&self) -> Timestamp;
    /// What it is.
    fn kind(&self) -> ExchangeKind;
    /// How it ended.
    fn status(&self) -> Status;
    /// The number of its connection.
    fn connection(&self) -> ConnectionNumber;
    /// How many frames answered.
    fn replies(&self) -> u32;
    /// The name of its pattern.
    fn pattern_id(&self) -> PatternId;
    /// Its route text.
    fn pattern(&self) -> Option<&str>;
    /// The addresses of its client and its server.
    fn ends(&self) -> Endpoints;

    /// What the caller waited: one of [`latencies`](Self::latencies).
    fn latency(&self) -> Option<Nanos> {
        self.latencies().latency
    }

    /// Bytes of the request or event; `None` for an orphan reply.
    fn request_bytes(&self) -> Option<u64> {
        self.request().map(|span| span.bytes)
    }

    /// Bytes of the replies.
    fn reply_bytes(&self) -> u64 {
        self.reply().map_or(0, |span| span.bytes)
    }

    /// How long the caller of what has no final reply had waited when its end was known.
    fn waited(&self) -> Option<Nanos>;
    /// Who ended what has no final reply.
    fn ended_by(&self) -> Option<EndedBy>;
    /// The most that the request or event was held back; `None` where there is none.
    fn request_held(&self) -> Option<Nanos>;
    /// The most that the replies were; `None` where there is none.
    fn reply_held(&self) -> Option<Nanos>;
    /// Whether more than its own bytes says that it was a message.
    fn is_sure(&self) -> bool;
    /// The attempts that a row of kind `connect` stands for; `None` of any other kind.
    fn attempts(&self) -> Option<u32>;

    /// What was waited for.
    fn latencies(&self) -> Latency;
    /// The way of the request or event.
    fn request(&self) -> Option<Span>;
    /// The way of the replies.
    fn reply(&self) -> Option<Span>;

    /// The id as it was sent: JSON.
    fn id(&self) -> Option<Cow<'_, [u8]>>;
    /// The argument: JSON.
    fn data(&self) -> Option<Cow<'_, [u8]>>;
    /// Tells the values that answered, each JSON, until `tell` breaks.
    fn responses(&self, tell: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> ControlFlow<()>;
    /// The `err` of the final reply: JSON, and perhaps a falsy one.
    fn error(&self) -> Option<Cow<'_, [u8]>>;
}

impl Subject for Exchange<'_> {
    fn number(&self) -> ExchangeNumber {
        self.number
    }

    fn time(&self) -> Timestamp {
        self.time()
    }

    fn kind(&self) -> ExchangeKind {
        self.kind
    }

    fn status(&self) -> Status {
        self.status
    }

    fn connection(&self) -> ConnectionNumber {
        self.connection.number
    }

    fn replies(&self) -> u32 {
        self.replies
    }

    fn pattern_id(&self) -> PatternId {
        self.pattern_id
    }

    fn pattern(&self) -> Option<&str> {
        self.pattern
    }

    fn ends(&self) -> Endpoints {
        self.ends
    }

    fn waited(&self) -> Option<Nanos> {
        self.waited
    }

    fn ended_by(&self) -> Option<EndedBy> {
        self.ended_by
    }

    fn request_held(&self) -> Option<Nanos> {
        let is_frame = self.kind != ExchangeKind::Connect && self.request.is_some();
        is_frame.then_some(self.request_held.at_most)
    }

    fn reply_held(&self) -> Option<Nanos> {
        (self.replies > 0).then_some(self.reply_held.at_most)
    }

    fn is_sure(&self) -> bool {
        self.sure
    }

    fn attempts(&self) -> Option<u32> {
        (self.kind == ExchangeKind::Connect).then_some(self.attempts)
    }

    fn latencies(&self) -> Latency {
        self.latency
    }

    fn request(&self) -> Option<Span> {
        self.request
    }

    fn reply(&self) -> Option<Span> {
        self.reply
    }

    fn id(&self) -> Option<Cow<'_, [u8]>> {
        self.id.map(Cow::Borrowed)
    }

    fn data(&self) -> Option<Cow<'_, [u8]>> {
        self.data.map(Cow::Borrowed)
    }

    fn responses(&self, tell: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> ControlFlow<()> {
        self.responses.iter().try_for_each(tell)
    }

    fn error(&self) -> Option<Cow<'_, [u8]>> {
        self.error.map(Cow::Borrowed)
    }
}
