//! Issuers that serve everybody: anyone can become their customer and have them sign a token for
//! any audience.

use super::Path;

/// An issuer that serves everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shared {
    /// What its issuers begin with, up to a whole segment.
    issuer: &'static str,
    /// The claim that names the customer; empty if nothing does.
    pub(crate) tenant: &'static [Path],
}

/// By issuer and not by type: Google's issuer serves everybody under the type `OIDC` too.
static SHARED: [Shared; 12] = [
    Shared {
        issuer: "accounts.google.com",
        tenant: &[&["hd"]],
    },
    Shared {
        issuer: "agent.buildkite.com",
        tenant: &[&["organization_id"]],
    },
    Shared {
        issuer: "app.terraform.io",
        tenant: &[&["terraform_organization_id"]],
    },
    Shared {
        issuer: "appleid.apple.com",
        tenant: &[],
    },
    Shared {
        issuer: "cognito-identity.amazonaws.com",
        tenant: &[],
    },
    Shared {
        issuer: "gitlab.com",
        tenant: &[&["namespace_id"]],
    },
    // Microsoft's tenant of personal accounts.
    Shared {
        issuer: "login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad",
        tenant: &[],
    },
    Shared {
        issuer: "login.microsoftonline.com/common",
        tenant: &[&["tid"]],
    },
    Shared {
        issuer: "login.microsoftonline.com/consumers",
        tenant: &[],
    },
    Shared {
        issuer: "login.microsoftonline.com/organizations",
        tenant: &[&["tid"]],
    },
    Shared {
        issuer: "oidc.vercel.com",
        tenant: &[&["owner_id"]],
    },
    Shared {
        issuer: "token.actions.githubusercontent.com",
        tenant: &[&["repository_owner_id"]],
    },
];

impl Shared {
    /// Who serves everybody under that issuer.
    pub(crate) fn at(issuer: &str) -> Option<&'static Self> {
        let issuer = issuer.to_ascii_lowercase();
        let issuer = issuer.split_once("://").map_or(&*issuer, |(_, rest)| rest);
        SHARED.iter().find(|shared| {
            let rest = issuer.strip_prefix(shared.issuer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':', '?', '#']))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Shared;

    #[test]
    fn knows_who_serves_everybody() {
        for issuer in [
            "https://accounts.google.com",
            "accounts.google.com",
            "https://token.actions.githubusercontent.com/enterprise",
            "https://login.microsoftonline.com/common/v2.0",
            "https://LOGIN.microsoftonline.com/organizations/v2.0",
            "https://gitlab.com",
            "https://gitlab.com:443",
        ] {
            assert!(Shared::at(issuer).is_some(), "{issuer}");
        }
        for issuer in [
            "https://gitlab.com.example.com",
            "https://gitlab.example.com",
            "https://login.microsoftonline.com/0b5c3c1e-0000-4000-8000-000000000001/v2.0",
            "https://login.microsoftonline.com/commonwealth/v2.0",
            "https://example.okta.com/oauth2/default",
        ] {
            assert_eq!(Shared::at(issuer), None, "{issuer}");
        }
    }
}
