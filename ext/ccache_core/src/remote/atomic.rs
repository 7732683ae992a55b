//! What has to happen in one step (C3): a script, which runs wholly or not at all.
//!
//! It is called by its hash, and sent as text to a server that does not know it. Where
//! scripts are refused, by an access control list or because they were renamed, removals
//! and counting are a transaction instead. The server would run the commands of a
//! transaction one by one if it refused MULTI alone; so that is tried out first, with
//! nothing in it. What is refused has done nothing, and the error names the command.

use crate::clock::Nanos;
use crate::remote::bodies::Request;
use crate::remote::connection::Replies;
use crate::remote::error::RemoteError;
use crate::remote::lane::ServerKey;
use crate::remote::links::{Links, Purpose};
use crate::remote::reply::{Expected, Shape};
use crate::remote::script::Script;
use crate::remote::wire::{Format, HEADER, Head, MAX_DIGITS};
use crate::remote::{Operation, check_errors, pack};
use redis::Value;
use std::sync::Arc;
use std::task::Poll;

const MULTI: Expected = Expected::new("MULTI", Shape::Okay);
const IS_REMOVED: Shape = Shape::Integer(0, 1);

/// Packed commands and what they are answered with.
type Asked = (Vec<u8>, Replies);

/// One thing that happens in one step.
pub(crate) struct Atomic {
    request: Request,
    /// What is sent next, if what was sent last is refused.
    then: Then,
    /// In the place of a script that is refused.
    transaction: Option<Asked>,
    /// Why the script was refused.
    refusal: Option<RemoteError>,
}

enum Then {
    /// The script as text.
    Text(Vec<u8>, Shape),
    /// A transaction without commands.
    Trial,
    /// The transaction, after the trial.
    Transaction,
    Nothing,
}

impl Atomic {
    /// `words` stand behind the keys. `shape` is what the script answers.
    pub(crate) fn new(
        links: Arc<Links>,
        script: &Script,
        (keys, words): (&[&[u8]], &[&[u8]]),
        shape: Shape,
        purpose: Purpose,
    ) -> Self {
        let build = |name: &str, source: &str| {
            let mut command = redis::cmd(name);
            command.arg(source).arg(keys.len()).arg(keys).arg(words);
            command.get_packed_command()
        };
        let expected = Replies::of(&[Expected::new("EVALSHA", shape)]);
        let by_hash = build("EVALSHA", script.hash());
        Self {
            request: Request::new(links, by_hash, expected, purpose),
            then: Then::Text(build("EVAL", script.source), shape),
            transaction: None,
            refusal: None,
        }
    }

    /// With commands that do the same. `executed` is what EXEC answers.
    fn or_transaction(mut self, commands: &[redis::Cmd], executed: Shape) -> Self {
        let mut packed = Vec::new();
        let mut expected = vec![MULTI];
        pack(&mut packed, &redis::cmd("MULTI"));
        for command in commands {
            pack(&mut packed, command);
            expected.push(Expected::new("a command of a transaction", Shape::Queued));
        }
        pack(&mut packed, &redis::cmd("EXEC"));
        expected.push(Expected::new("EXEC", executed));
        self.transaction = Some((packed, Replies::of(&expected)));
        self
    }

    pub(crate) fn links(&self) -> &Links {
        self.request.links()
    }

    /// What the script, or EXEC, says; and the time before which it is not older.
    pub(crate) fn wait(&mut self, pause_at: Nanos) -> Poll<Result<(Value, Nanos), RemoteError>> {
        loop {
            let Poll::Ready((replies, sent_at)) = self.request.wait(pause_at)? else {
                return Poll::Pending;
            };
            let outcome = check_errors(replies, self.links());
            if let Some((commands, expected)) = self.next(outcome.as_ref().err()) {
                self.request.ask_again(commands, expected);
                continue;
            }
            return Poll::Ready(match outcome {
                Ok(mut replies) => match replies.pop() {
                    Some(last) => Ok((last, sent_at)),
                    None => Err(RemoteError::Closed),
                },
                Err(error) => Err(self.refusal.take().unwrap_or(error)),
            });
        }
    }

    /// What is to be sent after this outcome.
    fn next(&mut self, error: Option<&RemoteError>) -> Option<Asked> {
        let is_refused = error.is_some_and(RemoteError::is_of_forbidden_command);
        match std::mem::replace(&mut self.then, Then::Nothing) {
            Then::Text(text, shape) if is_refused || error.is_some_and(is_unknown_script) => {
                self.then = Then::Trial;
                Some((text, Replies::of(&[Expected::new("EVAL", shape)])))
            }
            Then::Trial if is_refused && self.transaction.is_some() => {
                self.refusal = error.cloned();
                self.then = Then::Transaction;
                self.request.close_after_errors();
                let mut trial = Vec::new();
                pack(&mut trial, &redis::cmd("MULTI"));
                pack(&mut trial, &redis::cmd("EXEC"));
                let nothing = Expected::new("EXEC", Shape::Several(0, &[Shape::Okay]));
                Some((trial, Replies::of(&[MULTI, nothing])))
            }
            Then::Transaction if error.is_none() => {
                self.refusal = None;
                self.transaction.take()
            }
            _ => None,
        }
    }
}

fn is_unknown_script(error: &RemoteError) -> bool {
    matches!(error, RemoteError::Server { code, .. } if code == "NOSCRIPT")
}

/// See [`Remote::compare_and_set`](crate::remote::Remote::compare_and_set).
pub struct CompareAndSet(pub(crate) Atomic);

/// What a conditional write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// It was done.
    Done,
    /// There was nothing to remove.
    Nothing,
    /// The condition does not hold.
    PreconditionFailed,
}

impl Operation for CompareAndSet {
    type Output = (Compared, Nanos);

    fn wait(&mut self, pause_at: Nanos) -> Poll<Result<Self::Output, RemoteError>> {
        self.0.wait(pause_at).map_ok(|(reply, sent_at)| {
            let compared = match reply {
                Value::Int(1) => Compared::Done,
                Value::Int(0) => Compared::Nothing,
                _ => Compared::PreconditionFailed,
            };
            (compared, sent_at)
        })
    }
}

/// See [`Remote::delete`](crate::remote::Remote::delete).
pub struct Delete {
    atomic: Atomic,
    format: Arc<Format>,
}

impl Delete {
    pub(crate) fn new(links: Arc<Links>, keys: &[ServerKey], format: Arc<Format>) -> Self {
        const OF_TRANSACTION: &[Shape] = &[Shape::Text(HEADER), IS_REMOVED];
        let names: Vec<&[u8]> = keys.iter().map(|key| &**key).collect();
        let commands = names.iter().flat_map(|key| {
            let mut header = redis::cmd("GETRANGE");
            header.arg(key).arg((0, HEADER - 1));
            let mut removal = redis::cmd("DEL");
            removal.arg(key);
            [header, removal]
        });
        let commands: Vec<_> = commands.collect();
        let removed = Shape::Several(keys.len(), &[IS_REMOVED]);
        let executed = Shape::Several(commands.len(), OF_TRANSACTION);
        let atomic = Atomic::new(
            links,
            &Script::DELETE,
            (&names, &[]),
            removed,
            Purpose::Removal,
        );
        Self {
            atomic: atomic.or_transaction(&commands, executed),
            format,
        }
    }

    /// What EXEC says of one key.
    fn was_removed(&self, pair: &[Value]) -> bool {
        match pair {
            // What was no string of ours was something all the same.
            [Value::BulkString(head), Value::Int(1)] => {
                !matches!(self.format.head(head), Head::Leased(_))
            }
            [_, count] => *count == Value::Int(1),
            _ => false,
        }
    }
}

impl Operation for Delete {
    type Output = Vec<bool>;

    fn wait(&mut self, pause_at: Nanos) -> Poll<Result<Self::Output, RemoteError>> {
        let Poll::Ready((reply, _)) = self.atomic.wait(pause_at)? else {
            return Poll::Pending;
        };
        let Value::Array(items) = reply else {
            return Poll::Ready(Ok(Vec::new()));
        };
        let is_of_script = self.atomic.transaction.is_some();
        if is_of_script {
            return Poll::Ready(Ok(items
                .iter()
                .map(|item| *item == Value::Int(1))
                .collect()));
        }
        let refused = items
            .iter()
            .skip(1)
            .step_by(2)
            .find_map(|removal| match removal {
                Value::ServerError(error) => Some(RemoteError::of_reply(error)),
                _ => None,
            });
        Poll::Ready(match refused {
            Some(error) => Err(error),
            None => Ok(items
                .chunks_exact(2)
                .map(|pair| self.was_removed(pair))
                .collect()),
        })
    }
}

/// See [`Remote::increment`](crate::remote::Remote::increment).
pub struct Increment(Counting);

enum Counting {
    /// One command does it.
    Plain(Box<Request>),
    /// One that gives what is new an expiry does not.
    Expiring(Box<Atomic>),
}

impl Increment {
    pub(crate) fn plain(links: Arc<Links>, key: &[u8], by: i64) -> Self {
        let command = increment(key, by).get_packed_command();
        let expected = Replies::of(&[Expected::new("INCRBY", Shape::NUMBER)]);
        let request = Request::new(links, command, expected, Purpose::Write);
        Self(Counting::Plain(Box::new(request)))
    }

    pub(crate) fn expiring(links: Arc<Links>, key: &[u8], by: i64, millis: u64) -> Self {
        const OF_TRANSACTION: &[Shape] = &[Shape::OkayOrNil, Shape::NUMBER];
        let mut set = redis::cmd("SET");
        set.arg(key).arg(0).arg("PX").arg(millis).arg("NX");
        let (amount, lifetime) = (by.to_string(), millis.to_string());
        let words: [&[u8]; 2] = [amount.as_bytes(), lifetime.as_bytes()];
        let digits = Shape::Text(MAX_DIGITS);
        let atomic = Atomic::new(
            links,
            &Script::INCREMENT,
            (&[key], &words),
            digits,
            Purpose::Write,
        );
        let executed = Shape::Several(2, OF_TRANSACTION);
        let atomic = atomic.or_transaction(&[set, increment(key, by)], executed);
        Self(Counting::Expiring(Box::new(atomic)))
    }
}

fn increment(key: &[u8], by: i64) -> redis::Cmd {
    let mut command = redis::cmd("INCRBY");
    command.arg(key).arg(by);
    command
}

impl Operation for Increment {
    type Output = i64;

    fn wait(&mut self, pause_at: Nanos) -> Poll<Result<i64, RemoteError>> {
        let reply = match &mut self.0 {
            Counting::Plain(request) => match request.wait(pause_at)? {
                Poll::Ready((replies, _)) => {
                    check_errors(replies, request.links())?.into_iter().next()
                }
                Poll::Pending => return Poll::Pending,
            },
            Counting::Expiring(atomic) => match atomic.wait(pause_at)? {
                Poll::Ready((reply, _)) => Some(reply),
                Poll::Pending => return Poll::Pending,
            },
        };
        Poll::Ready(count_of(reply))
    }
}

fn count_of(reply: Option<Value>) -> Result<i64, RemoteError> {
    match reply {
        Some(Value::Int(count)) => Ok(count),
        Some(Value::Array(executed)) => {
            let refused = executed.iter().find_map(|reply| match reply {
                Value::ServerError(error) => Some(RemoteError::of_reply(error)),
                _ => None,
            });
            match refused {
                Some(error) => Err(error),
                None => count_of(executed.into_iter().nth(1)),
            }
        }
        // The script's, which has integers of 53 bits alone.
        Some(Value::BulkString(digits)) => str::from_utf8(&digits)
            .ok()
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(no_count),
        _ => Err(no_count()),
    }
}

fn no_count() -> RemoteError {
    RemoteError::Connection("an unexpected reply to INCRBY: no number".to_owned())
}
