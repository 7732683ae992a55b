//! Where the server is, and how this process introduces itself.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A server's address and credentials.
#[derive(Clone)]
pub struct Server {
    /// Where it listens.
    pub address: Address,
    /// The database to select.
    pub db: u32,
    /// For servers with access control lists (Redis 6).
    pub username: Option<String>,
    /// If the server asks for one.
    pub password: Option<String>,
    /// For a new connection: name look-up, TLS and authentication included.
    pub connect_timeout: Duration,
    /// For a reply, from when the whole request was sent.
    pub read_timeout: Duration,
    /// For a request to be sent.
    pub write_timeout: Duration,
}

/// Where a server listens.
#[derive(Clone)]
pub enum Address {
    /// TCP, with TLS or without.
    Tcp {
        /// A name or an IP address, an IPv6 one without brackets.
        host: String,
        /// The port.
        port: u16,
        /// With TLS.
        tls: Option<Tls>,
    },
    /// A Unix domain socket.
    Unix(PathBuf),
}

/// Whom to trust, and who this client is.
#[derive(Clone, Default)]
pub struct Tls {
    /// Certificates that sign servers', as PEM; the system's by default.
    pub ca_file: Option<PathBuf>,
    /// This client's own certificates, as PEM.
    pub cert: Option<PathBuf>,
    /// The key of the first one, as PEM.
    pub key: Option<PathBuf>,
    /// Accept any certificate.
    pub accept_any: bool,
}

impl Server {
    /// Whether a connection begins by AUTH or SELECT.
    pub(crate) fn introduces_client(&self) -> bool {
        self.password.is_some() || self.db != 0
    }
}

/// Address and database, no credentials.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp { host, port, tls } => {
                let scheme = if tls.is_some() { "rediss" } else { "redis" };
                let host = if host.contains(':') {
                    format!("[{host}]")
                } else {
                    host.clone()
                };
                write!(f, "{scheme}://{host}:{port}/{}", self.db)
            }
            Address::Unix(path) => {
                write!(f, "unix://{}", path.display())?;
                if self.db == 0 {
                    Ok(())
                } else {
                    write!(f, "?db={}", self.db)
                }
            }
        }
    }
}

/// As `Display`: a password must not come into a log this way either.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({self})")
    }
}
