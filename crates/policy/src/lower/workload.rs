//! `workloads`: callers by the platform that vouches for them.
//!
//! Each is read into what the platform's tokens say of it, and counts by the word of a provider of
//! that platform only: another could write the same words into its tokens.

use super::matcher::{Reading, one_of, read};
use super::{Said, Sink};
use crate::diagnostic::{Code, FieldPath};
use crate::field::{Field, List, Unread};
use crate::preset::Platform;
use crate::v1alpha1::{AwsWorkload, GithubWorkload, GoogleWorkload, SpiffeWorkload, Workload};
use countersign_ruleset::names::ProviderId;
use countersign_ruleset::rules::Matcher;
use std::collections::BTreeSet;

mod name;

/// By whose word.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose<'p> {
    /// The provider, if it is there, and the platform for which it speaks.
    pub(super) provider: Option<(&'p ProviderId, Option<Platform>)>,
    /// Whether its issuer serves everybody, and nothing beside says whom of them.
    pub(super) open: bool,
}

impl Whose<'_> {
    /// The provider's name, for a message.
    pub(super) fn id(self) -> String {
        self.provider
            .map(|(id, _)| id.to_string())
            .unwrap_or_default()
    }
}

/// What must hold for a caller to be one of these workloads; nothing if none is written.
pub(super) fn matchers(
    path: &FieldPath,
    written: &Field<List<Field<Workload>>>,
    whose: Whose<'_>,
    sink: &mut Sink,
) -> Vec<Matcher> {
    let members = match sink.field(path, written) {
        Said::Absent => return Vec::new(),
        Said::Unknown => return vec![Matcher::Unknown],
        Said::Known(members) => members.iter().enumerate(),
    };
    let each = members.map(|(n, member)| workload(&path.index(n), member, whose, sink));
    let each: BTreeSet<Vec<Matcher>> = each.collect();
    let mut each: Vec<_> = each.into_iter().collect();
    match (each.pop(), each.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            each.extend(last);
            vec![Matcher::AnyOf(each)]
        }
    }
}

/// What was read of a workload: what must hold, and whether that can hold of one customer of an
/// issuer only.
struct Read {
    platform: Platform,
    all: Vec<Matcher>,
    says_whose: bool,
}

/// One of a list. What cannot be read is unknown, whatever is written beside it.
fn workload(
    path: &FieldPath,
    written: &Field<Workload>,
    whose: Whose<'_>,
    sink: &mut Sink,
) -> Vec<Matcher> {
    let Some(written) = sink.required(path, written) else {
        return vec![Matcher::Unknown];
    };
    let fields = Platform::ALL.map(Platform::field);
    let misspelt = sink.unread(path, &written.unread, &fields);
    let mut read: Vec<Read> = [
        aws(path, &written.aws, sink),
        github(path, &written.github, sink),
        google(path, &written.google, sink),
        spiffe(path, &written.spiffe, sink),
    ]
    .into_iter()
    .flatten()
    .collect();
    let (Some(read), true) = (read.pop(), read.is_empty()) else {
        if !misspelt {
            let message = "expected exactly one of `aws`, `github`, `google` and `spiffe`";
            let help = "write a workload for each; one of them suffices".to_owned();
            sink.error(path, Code::Exclusive, message, Some(help));
        }
        return vec![Matcher::Unknown];
    };
    if misspelt || !is_vouched_for(path, read.platform, whose, sink) {
        return vec![Matcher::Unknown];
    }
    let mut all = read.all;
    if whose.open && !read.says_whose {
        report_open(path, read.platform, whose, sink);
        all.push(Matcher::Unknown);
    }
    all.sort();
    all.dedup();
    all
}

/// Of a provider that is not there it was said so, and nobody is its caller.
fn is_vouched_for(path: &FieldPath, platform: Platform, whose: Whose<'_>, sink: &mut Sink) -> bool {
    let Some((id, speaks_for)) = whose.provider else {
        return true;
    };
    if speaks_for == Some(platform) {
        return true;
    }
    let field = platform.field();
    let message = format!("{id} does not speak for workloads of `{field}`");
    let help = format!("name a provider {}", platform.provider());
    sink.error(&path.name(field), Code::InvalidValue, message, Some(help));
    false
}

/// Every repository in the world has a `main` and a `push`, and whoever likes calls another's
/// public workflow: its name stands in `job_workflow_ref` then.
fn report_open(path: &FieldPath, platform: Platform, whose: Whose<'_>, sink: &mut Sink) {
    let id = whose.id();
    let message = format!("{id} serves everybody, and this does not say whose workload");
    let help = "say `repositoryID` and `repository`, or `tenants` in the provider".to_owned();
    let path = path.name(platform.field());
    sink.error(&path, Code::SharedIssuer, message, Some(help));
}

/// A name can be given to another when its first holder is gone; a number is not given twice.
fn warn_of_name(path: &FieldPath, (name, number): (&str, &str), sink: &mut Sink) {
    let message = format!("`{name}` alone can be another's later: names are given anew");
    let help = format!("say `{number}` beside it");
    sink.warning(&path.name(name), Code::Reassignable, message, Some(help));
}

/// One text of a workload: its name, how it is read, and what it is matched with.
type Part<'w> = (
    &'static str,
    &'w Field<String>,
    Reading,
    fn(String) -> Matcher,
);

/// What must hold of all that is said, and whether anything is.
fn parts(path: &FieldPath, parts: &[Part<'_>], sink: &mut Sink) -> Vec<Matcher> {
    let mut all = Vec::new();
    for (name, field, reading, matcher) in parts {
        let path = path.name(name);
        match sink.field(&path, field) {
            Said::Absent => {}
            Said::Unknown => all.push(Matcher::Unknown),
            Said::Known(text) => {
                let text = read(&path, text, *reading, sink);
                all.push(text.map_or(Matcher::Unknown, matcher));
            }
        }
    }
    all
}

/// A workload of a platform, of which something must be said.
fn whole(
    path: &FieldPath,
    platform: Platform,
    (unread, known): (&Unread, &[&str]),
    (all, says_whose): (Vec<Matcher>, bool),
    sink: &mut Sink,
) -> Read {
    let misspelt = sink.unread(path, unread, known);
    if all.is_empty() && !misspelt {
        let message = format!("expected {}, got nothing", known.join(" or "));
        sink.error(path, Code::UnreadableValue, message, None);
    }
    let is_whole = !misspelt && !all.is_empty();
    Read {
        platform,
        all: if is_whole {
            all
        } else {
            vec![Matcher::Unknown]
        },
        says_whose,
    }
}

/// The platform's object; one that cannot be read is unknown.
fn object<'w, T>(
    path: &FieldPath,
    platform: Platform,
    field: &'w Field<T>,
    sink: &mut Sink,
) -> Option<Result<&'w T, Read>> {
    match sink.field(path, field) {
        Said::Absent => None,
        Said::Known(written) => Some(Ok(written)),
        Said::Unknown => Some(Err(Read {
            platform,
            all: vec![Matcher::Unknown],
            says_whose: true,
        })),
    }
}

/// STS writes the role into `sub`, whatever its session is called.
fn aws(path: &FieldPath, field: &Field<AwsWorkload>, sink: &mut Sink) -> Option<Read> {
    let (platform, path) = (Platform::Aws, path.name("aws"));
    let written = match object(&path, platform, field, sink)? {
        Ok(written) => written,
        Err(unknown) => return Some(unknown),
    };
    let all = parts(
        &path,
        &[("roleARN", &written.role_arn, name::role, subject)],
        sink,
    );
    let unread = (&written.unread, &["roleARN"][..]);
    Some(whole(&path, platform, unread, (all, true), sink))
}

fn github(path: &FieldPath, field: &Field<GithubWorkload>, sink: &mut Sink) -> Option<Read> {
    const FIELDS: [&str; 6] = [
        "environment",
        "events",
        "ref",
        "repository",
        "repositoryID",
        "workflow",
    ];
    let (platform, path) = (Platform::Github, path.name("github"));
    let written = match object(&path, platform, field, sink)? {
        Ok(written) => written,
        Err(unknown) => return Some(unknown),
    };
    let said: [Part<'_>; 5] = [
        ("repository", &written.repository, name::repository, |it| {
            claim("repository", vec![it])
        }),
        ("repositoryID", &written.repository_id, name::number, |it| {
            claim("repository_id", vec![it])
        }),
        ("ref", &written.ref_name, name::git_ref, |it| {
            claim("ref", vec![it])
        }),
        ("environment", &written.environment, name::plain, |it| {
            claim("environment", vec![it])
        }),
        ("workflow", &written.workflow, name::workflow, |it| {
            claim("job_workflow_ref", vec![it])
        }),
    ];
    let mut all = parts(&path, &said, sink);
    all.extend(events(&path.name("events"), &written.events, sink));
    let by_number = !written.repository_id.is_absent();
    let by_name = !written.repository.is_absent();
    if by_name && !by_number {
        warn_of_name(&path, ("repository", "repositoryID"), sink);
    }
    let unread = (&written.unread, &FIELDS[..]);
    let all = (all, by_name || by_number);
    Some(whole(&path, platform, unread, all, sink))
}

/// One of them. One that cannot be read leaves the others.
fn events(path: &FieldPath, field: &Field<List<String>>, sink: &mut Sink) -> Option<Matcher> {
    let list = match sink.field(path, field) {
        Said::Absent => return None,
        Said::Unknown => return Some(Matcher::Unknown),
        Said::Known(list) => list.iter().enumerate(),
    };
    let events = list.map(|(n, text)| read(&path.index(n), text, name::event, sink));
    Some(one_of(events.collect(), |any_of| {
        claim("event_name", any_of)
    }))
}

/// ID tokens of service accounts have the account's number as `sub`, and its address as a verified
/// `email`.
fn google(path: &FieldPath, field: &Field<GoogleWorkload>, sink: &mut Sink) -> Option<Read> {
    let (platform, path) = (Platform::Google, path.name("google"));
    let written = match object(&path, platform, field, sink)? {
        Ok(written) => written,
        Err(unknown) => return Some(unknown),
    };
    let said: [Part<'_>; 2] = [
        (
            "serviceAccount",
            &written.service_account,
            name::service_account,
            |it| Matcher::Emails(vec![it]),
        ),
        ("uniqueID", &written.unique_id, name::number, subject),
    ];
    let all = parts(&path, &said, sink);
    if !written.service_account.is_absent() && written.unique_id.is_absent() {
        warn_of_name(&path, ("serviceAccount", "uniqueID"), sink);
    }
    let unread = (&written.unread, &["serviceAccount", "uniqueID"][..]);
    Some(whole(&path, platform, unread, (all, true), sink))
}

fn spiffe(path: &FieldPath, field: &Field<SpiffeWorkload>, sink: &mut Sink) -> Option<Read> {
    let (platform, path) = (Platform::Spiffe, path.name("spiffe"));
    let written = match object(&path, platform, field, sink)? {
        Ok(written) => written,
        Err(unknown) => return Some(unknown),
    };
    let all = parts(
        &path,
        &[("id", &written.id, name::spiffe_id, subject)],
        sink,
    );
    let unread = (&written.unread, &["id"][..]);
    Some(whole(&path, platform, unread, (all, true), sink))
}

fn subject(text: String) -> Matcher {
    Matcher::Subjects(vec![text])
}

fn claim(name: &str, any_of: Vec<String>) -> Matcher {
    Matcher::Claim {
        path: vec![name.to_owned()],
        any_of,
    }
}
