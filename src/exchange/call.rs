//! One call while it waits: what is remembered of its request and of the replies so far.

use std::ops::Range;

use crate::endpoint::{ConnectionId, Ends};
use crate::exchange::{Exchange, ExchangeKind, Latency, Passage, PatternId, Payloads, Status};
use crate::packet::PacketRef;
use crate::protocol::Message;
use crate::time::Nanos;

/// A request and its replies so far. Its texts lie in one buffer, which the next call in the same
/// place uses again.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) number: u64,
    pub(super) pattern: PatternId,
    pub(super) request: Option<Passage>,
    reply: Option<Passage>,
    first_reply_end: Option<PacketRef>,
    replies: u32,
    buffer: Vec<u8>,
    /// The id by which replies are found.
    key: Range<usize>,
    /// The id as it was sent.
    id: Range<usize>,
    /// The pattern's text, where it has no name of its own.
    text: Option<Range<usize>>,
    data: Option<Range<usize>>,
    error: Option<Range<usize>>,
    responses_start: usize,
    /// Where each response ends, counted from `responses_start`.
    responses: Vec<usize>,
}

/// What a call keeps of a request.
pub(super) struct Request<'a> {
    pub(super) number: u64,
    pub(super) passage: Passage,
    pub(super) pattern: PatternId,
    pub(super) text: Option<&'a str>,
    pub(super) key: &'a [u8],
    pub(super) id: &'a [u8],
    pub(super) data: Option<&'a [u8]>,
}

/// What a call keeps of a reply.
pub(super) struct Reply<'a> {
    pub(super) response: Option<&'a [u8]>,
    pub(super) error: Option<&'a [u8]>,
}

/// Above this the buffer of a call that ended is given back. There may be as many such buffers as
/// there were calls open at once.
const KEPT_CAPACITY: usize = 256;

impl Passage {
    /// The way of one message.
    pub(super) fn of(message: &Message<'_>) -> Self {
        Self { first: message.first, last: message.last, bytes: message.wire_len }
    }
}

impl Call {
    pub(super) fn begin(&mut self, request: &Request<'_>) {
        self.number = request.number;
        self.pattern = request.pattern;
        self.request = Some(request.passage);
        (self.reply, self.first_reply_end, self.replies) = (None, None, 0);
        self.error = None;
        self.responses.clear();
        self.buffer.clear();
        self.key = self.keep(request.key);
        let same = request.key == request.id;
        self.id = if same { self.key.clone() } else { self.keep(request.id) };
        self.text = request.text.map(|text| self.keep(text.as_bytes()));
        self.data = request.data.map(|data| self.keep(data));
        self.responses_start = self.buffer.len();
    }

    /// Takes a reply. The `err` of a later one replaces that of an earlier one.
    pub(super) fn answer(&mut self, passage: Passage, reply: &Reply<'_>) {
        self.replies = self.replies.saturating_add(1);
        match &mut self.reply {
            None => {
                self.reply = Some(passage);
                self.first_reply_end = Some(passage.last);
            }
            Some(so_far) => {
                so_far.last = passage.last;
                so_far.bytes += passage.bytes;
            }
        }
        // Responses lie one behind the other: the `err` that followed the last one gives way.
        let responses_len = self.responses.last().copied().unwrap_or(0);
        self.buffer.truncate(self.responses_start + responses_len);
        if let Some(response) = reply.response {
            self.buffer.extend_from_slice(response);
            self.responses.push(self.buffer.len() - self.responses_start);
        }
        self.error = reply.error.map(|error| self.keep(error));
    }

    pub(super) fn key(&self) -> &[u8] {
        self.buffer.get(self.key.clone()).unwrap_or(&[])
    }

    /// Bytes of memory that the call's texts take.
    pub(super) fn weight(&self) -> usize {
        self.buffer.len() + self.responses.len() * size_of::<usize>()
    }

    /// Forgets all but the id, by which a second final reply is known.
    pub(super) fn forget(&mut self) {
        self.buffer.truncate(self.key.end);
        self.buffer.shrink_to(KEPT_CAPACITY);
        self.responses.clear();
        self.responses.shrink_to(16);
    }

    /// Forgets the id too.
    pub(super) fn clear(&mut self) {
        (self.key, self.id) = (0..0, 0..0);
        self.forget();
    }

    /// The call as it stands, and whether the capture's clock stepped back during it.
    pub(super) fn exchange<'a>(
        &'a self,
        connection: ConnectionId,
        ends: Ends,
        pattern: Option<&'a str>,
        status: Status,
    ) -> (Exchange<'a>, bool) {
        let slice = |range: &Range<usize>| self.buffer.get(range.clone()).unwrap_or(&[]);
        let text = self.text.as_ref().and_then(|text| std::str::from_utf8(slice(text)).ok());
        let ended = matches!(status, Status::Ok | Status::Error);
        let (latency, clock_stepped) = self.latency(ended);
        let responses = self.buffer.get(self.responses_start..).unwrap_or(&[]);
        let exchange = Exchange {
            number: self.number,
            connection,
            ends,
            kind: ExchangeKind::Request,
            pattern: text.or(pattern),
            pattern_id: self.pattern,
            id: Some(slice(&self.id)),
            status,
            request: self.request,
            reply: self.reply,
            replies: self.replies,
            latency,
            data: self.data.as_ref().map(slice),
            responses: Payloads::new(responses, &self.responses),
            error: self.error.as_ref().map(slice),
        };
        (exchange, clock_stepped)
    }

    /// DESIGN section 4.2, in one place.
    fn latency(&self, ended: bool) -> (Latency, bool) {
        let mut clock_stepped = false;
        let mut span = |from: PacketRef, to: PacketRef| {
            let span = to.at.since(from.at);
            clock_stepped |= span.is_none();
            Some(span.unwrap_or(Nanos::ZERO))
        };
        let Some(request) = self.request else {
            return (Latency::default(), false);
        };
        let mut latency =
            Latency { request: span(request.first, request.last), ..Latency::default() };
        if let (Some(reply), Some(first_reply_end)) = (self.reply, self.first_reply_end) {
            latency.first_reply = span(request.first, first_reply_end);
            latency.wait = span(request.last, reply.first);
            if ended {
                latency.latency = span(request.first, reply.last);
                latency.reply = span(reply.first, reply.last);
            }
        }
        (latency, clock_stepped)
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(bytes);
        start..self.buffer.len()
    }
}
