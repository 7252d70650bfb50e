//! A capture that began late, whose client has the lower port: the stream takes it for the server
//! until the messages say who is who. What was counted of a side is then told of the right one.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::wire::SYN;
use common::{fixtures, read, wire};
use nestscope::endpoint::PerSide;
use nestscope::engine::{Config, Engine, EngineEvent};

const SERVER: u16 = 8_888;
const CLIENT: u16 = 1_025;

#[test]
fn what_was_counted_of_a_side_is_told_of_that_side() {
    let mut sent = PerSide { client: 0, server: 0 };
    let mut over = Vec::new();
    let mut engine = Engine::new(Config::default());
    let mut emit = |update: EngineEvent<'_>| {
        if let EngineEvent::Closed(closed) = update {
            over.push((closed.ends, closed.counts.packets));
        }
    };
    for (raw, number) in read(&fixtures().join("walkthrough.pcap")).iter().zip(1..) {
        let mut tcp = wire::parse(raw);
        if tcp.flags & SYN != 0 {
            continue;
        }
        let count = if tcp.from_port == SERVER { &mut sent.server } else { &mut sent.client };
        *count += 1;
        let port = if tcp.from_port == SERVER { &mut tcp.to_port } else { &mut tcp.from_port };
        *port = CLIENT;
        engine.push(&tcp.ethernet().packet(number), &mut emit);
    }
    engine.finish(&mut emit);
    assert_ne!(sent.client, sent.server, "or nothing is shown");
    let [(ends, packets)] = over[..] else { panic!("{over:?}") };
    assert_eq!((ends.client.port(), ends.server.port()), (CLIENT, SERVER));
    assert_eq!(packets, sent);
}
