//! One interface of this host: opening it, its filter, and what to say where that fails.

use pcap::{Active, Capture, Linktype, Precision};

use super::{CaptureOptions, SourceError, interfaces};
use crate::packet::LinkType;

/// Begins to capture on the interface `name`; the handle does not block.
pub(super) fn open(name: &str, options: &CaptureOptions) -> Result<Capture<Active>, SourceError> {
    let failed = |error| explain(name, error);
    // Promiscuous mode means nothing there, and `any` refuses it.
    let shared = name != "any" && !is_loopback(name);
    let mut capture = Capture::from_device(name)
        .map_err(failed)?
        .precision(Precision::Nano)
        .timeout(BLOCK_TIMEOUT)
        .snaplen(i32::try_from(options.snap_len).unwrap_or(i32::MAX))
        .buffer_size(i32::try_from(options.buffer).unwrap_or(i32::MAX))
        .promisc(options.promiscuous && shared)
        .open()
        .map_err(failed)?;
    if capture.get_datalink() == Linktype(LinkType::LINUX_SLL.0.into()) {
        // The second version names the interface; an older libpcap does not know it.
        let _ = capture.set_datalink(Linktype(LinkType::LINUX_SLL2.0.into()));
    }
    set_filter(&mut capture, options)?;
    capture.setnonblock().map_err(failed)
}

fn set_filter(capture: &mut Capture<Active>, options: &CaptureOptions) -> Result<(), SourceError> {
    let filter = &options.filter;
    // Tags do not exist on every link; there, libpcap refuses the word.
    if capture.filter(&filter.tagged(), true).is_ok() {
        return Ok(());
    }
    capture.filter(&filter.untagged(), true).map_err(|error| SourceError::Filter {
        filter: filter.user().unwrap_or_default().to_owned(),
        reason: reason(error),
    })
}

/// Why an interface could not be opened, and what to do.
fn explain(name: &str, error: pcap::Error) -> SourceError {
    let interface = name.to_owned();
    let reason = reason(error);
    // libpcap's crate hides the code behind the text.
    if reason.contains("ermission") || reason.contains("not permitted") {
        let program = std::env::current_exe()
            .map_or_else(|_| "nestscope".to_owned(), |path| path.display().to_string());
        SourceError::NoPermission { interface, program }
    } else if reason.contains("No such device") {
        let known = interfaces::names().join(", ");
        SourceError::NoSuchInterface { interface, known }
    } else {
        SourceError::Interface { interface, reason }
    }
}

/// What libpcap said, without the crate's preface.
pub(super) fn reason(error: pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(text) => text,
        other => other.to_string(),
    }
}

/// Whether the interface was switched off.
pub(super) fn is_down(name: &str) -> bool {
    has_flags(name, |flags| !flags.is_up())
}

fn is_loopback(name: &str) -> bool {
    has_flags(name, pcap::DeviceFlags::is_loopback)
}

/// Whether there is such an interface, and its flags are so.
fn has_flags(name: &str, so: impl Fn(&pcap::DeviceFlags) -> bool) -> bool {
    pcap::Device::list().is_ok_and(|devices| {
        let mut named = devices.iter().filter(|device| device.name == name);
        named.any(|device| so(&device.flags))
    })
}

/// What the packets begin with: libpcap's number as files have it. Of those that we know, only raw
/// IP has another.
pub(super) fn link_type(capture: &Capture<Active>) -> LinkType {
    match u16::try_from(capture.get_datalink().0) {
        Ok(number) if LinkType(number) == LinkType::RAW_DLT => LinkType::RAW,
        Ok(number) => LinkType(number),
        // There is none such; and nothing can be made of its packets.
        Err(_) => LinkType(u16::MAX),
    }
}

/// Milliseconds after which the kernel hands over a block that is not full. A tenth of the time in
/// which a packet must be analysed; at 100 blocks in a second nobody feels them.
const BLOCK_TIMEOUT: i32 = 10;
