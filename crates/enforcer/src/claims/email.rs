//! Verified e-mail addresses: ASCII, in lower case, with exactly one `@`.

use super::fact::{Fact, Why};
use super::lookup;
use countersign_ruleset::provider::EmailClaim;
use serde_json::{Map, Value};

/// An address that the provider says it has verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    address: Box<str>,
    domain: Box<str>,
}

impl Email {
    /// The address, in lower case.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What follows the `@`, in lower case.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// An address counts only if the provider says that it verified it: whoever may write another's
    /// address into his profile would else be him.
    pub(crate) fn read(members: &Map<String, Value>, claim: Option<&EmailClaim>) -> Fact<Self> {
        let Some(claim) = claim else {
            return Fact::Unknown(Why::NotMapped);
        };
        let address = lookup::at(members, &claim.path)
            .and_then(lookup::text)
            .and_then(Self::parse);
        address.and_then(|email| {
            if is_verified(members, claim) {
                Fact::Known(email)
            } else {
                Fact::Unknown(Why::NotVerified)
            }
        })
    }

    /// Two `@`, a quoted part or a letter that only looks like another are not decided on: mail
    /// systems and providers read them differently.
    fn parse(text: &str) -> Fact<Self> {
        let address = text.to_ascii_lowercase();
        match address.split_once('@') {
            Some((local, domain)) if is_local(local) && is_domain(domain) => Fact::Known(Self {
                domain: domain.into(),
                address: address.into(),
            }),
            _ => Fact::Unknown(Why::NotAnAddress),
        }
    }
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Email(redacted)")
    }
}

/// By a claim, where there is one; else by whose address it is.
fn is_verified(members: &Map<String, Value>, claim: &EmailClaim) -> bool {
    if let Some(path) = &claim.verified_by {
        return lookup::at(members, path) == Fact::Known(&Value::Bool(true));
    }
    let subject = members.get("sub").and_then(Value::as_str);
    let vouched = claim.verified_subjects.as_deref();
    matches!((subject, vouched), (Some(subject), Some(of)) if !of.is_empty() && subject.starts_with(of))
}

/// The domain for which the provider speaks, in lower case, where it says one (Google's `hd`).
pub(super) fn domain_claim(
    members: &Map<String, Value>,
    claim: &EmailClaim,
) -> Option<Fact<Box<str>>> {
    let path = claim.domain.as_deref()?;
    let domain = lookup::at(members, path).and_then(lookup::text);
    Some(domain.and_then(|domain| {
        let domain = domain.to_ascii_lowercase();
        if is_domain(&domain) {
            Fact::Known(domain.into())
        } else {
            Fact::Unknown(Why::WrongType)
        }
    }))
}

/// The `atext` of RFC 5322 §3.2.3, and dots.
fn is_local(text: &str) -> bool {
    let ordinary = |c: u8| c.is_ascii_alphanumeric() || b".!#$%&'*+-/=?^_`{|}~".contains(&c);
    (1..=64).contains(&text.len()) && text.bytes().all(ordinary)
}

/// Labels of letters, digits and hyphens; no trailing dot, under which one domain had two names.
fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::{Email, domain_claim};
    use crate::claims::fact::{Fact, Why};
    use countersign_ruleset::provider::EmailClaim;
    use serde_json::{Value, json};

    fn claim() -> EmailClaim {
        EmailClaim {
            path: vec!["email".into()],
            verified_by: Some(vec!["email_verified".into()]),
            domain: Some(vec!["hd".into()]),
            verified_subjects: None,
        }
    }

    fn read(claims: &Value, claim: &EmailClaim) -> Fact<String> {
        Email::read(claims.as_object().unwrap(), Some(claim)).map(|email| email.address().into())
    }

    #[test]
    fn an_address_is_compared_in_lower_case() {
        let claims = json!({"email": "Ana.B+x@Example.COM", "email_verified": true});
        assert_eq!(
            read(&claims, &claim()),
            Fact::Known("ana.b+x@example.com".into())
        );
        let email = Email::read(claims.as_object().unwrap(), Some(&claim()))
            .known()
            .unwrap();
        assert_eq!(email.domain(), "example.com");
        assert_eq!(format!("{email:?}"), "Email(redacted)");
    }

    #[test]
    fn only_true_verifies_an_address() {
        for flag in [
            json!(false),
            json!("true"),
            json!(1),
            json!(null),
            json!([true]),
        ] {
            let claims = json!({"email": "a@example.com", "email_verified": flag});
            assert_eq!(
                read(&claims, &claim()),
                Fact::Unknown(Why::NotVerified),
                "{claims}"
            );
        }
        let claims = json!({"email": "a@example.com"});
        assert_eq!(read(&claims, &claim()), Fact::Unknown(Why::NotVerified));
        let silent = EmailClaim {
            verified_by: None,
            ..claim()
        };
        let claims = json!({"email": "a@example.com", "email_verified": true});
        assert_eq!(read(&claims, &silent), Fact::Unknown(Why::NotVerified));
    }

    #[test]
    fn where_no_claim_shows_it_the_provider_answers_for_some_subjects() {
        let vouched = EmailClaim {
            verified_by: None,
            verified_subjects: Some("accounts.google.com:".into()),
            ..claim()
        };
        let of = |sub: Value| read(&json!({"sub": sub, "email": "a@example.com"}), &vouched);
        assert_eq!(
            of(json!("accounts.google.com:1084")),
            Fact::Known("a@example.com".into())
        );
        for sub in [
            json!("securetoken.google.com/shop:1084"),
            json!("accounts.google.comx:1084"),
            json!("x-accounts.google.com:1084"),
            json!(["accounts.google.com:1084"]),
            json!(null),
        ] {
            assert_eq!(of(sub), Fact::Unknown(Why::NotVerified));
        }
        let empty = EmailClaim {
            verified_subjects: Some(String::new()),
            ..vouched.clone()
        };
        let claims = json!({"sub": "accounts.google.com:1", "email": "a@example.com"});
        assert_eq!(read(&claims, &empty), Fact::Unknown(Why::NotVerified));
        let shown = EmailClaim {
            verified_by: claim().verified_by,
            ..vouched
        };
        assert_eq!(read(&claims, &shown), Fact::Unknown(Why::NotVerified));
    }

    #[test]
    fn what_is_no_plain_address_is_unknown() {
        for text in [
            "a@example.com@evil.com",
            "\"a@b\"@example.com",
            "ä@example.com",
            "a@exämple.com",
            "@example.com",
            "a@",
            "a",
            "a@example.com.",
            "a@.com",
            "a b@example.com",
            "a@ex ample",
            "a@example.com\n",
            "a@[10.0.0.1]",
            "\u{212a}@example.com",
        ] {
            let claims = json!({"email": text, "email_verified": true});
            assert_eq!(
                read(&claims, &claim()),
                Fact::Unknown(Why::NotAnAddress),
                "{text}"
            );
        }
        let list = json!({"email": ["a@example.com"], "email_verified": true});
        assert_eq!(read(&list, &claim()), Fact::Unknown(Why::WrongType));
        assert_eq!(
            read(&json!({"email_verified": true}), &claim()),
            Fact::Absent
        );
        assert_eq!(
            Email::read(&serde_json::Map::new(), None),
            Fact::Unknown(Why::NotMapped)
        );
    }

    #[test]
    fn the_domain_claim_is_read_where_the_provider_has_one() {
        let read = |claims: Value, claim| domain_claim(claims.as_object().unwrap(), claim);
        let claim = claim();
        assert_eq!(
            read(json!({"hd": "Example.com"}), &claim),
            Some(Fact::Known("example.com".into()))
        );
        assert_eq!(read(json!({}), &claim), Some(Fact::Absent));
        assert_eq!(
            read(json!({"hd": "exämple"}), &claim),
            Some(Fact::Unknown(Why::WrongType))
        );
        assert_eq!(
            read(
                json!({"hd": "x"}),
                &EmailClaim {
                    domain: None,
                    ..claim.clone()
                }
            ),
            None
        );
    }
}
