//! The interfaces of this host, and whether this user may capture on them.

use std::net::IpAddr;

use super::SourceError;

/// An interface that can carry TCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name, for `-i`.
    pub name: String,
    /// What the system says of it, if anything.
    pub description: Option<String>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Whether it was switched on.
    pub up: bool,
    /// Whether it can carry packets now.
    pub running: bool,
    /// Whether it connects this host with itself.
    pub loopback: bool,
    /// Whether there is something at its other end.
    pub connection: Connection,
    /// Whether this user may capture on it: found out by trying. `Err` says why not.
    pub permitted: Result<(), String>,
}

/// Whether there is something at the other end of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// There is: a cable, a wireless network.
    Connected,
    /// There is not.
    Disconnected,
    /// The system does not say.
    Unknown,
    /// The interface is not of that kind: loopback.
    NotApplicable,
}

/// The interfaces of this host on which there can be TCP.
///
/// # Errors
///
/// Where the system does not list them, and in a build that reads files only.
#[cfg(feature = "live")]
pub fn interfaces() -> Result<Vec<Interface>, SourceError> {
    let devices = pcap::Device::list()
        .map_err(|error| SourceError::Interfaces { reason: super::live::reason(error) })?;
    Ok(devices.into_iter().filter(|device| is_network(&device.name)).map(describe).collect())
}

/// The interfaces of this host: here an error, for this build reads files only.
///
/// # Errors
///
/// Always.
#[cfg(not(feature = "live"))]
pub fn interfaces() -> Result<Vec<Interface>, SourceError> {
    Err(SourceError::FilesOnly)
}

/// The names of the interfaces, none where the system does not list them.
#[cfg(feature = "live")]
pub(super) fn names() -> Vec<String> {
    let devices = pcap::Device::list().unwrap_or_default();
    devices.into_iter().map(|device| device.name).filter(|name| is_network(name)).collect()
}

#[cfg(feature = "live")]
fn is_network(name: &str) -> bool {
    !OTHER_BUSES.iter().any(|bus| name.starts_with(bus))
}

#[cfg(feature = "live")]
fn describe(device: pcap::Device) -> Interface {
    let permitted = pcap::Capture::from_device(device.name.as_str())
        // As small a buffer as there can be: it is only tried.
        .and_then(|capture| capture.snaplen(96).buffer_size(4_096).open())
        .map(|_| ())
        .map_err(super::live::reason);
    Interface {
        up: device.flags.is_up(),
        running: device.flags.is_running(),
        loopback: device.flags.is_loopback(),
        connection: match device.flags.connection_status {
            pcap::ConnectionStatus::Connected => Connection::Connected,
            pcap::ConnectionStatus::Disconnected => Connection::Disconnected,
            pcap::ConnectionStatus::Unknown => Connection::Unknown,
            pcap::ConnectionStatus::NotApplicable => Connection::NotApplicable,
        },
        name: device.name,
        description: device.desc,
        addresses: device.addresses.iter().map(|address| address.addr).collect(),
        permitted,
    }
}

/// What libpcap can capture on beside networks. None of it carries TCP in a form we know.
#[cfg(feature = "live")]
const OTHER_BUSES: [&str; 6] = ["bluetooth", "dbus-", "nflog", "nfqueue", "usbmon", "rdma"];
