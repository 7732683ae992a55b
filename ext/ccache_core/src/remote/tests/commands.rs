//! Which commands are sent for what, and what is made of the replies.

use super::puppet::{Puppet, bulk};
use super::{Answer, format, remote, start};
use crate::etag::Etag;
use crate::remote::script::compare_and_set_hash;
use crate::remote::wire::{Rejected, lease, tag_of};
use crate::remote::{
    Body, Compared, Expiry, Head, Operation, Remote, RemoteError, Reply, ServerCondition,
};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

/// What an operation comes to if the server gets these commands and replies so.
fn run<O>(asks: impl FnOnce(&Remote) -> O, commands: &[&str], replies: &[u8]) -> Answer<O>
where
    O: Operation + 'static,
{
    let puppet = Puppet::new();
    let (remote, clock) = remote(puppet.server());
    let operation = start(asks(&remote), &clock);
    let mut peer = puppet.accept();
    assert_eq!(peer.commands(commands.len()), commands);
    peer.send(replies);
    let answer = operation.answer();
    drop(remote);
    assert_eq!(peer.rest(), [] as [&str; 0]);
    answer
}

fn replies(answer: Answer<crate::remote::Replies>) -> Vec<Result<Reply, RemoteError>> {
    answer.unwrap().0
}

#[test]
fn a_write_is_one_set_for_each_key() {
    let pairs = || [(&b"a"[..], &b"1"[..]), (b"b", b"2")];
    let cases = [
        (Expiry::Never, ""),
        (Expiry::Kept, " KEEPTTL"),
        (Expiry::After(MS * 1500), " PX 1500"),
    ];
    for (expiry, words) in cases {
        let commands = [format!("SET ns:a 1{words}"), format!("SET ns:b 2{words}")];
        let commands: Vec<_> = commands.iter().map(String::as_str).collect();
        let answer = run(
            |remote| remote.set(pairs(), expiry),
            &commands,
            b"+OK\r\n-OOM command not allowed\r\n",
        );
        let replies = replies(answer);
        assert_eq!(replies[0], Ok(Reply::Okay));
        let Err(RemoteError::Server { code, message }) = &replies[1] else {
            panic!("{replies:?}");
        };
        assert_eq!((&**code, &**message), ("OOM", "OOM command not allowed"));
    }
}

#[test]
fn milliseconds_are_rounded_up_and_never_none() {
    let cases = [
        (0, 1),
        (1, 1),
        (1_000_000, 1),
        (1_000_001, 2),
        (1_999_999, 2),
        (u64::MAX, 18_446_744_073_710_u64),
    ];
    for (nanos, millis) in cases {
        let answer = run(
            |remote| remote.set_new(b"a", b"1", Expiry::After(Duration::from_nanos(nanos))),
            &[&format!("SET ns:a 1 NX PX {millis}")],
            b"$-1\r\n",
        );
        assert_eq!(replies(answer), [Ok(Reply::Nil)]);
    }
}

/// What a removal of one key says after these replies to its transaction.
fn removed(key_and_header: &str, executed: &[u8]) -> Result<Vec<bool>, RemoteError> {
    let commands = [
        "MULTI",
        &format!("GETRANGE {key_and_header}"),
        "DEL ns:a",
        "EXEC",
    ];
    let sent = [b"+OK\r\n+QUEUED\r\n+QUEUED\r\n", executed].concat();
    run(|remote| remote.delete([&b"a"[..]]), &commands, &sent)
}

#[test]
fn a_removal_is_one_transaction_that_looks_at_what_it_removes() {
    let executed = |head: &[u8], count: u8| {
        let count = format!(":{count}\r\n");
        [b"*2\r\n", &*bulk(head), count.as_bytes()].concat()
    };
    let removed = |executed: &[u8]| removed("ns:a 0 23", executed).map(|removed| removed[0]);
    let value = &format().encode(b"ns:a", b"encoded", None).unwrap().0[..24];
    assert_eq!(removed(&executed(value, 1)), Ok(true));
    assert_eq!(removed(&executed(b"", 0)), Ok(false));
    assert_eq!(removed(&executed(b"foreign", 1)), Ok(true));
    assert_eq!(removed(&executed(&lease(&[1; 16]), 1)), Ok(false));
    let of_another_type = b"*2\r\n-WRONGTYPE no string\r\n:1\r\n";
    assert_eq!(removed(of_another_type), Ok(true));
    let error = removed(b"-EXECABORT Transaction discarded\r\n").unwrap_err();
    assert!(matches!(error, RemoteError::Server { code, .. } if code == "EXECABORT"));
}

#[test]
fn a_removal_of_many_keys_is_one_transaction() {
    let commands = [
        "MULTI",
        "GETRANGE ns:a 0 23",
        "DEL ns:a",
        "GETRANGE ns:b 0 23",
        "DEL ns:b",
        "EXEC",
    ];
    let queued = b"+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n";
    let executed = b"*4\r\n$0\r\n\r\n:0\r\n$1\r\n7\r\n:1\r\n";
    let answer = run(
        |remote| remote.delete([&b"a"[..], b"b"]),
        &commands,
        &[&queued[..], executed].concat(),
    );
    assert_eq!(answer, Ok(vec![false, true]));
}

#[test]
fn a_read_brings_values_and_how_long_they_stay() {
    let wire = format().encode(b"ns:a", b"encoded", None).unwrap().0;
    let mut sent = bulk(&wire);
    sent.extend_from_slice(b":1500\r\n$2\r\n42\r\n:-1\r\n$-1\r\n:-2\r\n");
    sent.extend_from_slice(&bulk(lease(&[1; 16])));
    sent.extend_from_slice(
        b":0\r\n-WRONGTYPE no string\r\n:-1\r\n-LOADING wait\r\n-LOADING wait\r\n",
    );
    let keys = ["a", "b", "c", "d", "e", "f"];
    let commands = keys.map(|key| [format!("GET ns:{key}"), format!("PTTL ns:{key}")]);
    let commands: Vec<_> = commands.iter().flatten().map(String::as_str).collect();
    let answer = run(
        |remote| remote.get(keys.map(str::as_bytes)),
        &commands,
        &sent,
    );
    let mut got = answer.unwrap().0;
    let last = got.pop().unwrap().err().unwrap();
    assert!(matches!(&last, RemoteError::Server { code, .. } if code == "LOADING"));
    let got: Vec<_> = got.into_iter().map(Result::unwrap).collect();
    let Body::Value { encoded, .. } = &got[0].body else {
        panic!("{:?}", got[0].body);
    };
    assert_eq!(
        (&**encoded, got[0].expiry),
        (&b"encoded"[..], Expiry::After(MS * 1500))
    );
    assert_eq!(
        (&got[1].body, got[1].expiry),
        (&Body::Integer(42), Expiry::Never)
    );
    assert_eq!(got[2].body, Body::Absent);
    assert_eq!(got[3].body, Body::Leased);
    assert_eq!(got[4].body, Body::Rejected(Rejected::Foreign));
}

#[test]
fn what_expires_between_the_two_commands_of_a_read_is_gone() {
    let asks = |remote: &Remote| remote.get([&b"a"[..]]);
    let commands = ["GET ns:a", "PTTL ns:a"];
    let answer = run(asks, &commands, b"$2\r\n42\r\n:-2\r\n");
    assert_eq!(answer.unwrap().0.remove(0).unwrap().body, Body::Absent);
}

#[test]
fn a_value_is_read_under_its_whole_key() {
    let signing = || crate::remote::Format {
        signing_keys: vec![crate::remote::SigningKey::derive(b"secret")],
        ..format()
    };
    for (key, is_read) in [(&b"ns:a"[..], true), (b"a", false), (b"other:a", false)] {
        let puppet = Puppet::new();
        let clock = crate::clock::Clock::manual();
        let remote = Remote::new(puppet.server(), b"ns", signing(), clock.clone());
        let read = start(remote.get([&b"a"[..]]), &clock);
        let mut peer = puppet.accept();
        peer.commands(2);
        let wire = signing().encode(key, b"encoded", None).unwrap().0;
        peer.send([&bulk(wire)[..], b":-1\r\n"].concat());
        let body = read.answer().unwrap().0.remove(0).unwrap().body;
        assert_eq!(matches!(body, Body::Value { .. }), is_read);
        assert_eq!(body == Body::Rejected(Rejected::Unverified), !is_read);
    }
}

#[test]
fn counting_is_one_command_or_one_transaction_if_it_is_to_expire() {
    for expiry in [Expiry::Never, Expiry::Kept] {
        let answer = run(
            |remote| remote.increment(b"a", -3, expiry),
            &["INCRBY ns:a -3"],
            b":39\r\n",
        );
        assert_eq!(replies(answer), [Ok(Reply::Integer(39))]);
    }
    let commands = ["MULTI", "SET ns:a 0 PX 1500 NX", "INCRBY ns:a 2", "EXEC"];
    let count = |last: &[u8]| {
        let sent = [b"+OK\r\n+QUEUED\r\n+QUEUED\r\n", last].concat();
        let answer = run(
            |remote| remote.increment(b"a", 2, Expiry::After(MS * 1500)),
            &commands,
            &sent,
        );
        replies(answer).pop().unwrap()
    };
    assert_eq!(count(b"*2\r\n+OK\r\n:2\r\n"), Ok(Reply::Integer(2)));
    assert_eq!(count(b"*2\r\n$-1\r\n:44\r\n"), Ok(Reply::Integer(44)));
    let error = count(b"*2\r\n$-1\r\n-ERR value is not an integer or out of range\r\n");
    assert!(matches!(error, Err(RemoteError::Server { code, .. }) if code == "ERR"));
}

#[test]
fn a_tag_is_asked_for_with_the_longest_name_that_it_may_have() {
    let answer = run(
        |remote| remote.name(b"key"),
        &["GETRANGE ns:key 0 1053"],
        b"$2\r\n42\r\n",
    );
    assert_eq!(answer, Ok(Ok(Etag::of_integer(42))));
    let none = run(
        |remote| remote.name(b"key"),
        &["GETRANGE ns:key 0 1053"],
        b"$0\r\n\r\n",
    );
    assert_eq!(none, Ok(Err(Head::Absent)));
    let length = run(
        |remote| remote.length(b"key"),
        &["STRLEN ns:key"],
        b":42\r\n",
    );
    assert_eq!(replies(length), [Ok(Reply::Integer(42))]);
}

#[test]
fn clearing_looks_for_the_namespace_as_it_is_and_unlinks_by_name() {
    let answer = run(
        |remote| remote.scan(b"17", b"*"),
        &["SCAN 17 MATCH ns:* COUNT 1000"],
        b"*2\r\n$2\r\n42\r\n*2\r\n$4\r\nns:a\r\n$4\r\nns:b\r\n",
    );
    let keys = vec![b"ns:a".to_vec(), b"ns:b".to_vec()];
    assert_eq!(
        replies(answer),
        [Ok(Reply::Scanned(b"42".to_vec(), keys.clone()))]
    );
    let answer = run(
        |remote| remote.unlink(&keys),
        &["UNLINK ns:a ns:b"],
        b":2\r\n",
    );
    assert_eq!(replies(answer), [Ok(Reply::Integer(2))]);

    let puppet = Puppet::new();
    let clock = crate::clock::Clock::manual();
    let remote = Remote::new(puppet.server(), br"a*?[x-z]^\", format(), clock.clone());
    let scanned = start(remote.scan(b"0", b"*"), &clock);
    let mut peer = puppet.accept();
    // Each backslash of the pattern is shown as two.
    let pattern = r"a\\*\\?\\[x\\-z\\]\\^\\\\:*";
    peer.serve(
        &format!("SCAN 0 MATCH {pattern} COUNT 1000"),
        "*2\r\n$1\r\n0\r\n*0\r\n",
    );
    assert_eq!(
        replies(scanned.answer()),
        [Ok(Reply::Scanned(b"0".to_vec(), Vec::new()))]
    );
}

#[test]
fn a_condition_is_compared_by_one_script() {
    let hash = compare_and_set_hash();
    let given = Etag::parse(b"v1").unwrap();
    let tag = tag_of(&given).escape_ascii().to_string();
    let number = Etag::of_integer(-42);
    let cases = [
        (ServerCondition::Always, r"is not \x00".to_owned()),
        (ServerCondition::Absent, "absent ".to_owned()),
        (ServerCondition::Free, "free ".to_owned()),
        (ServerCondition::Is(given.clone()), format!("is {tag}")),
        (ServerCondition::IsNot(given), format!("is not {tag}")),
        (ServerCondition::Is(number.clone()), "is -42".to_owned()),
        (ServerCondition::IsNot(number), "is not -42".to_owned()),
        (
            ServerCondition::Leased(*b"0123456789abcdef"),
            "lease 0123456789abcdef".to_owned(),
        ),
    ];
    for (condition, words) in cases {
        let answer = run(
            |remote| {
                remote.compare_and_set(b"a", Some(b"new"), Expiry::After(MS * 1500), &condition)
            },
            &[&format!("EVALSHA {hash} 1 ns:a {words} 1500 new")],
            b":1\r\n",
        );
        assert_eq!(answer.unwrap().0, Compared::Done);
    }
    for (expiry, word, reply, compared) in [
        (Expiry::Never, "", ":0\r\n", Compared::Nothing),
        (
            Expiry::Kept,
            "keep",
            ":-1\r\n",
            Compared::PreconditionFailed,
        ),
    ] {
        let answer = run(
            |remote| remote.compare_and_set(b"a", None, expiry, &ServerCondition::Absent),
            &[&format!("EVALSHA {hash} 1 ns:a absent  {word}")],
            reply.as_bytes(),
        );
        assert_eq!(answer.unwrap().0, compared);
    }
}

#[test]
fn a_lease_is_put_where_the_condition_holds() {
    let hash = compare_and_set_hash();
    let token = *b"0123456789abcdef";
    let wire = lease(&token).escape_ascii().to_string();
    let cases = [
        (ServerCondition::Free, "free "),
        (ServerCondition::Seen(b"junk".to_vec()), "seen junk"),
    ];
    for (condition, words) in cases {
        let answer = run(
            |remote| remote.lease(b"a", &token, MS * 5000, &condition),
            &[&format!("EVALSHA {hash} 1 ns:a {words} 5000 {wire}")],
            b":-1\r\n",
        );
        assert_eq!(answer.unwrap().0, Compared::PreconditionFailed);
    }
}

#[test]
fn a_script_that_the_server_does_not_know_is_sent_as_text_once() {
    for (reply, is_done) in [(":1\r\n", true), ("-NOSCRIPT no such script\r\n", false)] {
        let puppet = Puppet::new();
        let (remote, clock) = remote(puppet.server());
        let condition = ServerCondition::Absent;
        let set = remote.compare_and_set(b"a", Some(b"new"), Expiry::Never, &condition);
        let set = start(set, &clock);
        let mut peer = puppet.accept();
        assert!(peer.command().starts_with("EVALSHA "));
        peer.send("-NOSCRIPT No matching script. Please use EVAL.\r\n");
        let text = peer.command();
        assert!(text.starts_with("EVAL local "), "{text}");
        assert!(text.ends_with(" 1 ns:a absent   new"), "{text}");
        peer.send(reply);
        match set.answer() {
            Ok((compared, _)) => assert_eq!((compared, is_done), (Compared::Done, true)),
            Err(error) => assert!(error.to_string().starts_with("NOSCRIPT") && !is_done),
        }
    }
}

#[test]
fn a_reply_that_nobody_expects_is_an_error_of_the_connection() {
    let answer = run(
        |remote| remote.unlink(&[b"ns:a".to_vec()]),
        &["UNLINK ns:a"],
        b"*1\r\n:1\r\n",
    );
    assert!(matches!(
        replies(answer)[..],
        [Err(RemoteError::Connection(_))]
    ));
    for executed in [&b"*-1\r\n"[..], b":1\r\n"] {
        let removed = removed("ns:a 0 23", executed);
        assert!(matches!(removed, Err(RemoteError::Connection(_))));
    }
    let answer = run(
        |remote| remote.get([&b"a"[..]]),
        &["GET ns:a", "PTTL ns:a"],
        b":1\r\n:1\r\n",
    );
    assert!(matches!(
        answer.unwrap().0[..],
        [Err(RemoteError::Connection(_))]
    ));
    let condition = ServerCondition::Absent;
    let asks = |remote: &Remote| remote.compare_and_set(b"a", None, Expiry::Never, &condition);
    let command = format!("EVALSHA {} 1 ns:a absent  ", compare_and_set_hash());
    assert!(matches!(
        run(asks, &[&command], b"+OK\r\n"),
        Err(RemoteError::Connection(_))
    ));
}
