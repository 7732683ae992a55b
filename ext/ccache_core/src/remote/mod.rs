//! The server's side of a store: one string per key at Redis or Valkey.
//!
//! What a read costs when nothing changed is one header over the validation
//! lane; everything else goes over the body lane. Both belong to the links of one
//! process. What the bytes mean is the wire format's.
//!
//! An operation is made, then waited for, a while at a time: in between its thread
//! looks whether it is wanted elsewhere. One that is dropped instead is given up, at
//! the cost of nobody else.

mod atomic;
mod bodies;
mod compress;
mod connecting;
mod connection;
mod error;
mod health;
mod lane;
mod links;
mod racing;
mod reply;
mod script;
mod server;
mod stream;
mod ticket;
mod tls;
mod wire;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wire_test;

pub use atomic::{CompareAndSet, Compared, Delete, Increment};
pub use compress::Compressor;
pub use error::RemoteError;
pub use server::{Address, Server, Tls};
pub use wire::{Body, Format, Head, Rejected, SigningKey, Tag, etag_of, tag_of, tag_of_integer};

use crate::clock::{Clock, Nanos};
use crate::etag::Etag;
use crate::gate::GATE;
use atomic::Atomic;
use bodies::Request;
use connection::Replies as ExpectedReplies;
use lane::{Question, ServerKey};
use links::{Links, Purpose};
use parking_lot::Mutex;
use redis::{Cmd, Value};
use reply::{Expected, Shape};
use script::Script;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;
use wire::{BYTES_WITH_NAME, HEADER};

/// How many keys a step of `clear` asks the server to look at.
const SCAN_COUNT: usize = 1000;

const SET: Expected = Expected::new("SET", Shape::Okay);
/// -2 of a key that is not there, -1 of one that does not expire.
const PTTL: Expected = Expected::new("PTTL", Shape::Integer(-2, i64::MAX));

/// A namespace on a server.
pub struct Remote {
    server: Arc<Server>,
    format: Arc<Format>,
    prefix: Arc<[u8]>,
    clock: Clock,
    links: Mutex<Arc<Links>>,
    validations: Arc<AtomicU64>,
    connections: Arc<AtomicU64>,
}

/// Something asked of the server.
pub trait Operation: Send {
    /// What it answers.
    type Output: Send;

    /// Waits for the answer until `pause_at`, or a little longer; then it is pending,
    /// to be waited for again or dropped.
    fn wait(&mut self, pause_at: Nanos) -> Poll<Result<Self::Output, RemoteError>>;
}

/// On what a write or a removal depends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerCondition {
    /// On nothing.
    Always,
    /// There is no value.
    Absent,
    /// There is no value, and nobody loads one.
    Free,
    /// The string begins with these bytes, which nobody could read, or as `Free`.
    Seen(Vec<u8>),
    /// The value has this tag.
    Is(Etag),
    /// The value does not have this tag, or there is none.
    IsNot(Etag),
    /// The lease of this token is still held.
    Leased(Tag),
}

/// How long a value stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Until it is removed.
    Never,
    /// So long.
    After(Duration),
    /// As long as the value before would have.
    Kept,
}

impl Remote {
    /// Connects to nothing before it is used.
    pub fn new(server: Server, namespace: &[u8], format: Format, clock: Clock) -> Self {
        let server = Arc::new(server);
        let connections = Arc::default();
        Self {
            links: Mutex::new(Links::new(&server, &clock, &connections)),
            server,
            format: Arc::new(format),
            prefix: [namespace, b":"].concat().into(),
            clock,
            validations: Arc::default(),
            connections,
        }
    }

    /// Where it is; shows no password.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// How values are written.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// How many validations were sent.
    pub fn validations(&self) -> u64 {
        self.validations.load(Ordering::Relaxed)
    }

    /// How many connections were made.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Ends what waits, and refuses everything from now on.
    pub fn close(&self) {
        self.links().close();
    }

    /// Asks for the headers of `keys`, together with everybody who asks now.
    pub fn validate<'a>(&self, keys: impl IntoIterator<Item = &'a [u8]>) -> Validate {
        let keys = keys.into_iter().map(|key| self.server_key(key)).collect();
        Validate {
            question: Question::new(self.links(), keys),
            format: Arc::clone(&self.format),
            sent: Arc::clone(&self.validations),
        }
    }

    /// Asks for the tag of `key`, with the text that its writer gave, without the rest.
    pub fn name(&self, key: &[u8]) -> Name {
        let mut command = redis::cmd("GETRANGE");
        let range = (0, BYTES_WITH_NAME - 1);
        command.arg(&*self.server_key(key)).arg(range);
        let commands = command.get_packed_command();
        Name {
            request: Request::new(
                self.links(),
                commands,
                ExpectedReplies::of(&[Expected::new("GETRANGE", Shape::Text(BYTES_WITH_NAME))]),
                Purpose::Read,
            ),
            format: Arc::clone(&self.format),
        }
    }

    /// Asks for the values of `keys`, and how long they stay. No more comes of a string
    /// than it takes to see that it is too long.
    pub fn get<'a>(&self, keys: impl IntoIterator<Item = &'a [u8]>) -> Get {
        let keys: Vec<_> = keys.into_iter().map(|key| self.server_key(key)).collect();
        let longest = self.format.max_wire_bytes();
        let mut commands = Vec::new();
        for key in &keys {
            let value = (0, longest);
            pack(&mut commands, redis::cmd("GETRANGE").arg(&**key).arg(value));
            pack(&mut commands, redis::cmd("PTTL").arg(&**key));
        }
        let value = Expected::new("GETRANGE", Shape::Text(longest + 1));
        let expected = ExpectedReplies::rounds(keys.len(), &[value, PTTL]);
        let request = Request::new(self.links(), commands, expected, Purpose::Read);
        Get {
            request,
            keys,
            format: Arc::clone(&self.format),
        }
    }

    /// Writes what [`Format::encode`] made, unconditionally, in one pipeline.
    pub fn set<'a>(
        &self,
        values: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        expiry: Expiry,
    ) -> Replies {
        let mut commands = Vec::new();
        let mut count = 0;
        for (key, wire) in values {
            let mut command = redis::cmd("SET");
            command.arg(&*self.server_key(key)).arg(wire);
            match expiry {
                Expiry::Never => {}
                Expiry::After(duration) => _ = command.arg("PX").arg(millis(duration)),
                Expiry::Kept => _ = command.arg("KEEPTTL"),
            }
            pack(&mut commands, &command);
            count += 1;
        }
        self.request(
            commands,
            ExpectedReplies::rounds(count, &[SET]),
            Purpose::Write,
        )
    }

    /// Writes `key` if the condition holds, or removes it if `wire` is none; atomic.
    pub fn compare_and_set(
        &self,
        key: &[u8],
        wire: Option<&[u8]>,
        expiry: Expiry,
        condition: &ServerCondition,
    ) -> CompareAndSet {
        let (kind, tag) = match condition {
            ServerCondition::Always => ("is not", vec![0]),
            ServerCondition::Absent => ("absent", Vec::new()),
            ServerCondition::Free => ("free", Vec::new()),
            ServerCondition::Seen(header) => ("seen", header.clone()),
            ServerCondition::Is(etag) => ("is", tag_for_script(etag)),
            ServerCondition::IsNot(etag) => ("is not", tag_for_script(etag)),
            ServerCondition::Leased(token) => ("lease", token.to_vec()),
        };
        let expiry = match expiry {
            Expiry::Never => String::new(),
            Expiry::Kept => "keep".to_owned(),
            Expiry::After(duration) => millis(duration).to_string(),
        };
        let key = self.server_key(key);
        let purpose = match (wire, condition) {
            // A lease that stays runs out by itself.
            (Some(_), _) | (None, ServerCondition::Leased(_)) => Purpose::Write,
            (None, _) => Purpose::Removal,
        };
        let mut words = vec![kind.as_bytes(), &*tag, expiry.as_bytes()];
        words.extend(wire);
        CompareAndSet(Atomic::new(
            self.links(),
            &Script::COMPARE_AND_SET,
            (&[&key], &words),
            Shape::Integer(-1, 1),
            purpose,
        ))
    }

    /// Writes `key` if the server has nothing of that name at all.
    pub fn set_new(&self, key: &[u8], wire: &[u8], expiry: Expiry) -> Replies {
        let mut command = redis::cmd("SET");
        command.arg(&*self.server_key(key)).arg(wire).arg("NX");
        if let Expiry::After(duration) = expiry {
            command.arg("PX").arg(millis(duration));
        }
        let expected = Expected::new("SET", Shape::OkayOrNil);
        self.ask(&command, expected, Purpose::Write)
    }

    /// Puts a lease where the condition holds.
    pub fn lease(
        &self,
        key: &[u8],
        token: &Tag,
        duration: Duration,
        condition: &ServerCondition,
    ) -> CompareAndSet {
        self.compare_and_set(
            key,
            Some(&wire::lease(token)),
            Expiry::After(duration),
            condition,
        )
    }

    /// Removes keys, all at once: for each whether there was a value.
    pub fn delete<'a>(&self, keys: impl IntoIterator<Item = &'a [u8]>) -> Delete {
        let keys: Vec<_> = keys.into_iter().map(|key| self.server_key(key)).collect();
        Delete::new(self.links(), &keys, Arc::clone(&self.format))
    }

    /// Adds to an integer; one that is not there is 0, and gets the expiry. Atomic.
    pub fn increment(&self, key: &[u8], by: i64, expiry: Expiry) -> Increment {
        let key = self.server_key(key);
        match expiry {
            Expiry::After(duration) => {
                Increment::expiring(self.links(), &key, by, millis(duration))
            }
            Expiry::Never | Expiry::Kept => Increment::plain(self.links(), &key, by),
        }
    }

    /// The length of the string at `key`.
    pub fn length(&self, key: &[u8]) -> Replies {
        let mut command = redis::cmd("STRLEN");
        command.arg(&*self.server_key(key));
        let expected = Expected::new("STRLEN", Shape::COUNT);
        self.ask(&command, expected, Purpose::Read)
    }

    /// One step through the namespace's keys that match `glob`, a pattern of Redis', to
    /// remove them.
    pub fn scan(&self, cursor: &[u8], glob: &[u8]) -> Replies {
        let mut command = redis::cmd("SCAN");
        command
            .arg(cursor)
            .arg("MATCH")
            .arg(self.pattern(glob))
            .arg("COUNT")
            .arg(SCAN_COUNT);
        let expected = Expected::new("SCAN", Shape::Scanned);
        self.ask(&command, expected, Purpose::Removal)
    }

    /// Removes keys as the server names them; the server frees them later.
    pub fn unlink(&self, keys: &[Vec<u8>]) -> Replies {
        let mut command = redis::cmd("UNLINK");
        for key in keys {
            command.arg(&**key);
        }
        let most = i64::try_from(keys.len()).unwrap_or(i64::MAX);
        let expected = Expected::new("UNLINK", Shape::Integer(0, most));
        self.ask(&command, expected, Purpose::Removal)
    }

    /// The key as the server knows it.
    pub fn server_key(&self, key: &[u8]) -> ServerKey {
        [&*self.prefix, key].concat().into()
    }

    fn ask(&self, command: &Cmd, expected: Expected, purpose: Purpose) -> Replies {
        let expected = ExpectedReplies::of(&[expected]);
        self.request(command.get_packed_command(), expected, purpose)
    }

    fn request(&self, commands: Vec<u8>, expected: ExpectedReplies, purpose: Purpose) -> Replies {
        Replies {
            request: Request::new(self.links(), commands, expected, purpose),
            prefix: Arc::clone(&self.prefix),
        }
    }

    /// This process's own.
    fn links(&self) -> Arc<Links> {
        let parents = {
            let _inside = GATE.enter();
            let mut links = self.links.lock();
            if links.is_ours() {
                return Arc::clone(&links);
            }
            std::mem::replace(
                &mut *links,
                Links::new(&self.server, &self.clock, &self.connections),
            )
        };
        parents.forget();
        self.links()
    }

    /// What SCAN matches: the namespace, its special characters escaped, and `glob`.
    fn pattern(&self, glob: &[u8]) -> Vec<u8> {
        let mut pattern = Vec::new();
        for &byte in &*self.prefix {
            if b"*?[]^-\\".contains(&byte) {
                pattern.push(b'\\');
            }
            pattern.push(byte);
        }
        pattern.extend_from_slice(glob);
        pattern
    }
}

fn pack(commands: &mut Vec<u8>, command: &Cmd) {
    command.write_packed_command(commands);
}

/// Rounded up: a value may be asked for until its time is over.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000))
        .unwrap_or(u64::MAX)
        .max(1)
}

fn tag_for_script(etag: &Etag) -> Vec<u8> {
    let tag = tag_of(etag);
    match wire::integer_of_tag(&tag) {
        Some(number) => number.to_string().into_bytes(),
        None => tag.to_vec(),
    }
}

/// See [`Remote::validate`].
pub struct Validate {
    question: Question,
    format: Arc<Format>,
    sent: Arc<AtomicU64>,
}

/// The headers of the keys in their order, and the time before which they are not older.
pub type Validated = (Vec<Result<Head, RemoteError>>, Nanos);

impl Operation for Validate {
    type Output = Validated;

    fn wait(&mut self, pause_at: Nanos) -> Poll<Result<Validated, RemoteError>> {
        let answer = self.question.wait(&self.format, &self.sent, pause_at);
        answer.map_ok(|heads| (heads.heads, heads.sent_at))
    }
}

/// See [`Remote::name`].
pub struct Name {
    request: Request,
    format: Arc<Format>,
}

/// The tag, or what else stands there.
impl Operation for Name {
    type Output = Result<Etag, Head>;

    fn wait(&mut self, pause_at: Nanos) -> Poll<Result<Self::Output, RemoteError>> {
        let Poll::Ready((replies, _)) = self.request.wait(pause_at)? else {
            return Poll::Pending;
        };
        Poll::Ready(match replies.first() {
            Some(Value::BulkString(bytes)) => Ok(self.format.etag(bytes)),
            Some(reply) => lane::head_of(reply, &self.format).map(Err),
            None => Err(unexpected("GETRANGE")),
        })
    }
}

/// See [`Remote::get`].
pub struct Get {
    request: Request,
    keys: Vec<ServerKey>,
    format: Arc<Format>,
}

/// One key's value, as [`Get`] answers.
pub struct Got {
    /// What the key holds.
    pub body: Body,
    /// How long it will.
    pub expiry: Expiry,
    /// The first bytes of the string, to compare with.
    pub header: Vec<u8>,
}

impl Operation for Get {
    type Output = (Vec<Result<Got, RemoteError>>, Nanos);

    fn wait(&mut self, pause_at: Nanos) -> Poll<Result<Self::Output, RemoteError>> {
        self.request.wait(pause_at).map_ok(|(replies, sent_at)| {
            let pairs = replies.chunks_exact(2).zip(&self.keys);
            let got = pairs.map(|(pair, key)| got(&pair[0], &pair[1], key, &self.format));
            (got.collect(), sent_at)
        })
    }
}

fn got(value: &Value, ttl: &Value, key: &[u8], format: &Format) -> Result<Got, RemoteError> {
    let body = match value {
        Value::Nil => Body::Absent,
        Value::BulkString(wire) => format.decode(key, wire).unwrap_or_else(Body::Undecodable),
        Value::ServerError(error) if error.code() == "WRONGTYPE" => {
            Body::Rejected(Rejected::Foreign)
        }
        Value::ServerError(error) => return Err(RemoteError::of_reply(error)),
        _ => return Err(unexpected("GETRANGE")),
    };
    if let Value::ServerError(error) = ttl {
        return Err(RemoteError::of_reply(error));
    }
    // It expired just now; or there is none, of which GETRANGE says that it is empty.
    let is_gone = *ttl == Value::Int(-2);
    let expiry = match ttl {
        Value::Int(millis) => u64::try_from(*millis)
            .map_or(Expiry::Never, |ms| Expiry::After(Duration::from_millis(ms))),
        _ => Expiry::Never,
    };
    let header = match value {
        Value::BulkString(wire) => wire[..wire.len().min(HEADER)].to_vec(),
        _ => Vec::new(),
    };
    let body = if is_gone { Body::Absent } else { body };
    Ok(Got {
        body,
        expiry,
        header,
    })
}

/// The first of the server's errors, if there is one.
pub(crate) fn check_errors(replies: Vec<Value>, links: &Links) -> Result<Vec<Value>, RemoteError> {
    let mut errors = replies.iter().filter_map(|reply| match reply {
        Value::ServerError(error) => Some(RemoteError::of_reply(error)),
        _ => None,
    });
    match errors.next() {
        None => Ok(replies),
        Some(error) => {
            if error.is_of_wrong_server() {
                links.renew();
            }
            Err(error)
        }
    }
}

fn unexpected(command: &str) -> RemoteError {
    RemoteError::Connection(format!("an unexpected reply to {command}"))
}

/// The replies to one or more commands, and the time before which they are not older.
pub struct Replies {
    request: Request,
    prefix: Arc<[u8]>,
}

/// What the server said to one command.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// OK.
    Okay,
    /// Nothing was done.
    Nil,
    /// A number.
    Integer(i64),
    /// The next cursor and keys of a scan.
    Scanned(Vec<u8>, Vec<Vec<u8>>),
}

impl Operation for Replies {
    type Output = (Vec<Result<Reply, RemoteError>>, Nanos);

    fn wait(&mut self, pause_at: Nanos) -> Poll<Result<Self::Output, RemoteError>> {
        self.request.wait(pause_at).map_ok(|(replies, sent_at)| {
            let replies = replies.into_iter().map(|value| reply(value, &self.prefix));
            let replies: Vec<_> = replies.collect();
            let mut errors = replies.iter().filter_map(|reply| reply.as_ref().err());
            if errors.any(RemoteError::is_of_wrong_server) {
                self.request.links().renew();
            }
            (replies, sent_at)
        })
    }
}

fn reply(value: Value, prefix: &[u8]) -> Result<Reply, RemoteError> {
    match value {
        Value::Okay => Ok(Reply::Okay),
        Value::Nil => Ok(Reply::Nil),
        Value::Int(number) => Ok(Reply::Integer(number)),
        Value::ServerError(error) => Err(RemoteError::of_reply(&error)),
        Value::Array(items) => scanned(items, prefix).ok_or_else(|| unexpected("SCAN")),
        _ => Err(unexpected("a command")),
    }
}

/// None if there are keys that are not the namespace's: they are to be removed.
fn scanned(items: Vec<Value>, prefix: &[u8]) -> Option<Reply> {
    let [Value::BulkString(cursor), Value::Array(keys)] = <[Value; 2]>::try_from(items).ok()?
    else {
        return None;
    };
    let keys = keys.into_iter().map(|key| match key {
        Value::BulkString(key) if key.starts_with(prefix) => Some(key),
        _ => None,
    });
    Some(Reply::Scanned(cursor, keys.collect::<Option<_>>()?))
}
