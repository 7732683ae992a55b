//! The socket of a connection, whatever its kind.

use rustls::{ClientConnection, StreamOwned};
use socket2::SockRef;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

pub(crate) enum Stream {
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    Unix(UnixStream),
}

impl Stream {
    /// Reads a byte if there is one, and never blocks: how many there were.
    pub(crate) fn read_at_once(&mut self) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => receive_at_once(&SockRef::from(&*stream)),
            Self::Unix(stream) => receive_at_once(&SockRef::from(&*stream)),
            // Some of what comes is TLS's own.
            Self::Tls(stream) => {
                stream.sock.set_nonblocking(true)?;
                let read = stream.read(&mut [0]);
                stream.sock.set_nonblocking(false)?;
                read
            }
        }
    }
}

/// One system call, since this stands before every question.
fn receive_at_once(socket: &SockRef<'_>) -> io::Result<usize> {
    socket.recv_with_flags(&mut [MaybeUninit::uninit()], libc::MSG_DONTWAIT)
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tls(stream) => stream.flush(),
            Self::Tcp(_) | Self::Unix(_) => Ok(()),
        }
    }
}
