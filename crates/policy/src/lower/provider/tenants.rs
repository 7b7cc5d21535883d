//! Whom among an issuer's many customers a token must come from.

use super::super::{Said, Sink, short};
use crate::diagnostic::{Code, FieldPath};
use crate::field::{Field, List};
use crate::preset::{self, Path, Preset, Shared};
use countersign_ruleset::names::{is_dns_label, is_dns_subdomain};
use countersign_ruleset::provider::Tenants;

/// The end of the addresses of a Google project's own service accounts.
const PROJECT: &str = ".iam.gserviceaccount.com";

/// The tenants, if any are said.
pub(super) fn read(
    preset: &Preset,
    issuer: Option<&str>,
    field: &Field<List<String>>,
    sink: &mut Sink,
) -> Said<Tenants> {
    let path = FieldPath::spec().name("tenants");
    let written = match sink.field(&path, field) {
        Said::Absent => return Said::Absent,
        Said::Unknown => return Said::Unknown,
        Said::Known(written) => written,
    };
    known(preset, issuer, &path, written, sink).map_or(Said::Unknown, Said::Known)
}

fn known(
    preset: &Preset,
    issuer: Option<&str>,
    path: &FieldPath,
    written: &List<String>,
    sink: &mut Sink,
) -> Option<Tenants> {
    let paths = issuer
        .and_then(Shared::at)
        .map_or(preset.tenant, |shared| shared.tenant);
    if paths.is_empty() {
        let message = "no claim of this provider names a tenant";
        sink.error(path, Code::InvalidValue, message, None);
        return None;
    }
    if let Some(n) = written.iter().position(String::is_empty) {
        sink.error(
            &path.index(n),
            Code::InvalidValue,
            "expected a tenant, got nothing",
            None,
        );
        return None;
    }
    if paths == GOOGLE {
        return google(path, written, sink);
    }
    Some(Tenants {
        paths: preset::claims(paths),
        any_of: sorted(written.iter().cloned()),
        domain_of_email: false,
    })
}

const GOOGLE: &[Path] = &[&["hd"]];

/// Google's customers are hosted domains (`hd`), whose people they are, and projects, whose service
/// accounts are told by their address. One token is never both, and so is one list.
fn google(path: &FieldPath, written: &List<String>, sink: &mut Sink) -> Option<Tenants> {
    let mut domains = Vec::new();
    let mut projects = Vec::new();
    for (n, tenant) in written.iter().enumerate() {
        match Customer::read(tenant) {
            Some(Customer::Domain) => domains.push(tenant.clone()),
            Some(Customer::Project(domain)) => projects.push(domain),
            None => {
                let message = format!(
                    "expected a hosted domain or a project's id, got `{}`",
                    short(tenant)
                );
                sink.error(&path.index(n), Code::InvalidValue, message, None);
                return None;
            }
        }
    }
    if !domains.is_empty() && !projects.is_empty() {
        let message = "hosted domains and projects cannot be told apart in one list";
        let help = "leave `tenants` out, and name `emailDomains`, `emails` or `workloads` in rules";
        sink.error(path, Code::NotSupported, message, Some(help.into()));
        return None;
    }
    let domain_of_email = domains.is_empty();
    let claim: Path = if domain_of_email { &["email"] } else { &["hd"] };
    Some(Tenants {
        paths: preset::claims(&[claim]),
        any_of: sorted(domains.into_iter().chain(projects)),
        domain_of_email,
    })
}

enum Customer {
    Domain,
    Project(String),
}

impl Customer {
    /// Accounts of no project's own (`developer.gserviceaccount.com`) are everybody's, and so are
    /// the addresses of people without a hosted domain.
    fn read(tenant: &str) -> Option<Self> {
        if let Some(project) = tenant.strip_suffix(PROJECT) {
            return is_dns_subdomain(project).then(|| Self::Project(tenant.into()));
        }
        let everybodys = ["gmail.com", "googlemail.com"].contains(&tenant);
        if everybodys || tenant.ends_with("gserviceaccount.com") || !is_dns_subdomain(tenant) {
            return None;
        }
        Some(if is_dns_label(tenant) {
            Self::Project(format!("{tenant}{PROJECT}"))
        } else {
            Self::Domain
        })
    }
}

fn sorted(tenants: impl Iterator<Item = String>) -> Vec<String> {
    let mut tenants: Vec<String> = tenants.collect();
    tenants.sort_unstable();
    tenants.dedup();
    tenants
}
