use super::*;

#[test]
fn a_leader_that_paused_comes_back_to_its_own_question() {
    let (scene, mut peer) = Scene::proven();
    let reader = scene.paused("a");
    peer.serve("GETRANGE ns:a 0 23", version(1));
    assert_eq!(versions(scene.resume(reader)), [1]);
    assert_eq!(
        (scene.remote.connections(), scene.remote.validations()),
        (1, 2)
    );
    drop(scene.remote);
    assert_eq!(peer.rest(), [] as [&str; 0]);
}

#[test]
fn who_waits_goes_on_for_a_leader_that_paused() {
    let (scene, mut peer) = Scene::proven();
    let (mut leader, lead) = scene.lead("a");
    let waiting = scene.queue("b");
    leader.lead(lead, &format(), 0);
    peer.serve("GETRANGE ns:a 0 23", version(1));
    peer.serve("GETRANGE ns:b 0 23", version(2));
    assert_eq!(versions(waiting), [2]);
    assert_eq!(answered(&mut leader), [1]);
    assert_eq!(scene.remote.connections(), 1);
}

#[test]
fn who_shares_a_pipeline_goes_on_for_its_leader() {
    let (scene, mut peer) = Scene::proven();
    let gone = scene.paused("a");
    let (mut one, mut other) = (scene.paused("b"), scene.paused("b"));
    peer.serve("GETRANGE ns:a 0 23", version(1));
    pause(&mut one);
    assert_eq!(peer.command(), "GETRANGE ns:b 0 23");
    pause(&mut other);
    pause(&mut one);
    drop(gone);
    peer.send(version(2));
    let (one, other) = (scene.resume(one), scene.resume(other));
    assert_eq!((versions(one), versions(other)), (vec![2], vec![2]));
    assert_eq!(scene.remote.connections(), 1);
}

#[test]
fn who_has_its_answer_does_not_lead_for_others() {
    let (scene, mut peer) = Scene::proven();
    let first = scene.ask("a");
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    let second = scene.queue("b");
    peer.send(version(1));
    assert_eq!(peer.command(), "GETRANGE ns:b 0 23");
    assert_eq!(versions(first), [1]);
    peer.send(version(2));
    assert_eq!(versions(second), [2]);
}

#[test]
fn the_question_of_a_reader_that_is_gone_is_drained_before_the_next_one() {
    let (scene, mut peer) = Scene::proven();
    drop(scene.paused("a"));
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    let next = scene.ask("a");
    peer.send(version(1));
    peer.serve("GETRANGE ns:a 0 23", version(2));
    assert_eq!(versions(next), [2]);
    assert_eq!(scene.remote.connections(), 1);
}

#[test]
fn a_reader_that_gives_up_in_the_queue_is_not_asked_for() {
    let (scene, mut peer) = Scene::proven();
    let leader = scene.ask("a");
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    let (gone, waiting) = (scene.paused("b"), scene.queue("c"));
    drop(gone);
    peer.send(version(1));
    peer.serve("GETRANGE ns:c 0 23", version(2));
    assert_eq!((versions(leader), versions(waiting)), (vec![1], vec![2]));
}

#[test]
fn nobody_waits_for_a_reader_that_is_elsewhere() {
    let (scene, mut peer) = Scene::proven();
    let (mut leader, lead) = scene.lead("a");
    // Ruby runs a signal handler in its thread, for instance.
    let elsewhere = scene.paused("b");
    let waiting = scene.queue("c");
    leader.lead(lead, &format(), 0);
    peer.serve("GETRANGE ns:a 0 23", version(1));
    let asked = peer.commands(2);
    assert_eq!(asked, ["GETRANGE ns:b 0 23", "GETRANGE ns:c 0 23"]);
    peer.send([version(2), version(3)].concat());
    assert_eq!(versions(waiting), [3]);
    assert_eq!(answered(&mut leader), [1]);
    assert_eq!(versions(scene.resume(elsewhere)), [2]);
}

#[test]
fn nobody_waits_for_a_leader_that_is_elsewhere() {
    let (scene, mut peer) = Scene::proven();
    let elsewhere = scene.paused("a");
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    let (mut second, lead) = scene.lead("b"); // goes on with what the first one left
    let waiting = scene.queue("c");
    second.lead(lead, &format(), 0);
    peer.send(version(1));
    assert_eq!(peer.commands(2).len(), 2);
    peer.send([version(2), version(3)].concat());
    assert_eq!(versions(waiting), [3]);
    assert_eq!(answered(&mut second), [2]);
    assert_eq!(versions(scene.resume(elsewhere)), [1]);
}

#[test]
fn nobody_waits_for_a_reader_that_is_gone() {
    let (scene, mut peer) = Scene::proven();
    drop(scene.paused("a"));
    let (second, lead) = scene.lead("b");
    let third = scene.queue("c");
    second.lead(lead, &format(), 0);
    drop(second);
    peer.serve("GETRANGE ns:a 0 23", version(1));
    peer.serve("GETRANGE ns:c 0 23", version(3));
    assert_eq!(versions(third), [3]);
}

#[test]
fn a_leader_that_panics_fails_its_pipeline_and_calls_the_next() {
    let (scene, peer) = Scene::proven();
    let (mut leader, lead) = scene.lead("a");
    let waiting = scene.queue("b");
    drop(lead); // as unwinding does
    scene
        .puppet
        .accept()
        .serve("GETRANGE ns:b 0 23", version(1));
    assert_eq!(versions(waiting), [1]);
    let Poll::Ready(Err(error)) = leader.wait(&format(), &AtomicU64::new(0), NEVER) else {
        panic!("no error");
    };
    assert!(error.is_retriable() && error.to_string().ends_with("panicked"));
    assert_eq!(peer.rest(), [] as [&str; 0]);
}
