//! Replies as they come in: RESP2, as much of it as is asked for here.
//!
//! What the greatest answer to a command may be is known before it is sent. So a
//! [`Decoder`] is told what it is to expect, and refuses a reply as soon as that
//! cannot be it any more: before it keeps the bytes of a string that is too long, or
//! looks at the items of an array that has too many. It needs no more of the stack for
//! a nested reply than for another one, and keeps half a reply, wherever that was cut.

use redis::Value;
use std::io::{self, ErrorKind, Read};

#[cfg(test)]
mod tests;

const NO_REPLY: &str = "not a reply of this protocol";
/// The longest line: an error, or the length of what follows.
const MAX_LINE: usize = 4096;
/// As much is read ahead at most.
const READ_AHEAD: usize = 16 * 1024;
/// A long string is read in pieces of this size.
const PIECE: usize = 64 * 1024;
/// So many characters of words are kept, since they may come for each of many keys.
const STATUS: usize = 16;
const ERROR: usize = 300;
const ITEMS_ERROR: usize = 120;
/// Arrays in arrays: no reply that is asked for here has more levels.
const MAX_DEPTH: usize = 2;
/// What a scan's step may name: the server gives more keys than it is asked for, but
/// not without an end.
const SCANNED_KEYS: usize = 32 * 1024;
const SCANNED_BYTES: usize = 6 << 20;
/// A cursor has at most so many digits.
const CURSOR: usize = 20;

/// A command, and what its reply has to be unless it is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) command: &'static str,
    pub(crate) shape: Shape,
}

/// What a reply may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// OK.
    Okay,
    /// OK, or nil where nothing was done.
    OkayOrNil,
    /// QUEUED, in a transaction.
    Queued,
    /// An integer between these two.
    Integer(i64, i64),
    /// A string of so many bytes at most, or nil.
    Text(usize),
    /// A cursor and keys.
    Scanned,
    /// So many replies of these shapes, in turn.
    Several(usize, &'static [Shape]),
}

/// Why there is no reply.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is none yet, or never will be.
    Io(io::Error),
    /// What came is not what was asked for; in words.
    Refused(String),
}

/// What is left to a reply: it may still have so much.
#[derive(Debug, Default, Clone, Copy)]
struct Limits {
    depth: usize,
    items: usize,
    bytes: usize,
}

/// The bytes of one connection, up to a reply.
pub(crate) struct Decoder {
    /// What was read ahead stands between `at` and `end`.
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
    /// The part of the buffer that is known to hold no end of a line.
    looked_at: usize,
    arrays: Vec<Items>,
    text: Option<Text>,
    limits: Option<Limits>,
}

/// An array that is not whole yet.
struct Items {
    items: Vec<Value>,
    missing: usize,
}

/// A string that is not whole yet.
struct Text {
    bytes: Vec<u8>,
    length: usize,
}

impl Expected {
    pub(crate) const fn new(command: &'static str, shape: Shape) -> Self {
        Self { command, shape }
    }
}

impl Shape {
    /// How many of something.
    pub(crate) const COUNT: Self = Self::Integer(0, i64::MAX);
    /// Any integer.
    pub(crate) const NUMBER: Self = Self::Integer(i64::MIN, i64::MAX);

    fn limits(self) -> Limits {
        let (depth, items, bytes) = match self {
            Self::Okay | Self::OkayOrNil | Self::Queued | Self::Integer(..) => (0, 0, 0),
            Self::Text(length) => (0, 0, length),
            Self::Scanned => (2, SCANNED_KEYS, SCANNED_BYTES),
            Self::Several(count, shapes) => {
                let of_each = shapes.iter().map(|shape| shape.limits().bytes).max();
                (1, count, count.saturating_mul(of_each.unwrap_or_default()))
            }
        };
        Limits {
            depth,
            items,
            bytes,
        }
    }

    /// Whether a reply is what it has to be. An error is: the caller's to look at.
    fn admits(self, reply: &Value) -> bool {
        match (self, reply) {
            (_, Value::ServerError(_))
            | (Self::Okay | Self::OkayOrNil, Value::Okay)
            | (Self::OkayOrNil | Self::Text(_), Value::Nil) => true,
            (Self::Queued, Value::SimpleString(word)) => word == "QUEUED",
            (Self::Integer(least, most), Value::Int(number)) => (least..=most).contains(number),
            (Self::Text(length), Value::BulkString(bytes)) => bytes.len() <= length,
            (Self::Several(count, shapes), Value::Array(items)) => {
                let mut pairs = items.iter().zip(shapes.iter().cycle());
                items.len() == count && pairs.all(|(item, shape)| shape.admits(item))
            }
            (Self::Scanned, Value::Array(items)) => match &items[..] {
                [Value::BulkString(cursor), Value::Array(keys)] => {
                    let is_cursor = (1..=CURSOR).contains(&cursor.len());
                    let is_key = |key| matches!(key, &Value::BulkString(_));
                    is_cursor && cursor.iter().all(u8::is_ascii_digit) && keys.iter().all(is_key)
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn words(self) -> String {
        match self {
            Self::Okay => "OK".to_owned(),
            Self::OkayOrNil => "OK or nil".to_owned(),
            Self::Queued => "QUEUED".to_owned(),
            Self::Integer(i64::MIN, i64::MAX) => "an integer".to_owned(),
            Self::Integer(least, i64::MAX) => format!("an integer of at least {least}"),
            Self::Integer(least, most) => format!("an integer from {least} to {most}"),
            Self::Text(length) => format!("a string of at most {length} bytes"),
            Self::Scanned => format!(
                "a cursor and at most {} keys of at most {SCANNED_BYTES} bytes together",
                SCANNED_KEYS - 2 // the cursor and the array of the keys are items, too
            ),
            Self::Several(count, shapes) => {
                let items: Vec<_> = shapes.iter().map(|shape| shape.words()).collect();
                format!("an array of {count}, each {}", items.join(" and "))
            }
        }
    }
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Self {
            buffer: Box::default(),
            at: 0,
            end: 0,
            looked_at: 0,
            arrays: Vec::new(),
            text: None,
            limits: None,
        }
    }

    /// Whether nothing came after the last reply.
    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.end
    }

    /// The next reply. After a failure of `source` it can be asked for again; after a
    /// refusal nobody knows any more where the next one begins.
    pub(crate) fn next(
        &mut self,
        expected: &Expected,
        source: &mut impl Read,
    ) -> Result<Value, Failure> {
        let shape = expected.shape;
        let mut limits = self.limits.take().unwrap_or_else(|| shape.limits());
        let found = self.read(&mut limits, source);
        match found {
            Ok(reply) if shape.admits(&reply) => Ok(reply),
            Ok(reply) => Err(unexpected(expected, &kind_of(&reply))),
            Err(Failure::Refused(what)) if what != NO_REPLY => Err(unexpected(expected, &what)),
            Err(failure) => {
                self.limits = Some(limits); // for when it goes on
                Err(failure)
            }
        }
    }

    fn read(&mut self, limits: &mut Limits, source: &mut impl Read) -> Result<Value, Failure> {
        loop {
            let mut value = match &mut self.text {
                Some(_) => self.read_text(source)?,
                None => match self.begin(limits, source)? {
                    Some(value) => value,
                    None => continue,
                },
            };
            // It may be the last item of an array, which may be the last one of another.
            loop {
                let Some(array) = self.arrays.last_mut() else {
                    return Ok(value);
                };
                array.items.push(value);
                array.missing -= 1;
                if array.missing > 0 {
                    break;
                }
                let items = self.arrays.pop().map(|array| array.items);
                value = Value::Array(items.unwrap_or_default());
            }
        }
    }

    /// What a line says by itself; none if it begins something longer.
    fn begin(
        &mut self,
        limits: &mut Limits,
        source: &mut impl Read,
    ) -> Result<Option<Value>, Failure> {
        let is_item = !self.arrays.is_empty();
        let line = self.read_line(source)?;
        let (kind, rest) = line.split_first().ok_or_else(|| refused(NO_REPLY))?;
        match kind {
            b'+' if rest == b"OK" => Ok(Some(Value::Okay)),
            b'+' => Ok(Some(Value::SimpleString(lossy(rest, STATUS)))),
            b'-' if is_item => error_of(rest, ITEMS_ERROR).map(Some),
            b'-' => error_of(rest, ERROR).map(Some),
            b':' => number(rest).map(|number| Some(Value::Int(number))),
            b'$' => {
                let Some(length) = length(rest)? else {
                    return Ok(Some(Value::Nil));
                };
                if length > limits.bytes {
                    return Err(refused(&format!("a string of {length} bytes")));
                }
                limits.bytes -= length;
                let mut bytes = Vec::new();
                bytes.try_reserve_exact(length).map_err(|_| {
                    refused(&format!("{length} bytes, for which there is no memory"))
                })?;
                self.text = Some(Text { bytes, length });
                Ok(None)
            }
            b'*' => {
                let count = length(rest)?.ok_or_else(|| refused("an array that is nil"))?;
                let depth = self.arrays.len() + 1;
                if depth > MAX_DEPTH.min(limits.depth) || count > limits.items {
                    return Err(refused(&format!("an array of {count}")));
                }
                limits.items -= count;
                if count == 0 {
                    return Ok(Some(Value::Array(Vec::new())));
                }
                self.arrays.push(Items {
                    items: Vec::new(),
                    missing: count,
                });
                Ok(None)
            }
            _ => Err(refused(NO_REPLY)),
        }
    }

    /// The next line, without its end.
    fn read_line(&mut self, source: &mut impl Read) -> Result<&[u8], Failure> {
        loop {
            let unread = &self.buffer[self.at..self.end];
            let end = unread[self.looked_at..]
                .windows(2)
                .position(|two| two == b"\r\n")
                .map(|position| self.looked_at + position);
            if let Some(end) = end.filter(|&end| end <= MAX_LINE) {
                let begin = self.at;
                self.at += end + 2;
                self.looked_at = 0;
                return Ok(&self.buffer[begin..begin + end]);
            }
            if unread.len() > MAX_LINE {
                return Err(refused("a line without an end"));
            }
            self.looked_at = unread.len().saturating_sub(1);
            self.read_ahead(source)?;
        }
    }

    /// The string that was begun, and the end of its line.
    fn read_text(&mut self, source: &mut impl Read) -> Result<Value, Failure> {
        loop {
            let Some(text) = &mut self.text else {
                return Err(refused(NO_REPLY));
            };
            let missing = text.length - text.bytes.len();
            let unread = &self.buffer[self.at..self.end];
            let ready = missing.min(unread.len());
            text.bytes.extend_from_slice(&unread[..ready]);
            self.at += ready;
            if ready == missing {
                break;
            }
            if missing - ready < READ_AHEAD {
                self.read_ahead(source)?;
            } else {
                text.read_piece(source)?;
            }
        }
        while self.end - self.at < 2 {
            self.read_ahead(source)?;
        }
        if !self.buffer[self.at..self.end].starts_with(b"\r\n") {
            return Err(refused("a string that is longer than it says"));
        }
        self.at += 2;
        let bytes = self.text.take().map(|text| text.bytes);
        Ok(Value::BulkString(bytes.unwrap_or_default()))
    }

    /// More into the buffer.
    fn read_ahead(&mut self, source: &mut impl Read) -> Result<(), Failure> {
        if self.buffer.is_empty() {
            self.buffer = vec![0; READ_AHEAD].into();
        }
        self.buffer.copy_within(self.at..self.end, 0);
        (self.at, self.end) = (0, self.end - self.at);
        // No line is so long that there is no room.
        let read = source.read(&mut self.buffer[self.end..]);
        self.end += *read.as_ref().unwrap_or(&0);
        came(read)
    }
}

impl Text {
    /// Straight to where it belongs.
    fn read_piece(&mut self, source: &mut impl Read) -> Result<(), Failure> {
        let filled = self.bytes.len();
        let piece = PIECE.min(self.length - filled);
        self.bytes.resize(filled + piece, 0);
        let read = source.read(&mut self.bytes[filled..]);
        self.bytes.truncate(filled + *read.as_ref().unwrap_or(&0));
        came(read)
    }
}

fn came(read: io::Result<usize>) -> Result<(), Failure> {
    match read {
        Ok(0) => Err(Failure::Io(ErrorKind::UnexpectedEof.into())),
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::Io(error)),
    }
}

fn refused(what: &str) -> Failure {
    Failure::Refused(what.to_owned())
}

fn unexpected(expected: &Expected, what: &str) -> Failure {
    let (command, wanted) = (expected.command, expected.shape.words());
    Failure::Refused(format!(
        "an unexpected reply to {command}: {what}, not {wanted}"
    ))
}

/// Shows no text of a reply, which may be anything.
fn kind_of(reply: &Value) -> String {
    match reply {
        Value::Nil => "nil".to_owned(),
        Value::Okay => "OK".to_owned(),
        Value::Int(number) => format!("the integer {number}"),
        Value::BulkString(bytes) => format!("a string of {} bytes", bytes.len()),
        Value::Array(items) => format!("an array of {}", items.len()),
        _ => "a status".to_owned(),
    }
}

fn lossy(bytes: &[u8], length: usize) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .take(length)
        .collect()
}

/// By the library, which knows the codes. The words that a server repeats are left out:
/// there may be a value among them.
fn error_of(line: &[u8], length: usize) -> Result<Value, Failure> {
    let text = lossy(line, length);
    let own = text.split(", with args beginning with:").next();
    let line = format!(
        "-{}\r\n",
        own.unwrap_or_default().replace(['\r', '\n'], " ")
    );
    redis::parse_redis_value(line.as_bytes()).map_err(|_| refused(NO_REPLY))
}

fn number(digits: &[u8]) -> Result<i64, Failure> {
    let number = str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| refused("an integer that is none"))
}

/// None for nil.
fn length(digits: &[u8]) -> Result<Option<usize>, Failure> {
    let number = number(digits)?;
    match usize::try_from(number) {
        Ok(length) => Ok(Some(length)),
        Err(_) if number == -1 => Ok(None),
        Err(_) => Err(refused(&format!("a length of {number}"))),
    }
}
