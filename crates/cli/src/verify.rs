//! `countersign verify`: what an edge that starts now would put in force, by the edge's own verifier.

use crate::Exit;
use crate::args::Verify;
use crate::finding::count;
use crate::publish;
use crate::report::Answer;
use crate::signing;
use anyhow::{Context, Result, bail};
use countersign_enforcer::load::Directory;
use countersign_ruleset::names::Scope;
use countersign_ruleset::refusal::Refusal;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::DEFAULT_VALIDITY;
use countersign_ruleset::verifier::{Options, Outcome, Ruleset, State, Verifier};
use serde_json::{Value, json};

/// Verifies.
pub(crate) fn run(args: &Verify, now: UnixTime) -> Result<Answer> {
    let trust = signing::read_trust(&args.trust_root).context("--trust-root")?;
    let there = publish::scopes(&args.folder)?.into_iter().collect();
    let scopes = if args.scopes.is_empty() {
        there
    } else {
        args.scopes.clone()
    };
    if scopes.is_empty() {
        bail!(
            "{}: expected SCOPE/manifest.json, got none: name the folder that `countersign compile` \
             wrote with --out",
            args.folder.display()
        );
    }
    let (mut lines, mut json, mut exit) = (Vec::new(), Vec::new(), Exit::Fine);
    for scope in &scopes {
        match look(args, &trust, scope, now) {
            Ok(ruleset) => {
                lines.extend(told(scope, &ruleset));
                json.push(written(scope, &ruleset));
            }
            Err(refusal) => {
                exit = Exit::Found;
                let (name, advice) = (refusal.as_str(), advice(&refusal));
                lines.push(format!("{scope}: refused: {name}: {refusal}"));
                lines.extend(advice.map(|advice| format!("  {advice}")));
                json.push(json!({"scope": scope, "refused": name, "because": refusal.to_string()}));
            }
        }
    }
    Ok(Answer {
        findings: Vec::new(),
        lines,
        json: json!({"scopes": json}),
        exit,
    })
}

fn look(args: &Verify, trust: &[u8], scope: &Scope, now: UnixTime) -> Result<Ruleset, Refusal> {
    let options = Options::new(args.cluster.clone());
    let mut verifier = Verifier::start(trust, options, State::default())?;
    let mut carrier = Directory::new(args.folder.clone());
    match verifier.accept(scope, &mut carrier, now, false).outcome? {
        Outcome::InForce(accepted) => Ok(accepted.ruleset.into_inner()),
        // nothing was in force before
        Outcome::Unchanged => Err(Refusal::NotFound {
            scope: scope.clone(),
        }),
    }
}

fn told(scope: &Scope, ruleset: &Ruleset) -> Vec<String> {
    let manifest = &ruleset.manifest;
    let mut lines = vec![
        format!(
            "{scope}: {}, {}, {}",
            count(ruleset.rules.applications.len(), "application"),
            count(ruleset.rules.rules().count(), "rule"),
            count(ruleset.keys.providers.len(), "provider"),
        ),
        format!(
            "  serial {} under trust {}",
            manifest.serial, manifest.trust
        ),
        format!("  digest {}", ruleset.digest),
        format!(
            "  issued {}, expires {}",
            manifest.issued_at, manifest.expires_at
        ),
    ];
    if is_long(ruleset) {
        let days = manifest.expires_at.since(manifest.issued_at) / 86_400;
        lines.push(format!(
            "  warning: it holds for {days} days: a revocation reaches an edge that is cut off only then"
        ));
    }
    lines
}

/// Whether it holds for longer than a root allows unless it says so.
fn is_long(ruleset: &Ruleset) -> bool {
    let manifest = &ruleset.manifest;
    manifest.expires_at.since(manifest.issued_at) > DEFAULT_VALIDITY
}

fn written(scope: &Scope, ruleset: &Ruleset) -> Value {
    let manifest = &ruleset.manifest;
    json!({
        "scope": scope,
        "serial": manifest.serial,
        "trust": manifest.trust,
        "digest": ruleset.digest,
        "issuedAt": manifest.issued_at.to_string(),
        "expiresAt": manifest.expires_at.to_string(),
        "applications": ruleset.rules.applications.len(),
        "rules": ruleset.rules.rules().count(),
        "providers": ruleset.keys.providers.len(),
        "long": is_long(ruleset),
    })
}

/// What to do about a refusal, where its text does not say.
fn advice(refusal: &Refusal) -> Option<&'static str> {
    Some(match refusal.as_str() {
        "BadSignature" | "BlobDigest" | "BlobSize" | "BlobDecoded" => {
            "it was changed after it was signed: publish it anew, and see who can write there"
        }
        "UnknownKey" => "sign with a key that the trust document names, or pin that key's document",
        "RemovedKey" => "its key was withdrawn: sign it anew with the current one",
        "NotFound" => "publish it, or look whether the scope is spelt as its namespace",
        "WrongCluster" => "name the cluster it was published for, or publish for this one",
        "NotDelegated" => "let the root sign a trust document that delegates the scope",
        "TrustUnknown" => "publish the trust documents in between, too",
        "BlobMissing" => "publish it anew: a copy without blobs/ is not whole",
        _ => return None,
    })
}
