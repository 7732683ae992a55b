//! Whether it is worth asking the server at all: after a failure no new connection
//! is tried for a while, and everybody is told so at once (but who removes something:
//! see [`Purpose`](crate::remote::links::Purpose)).

use crate::clock::Nanos;
use crate::remote::error::RemoteError;
use std::time::Duration;

const FIRST_PAUSE: Nanos = 50_000_000;
const LONGEST_PAUSE: Nanos = 2_000_000_000;

/// The failures since the last success.
#[derive(Debug, Default)]
pub(crate) struct Health {
    failures: u32,
    not_before: Nanos,
    last: Option<RemoteError>,
}

impl Health {
    /// An error as long as the pause lasts.
    pub(crate) fn check(&self, now: Nanos) -> Result<(), RemoteError> {
        match &self.last {
            Some(last) if now < self.not_before => {
                let left = Duration::from_nanos(self.not_before - now).as_millis();
                Err(last.with_note(&format!("not tried again for {left} ms")))
            }
            _ => Ok(()),
        }
    }

    /// Doubles the pause. Failures that come in together count once.
    pub(crate) fn note_failure(&mut self, error: &RemoteError, now: Nanos) {
        if now < self.not_before {
            return;
        }
        let pause = FIRST_PAUSE
            .saturating_mul(1 << self.failures.min(10))
            .min(LONGEST_PAUSE);
        self.failures += 1;
        self.not_before = now + pause;
        self.last = Some(error.clone());
    }

    pub(crate) fn note_success(&mut self) {
        self.failures = 0;
        self.not_before = 0;
        self.last = None;
    }
}
