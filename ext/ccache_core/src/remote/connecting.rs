//! How a connection is made, within its time.

use crate::clock::{Clock, Nanos};
use crate::remote::connection::{Connection, Exchange, Replies, TICK, elapsed, lost, nanos};
use crate::remote::error::RemoteError;
use crate::remote::racing;
use crate::remote::reply::{Expected, Shape};
use crate::remote::server::{Address, Server};
use crate::remote::stream::Stream;
use crate::remote::tls;
use redis::Value;
use rustls::StreamOwned;
use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// A connection that is being made, by a thread of its own: name look-up cannot be
/// interrupted, and a thread that nobody waits for ends by itself.
pub(crate) struct Connecting {
    receiver: mpsc::Receiver<Result<Connection, RemoteError>>,
    pub(crate) since: Nanos,
}

impl Connecting {
    pub(crate) fn start(
        server: &Arc<Server>,
        clock: &Clock,
        epoch: u64,
    ) -> Result<Self, RemoteError> {
        let (sender, receiver) = mpsc::channel();
        let (since, of_thread, clock) = (clock.now(), Arc::clone(server), clock.clone());
        thread::Builder::new()
            .name("ccache-connect".into())
            .spawn(move || sender.send(connect(&of_thread, &clock, epoch)))
            .map_err(|error| lost(server, &error))?;
        Ok(Self { receiver, since })
    }

    /// Whether it takes longer than it may: also a name look-up, which has no timeout.
    fn is_overdue(&self, server: &Server, now: Nanos) -> bool {
        Duration::from_nanos(now.saturating_sub(self.since)) > server.connect_timeout + TICK
    }

    /// Waits a tick at most.
    pub(crate) fn advance(
        &self,
        server: &Server,
        now: Nanos,
    ) -> Option<Result<Connection, RemoteError>> {
        match self.receiver.recv_timeout(TICK) {
            Ok(result) => Some(result),
            Err(RecvTimeoutError::Timeout) => {
                self.is_overdue(server, now).then(|| Err(too_slow(server)))
            }
            Err(RecvTimeoutError::Disconnected) => Some(Err(RemoteError::Connection(format!(
                "{server}: the connecting thread died"
            )))),
        }
    }
}

fn connect(server: &Server, clock: &Clock, epoch: u64) -> Result<Connection, RemoteError> {
    let began = clock.now();
    let give_up_at = began.saturating_add(nanos(server.connect_timeout));
    let stream = open(server, began, clock)?;
    let mut connection = Connection::new(stream, epoch, began);
    let (commands, expected) = introduction(server);
    let mut exchange = Exchange::new(commands, Replies::of(&expected), began);
    // A TLS handshake takes place with the first byte; without one here it would
    // be the first reader's.
    loop {
        match connection.advance(&mut exchange, server, clock, give_up_at) {
            Ok(true) => break,
            // It has one time for all of this.
            Ok(false) | Err(RemoteError::Timeout(_)) if clock.now() >= give_up_at => {
                let said = exchange.first_error();
                return Err(said.map_or_else(
                    || too_slow(server),
                    |error| RemoteError::of_refusal(server, error),
                ));
            }
            Ok(false) => {}
            Err(error @ RemoteError::Connection(_)) => {
                let said = connection.last_words(&mut exchange, server, clock);
                return Err(said.unwrap_or(error));
            }
            Err(error) => return Err(error),
        }
    }
    connection.begin(clock.now());
    for reply in exchange.into_replies() {
        if let Value::ServerError(error) = &reply {
            return Err(RemoteError::of_refusal(server, error));
        }
    }
    Ok(connection)
}

/// AUTH and SELECT where they are needed, and the replies that they get.
fn introduction(server: &Server) -> (Vec<u8>, Vec<Expected>) {
    let mut commands = Vec::new();
    let mut expected = Vec::new();
    if let Some(password) = &server.password {
        let mut auth = redis::cmd("AUTH");
        if let Some(username) = &server.username {
            auth.arg(username);
        }
        auth.arg(password).write_packed_command(&mut commands);
        expected.push(Expected::new("AUTH", Shape::Okay));
    }
    if server.db != 0 {
        redis::cmd("SELECT")
            .arg(server.db)
            .write_packed_command(&mut commands);
        expected.push(Expected::new("SELECT", Shape::Okay));
    }
    (commands, expected)
}

fn open(server: &Server, began: Nanos, clock: &Clock) -> Result<Stream, RemoteError> {
    let failed = |error| lost(server, &error);
    let stream = match &server.address {
        Address::Unix(path) => {
            let unix = UnixStream::connect(path).map_err(failed)?;
            unix.set_read_timeout(Some(TICK)).map_err(failed)?;
            unix.set_write_timeout(Some(TICK)).map_err(failed)?;
            Stream::Unix(unix)
        }
        Address::Tcp { host, port, tls } => {
            let tcp = open_tcp(server, (host, *port), began, clock)?;
            tcp.set_nodelay(true).map_err(failed)?;
            tcp.set_read_timeout(Some(TICK)).map_err(failed)?;
            tcp.set_write_timeout(Some(TICK)).map_err(failed)?;
            match tls {
                None => Stream::Tcp(tcp),
                Some(tls) => Stream::Tls(Box::new(StreamOwned::new(tls::client(host, tls)?, tcp))),
            }
        }
    };
    Ok(stream)
}

/// The first of the host's addresses that answers.
fn open_tcp(
    server: &Server,
    address: (&str, u16),
    began: Nanos,
    clock: &Clock,
) -> Result<TcpStream, RemoteError> {
    let addresses = address
        .to_socket_addrs()
        .map_err(|error| lost(server, &error))?;
    let left = server.connect_timeout.saturating_sub(elapsed(began, clock));
    if left.is_zero() {
        return Err(too_slow(server));
    }
    match racing::connect(addresses, left) {
        Ok(tcp) => Ok(tcp),
        Err(error) if error.kind() == ErrorKind::TimedOut => Err(too_slow(server)),
        Err(error) => Err(lost(server, &error)),
    }
}

fn too_slow(server: &Server) -> RemoteError {
    RemoteError::Timeout(format!(
        "{server} took no connection within {:?}",
        server.connect_timeout
    ))
}
