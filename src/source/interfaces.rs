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
        .map_err(|error| SourceError::Interfaces { reason: super::device::reason(error) })?;
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

/// What each interface carried since the system started: its name, packets and bytes, both ways.
/// Empty where the system does not tell it in files.
#[cfg(target_os = "linux")]
pub fn traffic() -> Vec<(String, u64, u64)> {
    let Ok(folder) = std::fs::read_dir("/sys/class/net") else { return Vec::new() };
    let carried = |entry: std::fs::DirEntry| {
        let path = entry.path();
        let number = |name: &str| -> Option<u64> {
            std::fs::read_to_string(path.join(name)).ok()?.trim().parse().ok()
        };
        // What leaves on the loopback interface arrives there: it is counted once.
        let leaves = number("type") != Some(ARPHRD_LOOPBACK);
        let both = |received: &str, sent: &str| {
            let sent = if leaves { number(sent)? } else { 0 };
            Some(number(received)?.saturating_add(sent))
        };
        let packets = both("statistics/rx_packets", "statistics/tx_packets")?;
        let bytes = both("statistics/rx_bytes", "statistics/tx_bytes")?;
        Some((entry.file_name().into_string().ok()?, packets, bytes))
    };
    folder.filter_map(|entry| carried(entry.ok()?)).collect()
}

/// The type of the loopback interface: `ARPHRD_LOOPBACK` of `linux/if_arp.h`.
#[cfg(target_os = "linux")]
const ARPHRD_LOOPBACK: u64 = 772;

/// What each interface carried: here none, for the system does not tell it in files.
#[cfg(not(target_os = "linux"))]
pub fn traffic() -> Vec<(String, u64, u64)> {
    Vec::new()
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
        .map_err(super::device::reason);
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_tells_what_it_carried() {
        let told = traffic();
        let lo = told.iter().find(|(name, ..)| name == "lo").unwrap();
        let listed = std::fs::read_to_string("/proc/net/dev").unwrap();
        let line = listed.lines().find(|line| line.trim_start().starts_with("lo:")).unwrap();
        let numbers: Vec<u64> =
            line.split_whitespace().skip(1).map(|number| number.parse().unwrap()).collect();
        // It may have carried more since.
        assert!(lo.1 <= numbers[1] && lo.2 <= numbers[0], "{lo:?} {line}");
        assert!(numbers[1] == 0 || lo.1 * 2 > numbers[1], "{lo:?} {line}");
    }
}
