//! TLS, by rustls.

use crate::remote::error::{RemoteError, shown};
use crate::remote::server::Tls;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, TrustAnchor, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, InconsistentKeys,
    RootCertStore, SignatureScheme,
};
use std::path::Path;
use std::sync::Arc;

/// A connection's client side, before the handshake.
pub(crate) fn client(host: &str, tls: &Tls) -> Result<ClientConnection, RemoteError> {
    let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(&error))?;
    ClientConnection::new(Arc::new(config(tls)?), name).map_err(|error| failed(&error))
}

fn config(tls: &Tls) -> Result<ClientConfig, RemoteError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?;
    let builder = if tls.accept_any {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AcceptAny(Arc::clone(&provider))))
    } else {
        builder.with_root_certificates(roots(tls.ca_file.as_deref())?)
    };
    match (&tls.cert, &tls.key) {
        (Some(cert), Some(key)) => {
            let own = own_key(&provider, certificates(cert)?, private_key(key)?)?;
            Ok(builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own))))
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

impl Tls {
    /// Fails with the name of the first file that is not what it should be, and why.
    pub fn check(&self) -> Result<(), (&'static str, RemoteError)> {
        let of = |name| move |error| (name, error);
        if let Some(file) = &self.ca_file {
            roots(Some(file)).map_err(of("ca_file"))?;
        }
        if let (Some(cert), Some(key)) = (&self.cert, &self.key) {
            let certificates = certificates(cert).map_err(of("cert"))?;
            let key = private_key(key).map_err(of("key"))?;
            let provider = ring::default_provider();
            own_key(&provider, certificates, key).map_err(of("cert"))?;
        }
        Ok(())
    }
}

/// This client's certificates and key, which belong together. Of a certificate that is not
/// of version 3 nobody here can tell.
fn own_key(
    provider: &CryptoProvider,
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, RemoteError> {
    let key = provider.key_provider.load_private_key(key);
    let own = CertifiedKey::new(certificates, key.map_err(|error| failed(&error))?);
    let is_old = || own.cert.first().is_some_and(|one| anchor(one).is_ok());
    match own.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(own),
        Err(rustls::Error::InvalidCertificate(_)) if is_old() => Ok(own),
        Err(error) => Err(failed(&error)),
    }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, RemoteError> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| unreadable(file, &error))
}

/// What a certificate says of its key, also one of X.509 version 1.
fn anchor(certificate: &CertificateDer<'_>) -> Result<TrustAnchor<'static>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone().into_owned())?;
    let bad = rustls::Error::InvalidCertificate(CertificateError::BadEncoding);
    roots.roots.pop().ok_or(bad)
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, RemoteError> {
    let mut roots = RootCertStore::empty();
    let trusted = match ca_file {
        Some(file) => certificates(file)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    roots.add_parsable_certificates(trusted);
    match ca_file {
        Some(file) if roots.is_empty() => Err(unreadable(file, &NONE)),
        None if roots.is_empty() => Err(failed(&"this system has no trusted certificates")),
        _ => Ok(roots),
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, RemoteError> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(file, &error))?;
    if certificates.is_empty() {
        return Err(unreadable(file, &NONE));
    }
    Ok(certificates)
}

const NONE: &str = "there is no certificate in it";

fn unreadable(file: &Path, error: &dyn std::fmt::Display) -> RemoteError {
    let file = file.display().to_string();
    RemoteError::Connection(shown(&format!("{file}: {error}")))
}

/// What the peer sends is in some of rustls' errors.
fn failed(error: &dyn std::fmt::Display) -> RemoteError {
    RemoteError::Connection(shown(&format!("TLS: {error}")))
}

/// `verify_mode: :none`. Signatures are still checked: the peer has the key of
/// the certificate that it shows.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl AcceptAny {
    /// As rustls does for certificates of version 3, for those of version 1, which it does
    /// not read; `openssl x509 -req` makes them.
    fn verify_of_version_1(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let bad = |error| Err(rustls::Error::InvalidCertificate(error));
        let anchor = anchor(certificate)?;
        let Some((algorithm, key)) = key_of(&anchor.subject_public_key_info) else {
            return bad(CertificateError::BadEncoding);
        };
        let known = self.0.signature_verification_algorithms.mapping.iter();
        let is_valid = known
            .filter(|(scheme, _)| *scheme == signature.scheme)
            .flat_map(|(_, algorithms)| algorithms.iter())
            .filter(|one| one.public_key_alg_id().as_ref() == algorithm)
            .any(|one| {
                one.verify_signature(key, message, signature.signature())
                    .is_ok()
            });
        if is_valid {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            bad(CertificateError::BadSignature)
        }
    }
}

/// Algorithm and key in what a certificate says of its key (RFC 5280, 4.1).
fn key_of(info: &[u8]) -> Option<(&[u8], &[u8])> {
    const SEQUENCE: u8 = 0x30;
    const BIT_STRING: u8 = 0x03;
    let (algorithm, rest) = der(SEQUENCE, info)?;
    let (bits, _) = der(BIT_STRING, rest)?;
    match bits {
        [0, key @ ..] => Some((algorithm, key)),
        _ => None, // not whole bytes
    }
}

/// What stands behind this tag, and the rest.
fn der(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None, // longer than any key
    };
    (found == tag).then(|| rest.split_at_checked(length))?
}

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if ParsedCertificate::try_from(certificate).is_err() {
            return self.verify_of_version_1(message, certificate, signature);
        }
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if ParsedCertificate::try_from(certificate).is_err() {
            return self.verify_of_version_1(message, certificate, signature);
        }
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
