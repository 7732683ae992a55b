//! What takes a script on the server: what has to look and act in one step (C3).
//!
//! Each looks with `pcall` and gives an error back as it is, with the command's name:
//! one that the server refuses is neither "nothing there" nor done. None writes more
//! than once before it may be refused, so what fails has done nothing.

use std::sync::LazyLock;

/// One script.
pub(crate) struct Script {
    pub(crate) source: &'static str,
    hash: &'static LazyLock<String>,
}

macro_rules! script {
    ($source:expr) => {{
        static HASH: LazyLock<String> =
            LazyLock::new(|| redis::Script::new($source).get_hash().to_owned());
        Script {
            source: $source,
            hash: &HASH,
        }
    }};
}

impl Script {
    pub(crate) const COMPARE_AND_SET: Self = script!(COMPARE_AND_SET);
    pub(crate) const DELETE: Self = script!(DELETE);
    pub(crate) const INCREMENT: Self = script!(INCREMENT);

    /// What `EVALSHA` calls it.
    pub(crate) fn hash(&self) -> &str {
        self.hash
    }
}

/// The beginning of all: `ask` gives a reply, or nil and the error to answer with. What
/// is no string is no error.
macro_rules! with_ask {
    ($rest:expr) => {
        concat!(
            r"local function ask(name, ...)
  local reply = redis.pcall(name, ...)
  if type(reply) == 'table' and reply.err then
    if name == 'GETRANGE' and string.find(reply.err, 'WRONGTYPE', 1, true) then return false end
    return nil, { err = reply.err .. ' (' .. name .. ')' }
  end
  return reply
end
local function is_header(head)
  return type(head) == 'string' and #head == 24 and string.sub(head, 1, 4) == '\204\172\225\1'
end
",
            $rest
        )
    };
}

/// `KEYS[1]`; `ARGV`: what the key has to hold (`absent`, `free`,
/// `seen`, `is`, `is not`, `lease`), the tag
/// for the last three as the header has it or an integer's digits (for `seen` the whole
/// header), the expiry (``,
/// `keep`, or milliseconds), and the new string (none to remove the key).
///
/// Answers 1, 0 if there was nothing to remove, or -1 if the condition does not
/// hold. What is not ours counts as nothing; so does a lease, except
/// that where one is nothing is free.
const COMPARE_AND_SET: &str = with_ask!(
    r"local head, failure = ask('GETRANGE', KEYS[1], 0, 23)
if failure then return failure end
local tag, is_lease = '', false
if is_header(head) then
  tag = string.sub(head, 9, 24)
  is_lease = string.byte(head, 7) == 4
elseif head and string.match(head, '^%-?%d+$') then
  tag = head
end
local holds
if ARGV[1] == 'absent' then holds = tag == '' or is_lease
elseif ARGV[1] == 'free' then holds = tag == ''
elseif ARGV[1] == 'seen' then holds = tag == '' or head == ARGV[2]
elseif ARGV[1] == 'lease' then holds = is_lease and tag == ARGV[2]
elseif ARGV[1] == 'is' then holds = tag == ARGV[2] and not is_lease
else holds = tag ~= ARGV[2] or is_lease end
if not holds then return -1 end
if not ARGV[4] then
  local count, failure = ask('DEL', KEYS[1])
  if failure then return failure end
  if is_lease and ARGV[1] ~= 'lease' then return 0 end
  return count
end
local done, failure
if ARGV[3] == 'keep' then done, failure = ask('SET', KEYS[1], ARGV[4], 'KEEPTTL')
elseif ARGV[3] == '' then done, failure = ask('SET', KEYS[1], ARGV[4])
else done, failure = ask('SET', KEYS[1], ARGV[4], 'PX', ARGV[3]) end
if failure then return failure end
return 1
"
);

/// Removes `KEYS`: for each 1, or 0 if there was nothing but a lease.
const DELETE: &str = with_ask!(
    r"local removed = {}
for index, key in ipairs(KEYS) do
  local head, failure = ask('GETRANGE', key, 0, 23)
  if failure then return failure end
  local count, failure = ask('DEL', key)
  if failure then return failure end
  if is_header(head) and string.byte(head, 7) == 4 then count = 0 end
  removed[index] = count
end
return removed
"
);

/// Adds `ARGV[1]` to `KEYS[1]`, which expires in `ARGV[2]` milliseconds if it is not there:
/// the digits that then stand there, since a script's numbers have no 64 bits.
const INCREMENT: &str = with_ask!(
    r"local left, failure = ask('PTTL', KEYS[1])
if failure then return failure end
if left == -2 then
  local done, failure = ask('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  if failure then return failure end
  return ARGV[1]
end
local head, failure = ask('GETRANGE', KEYS[1], 0, 0)
if failure then return failure end
local count, failure = ask('INCRBY', KEYS[1], ARGV[1])
if failure then return failure end
return redis.call('GETRANGE', KEYS[1], 0, 19)
"
);
