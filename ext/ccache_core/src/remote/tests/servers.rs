use super::SECOND;
use crate::remote::{Address, RemoteError, Server, Tls};

fn server(address: Address, db: u32) -> Server {
    Server {
        address,
        db,
        username: Some("a-user".to_owned()),
        password: Some("a-password".to_owned()),
        connect_timeout: SECOND,
        read_timeout: SECOND,
        write_timeout: SECOND,
    }
}

fn tcp(host: &str, tls: Option<Tls>) -> Address {
    Address::Tcp {
        host: host.to_owned(),
        port: 6379,
        tls,
    }
}

#[test]
fn a_server_is_shown_by_its_url_without_credentials() {
    let shown = [
        (tcp("localhost", None), 0, "redis://localhost:6379/0"),
        (tcp("127.0.0.1", None), 5, "redis://127.0.0.1:6379/5"),
        (tcp("::1", None), 0, "redis://[::1]:6379/0"),
        (
            tcp("example.org", Some(Tls::default())),
            0,
            "rediss://example.org:6379/0",
        ),
        (Address::Unix("/run/redis".into()), 0, "unix:///run/redis"),
        (
            Address::Unix("/run/redis".into()),
            2,
            "unix:///run/redis?db=2",
        ),
    ];
    for (address, db, url) in shown {
        let server = server(address, db);
        assert_eq!(server.to_string(), url);
        assert_eq!(format!("{server:?}"), format!("Server({url})"));
    }
}

#[test]
fn an_error_is_retriable_if_the_same_may_succeed_later() {
    let text = || "text".to_owned();
    let of_server = |code: &str| RemoteError::Server {
        code: code.to_owned(),
        message: text(),
    };
    for error in [
        RemoteError::Connection(text()),
        RemoteError::Timeout(text()),
        of_server("LOADING"),
        of_server("READONLY"),
        of_server("OOM"),
    ] {
        assert!(error.is_retriable(), "{error:?}");
        assert_eq!(error.to_string(), "text");
    }
    for error in [
        RemoteError::Codec(text()),
        RemoteError::Closed,
        of_server("ERR"),
        of_server("NOAUTH"),
        of_server("WRONGTYPE"),
    ] {
        assert!(!error.is_retriable(), "{error:?}");
    }
}
