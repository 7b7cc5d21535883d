//! What a replica heard from edges, as it tells it to the others: one document, and no larger than a ConfigMap.
//!
//! ```text
//! {"at": 1795521600, "scopes": {"shop": {"edges": [[UID, NAME, TRUST, SERIAL, AGE], …], "unlisted": 0}}}
//! ```
//!
//! Clocks of replicas differ: what travels is how long ago an edge spoke, counted back from when the
//! document came.

use super::acknowledgements::{Acknowledgement, Heard, MOST, Pod, Words};
use countersign_ruleset::names::Scope;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::verifier::Order;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};

#[cfg(test)]
mod tests;

/// The most edges that are listed.
const LISTED: usize = 20_000;

/// The most bytes, compressed: a ConfigMap holds 1 MiB.
const BYTES: usize = 900 << 10;

/// The most bytes, unpacked, that are read.
const UNPACKED: u64 = 16 << 20;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    /// When it was written, by its writer's clock: nobody judges by it, but two that are written at two
    /// times are two.
    at: UnixTime,
    scopes: BTreeMap<Scope, Told>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    edges: Vec<Row>,
    unlisted: usize,
}

/// A pod's UID and name, the place of what it has in force, and how many seconds ago it said so.
#[derive(Debug, Serialize, Deserialize)]
struct Row(String, String, u64, u64, u64);

/// What is told. Where there are too many edges those of the largest namespaces are only counted, and
/// nothing is taken to be in force there. Nothing at all comes of what cannot even be counted, and
/// nobody can read that.
pub(crate) fn written(words: &Words, now: UnixTime) -> io::Result<Vec<u8>> {
    let mut most = LISTED;
    loop {
        let packed = packed(&serde_json::to_vec(&document(words, most, now))?)?;
        if packed.len() <= BYTES {
            return Ok(packed);
        }
        if most == 0 {
            return Ok(Vec::new());
        }
        // whoever has very long names gets fewer of them told
        most /= 2;
    }
}

fn document(words: &Words, most: usize, now: UnixTime) -> Document {
    let mut by_size: Vec<(&Scope, &Heard)> = words.iter().collect();
    by_size.sort_by_key(|(_, heard)| heard.edges.len());
    let mut left = most;
    let told = by_size.into_iter().map(|(scope, heard)| {
        let fits = heard.edges.len() <= left;
        left = left.saturating_sub(heard.edges.len());
        (scope.clone(), told(heard, fits, now))
    });
    Document {
        at: now,
        scopes: told.collect(),
    }
}

fn told(heard: &Heard, is_listed: bool, now: UnixTime) -> Told {
    if !is_listed {
        let unlisted = heard.unlisted.saturating_add(heard.edges.len());
        let edges = Vec::new();
        return Told { edges, unlisted };
    }
    let rows = heard.edges.values().map(|edge| {
        let (pod, order) = (edge.pod.clone(), edge.order);
        let age = now.since(edge.seen_at);
        Row(pod.uid, pod.name, order.trust, order.serial, age)
    });
    Told {
        edges: rows.collect(),
        unlisted: heard.unlisted,
    }
}

/// What another replica heard, if this is a document that came now.
pub(crate) fn read(packed: &[u8], now: UnixTime) -> Option<Words> {
    let mut bytes = Vec::new();
    let unpacking = GzDecoder::new(packed);
    unpacking.take(UNPACKED).read_to_end(&mut bytes).ok()?;
    let document: Document = serde_json::from_slice(&bytes).ok()?;
    let scopes = document.scopes.into_iter();
    Some(
        scopes
            .map(|(scope, told)| (scope, heard(told, now)))
            .collect(),
    )
}

fn heard(told: Told, now: UnixTime) -> Heard {
    let beyond = told.edges.len().saturating_sub(MOST);
    let edges = told.edges.into_iter().take(MOST);
    let edges = edges.map(|Row(uid, name, trust, serial, age)| {
        let said = Acknowledgement {
            pod: Pod {
                uid: uid.clone(),
                name,
            },
            order: Order { trust, serial },
            seen_at: now.minus(age),
        };
        (uid, said)
    });
    Heard {
        edges: edges.collect(),
        unlisted: told.unlisted.saturating_add(beyond),
    }
}

fn packed(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}
