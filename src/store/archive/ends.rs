//! The addresses of connections, as long as anything that is remembered is of them.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use crate::endpoint::{ConnectionId, ConnectionNumber, Endpoints};

/// Addresses by the number of the connection, in blocks that clones share. A block goes when
/// nothing is left that is of its connections.
#[derive(Clone, Debug, Default)]
pub(super) struct EndsTable {
    blocks: VecDeque<Block>,
    /// Which block of all the first one is.
    first: u32,
    /// Blocks that hold addresses.
    filled: usize,
}

#[derive(Clone, Debug, Default)]
struct Block {
    /// Rows and standing connections that are of its connections.
    users: u64,
    ends: Arc<Vec<Compact>>,
}

/// Two ends as they are kept: 44 bytes, where two `SocketAddr` are 64. Addresses off the wire have
/// neither scope nor flow.
#[derive(Clone, Copy, Debug)]
struct Compact {
    /// An IPv4 address as IPv6 writes it.
    addresses: [[u8; 16]; 2],
    ports: [u16; 2],
    slot: u32,
    is_v4: [bool; 2],
}

const BLOCK: u32 = 256;
const BLOCK_WEIGHT: usize = 256 * size_of::<Compact>();

impl Compact {
    /// Of no connection.
    const NONE: Self = Self { addresses: [[0; 16]; 2], ports: [0; 2], slot: 0, is_v4: [false; 2] };

    fn new(slot: u32, ends: &Endpoints) -> Self {
        let address = |end: &SocketAddr| match end.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
            IpAddr::V6(ip) => ip.octets(),
        };
        Self {
            addresses: [address(&ends.client), address(&ends.server)],
            ports: [ends.client.port(), ends.server.port()],
            slot,
            is_v4: [ends.client.is_ipv4(), ends.server.is_ipv4()],
        }
    }

    /// Whether these are the ends, told by the ports alone where that can be: of one connection
    /// only the roles ever turn out to be others.
    fn surely_are(&self, slot: u32, ends: &Endpoints) -> bool {
        let ports = [ends.client.port(), ends.server.port()];
        (self.slot, self.ports) == (slot, ports)
            && (ports[0] != ports[1] || self.addresses == Self::new(slot, ends).addresses)
    }

    fn ends(&self) -> Endpoints {
        let [client, server] = self.addresses;
        let [client_port, server_port] = self.ports;
        let [client_v4, server_v4] = self.is_v4;
        let end = |octets, is_v4, port| {
            let ip = Ipv6Addr::from(octets);
            let v4 = ip.to_ipv4_mapped().filter(|_| is_v4);
            SocketAddr::new(v4.map_or(IpAddr::V6(ip), IpAddr::V4), port)
        };
        Endpoints {
            client: end(client, client_v4, client_port),
            server: end(server, server_v4, server_port),
        }
    }
}

impl EndsTable {
    pub(super) fn get(&self, number: ConnectionNumber) -> Option<(ConnectionId, Endpoints)> {
        let block = self.blocks.get((number.0 / BLOCK).checked_sub(self.first)? as usize)?;
        let kept = block.ends.get((number.0 % BLOCK) as usize)?;
        (kept.ports != [0; 2] || kept.addresses != [[0; 16]; 2])
            .then(|| (ConnectionId { number, slot: kept.slot }, kept.ends()))
    }

    /// One more row, or the standing connection itself, is of this connection.
    pub(super) fn add_user(&mut self, connection: ConnectionId, ends: &Endpoints) {
        let Some(block) = self.block_mut(connection.number) else { return };
        block.users += 1;
        let within = (connection.number.0 % BLOCK) as usize;
        if block.ends.get(within).is_some_and(|known| known.surely_are(connection.slot, ends)) {
            return;
        }
        let kept = Compact::new(connection.slot, ends);
        let was_empty = block.ends.is_empty();
        let all = Arc::make_mut(&mut block.ends);
        if was_empty {
            all.reserve_exact(BLOCK as usize);
        }
        if all.len() <= within {
            all.resize(within + 1, Compact::NONE);
        }
        if let Some(place) = all.get_mut(within) {
            *place = kept;
        }
        self.filled += usize::from(was_empty);
    }

    /// One of those that were added is gone.
    pub(super) fn drop_user(&mut self, number: ConnectionNumber) {
        let index = (number.0 / BLOCK).checked_sub(self.first).map(|index| index as usize);
        let Some(block) = index.and_then(|index| self.blocks.get_mut(index)) else { return };
        block.users = block.users.saturating_sub(1);
        if block.users == 0 && !block.ends.is_empty() {
            block.ends = Arc::default();
            self.filled -= 1;
        }
        while self.blocks.front().is_some_and(|block| block.users == 0) {
            self.blocks.pop_front();
            self.first += 1;
        }
    }

    fn block_mut(&mut self, connection: ConnectionNumber) -> Option<&mut Block> {
        let number = connection.0 / BLOCK;
        if self.blocks.is_empty() {
            self.first = number;
        }
        while number < self.first {
            self.blocks.push_front(Block::default());
            self.first -= 1;
        }
        let index = (number - self.first) as usize;
        if self.blocks.len() <= index {
            self.blocks.resize_with(index + 1, Block::default);
        }
        self.blocks.get_mut(index)
    }

    /// Bytes of memory.
    pub(super) fn weight(&self) -> usize {
        self.filled * BLOCK_WEIGHT + self.blocks.len() * size_of::<Block>()
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "marks, and numbers that are small")]
mod tests {
    use super::*;

    #[test]
    fn ends_stay_as_long_as_somebody_needs_them() {
        let mut table = EndsTable::default();
        let ends = |number: u32| {
            let client = if number.is_multiple_of(2) {
                SocketAddr::from(([10, 0, (number >> 8) as u8, number as u8], 40_000))
            } else {
                SocketAddr::from(([0xfe80, 0, 0, 0, 0, 0, 0, number as u16], 40_000))
            };
            Endpoints { client, server: SocketAddr::from(([127, 0, 0, 1], 3_000)) }
        };
        let id = |number| ConnectionId { number: ConnectionNumber(number), slot: number % 7 };
        for number in 100..2_000 {
            table.add_user(id(number), &ends(number));
            table.add_user(id(number), &ends(number));
        }
        for number in 100..2_000 {
            assert_eq!(table.get(ConnectionNumber(number)), Some((id(number), ends(number))));
            table.drop_user(ConnectionNumber(number));
            assert!(table.get(ConnectionNumber(number)).is_some());
        }
        assert_eq!(
            (table.get(ConnectionNumber(99)), table.get(ConnectionNumber(2_000))),
            (None, None)
        );
        let full = table.weight();
        for number in 100..1_999 {
            table.drop_user(ConnectionNumber(number));
        }
        assert_eq!(table.get(ConnectionNumber(1_999)), Some((id(1_999), ends(1_999))));
        assert_eq!(table.get(ConnectionNumber(300)), None);
        assert!(table.weight() * 7 < full, "{} of {full}", table.weight());
        table.drop_user(ConnectionNumber(1_999));
        assert_eq!(table.weight(), 0);
        // Roles that turn out otherwise.
        table.add_user(id(5), &ends(5));
        table.add_user(id(5), &ends(5).swapped());
        assert_eq!(table.get(ConnectionNumber(5)), Some((id(5), ends(5).swapped())));
    }
}
