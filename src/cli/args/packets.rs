//! Which packets are read, and where they are saved.

use std::str::FromStr;
use std::time::Duration;

use clap::Args as ClapArgs;

use crate::endpoint::Ports;
use crate::source::RingLimit;

/// Which packets are read.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Packets")]
pub struct PacketOptions {
    /// Capture on this interface; `any` for all of them
    ///
    /// May be given several times.
    #[arg(short = 'i', long = "interface", value_name = "IFACE")]
    pub interfaces: Vec<String>,

    /// Read these capture files, `-` for standard input
    ///
    /// They are pcap or pcapng, also .gz and .zst; several are merged by time. Words that follow
    /// are files too, up to an option or a command. Where neither a file nor an interface is named,
    /// what is piped in is read.
    #[arg(short = 'r', long = "read", value_name = "FILE")]
    pub files: Vec<String>,

    /// Ports of the servers: `3000`, `3000,3001`, `3000-3010`
    ///
    /// Only their packets count, and the end with this port is the server. Without it Nest is
    /// recognised by its bytes on every port.
    #[arg(short = 'p', long = "port", value_name = "PORT")]
    pub ports: Vec<Ports>,

    /// Capture filter in the language of tcpdump, for live capture
    #[arg(short = 'f', long = "filter", value_name = "BPF")]
    pub capture_filter: Option<String>,

    /// Stop after this many packets
    #[arg(short = 'c', long = "count", value_name = "PACKETS")]
    #[arg(value_parser = packets)]
    pub count: Option<u64>,

    /// Stop after a time: `duration:10` for ten seconds
    #[arg(short = 'a', long = "autostop", value_name = "duration:SECONDS")]
    pub autostop: Option<Autostop>,

    /// Bytes captured of each packet, for live capture [default: 262144]
    #[arg(short = 's', long = "snapshot-length", value_name = "BYTES")]
    #[arg(value_parser = snap_len)]
    pub snap_len: Option<u32>,

    /// Buffer of the kernel in KiB, for live capture
    #[arg(short = 'B', long = "buffer-size", value_name = "KIB")]
    #[arg(value_parser = buffer_kib)]
    pub buffer_kib: Option<u32>,

    /// Let tunnels through the filter made from -p: VXLAN, Geneve, GRE, IP in IP
    ///
    /// Let tunnels through the capture filter that is made from -p (VXLAN, Geneve, GRE, IP in IP,
    /// 6in4, MPLS, PPPoE). The kernel cannot look for a port inside of them, so each of their
    /// packets and each fragment of UDP is captured. In files they are always opened.
    #[arg(long = "tunnels")]
    pub tunnels: bool,
}

/// Where packets are saved.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Packets")]
pub struct SaveOptions {
    /// Save the packets to this file, as pcapng
    #[arg(short = 'w', long = "write", value_name = "FILE")]
    pub file: Option<String>,

    /// Save to a ring of files: `filesize:KB`, `duration:SECONDS`, `files:NUMBER`
    ///
    /// The next file begins after `filesize:KB` (of 1000 bytes) or
    /// `duration:SECONDS`; with `files:NUMBER` the oldest gives way. May be given several times, or
    /// joined by commas. `-w trace.pcapng` then names trace_00001_20261125160000.pcapng and so on.
    /// No file that is there is written over.
    #[arg(short = 'b', long = "ring-buffer", value_name = "LIMIT", value_delimiter = ',')]
    pub ring: Vec<RingLimit>,

    /// Let -w replace a file that is there already
    #[arg(long = "overwrite", conflicts_with = "ring")]
    pub overwrite: bool,
}

fn packets(text: &str) -> Result<u64, &'static str> {
    text.parse().ok().filter(|&packets| packets > 0).ok_or("a number of packets, 1 or more")
}

fn snap_len(text: &str) -> Result<u32, &'static str> {
    let bytes = text.parse().ok().filter(|&bytes| bytes <= 262_144);
    bytes.ok_or("a number of bytes up to 262144; 0 stands for that")
}

fn buffer_kib(text: &str) -> Result<u32, &'static str> {
    let kib = text.parse().ok().filter(|kib| (1..=1_048_576).contains(kib));
    kib.ok_or("a number of KiB from 1 to 1048576, which is 1 GiB")
}

/// When to stop by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Autostop(pub Duration);

impl FromStr for Autostop {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = text.strip_prefix("duration:").and_then(|text| text.parse().ok());
        if seconds == Some(0.0) {
            return Err("a run of no time sees nothing; give more than 0 seconds".to_owned());
        }
        seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .filter(|duration| !duration.is_zero())
            .map(Self)
            .ok_or_else(|| "only duration:SECONDS is known, such as duration:10".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_can_end_by_time() {
        assert_eq!("duration:10".parse(), Ok(Autostop(Duration::from_secs(10))));
        assert_eq!("duration:0.5".parse(), Ok(Autostop(Duration::from_millis(500))));
        for text in ["10", "duration:", "duration:-1", "duration:0", "duration:NaN", "filesize:10"]
        {
            assert!(text.parse::<Autostop>().is_err(), "{text}");
        }
    }
}
