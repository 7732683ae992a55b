//! Ruby arguments as the core's types.

use crate::errors;
use ccache_core::{Condition, Etag, Lifetime};
use magnus::rb_sys::AsRawValue;
use magnus::value::ReprValue;
use magnus::{Error, Integer, RArray, RString, Ruby, Symbol, TryConvert, Value};
use rb_sys::VALUE;

/// The bytes of a key: a String's, or those of a Symbol's name.
///
/// A borrow of Ruby's memory, valid as long as no Ruby code runs; so it is made
/// right before the call into the core, and is not `Send`.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    string: VALUE,
}

impl Key {
    #[inline]
    pub(crate) fn new(value: Value) -> Result<Self, Error> {
        let raw = value.as_raw();
        // SAFETY: `value` is an argument of the running method, so alive, and the
        // GVL is held. `rb_sym2str` neither allocates nor raises; the symbol
        // keeps its name's string alive.
        unsafe {
            if !rb_sys::SPECIAL_CONST_P(raw)
                && rb_sys::RB_BUILTIN_TYPE(raw) == rb_sys::ruby_value_type::RUBY_T_STRING
            {
                Ok(Self { string: raw })
            } else if rb_sys::RB_SYMBOL_P(raw) {
                Ok(Self {
                    string: rb_sys::rb_sym2str(raw),
                })
            } else {
                Err(errors::invalid_key(value))
            }
        }
    }

    /// # Safety
    ///
    /// The argument that the key was made of is still on the stack of the
    /// running method, and no Ruby code runs as long as the slice is used.
    #[inline]
    pub(crate) unsafe fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: a live String (caller) whose bytes nobody changes: that takes
        // Ruby code, or the GVL.
        unsafe {
            std::slice::from_raw_parts(
                rb_sys::RSTRING_PTR(self.string).cast(),
                rb_sys::RSTRING_LEN(self.string) as usize,
            )
        }
    }
}

/// A copy of a key's bytes.
pub(crate) fn key_bytes(value: Value) -> Result<Vec<u8>, Error> {
    let key = Key::new(value)?;
    // SAFETY: `value` is this function's own argument; no Ruby code runs.
    Ok(unsafe { key.bytes() }.to_vec())
}

/// A copy of a String's bytes.
pub(crate) fn string_bytes(string: RString) -> Vec<u8> {
    // SAFETY: `string` is this function's own argument; no Ruby code runs.
    unsafe { string.as_slice() }.to_vec()
}

/// A caller's etag.
pub(crate) fn etag(value: Value) -> Result<Etag, Error> {
    let text = RString::from_value(value).ok_or_else(|| errors::invalid_etag(value))?;
    // SAFETY: an argument of the running method; parsed before Ruby runs again.
    Etag::parse(unsafe { text.as_slice() }).ok_or_else(|| errors::invalid_etag(value))
}

/// `nil` or a caller's etag.
pub(crate) fn optional_etag(value: Value) -> Result<Option<Etag>, Error> {
    if value.is_nil() {
        Ok(None)
    } else {
        etag(value).map(Some)
    }
}

/// How the face says on what a write depends: `true` on nothing, `nil` on there
/// being no entry, an etag on that one, an etag in an Array on there being no such
/// one, an Integer on that lease.
pub(crate) fn condition(value: Value) -> Result<Condition, Error> {
    let ruby = Ruby::get_with(value);
    if value.is_nil() {
        Ok(Condition::IfAbsent)
    } else if value.as_raw() == ruby.qtrue().as_raw() {
        Ok(Condition::Always)
    } else if Integer::from_value(value).is_some() {
        u64::try_convert(value).map(Condition::IfLeased)
    } else if let Some(unwanted) = RArray::from_value(value) {
        etag(unwanted.entry(0)?).map(Condition::IfNoneMatch)
    } else {
        etag(value).map(Condition::IfMatch)
    }
}

/// How the face says how long an entry lives: `nil` for ever, `:kept` as long as
/// the one it replaces, `:inherited` as the store's default says, an Integer so
/// many nanoseconds.
pub(crate) fn lifetime(value: Value, default: Lifetime) -> Result<Lifetime, Error> {
    if value.is_nil() {
        Ok(Lifetime::Unlimited)
    } else if let Some(name) = Symbol::from_value(value) {
        Ok(if name.name()? == "kept" {
            Lifetime::Kept
        } else {
            default
        })
    } else {
        u64::try_convert(value).map(Lifetime::For)
    }
}

/// The bytes of a String that nobody can change any more, usable without the GVL.
///
/// They are those of a frozen String (the argument's own, shared, or copied by
/// Ruby), which this value keeps on the machine stack: so it is neither freed nor
/// moved for as long as the value lives.
pub(crate) struct FrozenBytes {
    string: RString,
}

impl FrozenBytes {
    pub(crate) fn new(string: RString) -> Result<Self, Error> {
        magnus::rb_sys::protect(|| {
            // SAFETY: the GVL is held and `string` is a live String; what is
            // raised is caught by `protect`.
            unsafe { rb_sys::rb_str_new_frozen(string.as_raw()) }
        })
        .map(crate::typed_data::from_raw)
        .and_then(RString::try_convert)
        .map(|string| Self { string })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: see the type; the borrow ends before the String leaves the stack.
        unsafe { self.string.as_slice() }
    }
}

impl Drop for FrozenBytes {
    fn drop(&mut self) {
        // The String is on the stack until here, whatever the optimizer thinks.
        std::hint::black_box(&self.string);
    }
}
