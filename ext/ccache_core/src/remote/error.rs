//! What can go wrong between this process and the server.

use std::fmt;

/// A failure of one operation. Cloned to everybody who waited for it.
///
/// The words show neither a value nor a password.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoteError {
    /// There is no connection: refused, lost, or not tried again yet.
    Connection(String),
    /// The server did not answer in time.
    Timeout(String),
    /// The server's own error reply.
    Server {
        /// Its first word, such as `OOM` or `READONLY`.
        code: String,
        /// The whole of it.
        message: String,
    },
    /// A value that cannot be encoded or decoded.
    Codec(String),
    /// The store was closed meanwhile.
    Closed,
}

impl RemoteError {
    /// Whether the same operation may succeed later.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Connection(_) | Self::Timeout(_) => true,
            Self::Server { code, .. } => matches!(
                code.as_str(),
                "LOADING"
                    | "BUSY"
                    | "TRYAGAIN"
                    | "CLUSTERDOWN"
                    | "MASTERDOWN"
                    | "READONLY"
                    | "OOM"
                    | "NOREPLICAS"
            ),
            Self::Codec(_) | Self::Closed => false,
        }
    }

    /// The same, with more words.
    pub(crate) fn with_note(&self, note: &str) -> Self {
        let text = format!("{self} ({note})");
        match self {
            Self::Connection(_) => Self::Connection(text),
            Self::Timeout(_) => Self::Timeout(text),
            Self::Codec(_) => Self::Codec(text),
            Self::Server { code, .. } => Self::Server {
                code: code.clone(),
                message: text,
            },
            Self::Closed => Self::Closed,
        }
    }

    /// The same, where a server repeats what it was sent.
    pub(crate) fn without(self, secret: &str) -> Self {
        match self {
            Self::Server { code, message } if !secret.is_empty() => Self::Server {
                message: message.replace(secret, "[password]"),
                code: code.replace(secret, "[password]"),
            },
            other => other,
        }
    }

    /// Whether the connection leads to a server that is not, or no longer, the one
    /// that takes writes.
    pub(crate) fn is_of_wrong_server(&self) -> bool {
        matches!(self, Self::Server { code, .. } if code == "READONLY" || code == "MASTERDOWN")
    }

    /// Whether the server says that what is to be counted is no integer, or would not be.
    pub fn is_of_no_integer(&self) -> bool {
        let words = ["not an integer", "would overflow"];
        let Self::Server { code, message } = self else {
            return false;
        };
        code == "ERR" && words.iter().any(|words| message.contains(words))
    }

    /// Whether the server does not let this client have the command.
    pub(crate) fn is_refusal(&self) -> bool {
        let Self::Server { code, message } = self else {
            return false;
        };
        code == "NOPERM" || (code == "ERR" && message.contains("unknown command"))
    }

    pub(crate) fn of_reply(error: &redis::ServerError) -> Self {
        let code = error.code().to_owned();
        let message = match error.details() {
            Some(details) => format!("{code} {details}"),
            None => code.clone(),
        };
        Self::Server { code, message }
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(reason)
            | Self::Timeout(reason)
            | Self::Codec(reason)
            | Self::Server {
                message: reason, ..
            } => f.write_str(reason),
            Self::Closed => f.write_str("the store was closed meanwhile"),
        }
    }
}

impl std::error::Error for RemoteError {}
