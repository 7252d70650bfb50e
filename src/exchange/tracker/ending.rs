//! How calls without a final reply ended, and how long their callers had waited by then.

use super::{Parties, Tracker};
use crate::endpoint::Side;
use crate::exchange::waiting_call::Outcome;
use crate::exchange::{EndedBy, Span, Status};
use crate::packet::{PacketNumber, PacketRef};
use crate::stream::{CloseReason, Closed};
use crate::time::Timestamp;

/// The moments at which it became known that a connection answers no more.
pub(super) struct Ending {
    /// A FIN of the server, a FIN of a client whose server said nothing more, a RST, ICMP: those
    /// there are, by time.
    said: Vec<(EndedBy, PacketRef)>,
    /// What ended the rest; `None` where nobody knows when.
    capture: Option<PacketRef>,
}

impl Outcome {
    /// Of a call that gives way to others.
    pub(super) const UNKNOWN: Self = Self {
        status: Status::Unknown,
        ended_by: Some(EndedBy::Capture),
        waited: None,
        sure: true,
    };
}

impl Tracker {
    pub(super) fn ending(&self, parties: &Parties, closed: &Closed) -> Ending {
        let client = parties.client.unwrap_or(Side::Client);
        let server = client.other();
        let last_data = *closed.last_data.of(server);
        let silent_since = |fin: &PacketRef| last_data.is_none_or(|data| order(&data) < order(fin));
        let by_client = closed.fins.of(client).filter(silent_since);
        let by_server = *closed.fins.of(server);
        let by_reset = (closed.end.why == CloseReason::Reset).then(|| {
            let by_client = closed.end.by == Some(client);
            (if by_client { EndedBy::ResetByClient } else { EndedBy::ResetByServer }, closed.end.at)
        });
        let fins = [(EndedBy::Client, by_client), (EndedBy::Server, by_server)];
        let fins = fins.into_iter().filter_map(|(by, at)| Some((by, at?)));
        let unreachable = closed.end.why == CloseReason::Unreachable;
        let by_network = unreachable.then_some((EndedBy::Network, closed.end.at));
        let mut said: Vec<_> = fins.chain(by_reset).chain(by_network).collect();
        said.sort_by_key(|(_, packet)| order(packet));
        let capture = match closed.end.why {
            CloseReason::Evicted => None,
            CloseReason::CaptureEnded => {
                self.capture_end.map(|at| PacketRef { number: PacketNumber(u64::MAX), at })
            }
            _ => Some(closed.end.at),
        };
        Ending { said, capture }
    }

    /// What became of a call of that connection, which has no final reply.
    pub(super) fn outcome(&self, ending: &Ending, request: &Span, status: Status) -> Outcome {
        let later = |(_, packet): &&(EndedBy, PacketRef)| {
            packet.number > request.first.number || order(packet) > order(&request.first)
        };
        let (ended_by, at) = match ending.said.iter().find(later) {
            Some(&(by, at)) => (by, Some(at)),
            None => (EndedBy::Capture, ending.capture),
        };
        let waited = at.filter(|at| !self.clock.stepped_within(request.first.number, at.number));
        let waited = waited.and_then(|at| at.at.since(request.first.at));
        Outcome { status, ended_by: Some(ended_by), waited, sure: true }
    }
}

/// Packets by their times, which a capture that holds them out of order still tells.
fn order(packet: &PacketRef) -> (Timestamp, PacketNumber) {
    (packet.at, packet.number)
}
