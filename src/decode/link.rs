//! Link headers: from the first captured byte to the IP header.

use super::Malformed;
use crate::packet::LinkType;

/// What a link frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkPayload<'a> {
    /// An IP packet, and perhaps the padding of its Ethernet frame.
    Ip(&'a [u8]),
    /// ARP, LLC and the like.
    Other,
    /// The link type is none of those that are read here.
    UnknownLink,
}

/// Strips the link header of a packet.
///
/// # Errors
///
/// `Malformed` where the captured bytes end before the link header does.
pub(super) fn network(link: LinkType, data: &[u8]) -> Result<LinkPayload<'_>, Malformed> {
    match link {
        LinkType::ETHERNET => {
            let (header, rest) = data.split_first_chunk::<14>().ok_or(Malformed)?;
            let [.., high, low] = *header;
            tagged(u16::from_be_bytes([high, low]), rest)
        }
        // tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html: the protocol ends the header.
        LinkType::LINUX_SLL => {
            let (header, rest) = data.split_first_chunk::<16>().ok_or(Malformed)?;
            let [.., high, low] = *header;
            tagged(u16::from_be_bytes([high, low]), rest)
        }
        // tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html: the protocol begins the header.
        LinkType::LINUX_SLL2 => {
            let (header, rest) = data.split_first_chunk::<20>().ok_or(Malformed)?;
            let [high, low, ..] = *header;
            tagged(u16::from_be_bytes([high, low]), rest)
        }
        LinkType::NULL | LinkType::LOOP => {
            let (family, rest) = data.split_first_chunk::<4>().ok_or(Malformed)?;
            Ok(address_family(*family, rest))
        }
        LinkType::RAW | LinkType::RAW_DLT | RAW_OPENBSD | LinkType::IPV4 | LinkType::IPV6 => {
            Ok(LinkPayload::Ip(data))
        }
        _ => Ok(LinkPayload::UnknownLink),
    }
}

/// Strips VLAN tags, however many.
fn tagged(mut ether_type: u16, mut data: &[u8]) -> Result<LinkPayload<'_>, Malformed> {
    loop {
        match ether_type {
            IPV4 | IPV6 => return Ok(LinkPayload::Ip(data)),
            VLAN | PROVIDER_VLAN | DOUBLE_VLAN => {
                // Priority and VLAN number, then the type of what follows.
                let ([_, _, high, low], rest) = data.split_first_chunk::<4>().ok_or(Malformed)?;
                ether_type = u16::from_be_bytes([*high, *low]);
                data = rest;
            }
            // Below 0x0600 it is the length of an 802.3 frame, which is no IP either.
            _ => return Ok(LinkPayload::Other),
        }
    }
}

/// The family is in the byte order of the host that captured, which may not be ours. No family
/// needs more than one byte, so the order shows itself.
fn address_family(family: [u8; 4], data: &[u8]) -> LinkPayload<'_> {
    match family {
        [0, 0, 0, family] | [family, 0, 0, 0] => match family {
            // AF_INET everywhere; AF_INET6 on Linux, NetBSD and OpenBSD, FreeBSD, macOS.
            2 | 10 | 24 | 28 | 30 => LinkPayload::Ip(data),
            _ => LinkPayload::Other,
        },
        _ => LinkPayload::Other,
    }
}

/// The number that OpenBSD gives to raw IP in its own files.
const RAW_OPENBSD: LinkType = LinkType(14);

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// 802.1Q.
const VLAN: u16 = 0x8100;
/// 802.1ad, the outer tag.
const PROVIDER_VLAN: u16 = 0x88a8;
/// The outer tag before 802.1ad was written.
const DOUBLE_VLAN: u16 = 0x9100;
