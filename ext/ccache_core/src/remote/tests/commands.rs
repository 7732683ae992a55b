//! Which commands are sent for what, and what is made of the replies.

use super::puppet::{Puppet, bulk};
use super::{Answer, format, remote, start};
use crate::etag::Etag;
use crate::remote::script::Script;
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

/// What asks for a value.
fn question(key: &str) -> String {
    format!("GETRANGE ns:{key} 0 {}", format().max_wire_bytes())
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

const REFUSED: &str = "-NOPERM this user has no permissions to run the command\r\n";

fn by_hash(script: &Script, words: &str) -> String {
    format!("EVALSHA {} {words}", script.hash())
}

/// What an operation comes to on a server that answers each of these, one by one, on as
/// many connections as it takes.
fn converse<O>(asks: impl FnOnce(&Remote) -> O, turns: &[(&[&str], &[u8])]) -> Answer<O>
where
    O: Operation + 'static,
{
    let puppet = Puppet::new();
    let (remote, clock) = remote(puppet.server());
    let operation = start(asks(&remote), &clock);
    let mut peer = puppet.accept();
    for (commands, replies) in turns {
        for command in *commands {
            let sent = peer.command();
            let is_text = command.starts_with("EVAL ") && sent.starts_with("EVAL local ");
            assert!(is_text || sent == *command, "{sent}");
        }
        peer.send(replies);
    }
    operation.answer()
}

#[test]
fn a_removal_is_one_script_that_looks_at_what_it_removes() {
    let removed = |keys: &'static [&'static [u8]], words: &str, reply: &[u8]| {
        let command = by_hash(&Script::DELETE, words);
        run(
            |remote| remote.delete(keys.iter().copied()),
            &[&command],
            reply,
        )
    };
    assert_eq!(removed(&[b"a"], "1 ns:a", b"*1\r\n:1\r\n"), Ok(vec![true]));
    assert_eq!(
        removed(&[b"a", b"b"], "2 ns:a ns:b", b"*2\r\n:0\r\n:1\r\n"),
        Ok(vec![false, true])
    );
    let error = removed(&[b"a"], "1 ns:a", b"-ERR not allowed (DEL)\r\n").unwrap_err();
    assert!(error.to_string().ends_with("(DEL)"), "{error}");
}

/// What a removal comes to on a server that refuses scripts.
fn removed_without_scripts(trial: &[u8], replies: &[u8]) -> Answer<crate::remote::Delete> {
    let hash = by_hash(&Script::DELETE, "2 ns:a ns:b");
    let transaction = [
        "MULTI",
        "GETRANGE ns:a 0 23",
        "DEL ns:a",
        "GETRANGE ns:b 0 23",
        "DEL ns:b",
        "EXEC",
    ];
    let turns: [(&[&str], &[u8]); 4] = [
        (&[&hash], REFUSED.as_bytes()),
        (&["EVAL "], REFUSED.as_bytes()),
        (&["MULTI", "EXEC"], trial),
        (&transaction, replies),
    ];
    let turns = if replies.is_empty() {
        &turns[..3]
    } else {
        &turns
    };
    converse(|remote| remote.delete([&b"a"[..], b"b"]), turns)
}

#[test]
fn where_scripts_are_refused_a_removal_is_a_transaction_that_was_tried_out() {
    let value = &format().encode(b"ns:a", b"encoded", None).unwrap().0[..24];
    let removed = |first: &[u8], second: &[u8]| {
        let begin = b"+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*4\r\n";
        let replies = [&begin[..], first, second].concat();
        removed_without_scripts(b"+OK\r\n*0\r\n", &replies)
    };
    let pair = |head: &[u8], count: u8| {
        let count = format!(":{count}\r\n");
        [&*bulk(head), count.as_bytes()].concat()
    };
    assert_eq!(
        removed(&pair(value, 1), &pair(b"", 0)),
        Ok(vec![true, false])
    );
    assert_eq!(
        removed(&pair(b"foreign", 1), &pair(&lease(&[1; 16]), 1)),
        Ok(vec![true, false])
    );
    assert_eq!(
        removed(b"-WRONGTYPE no string\r\n:1\r\n", &pair(b"", 0)),
        Ok(vec![true, false])
    );
}

#[test]
fn a_removal_that_neither_script_nor_transaction_may_do_does_nothing() {
    for trial in [
        "-NOPERM not MULTI\r\n-ERR EXEC without MULTI\r\n",
        "+OK\r\n-NOPERM not EXEC\r\n",
    ] {
        let error = removed_without_scripts(trial.as_bytes(), b"").unwrap_err();
        assert!(error.is_of_forbidden_command(), "{error}");
    }
    let replies = b"+OK\r\n+QUEUED\r\n-NOPERM not DEL\r\n+QUEUED\r\n-NOPERM not DEL\r\n\
        -EXECABORT Transaction discarded\r\n";
    let error = removed_without_scripts(b"+OK\r\n*0\r\n", replies).unwrap_err();
    assert!(error.to_string().contains("not DEL"), "{error}");
}

#[test]
fn a_read_brings_values_and_how_long_they_stay() {
    let wire = format().encode(b"ns:a", b"encoded", None).unwrap().0;
    let mut sent = bulk(&wire);
    sent.extend_from_slice(b":1500\r\n$2\r\n42\r\n:-1\r\n$0\r\n\r\n:-2\r\n");
    sent.extend_from_slice(&bulk(lease(&[1; 16])));
    sent.extend_from_slice(
        b":0\r\n-WRONGTYPE no string\r\n:-1\r\n-LOADING wait\r\n-LOADING wait\r\n",
    );
    let keys = ["a", "b", "c", "d", "e", "f"];
    let commands = keys.map(|key| [question(key), format!("PTTL ns:{key}")]);
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
    let commands = [&*question("a"), "PTTL ns:a"];
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
fn counting_is_one_command_or_one_script_if_it_is_to_expire() {
    for expiry in [Expiry::Never, Expiry::Kept] {
        let answer = run(
            |remote| remote.increment(b"a", -3, expiry),
            &["INCRBY ns:a -3"],
            b":39\r\n",
        );
        assert_eq!(answer, Ok(39));
    }
    let command = by_hash(&Script::INCREMENT, "1 ns:a 2 1500");
    let count = |reply: &[u8]| {
        let expiry = Expiry::After(MS * 1500);
        run(
            |remote| remote.increment(b"a", 2, expiry),
            &[&command],
            reply,
        )
    };
    assert_eq!(count(b"$1\r\n2\r\n"), Ok(2));
    assert_eq!(count(&bulk(i64::MAX.to_string())), Ok(i64::MAX));
    let error = count(b"-ERR value is not an integer or out of range (INCRBY)\r\n").unwrap_err();
    assert!(error.is_of_no_integer());
    assert!(matches!(
        count(b"$1\r\nx\r\n"),
        Err(RemoteError::Connection(_))
    ));
}

#[test]
fn where_scripts_are_refused_counting_with_an_expiry_is_a_transaction() {
    let hash = by_hash(&Script::INCREMENT, "1 ns:a 2 1500");
    let count = |executed: &[u8]| {
        let replies = [b"+OK\r\n+QUEUED\r\n+QUEUED\r\n", executed].concat();
        let turns: [(&[&str], &[u8]); 4] = [
            (&[&hash], REFUSED.as_bytes()),
            (&["EVAL "], REFUSED.as_bytes()),
            (&["MULTI", "EXEC"], b"+OK\r\n*0\r\n"),
            (
                &["MULTI", "SET ns:a 0 PX 1500 NX", "INCRBY ns:a 2", "EXEC"],
                &replies,
            ),
        ];
        let expiry = Expiry::After(MS * 1500);
        converse(|remote| remote.increment(b"a", 2, expiry), &turns)
    };
    assert_eq!(count(b"*2\r\n+OK\r\n:2\r\n"), Ok(2));
    assert_eq!(count(b"*2\r\n$-1\r\n:44\r\n"), Ok(44));
    let no_integer = count(b"*2\r\n$-1\r\n-ERR value is not an integer or out of range\r\n");
    assert!(no_integer.unwrap_err().is_of_no_integer());
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
    let hash = Script::COMPARE_AND_SET.hash();
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
    let hash = Script::COMPARE_AND_SET.hash();
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

/// Each way to answer wrongly: of another type, too long, too deep, too many.
const WRONG: [&str; 12] = [
    "+QUEUED\r\n",
    "+no such status\r\n",
    ":4711\r\n",
    "*-1\r\n",
    "*3\r\n:1\r\n:1\r\n:1\r\n",
    "*1\r\n*1\r\n*1\r\n:1\r\n",
    "$9223372036854775807\r\n",
    "$-2\r\n",
    "*2147483647\r\n",
    "%1\r\n+a\r\n+b\r\n",
    ">1\r\n+invalidate\r\n",
    "(3492890328409238509324850943850943825024385\r\n",
];

/// What comes of an operation whose first command is answered so.
fn outcome<O>(
    operation: O,
    puppet: &Puppet,
    clock: &crate::clock::Clock,
    reply: &str,
) -> RemoteError
where
    O: Operation + 'static,
{
    let operation = start(operation, clock);
    let mut peer = puppet.accept();
    peer.command();
    peer.send(reply);
    let error = operation.answer().err();
    let error = error.unwrap_or_else(|| panic!("{reply} is accepted"));
    while peer.next().is_some() {} // until the connection is closed
    error
}

#[test]
fn a_reply_that_is_not_what_it_has_to_be_is_an_error_of_the_connection_and_ends_that() {
    const KEY: [&[u8]; 1] = [b"a"];
    let condition = ServerCondition::Absent;
    for reply in WRONG {
        let check = |name: &str, is_right: bool, ask: &dyn Fn(&Puppet) -> RemoteError| {
            if is_right {
                return;
            }
            let error = ask(&Puppet::new());
            assert!(matches!(error, RemoteError::Connection(_)), "{error:?}");
            let words = error.to_string();
            let is_named = words.contains(&format!("unexpected reply to {name}: "));
            assert!(is_named || words.contains("not a reply of"), "{words}");
        };
        macro_rules! refuses {
            ($name:expr, $is_right:expr, |$remote:ident| $operation:expr) => {
                check($name, $is_right, &|puppet| {
                    let ($remote, clock) = remote(puppet.server());
                    outcome($operation, puppet, &clock, reply)
                })
            };
        }
        let is_integer = reply.starts_with(':');
        refuses!("GETRANGE", false, |remote| remote.validate(KEY));
        refuses!("GETRANGE", false, |remote| remote.name(KEY[0]));
        refuses!("GETRANGE", false, |remote| remote.get(KEY));
        refuses!("SET", false, |remote| remote
            .set([(KEY[0], KEY[0])], Expiry::Never));
        refuses!("SET", false, |remote| remote.set_new(
            KEY[0],
            b"",
            Expiry::Never
        ));
        refuses!("EVALSHA", false, |remote| {
            remote.compare_and_set(KEY[0], None, Expiry::Never, &condition)
        });
        refuses!("EVALSHA", false, |remote| remote.delete(KEY));
        refuses!("INCRBY", is_integer, |remote| remote.increment(
            KEY[0],
            1,
            Expiry::Never
        ));
        refuses!("EVALSHA", false, |remote| remote.increment(
            KEY[0],
            1,
            Expiry::After(MS)
        ));
        refuses!("STRLEN", is_integer, |remote| remote.length(KEY[0]));
        refuses!("SCAN", false, |remote| remote.scan(b"0", b"*"));
        refuses!("UNLINK", false, |remote| remote.unlink(&[b"ns:a".to_vec()]));
    }
}

#[test]
fn a_write_is_done_only_if_the_server_says_ok() {
    for reply in ["$-1\r\n", ":1\r\n", "$2\r\nOK\r\n"] {
        let puppet = Puppet::new();
        let (remote, clock) = remote(puppet.server());
        let set = remote.set([(&b"a"[..], &b"1"[..])], Expiry::Never);
        let error = outcome(set, &puppet, &clock, reply);
        assert!(
            error.to_string().contains("unexpected reply to SET: "),
            "{error}"
        );
    }
}

#[test]
fn keys_of_another_namespace_are_not_scanned() {
    let answer = run(
        |remote| remote.scan(b"0", b"*"),
        &["SCAN 0 MATCH ns:* COUNT 1000"],
        b"*2\r\n$1\r\n0\r\n*2\r\n$4\r\nns:a\r\n$7\r\nother:a\r\n",
    );
    assert!(matches!(
        replies(answer)[..],
        [Err(RemoteError::Connection(_))]
    ));
}

#[test]
fn no_more_of_a_string_is_asked_for_than_shows_that_it_is_too_long() {
    let longest = format().max_wire_bytes();
    let mut ours = format().encode(b"ns:a", b"encoded", None).unwrap().0;
    ours[24..28].copy_from_slice(&(2_u32 << 20).to_le_bytes());
    let cases = [(ours, true), (b"foreign".to_vec(), false)];
    for (mut wire, is_ours) in cases {
        wire.resize(longest + 1, b'x');
        let commands = [&*question("a"), "PTTL ns:a"];
        let sent = [&bulk(wire)[..], b":-1\r\n"].concat();
        let answer = run(|remote| remote.get([&b"a"[..]]), &commands, &sent);
        let body = answer.unwrap().0.remove(0).unwrap().body;
        match body {
            Body::Undecodable(error) => {
                let words = "the encoded value has 2097152 bytes, max_value_bytes is 1048576";
                assert!(is_ours && error.to_string() == words, "{error}");
            }
            other => assert_eq!((other, is_ours), (Body::Rejected(Rejected::Foreign), false)),
        }
    }
}
