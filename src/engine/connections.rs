//! The connections that stand: what each is, who its client is, and its decoder. The one place that
//! turns the sides of a stream into roles.

use crate::endpoint::{ConnectionId, Endpoints, PerSide, Roles, Side};
use crate::exchange::Parties;
use crate::limits;
use crate::packet::PacketRef;
use crate::protocol::{self, Decoder, Foreign};
use crate::stream::{self, CloseReason, ConnectionCounts, Ended, Opened};

/// Everything that leaves the engine about a connection, in roles: the client's numbers are those
/// of the side that asks, whichever side `stream` took for the client.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionFacts {
    /// Its id.
    pub connection: ConnectionId,
    /// Its addresses.
    pub ends: Endpoints,
    /// Whether these roles are the other way round than the sides in which `stream` tells of it.
    pub roles_swapped: bool,
    /// The packet that first showed it.
    pub first: PacketRef,
    /// The last packet of it, by time; once it is over, the packet of `end`.
    pub last: PacketRef,
    /// Segments, bytes and losses of each side.
    pub counts: ConnectionCounts,
    /// Whether it was seen from the first byte of each side.
    pub from_start: PerSide<bool>,
    /// Whether a frame of Nest TCP was read on it.
    pub spoke_nest: bool,
    /// What else it spoke.
    pub foreign: Option<Foreign>,
    /// The first bytes that were seen on it, of either side.
    pub beginning: Beginning,
    /// Its other addresses, where the capture saw it before and after address translation.
    pub also: Option<Endpoints>,
    /// Whether it ended, and only what was captured too late may still come.
    pub lingering: bool,
    /// How it ended; `None` while it stands.
    pub end: Option<Ended>,
}

impl ConnectionFacts {
    /// What is known of a connection that was just opened.
    pub fn opened(opened: &Opened) -> Self {
        Self {
            connection: opened.connection,
            ends: opened.ends,
            roles_swapped: false,
            first: opened.at,
            last: opened.at,
            counts: ConnectionCounts::default(),
            from_start: opened.from_start,
            spoke_nest: false,
            foreign: None,
            beginning: Beginning::default(),
            also: opened.also,
            lingering: false,
            end: None,
        }
    }

    /// Whether it was seen from its beginning, on each side that sent something.
    pub const fn is_from_start(&self) -> bool {
        self.from_start.client && (self.from_start.server || !self.was_established())
    }

    /// What has become of it, in every output.
    pub const fn state(&self) -> &'static str {
        let Some(end) = self.end else {
            return match self.lingering {
                true => "closing",
                false if self.was_established() => "open",
                false => "opening",
            };
        };
        match end.why {
            CloseReason::Finished => "finished",
            CloseReason::Reset if self.was_established() => "reset",
            CloseReason::Reset => "refused",
            CloseReason::Replaced => "replaced",
            CloseReason::Unreachable => "unreachable",
            CloseReason::Evicted => "evicted",
            CloseReason::CaptureEnded if self.was_established() => "open",
            CloseReason::CaptureEnded => "no answer",
        }
    }

    /// Whether it was established, as far as the capture shows: not where that holds the client's
    /// SYN, no byte of the client, and nothing of the server but a refusal.
    const fn was_established(&self) -> bool {
        let from_server = match self.end {
            Some(Ended { why: CloseReason::Reset, by: Some(Side::Server), .. }) => 1,
            _ => 0,
        };
        let asks_only = self.from_start.client && !self.from_start.server;
        let counts = &self.counts;
        !asks_only || counts.bytes.client > 0 || counts.packets.server > from_server
    }

    /// Turns what is told by sides into roles.
    fn turned(self) -> Self {
        Self {
            ends: self.ends.swapped(),
            also: self.also.map(Endpoints::swapped),
            roles_swapped: true,
            counts: self.counts.swapped(),
            from_start: self.from_start.swapped(),
            end: self.end.map(Ended::swapped),
            ..self
        }
    }
}

/// How a connection began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beginning {
    bytes: [u8; limits::BEGINNING],
    len: u8,
}

impl Beginning {
    /// The first of these bytes.
    pub fn of(data: &[u8]) -> Self {
        let mut beginning = Self::default();
        for (place, &byte) in beginning.bytes.iter_mut().zip(data) {
            *place = byte;
            beginning.len += 1;
        }
        beginning
    }

    /// The bytes; none where none were seen.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or_default()
    }
}

/// A connection that stands, and its decoder.
pub(super) struct Live {
    pub(super) decoder: Box<dyn Decoder>,
    pub(super) known: Known,
}

/// What is known of a connection that stands.
pub(super) struct Known {
    id: ConnectionId,
    /// By the stream's sides.
    ends: Endpoints,
    from_start: PerSide<bool>,
    first: PacketRef,
    /// By the stream's sides.
    pub(super) also: Option<Endpoints>,
    /// The side that is the client, as far as is known.
    client: Option<Side>,
    pub(super) spoke_nest: bool,
    pub(super) foreign: Option<Foreign>,
    beginning: Beginning,
}

impl Known {
    fn new(opened: &Opened) -> Self {
        Self {
            id: opened.connection,
            ends: opened.ends,
            from_start: opened.from_start,
            first: opened.at,
            also: opened.also,
            client: (opened.roles == Roles::Known).then_some(Side::Client),
            spoke_nest: false,
            foreign: None,
            beginning: Beginning::default(),
        }
    }

    /// The messages showed which side is the client.
    pub(super) fn learn_client(&mut self, side: Side) {
        self.client = Some(side);
    }

    /// These bytes came.
    pub(super) fn begin_with(&mut self, data: &[u8]) {
        if self.beginning.len == 0 {
            self.beginning = Beginning::of(data);
        }
    }

    /// Who speaks on it, in roles.
    pub(super) fn parties(&self) -> Parties {
        let swapped = self.client == Some(Side::Server);
        let ends = if swapped { self.ends.swapped() } else { self.ends };
        Parties { connection: self.id, ends, client: self.client }
    }

    /// Its other addresses, in roles.
    pub(super) fn also(&self) -> Option<Endpoints> {
        let swapped = self.client == Some(Side::Server);
        self.also.map(|also| if swapped { also.swapped() } else { also })
    }

    fn facts(&self, last: PacketRef, counts: ConnectionCounts) -> ConnectionFacts {
        ConnectionFacts {
            connection: self.id,
            ends: self.ends,
            roles_swapped: false,
            first: self.first,
            last,
            counts,
            from_start: self.from_start,
            spoke_nest: self.spoke_nest,
            foreign: self.foreign,
            beginning: self.beginning,
            also: self.also,
            lingering: false,
            end: None,
        }
    }

    fn in_roles(&self, facts: ConnectionFacts) -> ConnectionFacts {
        if self.client == Some(Side::Server) { facts.turned() } else { facts }
    }

    /// How it stands, by what the stream says of it.
    pub(super) fn standing(&self, stream: &stream::Standing) -> ConnectionFacts {
        let facts = self.facts(stream.last, stream.counts);
        self.in_roles(ConnectionFacts { lingering: stream.lingering, ..facts })
    }

    /// How it ended.
    pub(super) fn closed(&self, closed: &stream::Closed) -> ConnectionFacts {
        let facts = self.facts(closed.end.at, closed.counts);
        self.in_roles(ConnectionFacts { end: Some(closed.end), ..facts })
    }
}

/// The connections that stand, by slot.
#[derive(Default)]
pub(super) struct Connections(Vec<Option<Live>>);

impl Connections {
    pub(super) fn open(&mut self, opened: &Opened) {
        let slot = opened.connection.slot as usize;
        if self.0.len() <= slot {
            self.0.resize_with(slot + 1, || None);
        }
        if let Some(place) = self.0.get_mut(slot) {
            *place = Some(Live { decoder: protocol::decoder(opened), known: Known::new(opened) });
        }
    }

    pub(super) fn get_mut(&mut self, connection: ConnectionId) -> Option<&mut Live> {
        let live = self.0.get_mut(connection.slot as usize)?.as_mut();
        live.filter(|live| live.known.id == connection)
    }

    /// Takes out the one that is over.
    pub(super) fn take(&mut self, connection: ConnectionId) -> Option<Live> {
        let place = self.0.get_mut(connection.slot as usize)?;
        place.take_if(|live| live.known.id == connection)
    }

    /// Each with its slot, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Live)> {
        (0..).zip(&self.0).filter_map(|(slot, live)| Some((slot, live.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::ConnectionNumber;
    use crate::packet::PacketNumber;
    use crate::time::Timestamp;

    /// A connection whose client's SYN was seen, and so many packets of the server.
    fn asked(from_server: u64, answered: bool, end: Option<CloseReason>) -> ConnectionFacts {
        let at = PacketRef { number: PacketNumber(1), at: Timestamp::from_nanos(0) };
        let client = ([10, 0, 0, 1], 40_000).into();
        let ends = Endpoints { client, server: ([10, 0, 0, 2], 3_000).into() };
        let mut facts = ConnectionFacts::opened(&Opened {
            connection: ConnectionId { number: ConnectionNumber(0), slot: 0 },
            ends,
            roles: Roles::Known,
            at,
            from_start: PerSide { client: true, server: answered },
            also: None,
        });
        facts.counts.packets = PerSide { client: 1, server: from_server };
        facts.end = end.map(|why| Ended { why, at, by: Some(Side::Server) });
        facts
    }

    #[test]
    fn what_never_stood_is_not_called_open_or_reset() {
        use CloseReason::{CaptureEnded, Reset};
        for (from_server, answered, end, state, is_from_start) in [
            (0, false, None, "opening", true),
            (0, false, Some(CaptureEnded), "no answer", true),
            (1, false, Some(Reset), "refused", true),
            (1, true, None, "open", true),
            (1, true, Some(CaptureEnded), "open", true),
            // It answered the SYN, and thought better of it.
            (2, true, Some(Reset), "reset", true),
            // Its SYN-ACK is not in the capture, but what came behind it is.
            (3, false, Some(Reset), "reset", false),
            (2, false, None, "open", false),
        ] {
            let facts = asked(from_server, answered, end);
            let told = (facts.state(), facts.is_from_start());
            assert_eq!(told, (state, is_from_start), "{from_server} {answered} {end:?}");
        }
    }
}
