//! One connection to a host of many addresses (RFC 8305, "happy eyeballs"): an address that
//! does not answer does not use up the time of those behind it.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// An address is given so long before the next one is tried beside it.
const STAGGER: Duration = Duration::from_millis(250);

/// So many addresses are tried; each may take a thread until the time is over.
const MOST: usize = 16;

/// The first connection that stands, to whichever address. An error is that of the first
/// address that said something; `TimedOut` if none did.
pub(crate) fn connect(
    addresses: impl Iterator<Item = SocketAddr>,
    timeout: Duration,
) -> io::Result<TcpStream> {
    let mut addresses = in_turn(addresses.take(MOST)).into_iter().peekable();
    let Some(first) = addresses.next() else {
        let message = "the host has no address";
        return Err(io::Error::new(ErrorKind::NotFound, message));
    };
    if addresses.peek().is_none() {
        return TcpStream::connect_timeout(&first, timeout);
    }
    let mut race = Race::new(timeout);
    race.start(first);
    loop {
        if let Some(tcp) = race.wait(addresses.peek().is_some()) {
            return Ok(tcp);
        }
        match addresses.next() {
            _ if race.left().is_zero() => return Err(race.failure()),
            Some(address) => race.start(address),
            None if race.running == 0 => return Err(race.failure()),
            None => {}
        }
    }
}

/// The families by turns, in the order in which the system prefers the addresses.
fn in_turn(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses: Vec<_> = addresses.collect();
    let Some(is_first_v6) = addresses.first().map(SocketAddr::is_ipv6) else {
        return addresses;
    };
    let (mut preferred, mut others) = (0, 0);
    addresses.sort_by_cached_key(|address| {
        let is_preferred = address.is_ipv6() == is_first_v6;
        let place = if is_preferred {
            &mut preferred
        } else {
            &mut others
        };
        *place += 1;
        (*place, !is_preferred)
    });
    addresses
}

/// Attempts side by side, each in a thread that ends with its own timeout.
struct Race {
    until: Instant,
    sender: mpsc::Sender<io::Result<TcpStream>>,
    results: mpsc::Receiver<io::Result<TcpStream>>,
    running: usize,
    failure: Option<io::Error>,
}

impl Race {
    fn new(timeout: Duration) -> Self {
        let (sender, results) = mpsc::channel();
        Self {
            until: Instant::now() + timeout,
            sender,
            results,
            running: 0,
            failure: None,
        }
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    fn start(&mut self, address: SocketAddr) {
        let left = self.left().max(Duration::from_millis(1)); // none is no timeout to connect with
        let sender = self.sender.clone();
        let attempt = move || sender.send(TcpStream::connect_timeout(&address, left));
        match thread::Builder::new()
            .name("ccache-connect".into())
            .spawn(attempt)
        {
            Ok(_) => self.running += 1,
            Err(error) => self.note(error),
        }
    }

    /// Until one attempt has ended, or the next address has its turn.
    fn wait(&mut self, are_more: bool) -> Option<TcpStream> {
        if self.running == 0 {
            return None;
        }
        let most = if are_more { STAGGER } else { self.left() };
        match self.results.recv_timeout(most.min(self.left())) {
            Ok(result) => {
                self.running -= 1;
                result.map_err(|error| self.note(error)).ok()
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }

    fn note(&mut self, error: io::Error) {
        if error.kind() != ErrorKind::TimedOut {
            self.failure.get_or_insert(error);
        }
    }

    fn failure(&mut self) -> io::Error {
        self.failure.take().unwrap_or(ErrorKind::TimedOut.into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::net::TcpListener;

    /// No test that passes waits so long.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// A listener that takes no more connections, and what fills it.
    fn full() -> (socket2::Socket, Vec<socket2::Socket>, SocketAddr) {
        let new = || socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let listener = new().unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        listener.bind(&any.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let fillers = (0..8).map(|_| {
            let filler = new().unwrap();
            filler.set_nonblocking(true).unwrap();
            _ = filler.connect(&address);
            filler
        });
        let fillers = fillers.collect();
        (listener, fillers, address.as_socket().unwrap())
    }

    fn refusing() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    }

    #[test]
    fn an_address_that_does_not_answer_leaves_time_for_the_others() {
        let (_listener, _fillers, silent) = full();
        let there = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = there.local_addr().unwrap();
        for addresses in [
            vec![silent, address],
            vec![silent, refusing(), silent, address],
            vec![refusing(), silent, address, silent],
        ] {
            let tcp = connect(addresses.into_iter(), PATIENCE).unwrap();
            assert_eq!(tcp.peer_addr().unwrap(), address);
        }
    }

    #[test]
    fn the_error_is_of_who_said_something() {
        let (_listener, _fillers, silent) = full();
        let soon = Duration::from_millis(300);
        let error = connect([refusing(), silent].into_iter(), soon).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        for addresses in [vec![silent], vec![silent, silent, silent]] {
            let error = connect(addresses.into_iter(), soon).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
        }
        let error = connect([refusing(), refusing()].into_iter(), PATIENCE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let error = connect([].into_iter(), PATIENCE).unwrap_err();
        assert_eq!(error.to_string(), "the host has no address");
    }

    #[test]
    fn the_families_take_turns() {
        let of = |texts: [&str; 5]| texts.map(|text| text.parse().unwrap());
        let given = of(["[::1]:1", "[::1]:2", "1.1.1.1:1", "[::1]:3", "1.1.1.1:2"]);
        let turns = of(["[::1]:1", "1.1.1.1:1", "[::1]:2", "1.1.1.1:2", "[::1]:3"]);
        assert_eq!(in_turn(given.into_iter()), turns);
    }
}
