//! The keys and certificates of one cluster, made for it alone.

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256,
};
use std::fs;
use std::path::Path;

/// The names that the API server is called by: on this machine, and from a pod.
const SERVER: [&str; 7] = [
    "127.0.0.1",
    super::control_plane::SERVICE_ADDRESS,
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// Writes `ca.crt`, the API server's certificate and its one as a client of kubelets, and the key
/// that signs the tokens of service accounts.
///
/// # Errors
/// If one cannot be made or written.
pub(super) fn write(folder: &Path) -> Result<()> {
    let key = KeyPair::generate()?;
    let mut authority = named("countersign-test-ca", &[])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = authority.self_signed(&key)?;
    let issuer = Issuer::new(authority, key);
    let put =
        |name: &str, text: String| fs::write(folder.join(name), text).context(name.to_owned());
    put("ca.crt", certificate.pem())?;

    let mut server = named("kube-apiserver", &SERVER)?;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut client = named("kube-apiserver", &[])?;
    let name = &mut client.distinguished_name;
    name.push(DnType::OrganizationName, "system:masters");
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    for (name, mut leaf) in [("apiserver", server), ("kubelet-client", client)] {
        let key = KeyPair::generate()?;
        leaf.use_authority_key_identifier_extension = true;
        put(&format!("{name}.crt"), leaf.signed_by(&key, &issuer)?.pem())?;
        put(&format!("{name}.key"), key.serialize_pem())?;
    }
    // RS256, as nearly every cluster has it.
    let tokens = KeyPair::generate_for(&PKCS_RSA_SHA256)?;
    put("service-accounts.key", tokens.serialize_pem())
}

fn named(common: &str, names: &[&str]) -> Result<CertificateParams> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, common);
    Ok(params)
}
