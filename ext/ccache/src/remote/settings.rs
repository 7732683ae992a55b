//! What the face hands over when a store is opened; it was checked there.

use crate::arguments::string_bytes;
use crate::errors;
use ccache_core::remote::{Address, Compressor, Format, Server, SigningKey, Tls};
use magnus::{Error, RArray, RHash, RString, Ruby, TryConvert, Value};
use std::path::PathBuf;
use std::time::Duration;

/// A Hash with Symbols as keys.
pub(super) struct Settings(pub(super) RHash);

impl Settings {
    pub(super) fn get<T: TryConvert>(&self, name: &str) -> Result<T, Error> {
        let ruby = Ruby::get_with(self.0);
        self.0
            .lookup::<_, Value>(ruby.to_symbol(name))
            .and_then(T::try_convert)
    }

    fn duration(&self, name: &str) -> Result<Duration, Error> {
        self.get(name).map(Duration::from_nanos)
    }

    pub(super) fn server(&self) -> Result<Server, Error> {
        let address = match self.get::<Option<PathBuf>>("path")? {
            Some(path) => Address::Unix(path),
            None => Address::Tcp {
                host: self.get("host")?,
                port: self.get("port")?,
                tls: self.get::<bool>("tls")?.then(|| self.tls()).transpose()?,
            },
        };
        Ok(Server {
            address,
            db: self.get("db")?,
            username: self.get("username")?,
            password: self.get("password")?,
            connect_timeout: self.duration("connect_timeout")?,
            read_timeout: self.duration("read_timeout")?,
            write_timeout: self.duration("write_timeout")?,
        })
    }

    fn tls(&self) -> Result<Tls, Error> {
        let tls = Tls {
            ca_file: self.get("ca_file")?,
            cert: self.get("cert")?,
            key: self.get("key")?,
            accept_any: self.get("accept_any")?,
        };
        let ruby = Ruby::get_with(self.0);
        tls.check()
            .map_err(|(name, error)| errors::invalid_file(&ruby, name, &error))?;
        Ok(tls)
    }

    pub(super) fn format(&self) -> Result<Format, Error> {
        let secrets: RArray = self.get("signing_keys")?;
        let keys = secrets.into_iter().map(|secret| {
            let secret = RString::try_convert(secret)?;
            Ok(SigningKey::derive(&string_bytes(secret)))
        });
        Ok(Format {
            coder: self.get("coder")?,
            compressor: match self.get::<String>("compressor")?.as_str() {
                "zstd" => Compressor::Zstd,
                "lz4" => Compressor::Lz4,
                _ => Compressor::None,
            },
            compress_from: self.get("compress_from")?,
            max_value_bytes: self.get("max_value_bytes")?,
            signing_keys: keys.collect::<Result<_, Error>>()?,
        })
    }
}
