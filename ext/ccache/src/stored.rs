//! What an entry holds: an object in a pin slot, an immediate, or bytes.

use crate::handle::{Live, PinHandle};
use crate::methods::face;
use crate::pin_list::PinList;
use crate::typed_data::from_raw;
use ccache_core::HeapBytes;
use magnus::error::ErrorType;
use magnus::rb_sys::AsRawValue;
use magnus::value::ReprValue;
use magnus::{Error, RString, Value};
use rb_sys::VALUE;
use std::sync::Arc;

/// A cached value.
#[derive(Debug)]
pub enum Stored {
    /// An object that the GC never frees or moves: nil, true, false, small
    /// integers, floats without a heap object, static symbols.
    Immediate(Immediate),
    /// Any other object.
    Pinned(PinHandle),
    /// An encoded value (`values: :fresh`).
    Encoded(Encoded),
}

/// An encoded value, and who encoded it: nobody else can decode it.
#[derive(Debug, Clone)]
pub struct Encoded {
    bytes: Arc<[u8]>,
    by: Encoder,
}

/// Who encodes what a store keeps as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoder {
    /// Ruby's `Marshal`, in a store without a server.
    Marshal,
    /// The store's coder: memory keeps what went to the server.
    Coder,
}

/// The bits of an immediate: a VALUE that refers to no object.
#[derive(Debug, Clone, Copy)]
pub struct Immediate(usize);

impl Immediate {
    fn new(value: Value) -> Option<Self> {
        let raw = value.as_raw();
        rb_sys::SPECIAL_CONST_P(raw).then_some(Self(raw as usize))
    }

    fn value(self) -> Value {
        from_raw(self.0 as VALUE)
    }
}

/// A stored value as a reader takes it out from under the map's lock.
pub(crate) enum Taken {
    /// The object itself.
    Object(Value),
    /// The bytes, still to be decoded.
    Encoded(Encoded),
    /// A pin of another store: a bug of ours, answered with an error.
    Foreign,
}

impl Stored {
    /// Keeps `object` alive. May allocate in Ruby (see [`PinList::pin`]).
    pub(crate) fn object(live: &Live<'_>, object: Value) -> Result<Self, Error> {
        match Immediate::new(object) {
            Some(immediate) => Ok(Self::Immediate(immediate)),
            None => PinList::pin(live, object).map(Self::Pinned),
        }
    }

    /// Copies the bytes of `encoded`.
    pub(crate) fn encoded(encoded: RString, by: Encoder) -> Self {
        // SAFETY: the string is an argument of the running method, and no Ruby
        // code runs before the bytes are copied.
        let bytes = unsafe { encoded.as_slice() }.into();
        Self::Encoded(Encoded { bytes, by })
    }

    /// The value for a reader. Calls no Ruby: made for the inside of the map's lock.
    #[inline]
    pub(crate) fn take(&self, live: &Live<'_>) -> Taken {
        match self {
            Self::Immediate(immediate) => Taken::Object(immediate.value()),
            Self::Pinned(handle) => match handle.root(live) {
                Some(rooted) => Taken::Object(rooted.value()),
                None => Taken::Foreign,
            },
            Self::Encoded(encoded) => Taken::Encoded(encoded.clone()),
        }
    }
}

impl Taken {
    /// The object, decoded if need be. No lock of ours may be held. `key` is for an error.
    #[inline]
    pub(crate) fn into_object(self, live: &Live<'_>, key: Value) -> Result<Value, Error> {
        match self {
            Self::Object(object) => Ok(object),
            Self::Encoded(encoded) => encoded.decode(live, key),
            Self::Foreign => Err(crate::errors::foreign_pin(live)),
        }
    }
}

impl Encoded {
    #[cold]
    fn decode(self, live: &Live<'_>, key: Value) -> Result<Value, Error> {
        self.into_undecoded(live).decode(live, key)
    }

    /// The bytes as a Ruby String: Ruby owns them while it decodes, no frame of ours.
    pub(crate) fn into_undecoded(self, live: &Live<'_>) -> Undecoded {
        Undecoded {
            bytes: live.ruby().str_from_slice(&self.bytes),
            by: self.by,
        }
    }
}

/// An encoded value that Ruby owns.
#[derive(Clone, Copy)]
pub(crate) struct Undecoded {
    pub(crate) bytes: RString,
    pub(crate) by: Encoder,
}

impl Undecoded {
    /// The one way to decode. It may run any Ruby code and raise anything, may never come back
    /// (a fiber that is left) or come back twice (a continuation): so no lock of ours is held
    /// (G4), and no frame above owns anything that its end would drop.
    pub(crate) fn decode(self, live: &Live<'_>, key: Value) -> Result<Value, Error> {
        match self.by {
            Encoder::Marshal => unmarshal(live, self.bytes, key),
            Encoder::Coder => face(live.object(), c"_decode", &[self.bytes.as_value(), key]),
        }
    }
}

/// `Marshal.load`. What it raises becomes the face's error about `key`.
fn unmarshal(live: &Live<'_>, encoded: RString, key: Value) -> Result<Value, Error> {
    let loaded = magnus::rb_sys::protect(|| {
        // SAFETY: the GVL is held (`live`), `protect` catches what is raised, and
        // no lock of ours is held (G4).
        unsafe { rb_sys::rb_marshal_load(encoded.as_raw()) }
    });
    loaded.map(from_raw).or_else(|error| {
        let ErrorType::Exception(exception) = error.error_type() else {
            return Err(error); // a `throw` or a kill
        };
        let exception = exception.as_value();
        face(live.object(), c"_undecoded", &[exception, key])
    })
}

impl HeapBytes for Stored {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Immediate(_) | Self::Pinned(_) => 0,
            Self::Encoded(Encoded { bytes, .. }) => 2 * size_of::<usize>() + bytes.len(),
        }
    }
}
