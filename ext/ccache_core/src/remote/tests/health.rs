use crate::remote::RemoteError;
use crate::remote::health::Health;

const MILLI: u64 = 1_000_000;

fn refused() -> RemoteError {
    RemoteError::Connection("refused".to_owned())
}

#[test]
fn a_server_that_did_not_fail_may_be_asked() {
    assert_eq!(Health::default().check(0), Ok(()));
}

#[test]
fn after_each_failure_the_pause_is_twice_as_long_up_to_a_bound() {
    let (mut health, mut now) = (Health::default(), 7);
    for pause in [
        50, 100, 200, 400, 800, 1600, 2000, 2000, 2000, 2000, 2000, 2000, 2000,
    ] {
        health.note_failure(&refused(), now);
        let error = health.check(now).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("refused (not tried again for {pause} ms)")
        );
        assert!(matches!(error, RemoteError::Connection(_)));
        now += pause * MILLI;
        assert!(health.check(now - 1).is_err());
        assert_eq!(health.check(now), Ok(()));
    }
}

#[test]
fn an_error_at_once_is_of_the_kind_of_the_failure() {
    let kinds = [
        refused(),
        RemoteError::Timeout("late".to_owned()),
        RemoteError::Server {
            code: "LOADING".to_owned(),
            message: "LOADING wait".to_owned(),
        },
    ];
    for failure in kinds {
        let mut health = Health::default();
        health.note_failure(&failure, 0);
        let error = health.check(1).unwrap_err();
        assert_eq!(
            std::mem::discriminant(&error),
            std::mem::discriminant(&failure)
        );
        assert!(error.is_retriable());
        assert!(error.to_string().starts_with(&failure.to_string()));
        if let RemoteError::Server { code, .. } = error {
            assert_eq!(code, "LOADING");
        }
    }
}

#[test]
fn failures_that_come_in_together_count_once() {
    let mut health = Health::default();
    for now in [0, 1, 49 * MILLI] {
        health.note_failure(&refused(), now);
    }
    assert_eq!(health.check(50 * MILLI), Ok(()));
}

#[test]
fn a_success_ends_the_pause_and_the_next_one_is_the_shortest_again() {
    let mut health = Health::default();
    health.note_failure(&refused(), 0);
    health.note_failure(&refused(), 50 * MILLI);
    health.note_success();
    assert_eq!(health.check(50 * MILLI), Ok(()));
    health.note_failure(&refused(), 50 * MILLI);
    assert!(health.check(99 * MILLI).is_err());
    assert_eq!(health.check(100 * MILLI), Ok(()));
}
