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
fn a_server_that_keeps_sending_is_not_given_up() {
    let (scene, mut peer) = Scene::proven();
    let mut reader = scene.paused("a b c");
    peer.commands(3);
    for number in 1..3 {
        peer.send(version(number));
        pause(&mut reader);
        scene.clock.advance(SECOND * 6 / 10);
    }
    peer.send(version(3));
    assert_eq!(versions(scene.resume(reader)), [1, 2, 3]);
}
