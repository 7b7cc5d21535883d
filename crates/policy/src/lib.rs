//! What an operator may write: the resource types, and the function that compiles them.
//!
//! ```text
//! manifests ─► Resources::read ─► compile ─► rulesets (rules, keys), diagnostics, a status for each
//! ```
//!
//! It is pure: no clock, no file, no socket. A user's mistake is never an error here: what can be
//! read but is wrong becomes rules that give no access, and a diagnostic that says so.
//!
//! ```
//! use countersign_policy::{Resources, compile};
//! use serde_json::json;
//! use std::collections::BTreeMap;
//!
//! let policy = json!({
//!     "apiVersion": "countersign.dev/v1alpha1",
//!     "kind": "AccessPolicy",
//!     "metadata": {"namespace": "shop", "name": "orders"},
//!     "spec": {
//!         "hosts": ["orders.example.com"],
//!         "rules": [{"name": "open", "from": [{"anyone": true}], "too": [{"paths": ["/open"]}]}],
//!     },
//! });
//! let resources = Resources::read(&[policy]).unwrap();
//! let compilation = compile(&resources, &BTreeMap::new());
//!
//! // a misspelt restriction never vanishes
//! let wrong = &compilation.diagnostics[0];
//! assert_eq!(wrong.path.to_string(), "spec.rules[0].to");
//! assert_eq!(compilation.diagnostics[1].help.as_deref(), Some("did you mean `to`?"));
//! let rules = &compilation.rulesets.values().next().unwrap().rules;
//! assert!(rules.applications[0].policies[0].rules[0].to[0].unknown);
//! ```

pub mod admission;
mod cel;
pub mod compile;
pub mod crd;
pub mod diagnostic;
pub mod field;
pub mod jwks;
mod lower;
pub mod preset;
pub mod resources;
pub mod v1alpha1;

pub use compile::{Compilation, Compiled, compile};
pub use resources::Resources;
