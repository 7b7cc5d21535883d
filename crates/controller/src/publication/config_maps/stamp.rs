//! When the API server took a ConfigMap as it is, by its own clock.

use countersign_ruleset::time::UnixTime;
use k8s_openapi::api::core::v1::ConfigMap;

/// The latest time that it has set down; `None` if somebody has taken them out.
pub(super) fn written(map: &ConfigMap) -> Option<UnixTime> {
    let fields = map.metadata.managed_fields.iter().flatten();
    let times = fields.filter_map(|field| field.time.as_ref());
    let seconds = times.filter_map(|time| u64::try_from(time.0.as_second()).ok());
    seconds.max().map(UnixTime)
}
