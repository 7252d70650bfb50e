//! The way into a packet, from its first byte to the IP packet that is looked for, and why it may
//! end before.

use std::net::IpAddr;

use super::{Other, Path};
use crate::limits::TUNNEL_DEPTH;
use crate::packet::PointId;

/// How far into a packet one has come, and through what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Descent {
    /// What led there.
    pub path: Path,
    /// Bytes behind the captured ones, which the snap length cut.
    pub cut: u32,
    /// Encapsulations that were opened.
    depth: u8,
}

/// Why no IP packet comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A header makes no sense, or the snap length cut it.
    Malformed,
    /// The link type is none of those that are read here.
    UnknownLink,
    /// Something else is there.
    Other(Other),
}

/// What tells apart packets that have the same addresses. Only what is the same for both directions
/// of a connection: a label of MPLS is not, and one direction may even lack it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The number of a VLAN.
    Vlan(u16),
    /// The ends of a tunnel, in whatever order.
    Ends(IpAddr, IpAddr),
    /// The network number of VXLAN or Geneve.
    Network(u32),
    /// The key of GRE, or what of it both directions share.
    Key(u32),
    /// The session of PPPoE.
    Session(u16),
}

impl Descent {
    /// At the first byte of a packet.
    pub fn new(point: PointId, cut: u32) -> Self {
        Self { path: Path(u32::from(point.0)), cut, depth: 0 }
    }

    /// One encapsulation further in.
    ///
    /// # Errors
    ///
    /// `Other::TooDeep` beyond `TUNNEL_DEPTH`.
    pub fn open(&mut self) -> Result<(), Stop> {
        self.depth += 1;
        match self.depth <= TUNNEL_DEPTH {
            true => Ok(()),
            false => Err(Stop::Other(Other::TooDeep)),
        }
    }

    /// Marks the path with something that tells packets apart.
    pub fn mark(&mut self, mark: Mark) {
        let (kind, value) = match mark {
            Mark::Vlan(id) => (1, u32::from(id)),
            Mark::Ends(a, b) => (2, folded(a).wrapping_add(folded(b))),
            Mark::Network(id) => (3, id),
            Mark::Key(key) => (4, key),
            Mark::Session(id) => (5, u32::from(id)),
        };
        self.path = Path(mixed(mixed(self.path.0 ^ kind) ^ value));
    }
}

/// An address as one number.
fn folded(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(address) => mixed(address.to_bits()),
        IpAddr::V6(address) => {
            address.segments().into_iter().fold(6, |sum, part| mixed(sum ^ u32::from(part)))
        }
    }
}

/// Lets every bit of `value` change every bit, the same in every run: what finds a connection is
/// spread over engines, and no result may depend on that.
const fn mixed(value: u32) -> u32 {
    let value = (value ^ value >> 16).wrapping_add(0x9e37_79b9).wrapping_mul(0x85eb_ca6b);
    (value ^ value >> 13).wrapping_mul(0xc2b2_ae35) ^ value >> 16
}
