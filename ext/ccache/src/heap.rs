//! Gives memory that many small entries held back to the system.
//!
//! What is freed in the middle of glibc's heap stays with the process, for what it
//! allocates next. After a store has become much smaller nothing may be, for long.
//! Pages that a segment still lies in stay: Ruby's GC frees it later.

/// From so many entries on it is worth the while: it takes milliseconds, in which
/// other threads may wait for memory.
pub(crate) const WORTH: usize = 100_000;

/// Runs without the GVL; no lock of ours may be held.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn give_back() {
    // SAFETY: it moves and frees nothing that is in use, and takes malloc's own locks
    // alone; any thread may call it at any time.
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators give it back by themselves, or not at all.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn give_back() {}
