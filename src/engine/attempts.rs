//! Attempts to connect that failed → exchanges of kind `connect`.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use foldhash::fast::RandomState;

use crate::decode::UnreachableCode;
use crate::endpoint::{ConnectionId, Endpoints};
use crate::exchange::{EndedBy, Exchange, ExchangeKind, ExchangeNumber, Span, Status};
use crate::limits::{ATTEMPTING_CLIENTS, ATTEMPTS_OF_A_CLIENT, ATTEMPTS_WITHIN};
use crate::packet::PacketRef;
use crate::stream::{Attempt, AttemptState, Notice};
use crate::time::Nanos;

/// What state the row of an attempt is in.
pub(super) enum RowState {
    /// It has no answer so far.
    Waiting,
    /// It failed, or was answered at last.
    Ended,
}

/// The attempts that wait for an answer, and how many each client makes.
///
/// More than 32 unanswered attempts of one address to different ends within 10 s are a scan: one
/// row, which counts those that stay unanswered. Attempts join it until none came for 10 s; its row
/// ends when none of them waits any more.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// The numbers of the rows of those that wait. `stream` tells the end of each, so there are
    /// never more entries than connections.
    waiting: HashMap<ConnectionId, ExchangeNumber, RandomState>,
    /// By number. At least one attempt of each waits.
    scans: HashMap<ExchangeNumber, PortScan, RandomState>,
    clients: HashMap<IpAddr, Client, RandomState>,
    /// The clients, in the order in which they came.
    order: VecDeque<IpAddr>,
    /// The most different ends that one client has waiting, or given up, within
    /// [`ATTEMPTS_WITHIN`].
    most_of_a_client: usize,
}

/// The unanswered attempts of one address.
#[derive(Debug, Default)]
struct Client {
    /// The last of those that have rows of their own.
    recent: VecDeque<Row>,
    /// The scan that its next attempts join, unless it is over.
    scan: Option<ExchangeNumber>,
}

/// An attempt that has a row.
#[derive(Clone, Copy, Debug)]
struct Row {
    number: ExchangeNumber,
    notice: Notice,
    attempt: Attempt,
}

/// Many attempts that are one row.
#[derive(Clone, Copy, Debug)]
struct PortScan {
    number: ExchangeNumber,
    connection: ConnectionId,
    ends: Endpoints,
    first: PacketRef,
    last: PacketRef,
    at: PacketRef,
    /// The first SYN of the attempt that joined last.
    joined: PacketRef,
    /// Attempts that wait.
    waiting: u32,
    /// Attempts that nothing answered.
    unanswered: u32,
}

impl Attempts {
    /// What a notice of `stream` means. `number` gives the next number of an exchange.
    pub(super) fn take(
        &mut self,
        notice: &Notice,
        attempt: &Attempt,
        state: AttemptState,
        number: &mut dyn FnMut() -> ExchangeNumber,
        tell: &mut dyn FnMut(RowState, &Exchange<'_>),
    ) {
        if state == AttemptState::Waiting {
            if !self.joins_a_scan(notice, attempt) {
                let number = number();
                self.waiting.insert(notice.connection, number);
                // How long it waits is known when it ends, as of a call.
                let row = exchange(number, notice, attempt, Status::NoAnswer);
                tell(RowState::Waiting, &Exchange { waited: None, ..row });
                self.note(Row { number, notice: *notice, attempt: *attempt }, tell);
            }
            return;
        }
        let is_unanswered = matches!(state, AttemptState::GivenUp | AttemptState::NoAnswer);
        if !is_unanswered && let Some(client) = self.clients.get_mut(&attempt.ends.client.ip()) {
            client.recent.retain(|row| row.notice.connection != notice.connection);
        }
        let own = match self.waiting.remove(&notice.connection) {
            Some(number) if self.scans.contains_key(&number) => {
                self.leaves_a_scan(number, notice, attempt, is_unanswered, tell);
                None
            }
            own => own,
        };
        let (status, by, error) = match state {
            AttemptState::Waiting => return,
            AttemptState::Answered => (Status::Ok, None, None),
            AttemptState::GivenUp => (Status::NoAnswer, Some(EndedBy::Client), None),
            AttemptState::NoAnswer => (Status::NoAnswer, Some(EndedBy::Capture), None),
            AttemptState::Unreachable(code) => {
                (Status::NoAnswer, Some(EndedBy::Network), Some(name(code)))
            }
            AttemptState::Refused { by_network: true } => {
                let error = Some(name(UnreachableCode::Port));
                (Status::Refused, Some(EndedBy::Network), error)
            }
            AttemptState::Refused { by_network: false } => {
                (Status::Refused, Some(EndedBy::ResetByServer), None)
            }
            AttemptState::Reset => (Status::Reset, Some(EndedBy::ResetByServer), None),
        };
        // Without a row of its own one that nothing answered is told with its scan, and one that
        // was accepted not at all.
        let is_told_alone = !is_unanswered && status != Status::Ok;
        if let Some(number) = own.or_else(|| is_told_alone.then(number)) {
            let row = exchange(number, notice, attempt, status);
            let error = error.map(str::as_bytes);
            tell(RowState::Ended, &Exchange { ended_by: by, error, ..row });
        }
    }

    /// The most different ends that one client has waiting, or given up, within
    /// [`ATTEMPTS_WITHIN`].
    pub(super) const fn most_of_a_client(&self) -> u64 {
        self.most_of_a_client as u64
    }

    /// Adds an attempt to the scan of its client, if there is one.
    fn joins_a_scan(&mut self, notice: &Notice, attempt: &Attempt) -> bool {
        let client = self.clients.get(&attempt.ends.client.ip());
        let scan = client.and_then(|client| client.scan);
        let Some(scan) = scan.and_then(|number| self.scans.get_mut(&number)) else { return false };
        if is_too_late_for_scan(scan.joined, attempt.first) {
            return false;
        }
        scan.waiting = scan.waiting.saturating_add(1);
        scan.joined = attempt.first;
        self.waiting.insert(notice.connection, scan.number);
        true
    }

    /// An attempt of a scan waits no more. The scan's row ends with the last one.
    fn leaves_a_scan(
        &mut self,
        number: ExchangeNumber,
        notice: &Notice,
        attempt: &Attempt,
        is_unanswered: bool,
        tell: &mut dyn FnMut(RowState, &Exchange<'_>),
    ) {
        let Some(scan) = self.scans.get_mut(&number) else { return };
        scan.waiting = scan.waiting.saturating_sub(1);
        if is_unanswered {
            scan.unanswered = scan.unanswered.saturating_add(1);
            // Those that end when the capture does come in no order.
            if attempt.last.number > scan.last.number {
                scan.last = attempt.last;
            }
            if notice.at.number > scan.at.number {
                scan.at = notice.at;
            }
        }
        if scan.waiting == 0 {
            tell(RowState::Ended, &scan.exchange());
            self.scans.remove(&number);
        }
    }

    /// Counts an attempt that has a row. Where there are too many, their rows become one: the first
    /// one's.
    fn note(&mut self, row: Row, tell: &mut dyn FnMut(RowState, &Exchange<'_>)) {
        let ip = row.attempt.ends.client.ip();
        if !self.clients.contains_key(&ip) {
            if self.order.len() >= ATTEMPTING_CLIENTS
                && let Some(oldest) = self.order.pop_front()
            {
                // Its scan is told when it ends, like any other.
                self.clients.remove(&oldest);
            }
            self.order.push_back(ip);
        }
        let client = self.clients.entry(ip).or_default();
        let too_old = |old: &Row| is_too_late_for_scan(old.attempt.first, row.attempt.first);
        while client.recent.front().is_some_and(too_old) {
            client.recent.pop_front();
        }
        client.recent.retain(|old| old.attempt.ends.server != row.attempt.ends.server);
        client.recent.push_back(row);
        self.most_of_a_client = self.most_of_a_client.max(client.recent.len());
        if client.recent.len() <= ATTEMPTS_OF_A_CLIENT {
            return;
        }
        // One that ended meanwhile keeps its row.
        let mut rows = std::mem::take(&mut client.recent);
        rows.retain(|row| self.waiting.contains_key(&row.notice.connection));
        let Some(&first) = rows.front() else { return };
        let mut scan = PortScan {
            number: first.number,
            connection: first.notice.connection,
            ends: first.attempt.ends,
            first: first.attempt.first,
            last: first.attempt.last,
            at: first.notice.at,
            joined: row.attempt.first,
            waiting: 0,
            unanswered: 0,
        };
        for Row { number, notice, attempt } in rows {
            scan.waiting += 1;
            self.waiting.insert(notice.connection, scan.number);
            if number != scan.number {
                // Its own row goes: whoever shows rows drops an answered attempt.
                tell(RowState::Ended, &exchange(number, &notice, &attempt, Status::Ok));
            }
        }
        client.scan = Some(scan.number);
        self.scans.insert(scan.number, scan);
    }
}

impl PortScan {
    /// The row of those that nothing answered; where there are none, that of an attempt that was
    /// answered.
    fn exchange(&self) -> Exchange<'static> {
        let &Self { number, connection, ends, first, last, at, unanswered, .. } = self;
        let attempt = Attempt { ends, first, last, syns: 0, answer: None };
        let notice = Notice {
            connection,
            at,
            what: crate::stream::Noticed::Attempt(attempt, AttemptState::NoAnswer),
        };
        if unanswered == 0 {
            return exchange(number, &notice, &attempt, Status::Ok);
        }
        let row = exchange(number, &notice, &attempt, Status::NoAnswer);
        Exchange { attempts: unanswered, ended_by: Some(EndedBy::Capture), ..row }
    }
}

/// Whether an attempt began so long after another one that they are not of one scan.
fn is_too_late_for_scan(earlier: PacketRef, later: PacketRef) -> bool {
    later.at.since(earlier.at).is_some_and(|apart| apart > ATTEMPTS_WITHIN)
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
    let (connection, kind) = (notice.connection, ExchangeKind::Connect);
    Exchange {
        request: Some(Span::in_order(attempt.first, attempt.last, 0)),
        reply: answer,
        waited: Some(waited),
        ..Exchange::empty(number, connection, attempt.ends, kind, status)
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
