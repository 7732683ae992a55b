//! Compare-and-set on the server: the one thing that takes a script (C3).

use redis::Script;
use std::sync::LazyLock;

/// `KEYS[1]`; `ARGV`: what the key has to hold (`absent`, `free`,
/// `seen`, `is`, `is not`, `lease`), the tag
/// for the last three as the header has it or an integer's digits (for `seen` the whole
/// header), the expiry (``,
/// `keep`, or milliseconds), and the new string (none to remove the key).
///
/// Answers 1, 0 if there was nothing to remove, or -1 if the condition does not
/// hold. What is not ours counts as nothing; so does a lease, except
/// that where one is nothing is free.
pub(crate) const COMPARE_AND_SET: &str = r"local head = redis.pcall('GETRANGE', KEYS[1], 0, 23)
local tag, is_lease = '', false
if type(head) == 'string' then
  if #head == 24 and string.sub(head, 1, 4) == '\204\172\225\1' then
    tag = string.sub(head, 9, 24)
    is_lease = string.byte(head, 7) == 4
  elseif string.match(head, '^%-?%d+$') then
    tag = head
  end
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
  local count = redis.call('DEL', KEYS[1])
  if is_lease and ARGV[1] ~= 'lease' then return 0 end
  return count
end
if ARGV[3] == 'keep' then redis.call('SET', KEYS[1], ARGV[4], 'KEEPTTL')
elseif ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[4])
else redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[3]) end
return 1
";

/// What `EVALSHA` calls it.
pub(crate) fn compare_and_set_hash() -> &'static str {
    static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(COMPARE_AND_SET));
    SCRIPT.get_hash()
}
