//! The oracle's reading of one rule: whether it matches, and what it still asks.

use super::facts::Fact;
use super::pool::{EARLIER, LATER, NOW};
use super::sent::Call;
use super::token::is_for;
use super::truth::{Part, Truth, every, misspelt, part, some};
use super::what::alternatives;
use super::when;
use super::who::{For, Place};
use serde_json::{Value, json};

pub(crate) const RULE: [&str; 8] = [
    "action",
    "description",
    "expiresAt",
    "from",
    "name",
    "require",
    "to",
    "when",
];
pub(crate) const CLUSTER_RULE: [&str; 6] = ["description", "from", "name", "require", "to", "when"];

/// What a rule that lets in, lets in. In order: the better for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lets {
    /// Nobody.
    None,
    /// Another audience's tokens.
    OtherAudience,
    /// Whoever does what is asked beside.
    After(Step),
    /// The caller.
    In,
}

/// What a caller must do beside. In order: what is asked first comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Bind,
    Scopes,
    LogIn,
}

impl Step {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Bind => "ProofOfPossessionRequired",
            Self::Scopes => "InsufficientScope",
            Self::LogIn => "InsufficientUserAuthentication",
        }
    }
}

/// An Allow of a policy with these audiences; a boundary's rule hears everyone.
pub(crate) fn lets(
    rule: &Value,
    known: &[&str],
    place: Place<'_>,
    audiences: Option<&[String]>,
    call: &Call<'_>,
) -> Lets {
    // 26: what is asked beside and cannot be read is never met.
    let Ok(missing) = missing(rule, call) else {
        return Lets::None;
    };
    let matches = |audiences| every([matches(rule, known, place, audiences, call), still(rule)]);
    match (matches(audiences), missing) {
        (Some(true), None) => Lets::In,
        (Some(true), Some(step)) => Lets::After(step),
        _ if matches(None) == Some(true) => Lets::OtherAudience,
        _ => Lets::None,
    }
}

/// 4: the and of `from`, of `to` with `when` for each of its alternatives, and that nothing else is said.
pub(crate) fn matches(
    rule: &Value,
    known: &[&str],
    place: Place<'_>,
    audiences: Option<&[String]>,
    call: &Call<'_>,
) -> Truth {
    let (asks, says_whose) = super::word::asks_of_token(rule);
    let counts = |entry: &Value| {
        let anyone = entry.get("anyone").is_some();
        // An Allow counts only for its own policy's audiences; 11: but for `anyone`, where nothing that a
        // token says is asked.
        let heard = match (audiences, &call.caller) {
            (Some(audiences), Some(caller)) => anyone && !asks || is_for(audiences, caller),
            _ => true,
        };
        // An Allow for anyone says for what, and by whose word it takes what it requires.
        let said = rule.get("to").is_some() && (rule.get("require").is_none() || says_whose);
        match heard {
            true if anyone && place.effect == For::Allow && !said => None,
            true => place.entry(entry, call.caller.as_ref()),
            false => Some(false),
        }
    };
    let from = match part(rule, "from") {
        Part::List(entries) => some(entries.iter().map(counts)),
        Part::Absent | Part::Unknown | Part::Other => None,
    };
    // 19: an Allow needs one alternative that is true, a Deny acts on any that is not false.
    let what = some(
        alternatives(rule, place.effect, call)
            .iter()
            .map(|(fits, captures)| every([*fits, when::holds(rule, captures, place, call)])),
    );
    // 2: any other unknown field makes an Allow unknown.
    let whole = (!misspelt(rule, known)).then_some(true);
    every([from, what, whole])
}

/// 4: whether an Allow has not ended. The scenes know one time before now, and one after.
pub(crate) fn still(rule: &Value) -> Truth {
    match rule.get("expiresAt").map(|end| end.as_str()) {
        None | Some(Some(LATER)) => Some(true),
        Some(Some(EARLIER)) => Some(false),
        Some(_) => None,
    }
}

/// 26: what a caller that matches must do beside: `acr`, methods or age before scopes. What is asked and
/// cannot be read is never met.
fn missing(rule: &Value, call: &Call<'_>) -> Result<Option<Step>, ()> {
    const REQUIRE: [&str; 5] = [
        "acrValues",
        "amr",
        "maxAuthAge",
        "proofOfPossession",
        "scopes",
    ];
    let Some(require) = rule.get("require") else {
        return Ok(None);
    };
    let members = require.as_object().map_or(0, serde_json::Map::len);
    if members == 0 || misspelt(require, &REQUIRE) {
        return Err(());
    }
    let asked = |name: &str| match part(require, name) {
        Part::Absent => Ok(Vec::new()),
        Part::List(all) => {
            let texts = all.iter().map(|one| one.as_str().map(str::to_owned));
            texts.collect::<Option<Vec<_>>>().ok_or(())
        }
        Part::Unknown | Part::Other => Err(()),
    };
    let (scopes, contexts, methods) = (asked("scopes")?, asked("acrValues")?, asked("amr")?);
    let age = require
        .get("maxAuthAge")
        .map(|age| seconds(age).ok_or(()))
        .transpose()?;
    // What only `true` can say is unknown otherwise, as `anyone: false` is.
    let bound = match require.get("proofOfPossession") {
        None => false,
        Some(Value::Bool(true)) => true,
        Some(_) => return Err(()),
    };
    let claim = |name: &str| {
        let caller = call.caller.as_ref();
        caller.map_or(Fact::Absent, |caller| caller.claim(&json!([name])))
    };
    let context = claim("acr").text().unwrap_or_default();
    let used = claim("amr").texts().unwrap_or_default();
    let login = match claim("auth_time") {
        Fact::Said(time) => time.as_i64(),
        Fact::Absent | Fact::Unknown => None,
    };
    let fresh = age.is_none_or(|age| login.is_some_and(|login| NOW.saturating_sub(login) <= age));
    let strong = (contexts.is_empty() || contexts.iter().any(|one| context.contains(one)))
        && methods.iter().all(|one| used.contains(one));
    let granted = call
        .caller
        .as_ref()
        .map_or(Fact::Absent, |caller| caller.first("scopes"));
    let granted = granted.one_or_more().unwrap_or_default().join(" ");
    let granted: Vec<&str> = granted.split(' ').collect();
    Ok(match () {
        () if !(fresh && strong) => Some(Step::LogIn),
        () if !scopes.iter().all(|one| granted.contains(&one.as_str())) => Some(Step::Scopes),
        // No token that is shown here is bound.
        () if bound => Some(Step::Bind),
        () => None,
    })
}

/// 20: a duration of GEP-2257, of one unit.
pub(crate) fn seconds(age: &Value) -> Option<i64> {
    let (number, unit) = age
        .as_str()?
        .split_at_checked(age.as_str()?.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(unit)
}

/// 2: any `action` but Allow is a Deny; so is an unknown field with the value `deny`, or one whose
/// nearest name is `action`.
pub(crate) fn is_deny(rule: &Value) -> bool {
    let members = rule.as_object().into_iter().flatten();
    members
        .into_iter()
        .any(|(name, value)| match name.as_str() {
            "action" => value != "Allow",
            known if RULE.contains(&known) => false,
            unknown => {
                let deny = value
                    .as_str()
                    .is_some_and(|value| value.eq_ignore_ascii_case("deny"));
                deny || ["acton", "actoin", "Action", "actions"].contains(&unknown)
            }
        })
}
