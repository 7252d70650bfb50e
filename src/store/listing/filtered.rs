//! A display filter as what decides which rows are shown: by what a list knows of an exchange where
//! that is enough, and by its payloads where it is not.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::{Choice, Test};
use crate::endpoint::{ConnectionNumber, Endpoints, PerSide};
use crate::exchange::{EndedBy, ExchangeKind, ExchangeNumber, Latency, PatternId, Span, Status};
use crate::query::{Evaluator, Filter, Subject};
use crate::store::{Archive, Row};
use crate::time::{Nanos, Timestamp};

impl Choice for Filter {
    fn begin<'a>(&'a self, rows: &'a Archive) -> Test<'a> {
        let mut evaluator = Evaluator::new(self);
        let mut bodies = rows.bodies();
        Box::new(move |row| {
            let answer = evaluator.without_payloads(&Known { archive: rows, row });
            answer.unwrap_or_else(|| {
                let matches = bodies.exchange(row.number, |exchange| evaluator.matches(exchange));
                // Of a payload that gave way nobody knows what it does not contain.
                matches.unwrap_or(false) && bodies.gone().is_none()
            })
        })
    }
}

/// What is known of an exchange without its payloads, of which a filter is not to ask.
struct Known<'a> {
    archive: &'a Archive,
    row: &'a Row,
}

impl Subject for Known<'_> {
    fn number(&self) -> ExchangeNumber {
        self.row.number
    }

    fn time(&self) -> Timestamp {
        self.row.time
    }

    fn kind(&self) -> ExchangeKind {
        self.row.kind
    }

    fn status(&self) -> Status {
        self.row.status
    }

    fn connection(&self) -> ConnectionNumber {
        self.row.connection
    }

    fn replies(&self) -> u32 {
        self.row.replies
    }

    fn pattern_id(&self) -> PatternId {
        self.row.pattern
    }

    fn pattern(&self) -> Option<&str> {
        self.archive.pattern(self.row.pattern)
    }

    fn ends(&self) -> Endpoints {
        let nowhere = ([0, 0, 0, 0], 0).into();
        // A row whose connection is not known has no ends that anybody could ask for.
        self.archive
            .ends(self.row.connection)
            .unwrap_or(PerSide { client: nowhere, server: nowhere })
    }

    fn latency(&self) -> Option<Nanos> {
        self.row.latency
    }

    fn request_bytes(&self) -> Option<u64> {
        (self.row.kind != ExchangeKind::Reply).then_some(self.row.request_bytes)
    }

    fn reply_bytes(&self) -> u64 {
        self.row.reply_bytes
    }

    fn waited(&self) -> Option<Nanos> {
        self.row.waited
    }

    fn ended_by(&self) -> Option<EndedBy> {
        self.row.ended_by
    }

    fn request_held(&self) -> Option<Nanos> {
        let is_frame = !matches!(self.row.kind, ExchangeKind::Connect | ExchangeKind::Reply);
        is_frame.then_some(self.row.request_held.at_most)
    }

    fn reply_held(&self) -> Option<Nanos> {
        (self.row.replies > 0).then_some(self.row.reply_held.at_most)
    }

    fn is_sure(&self) -> bool {
        self.row.sure
    }

    fn attempts(&self) -> Option<u32> {
        (self.row.kind == ExchangeKind::Connect).then_some(self.row.attempts)
    }

    fn latencies(&self) -> Latency {
        self.archive.way(self.row.number).latency
    }

    fn request(&self) -> Option<Span> {
        self.archive.way(self.row.number).request
    }

    fn reply(&self) -> Option<Span> {
        self.archive.way(self.row.number).reply
    }

    fn id(&self) -> Option<Cow<'_, [u8]>> {
        None
    }

    fn data(&self) -> Option<Cow<'_, [u8]>> {
        None
    }

    fn responses(&self, _tell: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn error(&self) -> Option<Cow<'_, [u8]>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Config, Engine};
    use crate::packet::{Packet, PacketNumber};
    use crate::source::file::CaptureFile;
    use crate::source::{Next, Stop};
    use crate::store::{CaptureStore, Kept};

    #[test]
    fn a_row_answers_as_its_exchange_does() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/basic-v11.pcap");
        let mut file = CaptureFile::open(path, Stop::default()).unwrap();
        let mut store = CaptureStore::default();
        let mut engine = Engine::new(Config { tell_progress: true, ..Config::default() });
        let mut number = 0;
        while let Next::Packet(packet) = file.next().unwrap() {
            number += 1;
            let packet = Packet { number: PacketNumber(number), ..packet };
            store.packet(&packet, Kept::Memory);
            engine.push(&packet, &mut |update| store.take(&update));
        }
        engine.finish(&mut |update| store.take(&update));
        let archive = store.archive();
        for text in [
            "",
            "status == error",
            "kind == event",
            "pattern contains \"stream\"",
            "latency > 1ms && replies >= 2",
            "wait < 200us",
            "first_reply > 1ms",
            "request.bytes > 100",
            "reply.bytes > 100 or bytes < 70",
            "packet == 20",
            "data contains \"求\"",
            "not response contains \"x\" and latency < 1ms",
            "error.message == \"boom\"",
        ] {
            let filter = Filter::parse(text).unwrap();
            let mut test = filter.begin(archive);
            let mut fulfil = 0;
            for row in archive.rows(ExchangeNumber(1)) {
                let expected = archive.exchange(row.number, |exchange| filter.matches(exchange));
                assert_eq!(Some(test(&row)), expected, "{text}: {row:?}");
                fulfil += u32::from(expected == Some(true));
            }
            assert!(fulfil > 0, "{text} is fulfilled by nothing: does it ask for anything?");
        }
    }
}
