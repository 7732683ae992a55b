//! Core outcomes and bad arguments as exceptions. The classes and their words
//! are Ruby's (`lib/ccache/errors.rb`); this is the one place that raises them.

use crate::handle::Live;
use ccache_core::remote::{RemoteError, Server};
use magnus::{Error, ExceptionClass, IntoValue, Module, RModule, Ruby, Value, value::ReprValue};
use magnus::{Exception, TryConvert};

/// `Ccache::<class>.for(argument)`, an exception whose message shows the argument.
#[cold]
fn about(ruby: &Ruby, class: &str, argument: Value) -> Error {
    let exception = ruby
        .class_object()
        .const_get::<_, RModule>("Ccache")
        .and_then(|ccache| ccache.const_get::<_, ExceptionClass>(class))
        .and_then(|class| class.funcall::<_, _, Value>("for", (argument,)))
        .and_then(Exception::try_convert);
    match exception {
        Ok(exception) => exception.into(),
        Err(error) => error,
    }
}

#[cold]
pub(crate) fn invalid_key(key: Value) -> Error {
    about(&Ruby::get_with(key), "InvalidKey", key)
}

#[cold]
pub(crate) fn invalid_etag(etag: Value) -> Error {
    about(&Ruby::get_with(etag), "InvalidEtag", etag)
}

#[cold]
pub(crate) fn closed(store: Value) -> Error {
    about(&Ruby::get_with(store), "ClosedError", store)
}

#[cold]
pub(crate) fn not_shareable(live: &Live<'_>, value: Value) -> Error {
    about(&live.ruby(), "NotShareable", value)
}

#[cold]
pub(crate) fn foreign_pin(live: &Live<'_>) -> Error {
    let ruby = live.ruby();
    let message = "an entry's pin belongs to another store: please report this bug";
    Error::new(ruby.exception_fatal(), message.to_string())
}

/// What went wrong with the server, at which key.
#[cold]
pub(crate) fn remote(ruby: &Ruby, error: &RemoteError, server: &Server, key: Value) -> Error {
    let kind = match error {
        RemoteError::Connection(_) | RemoteError::Refused { .. } => "ConnectionError",
        RemoteError::Timeout(_) => "TimeoutError",
        RemoteError::Codec(_) => "CodecError",
        RemoteError::Closed => return about(ruby, "ClosedError", ruby.qnil().as_value()),
        _ => "ServerError",
    };
    let exception = ruby
        .class_object()
        .const_get::<_, RModule>("Ccache")
        .and_then(|ccache| ccache.const_get::<_, ExceptionClass>(kind))
        .and_then(|class| {
            let message = error.to_string();
            let (is_retriable, is_refusal) = (error.is_retriable(), error.is_refusal());
            let about = (message, server.to_string(), key, is_retriable, is_refusal);
            class.funcall::<_, _, Value>("for", about)
        })
        .and_then(Exception::try_convert);
    match exception {
        Ok(exception) => exception.into(),
        Err(error) => error,
    }
}

/// A file of `ssl_params:` that is not what it should be.
#[cold]
pub(crate) fn invalid_file(ruby: &Ruby, name: &str, error: &RemoteError) -> Error {
    let class = ruby
        .class_object()
        .const_get::<_, RModule>("Ccache")
        .and_then(|ccache| ccache.const_get::<_, ExceptionClass>("InvalidOption"));
    let what = if name == "key" {
        "a private key"
    } else {
        "certificates"
    };
    match class {
        Ok(class) => Error::new(
            class,
            format!("{name}: takes a PEM file of {what}: {error}"),
        ),
        Err(error) => error,
    }
}

#[cold]
pub(crate) fn no_thread(ruby: &Ruby, error: &std::io::Error) -> Error {
    let message = format!("cannot start the reaper thread of ccache: {error}");
    of_class(ruby, "ThreadError", message)
}

#[cold]
pub(crate) fn no_bell(ruby: &Ruby, error: &std::io::Error) -> Error {
    let message = format!("cannot make sockets for the thread of on_evict: {error}");
    of_class(ruby, "IOError", message)
}

fn of_class(ruby: &Ruby, class: &str, message: String) -> Error {
    match ruby.class_object().const_get::<_, ExceptionClass>(class) {
        Ok(class) => Error::new(class, message),
        Err(error) => error,
    }
}

/// A wrong number of arguments, in Ruby's own words.
#[cold]
pub(crate) fn wrong_arity(ruby: &Ruby, given: usize, expected: &str) -> Error {
    let message = format!("wrong number of arguments (given {given}, expected {expected})");
    Error::new(
        ruby.exception_arg_error(),
        message.into_value_with(ruby).to_string(),
    )
}
