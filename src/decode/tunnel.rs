//! Tunnels over IP: from the payload of one IP packet to the IP packet within.

use etherparse::{IpNumber, UdpHeaderSlice, ip_number};

use super::Other;
use super::descent::{Descent, Mark, Stop};
use super::ether::{self, frame, take, typed};
use super::ip::{self, Ip};

/// The IP packet that an IP packet carries.
///
/// # Errors
///
/// Where it carries something else, or a header in front of it is not whole. So do the others here.
pub(super) fn inner<'a>(outer: &Ip<'a>, descent: &mut Descent) -> Result<&'a [u8], Stop> {
    let payload = outer.payload;
    descent.cut = outer.missing;
    // The ends are passed only where something is opened.
    let ends = Mark::Ends(outer.from, outer.to);
    match outer.protocol {
        ip_number::UDP => udp(payload, ends, descent),
        ip_number::IPV4 | ip_number::IPV6 => {
            open(ends, descent)?;
            Ok(payload)
        }
        ip_number::GRE => gre(payload, ends, descent),
        ip_number::ETHER_IP => {
            open(ends, descent)?;
            // Version 3 and nothing else (RFC 3378).
            let (_, rest) = take::<2>(payload)?;
            frame(rest, descent)
        }
        ip_number::MPLS_IN_IP => {
            descent.mark(ends);
            ether::mpls(payload, descent)
        }
        ip_number::ICMP | ip_number::IPV6_ICMP => Err(Stop::Other(Other::Icmp)),
        ip_number::ENCAP_SEC => Err(Stop::Other(Other::Esp)),
        ip_number::LAYER2_TUNNELING_PROTOCOL => Err(Stop::Other(Other::L2tp)),
        IpNumber(other) => Err(Stop::Other(Other::IpProtocol(other))),
    }
}

/// Whether fragments of this protocol may be parts of a packet with an IP packet within, or with
/// TCP.
pub(super) fn may_be_opened(protocol: IpNumber) -> bool {
    OPENED.contains(&protocol) || ip::is_extension(protocol)
}

fn open(ends: Mark, descent: &mut Descent) -> Result<(), Stop> {
    descent.mark(ends);
    descent.open()
}

fn udp<'a>(data: &'a [u8], ends: Mark, descent: &mut Descent) -> Result<&'a [u8], Stop> {
    let header = UdpHeaderSlice::from_slice(data).map_err(|_| Stop::Malformed)?;
    let rest = data.get(header.slice().len()..).ok_or(Stop::Malformed)?;
    let (from, to) = (header.source_port(), header.destination_port());
    let either = |port| from == port || to == port;
    match (to, rest) {
        // The flag says that there is a network number; without it a receiver drops the packet.
        (VXLAN | VXLAN_LINUX | VXLAN_GPE, [flags, ..]) if flags & VXLAN_NETWORK != 0 => {
            open(ends, descent)?;
            vxlan(rest, descent)
        }
        (VXLAN | VXLAN_GPE, [_, ..]) => Err(Stop::Other(Other::Vxlan)),
        (VXLAN | VXLAN_GPE | GENEVE | GRE | MPLS, []) => Err(Stop::Malformed),
        (GENEVE, _) => {
            open(ends, descent)?;
            geneve(rest)?.inner(descent)
        }
        (GRE, _) => gre(rest, ends, descent),
        (MPLS, _) => {
            descent.mark(ends);
            ether::mpls(rest, descent)
        }
        // On another port the form must leave no doubt: no flag or reserved bit but the one, and
        // within a frame with a packet of IP whose length is right and whose checksum is valid.
        (_, [VXLAN_NETWORK, 0, 0, 0, _, _, _, 0, within @ ..]) => {
            let mut further = *descent;
            open(ends, &mut further)?;
            mark_network(rest, &mut further);
            let bytes = ether::sound_frame(within, &mut further);
            bytes.inspect(|_| *descent = further).ok_or(Stop::Other(Other::Udp))
        }
        // What may lie in a key exchange is marked by four bytes of 0 (RFC 3948, section 2.2).
        (_, [a, b, c, d, ..]) if either(ESP) && [*a, *b, *c, *d] != [0; 4] => {
            Err(Stop::Other(Other::Esp))
        }
        // Version 2, and data (RFC 2661, section 3.1).
        (_, [flags, version, ..]) if either(L2TP) && flags & 0x80 == 0 && version & 0x0f == 2 => {
            Err(Stop::Other(Other::L2tp))
        }
        // Version 1, and a packet of a user (3GPP TS 29.281, section 5.1).
        (_, [flags, 0xff, ..]) if either(GTP) && flags & 0xf0 == 0x30 => {
            Err(Stop::Other(Other::Gtp))
        }
        (_, [1..=4, 0, 0, 0, ..]) if either(WIREGUARD) => Err(Stop::Other(Other::WireGuard)),
        _ => Err(Stop::Other(Other::Udp)),
    }
}

/// RFC 7348, section 5, and the next protocol of its extension (draft-ietf-nvo3-vxlan-gpe).
fn vxlan<'a>(data: &'a [u8], descent: &mut Descent) -> Result<&'a [u8], Stop> {
    let ([flags, _, _, next, ..], rest) = take::<8>(data)?;
    mark_network(data, descent);
    match (flags & VXLAN_NEXT != 0, next) {
        (false, _) | (true, 3) => frame(rest, descent),
        (true, 1 | 2) => Ok(rest),
        _ => Err(Stop::Other(Other::Vxlan)),
    }
}

/// The network number stands in the same place in VXLAN and Geneve.
fn mark_network(header: &[u8], descent: &mut Descent) {
    if let [_, _, _, _, a, b, c, ..] = *header {
        descent.mark(Mark::Network(u32::from_be_bytes([0, a, b, c])));
    }
}

/// What a header names, of the same kinds as Ethernet types.
struct Named<'a> {
    ether_type: u16,
    data: &'a [u8],
    header: &'a [u8],
}

impl<'a> Named<'a> {
    fn inner(&self, descent: &mut Descent) -> Result<&'a [u8], Stop> {
        mark_network(self.header, descent);
        match self.ether_type {
            BRIDGED => frame(self.data, descent),
            known if is_opened(known) => typed(known, self.data, descent),
            _ => Err(Stop::Other(Other::Geneve)),
        }
    }
}

/// RFC 8926, section 3.4.
fn geneve(data: &[u8]) -> Result<Named<'_>, Stop> {
    let ([lengths, _, high, low, ..], rest) = take::<8>(data)?;
    // Two bits of version, then the length of the options in units of four bytes.
    if lengths >> 6 != 0 {
        return Err(Stop::Other(Other::Geneve));
    }
    let options = usize::from(lengths & 0x3f) * 4;
    let within = rest.get(options..).ok_or(Stop::Malformed)?;
    Ok(Named { ether_type: u16::from_be_bytes([*high, *low]), data: within, header: data })
}

/// RFC 2784 and 2890; version 1, which carries PPP, RFC 2637.
fn gre<'a>(data: &'a [u8], ends: Mark, descent: &mut Descent) -> Result<&'a [u8], Stop> {
    let ([flags, version, high, low], mut rest) = take::<4>(data)?;
    let ether_type = u16::from_be_bytes([*high, *low]);
    open(ends, descent)?;
    // A field of four bytes that a flag announces.
    let mut field = |present: bool| -> Result<Option<u32>, Stop> {
        if !present {
            return Ok(None);
        }
        let (bytes, behind) = take::<4>(rest)?;
        rest = behind;
        Ok(Some(u32::from_be_bytes(*bytes)))
    };
    let (checksum, routing, key, sequence) =
        (flags & 0x80 != 0, flags & 0x40 != 0, flags & 0x20 != 0, flags & 0x10 != 0);
    match version & 0x07 {
        0 if !routing => {
            field(checksum)?;
            let key = field(key)?;
            field(sequence)?;
            if let Some(key) = key {
                descent.mark(Mark::Key(shared_key(ether_type, key)));
            }
        }
        // The key is the length and the call, which each side numbers on its own.
        1 if ether_type == PPP => {
            field(key)?;
            field(sequence)?;
            field(version & 0x80 != 0)?;
        }
        _ => return Err(Stop::Other(Other::Gre(ether_type))),
    }
    match ether_type {
        BRIDGED => frame(rest, descent),
        PPP if rest.is_empty() => Err(Stop::Other(Other::Gre(PPP))), // An acknowledgement alone.
        PPP => ether::ppp(rest, descent),
        // draft-foschiano-erspan: type I has no header, and so no sequence number in front of it.
        ERSPAN if !sequence => frame(rest, descent),
        ERSPAN => frame(take::<8>(rest)?.1, descent),
        ERSPAN_III => {
            // The last bit announces eight bytes of the switch's own.
            let ([.., options], rest) = take::<12>(rest)?;
            match options & 1 {
                0 => frame(rest, descent),
                _ => frame(take::<8>(rest)?.1, descent),
            }
        }
        known if is_opened(known) => typed(known, rest, descent),
        other => Err(Stop::Other(Other::Gre(other))),
    }
}

/// What of a key both directions share. In bridged frames the last eight bits may tell flows apart
/// behind a network number, of which the first 4,096 are not given out (RFC 7637, section 3.2).
const fn shared_key(ether_type: u16, key: u32) -> u32 {
    if ether_type == BRIDGED && key >> 20 != 0 { key >> 8 } else { key }
}

/// What a tunnel may carry of the Ethernet types.
const fn is_opened(ether_type: u16) -> bool {
    use ether::{IPV4, IPV6, MPLS, MPLS_MULTICAST, PROVIDER_VLAN, VLAN};
    matches!(ether_type, IPV4 | IPV6 | MPLS | MPLS_MULTICAST | VLAN | PROVIDER_VLAN)
}

const OPENED: [IpNumber; 7] = [
    ip_number::TCP,
    ip_number::UDP,
    ip_number::IPV4,
    ip_number::IPV6,
    ip_number::GRE,
    ip_number::ETHER_IP,
    ip_number::MPLS_IN_IP,
];

// UDP ports. A tunnel sends to them; from which port tells flows apart.
const VXLAN: u16 = 4789;
/// Linux, before the number was assigned, and since.
const VXLAN_LINUX: u16 = 8472;
const VXLAN_GPE: u16 = 4790;
const GENEVE: u16 = 6081;
/// RFC 8086.
const GRE: u16 = 4754;
/// RFC 7510.
const MPLS: u16 = 6635;
const ESP: u16 = 4500;
const L2TP: u16 = 1701;
const GTP: u16 = 2152;
const WIREGUARD: u16 = 51820;

/// The flag of VXLAN that the network number holds.
const VXLAN_NETWORK: u8 = 0x08;
/// The flag of its extension that the next protocol is named.
const VXLAN_NEXT: u8 = 0x04;

/// An Ethernet frame within.
const BRIDGED: u16 = 0x6558;
const PPP: u16 = 0x880b;
const ERSPAN: u16 = 0x88be;
const ERSPAN_III: u16 = 0x22eb;
