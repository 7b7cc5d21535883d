//! The web's authorities, in the file where programs on Linux look for them.
//!
//! What fetches rulesets and keys has its own copy of the same list. The clients of the clouds' stores
//! read the machine's, and an image FROM scratch has none.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// Where it is, without a leading `/`.
pub(super) const PATH: &str = "etc/ssl/certs/ca-certificates.crt";

/// Mozilla's list, in PEM.
pub(super) fn pem() -> String {
    let mut pem = String::new();
    for certificate in TLS_SERVER_ROOT_CERTS {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        // RFC 7468: lines of 64
        for (at, letter) in STANDARD.encode(certificate).chars().enumerate() {
            if at > 0 && at.is_multiple_of(64) {
                pem.push('\n');
            }
            pem.push(letter);
        }
        pem.push_str("\n-----END CERTIFICATE-----\n");
    }
    pem
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    #[test]
    fn a_client_reads_what_is_written() {
        let pem = pem();
        let read = CertificateDer::pem_slice_iter(pem.as_bytes());
        let read: Vec<_> = read.map(Result::unwrap).collect();
        assert!(read.len() > 100, "{}", read.len());
        assert_eq!(read, TLS_SERVER_ROOT_CERTS);
        assert!(pem.lines().all(|line| line.len() <= 64));
    }
}
