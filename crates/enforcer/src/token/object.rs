//! One strict reading of a token's JSON: each name once, sixteen levels, nothing after the end.

use super::compact::{MAX_HEADER, MAX_TOKEN};
use super::invalid::{Invalid, Part};
use countersign_ruleset::json::{self, Limits, Malformed};
use serde_json::{Map, Value};

/// "The Claim Names within a JWT Claims Set MUST be unique" (RFC 7519 §4), the header's too (RFC
/// 7515 §4): of two readers one would believe the first, the other the last.
pub(super) fn read(octets: &[u8], part: Part) -> Result<Map<String, Value>, Invalid> {
    let bytes = if part == Part::Header {
        MAX_HEADER
    } else {
        MAX_TOKEN
    };
    json::object(
        octets,
        Limits {
            bytes,
            ..Limits::TOKEN
        },
    )
    .map_err(|malformed| match malformed {
        Malformed::DuplicateMember { .. } => Invalid::DuplicateMember(part),
        Malformed::TooLong { .. } => Invalid::TooLarge,
        Malformed::IntegerTooLarge { .. }
        | Malformed::NotJson { .. }
        | Malformed::NotUtf8 { .. }
        | Malformed::ReservedMember { .. }
        | Malformed::Shape { .. }
        | Malformed::TooDeep { .. } => Invalid::MalformedObject(part),
    })
}
