//! The server's side against a server that the tests play themselves; each file
//! has its theme. The lanes' own tests are beside them.

#![allow(clippy::unwrap_used)]

mod commands;
mod connections;
mod health;
pub(crate) mod puppet;
mod servers;
mod tickets;

use crate::clock::Clock;
use crate::remote::{Compressor, Format, Operation, Remote, RemoteError, Server};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for what has to come. No test that passes waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn format() -> Format {
    Format {
        coder: 1,
        compressor: Compressor::None,
        compress_from: 0,
        max_value_bytes: 1 << 20,
        signing_keys: Vec::new(),
    }
}

/// Its time stands still, so nothing times out unless the test says so.
pub(crate) fn remote(server: Server) -> (Arc<Remote>, Clock) {
    let clock = Clock::manual();
    let remote = Remote::new(server, b"ns", format(), clock.clone());
    (Arc::new(remote), clock)
}

/// An operation that a thread of its own waits for. A test that fails leaves the
/// thread behind.
pub(crate) struct Started<O: Operation> {
    outcome: mpsc::Receiver<Answer<O>>,
}

type Answer<O> = Result<<O as Operation>::Output, RemoteError>;

/// Looks at the clock each millisecond; as long as that stands still, this is one
/// wait without a pause.
pub(crate) fn start<O>(mut operation: O, clock: &Clock) -> Started<O>
where
    O: Operation + 'static,
{
    let (sender, outcome) = mpsc::channel();
    let clock = clock.clone();
    thread::spawn(move || {
        let answer = loop {
            if let Poll::Ready(answer) = operation.wait(clock.now() + 1_000_000) {
                break answer;
            }
        };
        drop(operation);
        sender.send(answer)
    });
    Started { outcome }
}

impl<O: Operation> Started<O> {
    pub(crate) fn answer(self) -> Answer<O> {
        self.outcome.recv_timeout(PATIENCE).unwrap()
    }
}

/// Waits no longer than it has to, as a thread does that is wanted elsewhere.
pub(crate) fn pause(operation: &mut impl Operation) {
    assert!(operation.wait(0).is_pending());
}

/// Until another thread has done what it is about to do.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE);
        thread::yield_now();
    }
}
