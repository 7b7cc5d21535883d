//! Where browsers are sent to log in.
//!
//! It gives no access: who comes back is a caller like any other. What cannot be read sends nobody.

use super::place::{Found, Place};
use super::{Said, Sink};
use crate::diagnostic::{Code, FieldPath};
use crate::field::Field;
use crate::v1alpha1::Login;
use countersign_ruleset::names::ProviderId;

/// The provider at which browsers log in. What leads to none that can be used may have meant another.
pub(super) fn login(
    place: Place<'_>,
    path: &FieldPath,
    field: &Field<Login>,
    sink: &mut Sink,
) -> Said<ProviderId> {
    match sink.field(path, field) {
        Said::Absent => Said::Absent,
        Said::Unknown => Said::Unknown,
        Said::Known(written) => {
            provider(place, path, written, sink).map_or(Said::Unknown, Said::Known)
        }
    }
}

fn provider(
    place: Place<'_>,
    path: &FieldPath,
    written: &Login,
    sink: &mut Sink,
) -> Option<ProviderId> {
    let is_whole = !sink.unread(path, &written.unread, &["providerRef"]);
    let path = path.name("providerRef");
    let reference = sink.required(&path, &written.provider_ref)?;
    let Found::This(named) = place.provider(&path, reference, sink) else {
        return None;
    };
    let has_client = |it: &countersign_ruleset::provider::Provider| it.client.is_some();
    if !named.lowered.provider.as_ref().is_some_and(has_client) {
        let message = format!(
            "{} has no `client`: nobody is sent there to log in",
            named.id
        );
        let help = "write in its spec `client: {id: …}`: what it knows this application as";
        sink.error(&path, Code::Missing, message, Some(help.to_owned()));
        return None;
    }
    is_whole.then_some(named.id)
}
