//! The body lane: connections for everything but validations, so that a value of
//! 16 MiB on its way delays nobody's question.
//!
//! Each request has a connection for itself as long as it lasts. There are at
//! most [`CONNECTIONS`]; who finds them all in use waits for its turn. A request
//! that is given up in the middle takes its connection with it.

use crate::clock::Nanos;
use crate::gate::GATE;
use crate::remote::connection::{Exchange, Replies, nanos};
use crate::remote::error::RemoteError;
use crate::remote::links::{Driven, Line, Links, Purpose};
use crate::remote::ticket::{Ticket, Woken};
use redis::Value;
use std::sync::Arc;
use std::task::Poll;

#[cfg(test)]
mod tests;

/// The most connections for bodies that a store opens.
pub(crate) const CONNECTIONS: usize = 8;

/// What the pool's lock protects.
#[derive(Default)]
pub(crate) struct Pool {
    idle: Vec<Line>,
    in_use: usize,
    waiting: Vec<Arc<Ticket<()>>>,
}

impl Pool {
    /// Its idle connections, to be dropped outside of the lock; who waits is called
    /// and finds the links closed.
    pub(crate) fn close(&mut self) -> Vec<Line> {
        for ticket in self.waiting.drain(..) {
            _ = ticket.call();
        }
        std::mem::take(&mut self.idle)
    }

    fn take(&mut self) -> Option<Line> {
        if self.in_use >= CONNECTIONS {
            return None;
        }
        self.in_use += 1;
        Some(self.idle.pop().unwrap_or_default())
    }

    /// Out of the queue, if it is in there.
    fn remove(&mut self, ticket: &Arc<Ticket<()>>) {
        self.waiting.retain(|waiting| !Arc::ptr_eq(waiting, ticket));
    }

    /// If a connection is free, the first whose thread is there is told. It stays in
    /// its place until it has taken one, or leaves.
    fn call_next(&self) {
        if self.in_use < CONNECTIONS {
            _ = self.waiting.iter().any(|ticket| ticket.call());
        }
    }
}

/// Commands and their replies, over a connection of their own.
pub(crate) struct Request {
    links: Arc<Links>,
    exchange: Option<Exchange>,
    line: Option<Line>,
    purpose: Purpose,
    ticket: Arc<Ticket<()>>,
    until: Nanos,
    closes_after_errors: bool,
}

impl Request {
    pub(crate) fn new(
        links: Arc<Links>,
        commands: Vec<u8>,
        expected: Replies,
        purpose: Purpose,
    ) -> Self {
        let now = links.now();
        let server = &links.server;
        let patience = server.connect_timeout + server.write_timeout + server.read_timeout;
        Self {
            until: now.saturating_add(nanos(patience)),
            exchange: Some(Exchange::new(commands, expected, now)),
            line: None,
            purpose,
            closes_after_errors: false,
            ticket: Arc::new(Ticket::new()),
            links,
        }
    }

    pub(crate) fn links(&self) -> &Links {
        &self.links
    }

    /// After an answer: other commands, for the same waiting thread.
    pub(crate) fn ask_again(&mut self, commands: Vec<u8>, expected: Replies) {
        self.exchange = Some(Exchange::new(commands, expected, self.links.now()));
    }

    /// From now on: after a server's error nobody knows whether the connection is in the
    /// middle of a transaction.
    pub(crate) fn close_after_errors(&mut self) {
        self.closes_after_errors = true;
    }

    /// Waits until `pause_at` for the replies, and the time before which they are not
    /// older.
    pub(crate) fn wait(
        &mut self,
        pause_at: Nanos,
    ) -> Poll<Result<(Vec<Value>, Nanos), RemoteError>> {
        loop {
            if let Err(error) = self.links.check() {
                return Poll::Ready(Err(error));
            }
            let (Some(line), Some(exchange)) = (&mut self.line, &mut self.exchange) else {
                match self.wait_for_line(pause_at) {
                    Poll::Ready(Ok(())) => continue,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            };
            let driven = self.links.drive(line, exchange, self.purpose, pause_at);
            return match driven {
                Ok(Driven::Paused) => Poll::Pending,
                Ok(Driven::Complete) => Poll::Ready(self.finish()),
                Err(error) => Poll::Ready(Err(error)),
            };
        }
    }

    fn finish(&mut self) -> Result<(Vec<Value>, Nanos), RemoteError> {
        let line = self.line.take().unwrap_or_default();
        let Some(exchange) = self.exchange.take() else {
            return Err(RemoteError::Closed);
        };
        let (sent_at, replies) = (exchange.sent_at, exchange.into_replies());
        let is_error = |reply: &Value| matches!(reply, Value::ServerError(_));
        let is_done_with = self.closes_after_errors && replies.iter().any(is_error);
        self.give_back(if is_done_with { Line::Down } else { line });
        Ok((replies, sent_at))
    }

    fn wait_for_line(&mut self, pause_at: Nanos) -> Poll<Result<(), RemoteError>> {
        self.ticket.attend();
        {
            let _inside = GATE.enter();
            let mut pool = self.links.pool.lock();
            self.line = pool.take();
            if self.line.is_some() {
                pool.remove(&self.ticket);
                pool.call_next();
                return Poll::Ready(Ok(()));
            }
            let is_mine = |ticket| Arc::ptr_eq(ticket, &self.ticket);
            if !pool.waiting.iter().any(is_mine) {
                pool.waiting.push(Arc::clone(&self.ticket));
            }
        }
        match self
            .ticket
            .wait(self.until.min(pause_at), &self.links.clock)
        {
            Woken::Answered(()) | Woken::Called => Poll::Ready(Ok(())),
            Woken::TimedOut if self.links.now() < self.until => Poll::Pending,
            Woken::TimedOut => {
                let message = format!(
                    "{}: none of {CONNECTIONS} connections came free in time",
                    self.links.server
                );
                Poll::Ready(Err(RemoteError::Timeout(message)))
            }
        }
    }

    fn give_back(&self, line: Line) {
        let surplus = {
            let _inside = GATE.enter();
            let mut pool = self.links.pool.lock();
            pool.in_use -= 1;
            let surplus = match line {
                Line::Up(_) | Line::Connecting(_) if self.links.check().is_ok() => {
                    pool.idle.push(line);
                    None
                }
                other => Some(other),
            };
            pool.call_next();
            surplus
        };
        drop(surplus);
    }
}

/// Given up, or failed: the connection is closed, its place is somebody else's.
impl Drop for Request {
    fn drop(&mut self) {
        if !self.links.is_ours() {
            return;
        }
        if let Some(line) = self.line.take() {
            // One that is still being made serves the next request.
            self.give_back(match line {
                Line::Connecting(_) => line,
                Line::Up(_) | Line::Down => Line::Down,
            });
        } else if self.exchange.is_some() {
            // If it was just called, the call is somebody else's.
            let _inside = GATE.enter();
            let mut pool = self.links.pool.lock();
            pool.remove(&self.ticket);
            pool.call_next();
        }
    }
}
