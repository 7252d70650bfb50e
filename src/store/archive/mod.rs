//! Every exchange and every packet that is remembered, and where their bytes lie. Cheap to clone: a
//! clone is a picture of the moment, which another thread may read.

use std::ops::Range;

use crate::decode::Seq;
use crate::endpoint::{Ends, Side};
use crate::exchange::{Exchange, ExchangeKind, Latency, Passage, PatternId, Status};
use crate::packet::LinkType;
use crate::time::{Nanos, Timestamp};

/// What a list shows of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number, from 1.
    pub number: u64,
    /// When its first byte was seen.
    pub time: Timestamp,
    /// What it is.
    pub kind: ExchangeKind,
    /// How it ended; `Open` while it has not.
    pub status: Status,
    /// What was called.
    pub pattern: PatternId,
    /// The serial number of its connection.
    pub connection: u32,
    /// What the caller waited, once it ended.
    pub latency: Option<Nanos>,
    /// Bytes of the request or event on the wire; 0 for an orphan reply.
    pub request_bytes: u64,
    /// Bytes of the replies so far.
    pub reply_bytes: u64,
    /// Replies so far.
    pub replies: u32,
}

/// One frame of an exchange, and where its bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRecord {
    /// Its sender, in the roles that the messages showed.
    pub from: Side,
    /// Its way over the wire.
    pub passage: Passage,
    /// The TCP sequence number of its first byte.
    pub seq: Seq,
    /// Bytes of its JSON text, which are its last.
    pub body_len: u64,
    /// Whether its `err` is truthy.
    pub failed: bool,
    /// Whether it ended the call.
    pub last: bool,
    /// Where its JSON text lies, if that is one piece.
    pub(super) place: Option<u64>,
}

/// All that is remembered of one exchange but its payloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// What a list shows of it.
    pub row: Row,
    /// The addresses of its client and its server.
    pub ends: Ends,
    /// What was waited for.
    pub latency: Latency,
    /// Its request, if the capture has it, then its replies in order.
    pub frames: Vec<FrameRecord>,
}

/// All that is remembered of one packet but its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketRecord {
    /// Its place in the capture, from 1.
    pub number: u64,
    /// When it was captured.
    pub at: Timestamp,
    /// What its bytes begin with.
    pub link: LinkType,
    /// Bytes that were captured.
    pub captured_len: u32,
    /// Bytes on the link.
    pub original_len: u32,
    /// The serial number of the connection that it is a segment of, if of any that is followed.
    pub connection: Option<u32>,
}

/// Bytes that cannot be shown, and why. As text it is the sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Gone {
    /// They gave way to newer ones.
    #[error("no longer in memory: older payloads gave way (--memory gives them more room)")]
    Dropped,
    /// The file cannot be read any more.
    #[error("cannot be read again from {file}: {reason}")]
    File {
        /// Its name.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// The capture lacks some of them.
    #[error("the capture does not hold all of its bytes")]
    Incomplete,
}

/// Every exchange and every packet that is remembered.
#[derive(Clone, Debug, Default)]
pub struct Archive {}

impl Archive {
    /// The numbers of the exchanges that are remembered. A few of them may be of none.
    pub fn numbers(&self) -> Range<u64> {
        1..1
    }

    /// What a list shows of exchange `number`.
    pub fn row(&self, _number: u64) -> Option<Row> {
        None
    }

    /// The rows from `number` on, ascending.
    pub fn rows(&self, number: u64) -> impl Iterator<Item = Row> + '_ {
        (number..self.numbers().end).filter_map(|number| self.row(number))
    }

    /// All that is remembered of exchange `number` but its payloads.
    pub fn detail(&self, _number: u64) -> Option<Detail> {
        None
    }

    /// Lends exchange `number` as the engine told it, payloads and all; those that are gone are
    /// left out.
    pub fn exchange<R>(&self, _number: u64, _take: impl FnOnce(&Exchange<'_>) -> R) -> Option<R> {
        None
    }

    /// The route text of a pattern; `None` for requests that have none.
    pub fn pattern(&self, _id: PatternId) -> Option<&str> {
        None
    }

    /// How many patterns have a name.
    pub fn patterns(&self) -> impl Iterator<Item = (PatternId, &str)> + '_ {
        std::iter::empty()
    }

    /// The addresses of a connection.
    pub fn ends(&self, _connection: u32) -> Option<Ends> {
        None
    }

    /// The JSON text of a frame.
    ///
    /// # Errors
    ///
    /// Where its bytes are gone.
    pub fn body(&self, _detail: &Detail, _frame: &FrameRecord) -> Result<Vec<u8>, Gone> {
        Err(Gone::Dropped)
    }

    /// The numbers of the packets that are remembered.
    pub fn packets(&self) -> Range<u64> {
        1..1
    }

    /// What is remembered of packet `number`.
    pub fn packet(&self, _number: u64) -> Option<PacketRecord> {
        None
    }

    /// The bytes of packet `number`.
    ///
    /// # Errors
    ///
    /// Where they are gone.
    pub fn packet_data(&self, _number: u64) -> Result<Vec<u8>, Gone> {
        Err(Gone::Dropped)
    }

    /// The packets of `within` that are segments of `connection`, ascending.
    pub fn packets_of(
        &self,
        _connection: u32,
        _within: Range<u64>,
    ) -> impl DoubleEndedIterator<Item = PacketRecord> + '_ {
        std::iter::empty()
    }
}
