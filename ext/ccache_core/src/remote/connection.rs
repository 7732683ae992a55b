//! One connection: bytes out, replies in, a tick at a time.
//!
//! The redis crate packs commands and parses replies; the socket is ours, since
//! its own connections can neither be interrupted nor tell how far they came. A
//! socket blocks for a [`TICK`] at most. So whoever waits on one looks that often
//! whether it was interrupted, and an [`Exchange`] that was left in the middle is
//! taken up by somebody else where it stands: the parser keeps half a reply.

use crate::clock::{Clock, Nanos};
use crate::remote::error::RemoteError;
use crate::remote::server::{Address, Server};
use crate::remote::tls;
use redis::{Parser, Value};
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// The longest that anything here blocks.
pub(crate) const TICK: Duration = Duration::from_millis(20);

/// After so long without use a connection is looked at before it is used: servers
/// close idle ones.
const IDLE: Nanos = 1_000_000_000;

/// A connection that is authenticated and has its database selected.
pub(crate) struct Connection {
    stream: Stream,
    parser: Parser,
    last_used: Nanos,
    /// Whether an exchange has succeeded on it.
    pub(crate) is_proven: bool,
    /// See [`Links::renew`](crate::remote::links::Links::renew).
    pub(crate) epoch: u64,
}

enum Stream {
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    Unix(UnixStream),
}

/// Commands on their way, and the replies that came so far.
pub(crate) struct Exchange {
    commands: Vec<u8>,
    written: usize,
    expected: usize,
    replies: Vec<Value>,
    quiet_since: Nanos,
    /// When the first byte was about to be sent.
    pub(crate) sent_at: Nanos,
}

impl Exchange {
    /// Packed commands that get so many replies.
    pub(crate) fn new(commands: Vec<u8>, expected: usize, now: Nanos) -> Self {
        Self {
            commands,
            written: 0,
            expected,
            replies: Vec::with_capacity(expected),
            quiet_since: now,
            sent_at: now,
        }
    }

    /// To send the same once more, on another connection.
    pub(crate) fn rewind(&mut self, now: Nanos) {
        self.written = 0;
        self.replies.clear();
        self.quiet_since = now;
        self.sent_at = now;
    }

    /// How many replies there will be.
    pub(crate) fn expected(&self) -> usize {
        self.expected
    }

    /// Whether the server may have got something of it.
    pub(crate) fn is_begun(&self) -> bool {
        self.written > 0
    }

    pub(crate) fn into_replies(self) -> Vec<Value> {
        self.replies
    }
}

impl Connection {
    /// Goes on with the exchange for a tick at most: whether it is complete. After
    /// an error the connection is of no more use.
    pub(crate) fn advance(
        &mut self,
        exchange: &mut Exchange,
        server: &Server,
        clock: &Clock,
    ) -> Result<bool, RemoteError> {
        while exchange.written < exchange.commands.len() {
            match self.stream.write(&exchange.commands[exchange.written..]) {
                Ok(0) => return Err(lost(server, &ErrorKind::WriteZero.into())),
                Ok(count) => {
                    exchange.written += count;
                    exchange.quiet_since = clock.now();
                }
                Err(error) => return pause(exchange, &error, server, server.write_timeout, clock),
            }
        }
        if let Err(error) = self.stream.flush() {
            return pause(exchange, &error, server, server.write_timeout, clock);
        }
        while exchange.replies.len() < exchange.expected {
            let mut reader = Noting::new(&mut self.stream);
            let parsed = self.parser.parse_value(&mut reader);
            let (has_read, failure) = (reader.has_read, reader.failure);
            if has_read {
                exchange.quiet_since = clock.now();
            }
            match (parsed, failure) {
                (Ok(reply), _) => exchange.replies.push(reply),
                (Err(_), Some(error)) => {
                    return pause(exchange, &error, server, server.read_timeout, clock);
                }
                (Err(_), None) => {
                    let message = format!("{server}: not a reply of this protocol");
                    return Err(RemoteError::Connection(message));
                }
            }
        }
        self.last_used = exchange.quiet_since;
        self.is_proven = true;
        Ok(true)
    }

    /// Whether the server closed it while nobody used it.
    pub(crate) fn is_stale(&self, now: Nanos) -> bool {
        if now.saturating_sub(self.last_used) < IDLE {
            return false;
        }
        let mut byte = [0];
        let seen = match &self.stream {
            Stream::Tcp(tcp) => peek(tcp, &mut byte),
            Stream::Tls(tls) => peek(&tls.sock, &mut byte),
            Stream::Unix(_) => return false, // its write fails at once
        };
        // Nothing to read is what a connection without a request has.
        !seen.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}

fn peek(tcp: &TcpStream, byte: &mut [u8; 1]) -> io::Result<usize> {
    tcp.set_nonblocking(true)?;
    let seen = tcp.peek(byte);
    tcp.set_nonblocking(false)?;
    seen
}

/// Not complete yet, unless the silence was too long or the error is a real one.
fn pause(
    exchange: &Exchange,
    error: &io::Error,
    server: &Server,
    timeout: Duration,
    clock: &Clock,
) -> Result<bool, RemoteError> {
    if !matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    ) {
        return Err(lost(server, error));
    }
    if elapsed(exchange.quiet_since, clock) < timeout {
        return Ok(false);
    }
    Err(RemoteError::Timeout(format!(
        "{server} did not answer within {timeout:?}"
    )))
}

fn lost(server: &Server, error: &io::Error) -> RemoteError {
    let reason = if error.kind() == ErrorKind::UnexpectedEof {
        "the server closed the connection".to_owned()
    } else {
        error.to_string()
    };
    RemoteError::Connection(format!("{server}: {reason}"))
}

fn elapsed(since: Nanos, clock: &Clock) -> Duration {
    Duration::from_nanos(clock.now().saturating_sub(since))
}

/// Notes what the parser keeps to itself: whether anything came, and what failed.
struct Noting<'a> {
    stream: &'a mut Stream,
    has_read: bool,
    failure: Option<io::Error>,
}

impl<'a> Noting<'a> {
    fn new(stream: &'a mut Stream) -> Self {
        Self {
            stream,
            has_read: false,
            failure: None,
        }
    }
}

impl Read for Noting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let error = match self.stream.read(buffer) {
            Ok(0) => ErrorKind::UnexpectedEof.into(),
            Ok(count) => {
                self.has_read = true;
                return Ok(count);
            }
            Err(error) => error,
        };
        let for_parser = error.kind().into();
        self.failure = Some(error);
        Err(for_parser)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tls(stream) => stream.flush(),
            Self::Tcp(_) | Self::Unix(_) => Ok(()),
        }
    }
}

/// A connection that is being made, by a thread of its own: name look-up cannot be
/// interrupted, and a thread that nobody waits for ends by itself.
pub(crate) struct Connecting {
    receiver: mpsc::Receiver<Result<Connection, RemoteError>>,
    since: Nanos,
}

impl Connecting {
    pub(crate) fn start(server: &Arc<Server>, clock: &Clock) -> Result<Self, RemoteError> {
        let (sender, receiver) = mpsc::channel();
        let (since, of_thread, clock) = (clock.now(), Arc::clone(server), clock.clone());
        thread::Builder::new()
            .name("ccache-connect".into())
            .spawn(move || sender.send(connect(&of_thread, &clock)))
            .map_err(|error| lost(server, &error))?;
        Ok(Self { receiver, since })
    }

    /// Whether it takes longer than it may: also a name look-up, which has no timeout.
    pub(crate) fn is_overdue(&self, server: &Server, now: Nanos) -> bool {
        Duration::from_nanos(now.saturating_sub(self.since)) > server.connect_timeout + TICK
    }

    /// Waits a tick at most.
    pub(crate) fn advance(&self, server: &Server) -> Option<Result<Connection, RemoteError>> {
        match self.receiver.recv_timeout(TICK) {
            Ok(result) => Some(result),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(RemoteError::Connection(format!(
                "{server}: the connecting thread died"
            )))),
        }
    }
}

fn connect(server: &Server, clock: &Clock) -> Result<Connection, RemoteError> {
    let began = clock.now();
    let stream = open(server, began, clock)?;
    let mut connection = Connection {
        stream,
        parser: Parser::new(),
        last_used: began,
        is_proven: false,
        epoch: 0,
    };
    let (commands, count) = introduction(server);
    let mut exchange = Exchange::new(commands, count, began);
    // A TLS handshake takes place with the first byte; without one here it would
    // be the first reader's.
    while !connection.advance(&mut exchange, server, clock)? {
        if elapsed(began, clock) > server.connect_timeout {
            return Err(too_slow(server));
        }
    }
    connection.is_proven = false;
    for reply in exchange.into_replies() {
        if let Value::ServerError(error) = &reply {
            return Err(RemoteError::of_reply(error));
        }
    }
    Ok(connection)
}

/// AUTH and SELECT where they are needed, and how many replies they get.
fn introduction(server: &Server) -> (Vec<u8>, usize) {
    let mut commands = Vec::new();
    let mut count = 0;
    if let Some(password) = &server.password {
        let mut auth = redis::cmd("AUTH");
        if let Some(username) = &server.username {
            auth.arg(username);
        }
        auth.arg(password).write_packed_command(&mut commands);
        count += 1;
    }
    if server.db != 0 {
        redis::cmd("SELECT")
            .arg(server.db)
            .write_packed_command(&mut commands);
        count += 1;
    }
    (commands, count)
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
    let mut failure = RemoteError::Connection(format!("{server}: the host has no address"));
    for address in address
        .to_socket_addrs()
        .map_err(|error| lost(server, &error))?
    {
        let left = server.connect_timeout.saturating_sub(elapsed(began, clock));
        if left.is_zero() {
            return Err(too_slow(server));
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(tcp) => return Ok(tcp),
            Err(error) if error.kind() == ErrorKind::TimedOut => failure = too_slow(server),
            Err(error) => failure = lost(server, &error),
        }
    }
    Err(failure)
}

pub(crate) fn too_slow(server: &Server) -> RemoteError {
    RemoteError::Timeout(format!(
        "{server} took no connection within {:?}",
        server.connect_timeout
    ))
}
