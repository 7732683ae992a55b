//! The connections of one process: a child of `fork` makes its own.

use crate::clock::{Clock, Nanos};
use crate::gate::GATE;
use crate::remote::bodies::Pool;
use crate::remote::connecting::Connecting;
use crate::remote::connection::{Connection, Exchange, TICK, nanos};
use crate::remote::error::RemoteError;
use crate::remote::health::Health;
use crate::remote::lane::LaneState;
use crate::remote::server::Server;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What the operations of one process share. The locks are taken inside the fork
/// gate, for moments; what is locked is whole whenever a fork takes place.
pub(crate) struct Links {
    pub(crate) server: Arc<Server>,
    pub(crate) clock: Clock,
    pub(crate) lane: Mutex<LaneState>,
    pub(crate) pool: Mutex<Pool>,
    health: Mutex<Health>,
    incarnation: u64,
    is_closed: AtomicBool,
    /// Connections that were made before it last changed are not used again.
    epoch: AtomicU64,
    connections: Arc<AtomicU64>,
}

/// Where one connection stands.
#[derive(Default)]
pub(crate) enum Line {
    #[default]
    Down,
    Connecting(Connecting),
    Up(Connection),
}

/// What an exchange is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To ask. May be sent again after the server closed a connection that had worked before.
    Read,
    /// To write. May not.
    Write,
    /// To remove: as `Write`, but tried even while the server is given time, since another
    /// process may have found it, and reads on what should be gone.
    Removal,
}

/// How far an exchange came.
pub(crate) enum Driven {
    Complete,
    Paused,
}

impl Links {
    pub(crate) fn new(
        server: &Arc<Server>,
        clock: &Clock,
        connections: &Arc<AtomicU64>,
    ) -> Arc<Self> {
        Arc::new(Self {
            server: Arc::clone(server),
            clock: clock.clone(),
            lane: Mutex::default(),
            pool: Mutex::default(),
            health: Mutex::default(),
            incarnation: GATE.incarnation(),
            is_closed: AtomicBool::new(false),
            epoch: AtomicU64::new(0),
            connections: Arc::clone(connections),
        })
    }

    /// Whether these connections are this process's own.
    pub(crate) fn is_ours(&self) -> bool {
        self.incarnation == GATE.incarnation()
    }

    pub(crate) fn now(&self) -> Nanos {
        self.clock.now()
    }

    /// Fails if nothing may be asked any more.
    pub(crate) fn check(&self) -> Result<(), RemoteError> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(RemoteError::Closed);
        }
        if !self.is_ours() {
            let message = "the process was forked in the middle of this request";
            return Err(RemoteError::Connection(message.to_owned()));
        }
        Ok(())
    }

    /// Ends what waits now, and refuses what comes.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        let idle = {
            let _inside = GATE.enter();
            let line = self.lane.lock().close();
            (line, self.pool.lock().close())
        };
        drop(idle);
    }

    /// In a child: lets go of the parent's connections without a word to the
    /// server. What was in use by a thread that is not here is leaked (G5).
    pub(crate) fn forget(self: Arc<Self>) {
        let idle = {
            let _inside = GATE.enter();
            let line = self.lane.try_lock().map(|mut lane| lane.take_line());
            (line, self.pool.try_lock().map(|mut pool| pool.close()))
        };
        let (line, idle) = idle;
        for line in line.into_iter().chain(idle.into_iter().flatten()) {
            match line {
                Line::Up(connection) => drop(connection),
                other => std::mem::forget(other), // its thread is not here
            }
        }
        std::mem::forget(self);
    }

    /// Takes the exchange as far as it goes until `pause_at` or a tick later, over a
    /// new connection if there is none.
    pub(crate) fn drive(
        &self,
        line: &mut Line,
        exchange: &mut Exchange,
        purpose: Purpose,
        pause_at: Nanos,
    ) -> Result<Driven, RemoteError> {
        loop {
            self.check()?;
            match line {
                Line::Down => *line = Line::Connecting(self.connect(purpose)?),
                Line::Connecting(connecting) => {
                    let is_of_another = connecting.since < exchange.waited_from();
                    match connecting.advance(&self.server, self.now()) {
                        Some(Ok(connection)) => {
                            self.connections.fetch_add(1, Ordering::Relaxed);
                            *line = Line::Up(connection);
                            exchange.rewind(self.now());
                        }
                        // Perhaps long ago, while nobody looked.
                        Some(Err(_)) if is_of_another => *line = Line::Down,
                        Some(Err(error)) => {
                            *line = Line::Down;
                            return Err(self.failed(error));
                        }
                        None => {}
                    }
                }
                Line::Up(connection) => {
                    if !exchange.is_begun() && self.is_outdated(connection) {
                        *line = Line::Down;
                        continue;
                    }
                    let stop_at = pause_at.min(self.now().saturating_add(nanos(TICK)));
                    let was_proven = connection.is_proven;
                    match connection.advance(exchange, &self.server, &self.clock, stop_at) {
                        Ok(true) => {
                            if !was_proven && let Some(refusal) = self.refusal(exchange) {
                                *line = Line::Down;
                                return Err(self.failed(refusal));
                            }
                            self.succeeded();
                            return Ok(Driven::Complete);
                        }
                        Ok(false) => {}
                        Err(error @ RemoteError::Connection(_)) if connection.is_proven => {
                            *line = Line::Down;
                            self.renew();
                            if purpose != Purpose::Read && exchange.is_begun() {
                                return Err(error);
                            }
                            exchange.rewind(self.now());
                        }
                        Err(error) => {
                            let said = match error {
                                RemoteError::Connection(_) => {
                                    connection.last_words(exchange, &self.server, &self.clock)
                                }
                                // It refused, and left the connection open.
                                RemoteError::Timeout(_) if !was_proven => self.refusal(exchange),
                                _ => None,
                            };
                            *line = Line::Down;
                            return Err(self.failed(said.unwrap_or(error)));
                        }
                    }
                }
            }
            if self.now() >= pause_at {
                return Ok(Driven::Paused);
            }
        }
    }

    /// What the server says to who connects, in the place of the first reply.
    fn refusal(&self, exchange: &Exchange) -> Option<RemoteError> {
        let error = exchange.first_error()?;
        RemoteError::is_to_connection(error).then(|| RemoteError::of_refusal(&self.server, error))
    }

    /// From now on only new connections are used: the server that these lead to is
    /// gone, for all we know, or takes no writes any more.
    pub(crate) fn renew(&self) {
        self.epoch.fetch_add(1, Ordering::Relaxed);
    }

    fn is_outdated(&self, connection: &mut Connection) -> bool {
        connection.epoch != self.epoch.load(Ordering::Relaxed) || connection.is_spoilt(self.now())
    }

    fn connect(&self, purpose: Purpose) -> Result<Connecting, RemoteError> {
        if purpose != Purpose::Removal {
            self.may_connect()?;
        }
        let epoch = self.epoch.load(Ordering::Relaxed);
        Connecting::start(&self.server, &self.clock, epoch)
    }

    /// An error at once while the server is given time.
    fn may_connect(&self) -> Result<(), RemoteError> {
        let _inside = GATE.enter();
        self.health.lock().check(self.now())
    }

    fn failed(&self, error: RemoteError) -> RemoteError {
        self.renew();
        let _inside = GATE.enter();
        self.health.lock().note_failure(&error, self.now());
        error
    }

    fn succeeded(&self) {
        let _inside = GATE.enter();
        self.health.lock().note_success();
    }
}
