//! What Ethernet types and their like name: from behind them to the IP header, through VLAN tags,
//! LLC, MPLS, PPP and PPPoE.

use super::descent::{Descent, Mark, Stop};
use super::ip;
use super::{Malformed, Other};

impl From<Malformed> for Stop {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// The IP packet in an Ethernet frame, and perhaps the padding of the frame.
///
/// # Errors
///
/// Where there is none, or a header in front of it is not whole. So do the others here.
pub(super) fn frame<'a>(data: &'a [u8], descent: &mut Descent) -> Result<&'a [u8], Stop> {
    let (header, rest) = take::<14>(data)?;
    let [.., high, low] = *header;
    typed(u16::from_be_bytes([high, low]), rest, descent)
}

/// The IP packet behind an Ethernet type.
pub(super) fn typed<'a>(
    mut ether_type: u16,
    mut data: &'a [u8],
    descent: &mut Descent,
) -> Result<&'a [u8], Stop> {
    // Tags, however many: each is four bytes, and they are not nested.
    loop {
        match ether_type {
            IPV4 | IPV6 => return Ok(data),
            VLAN | PROVIDER_VLAN | DOUBLE_VLAN => {
                // Priority and VLAN number, then the type of what follows.
                let ([a, b, high, low], rest) = take::<4>(data)?;
                let vlan = u16::from_be_bytes([*a, *b]) & 0x0fff;
                // Number 0 is a priority without a VLAN, which one direction may lack.
                if vlan != 0 {
                    descent.mark(Mark::Vlan(vlan));
                }
                ether_type = u16::from_be_bytes([*high, *low]);
                data = rest;
            }
            MPLS | MPLS_MULTICAST => return mpls(data, descent),
            PPPOE => return pppoe(data, descent),
            // It is the length of an 802.3 frame.
            ..FIRST_TYPE => return llc(data, descent),
            ARP => return Err(Stop::Other(Other::Arp)),
            MACSEC => return Err(Stop::Other(Other::Macsec)),
            other => return Err(Stop::Other(Other::EtherType(other))),
        }
    }
}

/// The IP packet behind an LLC header (IEEE 802.2; RFC 1042).
pub(super) fn llc<'a>(data: &'a [u8], descent: &mut Descent) -> Result<&'a [u8], Stop> {
    descent.open()?;
    match data {
        [0x06, 0x06, 0x03, rest @ ..] => Ok(rest),
        // The organisation code of encapsulated Ethernet types, or of those that bridges translate.
        [0xaa, 0xaa, 0x03, 0, 0, 0 | 0xf8, high, low, rest @ ..] => {
            typed(u16::from_be_bytes([*high, *low]), rest, descent)
        }
        [0xaa, 0xaa, 0x03] | [] | [_] | [_, _] => Err(Stop::Malformed),
        _ => Err(Stop::Other(Other::Llc)),
    }
}

/// The IP packet below a stack of labels (RFC 3032), which do not say what they carry.
pub(super) fn mpls<'a>(mut data: &'a [u8], descent: &mut Descent) -> Result<&'a [u8], Stop> {
    descent.open()?;
    let below = loop {
        // Label, traffic class and whether it is the last; time to live.
        let ([_, _, last, _], rest) = take::<4>(data)?;
        data = rest;
        if last & 1 == 1 {
            break rest;
        }
    };
    // The first four bits of IP are its version; those of a pseudowire's control word are 0, so
    // that the two are told apart (RFC 4385, section 3). Without that word an Ethernet frame
    // follows, whose address may begin with any bits: both are believed only where they hold a
    // sound packet.
    match below.first().ok_or(Stop::Malformed)? >> 4 {
        4 | 6 if ip::is_sound(below, descent.cut) => return Ok(below),
        0 => {
            let (_, behind) = take::<4>(below)?;
            if let Some(bytes) = sound_frame(behind, descent) {
                return Ok(bytes);
            }
        }
        _ => {}
    }
    if let Some(bytes) = sound_frame(below, descent) {
        return Ok(bytes);
    }
    match below.first().ok_or(Stop::Malformed)? >> 4 {
        4 | 6 => Ok(below),
        _ => Err(Stop::Other(Other::Mpls)),
    }
}

/// The IP packet in an Ethernet frame, if it is certain that it is one.
pub(super) fn sound_frame<'a>(data: &'a [u8], descent: &mut Descent) -> Option<&'a [u8]> {
    let mut further = *descent;
    let bytes = frame(data, &mut further).ok().filter(|bytes| ip::is_sound(bytes, further.cut))?;
    *descent = further;
    Some(bytes)
}

/// The IP packet in a PPPoE session (RFC 2516, section 4).
pub(super) fn pppoe<'a>(data: &'a [u8], descent: &mut Descent) -> Result<&'a [u8], Stop> {
    descent.open()?;
    // Version and type, code, session, length.
    let ([version, code, high, low, ..], rest) = take::<6>(data)?;
    if (*version, *code) != (0x11, 0) {
        return Err(Stop::Malformed);
    }
    descent.mark(Mark::Session(u16::from_be_bytes([*high, *low])));
    ppp(rest, descent)
}

/// The IP packet in a frame of PPP, with the address and control bytes of HDLC or without (RFC
/// 1662).
pub(super) fn ppp<'a>(data: &'a [u8], descent: &mut Descent) -> Result<&'a [u8], Stop> {
    let data = data.strip_prefix(&[0xff, 0x03]).unwrap_or(data);
    // A protocol number ends with the first odd byte, and has two (RFC 1661, section 6.5).
    let (protocol, rest) = match data {
        [low, rest @ ..] if low & 1 == 1 => (u16::from(*low), rest),
        [high, low, rest @ ..] => (u16::from_be_bytes([*high, *low]), rest),
        _ => return Err(Stop::Malformed),
    };
    match protocol {
        0x0021 | 0x0057 => Ok(rest),
        0x0281 | 0x0283 => mpls(rest, descent),
        other => Err(Stop::Other(Other::Ppp(other))),
    }
}

/// The first bytes, which must be there.
pub(super) fn take<const N: usize>(data: &[u8]) -> Result<(&[u8; N], &[u8]), Stop> {
    data.split_first_chunk::<N>().ok_or(Stop::Malformed)
}

pub(super) const IPV4: u16 = 0x0800;
pub(super) const IPV6: u16 = 0x86dd;
/// 802.1Q.
pub(super) const VLAN: u16 = 0x8100;
/// 802.1ad, the outer tag.
pub(super) const PROVIDER_VLAN: u16 = 0x88a8;
/// The outer tag before 802.1ad was written.
const DOUBLE_VLAN: u16 = 0x9100;
pub(super) const MPLS: u16 = 0x8847;
pub(super) const MPLS_MULTICAST: u16 = 0x8848;
const PPPOE: u16 = 0x8864;
const ARP: u16 = 0x0806;
const MACSEC: u16 = 0x88e5;
/// The lowest number that is a type and no length (IEEE 802.3, 3.2.6).
const FIRST_TYPE: u16 = 0x0600;
