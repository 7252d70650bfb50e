//! Segments with a wrong checksum that their receivers took, and a frame that is no JSON.

use nestscope::exchange::Status;
use nestscope::packet::LinkType;

use super::SEEDS;
use super::common::mutate::Dice;
use super::common::wire::{FIN, Tcp, with_link};
use super::common::{Raw, analyse, framed};
use super::talk::{ACK, Talk, assert_calls};

/// With the checksum of TCP, or one that is wrong.
fn with_checksum(packet: &Tcp, is_damaged: bool) -> Raw {
    let mut ip = packet.ip();
    let length = u32::try_from(ip.len() - 20).unwrap();
    let words = ip[12..].chunks(2).map(|word| match *word {
        [high, low] => u32::from(high) << 8 | u32::from(low),
        [high] => u32::from(high) << 8,
        _ => 0,
    });
    // The checksum of the header of the test's own packets is zero until now.
    let mut sum = words.sum::<u32>() + 6 + length;
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    let sum = u16::try_from(sum).unwrap();
    let checksum = !sum ^ u16::from(is_damaged);
    ip[36..38].copy_from_slice(&checksum.to_be_bytes());
    with_link(packet.at, LinkType::ETHERNET, &[&[0; 12][..], &[8, 0]].concat(), &ip)
}

/// All of them with their checksums, of which one is wrong.
fn with_checksums(packets: &[Tcp], damaged: usize) -> Vec<Raw> {
    let packets = packets.iter().enumerate();
    packets.map(|(index, packet)| with_checksum(packet, index == damaged)).collect()
}

/// The receiver took a segment whose checksum is wrong: its FIN counts as its bytes do.
#[test]
fn a_fin_on_a_damaged_segment_that_the_receiver_took() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::opened(dice);
        talk.calls(3);
        let damaged = talk.packets.len() + 1;
        talk.request();
        let event = framed(r#"{"pattern":"bye","data":1}"#);
        talk.push(true, ACK | FIN, event.as_bytes());
        talk.push(false, ACK | FIN, b"");
        talk.push(true, ACK, b"");
        let outcome = analyse(&with_checksums(&talk.packets, damaged));
        let counts = outcome.counts.stream;
        assert_eq!((counts.damaged, counts.damaged_believed), (1, 1), "seed {seed}");
        let told: Vec<_> = outcome.records.iter().map(|record| record.status).collect();
        assert!(told.contains(&Status::Closed) && told.contains(&Status::Sent), "{seed}: {told:?}");
    }
}

/// The checksum of one segment is wrong, and no better copy comes: the other side took it as it is.
#[test]
fn a_wrong_checksum_that_is_acknowledged() {
    for seed in 1..=SEEDS {
        let dice = &mut Dice(seed);
        let mut talk = Talk::opened(dice);
        talk.calls(6);
        let wrong = 3 + 4 + dice.below(6);
        talk.close();
        let outcome = analyse(&with_checksums(&talk.packets, wrong));
        let what = format!("seed {seed}, packet {wrong}");
        assert_calls(&what, &outcome, &[("call", talk.calls)]);
        let counts = outcome.counts.stream;
        assert_eq!((counts.damaged, counts.damaged_believed, counts.gaps), (1, 1, 0), "{what}");
    }
}

/// A frame of the right length whose text is no JSON, where a reply was expected: nothing is
/// lacking, the peer threw it away just as well, so the call is not unknown.
#[test]
fn a_reply_that_is_no_json() {
    for ends in [false, true] {
        let mut talk = Talk::opened(&mut Dice(1));
        talk.request();
        let reply = talk.reply().replacen('{', "!", 1);
        talk.push(false, ACK, reply.as_bytes());
        talk.call();
        if ends {
            talk.close();
        }
        let outcome = talk.outcome();
        let statuses: Vec<_> = outcome.records.iter().map(|row| row.status).collect();
        let lost = if ends { Status::Closed } else { Status::Open };
        assert_eq!(statuses, [lost, Status::Ok]);
        assert_eq!(outcome.counts.protocol.undecodable, 1);
    }
}
