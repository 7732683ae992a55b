//! The lane against a server that the tests play, with a clock that stands still:
//! nothing happens but what a test does.

#![allow(clippy::unwrap_used)]

mod asking;
mod closing;
mod connecting;
mod leading;
mod many;
mod replies;
mod silence;

use super::*;
use crate::clock::{Clock, NEVER};
use crate::remote::tests::puppet::{Peer, Puppet, bulk};
use crate::remote::tests::{PATIENCE, SECOND, Started, format, pause, remote, start, until};
use crate::remote::wire::{Rejected, integer_of_tag, lease, tag_of_integer};
use crate::remote::{Operation, Remote, Server, Validate, Validated};
use std::sync::mpsc;
use std::time::Duration;

/// A lane, its server and the clock.
struct Scene {
    puppet: Puppet,
    remote: Arc<Remote>,
    clock: Clock,
}

impl Scene {
    fn new() -> Self {
        let puppet = Puppet::new();
        let (remote, clock) = remote(puppet.server());
        Self {
            puppet,
            remote,
            clock,
        }
    }

    /// One with a connection that has answered before.
    fn proven() -> (Self, Peer) {
        let scene = Self::new();
        let reader = scene.ask("first");
        let mut peer = scene.puppet.accept();
        peer.serve("GETRANGE ns:first 0 23", version(0));
        assert_eq!(versions(reader), [0]);
        (scene, peer)
    }

    fn ask(&self, keys: &str) -> Started<Validate> {
        self.resume(self.question(keys))
    }

    fn question(&self, keys: &str) -> Validate {
        self.remote.validate(keys.split(' ').map(str::as_bytes))
    }

    /// Asks, or queues, and then does not look any more.
    fn paused(&self, keys: &str) -> Validate {
        let mut question = self.question(keys);
        pause(&mut question);
        question
    }

    fn resume(&self, question: Validate) -> Started<Validate> {
        start(question, &self.clock)
    }

    /// Asks, and returns once the reader is queued behind the present leader.
    fn queue(&self, keys: &str) -> Started<Validate> {
        let before = self.queued();
        let reader = self.ask(keys);
        until(|| self.queued() == before + 1);
        reader
    }

    /// A leader that does nothing but what the test makes it do.
    fn lead(&self, key: &str) -> (Question, Lead) {
        let key = self.remote.server_key(key.as_bytes());
        let mut question = Question::new(self.remote.links(), vec![key]);
        let lead = question.take_lead(&AtomicU64::new(0)).unwrap();
        (question, lead)
    }

    /// What a peer sent, or that it has closed the connection.
    fn until_it_arrived(&self) {
        let links = self.remote.links();
        let mut lane = links.lane.lock();
        let Line::Up(connection) = &mut lane.line else {
            panic!("no connection");
        };
        until(|| connection.is_spoilt(0));
    }

    fn queued(&self) -> usize {
        self.remote.links().lane.lock().queue.len()
    }
}

/// A reply that a test tells from others: an integer's.
fn version(number: i64) -> Vec<u8> {
    bulk(number.to_string())
}

fn version_of(head: &Result<Head, RemoteError>) -> i64 {
    match head {
        Ok(Head::Tagged(tag)) => integer_of_tag(tag).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn versions(reader: Started<Validate>) -> Vec<i64> {
    reader.answer().unwrap().0.iter().map(version_of).collect()
}

/// What a leader's own question comes to.
fn answered(leader: &mut Question) -> Vec<i64> {
    match leader.wait(&format(), &AtomicU64::new(0), NEVER) {
        Poll::Ready(Ok(heads)) => heads.heads.iter().map(version_of).collect(),
        _ => panic!("no answer"),
    }
}

fn error(reader: Started<Validate>) -> RemoteError {
    reader.answer().unwrap_err()
}
