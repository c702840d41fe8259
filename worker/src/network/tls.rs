//! TLS to servers: whose certificates are believed.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

/// The certificate authorities of the system, and those of `ca`, in PEM.
///
/// # Errors
/// Says what is wrong with `ca`, or why there is no TLS.
pub(super) fn config(ca: Option<&str>) -> Result<ClientConfig, String> {
    let parsed = ca.map(|pem| CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>());
    let authorities = parsed.transpose().map_err(|error| format!("ca.crt is not valid PEM: {error}"))?;
    if authorities.as_ref().is_some_and(Vec::is_empty) {
        return Err("ca.crt holds no certificate".to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let no_tls = |error: rustls::Error| format!("TLS cannot be set up: {error}");
    let verifier = match authorities {
        Some(more) => Verifier::new_with_extra_roots(more, Arc::clone(&provider)),
        None => Verifier::new(Arc::clone(&provider)),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(no_tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier.map_err(no_tls)?));
    Ok(builder.with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_is_none_is_named() {
        for (pem, part) in [
            ("", "holds no certificate"),
            ("text", "holds no certificate"),
            ("-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n", "is not valid PEM"),
        ] {
            let error = config(Some(pem)).expect_err(pem);
            assert!(error.starts_with("ca.crt ") && error.contains(part), "{error}");
        }
    }
}
