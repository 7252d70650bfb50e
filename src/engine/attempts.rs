//! Attempts to connect that failed → exchanges of kind `connect`.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use foldhash::fast::RandomState;

use crate::decode::UnreachableCode;
use crate::endpoint::{ConnectionId, Endpoints};
use crate::exchange::{
    EndedBy, Exchange, ExchangeKind, ExchangeNumber, Latency, PatternId, Payloads, Span, Status,
};
use crate::limits::{ATTEMPTING_CLIENTS, ATTEMPTS_OF_A_CLIENT, ATTEMPTS_WITHIN};
use crate::packet::PacketRef;
use crate::stream::{Attempt, AttemptState, Notice};
use crate::time::Nanos;

/// What the engine is to tell of an attempt.
pub(super) enum Told {
    /// It has no answer so far.
    Waiting,
    /// It failed, or was answered at last.
    Ended,
}

/// The attempts that wait for an answer, and how many each client makes.
///
/// More than 32 unanswered attempts of one address to different ends within 10 s are a scan: one
/// row, whose count grows, and which ends when the last of them does.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// The numbers of those that wait and have a row.
    waiting: HashMap<ConnectionId, ExchangeNumber, RandomState>,
    clients: HashMap<IpAddr, Client, RandomState>,
    /// The clients, in the order in which they came.
    order: VecDeque<IpAddr>,
    /// The most different ends that one client attempted in vain within [`ATTEMPTS_WITHIN`].
    most_of_a_client: usize,
}

/// The unanswered attempts of one address.
#[derive(Debug, Default)]
struct Client {
    /// The last of those that have rows of their own.
    recent: VecDeque<Row>,
    scan: Option<Scan>,
}

/// An attempt that waits, and has a row.
#[derive(Clone, Copy, Debug)]
struct Row {
    number: ExchangeNumber,
    notice: Notice,
    attempt: Attempt,
}

/// Many attempts that are one row.
#[derive(Clone, Copy, Debug)]
struct Scan {
    number: ExchangeNumber,
    connection: ConnectionId,
    ends: Endpoints,
    first: PacketRef,
    last: PacketRef,
    at: PacketRef,
    attempts: u32,
}

impl Attempts {
    /// What a notice of `stream` means. `number` gives the next number of an exchange.
    pub(super) fn take(
        &mut self,
        notice: &Notice,
        attempt: &Attempt,
        state: AttemptState,
        number: &mut dyn FnMut() -> ExchangeNumber,
        tell: &mut dyn FnMut(Told, &Exchange<'_>),
    ) {
        let connection = notice.connection;
        match state {
            AttemptState::Waiting => {
                if self.joins_a_scan(notice, attempt) {
                    return;
                }
                let number = number();
                self.waiting.insert(connection, number);
                tell(Told::Waiting, &exchange(number, notice, attempt, Status::NoAnswer));
                self.note(Row { number, notice: *notice, attempt: *attempt }, tell);
            }
            AttemptState::Answered => {
                if let Some(number) = self.waiting.remove(&connection) {
                    tell(Told::Ended, &exchange(number, notice, attempt, Status::Ok));
                }
            }
            AttemptState::GivenUp | AttemptState::NoAnswer => {
                // Where it has no number of its own, it is one of a scan.
                if let Some(number) = self.waiting.remove(&connection) {
                    let given_up = state == AttemptState::GivenUp;
                    let by = if given_up { EndedBy::Client } else { EndedBy::Capture };
                    let row = exchange(number, notice, attempt, Status::NoAnswer);
                    tell(Told::Ended, &Exchange { ended_by: Some(by), ..row });
                }
            }
            AttemptState::Unreachable(code) => {
                let number = self.waiting.remove(&connection).unwrap_or_else(number);
                let row = exchange(number, notice, attempt, Status::NoAnswer);
                let error = Some(name(code).as_bytes());
                tell(Told::Ended, &Exchange { ended_by: Some(EndedBy::Network), error, ..row });
            }
            AttemptState::Refused { by_network } => {
                let number = self.waiting.remove(&connection).unwrap_or_else(number);
                let by = if by_network { EndedBy::Network } else { EndedBy::ResetByServer };
                let error = by_network.then(|| name(UnreachableCode::Port).as_bytes());
                let row = exchange(number, notice, attempt, Status::Refused);
                tell(Told::Ended, &Exchange { ended_by: Some(by), error, ..row });
            }
            AttemptState::Reset => {
                let number = self.waiting.remove(&connection).unwrap_or_else(number);
                let row = exchange(number, notice, attempt, Status::Reset);
                let by = Some(EndedBy::ResetByServer);
                tell(Told::Ended, &Exchange { ended_by: by, ..row });
            }
        }
    }

    /// The most different ends that one client attempted in vain within [`ATTEMPTS_WITHIN`].
    pub(super) const fn most_of_a_client(&self) -> u64 {
        self.most_of_a_client as u64
    }

    /// The capture is over: tells of the scans.
    pub(super) fn finish(&mut self, tell: &mut dyn FnMut(Told, &Exchange<'_>)) {
        let mut scans: Vec<Scan> = self.clients.drain().filter_map(|(_, it)| it.scan).collect();
        scans.sort_by_key(|scan| scan.number);
        for scan in scans {
            tell(Told::Ended, &scan.exchange());
        }
    }

    /// Adds an attempt to the scan of its client, if there is one.
    fn joins_a_scan(&mut self, notice: &Notice, attempt: &Attempt) -> bool {
        let client = self.clients.get_mut(&attempt.ends.client.ip());
        let Some(scan) = client.and_then(|client| client.scan.as_mut()) else { return false };
        scan.attempts = scan.attempts.saturating_add(1);
        scan.last = attempt.last;
        scan.at = notice.at;
        true
    }

    /// Counts an attempt that has a row. Where there are too many, their rows become one: the first
    /// one's.
    fn note(&mut self, row: Row, tell: &mut dyn FnMut(Told, &Exchange<'_>)) {
        let ip = row.attempt.ends.client.ip();
        if !self.clients.contains_key(&ip) {
            if self.order.len() >= ATTEMPTING_CLIENTS
                && let Some(oldest) = self.order.pop_front()
                && let Some(scan) = self.clients.remove(&oldest).and_then(|client| client.scan)
            {
                tell(Told::Ended, &scan.exchange());
            }
            self.order.push_back(ip);
        }
        let client = self.clients.entry(ip).or_default();
        let first_seen = row.attempt.first.at;
        let too_old = |old: &Row| {
            first_seen.since(old.attempt.first.at).is_some_and(|apart| apart > ATTEMPTS_WITHIN)
        };
        while client.recent.front().is_some_and(too_old) {
            client.recent.pop_front();
        }
        client.recent.retain(|old| old.attempt.ends.server != row.attempt.ends.server);
        client.recent.push_back(row);
        self.most_of_a_client = self.most_of_a_client.max(client.recent.len());
        if client.recent.len() <= ATTEMPTS_OF_A_CLIENT {
            return;
        }
        let rows = std::mem::take(&mut client.recent);
        let Some(&first) = rows.front() else { return };
        let mut scan = Scan {
            number: first.number,
            connection: first.notice.connection,
            ends: first.attempt.ends,
            first: first.attempt.first,
            last: row.attempt.last,
            at: row.notice.at,
            attempts: 0,
        };
        for Row { number, notice, attempt } in rows {
            // One that ended meanwhile keeps its row.
            if self.waiting.remove(&notice.connection).is_none() {
                continue;
            }
            scan.attempts += 1;
            if number != scan.number {
                tell(Told::Ended, &exchange(number, &notice, &attempt, Status::Ok));
            }
        }
        client.scan = Some(scan);
    }
}

impl Scan {
    fn exchange(&self) -> Exchange<'static> {
        let &Self { number, connection, ends, first, last, at, attempts } = self;
        let attempt = Attempt { ends, first, last, syns: attempts, answer: None };
        let notice = Notice {
            connection,
            at,
            what: crate::stream::Noticed::Attempt(attempt, AttemptState::NoAnswer),
        };
        let row = exchange(number, &notice, &attempt, Status::NoAnswer);
        Exchange { attempts, ended_by: Some(EndedBy::Capture), ..row }
    }
}

/// The row of an attempt.
fn exchange(
    number: ExchangeNumber,
    notice: &Notice,
    attempt: &Attempt,
    status: Status,
) -> Exchange<'static> {
    let waited = notice.at.at.since(attempt.first.at).unwrap_or(Nanos::ZERO);
    let answer = attempt.answer.map(|packet| Span::in_order(packet, packet, 0));
    Exchange {
        number,
        connection: notice.connection,
        ends: attempt.ends,
        kind: ExchangeKind::Connect,
        pattern: None,
        pattern_id: PatternId::NONE,
        id: None,
        status,
        request: Some(Span::in_order(attempt.first, attempt.last, 0)),
        reply: answer,
        replies: 0,
        latency: Latency::default(),
        waited: Some(waited),
        ended_by: None,
        request_held: Default::default(),
        reply_held: Default::default(),
        sure: true,
        attempts: 1,
        also: None,
        data: None,
        responses: Payloads::default(),
        error: None,
    }
}

/// What ICMP said, as JSON.
const fn name(code: UnreachableCode) -> &'static str {
    match code {
        UnreachableCode::Network => r#""network unreachable""#,
        UnreachableCode::Host => r#""host unreachable""#,
        UnreachableCode::Protocol => r#""protocol unreachable""#,
        UnreachableCode::Port => r#""port unreachable""#,
        UnreachableCode::Prohibited => r#""administratively prohibited""#,
        UnreachableCode::Other(_) => r#""unreachable""#,
    }
}
