//! Memory of this process, where the system tells it.

use std::fs;

/// Bytes in memory now.
pub fn resident_bytes() -> Option<u64> {
    status("VmRSS:")
}

/// The most bytes that were in memory since [`forget_peak`].
pub fn peak_bytes() -> Option<u64> {
    status("VmHWM:")
}

/// Begins to measure the peak anew, where that is possible.
pub fn forget_peak() {
    // 5 resets the peak of the resident set; see proc(5).
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn status(name: &str) -> Option<u64> {
    of_status(&fs::read_to_string("/proc/self/status").ok()?, name)
}

/// A line of `/proc/self/status`, in bytes.
fn of_status(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_status_is_found() {
        let text = "Name:\tzkvm\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(of_status(text, "VmHWM:"), Some(2 << 20));
        assert_eq!(of_status(text, "VmRSS:"), Some(1 << 20));
        assert_eq!(of_status(text, "VmSwap:"), None);
    }
}
