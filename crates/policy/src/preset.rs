//! What each type of provider says of itself, where its resource does not.
//!
//! A type is a preset and nothing more: whatever it says, the resource may say otherwise. Only how
//! its types of token are told apart is the preset's alone, for a mistake there turns an ID token
//! into a key to services.

use countersign_ruleset::provider::{Algorithm, TokenForm, TokenType};

mod aws;
mod google;
mod shared;
mod table;

pub(crate) use shared::Shared;

/// A claim's place in a token: the keys, outermost first.
pub type Path = &'static [&'static str];

/// What one type of provider says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// The type.
    pub name: &'static str,
    /// Its issuer, if there is one for all, or one by default.
    pub issuer: Option<&'static str>,
    /// What an issuer of it looks like.
    pub issuer_form: &'static str,
    /// Other names of that issuer.
    pub aliases: &'static [&'static str],
    /// Where its keys are, if its issuer has no discovery document.
    pub jwks_url: Option<&'static str>,
    /// The header that carries its tokens, in lower case, if it is not `authorization`.
    pub header: Option<&'static str>,
    /// What it signs with.
    pub algorithms: &'static [Algorithm],
    /// The types of token that are taken.
    pub token_types: &'static [TokenType],
    /// How its types of token are told apart.
    pub forms: &'static [Form],
    /// The longest that its tokens are good for, in seconds.
    pub max_lifetime: u64,
    /// Where the groups are.
    pub groups: Option<Path>,
    /// Claims that say that the groups were too many to be sent, beside the standard ones.
    pub overage: &'static [Path],
    /// Where the e-mail address is.
    pub email: Option<Email>,
    /// The client: the first of these that is there.
    pub client: &'static [Path],
    /// The outermost actor.
    pub actor: Option<Path>,
    /// The scopes: the first of these that is there.
    pub scopes: &'static [Path],
    /// The claim that names the customer: the first of these that is there.
    pub tenant: &'static [Path],
    /// The platform whose workloads it vouches for.
    pub platform: Option<Platform>,
    /// Where all this is said.
    pub sources: &'static [&'static str],
}

/// A platform that vouches for workloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Amazon Web Services.
    Aws,
    /// GitHub Actions.
    Github,
    /// Google Cloud.
    Google,
    /// A SPIFFE trust domain.
    Spiffe,
}

impl Platform {
    /// Every platform.
    pub const ALL: [Self; 4] = [Self::Aws, Self::Github, Self::Google, Self::Spiffe];

    /// The field of a workload that speaks of it.
    pub(crate) const fn field(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Github => "github",
            Self::Google => "google",
            Self::Spiffe => "spiffe",
        }
    }

    /// Which provider speaks for it.
    pub(crate) const fn provider(self) -> &'static str {
        match self {
            Self::Aws => "of type `OIDC` whose issuer is `https://ID.tokens.sts.global.api.aws`",
            Self::Github => "of type `GitHubActions`",
            Self::Google => "of type `Google`",
            Self::Spiffe => "of type `SPIFFE`",
        }
    }
}

/// Where the e-mail address is, and what shows that it was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Email {
    /// The address.
    pub path: Path,
    /// The claim that must be `true`; `None`: nothing shows it, and no address counts, but for those
    /// of `verified_subjects`.
    pub verified_by: Option<Path>,
    /// What `sub` begins with where the provider gives its word for the address.
    pub verified_subjects: Option<&'static str>,
    /// The domain for which the provider speaks.
    pub domain: Option<Path>,
}

/// How one type of token is recognised: every part must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// The type that it shows.
    pub token_type: TokenType,
    /// The header's `typ` is one of these; empty is absent.
    pub typ: &'static [&'static str],
    /// Of each of these lists, one claim is there.
    pub present: &'static [&'static [Path]],
    /// None of these claims is there.
    pub absent: &'static [Path],
}

impl Preset {
    /// Every preset, by name.
    pub const ALL: &[Self] = &table::PRESETS;

    /// The preset of that name, compared exactly.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|preset| preset.name == name)
    }

    /// What the type says of that issuer: an AWS account's has tokens of its own form.
    pub(crate) fn at(&'static self, issuer: &str) -> &'static Self {
        if self.name == aws::AWS.name && aws::is_issuer(issuer) {
            &aws::AWS
        } else {
            self
        }
    }

    /// Whether one of its forms shows that type.
    pub(crate) fn has(&self, token_type: TokenType) -> bool {
        self.forms.iter().any(|form| form.token_type == token_type)
    }
}

impl From<&Form> for TokenForm {
    fn from(form: &Form) -> Self {
        Self {
            token_type: form.token_type,
            typ: form.typ.iter().map(ToString::to_string).collect(),
            present: form.present.iter().map(|one_of| claims(one_of)).collect(),
            absent: claims(form.absent),
        }
    }
}

/// Paths, as the ruleset holds them.
pub(crate) fn claims(paths: &[Path]) -> Vec<Vec<String>> {
    paths.iter().map(|path| claim(path)).collect()
}

/// A path, as the ruleset holds it.
pub(crate) fn claim(path: Path) -> Vec<String> {
    path.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::{Platform, Preset};
    use countersign_ruleset::provider::TokenType;
    use std::collections::BTreeSet;

    #[test]
    fn there_are_the_ten_types_of_the_documentation_in_order() {
        let names: Vec<&str> = Preset::ALL.iter().map(|preset| preset.name).collect();
        let expected = [
            "Auth0",
            "Entra",
            "GitHubActions",
            "Google",
            "GoogleIAP",
            "Keycloak",
            "Kubernetes",
            "OIDC",
            "Okta",
            "SPIFFE",
        ];
        assert_eq!(names, expected);
        assert_eq!(Preset::named("okta"), None, "names are exact");
        assert_eq!(
            Preset::named("Okta").map(|preset| preset.name),
            Some("Okta")
        );
    }

    #[test]
    fn what_is_taken_can_be_told() {
        for preset in Preset::ALL {
            let name = preset.name;
            assert!(
                !preset.token_types.is_empty() && !preset.algorithms.is_empty(),
                "{name}"
            );
            assert!(
                preset.token_types.iter().all(|it| preset.has(*it)),
                "{name}"
            );
            assert!(!preset.sources.is_empty(), "{name}");
            assert!((60..=86_400).contains(&preset.max_lifetime), "{name}");
        }
    }

    /// RFC 8725 §3.12: forms of two types that share a `typ` must exclude each other by a claim
    /// that one demands and the other forbids.
    #[test]
    fn forms_of_two_types_exclude_each_other() {
        for preset in Preset::ALL {
            for a in preset.forms {
                for b in preset.forms.iter().filter(|b| b.token_type != a.token_type) {
                    let typs: BTreeSet<_> = a.typ.iter().collect();
                    let apart = b.typ.iter().all(|typ| !typs.contains(typ));
                    let excludes = |demands: &super::Form, forbids: &super::Form| {
                        let forbidden = |path| forbids.absent.contains(path);
                        demands
                            .present
                            .iter()
                            .any(|one_of| one_of.iter().all(forbidden))
                    };
                    let told = apart || excludes(a, b) || excludes(b, a);
                    assert!(told, "{}: {a:?} and {b:?}", preset.name);
                }
            }
        }
    }

    #[test]
    fn only_workloads_have_tokens_of_a_kind_of_their_own() {
        for preset in Preset::ALL {
            let workload = ["Kubernetes", "SPIFFE"].contains(&preset.name);
            assert_eq!(
                preset.has(TokenType::WorkloadToken),
                workload,
                "{}",
                preset.name
            );
        }
        for name in ["Google", "GitHubActions", "GoogleIAP"] {
            let types = Preset::named(name).map(|preset| preset.token_types);
            assert_eq!(types, Some(&[TokenType::IDToken][..]), "{name}");
        }
    }

    #[test]
    fn a_platform_is_spoken_for_by_one_type() {
        for (name, platform) in [
            ("GitHubActions", Platform::Github),
            ("Google", Platform::Google),
            ("SPIFFE", Platform::Spiffe),
        ] {
            let all = Preset::ALL.iter();
            let speaking = all.filter(|preset| preset.platform == Some(platform));
            let names: Vec<_> = speaking.map(|preset| preset.name).collect();
            assert_eq!(names, [name]);
        }
    }

    /// Of whom an address counts by word alone, no resource can say.
    #[test]
    fn only_googles_proxy_gives_its_word_for_an_address() {
        for preset in Preset::ALL {
            let vouched = preset.email.and_then(|email| email.verified_subjects);
            let expected = (preset.name == "GoogleIAP").then_some("accounts.google.com:");
            assert_eq!(vouched, expected, "{}", preset.name);
        }
    }

    #[test]
    fn only_googles_proxy_has_a_header_of_its_own() {
        for preset in Preset::ALL {
            let expected = (preset.name == "GoogleIAP").then_some("x-goog-iap-jwt-assertion");
            assert_eq!(preset.header, expected, "{}", preset.name);
        }
    }
}
