use super::*;

#[test]
fn silence_before_a_reader_began_is_not_held_against_it() {
    let (scene, mut peer) = Scene::proven();
    drop(scene.paused("a"));
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    scene.clock.advance(SECOND * 3600);
    let mut late = scene.paused("b");
    scene.clock.advance(SECOND - Duration::from_nanos(1));
    pause(&mut late);
    peer.send(version(1));
    let late = scene.resume(late);
    peer.serve("GETRANGE ns:b 0 23", version(2));
    assert_eq!(versions(late), [2]);
    assert_eq!(scene.remote.connections(), 1);
}

#[test]
fn silence_is_not_forgiven_by_a_change_of_leaders() {
    let (scene, mut peer) = Scene::proven();
    drop(scene.paused("a"));
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    scene.clock.advance(SECOND * 3600);
    let mut readers = [scene.paused("b"), scene.paused("c")];
    for _ in 0..9 {
        scene.clock.advance(SECOND / 10);
        readers.iter_mut().for_each(pause);
    }
    scene.clock.advance(SECOND / 10);
    for reader in readers {
        let timeout = error(scene.resume(reader)).to_string();
        assert!(timeout.contains("did not answer within 1s"), "{timeout}");
    }
    assert_eq!(peer.rest(), [] as [&str; 0]);
}

#[test]
fn a_server_that_is_silent_too_long_is_given_up_by_all_and_tried_again_later() {
    let (scene, mut peer) = Scene::proven();
    let leader = scene.paused("a");
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    let waiting = [scene.queue("b"), scene.queue("c")];
    scene.clock.advance(SECOND);
    let timeout = error(scene.resume(leader));
    assert!(matches!(timeout, RemoteError::Timeout(_)), "{timeout:?}");
    assert!(timeout.is_retriable());
    for reader in waiting {
        assert!(error(reader).is_retriable());
    }
    assert_eq!(peer.rest(), [] as [&str; 0]);

    let refused = error(scene.ask("a")).to_string();
    assert!(
        refused.contains("did not answer within 1s (not tried again for 50 ms)"),
        "{refused}"
    );
    scene.clock.advance(Duration::from_millis(49));
    assert!(scene.ask("a").answer().is_err());
    assert!(!scene.puppet.has_caller());

    scene.clock.advance(Duration::from_millis(1));
    let reader = scene.ask("a");
    scene
        .puppet
        .accept()
        .serve("GETRANGE ns:a 0 23", version(1));
    assert_eq!(versions(reader), [1]);
}

#[test]
fn fewer_replies_than_were_asked_for_are_silence() {
    let (scene, mut peer) = Scene::proven();
    let mut reader = scene.paused("a b");
    peer.commands(2);
    peer.send(version(1));
    pause(&mut reader);
    scene.clock.advance(SECOND);
    let reader = scene.resume(reader);
    let timeout = error(reader);
    assert!(matches!(timeout, RemoteError::Timeout(_)), "{timeout:?}");
    assert_eq!(peer.rest(), [] as [&str; 0]);
}

#[test]
fn a_server_that_sends_a_little_now_and_then_is_given_up_when_the_time_is_over() {
    let (scene, mut peer) = Scene::proven();
    let mut reader = scene.paused("a b");
    peer.commands(2);
    peer.send("$");
    for _ in 0..9 {
        scene.clock.advance(SECOND / 10);
        pause(&mut reader);
    }
    peer.send("2");
    scene.clock.advance(SECOND / 10);
    let timeout = error(scene.resume(reader)).to_string();
    assert!(timeout.contains("did not answer within 1s"), "{timeout}");
    assert_eq!(peer.rest(), [] as [&str; 0]);
}

#[test]
fn many_answers_have_the_time_that_they_take_at_the_least_rate() {
    let (scene, mut peer) = Scene::proven();
    let keys: Vec<_> = (0..16_384).map(|number| number.to_string()).collect();
    let mut reader = scene.question(&keys.join(" "));
    let asking = thread::spawn(move || {
        peer.commands(16_384);
        peer
    });
    until(|| reader.wait(0).is_pending() && asking.is_finished());
    let mut peer = asking.join().unwrap();
    let half = bulk([b'x'; 24]).repeat(8192); // 253,952 bytes
    let sent = half.clone();
    let sending = thread::spawn(move || {
        peer.send(&sent);
        peer
    });
    until(|| reader.wait(0).is_pending() && sending.is_finished());
    let mut peer = sending.join().unwrap();
    pause(&mut reader);
    scene.clock.advance(SECOND * 3 / 2);
    let sending = thread::spawn(move || peer.send(&half));
    assert_eq!(scene.resume(reader).answer().unwrap().0.len(), 16_384);
    sending.join().unwrap();
}

#[test]
fn who_leads_for_others_is_held_to_its_own_time() {
    let (scene, mut peer) = Scene::proven();
    let others = scene.paused("a");
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    // Its time is over; that of a connection which is made anew is not.
    scene.clock.advance(SECOND * 3);
    let mut leader = scene.question("b");
    drop(others);
    pause(&mut leader);
    scene.clock.advance(SECOND * 3);
    let timeout = error(scene.resume(leader));
    assert!(matches!(timeout, RemoteError::Timeout(_)), "{timeout:?}");
}
