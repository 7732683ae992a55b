//! What can go wrong between this process and the server.

use crate::remote::server::Server;
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
    /// The server took no connection, or will not talk over it: an answer to the
    /// connection, whatever was asked.
    Refused {
        /// Its first word, such as `DENIED` or `WRONGPASS`.
        code: String,
        /// Words to show.
        message: String,
    },
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
            Self::Refused { message, .. } => !LASTING.iter().any(|words| message.ends_with(words)),
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
                    | "MISCONF"
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
            Self::Refused { code, .. } => Self::Refused {
                code: code.clone(),
                message: text,
            },
            Self::Closed => Self::Closed,
        }
    }

    /// Whether the server refused the connection, whatever was asked over it.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Refused { .. } => true,
            Self::Server { code, .. } => matches!(code.as_str(), "WRONGPASS" | "NOAUTH"),
            _ => false,
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
    pub(crate) fn is_of_forbidden_command(&self) -> bool {
        let Self::Server { code, message } = self else {
            return false;
        };
        code == "NOPERM" || (code == "ERR" && message.contains("unknown command"))
    }

    /// What the server answered to a command.
    pub(crate) fn of_reply(error: &redis::ServerError) -> Self {
        let code = shown(error.code());
        let message = shown(&text_of(error));
        Self::Server { code, message }
    }

    /// What it answered before it served anything: to the connection itself, to AUTH or to
    /// SELECT. Of what may repeat the password nothing is shown but what is known.
    pub(crate) fn of_refusal(server: &Server, error: &redis::ServerError) -> Self {
        let text = text_of(error);
        let known = REFUSALS.iter().find(|(start, _)| text.starts_with(start));
        if let Some((_, words)) = known
            && OF_INTRODUCTION.contains(words)
            && !server.introduces_client()
        {
            return Self::of_reply(error); // to the first command, by a peer that then closed
        }
        let (code, words) = match known {
            Some((start, words)) => (
                start.split(' ').next().unwrap_or(start),
                (*words).to_owned(),
            ),
            None if server.password.is_some() => (
                "ERR",
                "an error that is not shown, since it may repeat the password".to_owned(),
            ),
            None => (error.code(), shown(&text)),
        };
        let (code, message) = (
            shown(code),
            format!("{server} refused the connection: {words}"),
        );
        if matches!(code.as_str(), "WRONGPASS" | "NOAUTH") {
            Self::Server { code, message }
        } else {
            Self::Refused { code, message }
        }
    }

    /// Whether this reply is to the connection, not to the command that it was read for.
    pub(crate) fn is_to_connection(error: &redis::ServerError) -> bool {
        let text = text_of(error);
        GREETINGS.iter().any(|start| text.starts_with(start))
    }
}

/// What begins an error that ends the connection, or that every command gets on it.
const GREETINGS: [&str; 4] = [
    "DENIED",
    "NOAUTH",
    "ERR max number of clients",
    "ERR max clients reached",
];

/// Refusals that last until somebody changes a setting.
const LASTING: [&str; 8] = [
    NO_PERMISSION,
    NO_SUCH_COMMAND,
    NO_PASSWORD_WANTED,
    NO_PASSWORD_SET,
    INVALID_PASSWORD,
    NO_USER_NAMES,
    NO_SUCH_DATABASE,
    NO_DATABASES,
];
/// What AUTH and SELECT alone are refused by.
const OF_INTRODUCTION: [&str; 6] = [
    NO_PERMISSION,
    NO_SUCH_COMMAND,
    NO_PASSWORD_WANTED,
    NO_USER_NAMES,
    NO_SUCH_DATABASE,
    NO_DATABASES,
];
const NO_PERMISSION: &str = "NOPERM this user has no permission to run AUTH or SELECT";
const NO_SUCH_COMMAND: &str = "ERR unknown command 'AUTH' or 'SELECT'";
const NO_PASSWORD_WANTED: &str =
    "ERR AUTH called without any password configured for the default user";
const NO_PASSWORD_SET: &str = "ERR Client sent AUTH, but no password is set";
const INVALID_PASSWORD: &str = "ERR invalid password";
const NO_USER_NAMES: &str =
    "ERR wrong number of arguments for AUTH: servers before Redis 6 have no user names";
const NO_SUCH_DATABASE: &str = "ERR DB index is out of range";
const NO_DATABASES: &str = "ERR SELECT is not allowed in cluster mode";

/// How refusals begin, and what is shown of them.
const REFUSALS: [(&str, &str); 21] = [
    (
        "DENIED",
        "DENIED Redis is running in protected mode: without a password it takes connections \
         from its own machine alone",
    ),
    (
        "ERR max number of clients",
        "ERR max number of clients reached",
    ),
    (
        "WRONGPASS",
        "WRONGPASS invalid username-password pair or user is disabled.",
    ),
    ("NOAUTH", "NOAUTH Authentication required."),
    ("NOPERM", NO_PERMISSION),
    ("LOADING", "LOADING Redis is loading the dataset in memory"),
    (
        "MISCONF",
        "MISCONF the server cannot save its dataset, and takes no writes",
    ),
    ("MASTERDOWN", "MASTERDOWN the link with the primary is down"),
    ("CLUSTERDOWN", "CLUSTERDOWN the cluster is down"),
    ("TRYAGAIN", "TRYAGAIN"),
    ("READONLY", "READONLY"),
    ("BUSY", "BUSY Redis is busy running a script"),
    ("OOM", "OOM the server's memory is full"),
    ("ERR unknown command", NO_SUCH_COMMAND),
    ("ERR AUTH", NO_PASSWORD_WANTED),
    ("ERR Client sent AUTH", NO_PASSWORD_SET),
    ("ERR invalid password", INVALID_PASSWORD),
    ("ERR wrong number of arguments", NO_USER_NAMES),
    ("ERR DB index", NO_SUCH_DATABASE),
    ("ERR invalid DB index", NO_SUCH_DATABASE),
    ("ERR SELECT", NO_DATABASES),
];

fn text_of(error: &redis::ServerError) -> String {
    match error.details() {
        Some(details) => format!("{} {details}", error.code()),
        None => error.code().to_owned(),
    }
}

/// The longest foreign text in a message, in characters.
const LONGEST: usize = 200;

/// Foreign text as one line: what is not printable is escaped, what is long is cut.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    let mut count = 0;
    for character in text.chars() {
        if matches!(character, '\'' | '"') {
            shown.push(character);
            count += 1;
        } else {
            for escaped in character.escape_debug() {
                shown.push(escaped);
                count += 1;
            }
        }
        if count > LONGEST {
            shown = shown.chars().take(LONGEST - 3).collect();
            shown.push_str("...");
            break;
        }
    }
    shown
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(reason)
            | Self::Timeout(reason)
            | Self::Codec(reason)
            | Self::Server {
                message: reason, ..
            }
            | Self::Refused {
                message: reason, ..
            } => f.write_str(reason),
            Self::Closed => f.write_str("the store was closed meanwhile"),
        }
    }
}

impl std::error::Error for RemoteError {}
