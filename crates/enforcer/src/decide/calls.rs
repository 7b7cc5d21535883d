//! The calls of a body: each is decided as a request of its own, and every one must be let in.

use super::matching::Setting;
use crate::decision::{Reason, RuleRef, Verdict};
use crate::index::{Guard, Protected};
use crate::mcp::AtHand;

/// What is decided of one request, or of one of its calls.
pub(super) type Judged = (Reason, Verdict, Vec<RuleRef>);

/// Judges every call. One that is denied denies them all, and the first such gives the reason: else a
/// batch would carry a forbidden call past the rules beside an allowed one.
pub(super) fn judge(guard: &Guard, target: &Protected, setting: &Setting<'_>) -> Judged {
    one_by_one(guard, target, setting).0
}

/// The call that gives the reason, and which it is of how many; of those that pass, the last.
pub(crate) fn telling<'a>(
    guard: &Guard,
    target: &Protected,
    setting: &Setting<'a>,
) -> (AtHand<'a>, usize, usize) {
    let (at_hand, place) = one_by_one(guard, target, setting).1;
    (at_hand, place, setting.request.calls().each().count())
}

fn one_by_one<'a>(
    guard: &Guard,
    target: &Protected,
    setting: &Setting<'a>,
) -> (Judged, (AtHand<'a>, usize)) {
    let mut each = setting.request.calls().each().enumerate();
    let judge = |at_hand| {
        super::judge(
            guard,
            target,
            &Setting {
                at_hand,
                ..*setting
            },
        )
    };
    let (mut place, mut at_hand) = each.next().unwrap_or((0, AtHand::Unseen));
    let mut judged = judge(at_hand);
    while let (Verdict::Permit(_), Some(next)) = (&judged.1, each.next()) {
        (place, at_hand) = next;
        let (reason, verdict, rules) = judge(at_hand);
        let known = match verdict {
            Verdict::Permit(_) => std::mem::take(&mut judged.2),
            Verdict::Deny(_) => Vec::new(),
        };
        judged = (reason, verdict, joined(known, rules));
    }
    (judged, (at_hand, place))
}

/// All the rules that let calls in, each once.
fn joined(mut known: Vec<RuleRef>, more: Vec<RuleRef>) -> Vec<RuleRef> {
    for rule in more {
        if !known.contains(&rule) {
            known.push(rule);
        }
    }
    known
}
