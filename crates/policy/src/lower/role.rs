//! Roles: who holds one, said once.

use super::Sink;
use super::from::{self, Of};
use super::place::{Place, World};
use crate::diagnostic::{FieldPath, ResourceId};
use crate::v1alpha1::AccessRoleSpec;
use countersign_ruleset::rules::Entry;

const ROLE: [&str; 1] = ["members"];

/// The entries of a role's members, of which one suffices. A cluster's role takes the word of the
/// cluster's providers only.
pub(crate) fn lower(
    world: &World,
    id: &ResourceId,
    spec: &AccessRoleSpec,
    sink: &mut Sink,
) -> Vec<Entry> {
    let namespace = Some(id.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let place = Place { world, namespace };
    let path = FieldPath::spec();
    let misspelt = sink.unread(&path, &spec.unread, &ROLE);
    let members = from::entries(place, Of::Role, &path.name("members"), &spec.members, sink);
    if misspelt {
        from::spoilt(place, &members)
    } else {
        members
    }
}
