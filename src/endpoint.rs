//! The two ends of a connection, and which of them is the server.

use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// One of the two sides of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The side that opened the connection.
    Client,
    /// The side that accepted it.
    Server,
}

impl Side {
    /// Both, the client first.
    pub const BOTH: [Self; 2] = [Self::Client, Self::Server];

    /// The other side.
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// A value for each side of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerSide<T> {
    /// The client's.
    pub client: T,
    /// The server's.
    pub server: T,
}

impl<T> PerSide<T> {
    /// The client's value as the server's, and the other way round.
    pub fn swapped(self) -> Self {
        Self { client: self.server, server: self.client }
    }

    /// The value of `side`.
    pub const fn of(&self, side: Side) -> &T {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    /// The value of `side`, to change.
    pub const fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// The value of `side` and that of the other side, to change.
    pub const fn pair_mut(&mut self, side: Side) -> (&mut T, &mut T) {
        match side {
            Side::Client => (&mut self.client, &mut self.server),
            Side::Server => (&mut self.server, &mut self.client),
        }
    }
}

/// The addresses of a connection.
pub type Endpoints = PerSide<SocketAddr>;

/// How it is known which end is the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roles {
    /// The handshake was seen, or the port was named by the user.
    Known,
    /// The lower port was taken for the server; what the messages say overrules that.
    Guessed,
}

/// The number of a connection, in the order of their first segments, from 0. Some are of none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionNumber(pub u32);

impl fmt::Display for ConnectionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Names a connection while it lives: `slot` is small and used again, `number` never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId {
    /// The number of the connection.
    pub number: ConnectionNumber,
    /// An index for tables of what is known of each live connection.
    pub slot: u32,
}

/// A set of ports, as `-p` names them: `8888`, `3000,3001`, `3000-3010`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports(Vec<RangeInclusive<u16>>);

impl Ports {
    /// Whether no port is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `port` is one of them.
    pub fn contains(&self, port: u16) -> bool {
        self.0.iter().any(|range| range.contains(&port))
    }

    /// The ranges that were named.
    pub fn ranges(&self) -> &[RangeInclusive<u16>] {
        &self.0
    }

    /// Adds those of `range`.
    pub fn add(&mut self, range: RangeInclusive<u16>) {
        self.0.push(range);
    }

    /// Adds those of `others`.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }
}

/// A text names no ports.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a port (1 to 65535) nor a range of ports such as 3000-3010")]
pub struct PortsError(String);

impl FromStr for Ports {
    type Err = PortsError;

    /// Reads ports and ranges, separated by commas.
    fn from_str(text: &str) -> Result<Self, PortsError> {
        let port = |text: &str| text.trim().parse().ok().filter(|&port: &u16| port > 0);
        let range = |part: &str| {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            let (low, high) = (port(low)?, port(high)?);
            (low <= high).then_some(low..=high)
        };
        text.split(',')
            .map(|part| range(part).ok_or_else(|| PortsError(part.trim().to_owned())))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_with_commas_and_ranges() {
        let ports: Ports = "8888, 3000-3002".parse().unwrap();
        let named: Vec<u16> = (1..=u16::MAX).filter(|&port| ports.contains(port)).collect();
        assert_eq!(named, [3000, 3001, 3002, 8888]);
        for wrong in ["", "0", "65536", "http", "3001-3000", "1,,2", "-5"] {
            assert!(wrong.parse::<Ports>().is_err(), "{wrong}");
        }
    }
}
