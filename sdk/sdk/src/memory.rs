//! How much memory this machine has for proving.

use std::fs;

/// Bytes of memory that are free for this process, as far as the system says: what is available,
/// and what its control group may still take. `None` where nothing says it.
pub(crate) fn available_bytes() -> Option<u64> {
    let of_machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| meminfo_available(&text));
    let number = |path: &str| -> Option<u64> { fs::read_to_string(path).ok()?.trim().parse().ok() };
    let of_group = number("/sys/fs/cgroup/memory.max").map(|most| {
        let used = number("/sys/fs/cgroup/memory.current").unwrap_or(0);
        most.saturating_sub(used)
    });
    of_machine.into_iter().chain(of_group).min()
}

/// `MemAvailable` of `/proc/meminfo`, in bytes.
fn meminfo_available(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::meminfo_available;

    #[test]
    fn available_memory_is_read_from_the_systems_table() {
        let text = "MemTotal:       24576000 kB\nMemAvailable:     2048 kB\nBuffers: 1 kB\n";
        assert_eq!(meminfo_available(text), Some(2048 << 10));
        assert_eq!(meminfo_available("MemTotal: 1 kB\n"), None);
    }
}
