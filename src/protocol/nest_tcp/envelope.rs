//! The keys of a frame by which Nest knows what it says.

use std::ops::ControlFlow;

use crate::endpoint::Side;
use crate::json::{Scan, Top, Visitor, is_truthy, key_is, scan};
use crate::protocol::Kind;

/// The members of a frame's top level that Nest looks at, raw. The last of two equal keys counts,
/// as in JavaScript; keys that Nest does not know may stand anywhere.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Envelope<'a> {
    pattern: Option<&'a [u8]>,
    data: Option<&'a [u8]>,
    id: Option<&'a [u8]>,
    response: Option<&'a [u8]>,
    error: Option<&'a [u8]>,
    disposed: Option<&'a [u8]>,
}

impl<'a> Visitor<'a> for Envelope<'a> {
    fn member(&mut self, key: &'a [u8], value: &'a [u8]) {
        if let Some(name) = NestKey::of(key) {
            *self.field(name) = Some(value);
        }
    }
}

#[derive(Clone, Copy)]
enum NestKey {
    Pattern,
    Data,
    Id,
    Response,
    Error,
    Disposed,
}

impl NestKey {
    const ALL: [(&'static str, Self); 6] = [
        ("pattern", Self::Pattern),
        ("data", Self::Data),
        ("id", Self::Id),
        ("response", Self::Response),
        ("err", Self::Error),
        ("isDisposed", Self::Disposed),
    ];

    fn of(key: &[u8]) -> Option<Self> {
        match key {
            b"pattern" => Some(Self::Pattern),
            b"data" => Some(Self::Data),
            b"id" => Some(Self::Id),
            b"response" => Some(Self::Response),
            b"err" => Some(Self::Error),
            b"isDisposed" => Some(Self::Disposed),
            _ if memchr::memchr(b'\\', key).is_none() => None,
            _ => Self::ALL.iter().find(|(name, _)| key_is(key, name)).map(|(_, key)| *key),
        }
    }
}

impl<'a> Envelope<'a> {
    /// Reads a whole body; `None` where it is no JSON. A value that is no object has no members:
    /// Nest takes it for a message that says nothing.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut envelope = Self::default();
        match scan(body, &mut envelope) {
            Scan::Whole(Top::Object) => Some(envelope),
            Scan::Whole(Top::Other) => Some(Self::default()),
            Scan::Cut | Scan::Invalid | Scan::Stopped => None,
        }
    }

    fn field(&mut self, key: NestKey) -> &mut Option<&'a [u8]> {
        match key {
            NestKey::Pattern => &mut self.pattern,
            NestKey::Data => &mut self.data,
            NestKey::Id => &mut self.id,
            NestKey::Response => &mut self.response,
            NestKey::Error => &mut self.error,
            NestKey::Disposed => &mut self.disposed,
        }
    }

    /// Whether it has an id, by which it may belong to a call.
    pub(super) fn has_id(&self) -> bool {
        self.id.is_some()
    }

    /// The side that sends such frames: only clients name a pattern, only servers answer.
    pub(super) fn role(&self) -> Option<Side> {
        if self.pattern.is_some() {
            Some(Side::Client)
        } else if self.response.is_some() || self.error.is_some() || self.disposed.is_some() {
            Some(Side::Server)
        } else {
            None
        }
    }

    /// What the frame says when `sender` sends it. Whether a client's frame wants an answer is
    /// decided by the presence of `id`, whatever its value, and not by the pattern.
    pub(super) fn kind(&self, sender: Side) -> Kind<'a> {
        match (sender, self.id, self.pattern) {
            (Side::Client, Some(id), pattern) => Kind::Request { id, pattern, data: self.data },
            (Side::Client, None, Some(pattern)) => Kind::Event { pattern, data: self.data },
            (Side::Server, Some(id), _) => {
                let failed = self.error.is_some_and(is_truthy);
                Kind::Reply {
                    id,
                    response: self.response,
                    error: self.error,
                    failed,
                    last: failed || self.disposed.is_some_and(is_truthy),
                }
            }
            // Nest 5 writes its framing errors to the peer, either way, without id.
            (Side::Client, None, None) | (Side::Server, None, _) => Kind::Other,
        }
    }
}

/// What a frame with this JSON text says when `sender` sends it; `None` where it is no JSON.
pub fn read_body(body: &[u8], sender: Side) -> Option<Kind<'_>> {
    Envelope::read(body).map(|envelope| envelope.kind(sender))
}

/// Whether a body that may be cut is one of Nest's: decided by the first key that Nest knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Belief {
    Nest,
    NotNest,
    /// Cut before the first key.
    Undecided,
}

struct FirstKey;

impl Visitor<'_> for FirstKey {
    fn key(&mut self, key: &[u8]) -> ControlFlow<()> {
        if NestKey::of(key).is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

pub(super) fn believe(body: &[u8]) -> Belief {
    match scan(body, &mut FirstKey) {
        Scan::Stopped => Belief::Nest,
        Scan::Cut => Belief::Undecided,
        Scan::Whole(_) | Scan::Invalid => Belief::NotNest,
    }
}
