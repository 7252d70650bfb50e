//! One call while it waits: what is remembered of its request and of the replies so far.

use std::ops::Range;

use crate::endpoint::{ConnectionId, Endpoints};
use crate::exchange::runs::Run;
use crate::exchange::{
    CompactHeld, EndedBy, Exchange, ExchangeKind, ExchangeNumber, Frame, Held, Latency, PatternId,
    Payloads, Span, Spoiled, Status,
};
use crate::protocol::Message;
use crate::time::{Nanos, Timestamp};

/// The times and the id of a call: all that a report needs, side by side in memory. Tens of
/// thousands may be open, and each reply comes to another one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Call {
    pub(super) number: ExchangeNumber,
    pub(super) request: Span,
    /// Of no meaning while `replies` is 0.
    reply: Span,
    first_reply_end: Timestamp,
    request_held: CompactHeld,
    /// Of the first reply: that ended the wait.
    reply_held: CompactHeld,
    replies: u32,
    pub(super) pattern: PatternId,
    key: ShortKey,
    /// Whether anything of it stands in its [`Texts`].
    has_texts: bool,
}

/// An id short enough to stand in the call itself. Nest's are: 23 bytes with their quotes, 38 up
/// to 9.2.0.
#[derive(Clone, Copy, Debug, Default)]
struct ShortKey {
    len: u8,
    bytes: [[u8; 19]; 2],
}

impl ShortKey {
    const CAPACITY: usize = 38;
    /// Stands for an id that is not short; it lies in the [`Texts`].
    const LONG: u8 = u8::MAX;

    fn new(key: &[u8]) -> Self {
        let mut short = Self { len: Self::LONG, ..Self::default() };
        if let Some(place) = short.bytes.as_flattened_mut().get_mut(..key.len()) {
            place.copy_from_slice(key);
            short.len = u8::try_from(key.len()).unwrap_or(Self::LONG);
        }
        short
    }

    fn get(&self) -> Option<&[u8]> {
        self.bytes.as_flattened().get(..usize::from(self.len))
    }
}

const _: () = assert!(ShortKey::CAPACITY < ShortKey::LONG as usize);

/// The texts of a call, one behind the other. The next call in the same place uses the memory
/// again.
#[derive(Debug, Default)]
pub(super) struct Texts {
    buffer: Vec<u8>,
    /// The id by which replies are found, where it is not short.
    key: Range<usize>,
    /// The id as it was sent, where that differs.
    id: Option<Range<usize>>,
    /// The pattern's text, where it has no name of its own.
    pattern: Option<Range<usize>>,
    data: Option<Range<usize>>,
    error: Option<Range<usize>>,
    responses_start: usize,
    /// Where each response ends, counted from `responses_start`.
    responses: Vec<usize>,
}

/// What a call keeps of a request.
pub(super) struct Request<'a> {
    pub(super) number: ExchangeNumber,
    pub(super) span: Span,
    pub(super) held: Held,
    /// What must be confirmed; [`Run::SURE`] where nothing must.
    pub(super) run: Run,
    pub(super) pattern: PatternId,
    /// The pattern's text, where it has no name of its own.
    pub(super) text: Option<&'a str>,
    pub(super) key: &'a [u8],
    pub(super) id: &'a [u8],
    pub(super) data: Option<&'a [u8]>,
}

/// What a call keeps of a reply.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reply<'a> {
    pub(super) response: Option<&'a [u8]>,
    pub(super) error: Option<&'a [u8]>,
}

/// How a call stands, or ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) status: Status,
    /// Who ended it without a final reply, and how long it had waited by then.
    pub(super) ended_by: Option<EndedBy>,
    pub(super) waited: Option<Nanos>,
    pub(super) sure: bool,
}

/// Above this the buffer of a call that ended is given back. There may be as many such buffers as
/// there were calls open at once.
const KEPT_CAPACITY: usize = 256;

impl Span {
    /// The way of one message.
    pub(super) fn of(message: &Message<'_>) -> Self {
        let lowest = message.earliest.number;
        Self { first: message.first, last: message.last, lowest, bytes: message.wire_len }
    }
}

impl Call {
    pub(super) fn begin(request: &Request<'_>, texts: &mut Texts) -> Self {
        let key = ShortKey::new(request.key);
        let differs = request.key != request.id;
        let has_texts =
            key.get().is_none() || differs || request.text.is_some() || request.data.is_some();
        if has_texts {
            texts.begin(request, key.get().is_none(), differs);
        }
        Self {
            number: request.number,
            request: request.span,
            request_held: CompactHeld::new(request.held),
            pattern: request.pattern,
            key,
            has_texts,
            ..Self::default()
        }
    }

    /// Takes a reply. The `err` of a later one replaces that of an earlier one.
    pub(super) fn answer(&mut self, frame: &Frame<'_>, reply: &Reply<'_>, texts: &mut Texts) {
        let span = frame.span;
        if self.replies == 0 {
            self.reply_held = CompactHeld::new(frame.held);
            self.reply = span;
            self.first_reply_end = span.last.at;
        } else {
            self.reply.last = span.last;
            self.reply.lowest = self.reply.lowest.min(span.lowest);
            self.reply.bytes += span.bytes;
        }
        self.replies = self.replies.saturating_add(1);
        if !self.has_texts && (reply.response.is_some() || reply.error.is_some()) {
            self.has_texts = true;
            texts.clear();
        }
        if self.has_texts {
            texts.answer(reply);
        }
    }

    pub(super) fn key<'a>(&'a self, texts: &'a Texts) -> &'a [u8] {
        self.key.get().unwrap_or_else(|| texts.slice(&texts.key))
    }

    /// Bytes of memory that the call's texts take.
    pub(super) fn weight(&self, texts: &Texts) -> usize {
        if self.has_texts { texts.weight() } else { 0 }
    }

    /// The call as it stands, and what spoiled its latency.
    // Else it is one copy of 300 bytes more for every call.
    #[inline(always)]
    pub(super) fn exchange<'a>(
        &'a self,
        texts: &'a Texts,
        connection: ConnectionId,
        ends: Endpoints,
        pattern: Option<&'a str>,
        outcome: Outcome,
    ) -> (Exchange<'a>, Option<Spoiled>) {
        let Outcome { status, ended_by, waited, sure } = outcome;
        let ended = matches!(status, Status::Ok | Status::Error);
        let replies = (self.replies > 0).then_some((self.first_reply_end, &self.reply));
        let (latency, spoiled) = Latency::of(&self.request, replies, ended);
        let told = self.has_texts.then_some(texts);
        let text = |range: fn(&Texts) -> &Option<Range<usize>>| {
            told.and_then(|texts| range(texts).as_ref().map(|range| texts.slice(range)))
        };
        let folded = text(|texts| &texts.pattern);
        let exchange = Exchange {
            number: self.number,
            connection,
            ends,
            kind: ExchangeKind::Request,
            pattern: folded.and_then(|text| std::str::from_utf8(text).ok()).or(pattern),
            pattern_id: self.pattern,
            id: Some(text(|texts| &texts.id).unwrap_or_else(|| self.key(texts))),
            status,
            request: Some(self.request),
            reply: (self.replies > 0).then_some(self.reply),
            replies: self.replies,
            latency,
            waited,
            ended_by,
            request_held: self.request_held.held(),
            reply_held: self.reply_held.held(),
            sure,
            attempts: 1,
            also: None,
            data: text(|texts| &texts.data),
            responses: told.map_or_else(Payloads::default, Texts::responses),
            error: text(|texts| &texts.error),
        };
        (exchange, spoiled)
    }
}

impl Texts {
    fn begin(&mut self, request: &Request<'_>, key_is_long: bool, id_differs: bool) {
        self.clear();
        if key_is_long {
            self.key = self.keep(request.key);
        }
        self.id = id_differs.then(|| self.keep(request.id));
        self.pattern = request.text.map(|text| self.keep(text.as_bytes()));
        self.data = request.data.map(|data| self.keep(data));
        self.responses_start = self.buffer.len();
    }

    fn answer(&mut self, reply: &Reply<'_>) {
        // Responses lie one behind the other: the `err` that followed the last one gives way.
        let responses_len = self.responses.last().copied().unwrap_or(0);
        self.buffer.truncate(self.responses_start + responses_len);
        if let Some(response) = reply.response {
            self.buffer.extend_from_slice(response);
            self.responses.push(self.buffer.len() - self.responses_start);
        }
        self.error = reply.error.map(|error| self.keep(error));
    }

    fn responses(&self) -> Payloads<'_> {
        let bytes = self.buffer.get(self.responses_start..).unwrap_or(&[]);
        Payloads::new(bytes, &self.responses)
    }

    fn weight(&self) -> usize {
        self.buffer.len() + self.responses.len() * size_of::<usize>()
    }

    /// Forgets everything, and gives back the memory of large texts.
    pub(super) fn clear(&mut self) {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_CAPACITY);
        self.responses.clear();
        self.responses.shrink_to(KEPT_CAPACITY / size_of::<usize>());
        (self.key, self.responses_start) = (0..0, 0);
        (self.id, self.pattern, self.data, self.error) = (None, None, None, None);
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(bytes);
        start..self.buffer.len()
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.buffer.get(range.clone()).unwrap_or(&[])
    }
}
