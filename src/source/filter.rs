//! The capture filter: what the kernel hands to us at all, as text for libpcap's compiler. Pure.

use std::fmt::Write;
use std::ops::RangeInclusive;

/// What to capture: TCP of some ports, or of all, and what the user asked for beside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureFilter {
    /// Ports of either end; empty means all.
    pub ports: Vec<RangeInclusive<u16>>,
    /// A filter in the language of tcpdump that must hold too.
    pub user: Option<String>,
    /// Whether packets are wanted that carry others inside: what is in them is not looked at.
    pub tunnels: bool,
}

impl CaptureFilter {
    /// The filter for links whose packets bear no VLAN tag.
    pub fn untagged(&self) -> String {
        let tcp = self.tcp();
        match self.user() {
            Some(user) => format!("({user}) and ({tcp})"),
            None => tcp,
        }
    }

    /// The filter for packets with no, one or two VLAN tags.
    ///
    /// `vlan` moves everything that is written after it, up to the end of the text, behind a tag.
    /// So packets without one come first, and the user's part is repeated behind each `vlan`.
    pub fn tagged(&self) -> String {
        let inner = self.untagged();
        format!("({inner}) or (vlan and (({inner}) or (vlan and ({inner}))))")
    }

    /// The user's part, if it says anything.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref().map(str::trim).filter(|user| !user.is_empty())
    }

    fn tcp(&self) -> String {
        let mut text = String::new();
        if self.ports.is_empty() {
            text.push_str("tcp or ");
        }
        for ports in &self.ports {
            let (first, last) = (ports.start(), ports.end());
            // Writing to a String cannot fail.
            let _ = if first == last {
                write!(text, "tcp port {first} or ")
            } else {
                write!(text, "tcp portrange {first}-{last} or ")
            };
        }
        if !self.ports.is_empty() {
            text = text + FRAGMENTS + " or ";
        }
        text.push_str(UNREACHABLE);
        if self.tunnels {
            text = text + " or " + TUNNELS;
        }
        text
    }
}

/// Fragments of TCP other than the first. The ports are only in the first one, and a message that
/// lacks the rest of its packet is lost; they are rare enough to take those of every port.
/// IPv4: a fragment offset that is not 0. IPv6: next header 44, fragment, and TCP after it.
const FRAGMENTS: &str = "(ip proto 6 and ip[6:2] & 0x1fff != 0) or (ip6[6] = 44 and ip6[40] = 6)";

/// That something could not be reached by TCP: ICMP type 3 and ICMPv6 type 1, in which the header
/// of the packet stands that could not be delivered.
const UNREACHABLE: &str = "(icmp[0] = 3 and icmp[17] = 6) or \
                           (ip6[6] = 58 and ip6[40] = 1 and ip6[54] = 6)";

/// Packets that carry others: VXLAN (also Linux's older port) and Geneve, with the fragments of
/// UDP that they make; GRE, IPv4 and IPv6 inside of either; MPLS, PPPoE.
const TUNNELS: &str = "udp port 4789 or udp port 8472 or udp port 6081 or \
                       (ip proto 17 and ip[6:2] & 0x1fff != 0) or (ip6[6] = 44 and ip6[40] = 17) or \
                       ip proto 47 or ip6 proto 47 or ip proto 4 or ip6 proto 4 or \
                       ip proto 41 or ip6 proto 41 or \
                       ether proto 0x8847 or ether proto 0x8848 or ether proto 0x8864";

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(ports: &[RangeInclusive<u16>], user: Option<&str>) -> CaptureFilter {
        CaptureFilter { ports: ports.to_vec(), user: user.map(str::to_owned), tunnels: false }
    }

    #[test]
    fn text() {
        let tcp = format!("tcp or {UNREACHABLE}");
        assert_eq!(filter(&[], None).untagged(), tcp);
        assert_eq!(filter(&[], Some("  ")).untagged(), tcp);
        assert_eq!(
            filter(&[], None).tagged(),
            format!("({tcp}) or (vlan and (({tcp}) or (vlan and ({tcp}))))")
        );
        assert_eq!(
            filter(&[8888..=8888, 3000..=3010], Some("host ::1 or net 10")).untagged(),
            "(host ::1 or net 10) and (tcp port 8888 or tcp portrange 3000-3010 or \
             (ip proto 6 and ip[6:2] & 0x1fff != 0) or (ip6[6] = 44 and ip6[40] = 6) or \
             (icmp[0] = 3 and icmp[17] = 6) or (ip6[6] = 58 and ip6[40] = 1 and ip6[54] = 6))"
        );
    }

    /// What the kernel would do with packets of each kind.
    #[cfg(feature = "live")]
    mod compiled {
        use pcap::{Capture, Linktype};

        use super::*;

        fn ipv4(protocol: u8, fragment: u16, from: u16, to: u16) -> Vec<u8> {
            let mut ip =
                vec![0x45, 0, 0, 40, 0, 1, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
            ip[6..8].copy_from_slice(&fragment.to_be_bytes());
            ip.extend(from.to_be_bytes());
            ip.extend(to.to_be_bytes());
            ip.resize(40, 0);
            ip
        }

        fn ipv6(next: u8, from: u16, to: u16) -> Vec<u8> {
            let mut ip = vec![0x60, 0, 0, 0, 0, 28, next, 64];
            ip.resize(40, 0);
            if next == 44 {
                ip.extend([6, 0, 0, 0x10, 0, 0, 0, 1]);
            }
            ip.extend(from.to_be_bytes());
            ip.extend(to.to_be_bytes());
            ip.resize(70, 0);
            ip
        }

        fn ethernet(tags: &[u16], ip: &[u8]) -> Vec<u8> {
            let mut frame = vec![0; 12];
            for tag in tags {
                frame.extend(tag.to_be_bytes());
                frame.extend([0, 5]);
            }
            let v6 = ip[0] >> 4 == 6;
            frame.extend(if v6 { [0x86, 0xDD] } else { [0x08, 0x00] });
            frame.extend(ip);
            frame
        }

        fn cooked(ip: &[u8]) -> Vec<u8> {
            // SLL2: the protocol first, then 18 bytes of interface and address.
            let mut frame = vec![0x08, 0x00];
            frame.resize(20, 0);
            frame.extend(ip);
            frame
        }

        #[test]
        fn ports_with_and_without_tags() {
            let program = Capture::dead(Linktype::ETHERNET)
                .unwrap()
                .compile(&filter(&[8888..=8888, 3000..=3010], None).tagged(), true)
                .unwrap();
            for tags in [&[][..], &[0x8100], &[0x88A8, 0x8100]] {
                let takes = |ip: &[u8]| program.filter(&ethernet(tags, ip));
                assert!(takes(&ipv4(6, 0, 8888, 50_000)), "{tags:?}");
                assert!(takes(&ipv4(6, 0, 50_000, 3005)), "{tags:?}");
                assert!(takes(&ipv6(6, 8888, 50_000)), "{tags:?}");
                // Fragments: the first has the port, the others need not.
                assert!(takes(&ipv4(6, 0x2000, 8888, 1)), "{tags:?}");
                assert!(takes(&ipv4(6, 0x00B9, 1, 1)), "{tags:?}");
                assert!(takes(&ipv6(44, 1, 1)), "{tags:?}");
                assert!(!takes(&ipv4(6, 0x4000, 80, 50_000)), "{tags:?}");
                assert!(!takes(&ipv4(17, 0, 8888, 8888)), "{tags:?}");
                assert!(!takes(&ipv4(17, 0x00B9, 8888, 8888)), "{tags:?}");
                assert!(!takes(&ipv6(17, 8888, 8888)), "{tags:?}");
            }
        }

        #[test]
        fn what_says_that_a_port_cannot_be_reached_passes() {
            for ports in [&[][..], &[8888..=8888]] {
                let text = filter(ports, None).tagged();
                let program =
                    Capture::dead(Linktype::ETHERNET).unwrap().compile(&text, true).unwrap();
                for tags in [&[][..], &[0x8100], &[0x88A8, 0x8100]] {
                    for (kind, quoted, taken) in [(3_u16, 6, true), (3, 17, false), (8, 6, false)] {
                        // The message stands where a packet of TCP has its ports.
                        let mut ip = ipv4(1, 0, kind << 8 | 3, 0);
                        ip.truncate(24);
                        ip.extend([0; 4]);
                        ip.extend(ipv4(quoted, 0, 50_000, 8888));
                        assert_eq!(program.filter(&ethernet(tags, &ip)), taken, "{kind} {quoted}");
                    }
                    for (kind, quoted, taken) in [(1_u16, 6, true), (1, 17, false), (128, 6, false)]
                    {
                        let mut ip = ipv6(58, kind << 8 | 4, 0);
                        ip.truncate(48);
                        ip.extend(ipv6(quoted, 50_000, 8888));
                        assert_eq!(program.filter(&ethernet(tags, &ip)), taken, "{kind} {quoted}");
                    }
                }
            }
        }

        #[test]
        fn tunnels_pass_where_they_are_wanted() {
            let with_ethertype = |kind: u16| {
                let mut frame = vec![0; 12];
                frame.extend(kind.to_be_bytes());
                frame.resize(60, 0);
                frame
            };
            let tunnels = [
                ethernet(&[], &ipv4(17, 0, 50_000, 4789)),
                ethernet(&[], &ipv6(17, 50_000, 8472)),
                ethernet(&[0x8100], &ipv4(17, 0, 50_000, 6081)),
                ethernet(&[], &ipv4(17, 0x00B9, 1, 1)),
                ethernet(&[], &ipv4(47, 0, 0, 0x0800)),
                ethernet(&[0x8100], &ipv6(47, 0, 0x0800)),
                ethernet(&[], &ipv4(4, 0, 0x4500, 0)),
                ethernet(&[], &ipv4(41, 0, 0x6000, 0)),
                ethernet(&[], &ipv6(4, 0x4500, 0)),
                ethernet(&[], &ipv6(41, 0x6000, 0)),
                with_ethertype(0x8847),
                with_ethertype(0x8864),
            ];
            for wanted in [false, true] {
                let all = CaptureFilter { tunnels: wanted, ..filter(&[8888..=8888], None) };
                let compile = |link: i32, text: &str| {
                    Capture::dead(Linktype(link)).unwrap().compile(text, true).unwrap()
                };
                let program = compile(1, &all.tagged());
                for (index, frame) in tunnels.iter().enumerate() {
                    assert_eq!(program.filter(frame), wanted, "{index}");
                }
                assert!(program.filter(&ethernet(&[], &ipv4(6, 0, 8888, 2))));
                assert!(!program.filter(&ethernet(&[], &ipv4(17, 0, 53, 2))));
                assert!(!program.filter(&ethernet(&[], &ipv4(6, 0, 80, 2))));
                assert_eq!(compile(12, &all.untagged()).filter(&ipv4(47, 0, 0, 0)), wanted);
                let cooked_gre = cooked(&ipv4(47, 0, 0, 0));
                assert_eq!(compile(276, &all.untagged()).filter(&cooked_gre), wanted);
            }
        }

        #[test]
        fn the_users_part_holds_behind_tags_too() {
            let capture = Capture::dead(Linktype::ETHERNET).unwrap();
            for (user, taken) in [("src host 10.0.0.1", true), ("src host 10.0.0.2", false)] {
                let text = filter(&[8888..=8888], Some(user)).tagged();
                let program = capture.compile(&text, true).unwrap();
                for tags in [&[][..], &[0x8100], &[0x88A8, 0x8100]] {
                    let frame = ethernet(tags, &ipv4(6, 0, 8888, 50_000));
                    assert_eq!(program.filter(&frame), taken, "{user} {tags:?}");
                }
            }
            // A tag that the user names himself.
            let text = filter(&[8888..=8888], Some("vlan 5")).tagged();
            let program = capture.compile(&text, true).unwrap();
            let ip = ipv4(6, 0, 8888, 50_000);
            assert!(program.filter(&ethernet(&[0x8100], &ip)));
            assert!(!program.filter(&ethernet(&[], &ip)));
        }

        #[test]
        fn every_port_and_every_link() {
            let all = filter(&[], None);
            let program =
                |link: i32, text: &str| Capture::dead(Linktype(link)).unwrap().compile(text, true);
            let ethernet_all = program(1, &all.tagged()).unwrap();
            assert!(ethernet_all.filter(&ethernet(&[], &ipv4(6, 0, 1, 2))));
            assert!(ethernet_all.filter(&ethernet(&[0x8100], &ipv6(6, 1, 2))));
            // A later fragment has its protocol, too.
            assert!(ethernet_all.filter(&ethernet(&[], &ipv4(6, 0x00B9, 1, 2))));
            assert!(ethernet_all.filter(&ethernet(&[], &ipv6(44, 1, 2))));
            assert!(!ethernet_all.filter(&ethernet(&[], &ipv4(17, 0, 1, 2))));
            let ports = filter(&[8888..=8888], None);
            let cooked_ports = program(276, &ports.untagged()).unwrap();
            assert!(cooked_ports.filter(&cooked(&ipv4(6, 0, 8888, 2))));
            assert!(!cooked_ports.filter(&cooked(&ipv4(6, 0, 88, 2))));
            let raw_ports = program(12, &ports.untagged()).unwrap();
            assert!(raw_ports.filter(&ipv4(6, 0, 8888, 2)));
            assert!(program(12, &ports.tagged()).is_err(), "tags are not for every link");
        }
    }
}
