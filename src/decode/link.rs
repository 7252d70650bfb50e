//! Link headers: from the first captured byte to the IP header.

use super::Other;
use super::descent::{Descent, Stop};
use super::ether::{self, take};
use crate::packet::LinkType;

/// The IP packet in a packet of the link, and perhaps the padding of its frame.
///
/// # Errors
///
/// Where there is none, or the captured bytes end before the header in front of it does.
pub(super) fn network<'a>(
    link: LinkType,
    data: &'a [u8],
    descent: &mut Descent,
) -> Result<&'a [u8], Stop> {
    // What nearly all packets are comes first.
    if link == LinkType::ETHERNET
        && let Some(([.., high, low], rest)) = data.split_first_chunk::<14>()
        && matches!(u16::from_be_bytes([*high, *low]), ether::IPV4 | ether::IPV6)
    {
        return Ok(rest);
    }
    other(link, data, descent)
}

#[inline(never)]
fn other<'a>(link: LinkType, data: &'a [u8], descent: &mut Descent) -> Result<&'a [u8], Stop> {
    match link {
        LinkType::ETHERNET => ether::frame(data, descent),
        // tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html: the protocol ends the header.
        LinkType::LINUX_SLL => {
            let ([.., high, low], rest) = take::<16>(data)?;
            ether::typed(u16::from_be_bytes([*high, *low]), rest, descent)
        }
        // tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html: the protocol begins the header.
        LinkType::LINUX_SLL2 => {
            let ([high, low, ..], rest) = take::<20>(data)?;
            ether::typed(u16::from_be_bytes([*high, *low]), rest, descent)
        }
        LinkType::NULL | LinkType::LOOP => {
            let (family, rest) = take::<4>(data)?;
            address_family(*family, rest)
        }
        LinkType::RAW | LinkType::RAW_DLT | RAW_OPENBSD | LinkType::IPV4 | LinkType::IPV6 => {
            Ok(data)
        }
        LinkType::PPP | LinkType::PPP_HDLC => match data {
            [CISCO_UNICAST | CISCO_BROADCAST, ..] => cisco_hdlc(data, descent),
            _ => ether::ppp(data, descent),
        },
        LinkType::PPP_ETHER => ether::pppoe(data, descent),
        // The direction stands in front, in place of the first byte of HDLC or before it.
        LinkType::PPP_PPPD | LinkType::PPP_WITH_DIR => {
            let (_, rest) = take::<1>(data)?;
            let rest = rest.strip_prefix(&[0xff]).unwrap_or(rest);
            ether::ppp(rest.strip_prefix(&[0x03]).unwrap_or(rest), descent)
        }
        LinkType::C_HDLC => cisco_hdlc(data, descent),
        LinkType::ATM_RFC1483 => ether::llc(data, descent),
        LinkType::MPLS => ether::mpls(data, descent),
        LinkType::NFLOG => nflog(data),
        LinkType::PKTAP => pktap(data, descent),
        // One of the numbers for private use, which macOS gave to PKTAP: its form decides.
        LinkType::USER2 if Pktap::read(data).is_some_and(|header| header.is_of_a_packet()) => {
            pktap(data, descent)
        }
        _ => Err(Stop::UnknownLink),
    }
}

/// The family is in the byte order of the host that captured, which may not be ours. No family
/// needs more than one byte, so the order shows itself.
fn address_family(family: [u8; 4], data: &[u8]) -> Result<&[u8], Stop> {
    match family {
        // AF_INET everywhere; AF_INET6 on Linux, NetBSD and OpenBSD, FreeBSD, macOS.
        [0, 0, 0, 2 | 10 | 24 | 28 | 30] | [2 | 10 | 24 | 28 | 30, 0, 0, 0] => Ok(data),
        _ => Err(Stop::Other(Other::Family)),
    }
}

/// Address, control, Ethernet type.
fn cisco_hdlc<'a>(data: &'a [u8], descent: &mut Descent) -> Result<&'a [u8], Stop> {
    let ([_, _, high, low], rest) = take::<4>(data)?;
    ether::typed(u16::from_be_bytes([*high, *low]), rest, descent)
}

/// tcpdump.org/linktypes/LINKTYPE_NFLOG.html: family, version, resource; then attributes of length,
/// type and value, each filled up to a multiple of four bytes, in the byte order of the host that
/// captured. No type needs more than one byte, so the order shows itself.
fn nflog(data: &[u8]) -> Result<&[u8], Stop> {
    let ([family, version, _, _], mut rest) = take::<4>(data)?;
    if *version != 0 {
        return Err(Stop::Malformed);
    }
    loop {
        let ([a, b, kind @ ..], _) = take::<4>(rest)?;
        let (length, kind) = match kind {
            [0, kind] => (u16::from_be_bytes([*a, *b]), *kind),
            [kind, 0] => (u16::from_le_bytes([*a, *b]), *kind),
            _ => return Err(Stop::Malformed),
        };
        let length = usize::from(length);
        if length < 4 {
            return Err(Stop::Malformed);
        }
        if kind == NFLOG_PAYLOAD {
            // The snap length may have cut its end.
            let whole = rest.get(4..length).or_else(|| rest.get(4..));
            return match family {
                // AF_INET and AF_INET6 of Linux.
                2 | 10 => whole.ok_or(Stop::Malformed),
                _ => Err(Stop::Other(Other::Family)),
            };
        }
        rest = rest.get(length.next_multiple_of(4)..).ok_or(Stop::Malformed)?;
    }
}

/// A packet of another link, behind a header that says which.
fn pktap<'a>(data: &'a [u8], descent: &mut Descent) -> Result<&'a [u8], Stop> {
    let header = Pktap::read(data).ok_or(Stop::Malformed)?;
    if !header.is_of_a_packet() {
        return Err(Stop::Malformed);
    }
    descent.open()?;
    let within = usize::try_from(header.length).ok().and_then(|length| data.get(length..));
    let link = u16::try_from(header.link).map_err(|_| Stop::UnknownLink)?;
    network(LinkType(link), within.ok_or(Stop::Malformed)?, descent)
}

/// The fields of Apple's `pktap.h` that lead to the packet.
struct Pktap {
    /// Bytes of the header.
    length: u32,
    /// 1: a packet follows.
    next: u32,
    /// The DLT of that packet.
    link: u32,
}

impl Pktap {
    /// In the byte order of the host that captured: the length has two bytes that are not 0 at
    /// most.
    fn read(data: &[u8]) -> Option<Self> {
        let (words, _) = data.get(..12)?.as_chunks::<4>();
        let [length, next, link] = words else { return None };
        let word = match length {
            [_, _, 0, 0] => u32::from_le_bytes,
            _ => u32::from_be_bytes,
        };
        Some(Self { length: word(*length), next: word(*next), link: word(*link) })
    }

    fn is_of_a_packet(&self) -> bool {
        self.next == 1 && (PKTAP_LEAST..=PKTAP_MOST).contains(&self.length)
    }
}

/// The number that OpenBSD gives to raw IP in its own files.
const RAW_OPENBSD: LinkType = LinkType(14);

/// Addresses of Cisco's framing, where PPP has 0xff or nothing.
const CISCO_UNICAST: u8 = 0x0f;
const CISCO_BROADCAST: u8 = 0x8f;

/// The attribute NFULA_PAYLOAD.
const NFLOG_PAYLOAD: u8 = 9;

/// The three words, a name of 24 bytes and four words more: the oldest header. Later ones are
/// longer; what is much longer is none.
const PKTAP_LEAST: u32 = 52;
const PKTAP_MOST: u32 = 1_024;
