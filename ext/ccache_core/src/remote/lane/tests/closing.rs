use super::*;

#[test]
fn closing_ends_the_wait_of_all() {
    let (scene, mut peer) = Scene::proven();
    let leader = scene.ask("a");
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    let waiting = [scene.queue("b"), scene.queue("c")];
    scene.remote.close();
    assert_eq!(error(leader), RemoteError::Closed);
    for reader in waiting {
        assert_eq!(error(reader), RemoteError::Closed);
    }
    assert_eq!(error(scene.ask("d")), RemoteError::Closed);
    assert_eq!(peer.rest(), [] as [&str; 0]);
    assert!(!scene.puppet.has_caller());
}

#[test]
fn closing_ends_what_an_interrupted_leader_left() {
    let (scene, mut peer) = Scene::proven();
    let reader = scene.paused("a");
    assert_eq!(peer.command(), "GETRANGE ns:a 0 23");
    scene.remote.close();
    assert_eq!(error(scene.resume(reader)), RemoteError::Closed);
    assert_eq!(peer.rest(), [] as [&str; 0]);
}

#[test]
fn a_leader_that_ends_after_the_lane_was_closed_keeps_no_connection() {
    let (scene, peer) = Scene::proven();
    let (leader, lead) = scene.lead("a");
    scene.remote.close();
    drop((leader, lead.finish()));
    assert_eq!(peer.rest(), [] as [&str; 0]);
}
