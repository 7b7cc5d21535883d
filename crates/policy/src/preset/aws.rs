//! An AWS account's issuer, by which its roles prove themselves elsewhere.

use super::table::{HOUR, PLAIN};
use super::{Form, Platform, Preset};
use countersign_ruleset::names::is_dns_label;
use countersign_ruleset::provider::{Algorithm, TokenType};

/// What follows the account's own label in its issuer.
const ISSUERS: &str = ".tokens.sts.global.api.aws";

/// What the type `OIDC` says of such an issuer. `sub` is the ARN of the role; what else STS says
/// stands under a claim of its own, and so do the tags that a caller chooses.
pub(super) static AWS: Preset = Preset {
    issuer_form: "https://ID.tokens.sts.global.api.aws",
    algorithms: &[Algorithm::ES384, Algorithm::RS256],
    token_types: &[TokenType::WorkloadToken],
    forms: &[Form {
        token_type: TokenType::WorkloadToken,
        typ: &["", "jwt"],
        present: &[&[&["https://sts.amazonaws.com/", "aws_account"]]],
        absent: &[],
    }],
    max_lifetime: HOUR,
    client: &[],
    scopes: &[],
    platform: Some(Platform::Aws),
    sources: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html",
    ],
    ..PLAIN
};

/// Whether it is an account's.
pub(super) fn is_issuer(issuer: &str) -> bool {
    let host = issuer.strip_prefix("https://");
    let id = host.and_then(|host| host.strip_suffix(ISSUERS));
    id.is_some_and(is_dns_label)
}

#[cfg(test)]
mod tests {
    use super::super::{Platform, Preset};
    use countersign_ruleset::provider::TokenType;

    #[test]
    fn an_accounts_issuer_is_known_and_no_other() {
        let oidc = Preset::named("OIDC").unwrap();
        let speaks_for = |preset: &'static Preset, issuer| preset.at(issuer).platform;
        let aws = "https://a1b2c3d4-0000.tokens.sts.global.api.aws";
        assert_eq!(speaks_for(oidc, aws), Some(Platform::Aws));
        assert!(oidc.at(aws).has(TokenType::WorkloadToken));
        for other in [
            "https://tokens.sts.global.api.aws",
            "https://.tokens.sts.global.api.aws",
            "https://evil.example/.tokens.sts.global.api.aws",
            "https://a.b.tokens.sts.global.api.aws",
            "https://a@b.tokens.sts.global.api.aws",
            "https://a.tokens.sts.global.api.aws/path",
            "https://a.tokens.sts.global.api.aws.evil.example",
            "http://a.tokens.sts.global.api.aws",
        ] {
            assert_eq!(speaks_for(oidc, other), None, "{other}");
        }
        let okta = Preset::named("Okta").unwrap();
        assert_eq!(speaks_for(okta, aws), None, "by issuer and type");
    }
}
