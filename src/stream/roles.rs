//! Who is who on a connection, and where its streams begin: fixed when nothing earlier is expected.

use super::Shared;
use super::connection::Connection;
use super::event::{Ended, StreamEvent};
use super::half::HalfStream;
use crate::endpoint::{Roles, Side};

impl Connection {
    /// Nothing earlier is expected any more: fixes who is who and where the streams begin.
    pub fn settle(&mut self, shared: &mut Shared, emit: &mut impl FnMut(StreamEvent<'_>)) {
        if self.settled {
            return;
        }
        self.settled = true;
        self.fix_roles(shared);
        self.advance(shared, emit);
    }

    /// The SYN tells who is the server; else the ports that the user named; else the lower port.
    fn fix_roles(&mut self, shared: &Shared) {
        let (client, server) = (&self.halves.client, &self.halves.server);
        let named = |half: &HalfStream| shared.ports.contains(half.address.port());
        let (roles, swapped) = if let Some(opener) = self.opener {
            (Roles::Known, opener == Side::Server)
        } else if named(client) != named(server) {
            (Roles::Known, named(client))
        } else {
            let swapped = client.address.port() < server.address.port();
            (Roles::Guessed, swapped)
        };
        self.roles = roles;
        if swapped {
            let (client, server) = self.halves.pair_mut(Side::Client);
            std::mem::swap(client, server);
            self.end = self.end.map(Ended::swapped);
        }
    }
}
