//! `require`: what a caller that matches must have done beside.

use super::matcher::{self, Reading};
use super::time::duration;
use super::{Said, Sink, short};
use crate::diagnostic::{Code, FieldPath};
use crate::field::{Field, List};
use crate::v1alpha1::RequireSpec;
use countersign_ruleset::rules::Require;

const REQUIRE: [&str; 5] = [
    "acrValues",
    "amr",
    "maxAuthAge",
    "proofOfPossession",
    "scopes",
];

/// What could not be read: it is never met.
pub(super) fn unknown() -> Require {
    Require {
        unknown: true,
        ..Require::default()
    }
}

/// Lowers what is asked. A part that cannot be read leaves the others, and is never met.
pub(super) fn lower(path: &FieldPath, written: &RequireSpec, sink: &mut Sink) -> Require {
    let mut unknown = sink.unread(path, &written.unread, &REQUIRE);
    let mut list = |name: &str, field, reading| {
        let (known, whole) = texts(&path.name(name), field, reading, sink);
        unknown |= !whole;
        known
    };
    let scopes = list("scopes", &written.scopes, scope);
    let acr_values = list("acrValues", &written.acr_values, word);
    let amr = list("amr", &written.amr, word);
    let max_auth_age = match age(&path.name("maxAuthAge"), &written.max_auth_age, sink) {
        Said::Absent => None,
        Said::Known(seconds) => Some(seconds),
        Said::Unknown => {
            unknown = true;
            None
        }
    };
    let bound = bound(
        &path.name("proofOfPossession"),
        &written.proof_of_possession,
        sink,
    );
    unknown |= bound == Said::Unknown;
    let require = Require {
        scopes,
        acr_values,
        amr,
        max_auth_age,
        proof_of_possession: bound == Said::Known(()),
        unknown,
    };
    if require == Require::default() {
        let message = "expected what a caller must have done, got nothing";
        let help = "leave `require` out to ask nothing".to_owned();
        sink.error(path, Code::UnreadableValue, message, Some(help));
        return self::unknown();
    }
    require
}

/// What could be read of a list, and whether all of it could.
fn texts(
    path: &FieldPath,
    field: &Field<List<String>>,
    reading: Reading,
    sink: &mut Sink,
) -> (Vec<String>, bool) {
    let members = match sink.field(path, field) {
        Said::Absent => return (Vec::new(), true),
        Said::Unknown => return (Vec::new(), false),
        Said::Known(members) => members.iter().enumerate(),
    };
    let read = members.map(|(n, text)| matcher::read(&path.index(n), text, reading, sink));
    let read: Vec<Option<String>> = read.collect();
    let whole = read.iter().all(Option::is_some);
    (read.into_iter().flatten().collect(), whole)
}

/// "scope-token = 1*( %x21 / %x23-5B / %x5D-7E )" (RFC 6749 §3.3).
fn scope(text: &str) -> Result<String, &'static str> {
    let is_token = |c: u8| matches!(c, b'!' | b'#'..=b'[' | b']'..=b'~');
    if !text.is_empty() && text.bytes().all(is_token) {
        Ok(text.to_owned())
    } else {
        Err("one scope, without blanks, quotes or `\\`")
    }
}

/// A challenge lists them with blanks between (RFC 9470 §3).
fn word(text: &str) -> Result<String, &'static str> {
    if !text.is_empty() && text.bytes().all(|c| c.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        Err("one value in ASCII, without blanks")
    }
}

/// An age of nothing would be met by no login.
fn age(path: &FieldPath, field: &Field<String>, sink: &mut Sink) -> Said<u64> {
    let text = match sink.field(path, field) {
        Said::Absent => return Said::Absent,
        Said::Unknown => return Said::Unknown,
        Said::Known(text) => text,
    };
    let message = match duration(text) {
        Ok(0) => format!("expected at least `1s`, got `{}`", short(text)),
        Ok(seconds) => return Said::Known(seconds),
        Err(message) => message,
    };
    sink.error(path, Code::InvalidValue, message, None);
    Said::Unknown
}

/// Asked for, it is never met as long as no edge can check it: a token that is bound to a key shows
/// nothing where the key is not asked for.
fn bound(path: &FieldPath, field: &Field<bool>, sink: &mut Sink) -> Said<()> {
    match sink.field(path, field) {
        Said::Absent => Said::Absent,
        Said::Unknown => Said::Unknown,
        Said::Known(true) => {
            let message = "`proofOfPossession` cannot be checked yet";
            let help = "as long as it stands here, the rule lets nobody in".to_owned();
            sink.error(path, Code::NotSupported, message, Some(help));
            Said::Known(())
        }
        Said::Known(false) => {
            let help = "leave it out to ask nothing by it".to_owned();
            let message = "expected `true`, got `false`";
            sink.error(path, Code::InvalidValue, message, Some(help));
            Said::Unknown
        }
    }
}
