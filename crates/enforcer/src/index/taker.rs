//! Which of the applications of one host a request is for.

use super::{Asked, Index, Protected};
use crate::request::Request;
use countersign_ruleset::kleene::Kleene;

/// Why no application of a host takes a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Untaken {
    /// It cannot be told which does.
    Ambiguous,
    /// None of them does.
    ByNobody,
}

impl Index {
    /// The application among those of one host that takes the request: routes may share a host, and
    /// then each takes what precedence sends to it. What cannot be told is nobody's.
    pub(crate) fn taker(
        &self,
        places: &[usize],
        request: &Request<'_>,
    ) -> Result<&Protected, Untaken> {
        let asked = Asked::of(request, false);
        let all = || places.iter().filter_map(|&n| self.applications.get(n));
        let several = places.len() > 1;
        if all().any(|one| !one.sections.is_route()) {
            let only = all().next().filter(|_| !several);
            return only.ok_or(Untaken::Ambiguous);
        }
        if let Some(taker) = all().find(|one| one.sections.takes(None, asked) == Kleene::True) {
            return Ok(taker);
        }
        // alone, it is asked whatever its matches are; but not for what may be sent to another
        if all().any(|one| one.sections.is_contested(asked)) {
            return Err(Untaken::Ambiguous);
        }
        let only = all().next().filter(|_| !several);
        only.ok_or(Untaken::ByNobody)
    }
}
