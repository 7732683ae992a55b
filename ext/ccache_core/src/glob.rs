//! Patterns of keys as Redis' `KEYS` and `SCAN` have them: the same keys match here as
//! there (`stringmatchlen` in its util.c), whatever the pattern.

use std::ffi::c_char;

/// How many times a pattern may begin anew behind a `*`: Redis 7.4 and later match
/// nothing beyond that.
const MAX_STARTS: usize = 1000;

/// Whether `key` matches `pattern`. Byte by byte: `?` is one byte.
///
/// In the worst case, this takes as many steps as one length times the other. A part
/// between two `*` stands where it first can; no other place is better for what follows,
/// so that only the last `*` is ever gone back to.
pub fn matches(pattern: &[u8], key: &[u8]) -> bool {
    let (mut pattern, mut key) = (pattern, key);
    let mut starts = 0;
    let mut last_star: Option<(&[u8], &[u8])> = None; // what follows it, and where to try next
    while let Some((&byte, rest)) = key.split_first() {
        if pattern.first() == Some(&b'*') {
            pattern = after_stars(pattern);
            starts += 1;
            if pattern.is_empty() || starts > MAX_STARTS {
                return pattern.is_empty();
            }
            last_star = Some((pattern, rest));
            continue;
        }
        match after_byte(pattern, byte) {
            Some(after) => (pattern, key) = (after, rest),
            None => {
                let Some((after, next)) = &mut last_star else {
                    return false;
                };
                (pattern, key) = (*after, *next);
                *next = next.get(1..).unwrap_or_default();
            }
        }
    }
    after_stars(pattern).is_empty()
}

fn after_stars(pattern: &[u8]) -> &[u8] {
    let stars = pattern.iter().take_while(|&&byte| byte == b'*').count();
    &pattern[stars..]
}

/// What is left of a pattern whose first element, which is no `*`, matches `byte`.
fn after_byte(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (rest, is_match) = match pattern {
        [] => return None,
        [b'?', rest @ ..] => (rest, true),
        [b'[', b'^', rest @ ..] => {
            let (rest, is_member) = look_in_class(rest, byte);
            (rest, !is_member)
        }
        [b'[', rest @ ..] => look_in_class(rest, byte),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (rest, *literal == byte),
    };
    is_match.then_some(rest)
}

/// What follows the class that begins here, and whether `byte` is in it. A class that is
/// not closed ends with the pattern.
fn look_in_class(class: &[u8], byte: u8) -> (&[u8], bool) {
    let mut class = class;
    let mut is_member = false;
    loop {
        let (rest, is_this) = match class {
            [] => return (class, is_member),
            [b'\\', literal, rest @ ..] => (rest, *literal == byte),
            [b']', rest @ ..] => return (rest, is_member),
            [first, b'-', last, rest @ ..] => (rest, is_between(*first, *last, byte)),
            [literal, rest @ ..] => (rest, *literal == byte),
        };
        is_member |= is_this;
        class = rest;
    }
}

/// Whether a byte is in a range, whose ends may stand in either order. Bytes are compared
/// as the machine's C compares its `char`, as the server does: on x86 those above 127 come
/// before the others.
fn is_between(one: u8, other: u8, byte: u8) -> bool {
    #[allow(clippy::cast_possible_wrap, clippy::unnecessary_cast)]
    let [one, other, byte] = [one, other, byte].map(|byte| byte as c_char);
    (one.min(other)..=one.max(other)).contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matching<'a>(pattern: &str, keys: &[&'a str]) -> Vec<&'a str> {
        let is_match = |key: &&&str| matches(pattern.as_bytes(), key.as_bytes());
        keys.iter().filter(is_match).copied().collect()
    }

    #[test]
    fn stars_and_question_marks() {
        let keys = ["", "a", "b", "ab", "ba", "aba", "a*"];
        assert_eq!(matching("*", &keys), keys);
        assert_eq!(matching("", &keys), [""]);
        assert_eq!(matching("a*", &keys), ["a", "ab", "aba", "a*"]);
        assert_eq!(matching("*a", &keys), ["a", "ba", "aba"]);
        assert_eq!(matching("a**b*", &keys), ["ab", "aba"]);
        assert_eq!(matching("?", &keys), ["a", "b"]);
        assert_eq!(matching("?*?", &keys), ["ab", "ba", "aba", "a*"]);
        assert_eq!(matching("a\\*", &keys), ["a*"]);
    }

    #[test]
    fn classes() {
        let keys = ["!", "-", "[", "\\", "]", "^", "a", "b", "c"];
        assert_eq!(matching("[ab]", &keys), ["a", "b"]);
        assert_eq!(
            matching("[^ab]", &keys),
            ["!", "-", "[", "\\", "]", "^", "c"]
        );
        assert_eq!(matching("[!ab]", &keys), ["!", "a", "b"]);
        assert_eq!(matching("[a-b]", &keys), ["a", "b"]);
        assert_eq!(matching("[c-b]", &keys), ["b", "c"]);
        assert_eq!(matching("[a-]", &keys), ["]", "^", "a"]);
        assert_eq!(matching("[a\\]]", &keys), ["]", "a"]);
        assert_eq!(matching("[]", &keys), [""; 0]);
        assert_eq!(matching("[^]", &keys), keys);
        assert_eq!(matching("[]a]", &keys), [""; 0]);
    }

    #[test]
    fn what_is_not_finished() {
        let keys = ["\\", "a", "b", "b\\"];
        assert_eq!(matching("[ab", &keys), ["a", "b"]);
        assert_eq!(matching("[^b", &keys), ["\\", "a"]);
        assert_eq!(matching("[", &keys), [""; 0]);
        assert_eq!(matching("[^", &keys), ["\\", "a", "b"]);
        assert_eq!(matching("[\\", &keys), ["\\"]);
        assert_eq!(matching("b\\", &keys), ["b\\"]);
        assert_eq!(matching("\\", &keys), ["\\"]);
    }

    #[test]
    fn bytes_that_are_no_text() {
        assert!(matches(b"a\0?", b"a\0\xff"));
        assert!(!matches(b"a\0", b"a"));
        assert!(matches("?".repeat(2).as_bytes(), "é".as_bytes()));
        // As the machine's C: its `char` is signed or not.
        let is_signed = c_char::MIN != 0;
        assert_eq!(matches(b"[a-\xff]", b"\xf0"), !is_signed);
        assert_eq!(matches(b"[a-\xff]", b"A"), is_signed);
    }

    #[test]
    fn a_pattern_of_many_stars_neither_recurses_nor_takes_long() {
        let key = vec![b'a'; 10_000];
        assert!(!matches(format!("{}b", "a*".repeat(900)).as_bytes(), &key));
        assert!(!matches(&[b"*a".repeat(900), b"b".to_vec()].concat(), &key));
    }

    #[test]
    fn a_pattern_of_too_many_stars_matches_nothing() {
        let key = vec![b'a'; 3000];
        assert!(matches(&b"*a".repeat(1000), &key));
        assert!(matches(&[b"*a".repeat(1000), b"*".to_vec()].concat(), &key));
        assert!(!matches(&b"*a".repeat(1001), &key));
    }
}
