//! Where a provider's claims are. What is not said, the type says.

use super::super::{Said, Sink, short};
use crate::diagnostic::{Code, FieldPath};
use crate::field::{Field, List};
use crate::preset::{self, Email, Preset};
use crate::v1alpha1::{ActorMapping, ClaimMapping, DomainOrPath, EmailMapping, GroupsMapping};
use countersign_ruleset::provider::{ClaimPath, ClaimPaths, EmailClaim, GroupsClaim, WhenAbsent};

/// The claims; `None` if it cannot be told where the actor is: an agent would pass for the person
/// for whom it acts.
pub(super) fn read(
    preset: &Preset,
    field: &Field<ClaimMapping>,
    sink: &mut Sink,
) -> Option<ClaimPaths> {
    let path = FieldPath::spec().name("claims");
    let absent = ClaimMapping::default();
    let written = match sink.field(&path, field) {
        Said::Absent => &absent,
        Said::Known(written) => written,
        Said::Unknown => return None,
    };
    let is_whole = !sink.unread(
        &path,
        &written.unread,
        &["actor", "client", "email", "groups"],
    );
    let groups = groups(preset, &path.name("groups"), &written.groups, sink);
    let email = email(preset.email, &path.name("email"), &written.email, sink);
    let client = client(preset, &path.name("client"), &written.client, sink);
    let actor = actor(preset, &path.name("actor"), &written.actor, sink);
    let scopes = preset::claims(preset.scopes);
    let actor = actor.ok()?;
    is_whole.then_some(ClaimPaths {
        groups,
        email,
        client,
        actor,
        scopes,
    })
}

/// Whether a claim names the domain for which the provider speaks.
pub(super) fn maps_domain(claims: &ClaimPaths) -> bool {
    claims
        .email
        .as_ref()
        .is_some_and(|email| email.domain.is_some())
}

fn groups(
    preset: &Preset,
    at: &FieldPath,
    field: &Field<GroupsMapping>,
    sink: &mut Sink,
) -> Option<GroupsClaim> {
    let absent = GroupsMapping::default();
    let written = match sink.field(at, field) {
        Said::Absent => &absent,
        Said::Known(written) => written,
        Said::Unknown => return None,
    };
    let is_whole = !sink.unread(at, &written.unread, &["path", "whenAbsent"]);
    let path = match claim(&at.name("path"), &written.path, sink) {
        Said::Absent => preset.groups.map(preset::claim),
        Said::Known(path) => Some(path),
        Said::Unknown => None,
    };
    let when_absent = when_absent(&at.name("whenAbsent"), &written.when_absent, sink);
    let path = path.filter(|_| is_whole)?;
    Some(GroupsClaim {
        overage: overage(preset, &path),
        path,
        when_absent,
    })
}

fn when_absent(path: &FieldPath, field: &Field<String>, sink: &mut Sink) -> WhenAbsent {
    match sink.field(path, field) {
        Said::Known(text) if text == "Empty" => WhenAbsent::Empty,
        Said::Known(text) if text != "Unknown" => {
            let message = format!("expected `Unknown` or `Empty`, got `{}`", short(text));
            sink.error(path, Code::InvalidValue, message, None);
            WhenAbsent::Unknown
        }
        Said::Known(_) | Said::Absent | Said::Unknown => WhenAbsent::Unknown,
    }
}

/// `_claim_names` is the standard's word for claims that must be fetched elsewhere (OpenID Connect
/// Core §5.6.2): then those that are here are not all.
fn overage(preset: &Preset, path: &ClaimPath) -> Vec<ClaimPath> {
    let elsewhere = path
        .first()
        .map(|first| vec!["_claim_names".to_owned(), first.clone()]);
    elsewhere
        .into_iter()
        .chain(preset::claims(preset.overage))
        .collect()
}

/// What shows that an address was verified is said of one claim; of another it says nothing.
fn email(
    preset: Option<Email>,
    at: &FieldPath,
    field: &Field<EmailMapping>,
    sink: &mut Sink,
) -> Option<EmailClaim> {
    let usual = preset.map(|email| EmailClaim {
        path: preset::claim(email.path),
        verified_by: email.verified_by.map(preset::claim),
        verified_subjects: email.verified_subjects.map(Into::into),
        domain: email.domain.map(preset::claim),
    });
    let written = match sink.field(at, field) {
        Said::Absent => return usual,
        Said::Known(written) => written,
        Said::Unknown => return None,
    };
    let is_whole = !sink.unread(at, &written.unread, &["domain", "path", "verifiedBy"]);
    let path = claim(&at.name("path"), &written.path, sink);
    let verified_by = nested(&at.name("verifiedBy"), &written.verified_by, sink);
    let domain = nested(&at.name("domain"), &written.domain, sink);
    let path = said_or(path, usual.as_ref().map(|it| it.path.clone())).ok()??;
    let of_usual = usual.as_ref().filter(|it| it.path == path);
    let verified_by = said_or(verified_by, of_usual.and_then(|it| it.verified_by.clone())).ok()?;
    let vouched = of_usual.and_then(|it| it.verified_subjects.clone());
    let verified_subjects = vouched.filter(|_| verified_by.is_none());
    if verified_by.is_none() && verified_subjects.is_none() {
        let message = "no claim shows that the address was verified: none counts";
        sink.warning(&at.name("verifiedBy"), Code::Missing, message, None);
    }
    // A domain that the type maps stays in force, whatever the address is: it only takes away.
    let domain = said_or(domain, usual.and_then(|it| it.domain)).ok()?;
    is_whole.then_some(EmailClaim {
        path,
        verified_by,
        verified_subjects,
        domain,
    })
}

fn client(
    preset: &Preset,
    at: &FieldPath,
    field: &Field<DomainOrPath>,
    sink: &mut Sink,
) -> Vec<ClaimPath> {
    match nested(at, field, sink) {
        Said::Absent => preset::claims(preset.client),
        Said::Known(path) => vec![path],
        Said::Unknown => Vec::new(),
    }
}

fn actor(
    preset: &Preset,
    at: &FieldPath,
    field: &Field<ActorMapping>,
    sink: &mut Sink,
) -> Result<Option<ClaimPath>, Unreadable> {
    let usual = preset.actor.map(preset::claim);
    let written = match sink.field(at, field) {
        Said::Absent => return Ok(usual),
        Said::Known(written) => written,
        Said::Unknown => return Err(Unreadable),
    };
    let is_whole = !sink.unread(at, &written.unread, &["path"]);
    let path = required(&at.name("path"), &written.path, sink);
    path.filter(|_| is_whole).map(Some).ok_or(Unreadable)
}

/// A claim that stands in a `path` of its own.
fn nested(at: &FieldPath, field: &Field<DomainOrPath>, sink: &mut Sink) -> Said<ClaimPath> {
    match sink.field(at, field) {
        Said::Absent => Said::Absent,
        Said::Known(written) => {
            let is_whole = !sink.unread(at, &written.unread, &["path"]);
            let path = required(&at.name("path"), &written.path, sink).filter(|_| is_whole);
            path.map_or(Said::Unknown, Said::Known)
        }
        Said::Unknown => Said::Unknown,
    }
}

fn required(at: &FieldPath, field: &Field<List<String>>, sink: &mut Sink) -> Option<ClaimPath> {
    sink.required(at, field)
        .map(|keys| keys.iter().cloned().collect())
}

fn claim(at: &FieldPath, field: &Field<List<String>>, sink: &mut Sink) -> Said<ClaimPath> {
    match sink.field(at, field) {
        Said::Absent => Said::Absent,
        Said::Known(keys) => Said::Known(keys.iter().cloned().collect()),
        Said::Unknown => Said::Unknown,
    }
}

/// It cannot be told where a claim is.
struct Unreadable;

/// What is said, or what is usual where nothing is.
fn said_or<T>(said: Said<T>, usual: Option<T>) -> Result<Option<T>, Unreadable> {
    match said {
        Said::Absent => Ok(usual),
        Said::Known(said) => Ok(Some(said)),
        Said::Unknown => Err(Unreadable),
    }
}
