//! The body lane against a server that the tests play, with a clock that stands
//! still.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::clock::Clock;
use crate::remote::tests::puppet::{Peer, Puppet};
use crate::remote::tests::{SECOND, Started, pause, remote, start, until};
use crate::remote::{Expiry, Increment, Operation, Remote};
use std::time::Duration;

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

    fn proven() -> (Self, Peer) {
        let scene = Self::new();
        let written = scene.write("first");
        let mut peer = scene.puppet.accept();
        peer.serve("INCRBY ns:first 1", ":1\r\n");
        assert_eq!(answer(written), Ok(1));
        (scene, peer)
    }

    /// One with all connections in use, each by a command whose reply nobody looks
    /// for.
    fn full() -> (Self, Vec<(Increment, Peer)>) {
        let scene = Self::new();
        let busy = (0..CONNECTIONS).map(|number| {
            let mut written =
                scene
                    .remote
                    .increment(number.to_string().as_bytes(), 1, Expiry::Never);
            pause(&mut written);
            let mut peer = scene.puppet.accept();
            until(|| {
                written.wait(0).is_pending() && scene.remote.connections() == number as u64 + 1
            });
            pause(&mut written);
            assert_eq!(peer.command(), format!("INCRBY ns:{number} 1"));
            (written, peer)
        });
        let busy = busy.collect();
        (scene, busy)
    }

    fn write(&self, key: &str) -> Started<Increment> {
        self.resume(self.remote.increment(key.as_bytes(), 1, Expiry::Never))
    }

    /// Writes, or queues, and then does not look any more.
    fn paused(&self, key: &str) -> Increment {
        let mut replies = self.remote.increment(key.as_bytes(), 1, Expiry::Never);
        pause(&mut replies);
        replies
    }

    fn resume<O: Operation + 'static>(&self, operation: O) -> Started<O> {
        start(operation, &self.clock)
    }

    /// Writes, and returns once that waits for its turn.
    fn queue(&self, key: &str) -> Started<Increment> {
        let before = self.waiting();
        let written = self.write(key);
        until(|| self.waiting() == before + 1);
        written
    }

    /// That a peer has closed the one connection.
    fn until_it_arrived(&self) {
        let links = self.remote.links();
        let mut pool = links.pool.lock();
        let [Line::Up(connection)] = &mut pool.idle[..] else {
            panic!("no connection");
        };
        until(|| connection.is_spoilt(0));
    }

    fn waiting(&self) -> usize {
        self.remote.links().pool.lock().waiting.len()
    }

    fn in_use(&self) -> usize {
        self.remote.links().pool.lock().in_use
    }
}

/// What asks for a value, whose greatest length is that of the tests' format.
fn question(key: &str) -> String {
    format!(
        "GETRANGE ns:{key} 0 {}",
        crate::remote::tests::format().max_wire_bytes()
    )
}

fn answer(started: Started<Increment>) -> Result<i64, RemoteError> {
    started.answer()
}

#[test]
fn requests_one_after_the_other_share_a_connection() {
    let (scene, mut peer) = Scene::proven();
    let written = scene.write("a");
    peer.serve("INCRBY ns:a 1", ":0\r\n");
    assert_eq!(answer(written), Ok(0));
    assert_eq!((scene.remote.connections(), scene.in_use()), (1, 0));
}

#[test]
fn requests_at_the_same_time_have_a_connection_each_and_who_comes_after_the_eighth_waits() {
    let (scene, busy) = Scene::full();
    let waiting = [scene.queue("a"), scene.queue("b")];
    assert!(!scene.puppet.has_caller());
    let mut busy = busy.into_iter();
    let (written, mut peer) = busy.next().unwrap();
    peer.send(":1\r\n");
    assert_eq!(answer(scene.resume(written)), Ok(1));
    for (key, waiting) in ["a", "b"].into_iter().zip(waiting) {
        peer.serve(&format!("INCRBY ns:{key} 1"), ":2\r\n");
        assert_eq!(answer(waiting), Ok(2));
    }
    for (written, mut peer) in busy {
        peer.send(":1\r\n");
        assert_eq!(answer(scene.resume(written)), Ok(1));
    }
    assert_eq!(scene.remote.connections(), CONNECTIONS as u64);
    assert_eq!((scene.in_use(), scene.waiting()), (0, 0));
}

#[test]
fn a_request_that_is_given_up_takes_its_connection_along_and_leaves_its_place() {
    let (scene, mut busy) = Scene::full();
    let waiting = scene.queue("a");
    let (given_up, peer) = busy.remove(0);
    drop(given_up);
    assert_eq!(peer.rest(), [] as [&str; 0]);
    scene.puppet.accept().serve("INCRBY ns:a 1", ":2\r\n");
    assert_eq!(answer(waiting), Ok(2));
}

#[test]
fn a_request_that_paused_goes_on_where_it_was() {
    let (scene, mut peer) = Scene::proven();
    let mut read = scene.remote.get([&b"a"[..]]);
    pause(&mut read);
    assert_eq!(peer.commands(2), [&*question("a"), "PTTL ns:a"]);
    peer.send("$2\r\n4");
    pause(&mut read);
    peer.send("2\r\n:-1\r\n");
    let (got, _) = scene.resume(read).answer().unwrap();
    assert_eq!(
        got[0].as_ref().unwrap().body,
        crate::remote::Body::Integer(42)
    );
    assert_eq!(scene.remote.connections(), 1);
}

#[test]
fn who_gives_up_its_turn_passes_it_on() {
    let (scene, mut busy) = Scene::full();
    let (given_up, waiting) = (scene.paused("a"), scene.queue("b"));
    drop(given_up);
    let (written, mut peer) = busy.remove(0);
    peer.send(":1\r\n");
    assert_eq!(answer(scene.resume(written)), Ok(1));
    peer.serve("INCRBY ns:b 1", ":2\r\n");
    assert_eq!(answer(waiting), Ok(2));
}

#[test]
fn nobody_waits_for_one_whose_turn_it_is_but_who_is_elsewhere() {
    let (scene, mut busy) = Scene::full();
    let (elsewhere, waiting) = (scene.paused("a"), scene.queue("b"));
    let (written, mut peer) = busy.remove(0);
    peer.send(":1\r\n");
    assert_eq!(answer(scene.resume(written)), Ok(1));
    peer.serve("INCRBY ns:b 1", ":2\r\n");
    assert_eq!(answer(waiting), Ok(2));
    let elsewhere = scene.resume(elsewhere);
    peer.serve("INCRBY ns:a 1", ":3\r\n");
    assert_eq!(answer(elsewhere), Ok(3));
}

#[test]
fn who_has_a_connection_waits_for_none() {
    let (scene, mut busy) = Scene::full();
    let mut paused = scene.paused("a");
    let (written, mut peer) = busy.remove(0);
    peer.send(":1\r\n");
    assert_eq!(answer(scene.resume(written)), Ok(1));
    assert_eq!(scene.waiting(), 1);
    pause(&mut paused);
    assert_eq!(scene.waiting(), 0);
    peer.serve("INCRBY ns:a 1", ":2\r\n");
    assert_eq!(answer(scene.resume(paused)), Ok(2));
}

#[test]
fn as_many_are_called_as_places_come_free() {
    let (scene, mut busy) = Scene::full();
    let waiting = [scene.queue("a"), scene.queue("a"), scene.queue("a")];
    drop(
        busy.drain(..3)
            .map(|(written, _)| written)
            .collect::<Vec<_>>(),
    );
    let mut peers: Vec<_> = waiting.iter().map(|_| scene.puppet.accept()).collect();
    for peer in &mut peers {
        peer.serve("INCRBY ns:a 1", ":1\r\n");
    }
    for waiting in waiting {
        assert_eq!(answer(waiting), Ok(1));
    }
}

#[test]
fn who_waits_too_long_for_a_connection_says_so() {
    let (scene, busy) = Scene::full();
    let waiting = scene.queue("a");
    scene.clock.advance(SECOND * 3);
    let error = answer(waiting).unwrap_err();
    assert!(matches!(error, RemoteError::Timeout(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .ends_with("none of 8 connections came free in time")
    );
    assert_eq!(scene.waiting(), 0);
    drop(busy);
    assert_eq!(scene.in_use(), 0);
}

#[test]
fn a_write_that_was_sent_is_not_repeated() {
    let (scene, mut peer) = Scene::proven();
    let written = scene.write("a");
    assert_eq!(peer.command(), "INCRBY ns:a 1");
    peer.close();
    assert!(matches!(answer(written), Err(RemoteError::Connection(_))));
    assert!(!scene.puppet.has_caller());
    // The server has not failed a new connection, so the next one is made at once.
    let written = scene.write("b");
    scene.puppet.accept().serve("INCRBY ns:b 1", ":1\r\n");
    assert_eq!(answer(written), Ok(1));
}

#[test]
fn a_write_of_which_a_part_was_sent_is_not_repeated() {
    let (scene, mut peer) = Scene::proven();
    // More than the sockets between hold.
    let value = vec![b'v'; 64 << 20];
    let pairs = [(&b"a"[..], &value[..])];
    let written = scene.resume(scene.remote.set(pairs, Expiry::Never));
    peer.wait_for_bytes();
    peer.close();
    assert!(matches!(written.answer(), Err(RemoteError::Connection(_))));
    assert!(!scene.puppet.has_caller());
}

#[test]
fn a_write_that_got_more_replies_than_it_asked_for_fails_and_is_not_repeated() {
    let (scene, mut peer) = Scene::proven();
    let written = scene.paused("a");
    assert_eq!(peer.command(), "INCRBY ns:a 1");
    peer.send(":1\r\n:2\r\n");
    let error = answer(scene.resume(written)).unwrap_err();
    assert!(error.is_retriable() && error.to_string().ends_with("more replies than commands"));
    assert_eq!(peer.rest(), [] as [&str; 0]);
    let written = scene.write("b");
    let mut second = scene.puppet.accept();
    second.serve("INCRBY ns:b 1", ":3\r\n");
    assert_eq!(answer(written), Ok(3));
}

#[test]
fn a_server_that_takes_no_writes_any_more_is_looked_for_anew() {
    for refusal in ["-READONLY no writes\r\n", "-MASTERDOWN no master\r\n"] {
        let (scene, mut peer) = Scene::proven();
        // A connection that is being made meanwhile leads there, too.
        let mut read = scene.remote.validate([&b"a"[..]]);
        pause(&mut read);
        let being_made = scene.puppet.accept();
        let written = scene.write("b");
        peer.serve("INCRBY ns:b 1", refusal);
        assert!(answer(written).unwrap_err().is_retriable());
        let read = scene.resume(read);
        scene.puppet.accept().serve("GETRANGE ns:a 0 23", "$-1\r\n");
        assert!(read.answer().is_ok());
        let written = scene.write("c");
        scene.puppet.accept().serve("INCRBY ns:c 1", ":1\r\n");
        assert_eq!(answer(written), Ok(1));
        for outdated in [peer, being_made] {
            assert_eq!(outdated.rest(), [] as [&str; 0]);
        }
    }
}

#[test]
fn a_read_is_repeated_once_over_a_new_connection() {
    let (scene, mut peer) = Scene::proven();
    let read = scene.resume(scene.remote.get([&b"a"[..]]));
    let asked = peer.commands(2);
    scene.clock.advance(Duration::from_nanos(5));
    peer.send("$100\r\nhalf a val");
    peer.close();
    let mut second = scene.puppet.accept();
    assert_eq!(second.commands(2), asked);
    second.send("$2\r\n42\r\n:1500\r\n");
    let (got, sent_at) = read.answer().unwrap();
    let got = got[0].as_ref().unwrap();
    assert_eq!(got.body, crate::remote::Body::Integer(42));
    assert_eq!(got.expiry, Expiry::After(Duration::from_millis(1500)));
    assert_eq!(sent_at, 5);
}

#[test]
fn a_write_goes_over_a_new_connection_if_the_idle_one_was_closed() {
    let (scene, peer) = Scene::proven();
    peer.close();
    scene.until_it_arrived();
    let written = scene.write("a");
    scene.puppet.accept().serve("INCRBY ns:a 1", ":1\r\n");
    assert_eq!(answer(written), Ok(1));
}

#[test]
fn a_request_that_times_out_gives_its_place_back() {
    let (scene, mut peer) = Scene::proven();
    let written = scene.paused("a");
    assert_eq!(peer.command(), "INCRBY ns:a 1");
    scene.clock.advance(SECOND);
    let written = scene.resume(written);
    assert!(matches!(answer(written), Err(RemoteError::Timeout(_))));
    assert_eq!((peer.rest(), scene.in_use()), (Vec::new(), 0));
    let refused = answer(scene.write("a")).unwrap_err().to_string();
    assert!(refused.contains("not tried again"), "{refused}");
    assert_eq!(scene.in_use(), 0);
}

#[test]
fn closing_ends_the_wait_of_all() {
    let (scene, mut busy) = Scene::full();
    let (mut done, mut peer) = busy.remove(0);
    peer.send(":1\r\n");
    assert!(matches!(done.wait(0), Poll::Ready(Ok(_))));
    let last = scene.write("last");
    assert_eq!(peer.command(), "INCRBY ns:last 1");
    let waiting = [scene.queue("a"), scene.queue("b")];
    scene.remote.close();
    for ended in waiting.into_iter().chain([last]) {
        assert_eq!(answer(ended), Err(RemoteError::Closed));
    }
    assert_eq!(peer.rest(), [] as [&str; 0]);
    for (written, peer) in busy {
        assert_eq!(answer(scene.resume(written)), Err(RemoteError::Closed));
        assert_eq!(peer.rest(), [] as [&str; 0]);
    }
    assert_eq!(answer(scene.write("c")), Err(RemoteError::Closed));
    assert_eq!((scene.in_use(), scene.waiting()), (0, 0));
}

#[test]
fn closing_closes_what_is_idle() {
    let (scene, peer) = Scene::proven();
    scene.remote.close();
    assert_eq!(peer.rest(), [] as [&str; 0]);
}
