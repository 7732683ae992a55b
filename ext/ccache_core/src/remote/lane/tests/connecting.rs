use super::*;

#[test]
fn a_connection_that_could_not_be_made_while_nobody_waited_is_tried_again() {
    let puppet = Puppet::new();
    let server = Server {
        password: Some("a-password".to_owned()),
        ..puppet.server()
    };
    let (remote, clock) = remote(server);
    let mut first = remote.validate([&b"a"[..]]);
    pause(&mut first);
    puppet.accept().close();
    drop(first);
    clock.advance(SECOND * 3600);
    let late = start(remote.validate([&b"b"[..]]), &clock);
    let mut peer = puppet.accept();
    peer.serve("AUTH a-password", "+OK\r\n");
    peer.serve("GETRANGE ns:a 0 23", version(1));
    peer.serve("GETRANGE ns:b 0 23", version(2));
    assert_eq!(versions(late), [2]);
}

#[test]
fn a_proven_connection_that_the_server_closes_is_replaced_once() {
    for reply in ["", "$5\r\nab", "$2\r\n12\r\n$1\r"] {
        let (scene, mut peer) = Scene::proven();
        let reader = scene.ask("a b");
        let asked = peer.commands(2);
        let waiting = scene.queue("c");
        peer.send(reply);
        peer.close();
        let mut second = scene.puppet.accept();
        assert_eq!(second.commands(2), asked);
        second.send([version(1), version(2)].concat());
        second.serve("GETRANGE ns:c 0 23", version(3));
        assert_eq!(versions(reader), [1, 2]);
        assert_eq!(versions(waiting), [3]);
        assert_eq!(scene.remote.connections(), 2);
    }
}

#[test]
fn the_answer_over_a_new_connection_is_as_young_as_that() {
    let (scene, mut peer) = Scene::proven();
    let reader = scene.ask("a");
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    scene.clock.advance(Duration::from_nanos(5));
    peer.close();
    scene
        .puppet
        .accept()
        .serve("GETRANGE ns:a 0 23", version(1));
    assert_eq!(reader.answer().unwrap().1, 5);
}

#[test]
fn a_connection_that_never_answered_is_not_replaced() {
    let scene = Scene::new();
    let reader = scene.ask("a");
    let mut peer = scene.puppet.accept();
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    let waiting = scene.queue("b");
    peer.close();
    let error = error(reader);
    assert!(matches!(error, RemoteError::Connection(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("the server closed the connection")
    );
    // No time has passed: nobody tries again yet.
    let refused = waiting.answer().unwrap_err().to_string();
    assert!(
        refused.ends_with("(not tried again for 50 ms)"),
        "{refused}"
    );
    assert!(!scene.puppet.has_caller());
}

#[test]
fn a_proven_connection_is_not_replaced_twice() {
    let (scene, mut peer) = Scene::proven();
    let reader = scene.ask("a");
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    peer.close();
    let mut second = scene.puppet.accept();
    assert_eq!(second.command(), "GETRANGE ns:a 0 23");
    second.close();
    assert!(matches!(error(reader), RemoteError::Connection(_)));
    assert!(!scene.puppet.has_caller());
}

#[test]
fn an_idle_connection_that_the_server_closed_is_noticed_before_it_is_used() {
    let (scene, peer) = Scene::proven();
    peer.close();
    scene.until_it_arrived();
    let reader = scene.ask("a");
    scene
        .puppet
        .accept()
        .serve("GETRANGE ns:a 0 23", version(1));
    assert_eq!(versions(reader), [1]);
}

#[test]
fn an_idle_connection_that_still_stands_is_used_again() {
    let (scene, mut peer) = Scene::proven();
    scene.clock.advance(SECOND * 3600);
    let reader = scene.ask("a");
    peer.serve("GETRANGE ns:a 0 23", version(1));
    assert_eq!(versions(reader), [1]);
    assert_eq!(scene.remote.connections(), 1);
}
