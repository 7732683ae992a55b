//! How a connection is made.

use super::puppet::Puppet;
use super::{PATIENCE, SECOND, remote, start};
use crate::clock::Clock;
use crate::remote::{Address, Expiry, Operation, Remote, RemoteError, Server, ServerCondition};
use std::io::Read;
use std::os::unix::net::UnixListener;
use std::time::Instant;

const NO_KEYS: [&[u8]; 0] = [];

#[test]
fn a_connection_introduces_itself_where_that_is_needed() {
    let cases = [
        (None, None, 0, vec![]),
        (None, Some("word"), 0, vec!["AUTH word"]),
        (
            Some("me"),
            Some("word"),
            3,
            vec!["AUTH me word", "SELECT 3"],
        ),
        (None, None, 3, vec!["SELECT 3"]),
    ];
    for (username, password, db, commands) in cases {
        let puppet = Puppet::new();
        let server = Server {
            username: username.map(str::to_owned),
            password: password.map(str::to_owned),
            db,
            ..puppet.server()
        };
        let (remote, clock) = remote(server);
        let reader = start(remote.validate([&b"a"[..]]), &clock);
        let mut peer = puppet.accept();
        for command in commands {
            peer.serve(command, "+OK\r\n");
        }
        peer.serve("GETRANGE ns:a 0 23", "$-1\r\n");
        assert!(reader.answer().is_ok());
    }
}

#[test]
fn a_server_that_refuses_the_introduction_is_asked_nothing() {
    let puppet = Puppet::new();
    let server = Server {
        password: Some("a-password".to_owned()),
        db: 3,
        ..puppet.server()
    };
    let (remote, clock) = remote(server);
    let reader = start(remote.validate([&b"a"[..]]), &clock);
    let mut peer = puppet.accept();
    assert_eq!(peer.commands(2), ["AUTH a-password", "SELECT 3"]);
    peer.send("-WRONGPASS invalid username-password pair\r\n-NOAUTH Authentication required.\r\n");
    let error = reader.answer().unwrap_err();
    assert!(matches!(&error, RemoteError::Server { code, .. } if code == "WRONGPASS"));
    assert!(!error.to_string().contains("a-password"));
    assert_eq!(peer.rest(), [] as [&str; 0]);
    let refused = start(remote.validate([&b"a"[..]]), &clock)
        .answer()
        .unwrap_err();
    assert!(refused.to_string().ends_with("(not tried again for 50 ms)"));
    assert_eq!(remote.connections(), 0);
}

#[test]
fn removals_alone_are_tried_while_the_server_is_given_time() {
    fn error_at_once<O: Operation + 'static>(operation: O, clock: &Clock) -> String {
        let error = start(operation, clock).answer().err().unwrap();
        error.to_string()
    }
    fn is_tried<O: Operation + 'static>(operation: O, clock: &Clock, puppet: &Puppet) {
        let removal = start(operation, clock);
        puppet.accept().close();
        assert!(removal.answer().is_err());
    }
    const KEY: [&[u8]; 1] = [b"a"];
    let cas = |remote: &Remote, wire, condition| {
        remote.compare_and_set(KEY[0], wire, Expiry::Never, &condition)
    };
    let (always, leased) = (ServerCondition::Always, ServerCondition::Leased([0; 16]));
    let puppet = Puppet::new();
    let (remote, clock) = remote(puppet.server());
    is_tried(remote.validate(KEY), &clock, &puppet);
    for refused in [
        error_at_once(remote.validate(KEY), &clock),
        error_at_once(remote.get(KEY), &clock),
        error_at_once(remote.set([(KEY[0], KEY[0])], Expiry::Never), &clock),
        error_at_once(remote.set_new(KEY[0], b"", Expiry::Never), &clock),
        error_at_once(cas(&remote, Some(b""), always.clone()), &clock),
        error_at_once(cas(&remote, None, leased), &clock), // gives a lease back
        error_at_once(remote.increment(KEY[0], 1, Expiry::Never), &clock),
    ] {
        assert!(refused.ends_with("(not tried again for 50 ms)"));
    }
    is_tried(remote.delete(KEY), &clock, &puppet);
    is_tried(cas(&remote, None, always), &clock, &puppet);
    is_tried(remote.scan(b"0", b"*"), &clock, &puppet);
    let removal = start(remote.unlink(&[b"ns:a".to_vec()]), &clock);
    puppet.accept().serve("UNLINK ns:a", ":1\r\n");
    assert!(removal.answer().is_ok());
    is_tried(remote.validate(KEY), &clock, &puppet); // all are, since the server is back
}

#[test]
fn a_password_that_the_server_repeats_is_not_shown() {
    // As Redis does if AUTH was renamed.
    let reply = "-ERR unknown command 'AUTH', with args beginning with: 'me' 'a-password'\r\n";
    let puppet = Puppet::new();
    let server = Server {
        username: Some("me".to_owned()),
        password: Some("a-password".to_owned()),
        ..puppet.server()
    };
    let (remote, clock) = remote(server);
    let reader = start(remote.validate([&b"a"[..]]), &clock);
    let mut peer = puppet.accept();
    peer.serve("AUTH me a-password", reply);
    let first = reader.answer().unwrap_err();
    let at_once = start(remote.validate([&b"a"[..]]), &clock);
    for error in [first, at_once.answer().unwrap_err()] {
        assert!(error.to_string().contains("unknown command 'AUTH'"));
        assert!(!format!("{error} {error:?}").contains("a-password"));
    }
}

/// What servers say to who connects, whatever they are asked then.
const GREETINGS: [(&str, &str); 3] = [
    (
        "-DENIED Redis is running in protected mode because protected mode is enabled\r\n",
        "refused the connection: DENIED Redis is running in protected mode",
    ),
    (
        "-ERR max number of clients reached\r\n",
        "refused the connection: ERR max number of clients reached",
    ),
    (
        "-LOADING Redis is loading the dataset in memory\r\n",
        "LOADING Redis is loading the dataset in memory",
    ),
];

#[test]
fn what_a_server_says_before_it_closes_is_shown_whenever_it_says_so() {
    let introductions = [
        (None, 0),
        (Some("a-password"), 0),
        (Some("a-password"), 3),
        (None, 3),
    ];
    for (greeting, shown) in GREETINGS {
        for (password, db) in introductions {
            for is_unasked in [true, false] {
                let puppet = Puppet::new();
                let server = Server {
                    password: password.map(str::to_owned),
                    db,
                    ..puppet.server()
                };
                let (remote, clock) = remote(server);
                let reader = start(remote.get([&b"a"[..]]), &clock);
                let mut peer = puppet.accept();
                if is_unasked {
                    peer.send(greeting);
                    peer.close(); // with or without what the client wrote meanwhile
                } else {
                    peer.command();
                    peer.send(greeting);
                    peer.close();
                }
                let error = reader.answer().err().unwrap();
                assert!(error.to_string().contains(shown), "{error} {is_unasked}");
                assert!(error.is_retriable(), "{error:?}");
                assert!(matches!(error, RemoteError::Refused { .. }), "{error:?}");
                assert!(error.is_refusal());
                assert_eq!(
                    remote.connections(),
                    u64::from(password.is_none() && db == 0)
                );
            }
        }
    }
}

#[test]
fn a_greeting_that_leaves_the_connection_open_ends_it_all_the_same() {
    for greeting in [
        "-DENIED protected\r\n",
        "-ERR max number of clients reached\r\n",
    ] {
        let puppet = Puppet::new();
        let (remote, clock) = remote(puppet.server());
        let reader = start(remote.validate([&b"a"[..]]), &clock);
        let mut peer = puppet.accept();
        peer.command();
        peer.send(greeting);
        let error = reader.answer().unwrap_err();
        assert!(matches!(error, RemoteError::Refused { .. }), "{error:?}");
        assert_eq!(peer.rest(), [] as [&str; 0]);
    }
}

#[test]
fn an_error_of_a_command_is_the_commands_on_a_new_connection_too() {
    let puppet = Puppet::new();
    let (remote, clock) = remote(puppet.server());
    let reader = start(remote.length(b"a"), &clock);
    puppet
        .accept()
        .serve("STRLEN ns:a", "-ERR something else\r\n");
    let (replies, _) = reader.answer().unwrap();
    assert!(matches!(&replies[0], Err(RemoteError::Server { code, .. }) if code == "ERR"));
}

#[test]
fn nothing_that_may_repeat_the_password_is_shown_in_any_spelling() {
    let spellings = [
        "a-pass/word",
        "A-PASS/WORD",
        "a-pass%2Fword",
        "a-pass\\/word",
        "YS1wYXNzL3dvcmQ=",
        "drow/ssap-a",
    ];
    for spelling in spellings {
        for reply in [
            format!("-ERR unknown command 'AUTH', with args beginning with: '{spelling}'\r\n"),
            format!("-WRONGPASS {spelling} is no password\r\n"),
            format!("-DENIED {spelling}\r\n"),
            format!("-{spelling} no\r\n"),
            format!("-ERR {spelling}\r\n"),
            format!("-{spelling}\r\n"),
        ] {
            let puppet = Puppet::new();
            let (remote, clock) = remote(Server {
                password: Some("a-pass/word".to_owned()),
                ..puppet.server()
            });
            let reader = start(remote.validate([&b"a"[..]]), &clock);
            let mut peer = puppet.accept();
            peer.command();
            peer.send(&reply);
            let error = reader.answer().unwrap_err();
            assert!(
                !format!("{error} {error:?}").contains(spelling),
                "{error:?}"
            );
        }
    }
}

#[test]
fn foreign_text_is_shown_on_one_line_and_cut() {
    let long = "x".repeat(3000);
    let puppet = Puppet::new();
    let (remote, clock) = remote(puppet.server());
    let reader = start(remote.length(b"a"), &clock);
    let mut peer = puppet.accept();
    peer.serve(
        "STRLEN ns:a",
        format!("-ERR it's \x1b[31m\u{202e}\t\"red\"\n{long}\r\n"),
    );
    let (replies, _) = reader.answer().unwrap();
    let message = replies[0].as_ref().err().unwrap().to_string();
    assert!(
        message.starts_with("ERR it's \\u{1b}[31m\\u{202e}\\t\"red\" x"),
        "{message}"
    );
    assert_eq!(message.chars().count(), 200);
}

#[test]
fn nobody_listens_at_a_port_that_refuses() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let (remote, clock) = remote(Server {
        address: Address::Tcp {
            host: "127.0.0.1".to_owned(),
            port,
            tls: None,
        },
        ..Puppet::new().server()
    });
    let error = start(remote.validate([&b"a"[..]]), &clock)
        .answer()
        .unwrap_err();
    assert!(matches!(error, RemoteError::Connection(_)));
    assert!(
        error
            .to_string()
            .starts_with(&format!("redis://127.0.0.1:{port}/0: ")),
        "{error}"
    );
}

#[test]
fn a_connection_that_is_not_made_in_time_is_given_up_whatever_it_is_busy_with() {
    let puppet = Puppet::new();
    let server = Server {
        password: Some("a-password".to_owned()),
        ..puppet.server()
    };
    let (remote, clock) = remote(server);
    let reader = start(remote.validate([&b"a"[..]]), &clock);
    let mut peer = puppet.accept();
    assert_eq!(peer.command(), "AUTH a-password");
    // A byte now and then keeps the connection from being silent for too long.
    let began = Instant::now();
    peer.send("+");
    let answer = loop {
        peer.try_send("x");
        clock.advance(SECOND / 10);
        if let Ok(answer) = reader.outcome.recv_timeout(SECOND / 100) {
            break answer;
        }
        assert!(began.elapsed() < PATIENCE);
    };
    let error = answer.err().unwrap();
    assert!(matches!(error, RemoteError::Timeout(_)), "{error:?}");
    assert!(
        error.to_string().ends_with("took no connection within 1s"),
        "{error}"
    );
}

#[test]
fn a_server_may_listen_at_a_unix_socket() {
    let directory = std::env::temp_dir().join(format!("ccache-core-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let (remote, clock) = remote(Server {
        address: Address::Unix(path),
        ..Puppet::new().server()
    });
    let reader = start(remote.validate([&b"a"[..]]), &clock);
    let (mut stream, _) = listener.accept().unwrap();
    let question = b"*4\r\n$8\r\nGETRANGE\r\n$4\r\nns:a\r\n$1\r\n0\r\n$2\r\n23\r\n";
    let mut asked = vec![0; question.len()];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(asked, question);
    std::io::Write::write_all(&mut stream, b"$-1\r\n").unwrap();
    assert!(reader.answer().is_ok());
    // Closed while nobody used it: the next reader makes another one.
    drop(stream);
    clock.advance(SECOND);
    let reader = start(remote.validate([&b"a"[..]]), &clock);
    let (mut stream, _) = listener.accept().unwrap();
    stream.read_exact(&mut asked).unwrap();
    std::io::Write::write_all(&mut stream, b"$-1\r\n").unwrap();
    assert!(reader.answer().is_ok());
    assert_eq!(remote.connections(), 2);
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_store_that_asks_nothing_makes_no_connection() {
    let puppet = Puppet::new();
    let (remote, clock) = remote(puppet.server());
    remote.close();
    assert_eq!(
        start(remote.validate(NO_KEYS), &clock).answer().err(),
        Some(RemoteError::Closed)
    );
    assert!(!puppet.has_caller());
}
