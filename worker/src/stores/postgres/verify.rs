//! TLS to a database. Its certificate is checked, and the host's name in it, unless a key of the Secret switches that off by name:
//! `sslmode`, with the values of PostgreSQL's own programs.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres::config::SslMode;

/// The values of `sslmode`.
const MODES: &str = "verify-full, require, prefer or disable";

/// Whether TLS is spoken to a database, and how its certificate is checked: by the authority of the user's, in PEM, else by those of
/// the system.
///
/// # Errors
/// Says what is wrong with the mode or the authority.
pub(super) fn settings(mode: Option<&str>, ca: Option<&str>) -> Result<(SslMode, ClientConfig), String> {
    let (mode, checked) = match mode.map(str::trim) {
        None | Some("verify-full") => (SslMode::Require, true),
        Some("require") => (SslMode::Require, false),
        Some("prefer") => (SslMode::Prefer, false),
        Some("disable") => (SslMode::Disable, false),
        Some(_) => return Err(format!("sslmode is not one of {MODES}")),
    };
    if !checked && ca.is_some() {
        return Err(
            "ca.crt is there, and sslmode says that no certificate is checked; leave one of them out"
                .to_owned(),
        );
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?;
    if !checked {
        let anything = Arc::new(Unverified(provider));
        let config = builder.dangerous().with_custom_certificate_verifier(anything).with_no_client_auth();
        return Ok((mode, config));
    }
    let Some(pem) = ca else {
        let builder = builder
            .with_platform_verifier()
            .map_err(|error| format!("the system's certificate authorities cannot be read: {error}"))?;
        return Ok((mode, builder.with_no_client_auth()));
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let added = certificate
            .map_err(|error| error.to_string())
            .and_then(|one| roots.add(one).map_err(|error| error.to_string()));
        added.map_err(|error| format!("ca.crt is not a certificate in PEM: {error}"))?;
    }
    if roots.is_empty() {
        return Err("ca.crt holds no certificate".to_owned());
    }
    Ok((mode, builder.with_root_certificates(roots).with_no_client_auth()))
}

/// Takes any certificate, and still wants the handshake signed with it.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_checked_unless_that_is_switched_off_by_name() {
        for (mode, expected) in [
            (Some("require"), SslMode::Require),
            (Some("prefer"), SslMode::Prefer),
            (Some("disable\n"), SslMode::Disable),
        ] {
            assert_eq!(settings(mode, None).expect("settings").0, expected);
            assert!(settings(mode, Some("PEM")).is_err());
        }
        for wrong in ["", "allow", "no", "verify-ca"] {
            let problem = settings(Some(wrong), None).expect_err(wrong);
            assert!(problem.contains(MODES), "{problem}");
        }
        assert!(
            settings(Some("verify-full"), Some("no PEM")).is_err_and(|problem| problem.contains("ca.crt"))
        );
    }
}
