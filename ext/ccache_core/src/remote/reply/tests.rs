//! Bytes, in pieces of any size, and what is made of them.

#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

const ANY: Shape = Shape::Integer(i64::MIN, i64::MAX);
const SHAPES: [Shape; 8] = [
    Shape::Okay,
    Shape::OkayOrNil,
    Shape::Queued,
    ANY,
    Shape::Text(24),
    Shape::Text(1 << 20),
    Shape::Scanned,
    Shape::Several(4, &[Shape::Text(24), Shape::Integer(0, 1)]),
];

/// Gives pieces, one at a time; between them and after the last one nothing is there.
struct Pieces(VecDeque<Vec<u8>>);

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut piece) = self.0.pop_front() else {
            return Err(ErrorKind::WouldBlock.into());
        };
        let count = piece.len().min(buffer.len());
        buffer[..count].copy_from_slice(&piece[..count]);
        if count < piece.len() {
            self.0.push_front(piece.split_off(count));
        }
        Ok(count)
    }
}

/// Cut into pieces of these sizes, in turn.
fn cut(bytes: &[u8], sizes: &[usize]) -> Pieces {
    let mut rest = bytes;
    let mut pieces = VecDeque::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, others) = rest.split_at((*size).min(rest.len()));
        pieces.push_back(piece.to_vec());
        rest = others;
    }
    Pieces(pieces)
}

/// The bytes that a decoder keeps.
fn kept(decoder: &Decoder) -> usize {
    let of_items: usize = decoder
        .arrays
        .iter()
        .map(|array| size_of_all(&array.items))
        .sum();
    let of_text = decoder
        .text
        .as_ref()
        .map_or(0, |text| text.bytes.capacity());
    decoder.buffer.len() + of_items + of_text
}

fn size_of_all(items: &[Value]) -> usize {
    items.iter().map(size_of_value).sum()
}

fn size_of_value(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::BulkString(bytes) => bytes.capacity(),
            Value::Array(items) => size_of_all(items),
            Value::SimpleString(text) => text.capacity(),
            _ => 0,
        }
}

fn all(shape: Shape, mut pieces: Pieces) -> Result<Value, Failure> {
    let mut decoder = Decoder::new();
    let expected = Expected::new("COMMAND", shape);
    loop {
        match decoder.next(&expected, &mut pieces) {
            Err(Failure::Io(_)) if !pieces.0.is_empty() => {}
            outcome => {
                assert!(outcome.is_err() || decoder.is_empty());
                return outcome;
            }
        }
    }
}

fn refusal(shape: Shape, bytes: &[u8]) -> String {
    match all(shape, cut(bytes, &[7])) {
        Err(Failure::Refused(what)) => what,
        other => panic!("{other:?}"),
    }
}

/// A reply of this shape, as the server sends it.
fn reply_of(shape: Shape) -> BoxedStrategy<Vec<u8>> {
    let bulk =
        |bytes: Vec<u8>| [format!("${}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat();
    match shape {
        Shape::Okay => Just(b"+OK\r\n".to_vec()).boxed(),
        Shape::OkayOrNil => {
            prop_oneof![Just(b"+OK\r\n".to_vec()), Just(b"$-1\r\n".to_vec())].boxed()
        }
        Shape::Queued => Just(b"+QUEUED\r\n".to_vec()).boxed(),
        Shape::Integer(least, most) => (least..=most)
            .prop_map(|number| format!(":{number}\r\n").into_bytes())
            .boxed(),
        Shape::Text(length) => prop::collection::vec(any::<u8>(), 0..=length.min(100_000))
            .prop_map(bulk)
            .boxed(),
        Shape::Scanned => prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..50)
            .prop_map(move |keys| {
                let head = format!("*2\r\n$2\r\n17\r\n*{}\r\n", keys.len()).into_bytes();
                keys.into_iter()
                    .fold(head, |all, key| [all, bulk(key)].concat())
            })
            .boxed(),
        Shape::Several(count, shapes) => {
            let each = shapes
                .iter()
                .cycle()
                .take(count)
                .map(|shape| reply_of(*shape));
            each.collect::<Vec<_>>()
                .prop_map(move |items| {
                    [format!("*{count}\r\n").into_bytes(), items.concat()].concat()
                })
                .boxed()
        }
    }
}

fn shape_and_reply() -> impl Strategy<Value = (Shape, Vec<u8>)> {
    prop::sample::select(&SHAPES[..]).prop_flat_map(|shape| (Just(shape), reply_of(shape)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_reply_is_what_the_library_makes_of_it_however_it_is_cut(
        (shape, bytes) in shape_and_reply(),
        sizes in prop::collection::vec(1_usize..5000, 1..5),
    ) {
        let reply = all(shape, cut(&bytes, &sizes));
        prop_assert_eq!(reply.unwrap(), redis::parse_redis_value(&bytes).unwrap());
    }

    #[test]
    fn no_bytes_make_a_decoder_keep_more_than_it_was_told(
        shape in prop::sample::select(&SHAPES[..]),
        begin in prop::sample::select(&[
            "", "*2\r\n", "*4\r\n", "*2\r\n$1\r\n0\r\n*32766\r\n", "*1\r\n*1\r\n", "$24\r\n", "$1048576\r\n",
            "$9223372036854775807\r\n", "*2147483647\r\n", "-", "+", "%1\r\n", "=10\r\n", ":",
        ][..]),
        more in prop::sample::select(&["$0\r\n\r\n", ":1\r\n", "x", "*1\r\n", "-E\r\n", "+O\r\n", "\r\n", "\0"][..]),
        times in 0_usize..40_000,
        noise in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let bytes = [begin.as_bytes(), more.repeat(times).as_bytes(), &noise].concat();
        let mut pieces = cut(&bytes, &[1000]);
        let mut decoder = Decoder::new();
        let expected = Expected::new("COMMAND", shape);
        let limits = shape.limits();
        let most = READ_AHEAD + limits.bytes + (limits.items + 1) * (size_of::<Value>() + 120);
        while !pieces.0.is_empty() {
            let outcome = decoder.next(&expected, &mut pieces);
            prop_assert!(kept(&decoder) <= most);
            if let Err(Failure::Refused(_)) = outcome {
                break;
            }
        }
    }
}

#[test]
fn what_is_too_long_too_deep_or_too_many_is_refused_as_soon_as_it_is_said() {
    let cases: [(Shape, &[u8], &str); 11] = [
        (
            Shape::Text(24),
            b"$25\r\n",
            "a string of 25 bytes, not a string of at most 24 bytes",
        ),
        (
            Shape::Text(24),
            b"$9223372036854775807\r\n",
            "a string of 9223372036854775807 bytes",
        ),
        (
            Shape::Text(24),
            b"$9223372036854775808\r\n",
            "an integer that is none",
        ),
        (Shape::Text(24), b"$-2\r\n", "a length of -2"),
        (Shape::Text(24), b"*1\r\n", "an array of 1, not a string"),
        (Shape::Okay, b"$2\r\n", "a string of 2 bytes, not OK"),
        (ANY, b"*0\r\n", "an array of 0, not an integer"),
        (
            Shape::Scanned,
            b"*2147483647\r\n",
            "an array of 2147483647, not a cursor",
        ),
        (
            Shape::Scanned,
            b"*2\r\n*1\r\n*1\r\n",
            "an array of 1, not a cursor",
        ),
        (
            Shape::Several(2, &[ANY]),
            b"*3\r\n",
            "an array of 3, not an array of 2",
        ),
        (
            Shape::Several(2, &[ANY]),
            b"*2\r\n*1\r\n",
            "an array of 1, not an array of 2",
        ),
    ];
    for (shape, bytes, words) in cases {
        let refusal = refusal(shape, bytes);
        assert!(
            refusal.starts_with("an unexpected reply to COMMAND: "),
            "{refusal}"
        );
        assert!(refusal.contains(words), "{refusal}");
    }
}

#[test]
fn what_is_not_resp2_is_not_read() {
    for bytes in [
        "%1\r\n",
        ">1\r\n",
        "=10\r\n",
        "(1\r\n",
        "_\r\n",
        ",1\r\n",
        "\r\n",
        "HTTP/1.1 400\r\n",
    ] {
        assert_eq!(refusal(Shape::Okay, bytes.as_bytes()), NO_REPLY);
    }
}

#[test]
fn a_nested_reply_takes_no_stack() {
    let nested = [b"*1\r\n".repeat(1_000_000), b":1\r\n".to_vec()].concat();
    for shape in SHAPES {
        assert!(refusal(shape, &nested).contains("an array of 1"));
    }
}

#[test]
fn what_a_server_repeats_of_a_command_is_not_kept() {
    let line = "-ERR unknown command 'SET', with args beginning with: 'ns:a' 'a secret' \r\n";
    let Value::ServerError(error) = all(Shape::Okay, cut(line.as_bytes(), &[9])).unwrap() else {
        panic!("no error");
    };
    assert_eq!(error.details(), Some("unknown command 'SET'"));
}

#[test]
fn of_a_long_error_the_beginning_is_kept_and_of_an_endless_one_nothing() {
    let line = |length| [b"-OOM ".to_vec(), b"x".repeat(length), b"\r\n".to_vec()].concat();
    let Value::ServerError(error) = all(Shape::Okay, cut(&line(4000), &[9])).unwrap() else {
        panic!("no error");
    };
    assert_eq!(
        (error.code(), error.details().unwrap().len()),
        ("OOM", ERROR - 4)
    );
    assert!(refusal(Shape::Okay, &line(5000)).contains("a line without an end"));
}
