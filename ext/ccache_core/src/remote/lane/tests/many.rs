use super::*;

/// Serves one connection: each question that arrives is counted, and answered by its
/// number and the key, a digit.
fn serve(puppet: Puppet) -> Arc<AtomicU64> {
    let arrived = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&arrived);
    thread::spawn(move || {
        let mut peer = puppet.accept();
        while let Some(question) = peer.next() {
            let key = question.strip_prefix("GETRANGE ns:").unwrap();
            let key: u64 = key.strip_suffix(" 0 23").unwrap().parse().unwrap();
            let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
            peer.send(version((number * 10 + key).try_into().unwrap()));
        }
    });
    arrived
}

/// Runs `read` on so many threads, each so often, with the numbers of both.
fn on_threads(threads: u64, reads: u64, read: impl Fn(u64, u64) + Send + Sync + 'static) {
    let (read, (sender, done)) = (Arc::new(read), mpsc::channel());
    for thread in 0..threads {
        let (read, sender) = (Arc::clone(&read), sender.clone());
        thread::spawn(move || {
            (0..reads).for_each(|number| read(thread, number));
            sender.send(()).unwrap();
        });
    }
    drop(sender);
    for _ in 0..threads {
        done.recv_timeout(PATIENCE).unwrap();
    }
}

/// C2: an answer's number is smaller if its question arrived before the read began.
fn check_answers(before: u64, keys: [u64; 2], (heads, _): &Validated) {
    assert_eq!(heads.len(), keys.len());
    for (head, key) in heads.iter().zip(keys) {
        let answer = version_of(head).unsigned_abs();
        let (number, of_key) = (answer / 10, answer % 10);
        assert_eq!(of_key, key);
        assert!(number > before, "{number} arrived when {before} had");
    }
}

fn question(remote: &Remote, keys: [u64; 2]) -> Validate {
    let keys = keys.map(|key| key.to_string());
    remote.validate(keys.iter().map(String::as_bytes))
}

#[test]
fn many_readers_are_each_answered_by_a_question_that_arrived_after_they_began() {
    let Scene { puppet, remote, .. } = Scene::new();
    let arrived = serve(puppet);
    let (asking, counter) = (Arc::clone(&remote), Arc::clone(&arrived));
    on_threads(8, 200, move |thread, _| {
        let keys = [thread % 3, 9 - thread];
        let before = counter.load(Ordering::SeqCst);
        match question(&asking, keys).wait(NEVER) {
            Poll::Ready(Ok(validated)) => check_answers(before, keys, &validated),
            _ => panic!("no answer"),
        }
    });
    assert_eq!(remote.connections(), 1);
    assert_eq!(remote.validations(), arrived.load(Ordering::SeqCst));
}

#[test]
fn many_readers_that_pause_and_give_up_leave_nobody_waiting() {
    let Scene { puppet, remote, .. } = Scene::new();
    let arrived = serve(puppet);
    let asking = Arc::clone(&remote);
    on_threads(8, 200, move |thread, number| {
        let before = arrived.load(Ordering::SeqCst);
        let keys = [(thread + number) % 3, 9 - thread];
        let mut operation = question(&asking, keys);
        // Some wait, some pause in between, some pause and give up.
        let chance = (thread * 31 + number * 17) % 5;
        let mut waited = if chance < 2 {
            Poll::Pending
        } else {
            operation.wait(0)
        };
        if waited.is_pending() && chance < 4 {
            waited = operation.wait(NEVER);
        }
        match waited {
            Poll::Ready(Ok(validated)) => check_answers(before, keys, &validated),
            Poll::Ready(Err(error)) => panic!("{error}"),
            Poll::Pending => assert_eq!(chance, 4),
        }
    });
    assert_eq!(remote.connections(), 1);
}
