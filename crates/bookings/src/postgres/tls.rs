//! What TLS looks at, by libpq's `sslmode`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How much of a server's certificate is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verify {
    /// Nothing: the connection is encrypted, and nobody knows to whom.
    Nothing,
    /// Who signed it.
    Chain,
    /// Who signed it, and for which name.
    Full,
}

/// The certificates that a server would be held against are not there.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of `sslrootcert`.
    #[error("cannot read certificates from {}: {why}", path.display())]
    Roots {
        /// Which.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// The system's.
    #[error("this system has no root certificates; name a file of them: sslrootcert=/path/ca.pem")]
    NoRoots,
    /// rustls' own.
    #[error("cannot set TLS up")]
    Rustls(#[from] Error),
}

/// # Errors
/// The roots cannot be read.
pub(super) fn connector(
    verify: Verify,
    roots: Option<&Path>,
) -> Result<MakeRustlsConnect, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let inner = match verify {
        Verify::Nothing => None,
        Verify::Chain | Verify::Full => {
            let roots = Arc::new(read(roots)?);
            let built =
                WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
            Some(built.map_err(|_| TlsError::NoRoots)?)
        }
    };
    let verifier = Verifier { provider: Arc::clone(&provider), inner, verify };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn read(file: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    let Some(path) = file else {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(store);
    };
    let cannot = |why: String| TlsError::Roots { path: path.to_owned(), why };
    for certificate in
        CertificateDer::pem_file_iter(path).map_err(|error| cannot(error.to_string()))?
    {
        store.add(certificate.map_err(|error| cannot(error.to_string()))?)?;
    }
    if store.is_empty() { Err(cannot("it holds none".to_owned())) } else { Ok(store) }
}

/// The server proves that it has the key of its certificate in every mode; what the certificate is worth depends.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    inner: Option<Arc<WebPkiServerVerifier>>,
    verify: Verify,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};
        let Some(inner) = &self.inner else { return Ok(ServerCertVerified::assertion()) };
        match inner.verify_server_cert(certificate, between, name, stapled, now) {
            // The name is looked at last, so the rest was in order.
            Err(Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }))
                if self.verify == Verify::Chain =>
            {
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
