//! Fork safety (G9): the handlers that close and open the gate around `fork`.
//!
//! `pthread_atfork` sees every fork of the process, `Process.daemon` and forks
//! by other native code included, which a hook on `Process._fork` does not.

use crate::reaper;
use ccache_core::gate::GATE;
use magnus::{Error, Ruby};
use std::sync::Once;
use std::time::{Duration, Instant};

/// How long a fork waits for threads inside the map. They leave within
/// microseconds, or milliseconds where many entries are listed; what takes longer
/// works in batches. The bound is for a guard that was leaked (G5).
const PATIENCE: Duration = Duration::from_millis(900);

unsafe extern "C" fn prepare() {
    GATE.close();
    let started = Instant::now();
    while GATE.is_occupied() && started.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_micros(20));
    }
}

unsafe extern "C" fn parent() {
    GATE.open();
}

unsafe extern "C" fn child() {
    GATE.open_in_child(std::process::id());
    reaper::forget_thread_of_parent();
}

pub(crate) fn init(ruby: &Ruby) -> Result<(), Error> {
    static ONCE: Once = Once::new();
    let mut status = 0;
    ONCE.call_once(|| {
        // SAFETY: the handlers touch atomics, read the clock, sleep, and do not panic; the library
        // is never unloaded.
        status = unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
    });
    if status == 0 {
        Ok(())
    } else {
        let error = std::io::Error::from_raw_os_error(status);
        let message = format!("cannot guard the cache against forks: {error}");
        Err(Error::new(ruby.exception_runtime_error(), message))
    }
}
