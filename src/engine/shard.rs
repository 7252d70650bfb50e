//! Which connections an engine takes, where several share the work.

use std::net::{IpAddr, SocketAddr};

/// A part of all connections. Each engine of a capture gets every packet and takes what is its
/// own; the rest only lets its time pass, so that what it finds does not depend on their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which part, from 0.
    pub index: u32,
    /// Of how many; at least 1.
    pub count: u32,
}

impl Default for Shard {
    /// All connections.
    fn default() -> Self {
        Self { index: 0, count: 1 }
    }
}

impl Shard {
    /// Whether the connection between these ends is of this part: the same for both directions.
    pub(super) fn takes(self, from: &SocketAddr, to: &SocketAddr) -> bool {
        if self.count <= 1 {
            return true;
        }
        let end = |end: &SocketAddr| {
            let address = match end.ip() {
                IpAddr::V4(ip) => u64::from(ip.to_bits()),
                IpAddr::V6(ip) => {
                    let add = |sum: u64, part| sum.rotate_left(13) ^ u64::from(part);
                    ip.segments().into_iter().fold(0, add)
                }
            };
            mix(address ^ u64::from(end.port()) << 32)
        };
        let hash = mix(end(from).wrapping_add(end(to)));
        hash % u64::from(self.count) == u64::from(self.index)
    }
}

/// Lets every bit of `value` change every bit: neighbouring addresses and ports, which the
/// connections of one client have, go to different parts. The multiplier is that of Fibonacci
/// hashing, whose product mixes upwards only.
const fn mix(value: u64) -> u64 {
    let product = (value ^ value >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ product >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_ports_are_spread_over_the_parts() {
        let takes = |count, index, port: u16| {
            let (client, server) = (([10, 0, 0, 1], port).into(), ([10, 0, 0, 2], 3_000).into());
            let shard = Shard { index, count };
            let taken = shard.takes(&client, &server);
            assert_eq!(taken, shard.takes(&server, &client), "both directions");
            taken
        };
        for count in [2, 3, 4] {
            // Linux chooses every other port.
            for step in [1, 2] {
                let ports = || (40_000..).step_by(step).take(80);
                let taken = |index| ports().filter(|&port| takes(count, index, port)).count();
                let parts: Vec<_> = (0..count).map(taken).collect();
                assert_eq!(parts.iter().sum::<usize>(), 80, "each to one");
                let fair = 80 / count as usize;
                assert!(parts.iter().all(|part| (fair / 2..=2 * fair).contains(part)), "{parts:?}");
            }
        }
    }
}
