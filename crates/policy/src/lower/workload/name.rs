//! Names of workloads, as their platforms write them into tokens: compared exactly, and so read
//! strictly, for what no token says lets nobody in and tells nobody why.

/// What follows the account's name in every address of a Google service account.
const SERVICE_ACCOUNT: &str = "gserviceaccount.com";

/// The longest SPIFFE ID ("SPIFFE implementations MUST support SPIFFE URIs up to 2048 bytes in
/// length and MUST NOT generate URIs of length greater than 2048 bytes").
const MAX_SPIFFE_ID: usize = 2_048;

/// The longest name of a trust domain.
const MAX_TRUST_DOMAIN: usize = 255;

pub(super) fn plain(text: &str) -> Result<String, &'static str> {
    expect(is_name(text), text, "a name without blanks or `*`")
}

/// A number, as a text: numbers of platforms are longer than those of JSON.
pub(super) fn number(text: &str) -> Result<String, &'static str> {
    let is_number = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    expect(is_number, text, "a number in digits, as a text")
}

/// `owner/name`.
pub(super) fn repository(text: &str) -> Result<String, &'static str> {
    let fits = match text.split_once('/') {
        Some((owner, name)) => is_name(owner) && is_name(name) && !name.contains('/'),
        None => false,
    };
    expect(fits, text, "a repository as in `owner/name`, without `*`")
}

/// The claim holds the whole ref: `main` may be a branch or a tag.
pub(super) fn git_ref(text: &str) -> Result<String, &'static str> {
    let fits = text.strip_prefix("refs/").is_some_and(is_name);
    expect(
        fits,
        text,
        "a whole ref such as `refs/heads/main`, without `*`",
    )
}

/// `owner/name/.github/workflows/file@ref`.
pub(super) fn workflow(text: &str) -> Result<String, &'static str> {
    let fits = text.split_once('@').is_some_and(|(file, at)| {
        let (of, file) = file.split_once("/.github/workflows/").unwrap_or_default();
        repository(of).is_ok() && is_name(file) && is_name(at)
    });
    let expected = "a workflow as in `owner/name/.github/workflows/file.yaml@refs/heads/main`";
    expect(fits, text, expected)
}

/// `push`, `workflow_dispatch`.
pub(super) fn event(text: &str) -> Result<String, &'static str> {
    let fits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
    expect(fits, text, "an event such as `push`")
}

/// An address is compared as others are. A person's is none of a workload: it would let a person in.
pub(super) fn service_account(text: &str) -> Result<String, &'static str> {
    let address = super::super::matcher::email(text).unwrap_or_default();
    let domain = address.split_once('@').map_or("", |(_, domain)| domain);
    let fits = domain
        .strip_suffix(SERVICE_ACCOUNT)
        .is_some_and(|project| project.ends_with('.'));
    let expected = "a service account such as `name@project.iam.gserviceaccount.com`";
    expect(fits, &address, expected)
}

/// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`, as STS writes it into `sub`.
pub(super) fn role(text: &str) -> Result<String, &'static str> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let fits = match parts.as_slice() {
        ["arn", partition, "iam", "", account, role] => {
            (*partition == "aws" || partition.starts_with("aws-"))
                && account.len() == 12
                && account.bytes().all(|c| c.is_ascii_digit())
                && role.strip_prefix("role/").is_some_and(is_name)
        }
        _ => false,
    };
    let expected = "the ARN of a role such as `arn:aws:iam::123456789012:role/name`, without `*`";
    expect(fits, text, expected)
}

/// A SPIFFE ID with a path: a trust domain alone is no workload.
///
/// "The trust domain name […] MUST contain only lowercase letters, numbers, dots, dashes, and
/// underscores", and "each path segment MUST contain only letters, numbers, dots, dashes, and
/// underscores", is not empty, `.` or `..`, and no trailing slash follows (SPIFFE-ID §2.1, §2.2).
pub(super) fn spiffe_id(text: &str) -> Result<String, &'static str> {
    let common = |c: u8| c.is_ascii_digit() || b".-_".contains(&c);
    let is_domain = |domain: &str| {
        (1..=MAX_TRUST_DOMAIN).contains(&domain.len())
            && domain.bytes().all(|c| c.is_ascii_lowercase() || common(c))
    };
    let is_segment = |segment: &str| {
        !["", ".", ".."].contains(&segment)
            && segment
                .bytes()
                .all(|c| c.is_ascii_alphabetic() || common(c))
    };
    let rest = text.strip_prefix("spiffe://").unwrap_or_default();
    let fits = rest
        .split_once('/')
        .is_some_and(|(domain, path)| is_domain(domain) && path.split('/').all(is_segment));
    let fits = fits && text.len() <= MAX_SPIFFE_ID;
    expect(fits, text, "a SPIFFE ID such as `spiffe://example.com/web`")
}

/// Visible, and no pattern: `*` stands for nothing here.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c == '*' || c.is_whitespace() || c.is_control())
}

fn expect(fits: bool, text: &str, expected: &'static str) -> Result<String, &'static str> {
    if fits {
        Ok(text.to_owned())
    } else {
        Err(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::{git_ref, number, repository, role, service_account, spiffe_id, workflow};

    type Reading = fn(&str) -> Result<String, &'static str>;

    fn expect(reading: Reading, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(reading(text).as_deref(), Ok(*text));
        }
        for text in bad {
            assert!(reading(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_spiffe_id_is_a_trust_domain_and_a_path() {
        let long = format!("spiffe://example.com/{}", "a".repeat(2_048));
        let good = [
            "spiffe://example.com/web",
            "spiffe://prod.acme_1-a/ns/shop/sa/Check_out.v2",
        ];
        let bad = [
            "",
            "spiffe://example.com",
            "spiffe://example.com/",
            "spiffe://example.com/a/",
            "spiffe://example.com//a",
            "spiffe://example.com/./a",
            "spiffe://example.com/../a",
            "spiffe:///a",
            "spiffe://Example.com/a",
            "spiffe://example.com:8443/a",
            "spiffe://ana@example.com/a",
            "spiffe://example.com/a?b",
            "spiffe://example.com/a#b",
            "spiffe://example.com/%61",
            "spiffe://example.com/ä",
            "spiffe://example.com/*",
            "SPIFFE://example.com/a",
            "https://example.com/a",
            &long,
        ];
        expect(spiffe_id, &good, &bad);
    }

    #[test]
    fn a_role_is_a_role_and_no_session_of_it() {
        let good = [
            "arn:aws:iam::123456789012:role/checkout",
            "arn:aws-us-gov:iam::123456789012:role/teams/shop/checkout",
        ];
        let bad = [
            "checkout",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::123456789012:user/ana",
            "arn:aws:iam::1234:role/checkout",
            "arn:aws:iam:eu-west-1:123456789012:role/checkout",
            "arn:aws:sts::123456789012:assumed-role/checkout/session",
            "arn:evil:iam::123456789012:role/checkout",
            "arn:aws:iam::123456789012:role/",
        ];
        expect(role, &good, &bad);
    }

    #[test]
    fn a_service_account_is_nobodys_mailbox() {
        let good = [
            "checkout@shop.iam.gserviceaccount.com",
            "1234-compute@developer.gserviceaccount.com",
            "shop@appspot.gserviceaccount.com",
        ];
        let bad = [
            "ana@gmail.com",
            "ana@example.com",
            "a@gserviceaccount.com",
            "a@evilgserviceaccount.com",
            "a@shop.iam.gserviceaccount.com.evil.example",
            "a@b@shop.iam.gserviceaccount.com",
            "@shop.iam.gserviceaccount.com",
            "",
        ];
        expect(service_account, &good, &bad);
        let shouted = service_account("Checkout@Shop.IAM.gserviceaccount.com");
        assert_eq!(
            shouted.as_deref(),
            Ok("checkout@shop.iam.gserviceaccount.com")
        );
    }

    #[test]
    fn names_of_github_are_whole() {
        expect(
            repository,
            &["acme/shop"],
            &["shop", "acme/*", "acme/", "/shop", "a/b/c", "a b/c", ""],
        );
        expect(number, &["1084"], &["", "0x1", "1 2", "-1", "12e3"]);
        expect(
            git_ref,
            &["refs/heads/main", "refs/tags/v1"],
            &["main", "refs/heads/*", "refs/", "heads/main", ""],
        );
        expect(
            workflow,
            &["acme/shop/.github/workflows/deploy.yaml@refs/heads/main"],
            &[
                "deploy.yaml",
                "acme/shop/.github/workflows/deploy.yaml",
                "acme/shop/.github/workflows/deploy.yaml@",
                "acme/shop/.github/workflows/*@refs/heads/main",
                "shop/.github/workflows/deploy.yaml@refs/heads/main",
            ],
        );
    }
}
