//! Ruby objects that carry a Rust value, with callbacks that Ruby may jump out of.
//!
//! magnus' own wrapping runs the mark function inside `catch_unwind`; a mark
//! function that runs outside a collection (`ObjectSpace`, `make_shareable`) can
//! be left by a Ruby exception, which must not cross such a frame. Here the
//! callbacks are given by the type itself, as plain C functions (G6).

use magnus::rb_sys::{AsRawValue, FromRawValue};
use magnus::{Error, RClass, Ruby, Value, value::ReprValue};
use rb_sys::{
    RTYPEDDATA_GET_DATA, RTYPEDDATA_P, RTYPEDDATA_TYPE, VALUE, rb_data_type_t,
    rb_data_typed_object_wrap, ruby_value_type,
};
use std::ffi::{CStr, c_void};

/// A Ruby type whose objects own a boxed `Self`.
///
/// # Safety
///
/// `TYPE` must be the result of [`data_type`] with callbacks that take a
/// `*mut Self` and obey G6, and no other type may use the same static.
pub(crate) unsafe trait TypedData: Send + Sync + 'static {
    const TYPE: &'static DataType;
}

/// `rb_data_type_t`, which is only ever read.
#[repr(transparent)]
pub(crate) struct DataType(rb_data_type_t);

impl DataType {
    pub(crate) fn as_ptr(&self) -> *const rb_data_type_t {
        &raw const self.0
    }
}

// SAFETY: an immutable table of function pointers and flags.
unsafe impl Sync for DataType {}

/// The callbacks of a type; see Ruby's `doc/extension.rdoc`.
pub(crate) struct Callbacks {
    pub(crate) mark: unsafe extern "C" fn(*mut c_void),
    pub(crate) free: unsafe extern "C" fn(*mut c_void),
    pub(crate) size: unsafe extern "C" fn(*const c_void) -> rb_sys::size_t,
    pub(crate) compact: unsafe extern "C" fn(*mut c_void),
}

/// A type with write barriers, freed during the sweep; `flags` are further
/// `RUBY_TYPED_` flags.
pub(crate) const fn data_type(name: &'static CStr, callbacks: Callbacks, flags: VALUE) -> DataType {
    // SAFETY: all-zero is the documented "absent" for every field of this C struct.
    let mut table: rb_data_type_t = unsafe { std::mem::zeroed() };
    table.wrap_struct_name = name.as_ptr();
    table.function.dmark = Some(callbacks.mark);
    table.function.dfree = Some(callbacks.free);
    table.function.dsize = Some(callbacks.size);
    table.function.dcompact = Some(callbacks.compact);
    table.flags = flags
        | rb_sys::rbimpl_typeddata_flags::RUBY_TYPED_WB_PROTECTED as VALUE
        | rb_sys::rbimpl_typeddata_flags::RUBY_TYPED_FREE_IMMEDIATELY as VALUE;
    DataType(table)
}

/// A new object of `class` that owns `data`.
///
/// On a Ruby exception (no memory) `data` is leaked, not dropped.
pub(crate) fn wrap<T: TypedData>(class: RClass, data: Box<T>) -> Result<Value, Error> {
    let data = Box::into_raw(data).cast::<c_void>();
    magnus::rb_sys::protect(|| {
        // SAFETY: the GVL is held, as magnus' types are proof of; TYPE fits the data by the trait's contract.
        unsafe { rb_data_typed_object_wrap(class.as_raw(), data, T::TYPE.as_ptr()) }
    })
    .map(from_raw)
}

/// The data of `object` if it is one of `T`'s.
///
/// # Safety
///
/// The caller holds the GVL, and keeps `object` reachable for `'a`.
#[inline]
pub(crate) unsafe fn data_of<'a, T: TypedData>(object: Value) -> Option<&'a T> {
    let raw = object.as_raw();
    // SAFETY: `raw` is a live object (caller); the type is compared before the
    // data pointer is believed, and by the trait's contract it is a `*mut T`.
    unsafe {
        let is_ours = !rb_sys::SPECIAL_CONST_P(raw)
            && rb_sys::RB_BUILTIN_TYPE(raw) == ruby_value_type::RUBY_T_DATA
            && RTYPEDDATA_P(raw)
            && std::ptr::eq(RTYPEDDATA_TYPE(raw), T::TYPE.as_ptr());
        if is_ours {
            RTYPEDDATA_GET_DATA(raw).cast::<T>().as_ref()
        } else {
            None
        }
    }
}

/// What [`data_of`] did not find, as a TypeError.
#[cold]
pub(crate) fn wrong_type(object: Value, expected: &str) -> Error {
    let ruby = Ruby::get_with(object);
    // SAFETY: the name is copied into the message before Ruby runs again.
    let class = unsafe { object.classname() }.into_owned();
    Error::new(
        ruby.exception_type_error(),
        format!("expected an initialized {expected}, got {class}"),
    )
}

/// A VALUE as magnus' type.
#[inline]
pub(crate) fn from_raw(value: VALUE) -> Value {
    // SAFETY: `Value` is a VALUE with methods. Every VALUE of this crate comes
    // from Ruby or from a pin slot of a live store (G1).
    unsafe { Value::from_raw(value) }
}
