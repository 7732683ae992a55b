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
use crate::remote::connection::Exchange;
use crate::remote::error::RemoteError;
use crate::remote::links::{Driven, Line, Links};
use crate::remote::ticket::{Ticket, Woken};
use crate::remote::wire::{Format, HEADER, Head};
use redis::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::thread;

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

/// What a leader works on.
struct Lead {
    line: Line,
    pipeline: Pipeline,
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

    /// Somebody who waits, if there is work for a leader.
    fn next_leader(&self, but: &Arc<Reader>) -> Option<Arc<Reader>> {
        let of_left = self.left.iter().flat_map(|left| &left.readers);
        of_left
            .chain(&self.queue)
            .find(|reader| !Arc::ptr_eq(reader, but) && Arc::strong_count(reader) > 1)
            .cloned()
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
        let patience = server.connect_timeout + server.write_timeout + server.read_timeout;
        let until = links
            .now()
            .saturating_add(patience.as_nanos().try_into().unwrap_or(Nanos::MAX));
        Self {
            reader: Arc::new(Reader {
                keys,
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
        loop {
            if let Some(lead) = self.take_lead(sent) {
                if let Driven::Paused = self.lead(lead, format, pause_at) {
                    return Poll::Pending;
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
                Woken::TimedOut => {
                    let message = format!("{}: no turn to ask came in time", self.links.server);
                    return Poll::Ready(Err(RemoteError::Timeout(message)));
                }
            }
        }
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
        let pipeline = lane.left.take().unwrap_or_else(|| {
            let pipeline = Pipeline::of(std::mem::take(&mut lane.queue), self.links.now());
            sent.fetch_add(pipeline.exchange.expected() as u64, Ordering::Relaxed);
            lane.is_crowded = pipeline.shares_keys();
            pipeline
        });
        Some(Lead {
            line: lane.take_line(),
            pipeline,
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
        let Lead { line, pipeline } = &mut lead;
        let driven = self
            .links
            .drive(line, &mut pipeline.exchange, true, pause_at);
        let Lead { line, pipeline } = lead;
        match driven {
            Ok(Driven::Paused) => {
                self.step_down(line, Some(pipeline));
                Driven::Paused
            }
            Ok(Driven::Complete) => {
                self.step_down(line, None);
                pipeline.hand_out(format);
                Driven::Complete
            }
            Err(error) => {
                self.step_down(Line::Down, None);
                for reader in &pipeline.readers {
                    reader.ticket.answer(Err(error.clone()));
                }
                Driven::Complete
            }
        }
    }

    fn step_down(&self, line: Line, left: Option<Pipeline>) {
        let next = {
            let _inside = GATE.enter();
            let mut lane = self.links.lane.lock();
            lane.line = line;
            lane.left = left;
            lane.has_leader = false;
            lane.next_leader(&self.reader)
        };
        if let Some(next) = next {
            next.ticket.call();
        }
    }
}

/// Out of the queue; and if it was this reader's turn, it is the next one's.
impl Drop for Question {
    fn drop(&mut self) {
        if !self.is_queued || !self.links.is_ours() {
            return;
        }
        let next = {
            let _inside = GATE.enter();
            let mut lane = self.links.lane.lock();
            lane.queue
                .retain(|reader| !Arc::ptr_eq(reader, &self.reader));
            if lane.has_leader {
                None
            } else {
                lane.next_leader(&self.reader)
            }
        };
        if let Some(next) = next {
            next.ticket.call();
        }
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
            exchange: Exchange::new(commands, count, now),
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

fn head_of(reply: &Value, format: &Format) -> Result<Head, RemoteError> {
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
