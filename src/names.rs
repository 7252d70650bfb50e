//! Names of hosts that this machine knows without asking anybody: those of its hosts file.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use crate::limits;

/// Names by address. One address has one name: the first that was given to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(HashMap<IpAddr, String>);

impl Names {
    /// Reads a hosts file: an address, its name and further names on each line, `#` before a
    /// comment (hosts(5)). What is no such line is passed over, and so are the names of loopback
    /// and multicast addresses, which tell less than the address does.
    pub fn of_hosts(text: &str) -> Self {
        let mut names = HashMap::new();
        for line in text.lines().take(limits::HOSTS_LINES) {
            let mut words = line.split('#').next().unwrap_or("").split_whitespace();
            let (Some(address), Some(name)) = (words.next(), words.next()) else { continue };
            let Ok(address) = address.parse::<IpAddr>() else { continue };
            if !address.is_loopback() && !address.is_multicast() && !address.is_unspecified() {
                names.entry(address).or_insert_with(|| name.to_owned());
            }
        }
        Self(names)
    }

    /// How an end of a connection is called: `orders:3001`, and by its address where it has no
    /// name. May hold whatever the hosts file holds.
    pub fn end(&self, end: SocketAddr) -> String {
        match self.0.get(&end.ip()) {
            Some(name) => format!("{name}:{}", end.port()),
            None => end.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_the_first_name_that_they_were_given() {
        let names = Names::of_hosts(
            "127.0.0.1 localhost\n::1 ip6-localhost # too\n\n# nothing\n10.0.0.7\torders orders.test\n\
             10.0.0.7 later\nfd00::2  gateway\nff02::1 ip6-allnodes\nno address\n10.0.0.8\n",
        );
        for (end, name) in [
            ("10.0.0.7:3001", "orders:3001"),
            ("[fd00::2]:1", "gateway:1"),
            ("127.0.0.1:8888", "127.0.0.1:8888"),
            ("[::1]:8888", "[::1]:8888"),
            ("10.0.0.8:80", "10.0.0.8:80"),
        ] {
            assert_eq!(names.end(end.parse().unwrap()), name);
        }
    }
}
