//! Makes a large capture out of a small one, for `make bench`.
//!
//! ```text
//! grow FROM TO SERVER_PORT MEGABYTES AT_ONCE
//! ```
//!
//! Takes a capture of IPv4 over Ethernet, such as of the loopback, and repeats it: AT_ONCE
//! copies interleaved packet by packet, and such rounds one after the other until TO is large
//! enough. Each copy has client addresses and sequence numbers of its own, so every one of its
//! connections is another connection. Times ascend. IP checksums are right; those of TCP are left
//! as they are, for on a loopback they were never filled in.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};

use nestscope::packet::LinkType;
use nestscope::source::file::CaptureFile;
use nestscope::source::{Next, Stop};

/// Time between two rounds, so that they do not touch.
const PAUSE_NS: u64 = 1_000_000_000;

const ETHERNET: usize = 14;
const IP_SOURCE: usize = ETHERNET + 12;
const IP_DESTINATION: usize = ETHERNET + 16;
/// Kinds of TCP options.
const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const SELECTIVE_ACK: u8 = 5;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, port, megabytes, at_once] = words.as_slice() else {
        return Err("usage: grow FROM TO SERVER_PORT MEGABYTES AT_ONCE".into());
    };
    let small = Capture::read(from, port.parse()?)?;
    let at_once: u32 = at_once.parse()?;
    let wanted = megabytes.parse::<u64>()? * 1_000_000;
    let rounds = wanted.div_ceil(small.bytes * u64::from(at_once));

    let mut out = BufWriter::with_capacity(1 << 20, File::create(to)?);
    out.write_all(&file_header())?;
    for round in 0..u32::try_from(rounds)? {
        small.round(round, at_once, &mut out)?;
    }
    out.flush()?;
    let copies = rounds * u64::from(at_once);
    eprintln!("{to}: {copies} copies of {} packets, {at_once} at once", small.packets.len());
    Ok(())
}

/// The capture that is repeated.
struct Capture {
    port: u16,
    packets: Vec<Recorded>,
    /// What it takes in a file.
    bytes: u64,
    /// From the first packet to the last.
    duration_ns: u64,
}

/// One packet of it.
struct Recorded {
    at_ns: u64,
    original_len: u32,
    data: Vec<u8>,
}

impl Capture {
    fn read(path: &str, port: u16) -> Result<Self, Failure> {
        let mut file = CaptureFile::open(path, Stop::default())?;
        let mut packets = Vec::new();
        while let Next::Packet(packet) = file.next()? {
            if packet.link != LinkType::ETHERNET {
                return Err(format!("{path}: packet {} is not Ethernet", packet.number).into());
            }
            packets.push(Recorded {
                at_ns: u64::try_from(packet.at.as_nanos())?,
                original_len: packet.original_len,
                data: packet.data.to_vec(),
            });
        }
        packets.sort_by_key(|packet| packet.at_ns);
        let (Some(first), Some(last)) = (packets.first(), packets.last()) else {
            return Err(format!("{path}: no packets").into());
        };
        let duration_ns = last.at_ns - first.at_ns;
        let bytes = packets.iter().map(|packet| 16 + packet.data.len() as u64).sum();
        Ok(Self { port, packets, bytes, duration_ns })
    }

    /// Writes the copies of one round.
    fn round(&self, round: u32, at_once: u32, out: &mut impl Write) -> Result<(), Failure> {
        let later = u64::from(round) * (self.duration_ns + PAUSE_NS);
        let mut scratch = Vec::new();
        for (at, packet) in self.packets.iter().enumerate() {
            // The copies share the time until the next packet.
            let next = self.packets.get(at + 1).map_or(packet.at_ns, |next| next.at_ns);
            let step = (next - packet.at_ns) / u64::from(at_once);
            for copy in 0..at_once {
                scratch.clear();
                scratch.extend_from_slice(&packet.data);
                let number = round * at_once + copy;
                change(&mut scratch, number, self.port)
                    .ok_or_else(|| format!("packet {} is no TCP over IPv4", at + 1))?;
                let at_ns = packet.at_ns + later + step * u64::from(copy);
                out.write_all(&record_header(at_ns, scratch.len(), packet.original_len)?)?;
                out.write_all(&scratch)?;
            }
        }
        Ok(())
    }
}

/// Makes a packet one of copy `number`: `None` where it is no TCP over IPv4.
fn change(packet: &mut [u8], number: u32, port: u16) -> Option<()> {
    if packet.get(12..14)? != [0x08, 0x00] || *packet.get(ETHERNET + 9)? != 6 {
        return None;
    }
    let tcp = ETHERNET + usize::from(packet.get(ETHERNET)? & 0x0f) * 4;
    let to_server = packet.get(tcp + 2..tcp + 4)? == port.to_be_bytes();

    // 10.1.0.1 and up, never the address of a network or of all hosts.
    let (high, low) = (number / 250, number % 250 + 1);
    let client = [10, 1, u8::try_from(high).ok()?, u8::try_from(low).ok()?];
    let address = if to_server { IP_SOURCE } else { IP_DESTINATION };
    packet.get_mut(address..address + 4)?.copy_from_slice(&client);
    fill_in_checksum(packet.get_mut(ETHERNET..tcp)?)?;

    // Steps far apart, so that some copies wrap around and some do not.
    let client_steps = number.wrapping_mul(0x9E37_79B9);
    let server_steps = number.wrapping_mul(0x85EB_CA6B);
    let (own, other) =
        if to_server { (client_steps, server_steps) } else { (server_steps, client_steps) };
    add(packet, tcp + 4, own)?;
    let acknowledges = packet.get(tcp + 13)? & 0x10 != 0;
    if acknowledges {
        add(packet, tcp + 8, other)?;
    }
    let end = tcp + usize::from(packet.get(tcp + 12)? >> 4) * 4;
    let mut option = tcp + 20;
    while option < end {
        let length = match *packet.get(option)? {
            END => break,
            NO_OPERATION => 1,
            kind => {
                let length = usize::from(*packet.get(option + 1)?).max(2);
                if kind == SELECTIVE_ACK {
                    for edge in (option + 2..option + length).step_by(4) {
                        add(packet, edge, other)?;
                    }
                }
                length
            }
        };
        option += length;
    }
    Some(())
}

/// Adds to the sequence number that stands at `at`.
fn add(packet: &mut [u8], at: usize, steps: u32) -> Option<()> {
    let place = packet.get_mut(at..at + 4)?;
    let number = u32::from_be_bytes(<[u8; 4]>::try_from(&*place).ok()?);
    place.copy_from_slice(&number.wrapping_add(steps).to_be_bytes());
    Some(())
}

/// Writes the checksum of an IPv4 header into it.
fn fill_in_checksum(header: &mut [u8]) -> Option<()> {
    header.get_mut(10..12)?.fill(0);
    let sum: u32 =
        header.as_chunks::<2>().0.iter().map(|&two| u32::from(u16::from_be_bytes(two))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    let checksum = !u16::try_from(folded).ok()?;
    header.get_mut(10..12)?.copy_from_slice(&checksum.to_be_bytes());
    Some(())
}

/// The header of a pcap file with nanoseconds.
fn file_header() -> Vec<u8> {
    let snap_len = 262_144_u32;
    let mut header = Vec::new();
    header.extend(0xa1b2_3c4d_u32.to_le_bytes());
    header.extend(2_u16.to_le_bytes());
    header.extend(4_u16.to_le_bytes());
    header.extend([0; 8]);
    header.extend(snap_len.to_le_bytes());
    header.extend(u32::from(LinkType::ETHERNET.0).to_le_bytes());
    header
}

/// The header of a packet in such a file.
fn record_header(at_ns: u64, captured: usize, original: u32) -> Result<[u8; 16], Failure> {
    let words = [
        u32::try_from(at_ns / 1_000_000_000)?,
        u32::try_from(at_ns % 1_000_000_000)?,
        u32::try_from(captured)?,
        original,
    ];
    let mut header = [0; 16];
    for (place, word) in header.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    Ok(header)
}
