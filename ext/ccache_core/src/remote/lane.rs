//! The validation lane: many readers, one connection, one pipeline at a time.
//!
//! A reader queues what it asks. If nobody leads, it leads: it takes all that is
//! queued, sends it as one pipeline with each key once, hands out the answers, and
//! calls the next reader if more was queued meanwhile. There is no thread behind
//! this, and a reader alone is handed nothing.
//!
//! A reader is queued after its read began and before the pipeline is sent that
//! answers it; so its answer is never older than its question (C2). One that comes
//! while a pipeline is on its way gets the next.
//!
//! A leader whose thread is wanted elsewhere leaves the pipeline where it stands and
//! calls somebody else to go on with it; if there is nobody, the next reader drains
//! it before it sends its own. No connection is given up for a killed thread.

use crate::clock::Nanos;
use crate::gate::GATE;
use crate::remote::connection::{Exchange, Replies, nanos, time_for};
use crate::remote::error::RemoteError;
use crate::remote::links::{Driven, Line, Links, Purpose};
use crate::remote::reply::{Expected, Shape};
use crate::remote::ticket::{Ticket, Woken};
use crate::remote::wire::{Format, HEADER, Head};
use redis::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::thread;

#[cfg(test)]
mod tests;

/// What a question and its answer take beside the key.
const FRAMING: usize = 96;

/// A server's key, with the namespace.
pub(crate) type ServerKey = Box<[u8]>;

/// The headers of the keys that a reader asked for, in its order.
pub(crate) struct Heads {
    /// One per key.
    pub(crate) heads: Vec<Result<Head, RemoteError>>,
    /// When the question was sent: the answers are at least as young.
    pub(crate) sent_at: Nanos,
}

type Answer = Result<Heads, RemoteError>;

/// A reader in the queue, or in the pipeline.
struct Reader {
    keys: Vec<ServerKey>,
    began: Nanos,
    ticket: Ticket<Answer>,
}

/// What the lane's lock protects.
#[derive(Default)]
pub(crate) struct LaneState {
    queue: Vec<Arc<Reader>>,
    has_leader: bool,
    /// Whether readers of the last pipeline asked for the same keys.
    is_crowded: bool,
    /// Here unless somebody leads.
    line: Line,
    /// What a leader left in the middle.
    left: Option<Pipeline>,
}

/// What was sent for whom.
struct Pipeline {
    exchange: Exchange,
    readers: Vec<Arc<Reader>>,
    /// Where each reader's answers stand among the replies; none if they are just
    /// all of them, in order.
    positions: Option<Vec<Vec<usize>>>,
}

/// The leadership, and what a leader works on: until it steps down.
struct Lead {
    links: Arc<Links>,
    reader: Arc<Reader>,
    line: Line,
    pipeline: Option<Pipeline>,
}

impl LaneState {
    /// Ends all waiting: the line, to be dropped outside of the lock.
    pub(crate) fn close(&mut self) -> Line {
        for reader in self.queue.drain(..) {
            reader.ticket.answer(Err(RemoteError::Closed));
        }
        if !self.has_leader {
            for reader in self.left.take().into_iter().flat_map(|left| left.readers) {
                reader.ticket.answer(Err(RemoteError::Closed));
            }
        }
        self.take_line()
    }

    pub(crate) fn take_line(&mut self) -> Line {
        std::mem::take(&mut self.line)
    }

    fn waiting(&self) -> impl Iterator<Item = &Arc<Reader>> {
        let of_left = self.left.iter().flat_map(|left| &left.readers);
        of_left.chain(&self.queue)
    }

    /// If there is work and nobody does it, the first whose thread is there is told.
    fn call_next(&self, but: &Arc<Reader>) {
        if !self.has_leader {
            let mut others = self.waiting().filter(|other| !Arc::ptr_eq(other, but));
            _ = others.any(|other| other.ticket.call());
        }
    }

    /// What was left in the middle. That the server was silent while nobody of those
    /// who wait now was there is not held against it.
    fn take_left(&mut self) -> Option<Pipeline> {
        let present = self.waiting().filter(|reader| reader.ticket.is_attended());
        let since = present.map(|reader| reader.began).min();
        let mut left = self.left.take()?;
        left.exchange.wait_from(since.unwrap_or_default());
        Some(left)
    }
}

/// One reader's question, from [`new`](Self::new) until it is answered or dropped.
pub(crate) struct Question {
    links: Arc<Links>,
    reader: Arc<Reader>,
    until: Nanos,
    is_queued: bool,
}

impl Question {
    pub(crate) fn new(links: Arc<Links>, keys: Vec<ServerKey>) -> Self {
        let server = &links.server;
        let bytes = keys.iter().map(|key| key.len() + FRAMING).sum();
        let patience = server.connect_timeout + server.write_timeout + server.read_timeout;
        let patience = patience.saturating_add(time_for(bytes));
        let began = links.now();
        let until = began.saturating_add(nanos(patience));
        Self {
            reader: Arc::new(Reader {
                keys,
                began,
                ticket: Ticket::new(),
            }),
            until,
            links,
            is_queued: false,
        }
    }

    /// Waits for the answer until `pause_at`, and leads if nobody else does.
    pub(crate) fn wait(
        &mut self,
        format: &Format,
        sent: &AtomicU64,
        pause_at: Nanos,
    ) -> Poll<Answer> {
        if let Err(error) = self.links.check() {
            return Poll::Ready(Err(error));
        }
        if self.is_queued {
            self.reader.ticket.attend();
        }
        loop {
            if let Some(lead) = self.take_lead(sent) {
                // What others asked may take longer than its own question may.
                if let Driven::Paused = self.lead(lead, format, pause_at.min(self.until)) {
                    return match self.links.now() < self.until {
                        true => Poll::Pending,
                        false => Poll::Ready(Err(self.too_late())),
                    };
                }
                // Who has its answer leaves what is queued to those who wait for it.
                if let Some(answer) = self.reader.ticket.take_answer() {
                    self.is_queued = false;
                    return Poll::Ready(answer);
                }
                continue;
            }
            match self
                .reader
                .ticket
                .wait(self.until.min(pause_at), &self.links.clock)
            {
                Woken::Answered(answer) => {
                    self.is_queued = false;
                    return Poll::Ready(answer);
                }
                Woken::Called => {}
                Woken::TimedOut if self.links.now() < self.until => return Poll::Pending,
                Woken::TimedOut => return Poll::Ready(Err(self.too_late())),
            }
        }
    }

    fn too_late(&self) -> RemoteError {
        let server = &self.links.server;
        RemoteError::Timeout(format!("{server}: no turn to ask came in time"))
    }

    /// Queues the reader; the work, if there is some and nobody else does it.
    fn take_lead(&mut self, sent: &AtomicU64) -> Option<Lead> {
        let is_crowded = self.claim()?;
        if is_crowded {
            // Those who were answered together are about to ask again.
            thread::yield_now();
        }
        let _inside = GATE.enter();
        let mut lane = self.links.lane.lock();
        let pipeline = lane.take_left().unwrap_or_else(|| {
            let pipeline = Pipeline::of(std::mem::take(&mut lane.queue), self.links.now());
            sent.fetch_add(pipeline.exchange.expected() as u64, Ordering::Relaxed);
            lane.is_crowded = pipeline.shares_keys();
            pipeline
        });
        Some(Lead {
            links: Arc::clone(&self.links),
            reader: Arc::clone(&self.reader),
            line: lane.take_line(),
            pipeline: Some(pipeline),
        })
    }

    /// The leadership, and whether the lane is crowded.
    fn claim(&mut self) -> Option<bool> {
        let _inside = GATE.enter();
        let mut lane = self.links.lane.lock();
        if !self.is_queued {
            self.is_queued = true;
            lane.queue.push(Arc::clone(&self.reader));
        }
        let has_work = lane.left.is_some() || !lane.queue.is_empty();
        if lane.has_leader || !has_work {
            return None; // somebody looks after it, or the answer is here
        }
        lane.has_leader = true;
        Some(lane.is_crowded)
    }

    fn lead(&self, mut lead: Lead, format: &Format, pause_at: Nanos) -> Driven {
        match lead.drive(pause_at) {
            Ok(Driven::Paused) => {
                self.reader.ticket.leave();
                lead.leave();
                Driven::Paused
            }
            Ok(Driven::Complete) => {
                if let Some(pipeline) = lead.finish() {
                    pipeline.hand_out(format);
                }
                Driven::Complete
            }
            Err(error) => {
                lead.fail(&error);
                Driven::Complete
            }
        }
    }
}

impl Lead {
    fn drive(&mut self, pause_at: Nanos) -> Result<Driven, RemoteError> {
        match &mut self.pipeline {
            None => Ok(Driven::Complete),
            Some(pipeline) => {
                let (line, exchange) = (&mut self.line, &mut pipeline.exchange);
                self.links.drive(line, exchange, Purpose::Read, pause_at)
            }
        }
    }

    /// The pipeline stays where it stands, for somebody else.
    fn leave(mut self) {
        let left = self.pipeline.take();
        self.step_down(left);
    }

    /// The pipeline that is complete; the next one need not wait until it is dealt out.
    fn finish(mut self) -> Option<Pipeline> {
        let complete = self.pipeline.take();
        self.step_down(None);
        complete
    }

    fn fail(mut self, error: &RemoteError) {
        self.end(error);
    }

    fn end(&mut self, error: &RemoteError) {
        let readers = self.pipeline.take().map(|failed| failed.readers);
        self.line = Line::Down;
        self.step_down(None);
        for reader in readers.into_iter().flatten() {
            reader.ticket.answer(Err(error.clone()));
        }
    }

    fn step_down(&mut self, left: Option<Pipeline>) {
        let line = std::mem::take(&mut self.line);
        let unused = {
            let _inside = GATE.enter();
            let mut lane = self.links.lane.lock();
            lane.left = left;
            lane.has_leader = false;
            lane.call_next(&self.reader);
            if self.links.check().is_ok() {
                lane.line = line;
                None
            } else {
                Some(line)
            }
        };
        drop(unused);
    }
}

/// In the middle, by a panic: nobody is to wait for a leader that is no more.
impl Drop for Lead {
    fn drop(&mut self) {
        if self.pipeline.is_some() {
            let message = format!("{}: the thread that asked panicked", self.links.server);
            self.end(&RemoteError::Connection(message));
        }
    }
}

/// Out of the queue; and if it was this reader's turn, it is the next one's.
impl Drop for Question {
    fn drop(&mut self) {
        if !self.is_queued || !self.links.is_ours() {
            return;
        }
        let _inside = GATE.enter();
        let mut lane = self.links.lane.lock();
        self.reader.ticket.leave();
        lane.queue
            .retain(|reader| !Arc::ptr_eq(reader, &self.reader));
        lane.call_next(&self.reader);
    }
}

impl Pipeline {
    fn of(readers: Vec<Arc<Reader>>, now: Nanos) -> Self {
        let mut commands = Vec::new();
        let mut count = 0;
        let mut ask = |key: &[u8]| {
            pack_question(&mut commands, key);
            count += 1;
            count - 1
        };
        let positions = if let [reader] = &*readers {
            for key in &reader.keys {
                ask(key);
            }
            None
        } else {
            let mut asked = HashMap::new();
            let positions = readers.iter().map(|reader| {
                let positions = reader
                    .keys
                    .iter()
                    .map(|key| *asked.entry(&**key).or_insert_with(|| ask(key)));
                positions.collect()
            });
            Some(positions.collect())
        };
        Self {
            exchange: Exchange::new(commands, Replies::rounds(count, &[QUESTION]), now),
            readers,
            positions,
        }
    }

    fn shares_keys(&self) -> bool {
        let asked = self.readers.iter().map(|reader| reader.keys.len());
        asked.sum::<usize>() > self.exchange.expected()
    }

    fn hand_out(self, format: &Format) {
        let sent_at = self.exchange.sent_at;
        let heads: Vec<_> = self
            .exchange
            .into_replies()
            .iter()
            .map(|reply| head_of(reply, format))
            .collect();
        match self.positions {
            None => {
                if let Some(reader) = self.readers.first() {
                    reader.ticket.answer(Ok(Heads { heads, sent_at }));
                }
            }
            Some(positions) => {
                for (reader, positions) in self.readers.iter().zip(positions) {
                    let heads = positions
                        .iter()
                        .map(|&position| heads[position].clone())
                        .collect();
                    reader.ticket.answer(Ok(Heads { heads, sent_at }));
                }
            }
        }
    }
}

/// What a validation is answered with. Servers say of a missing key that it is empty;
/// nil says the same.
const QUESTION: Expected = Expected::new("GETRANGE", Shape::Text(HEADER));

/// `GETRANGE key 0 23`, as `redis::cmd` packs it, which takes five allocations for
/// each of a hundred keys.
fn pack_question(commands: &mut Vec<u8>, key: &[u8]) {
    const { assert!(HEADER == 24) };
    commands.extend_from_slice(b"*4\r\n$8\r\nGETRANGE\r\n$");
    commands.extend_from_slice(key.len().to_string().as_bytes());
    commands.extend_from_slice(b"\r\n");
    commands.extend_from_slice(key);
    commands.extend_from_slice(b"\r\n$1\r\n0\r\n$2\r\n23\r\n");
}

/// What a reply to GETRANGE says.
pub(crate) fn head_of(reply: &Value, format: &Format) -> Result<Head, RemoteError> {
    use crate::remote::wire::Rejected;
    match reply {
        Value::BulkString(bytes) => Ok(format.head(bytes)),
        Value::Nil => Ok(Head::Absent),
        Value::ServerError(error) if error.code() == "WRONGTYPE" => {
            Ok(Head::Rejected(Rejected::Foreign))
        }
        Value::ServerError(error) => Err(RemoteError::of_reply(error)),
        _ => Err(RemoteError::Connection(
            "an unexpected reply to GETRANGE".to_owned(),
        )),
    }
}
