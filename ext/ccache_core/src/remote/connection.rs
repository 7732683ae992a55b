//! One connection: bytes out, replies in, a tick at a time.
//!
//! The redis crate packs commands and parses replies; the socket is ours, since
//! its own connections can neither be interrupted nor tell how far they came. A
//! socket blocks for a [`TICK`] at most. So whoever waits on one looks that often
//! whether it was interrupted, and an [`Exchange`] that was left in the middle is
//! taken up by somebody else where it stands: the parser keeps half a reply.

use crate::clock::{Clock, Nanos};
use crate::remote::error::RemoteError;
use crate::remote::server::Server;
use crate::remote::stream::Stream;
use redis::{Parser, ServerError, Value};
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

/// The longest that anything here blocks.
pub(crate) const TICK: Duration = Duration::from_millis(20);

/// After so long without use even a new connection is looked at before it is used:
/// servers close idle ones.
const IDLE: Nanos = 1_000_000_000;

/// What the parser is given after the last reply; no reply that is asked for here.
const END: &[u8] = b"+ccache:end\r\n";

/// A connection that is authenticated and has its database selected.
pub(crate) struct Connection {
    stream: Stream,
    parser: Parser,
    last_used: Nanos,
    /// Whether an exchange has succeeded on it.
    pub(crate) is_proven: bool,
    /// As it was when it began to connect; see
    /// [`Links::renew`](crate::remote::links::Links::renew).
    pub(crate) epoch: u64,
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

    /// Who waits now began then: the silence before that is not theirs.
    pub(crate) fn wait_from(&mut self, moment: Nanos) {
        self.quiet_since = self.quiet_since.max(moment);
    }

    /// Since when it waits for the server in vain.
    pub(crate) fn waited_from(&self) -> Nanos {
        self.quiet_since
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

    /// What the server said first, if that is an error.
    pub(crate) fn first_error(&self) -> Option<&ServerError> {
        match self.replies.first() {
            Some(Value::ServerError(error)) => Some(error),
            _ => None,
        }
    }
}

impl Connection {
    /// Nothing was said on it yet.
    pub(crate) fn new(stream: Stream, epoch: u64, now: Nanos) -> Self {
        Self {
            stream,
            parser: Parser::new(),
            last_used: now,
            is_proven: false,
            epoch,
        }
    }

    /// As if nothing had been said on it yet, after it introduced itself.
    pub(crate) fn begin(&mut self, now: Nanos) {
        self.is_proven = false;
        self.last_used = now;
    }

    /// Goes on with the exchange until `stop_at`, or a tick longer if nothing comes:
    /// whether it is complete. After an error the connection is of no more use.
    pub(crate) fn advance(
        &mut self,
        exchange: &mut Exchange,
        server: &Server,
        clock: &Clock,
        stop_at: Nanos,
    ) -> Result<bool, RemoteError> {
        while exchange.written < exchange.commands.len() {
            match self.stream.write(&exchange.commands[exchange.written..]) {
                Ok(0) => return Err(lost(server, &ErrorKind::WriteZero.into())),
                Ok(count) => {
                    exchange.written += count;
                    exchange.quiet_since = clock.now();
                    if exchange.written < exchange.commands.len() && clock.now() >= stop_at {
                        return Ok(false);
                    }
                }
                Err(error) => return pause(exchange, &error, server, server.write_timeout, clock),
            }
        }
        if let Err(error) = self.stream.flush() {
            return pause(exchange, &error, server, server.write_timeout, clock);
        }
        while exchange.replies.len() < exchange.expected {
            let mut reader = Noting::new(&mut self.stream, clock, stop_at);
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
        if self.has_surplus() {
            // Nobody knows any more which reply is whose.
            let message = format!("{server}: more replies than commands");
            return Err(RemoteError::Connection(message));
        }
        self.last_used = exchange.quiet_since;
        self.is_proven = true;
        Ok(true)
    }

    /// What the server said before it closed a connection that never worked: it may have
    /// done so before it was asked anything, and then writing fails first.
    pub(crate) fn last_words(
        &mut self,
        exchange: &mut Exchange,
        server: &Server,
        clock: &Clock,
    ) -> Option<RemoteError> {
        if exchange.replies.is_empty() {
            let mut reader = Noting::new(&mut self.stream, clock, 0);
            let reply = self.parser.parse_value(&mut reader).ok()?;
            exchange.replies.push(reply);
        }
        let error = exchange.first_error()?;
        Some(RemoteError::of_refusal(server, error))
    }

    /// Whether more came than was asked for, whole or not. The parser does not show
    /// what it has read ahead; but what it parses next does.
    fn has_surplus(&mut self) -> bool {
        let next = self.parser.parse_value(END);
        !matches!(next, Ok(Value::SimpleString(text)) if text.as_bytes() == &END[1..END.len() - 2])
    }

    /// Whether the server closed it or sent something while nobody used it: then the
    /// next reply would be taken for that. It is of no more use then.
    pub(crate) fn is_spoilt(&mut self, now: Nanos) -> bool {
        if !self.is_proven && now.saturating_sub(self.last_used) < IDLE {
            return false; // what a server says in greeting is the first one's to read
        }
        // Nothing to read is what a connection without a request has.
        let seen = self.stream.read_at_once();
        !seen.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
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

pub(crate) fn lost(server: &Server, error: &io::Error) -> RemoteError {
    let reason = if error.kind() == ErrorKind::UnexpectedEof {
        "the server closed the connection".to_owned()
    } else {
        error.to_string()
    };
    RemoteError::Connection(format!("{server}: {reason}"))
}

pub(crate) fn nanos(duration: Duration) -> Nanos {
    duration.as_nanos().try_into().unwrap_or(Nanos::MAX)
}

pub(crate) fn elapsed(since: Nanos, clock: &Clock) -> Duration {
    Duration::from_nanos(clock.now().saturating_sub(since))
}

/// Notes what the parser keeps to itself: whether anything came, and what failed. Looks
/// between two reads whether it is time to stop, since a reply may be long and slow.
struct Noting<'a> {
    stream: &'a mut Stream,
    clock: &'a Clock,
    stop_at: Nanos,
    has_read: bool,
    failure: Option<io::Error>,
}

impl<'a> Noting<'a> {
    fn new(stream: &'a mut Stream, clock: &'a Clock, stop_at: Nanos) -> Self {
        Self {
            stream,
            clock,
            stop_at,
            has_read: false,
            failure: None,
        }
    }
}

impl Read for Noting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let error = if self.has_read && self.clock.now() >= self.stop_at {
            ErrorKind::WouldBlock.into()
        } else {
            match self.stream.read(buffer) {
                Ok(0) => ErrorKind::UnexpectedEof.into(),
                Ok(count) => {
                    self.has_read = true;
                    return Ok(count);
                }
                Err(error) => error,
            }
        };
        let for_parser = error.kind().into();
        self.failure = Some(error);
        Err(for_parser)
    }
}
