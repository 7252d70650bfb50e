//! A report for the tests of the writers.

use std::net::SocketAddr;

use super::Summary;
use crate::endpoint::{ConnectionId, ConnectionNumber, Endpoints, PerSide};
use crate::engine::{Beginning, ConnectionFacts};
use crate::exchange::{Exchange, PatternId};
use crate::protocol::Foreign;
use crate::report::calls::samples::{
    call, event, failed, held, open, orphan, packet, refused, stream, unanswered, unsure,
};
use crate::store::{Capture, Completeness, GroupBy, Statistics};
use crate::stream::{CloseReason, ConnectionCounts, Ended};

/// What a summary is lent.
#[derive(Default)]
pub struct Sample {
    pub capture: Capture,
    pub completeness: Completeness,
    pub statistics: Statistics,
}

impl Sample {
    pub fn summary(&self) -> Summary<'_> {
        Summary {
            filter: None,
            capture: &self.capture,
            completeness: &self.completeness,
            statistics: &self.statistics,
        }
    }

    /// Seven exchanges on one connection of which one is not sure, an orphan reply, two attempts to
    /// connect that failed, and a connection of HTTP.
    pub fn some() -> Self {
        Self::some_by(Vec::new())
    }

    /// The same, grouped.
    pub fn some_by(by: Vec<GroupBy>) -> Self {
        let mut sample = Self {
            capture: Capture {
                packets: 40,
                bytes: 4_096,
                segments: 38,
                span: Some((packet(1, 0).at, packet(1, 5_000_000_000).at)),
            },
            completeness: Completeness {
                frames: 11,
                frames_undecodable: 1,
                kernel_drops: Some(0),
                gaps: 1,
                gap_bytes: 1_448,
                orphan_replies: 1,
                calls_open: 1,
                unsure: 1,
                retransmissions: 1,
                foreign_connections: [(Foreign::Http1, 1)].into(),
                ..Completeness::default()
            },
            statistics: Statistics::by(by),
        };
        let hostile = Exchange { pattern: Some("sl|ow`\u{202e}\u{1b}[2J"), ..open() };
        let another: SocketAddr = "127.0.0.1:8889".parse().unwrap();
        let elsewhere = |exchange: Exchange<'static>| {
            let ends = Endpoints { server: another, ..exchange.ends };
            Exchange { ends, ..exchange }
        };
        for exchange in [
            event(),
            call(),
            failed(),
            stream(),
            hostile,
            orphan(),
            held(),
            unsure(),
            refused(),
            elsewhere(unanswered()),
        ] {
            sample.statistics.add(&exchange);
        }
        sample.close(
            0,
            CloseReason::Finished,
            call().ends,
            None,
            ConnectionCounts {
                packets: PerSide { client: 20, server: 18 },
                bytes: PerSide { client: 1_000, server: 2_000 },
                retransmissions: PerSide { client: 0, server: 1 },
                copies: PerSide::default(),
                gaps: PerSide { client: 0, server: 1 },
                gap_bytes: PerSide { client: 0, server: 1_448 },
                round_trip: None,
            },
        );
        let ends = Endpoints {
            client: "[::1]:40000".parse().unwrap(),
            server: "[::1]:80".parse().unwrap(),
        };
        sample.close(
            1,
            CloseReason::CaptureEnded,
            ends,
            Some(Foreign::Http1),
            ConnectionCounts::default(),
        );
        sample
    }

    /// As many patterns and connections, each with a few exchanges.
    pub fn many(number: u32) -> Self {
        let mut sample = Self::some();
        for index in 0..number {
            let pattern = format!("orders.{index}");
            sample.statistics.add(&Exchange {
                pattern: Some(&pattern),
                pattern_id: PatternId(100 + index),
                connection: ConnectionId { number: ConnectionNumber(10 + index), slot: 10 + index },
                ..call()
            });
            let counts = ConnectionCounts::default();
            sample.close(10 + index, CloseReason::Reset, call().ends, None, counts);
        }
        sample
    }

    fn close(
        &mut self,
        number: u32,
        why: CloseReason,
        ends: Endpoints,
        foreign: Option<Foreign>,
        counts: ConnectionCounts,
    ) {
        let connection = ConnectionId { number: ConnectionNumber(number), slot: number };
        let known = foreign.is_none();
        let at = packet(38, if known { 5_000_000_000 } else { 0 });
        self.statistics.close(&ConnectionFacts {
            connection,
            ends,
            roles_swapped: false,
            first: packet(1, 0),
            last: at,
            counts,
            from_start: PerSide { client: known, server: known },
            spoke_nest: true,
            foreign,
            beginning: Beginning::default(),
            also: None,
            lingering: false,
            end: Some(Ended { why, at, by: None }),
        });
    }
}
