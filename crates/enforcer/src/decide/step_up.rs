//! What a caller must come back with: better than what it has, and enough for all that is asked.

use crate::decision::{Challenge, Reason};

/// A rule would let the caller in but for its `require`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StepUp {
    /// What is missing.
    pub(super) reason: Reason,
    /// What would do.
    pub(super) challenge: Challenge,
}

impl StepUp {
    /// The login comes first, then scopes, and last what no token here can show: else that would hide
    /// what can be had. So nobody's name decides.
    const fn rank(&self) -> u8 {
        match self.reason {
            Reason::InsufficientUserAuthentication => 0,
            Reason::InsufficientScope => 1,
            _ => 2,
        }
    }

    /// Of two rules of which one is enough.
    pub(super) fn either(self, other: Self) -> Self {
        if other.rank() < self.rank() {
            other
        } else {
            self
        }
    }

    /// Of two that must both be met. The challenge does for both, so that nobody is sent twice.
    pub(super) fn both(self, other: Self) -> Self {
        let (first, second) = if other.rank() < self.rank() {
            (other, self)
        } else {
            (self, other)
        };
        let challenge = Challenge {
            error: first.challenge.error,
            scope: united(first.challenge.scope, second.challenge.scope),
            acr_values: shared(first.challenge.acr_values, &second.challenge.acr_values),
            max_age: smaller(first.challenge.max_age, second.challenge.max_age),
        };
        let reason = first.reason;
        Self { reason, challenge }
    }
}

/// All scopes, each once.
fn united(mut known: Vec<String>, more: Vec<String>) -> Vec<String> {
    for scope in more {
        if !known.contains(&scope) {
            known.push(scope);
        }
    }
    known
}

/// The contexts that do for both. If none does, no one login is enough: those of the first.
fn shared(first: Vec<String>, second: &[String]) -> Vec<String> {
    if first.is_empty() {
        return second.to_vec();
    }
    let both: Vec<String> = first
        .iter()
        .filter(|acr| second.contains(acr))
        .cloned()
        .collect();
    if both.is_empty() { first } else { both }
}

fn smaller(first: Option<u64>, second: Option<u64>) -> Option<u64> {
    match (first, second) {
        (Some(first), Some(second)) => Some(first.min(second)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::StepUp;
    use crate::decision::{Challenge, Reason};

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    fn login(acr: &[&str], max_age: Option<u64>, scope: &[&str]) -> StepUp {
        StepUp {
            reason: Reason::InsufficientUserAuthentication,
            challenge: Challenge {
                error: Some("insufficient_user_authentication"),
                scope: texts(scope),
                acr_values: texts(acr),
                max_age,
            },
        }
    }

    fn scopes(scope: &[&str]) -> StepUp {
        StepUp {
            reason: Reason::InsufficientScope,
            challenge: Challenge {
                error: Some("insufficient_scope"),
                scope: texts(scope),
                ..Challenge::default()
            },
        }
    }

    fn proof() -> StepUp {
        StepUp {
            reason: Reason::ProofOfPossessionRequired,
            challenge: Challenge::default(),
        }
    }

    #[test]
    fn of_two_that_would_each_do_the_login_comes_first_and_proof_last_in_any_order() {
        let (login, scopes, proof) = (login(&["phr"], None, &[]), scopes(&["a"]), proof());
        for (better, other) in [(&login, &scopes), (&login, &proof), (&scopes, &proof)] {
            assert_eq!(&better.clone().either(other.clone()), better);
            assert_eq!(&other.clone().either(better.clone()), better);
        }
    }

    #[test]
    fn a_challenge_does_for_both() {
        let asked = login(&["phr", "phrh"], Some(300), &["a"]);
        let boundary = login(&["mfa", "phrh"], Some(60), &["a", "b"]);
        assert_eq!(
            asked.clone().both(boundary),
            login(&["phrh"], Some(60), &["a", "b"])
        );
        let all = login(&["phr", "phrh"], Some(300), &["a", "b"]);
        assert_eq!(asked.clone().both(scopes(&["a", "b"])), all);
        assert_eq!(scopes(&["a", "b"]).both(asked.clone()), all);
        assert_eq!(scopes(&["a"]).both(scopes(&["b"])), scopes(&["a", "b"]));
        assert_eq!(proof().both(scopes(&["a"])), scopes(&["a"]));
        assert_eq!(asked.clone().both(login(&["pwd"], None, &[])), asked);
    }
}
