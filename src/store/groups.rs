//! Statistics of exchanges that have something in common: their server, their client, their
//! pattern.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use crate::endpoint::{ConnectionNumber, Endpoints};
use crate::exchange::{Exchange, ExchangeKind, PatternId, Status};
use crate::limits;
use crate::store::{Latencies, Outcomes};

/// What exchanges of one group have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// Pattern and kind.
    Pattern,
    /// The address and the port of the server.
    Server,
    /// The address of the client; its ports are others for each connection.
    Client,
    /// The connection.
    Connection,
}

impl GroupBy {
    /// Its name, as it is typed and in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pattern => "pattern",
            Self::Server => "server",
            Self::Client => "client",
            Self::Connection => "connection",
        }
    }
}

/// What the exchanges of a group have in common; `None` for what was not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// Whether these are the exchanges of all groups that came when there were too many.
    pub is_rest: bool,
    /// The address and the port of the server.
    pub server: Option<SocketAddr>,
    /// The address of the client.
    pub client: Option<IpAddr>,
    /// The connection: its client, its server and its number in the engine.
    pub connection: Option<(SocketAddr, SocketAddr, ConnectionNumber)>,
    /// What they are.
    pub kind: Option<ExchangeKind>,
    /// The route text; `None` also where they had none.
    pub pattern: Option<String>,
}

/// What is known of a group.
#[derive(Clone, Debug)]
pub struct GroupRow {
    /// What the exchanges have in common.
    pub group: Group,
    /// How they ended.
    pub outcomes: Outcomes,
    /// Latency of the calls that ended `ok` or `error`.
    pub latency: Latencies,
}

impl GroupRow {
    fn new(group: Group) -> Self {
        Self { group, outcomes: Outcomes::default(), latency: Latencies::default() }
    }

    fn merge(&mut self, other: &Self) {
        self.outcomes.merge(&other.outcomes);
        self.latency.merge(&other.latency);
    }
}

/// What an exchange is found by within one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    pattern: Option<(ExchangeKind, PatternId)>,
    server: Option<SocketAddr>,
    client: Option<IpAddr>,
    connection: Option<ConnectionNumber>,
}

/// Groups of exchanges.
#[derive(Clone, Debug)]
pub struct Groups {
    by: Vec<GroupBy>,
    rows: Vec<GroupRow>,
    places: HashMap<Key, usize>,
    /// Where the row of those lies that came when there were too many.
    rest: Option<usize>,
}

impl Groups {
    /// None yet.
    pub fn new(by: Vec<GroupBy>) -> Self {
        Self { by, rows: Vec::new(), places: HashMap::new(), rest: None }
    }

    /// What the exchanges of each have in common.
    pub fn by(&self) -> &[GroupBy] {
        &self.by
    }

    /// Each group: the one with the largest sum of latencies first, then the one with the most
    /// exchanges.
    pub fn rows(&self) -> Vec<&GroupRow> {
        let count = |row: &GroupRow| row.outcomes.messages() + row.outcomes.connects;
        // An attempt that waited, and was answered, leaves a row of nothing.
        let mut rows: Vec<_> = self.rows.iter().filter(|row| count(row) > 0).collect();
        rows.sort_by_key(|row| (Reverse(row.latency.sum()), Reverse(count(row)), &row.group));
        rows
    }

    /// Whether there were too many, so that some share a row.
    pub const fn is_folded(&self) -> bool {
        self.rest.is_some()
    }

    /// Where the row of an exchange lies.
    pub(super) fn place(&mut self, exchange: &Exchange<'_>) -> usize {
        let key = self.key(exchange);
        if let Some(place) = self.places.get(&key) {
            return *place;
        }
        let Some(place) = self.add_row(|by| group(by, exchange)) else { return self.rest_place() };
        self.places.insert(key, place);
        place
    }

    /// Counts an exchange in the row at `place`.
    pub(super) fn add(&mut self, place: usize, exchange: &Exchange<'_>) {
        let Some(row) = self.rows.get_mut(place) else { return };
        row.outcomes.add(exchange);
        if matches!(exchange.status, Status::Ok | Status::Error)
            && let Some(latency) = exchange.latency.latency
        {
            row.latency.record(latency);
        }
    }

    /// See [`Outcomes`]: an attempt that was counted while it waited.
    pub(super) fn take_back_attempt(&mut self, exchange: &Exchange<'_>) {
        let place = self.place(exchange);
        if let Some(row) = self.rows.get_mut(place) {
            row.outcomes.take_back_attempt();
        }
    }

    /// Adds what another engine learned of the same groups.
    pub(super) fn merge(&mut self, other: Self) {
        let rows = self.rows.iter().enumerate();
        let mut places: HashMap<_, _> =
            rows.map(|(place, row)| (row.group.clone(), place)).collect();
        for row in other.rows {
            let place = match places.get(&row.group) {
                Some(place) => *place,
                None if row.group.is_rest => self.rest_place(),
                None => self.add_row(|_| row.group.clone()).unwrap_or_else(|| self.rest_place()),
            };
            if let Some(known) = self.rows.get_mut(place) {
                known.merge(&row);
            }
            places.insert(row.group, place);
        }
    }

    fn add_row(&mut self, group: impl FnOnce(&[GroupBy]) -> Group) -> Option<usize> {
        if self.rows.len() >= limits::GROUP_ROWS {
            return None;
        }
        self.rows.push(GroupRow::new(group(&self.by)));
        Some(self.rows.len() - 1)
    }

    fn rest_place(&mut self) -> usize {
        let rows = &mut self.rows;
        *self.rest.get_or_insert_with(|| {
            rows.push(GroupRow::new(Group { is_rest: true, ..Group::default() }));
            rows.len() - 1
        })
    }

    fn key(&self, exchange: &Exchange<'_>) -> Key {
        let mut key = Key { pattern: None, server: None, client: None, connection: None };
        for by in &self.by {
            match by {
                GroupBy::Pattern => key.pattern = Some((exchange.kind, exchange.pattern_id)),
                GroupBy::Server => key.server = Some(exchange.ends.server),
                GroupBy::Client => key.client = Some(exchange.ends.client.ip()),
                GroupBy::Connection => key.connection = Some(exchange.connection.number),
            }
        }
        key
    }
}

fn group(by: &[GroupBy], exchange: &Exchange<'_>) -> Group {
    let Endpoints { client, server } = exchange.ends;
    let mut group = Group::default();
    for by in by {
        match by {
            GroupBy::Pattern => {
                group.kind = Some(exchange.kind);
                group.pattern = match exchange.pattern_id {
                    PatternId::OTHERS => Some("(other patterns)".to_owned()),
                    _ => exchange.pattern.map(str::to_owned),
                };
            }
            GroupBy::Server => group.server = Some(server),
            GroupBy::Client => group.client = Some(client.ip()),
            GroupBy::Connection => {
                group.connection = Some((client, server, exchange.connection.number));
            }
        }
    }
    group
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::ConnectionId;
    use crate::exchange::{ExchangeNumber, Latency};
    use crate::time::Nanos;

    /// A call to a server on `port`.
    fn call(port: u16, latency: u64) -> Exchange<'static> {
        let server = SocketAddr::from(([10, 0, 0, 2], port));
        let connection = ConnectionId { number: ConnectionNumber(u32::from(port)), slot: 0 };
        let ends = Endpoints { client: ([10, 0, 0, 1], port).into(), server };
        let (kind, status) = (ExchangeKind::Request, Status::Ok);
        Exchange {
            pattern: Some("sum"),
            pattern_id: PatternId(2),
            replies: 1,
            latency: Latency { latency: Some(Nanos::new(latency)), ..Latency::default() },
            ..Exchange::empty(ExchangeNumber(1), connection, ends, kind, status)
        }
    }

    fn add(groups: &mut Groups, exchange: &Exchange<'_>) {
        let place = groups.place(exchange);
        groups.add(place, exchange);
    }

    fn told(groups: &Groups) -> Vec<(Group, u64, u128)> {
        let row = |row: &&GroupRow| (row.group.clone(), row.outcomes.calls, row.latency.sum());
        groups.rows().iter().map(row).collect()
    }

    #[test]
    fn two_engines_learn_what_one_does() {
        let by = vec![GroupBy::Server, GroupBy::Client, GroupBy::Pattern];
        let mut whole = Groups::new(by.clone());
        let (mut even, mut odd) = (Groups::new(by.clone()), Groups::new(by));
        for number in 0..200_u16 {
            // The engines name patterns as they meet them.
            let exchange = call(number % 7, number.into());
            add(&mut whole, &exchange);
            let part = if number.is_multiple_of(2) { &mut even } else { &mut odd };
            add(part, &Exchange { pattern_id: PatternId(3), ..exchange });
        }
        even.merge(odd);
        assert_eq!(told(&even), told(&whole));
        assert_eq!(told(&whole).len(), 7);
    }

    #[test]
    fn too_many_share_a_row() {
        let mut groups = Groups::new(vec![GroupBy::Server]);
        let rows = u16::try_from(limits::GROUP_ROWS).unwrap();
        for port in 1..=rows {
            add(&mut groups, &call(port, 5));
        }
        assert!(!groups.is_folded());
        for port in 1..=rows + 10 {
            add(&mut groups, &call(port, 5));
        }
        assert!(groups.is_folded());
        let told = told(&groups);
        assert_eq!(told.len(), limits::GROUP_ROWS + 1);
        let (rest, calls, _) = &told[0];
        assert_eq!((rest.is_rest, *calls), (true, 10), "the costliest first");
        assert!(told[1..].iter().all(|(group, calls, _)| !group.is_rest && *calls == 2));
    }
}
