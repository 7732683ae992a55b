use super::*;

#[test]
fn half_a_reply_is_kept_wherever_it_was_cut() {
    let (scene, mut peer) = Scene::proven();
    let reply = [
        bulk(lease(&[b'\r'; 16])),
        b"-WRONGTYPE x y\r\n".to_vec(),
        b"$-1\r\n".to_vec(),
    ]
    .concat();
    for cut in 1..reply.len() {
        let mut reader = scene.paused("a b c");
        peer.commands(3);
        peer.send(&reply[..cut]);
        pause(&mut reader);
        peer.send(&reply[cut..]);
        let expected = [
            Ok(Head::Leased([b'\r'; 16])),
            Ok(Head::Rejected(Rejected::Foreign)),
            Ok(Head::Absent),
        ];
        let (heads, _) = scene.resume(reader).answer().unwrap();
        assert_eq!(heads, expected, "cut at {cut}");
    }
    assert_eq!(scene.remote.connections(), 1);
}

#[test]
fn a_reply_that_comes_byte_by_byte_is_one() {
    let (scene, mut peer) = Scene::proven();
    let reader = scene.ask("a b");
    peer.commands(2);
    for byte in [version(12), version(-34)].concat() {
        peer.send([byte]);
    }
    assert_eq!(versions(reader), [12, -34]);
}

#[test]
fn a_reply_that_never_ends_is_refused_as_soon_as_it_begins() {
    for endless in [
        "$1000000000\r\n",
        "*2147483647\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n",
    ] {
        let scene = Scene::new();
        let reader = scene.ask("a");
        let mut peer = scene.puppet.accept();
        assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
        peer.send(endless);
        let error = error(reader).to_string();
        assert!(error.contains("unexpected reply to GETRANGE: "), "{error}");
        assert_eq!(peer.rest(), [] as [&str; 0]);
    }
}

#[test]
fn a_line_that_never_ends_holds_nobody() {
    let scene = Scene::new();
    let reader = scene.ask("a");
    let mut peer = scene.puppet.accept();
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    peer.send("-");
    peer.try_send([b'x'; 8192]);
    let error = error(reader).to_string();
    assert!(error.contains("a line without an end"), "{error}");
}

#[test]
fn more_replies_than_were_asked_for_are_believed_by_nobody() {
    for surplus in ["$1\r\n9\r\n", "$1\r\n", "$", "*1\r\n", "\r\n"] {
        let (scene, mut peer) = Scene::proven();
        let reader = scene.paused("a");
        assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
        peer.send([&version(1), surplus.as_bytes()].concat());
        let reader = scene.resume(reader);
        let mut second = scene.puppet.accept();
        second.serve("GETRANGE ns:a 0 23", version(2));
        assert_eq!(versions(reader), [2], "{surplus:?}");
        assert_eq!(peer.rest(), [] as [&str; 0]);
        let next = scene.ask("b");
        second.serve("GETRANGE ns:b 0 23", version(3));
        assert_eq!(versions(next), [3]);
    }
}

#[test]
fn a_reply_that_comes_when_nobody_asked_is_not_the_next_one_s() {
    for surplus in ["$1\r\n9\r\n", "$1"] {
        let (scene, mut peer) = Scene::proven();
        peer.send(surplus);
        scene.until_it_arrived();
        let reader = scene.ask("a");
        scene
            .puppet
            .accept()
            .serve("GETRANGE ns:a 0 23", version(1));
        assert_eq!(versions(reader), [1]);
        assert_eq!(peer.rest(), [] as [&str; 0]);
    }
}

#[test]
fn what_is_no_reply_is_an_error_for_everybody_in_the_pipeline() {
    let (scene, mut peer) = Scene::proven();
    let first = scene.ask("a");
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    let others = [scene.queue("b"), scene.queue("c")];
    peer.send(version(1));
    peer.commands(2);
    peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    // The connection had worked before, so it is tried once more.
    let mut second = scene.puppet.accept();
    second.commands(2);
    second.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    assert_eq!(versions(first), [1]);
    for other in others {
        let error = error(other);
        assert!(matches!(error, RemoteError::Connection(_)), "{error:?}");
        assert!(error.to_string().contains("not a reply of this protocol"));
    }
}
