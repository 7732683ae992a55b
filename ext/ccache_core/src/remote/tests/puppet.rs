//! A server that does what a test says, byte by byte, on a real socket.

use super::PATIENCE;
use crate::remote::{Address, Server};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

pub(crate) struct Puppet {
    port: u16,
    accepted: mpsc::Receiver<TcpStream>,
}

impl Puppet {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, accepted) = mpsc::channel();
        // Ends with the first connection that nobody takes any more.
        thread::spawn(move || {
            for stream in listener.incoming() {
                if sender.send(stream.unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { port, accepted }
    }

    pub(crate) fn server(&self) -> Server {
        Server {
            address: Address::Tcp {
                host: "127.0.0.1".to_owned(),
                port: self.port,
                tls: None,
            },
            db: 0,
            username: None,
            password: None,
            connect_timeout: super::SECOND,
            read_timeout: super::SECOND,
            write_timeout: super::SECOND,
        }
    }

    /// The next connection.
    pub(crate) fn accept(&self) -> Peer {
        let stream = self.accepted.recv_timeout(PATIENCE).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Peer {
            stream,
            received: Vec::new(),
        }
    }

    /// Whether somebody has connected and was not accepted yet.
    pub(crate) fn has_caller(&self) -> bool {
        let Ok(stream) = self.accepted.try_recv() else {
            return false;
        };
        drop(stream);
        true
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        let accepted = std::mem::replace(&mut self.accepted, mpsc::channel().1);
        drop(accepted);
        _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// A server's end of one connection.
pub(crate) struct Peer {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Peer {
    /// The next command, its words joined by spaces.
    pub(crate) fn command(&mut self) -> String {
        self.next().unwrap()
    }

    /// The next so many.
    pub(crate) fn commands(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.command()).collect()
    }

    /// All that come until the other side closes the connection.
    pub(crate) fn rest(mut self) -> Vec<String> {
        std::iter::from_fn(|| self.next()).collect()
    }

    pub(crate) fn send(&mut self, reply: impl AsRef<[u8]>) {
        self.stream.write_all(reply.as_ref()).unwrap();
    }

    /// Sends, if the other side is still there.
    pub(crate) fn try_send(&mut self, reply: impl AsRef<[u8]>) {
        _ = self.stream.write_all(reply.as_ref());
    }

    /// Reads a command and replies to it.
    pub(crate) fn serve(&mut self, command: &str, reply: impl AsRef<[u8]>) {
        assert_eq!(self.command(), command);
        self.send(reply);
    }

    /// Until something has come, whole or not.
    pub(crate) fn wait_for_bytes(&mut self) {
        self.stream.read_exact(&mut [0]).unwrap();
    }

    /// Closes the connection, whatever was not read.
    pub(crate) fn close(self) {
        self.stream.shutdown(Shutdown::Both).unwrap();
    }

    /// None once the other side has closed the connection.
    pub(crate) fn next(&mut self) -> Option<String> {
        loop {
            if let Some((words, length)) = parse(&self.received) {
                self.received.drain(..length);
                return Some(words.join(" "));
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    assert!(self.received.is_empty(), "half a command");
                    return None;
                }
                Ok(count) => self.received.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing came: {error}"),
            }
        }
    }
}

/// A whole command at the beginning of `bytes`, and its length.
fn parse(bytes: &[u8]) -> Option<(Vec<String>, usize)> {
    let mut at = 0;
    let count = number(bytes, &mut at, b'*')?;
    let mut words = Vec::new();
    for _ in 0..count {
        let length = number(bytes, &mut at, b'$')?;
        let word = bytes.get(at..at + length)?;
        words.push(word.escape_ascii().to_string());
        at += length + 2;
    }
    (at <= bytes.len()).then_some((words, at))
}

/// The number on the line at `at`, which begins with `kind`.
fn number(bytes: &[u8], at: &mut usize, kind: u8) -> Option<usize> {
    let line = bytes.get(*at..)?;
    let end = line.windows(2).position(|two| two == b"\r\n")?;
    assert_eq!(line[0], kind);
    *at += end + 2;
    Some(std::str::from_utf8(&line[1..end]).unwrap().parse().unwrap())
}

/// A bulk string, as a reply.
pub(crate) fn bulk(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    let length = format!("${}\r\n", bytes.len());
    [length.as_bytes(), bytes, b"\r\n"].concat()
}
