use super::*;

#[test]
fn a_reader_alone_asks_and_is_answered() {
    let scene = Scene::new();
    let reader = scene.ask("a");
    let mut peer = scene.puppet.accept();
    peer.serve("GETRANGE ns:a 0 23", version(7));
    assert_eq!(versions(reader), [7]);
    assert_eq!(
        (scene.remote.connections(), scene.remote.validations()),
        (1, 1)
    );
    drop(scene.remote);
    assert_eq!(peer.rest(), [] as [&str; 0]);
}

#[test]
fn keys_are_any_bytes() {
    let scene = Scene::new();
    let reader = scene.resume(scene.remote.validate([&b"\r\n\0\xff"[..], b""]));
    let mut peer = scene.puppet.accept();
    peer.serve(r"GETRANGE ns:\r\n\x00\xff 0 23", version(1));
    peer.serve("GETRANGE ns: 0 23", version(2));
    assert_eq!(versions(reader), [1, 2]);
}

#[test]
fn each_reply_becomes_what_it_says_for_its_own_key() {
    let scene = Scene::new();
    let reader = scene.ask("a b c d e f");
    let mut peer = scene.puppet.accept();
    peer.commands(6);
    peer.send(bulk(lease(&[9; 16])));
    peer.send("$-1\r\n$0\r\n\r\n");
    peer.send("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    peer.send("-LOADING Redis is loading the dataset in memory\r\n");
    peer.send(version(7));
    let (heads, _) = reader.answer().unwrap();
    assert_eq!(heads[0], Ok(Head::Leased([9; 16])));
    assert_eq!(heads[1..3], [Ok(Head::Absent), Ok(Head::Absent)]);
    assert_eq!(heads[3], Ok(Head::Rejected(Rejected::Foreign)));
    let loading = heads[4].clone().unwrap_err();
    assert!(matches!(&loading, RemoteError::Server { code, .. } if code == "LOADING"));
    assert!(loading.is_retriable());
    assert_eq!(heads[5], Ok(Head::Tagged(tag_of_integer(7))));
}

#[test]
fn readers_that_come_while_a_pipeline_is_on_its_way_share_the_next_one() {
    let (scene, mut peer) = Scene::proven();
    let first = scene.ask("a");
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    let others = ["b", "c b", "a", "c"].map(|keys| scene.queue(keys));
    peer.send(version(1));
    let asked = peer.commands(3);
    assert_eq!(
        asked,
        ["b", "c", "a"].map(|key| format!("GETRANGE ns:{key} 0 23"))
    );
    peer.send([version(2), version(3), version(4)].concat());
    assert_eq!(versions(first), [1]);
    let [b, c_b, a, c] = others.map(versions);
    assert_eq!((b, c_b, a, c), (vec![2], vec![3, 2], vec![4], vec![3]));
    assert_eq!(
        (scene.remote.connections(), scene.remote.validations()),
        (1, 5)
    );
    drop(scene.remote);
    assert_eq!(peer.rest(), [] as [&str; 0]);
}

#[test]
fn a_reader_is_never_answered_by_a_question_that_was_sent_before_it_began() {
    let (scene, mut peer) = Scene::proven();
    let before = scene.ask("a");
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    scene.clock.advance(Duration::from_nanos(5));
    let after = scene.queue("a");
    peer.send(version(1));
    peer.serve("GETRANGE ns:a 0 23", version(2));
    let (heads, sent_at) = before.answer().unwrap();
    assert_eq!((version_of(&heads[0]), sent_at), (1, 0));
    let (heads, sent_at) = after.answer().unwrap();
    assert_eq!((version_of(&heads[0]), sent_at), (2, 5));
}

#[test]
fn a_question_about_no_key_is_answered_without_being_asked() {
    let (scene, peer) = Scene::proven();
    let reader = scene.resume(scene.remote.validate([]));
    assert_eq!(versions(reader), [] as [i64; 0]);
    drop(scene.remote);
    assert_eq!(peer.rest(), [] as [&str; 0]);
}

#[test]
fn a_reader_whose_turn_does_not_come_in_time_says_so_and_is_not_asked_for() {
    let (scene, mut peer) = Scene::proven();
    let (mut leader, lead) = scene.lead("a");
    let late = scene.queue("b");
    scene.clock.advance(SECOND * 3);
    let timeout = error(late);
    assert!(matches!(timeout, RemoteError::Timeout(_)), "{timeout:?}");
    assert!(timeout.to_string().ends_with("no turn to ask came in time"));
    let waiting = scene.queue("c");
    leader.lead(lead, &format(), 0);
    peer.serve("GETRANGE ns:a 0 23", version(1));
    peer.serve("GETRANGE ns:c 0 23", version(2));
    assert_eq!(versions(waiting), [2]);
    assert_eq!(answered(&mut leader), [1]);
}
