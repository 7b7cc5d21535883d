//! A tunnel between a caller and the upstream, after both have agreed to leave HTTP.

use crate::connection::Tie;
use crate::id::DecisionId;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

/// Opens it once both sides have switched, and closes it when either side does, or a stop's grace is
/// over. It keeps its connection's place.
pub(crate) fn open(caller: OnUpgrade, service: OnUpgrade, mut held: Tie, id: DecisionId) {
    tokio::spawn(async move {
        let (caller, service) = match futures::try_join!(caller, service) {
            Ok(both) => both,
            Err(error) => {
                tracing::debug!(decision = %id, %error, "a tunnel did not open");
                return;
            }
        };
        let (mut caller, mut service) = (TokioIo::new(caller), TokioIo::new(service));
        tokio::select! {
            // Either side may leave at any time; that is how tunnels end.
            _ = copy_bidirectional(&mut caller, &mut service) => {}
            () = held.is_cut() => tracing::debug!(decision = %id, "a tunnel was cut off"),
        }
    });
}
