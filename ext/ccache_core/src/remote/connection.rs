//! One connection: bytes out, replies in, a tick at a time.
//!
//! The redis crate packs commands; the socket is ours, since the crate's own
//! connections can neither be interrupted nor tell how far they came, and so are the
//! [replies](mod@super::reply), which it would read without any bound. A socket blocks for
//! a [`TICK`] at most. So whoever waits on one looks that often whether it was
//! interrupted, and an [`Exchange`] that was left in the middle is taken up by somebody
//! else where it stands: the decoder keeps half a reply.
//!
//! An exchange has one time to be sent and one to be answered, however many bytes come
//! one after the other. They are longer by what the bytes that came take at
//! [`LEAST_RATE`], so a large value may come over a slow link.

use crate::clock::{Clock, Nanos};
use crate::remote::error::RemoteError;
use crate::remote::reply::{Decoder, Expected, Failure, Shape};
use crate::remote::server::Server;
use crate::remote::stream::Stream;
use redis::{ServerError, Value};
use smallvec::SmallVec;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

/// The longest that anything here blocks.
pub(crate) const TICK: Duration = Duration::from_millis(20);

/// After so long without use even a new connection is looked at before it is used:
/// servers close idle ones.
const IDLE: Nanos = 1_000_000_000;

/// Bytes per second that a peer has to manage to get more time than the timeout says:
/// one megabit.
const LEAST_RATE: u64 = 128 * 1024;
/// So many bytes have no more time than the timeout says.
const SMALL: usize = 64 * 1024;

/// What a server may say unasked: an error.
const GREETING: Expected = Expected::new("the connection", Shape::Okay);

/// A connection that is authenticated and has its database selected.
pub(crate) struct Connection {
    stream: Stream,
    decoder: Box<Decoder>,
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
    expected: Replies,
    replies: Vec<Value>,
    /// Since when the commands are being sent or, once they are, the replies waited for.
    since: Nanos,
    /// Bytes that came since then.
    came: usize,
    /// When the first byte was about to be sent.
    pub(crate) sent_at: Nanos,
}

/// How many replies there are to be, and which: those of one round after the other.
pub(crate) struct Replies {
    round: SmallVec<[Expected; 2]>,
    count: usize,
}

impl Replies {
    /// One for each.
    pub(crate) fn of(expected: &[Expected]) -> Self {
        Self::rounds(1, expected)
    }

    /// The same ones so many times.
    pub(crate) fn rounds(times: usize, round: &[Expected]) -> Self {
        Self {
            count: times * round.len(),
            round: SmallVec::from_slice(round),
        }
    }
}

impl Exchange {
    /// Packed commands that get these replies.
    pub(crate) fn new(commands: Vec<u8>, expected: Replies, now: Nanos) -> Self {
        Self {
            commands,
            written: 0,
            replies: Vec::with_capacity(expected.count),
            expected,
            since: now,
            came: 0,
            sent_at: now,
        }
    }

    /// To send the same once more, on another connection.
    pub(crate) fn rewind(&mut self, now: Nanos) {
        self.written = 0;
        self.replies.clear();
        self.start_clock(now);
        self.sent_at = now;
    }

    fn start_clock(&mut self, now: Nanos) {
        self.since = now;
        self.came = 0;
    }

    /// Who waits now began then: the time before that is not theirs.
    pub(crate) fn wait_from(&mut self, moment: Nanos) {
        if moment > self.since {
            self.start_clock(moment);
        }
    }

    /// Since when it waits for the server.
    pub(crate) fn waited_from(&self) -> Nanos {
        self.since
    }

    /// How many replies there will be.
    pub(crate) fn expected(&self) -> usize {
        self.expected.count
    }

    /// What the next reply has to be, if there is to be another one.
    fn next(&self) -> Option<Expected> {
        let (count, round) = (self.replies.len(), &self.expected.round);
        (count < self.expected.count).then(|| round[count % round.len()])
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

    /// Not complete yet, unless it took too long.
    fn pause(
        &self,
        server: &Server,
        timeout: Duration,
        clock: &Clock,
    ) -> Result<bool, RemoteError> {
        if elapsed(self.since, clock) < timeout + time_for(self.came) {
            return Ok(false);
        }
        Err(RemoteError::Timeout(format!(
            "{server} did not answer within {timeout:?}"
        )))
    }
}

/// What so many bytes may take longer; what is small, nothing.
pub(crate) fn time_for(bytes: usize) -> Duration {
    let nanos = bytes.saturating_sub(SMALL) as u128 * 1_000_000_000 / u128::from(LEAST_RATE);
    Duration::from_nanos(nanos.try_into().unwrap_or(u64::MAX))
}

impl Connection {
    /// Nothing was said on it yet.
    pub(crate) fn new(stream: Stream, epoch: u64, now: Nanos) -> Self {
        Self {
            stream,
            decoder: Box::new(Decoder::new()),
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
                    exchange.came += count;
                    if exchange.written == exchange.commands.len() {
                        exchange.start_clock(clock.now());
                    } else if clock.now() >= stop_at {
                        return exchange.pause(server, server.write_timeout, clock);
                    }
                }
                Err(error) => return pause(exchange, &error, server, server.write_timeout, clock),
            }
        }
        if let Err(error) = self.stream.flush() {
            return pause(exchange, &error, server, server.write_timeout, clock);
        }
        while let Some(expected) = exchange.next() {
            let mut reader = Counting::new(&mut self.stream, clock, stop_at);
            let decoded = self.decoder.next(&expected, &mut reader);
            exchange.came += reader.came;
            match decoded {
                Ok(reply) => exchange.replies.push(reply),
                Err(Failure::Io(error)) => {
                    return pause(exchange, &error, server, server.read_timeout, clock);
                }
                Err(Failure::Refused(what)) => {
                    return Err(RemoteError::Connection(format!("{server}: {what}")));
                }
            }
        }
        if !self.decoder.is_empty() {
            // Nobody knows any more which reply is whose.
            let message = format!("{server}: more replies than commands");
            return Err(RemoteError::Connection(message));
        }
        self.last_used = clock.now();
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
            let expected = exchange.next().unwrap_or(GREETING);
            let mut reader = Counting::new(&mut self.stream, clock, 0);
            let reply = self.decoder.next(&expected, &mut reader).ok()?;
            exchange.replies.push(reply);
        }
        let error = exchange.first_error()?;
        Some(RemoteError::of_refusal(server, error))
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

/// Not complete yet, unless it took too long or the error is a real one.
fn pause(
    exchange: &Exchange,
    error: &io::Error,
    server: &Server,
    timeout: Duration,
    clock: &Clock,
) -> Result<bool, RemoteError> {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {
            exchange.pause(server, timeout, clock)
        }
        _ => Err(lost(server, error)),
    }
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

/// Counts what comes, and looks between two reads whether it is time to stop, since a
/// reply may be long and slow.
struct Counting<'a> {
    stream: &'a mut Stream,
    clock: &'a Clock,
    stop_at: Nanos,
    came: usize,
}

impl<'a> Counting<'a> {
    fn new(stream: &'a mut Stream, clock: &'a Clock, stop_at: Nanos) -> Self {
        Self {
            stream,
            clock,
            stop_at,
            came: 0,
        }
    }
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.came > 0 && self.clock.now() >= self.stop_at {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = self.stream.read(buffer)?;
        self.came += count;
        Ok(count)
    }
}
