//! IP headers, version 4 and 6, down to what they carry.

use std::net::IpAddr;

use etherparse::{
    IpAuthHeaderSlice, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice,
    Ipv6RawExtHeaderSlice, ip_number,
};

use super::Malformed;

/// An IP packet without its headers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ip<'a> {
    pub from: IpAddr,
    pub to: IpAddr,
    /// What the payload is.
    pub protocol: IpNumber,
    /// What was captured of the payload, without the padding of the link.
    pub payload: &'a [u8],
    /// Bytes of the payload after those, which the capture lacks.
    pub missing: u32,
    /// Where the payload belongs, if it is only a part.
    pub fragment: Option<Fragment>,
    /// The identification, in version 4.
    pub id: u16,
    /// How many more routers it may pass.
    pub ttl: u8,
}

/// The place of a fragment in its packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    /// Chosen by the sender, the same for all fragments of a packet.
    pub id: u32,
    /// Where it begins, in bytes.
    pub offset: u32,
    /// Whether others follow.
    pub more: bool,
}

/// Reads the headers of an IP packet of which the snap length cut `cut` bytes.
///
/// # Errors
///
/// `Malformed` where a header is not whole, or its lengths contradict each other.
pub(super) fn parse(bytes: &[u8], cut: u32) -> Result<Ip<'_>, Malformed> {
    match bytes.first().ok_or(Malformed)? >> 4 {
        4 => parse_v4(bytes, cut),
        6 => parse_v6(bytes, cut),
        _ => Err(Malformed),
    }
}

fn parse_v4(bytes: &[u8], cut: u32) -> Result<Ip<'_>, Malformed> {
    let header = Ipv4HeaderSlice::from_slice(bytes).map_err(|_| Malformed)?;
    let rest = bytes.get(header.slice().len()..).ok_or(Malformed)?;
    let told = match usize::from(header.total_len()) {
        // Not filled in yet: the network card cuts the packet into smaller ones later.
        0 => None,
        total => Some(total.checked_sub(header.slice().len()).ok_or(Malformed)?),
    };
    let (payload, missing) = bound(rest, told, cut);
    let fragment = header.is_fragmenting_payload().then(|| Fragment {
        id: u32::from(header.identification()),
        offset: u32::from(header.fragments_offset().value()) * 8,
        more: header.more_fragments(),
    });
    let (protocol, payload) = match fragment {
        // A later part does not begin with a header.
        Some(_) => (header.protocol(), payload),
        None => {
            let (protocol, payload, _) = skip_extensions(header.protocol(), payload)?;
            (protocol, payload)
        }
    };
    Ok(Ip {
        from: header.source_addr().into(),
        to: header.destination_addr().into(),
        protocol,
        payload,
        missing,
        fragment,
        id: header.identification(),
        ttl: header.ttl(),
    })
}

fn parse_v6(bytes: &[u8], cut: u32) -> Result<Ip<'_>, Malformed> {
    let header = Ipv6HeaderSlice::from_slice(bytes).map_err(|_| Malformed)?;
    let rest = bytes.get(header.slice().len()..).ok_or(Malformed)?;
    let told = match usize::from(header.payload_length()) {
        // Offload as in version 4, or a jumbogram, which says its length in an option.
        0 => None,
        length => Some(length),
    };
    let (payload, missing) = bound(rest, told, cut);
    let (protocol, payload, fragment) = skip_extensions(header.next_header(), payload)?;
    Ok(Ip {
        from: header.source_addr().into(),
        to: header.destination_addr().into(),
        protocol,
        payload,
        missing,
        fragment,
        id: 0,
        ttl: header.hop_limit(),
    })
}

/// Whether these bytes, behind which `cut` were cut, can hardly be anything but an IP packet: for
/// places where nothing in front of them says so.
pub(super) fn is_sound(bytes: &[u8], cut: u32) -> bool {
    let on_the_link = bytes.len() as u64 + u64::from(cut);
    match bytes.first().map(|first| first >> 4) {
        Some(4) => Ipv4HeaderSlice::from_slice(bytes).is_ok_and(|header| {
            let whole = usize::from(header.total_len());
            whole >= header.slice().len()
                && whole as u64 <= on_the_link
                && header.header_checksum() == header.to_header().calc_header_checksum()
        }),
        Some(6) => Ipv6HeaderSlice::from_slice(bytes).is_ok_and(|header| {
            let whole = u64::from(header.payload_length()) + header.slice().len() as u64;
            let next = header.next_header();
            let known = [ip_number::TCP, ip_number::UDP, ip_number::IPV6_ICMP].contains(&next);
            whole <= on_the_link && (known || is_extension(next))
        }),
        _ => false,
    }
}

/// The payload without what follows it on the link, and how many of its bytes are missing. Where
/// the header does not tell the length, the payload reaches to the end of the packet.
fn bound(rest: &[u8], told: Option<usize>, cut: u32) -> (&[u8], u32) {
    match told {
        None => (rest, cut),
        Some(told) => match rest.get(..told) {
            Some(payload) => (payload, 0),
            // At most 65,535, as the length field has 16 bits.
            None => (rest, u32::try_from(told - rest.len()).unwrap_or(u32::MAX)),
        },
    }
}

/// Whether `protocol` is a header behind which the payload's real protocol hides.
pub(super) fn is_extension(protocol: IpNumber) -> bool {
    EXTENSIONS.contains(&protocol)
}

/// Walks over the extension headers of version 6 (RFC 8200, section 4) and the authentication
/// header of both versions, to the first fragment header that cuts the payload.
///
/// # Errors
///
/// `Malformed` where an extension header is not whole.
pub(super) fn skip_extensions(
    mut protocol: IpNumber,
    mut rest: &[u8],
) -> Result<(IpNumber, &[u8], Option<Fragment>), Malformed> {
    while is_extension(protocol) {
        let (next, length) = match protocol {
            ip_number::AUTH => {
                let header = IpAuthHeaderSlice::from_slice(rest).map_err(|_| Malformed)?;
                (header.next_header(), header.slice().len())
            }
            ip_number::IPV6_FRAG => {
                let header = Ipv6FragmentHeaderSlice::from_slice(rest).map_err(|_| Malformed)?;
                let length = header.slice().len();
                if header.is_fragmenting_payload() {
                    let fragment = Fragment {
                        id: header.identification(),
                        offset: u32::from(header.fragment_offset().value()) * 8,
                        more: header.more_fragments(),
                    };
                    let payload = rest.get(length..).ok_or(Malformed)?;
                    return Ok((header.next_header(), payload, Some(fragment)));
                }
                (header.next_header(), length)
            }
            _ => {
                let header = Ipv6RawExtHeaderSlice::from_slice(rest).map_err(|_| Malformed)?;
                (header.next_header(), header.slice().len())
            }
        };
        protocol = next;
        rest = rest.get(length..).ok_or(Malformed)?;
    }
    Ok((protocol, rest, None))
}

const EXTENSIONS: [IpNumber; 6] = [
    ip_number::IPV6_HOP_BY_HOP,
    ip_number::IPV6_ROUTE,
    ip_number::IPV6_FRAG,
    ip_number::AUTH,
    ip_number::IPV6_DEST_OPTIONS,
    ip_number::MOBILITY,
];
