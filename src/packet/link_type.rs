//! The link types of tcpdump.org's registry: the numbers of those that are read, and of the others
//! what they are called and what their user can do.

use std::fmt;

/// How the bytes of a packet begin: the LINKTYPE value of tcpdump.org's registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: four bytes of address family in the byte order of the capturing host.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// PPP, with the address and control bytes of HDLC or without.
    pub const PPP: Self = Self(9);
    /// Raw IP as written by some systems that use their own DLT number.
    pub const RAW_DLT: Self = Self(12);
    /// PPP in frames of HDLC, or Cisco's framing.
    pub const PPP_HDLC: Self = Self(50);
    /// A session of PPP over Ethernet, without the Ethernet header.
    pub const PPP_ETHER: Self = Self(51);
    /// ATM with LLC (RFC 1483).
    pub const ATM_RFC1483: Self = Self(100);
    /// Raw IP, version told by the first four bits.
    pub const RAW: Self = Self(101);
    /// Cisco's framing of HDLC.
    pub const C_HDLC: Self = Self(104);
    /// OpenBSD loopback: the address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture, version 1 (16 bytes).
    pub const LINUX_SLL: Self = Self(113);
    /// For private use; macOS wrote PKTAP so.
    pub const USER2: Self = Self(149);
    /// PPP as Linux's pppd sees it: the direction in place of the first byte.
    pub const PPP_PPPD: Self = Self(166);
    /// PPP behind a byte of direction.
    pub const PPP_WITH_DIR: Self = Self(204);
    /// A stack of MPLS labels.
    pub const MPLS: Self = Self(219);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// The log of Linux's netfilter.
    pub const NFLOG: Self = Self(239);
    /// Apple's header with the interface and the process, in front of a packet of another link.
    pub const PKTAP: Self = Self(258);
    /// Linux cooked capture, version 2 (20 bytes).
    pub const LINUX_SLL2: Self = Self(276);

    /// What it is called, where it is one of the commoner ones.
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|(_, name, _)| *name)
    }

    /// What the user of a capture can do whose link type is not read.
    pub fn advice(self) -> &'static str {
        match self.row().map_or(Kind::Unknown, |(_, _, kind)| *kind) {
            Kind::Read => "nestscope reads it",
            Kind::Wireless => {
                "capture on the services' own hosts (any, lo, eth0), or without monitor mode; of a \
                 protected network the packets are encrypted: decrypt them first with airdecap-ng, \
                 which writes Ethernet"
            }
            Kind::Bus => "it carries no IP: capture on a network interface instead",
            Kind::Telecom => {
                "capture where the services run, or convert it to Ethernet or raw IP: in Wireshark, \
                 File > Export PDUs to File, layer IP"
            }
            Kind::Switch => {
                "capture on the port or interface behind it, or strip its header with editcap -C"
            }
            Kind::Private => {
                "what it means is known only to who wrote the capture; editcap -T ether writes it as \
                 Ethernet, if it is that"
            }
            Kind::Unknown => {
                "tcpdump.org/linktypes.html says what it is; capture on another interface"
            }
        }
    }

    fn row(self) -> Option<&'static (u16, &'static str, Kind)> {
        TABLE.iter().find(|(number, _, _)| *number == self.0)
    }
}

/// The name and the number: `802.11 radiotap (127)`.
impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "link type {}", self.0),
        }
    }
}

/// What links have in common for whoever captured on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Read,
    /// 802.11 in monitor mode.
    Wireless,
    /// Of devices, or of systems that speak no IP.
    Bus,
    /// Of operators and of old networks, where IP lies deeper.
    Telecom,
    /// With a header of a switch, a card or a system in front.
    Switch,
    /// Numbers that anybody may use.
    Private,
    Unknown,
}

const TABLE: &[(u16, &str, Kind)] = &[
    (0, "BSD loopback", Kind::Read),
    (1, "Ethernet", Kind::Read),
    (3, "AX.25", Kind::Telecom),
    (6, "token ring (802.5)", Kind::Telecom),
    (7, "ARCNET", Kind::Telecom),
    (8, "SLIP", Kind::Telecom),
    (9, "PPP", Kind::Read),
    (10, "FDDI", Kind::Telecom),
    (12, "raw IP", Kind::Read),
    (14, "raw IP", Kind::Read),
    (50, "PPP in HDLC", Kind::Read),
    (51, "PPPoE", Kind::Read),
    (99, "Symantec firewall", Kind::Switch),
    (100, "ATM (RFC 1483)", Kind::Read),
    (101, "raw IP", Kind::Read),
    (104, "Cisco HDLC", Kind::Read),
    (105, "802.11", Kind::Wireless),
    (107, "frame relay", Kind::Telecom),
    (108, "OpenBSD loopback", Kind::Read),
    (109, "OpenBSD IPsec (enc)", Kind::Switch),
    (113, "Linux cooked", Kind::Read),
    (114, "LocalTalk", Kind::Bus),
    (117, "OpenBSD pflog", Kind::Switch),
    (119, "802.11 Prism", Kind::Wireless),
    (122, "IP over Fibre Channel", Kind::Telecom),
    (123, "SunATM", Kind::Telecom),
    (127, "802.11 radiotap", Kind::Wireless),
    (129, "Linux ARCNET", Kind::Telecom),
    (138, "IP over FireWire", Kind::Telecom),
    (139, "SS7 MTP2", Kind::Telecom),
    (140, "SS7 MTP2", Kind::Telecom),
    (141, "SS7 MTP3", Kind::Telecom),
    (142, "SS7 SCCP", Kind::Telecom),
    (143, "DOCSIS", Kind::Telecom),
    (144, "Linux IrDA", Kind::Bus),
    (147, "private use 0", Kind::Private),
    (148, "private use 1", Kind::Private),
    (149, "private use 2", Kind::Private),
    (150, "private use 3", Kind::Private),
    (151, "private use 4", Kind::Private),
    (152, "private use 5", Kind::Private),
    (153, "private use 6", Kind::Private),
    (154, "private use 7", Kind::Private),
    (155, "private use 8", Kind::Private),
    (156, "private use 9", Kind::Private),
    (157, "private use 10", Kind::Private),
    (158, "private use 11", Kind::Private),
    (159, "private use 12", Kind::Private),
    (160, "private use 13", Kind::Private),
    (161, "private use 14", Kind::Private),
    (162, "private use 15", Kind::Private),
    (163, "802.11 AVS", Kind::Wireless),
    (165, "BACnet MS/TP", Kind::Bus),
    (166, "PPP of pppd", Kind::Read),
    (169, "GPRS LLC", Kind::Telecom),
    (177, "Linux LAPD", Kind::Telecom),
    (182, "multi-link frame relay", Kind::Telecom),
    (187, "Bluetooth HCI", Kind::Bus),
    (189, "USB of Linux", Kind::Bus),
    (190, "CAN bus", Kind::Bus),
    (192, "PPI", Kind::Wireless),
    (195, "802.15.4", Kind::Bus),
    (197, "Endace ERF", Kind::Switch),
    (201, "Bluetooth HCI", Kind::Bus),
    (203, "LAPD", Kind::Telecom),
    (204, "PPP with direction", Kind::Read),
    (205, "Cisco HDLC with direction", Kind::Telecom),
    (206, "frame relay with direction", Kind::Telecom),
    (209, "IPMB", Kind::Bus),
    (215, "802.15.4", Kind::Bus),
    (219, "MPLS", Kind::Read),
    (220, "USB of Linux", Kind::Bus),
    (224, "Fibre Channel", Kind::Telecom),
    (225, "Fibre Channel", Kind::Telecom),
    (226, "IPNET of Solaris", Kind::Switch),
    (227, "CAN bus", Kind::Bus),
    (228, "raw IPv4", Kind::Read),
    (229, "raw IPv6", Kind::Read),
    (230, "802.15.4", Kind::Bus),
    (231, "D-Bus", Kind::Bus),
    (235, "DVB-CI", Kind::Bus),
    (239, "NFLOG", Kind::Read),
    (240, "netANALYZER", Kind::Switch),
    (241, "netANALYZER", Kind::Switch),
    (242, "IP over InfiniBand", Kind::Telecom),
    (243, "MPEG-2 transport stream", Kind::Bus),
    (245, "NFC", Kind::Bus),
    (247, "InfiniBand", Kind::Telecom),
    (248, "SCTP", Kind::Telecom),
    (249, "USB of Windows (USBPcap)", Kind::Bus),
    (250, "serial line", Kind::Bus),
    (251, "Bluetooth low energy", Kind::Bus),
    (252, "PDUs exported by Wireshark", Kind::Private),
    (253, "Linux netlink", Kind::Bus),
    (254, "Bluetooth monitor of Linux", Kind::Bus),
    (256, "Bluetooth low energy", Kind::Bus),
    (258, "PKTAP", Kind::Read),
    (259, "EPON", Kind::Telecom),
    (266, "USB of macOS", Kind::Bus),
    (271, "Linux vsock", Kind::Bus),
    (272, "Bluetooth low energy (nRF)", Kind::Bus),
    (274, "Ethernet mPacket", Kind::Switch),
    (276, "Linux cooked 2", Kind::Read),
    (280, "VPP dispatch trace", Kind::Switch),
    (281, "Ethernet with a Broadcom switch tag", Kind::Switch),
    (282, "Ethernet behind a Broadcom switch tag", Kind::Switch),
    (283, "802.15.4", Kind::Bus),
    (284, "Ethernet with a DSA switch tag", Kind::Switch),
    (285, "Ethernet with an EDSA switch tag", Kind::Switch),
    (288, "USB 2.0", Kind::Bus),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let shown: Vec<_> = [127, 226, 189, 300].map(|n| LinkType(n).to_string()).into();
        assert_eq!(
            shown,
            [
                "802.11 radiotap (127)",
                "IPNET of Solaris (226)",
                "USB of Linux (189)",
                "link type 300"
            ]
        );
        assert!(LinkType(105).advice().contains("monitor mode"));
        assert!(LinkType(220).advice().contains("network interface"));
        assert!(LinkType(300).advice().contains("tcpdump.org"));
    }

    #[test]
    fn no_number_stands_twice() {
        assert!(TABLE.is_sorted_by(|(a, ..), (b, ..)| a < b));
    }
}
