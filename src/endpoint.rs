//! The two ends of a connection, and which of them is the server.

use std::net::SocketAddr;

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
}

/// The addresses of a connection.
pub type Ends = PerSide<SocketAddr>;

/// How it is known which end is the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roles {
    /// The handshake was seen, or the port was named by the user.
    Known,
    /// The lower port was taken for the server; what the messages say overrules that.
    Guessed,
}

/// Names a connection while it lives: `slot` is small and used again, `serial` never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId {
    /// Counts connections, from 0.
    pub serial: u32,
    /// An index for tables of what is known of each live connection.
    pub slot: u32,
}
