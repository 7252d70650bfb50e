//! How much memory the program has.

use std::fs;

/// Bytes of memory that the whole program has now, where the system tells.
pub fn resident() -> Option<u64> {
    of_status(&fs::read_to_string("/proc/self/status").ok()?)
}

/// The resident set in what Linux tells of a process.
fn of_status(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resident_set_is_read_in_bytes() {
        let status = "Name:\tnestscope\nVmHWM:\t   20000 kB\nVmRSS:\t   12345 kB\nThreads:\t4\n";
        assert_eq!(of_status(status), Some(12_345 * 1_024));
        assert_eq!(of_status("Name:\tnestscope\n"), None);
    }
}
