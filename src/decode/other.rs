//! What a packet carries that is no TCP segment, by kind.

use std::fmt;

/// A kind of what is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Other {
    /// Addresses of neighbours are asked for.
    Arp,
    /// ICMP of both versions.
    Icmp,
    /// UDP that is no tunnel.
    Udp,
    /// A frame of IEEE 802.2 that names no Ethernet type: spanning tree and the like.
    Llc,
    /// A protocol family of the loopback that is not IP.
    Family,
    /// Another protocol over IP, by its number.
    IpProtocol(u8),
    /// Another Ethernet type.
    EtherType(u16),
    /// Encrypted, or of a protocol of PPP that is not IP, by its number.
    Ppp(u16),
    /// An encrypted payload of IPsec.
    Esp,
    /// Generic routing encapsulation of something else, by its Ethernet type.
    Gre(u16),
    /// VXLAN of something else.
    Vxlan,
    /// Geneve of something else.
    Geneve,
    /// Labels, and below them nothing that shows what it is.
    Mpls,
    /// The layer 2 tunnelling protocol.
    L2tp,
    /// The tunnels of mobile networks.
    Gtp,
    /// Encrypted by WireGuard.
    WireGuard,
    /// Encrypted on the link (IEEE 802.1AE).
    Macsec,
    /// More encapsulations in one another than are opened.
    TooDeep,
    /// Kinds beyond those that are counted apart.
    Various,
}

impl Other {
    /// Whether TCP may lie in it that is not seen: a tunnel that was not opened, something
    /// encrypted or unknown.
    pub fn may_hide_tcp(self) -> bool {
        match self {
            Self::Arp | Self::Icmp | Self::Udp | Self::Llc | Self::Family => false,
            Self::IpProtocol(number) => !HARMLESS_PROTOCOLS.contains(&number),
            Self::EtherType(number) => !HARMLESS_ETHER_TYPES.contains(&number),
            // From there on the protocols that set up the link (RFC 1661, section 2).
            Self::Ppp(number) => number < 0x8000,
            Self::Esp
            | Self::Gre(_)
            | Self::Vxlan
            | Self::Geneve
            | Self::Mpls
            | Self::L2tp
            | Self::Gtp
            | Self::WireGuard
            | Self::Macsec
            | Self::TooDeep
            | Self::Various => true,
        }
    }
}

/// The name in outputs: `vxlan`, `ip-protocol-99`, `ether-type-0x88b5`.
impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Arp => "arp",
            Self::Icmp => "icmp",
            Self::Udp => "udp",
            Self::Llc => "llc",
            Self::Family => "address-family",
            Self::IpProtocol(number) => return write!(f, "ip-protocol-{number}"),
            Self::EtherType(number) => return write!(f, "ether-type-{number:#06x}"),
            Self::Ppp(number) => return write!(f, "ppp-{number:#06x}"),
            Self::Esp => "esp",
            Self::Gre(number) => return write!(f, "gre-{number:#06x}"),
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::Mpls => "mpls",
            Self::L2tp => "l2tp",
            Self::Gtp => "gtp",
            Self::WireGuard => "wireguard",
            Self::Macsec => "macsec",
            Self::TooDeep => "too-deep",
            Self::Various => "various",
        })
    }
}

/// IGMP, EGP, IGP, DCCP, RSVP, no next header, EIGRP, OSPF, PIM, VRRP, IS-IS, SCTP, UDP-Lite, HIP:
/// none of them carries IP.
const HARMLESS_PROTOCOLS: [u8; 14] = [2, 8, 9, 33, 46, 59, 88, 89, 103, 112, 124, 132, 136, 139];

/// RARP, AppleTalk's and Novell's, slow protocols (LACP), PPPoE discovery, EAPOL, PROFINET,
/// EtherCAT, LLDP, HomePlug, PTP, connectivity faults, the loopback test: none of them carries IP.
const HARMLESS_ETHER_TYPES: [u16; 14] = [
    0x8035, 0x809b, 0x80f3, 0x8137, 0x8809, 0x8863, 0x888e, 0x8892, 0x88a4, 0x88cc, 0x88e1, 0x88f7,
    0x8902, 0x9000,
];
