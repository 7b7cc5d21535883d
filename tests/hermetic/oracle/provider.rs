//! The oracle's reading of providers: which there are, and which of them can be read.

use super::meaning::list;
use super::preset::{is_of_aws, laid_over, preset, tenant_of};
use super::rule::seconds;
use super::truth::{Part, misspelt, part, text};
use super::{World, memory};
use serde_json::{Value, json};
use std::rc::Rc;

/// A provider, with what its type says where its resource does not.
pub(crate) struct Provider {
    /// `KIND/NAME`.
    pub(crate) id: String,
    pub(crate) spec: Value,
    /// Every `iss` of its tokens.
    pub(crate) names: Vec<String>,
}

const SPEC: [&str; 13] = [
    "algorithms",
    "audit",
    "claims",
    "client",
    "clockSkew",
    "issuer",
    "issuerAliases",
    "keys",
    "maxLifetime",
    "revocations",
    "tenants",
    "tokenTypes",
    "type",
];
const KEYS: [&str; 4] = ["caBundle", "inline", "jwksURL", "proxyURL"];
const CLAIMS: [&str; 4] = ["actor", "client", "email", "groups"];
const ALGORITHMS: [&str; 9] = [
    "ES256", "ES384", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512",
];
/// Where Entra serves all its customers: no token is of this name, for each has its own.
const COMMON: [&str; 2] = [
    "https://login.microsoftonline.com/common/v2.0",
    "https://login.microsoftonline.com/organizations/v2.0",
];

impl Provider {
    pub(crate) fn is_namespaced(&self) -> bool {
        self.id.starts_with("TrustProvider/")
    }

    /// 46: what says whose tokens count must be read whole; nothing, if it cannot.
    fn of(resource: &Value) -> Option<Self> {
        let said = &resource["spec"];
        let usual = preset(text(said, "type"), text(said, "issuer"))?;
        let mut spec = usual.clone();
        laid_over(&mut spec, said);
        spec["claims"] = claims(said, &usual)?;
        let names = names(said);
        let cluster = resource["kind"] == "ClusterTrustProvider";
        let whole = !misspelt(said, &SPEC)
            && is_url(&spec["issuer"])
            && (said.get("tenants").is_none() || are_tenants(&mut spec))
            && (!COMMON.contains(&text(said, "issuer")) || said.get("tenants").is_some())
            && are_keys(said, cluster)
            && one_of(&spec, "algorithms", |name| ALGORITHMS.contains(&name))
            && are_types(said, &spec)
            && seconds(&spec["maxLifetime"]).is_some_and(|it| (1..=2_592_000).contains(&it))
            && seconds(&spec["clockSkew"]).is_some_and(|it| (0..=60).contains(&it))
            && are_revocations(said);
        // 12: by whatever name it serves everybody.
        let everybodys = |name: &String| tenant_of(name).is_some();
        let shared = names.iter().any(everybodys) && said.get("tenants").is_none();
        spec["shared"] = json!(shared);
        let id = format!(
            "{}/{}",
            text(resource, "kind"),
            text(&resource["metadata"], "name")
        );
        whole.then_some(Self { id, spec, names })
    }
}

/// Every name that it claims, as far as that can be read: a mistake in one makes no room for another.
pub(crate) fn names(said: &Value) -> Vec<String> {
    let usual = preset(text(said, "type"), text(said, "issuer")).unwrap_or_default();
    let issuer = said.get("issuer").unwrap_or(&usual["issuer"]);
    let mut names: Vec<Value> = match issuer.as_str() {
        Some(common) if COMMON.contains(&common) => {
            let of = |tenant: &Value| {
                tenant
                    .as_str()
                    .map(|id| json!(format!("https://login.microsoftonline.com/{id}/v2.0")))
            };
            list(said, "tenants").iter().filter_map(of).collect()
        }
        _ => vec![issuer.clone()],
    };
    if *issuer == usual["issuer"] {
        names.extend(list(&usual, "others").iter().cloned());
    }
    let aliases = list(said, "issuerAliases");
    if aliases.iter().all(Value::is_string) {
        names.extend(aliases.iter().cloned());
    }
    let name = |name: &Value| name.as_str().map(str::to_owned);
    names.iter().filter_map(name).collect()
}

/// Where its claims are. One that cannot be read is nowhere; but for the actor, or an agent would pass for
/// the person for whom it acts: then nothing.
fn claims(said: &Value, usual: &Value) -> Option<Value> {
    let mut claims = usual["claims"].clone();
    let Some(written) = said.get("claims") else {
        return Some(claims);
    };
    if !written.is_object() || misspelt(written, &CLAIMS) {
        return None;
    }
    if written.get("actor").is_some() && !is_mapping(&written["actor"], &["path"]) {
        return None;
    }
    for name in CLAIMS.iter().filter(|name| written.get(**name).is_some()) {
        let one = &written[*name];
        claims[*name] = match *name {
            "groups" => groups(one, &claims["groups"]),
            "email" => email(one, &claims["email"]),
            _ if is_mapping(one, &["path"]) => one.clone(),
            _ => Value::Null,
        };
    }
    Some(claims)
}

fn groups(one: &Value, usual: &Value) -> Value {
    let path = one.get("path").unwrap_or(&usual["path"]);
    let empty = one.get("whenAbsent").is_some_and(|it| it == "Empty");
    let readable = one.is_object() && !misspelt(one, &["path", "whenAbsent"]) && is_path(path);
    let when = if empty { "Empty" } else { "Unknown" };
    if readable {
        json!({"path": path, "whenAbsent": when})
    } else {
        Value::Null
    }
}

/// What shows that an address was verified is said of one claim. The domain that a type maps stays.
fn email(one: &Value, usual: &Value) -> Value {
    let mut all = json!({"path": one.get("path").unwrap_or(&usual["path"])});
    if all["path"] == usual["path"] {
        all = usual.clone();
    } else if let Some(domain) = usual.get("domain") {
        all["domain"] = domain.clone();
    }
    let mut readable = one.is_object() && !misspelt(one, &["domain", "path", "verifiedBy"]);
    readable &= is_path(&all["path"]);
    for name in ["domain", "verifiedBy"] {
        if let Some(said) = one.get(name) {
            readable &= is_mapping(said, &["path"]);
            all[name] = said.clone();
        }
    }
    if readable { all } else { Value::Null }
}

fn is_mapping(one: &Value, known: &[&str]) -> bool {
    one.is_object() && !misspelt(one, known) && is_path(&one["path"])
}

/// A list of keys, outermost first.
fn is_path(path: &Value) -> bool {
    let keys = path.as_array();
    keys.is_some_and(|keys| !keys.is_empty() && keys.iter().all(Value::is_string))
}

/// The https scheme, a host and perhaps a path.
fn is_url(url: &Value) -> bool {
    let rest = url.as_str().and_then(|url| url.strip_prefix("https://"));
    rest.is_some_and(|rest| {
        let host = rest.split('/').next().unwrap_or_default();
        !host.is_empty() && !rest.contains(['?', '#', '@', ' ', '\\'])
    })
}

/// Whether there is a member that there can be; others are nothing.
fn one_of(spec: &Value, name: &str, can_be: impl Fn(&str) -> bool) -> bool {
    let texts = list(spec, name);
    let all: Option<Vec<_>> = texts.iter().map(Value::as_str).collect();
    all.is_some_and(|all| all.into_iter().any(can_be))
}

/// The types of token that are asked for, of those that it has.
fn are_types(said: &Value, spec: &Value) -> bool {
    let has = |name: &str| list(spec, "forms").iter().any(|form| form[0] == name);
    let written = ["AccessToken", "IDToken"];
    said.get("tokenTypes").is_none()
        || one_of(spec, "tokenTypes", |name| {
            written.contains(&name) && has(name)
        })
}

/// Where they are named. Google's are domains, or projects by their service accounts' addresses.
fn are_tenants(spec: &mut Value) -> bool {
    let issuer = text(spec, "issuer").to_owned();
    let claim = tenant_of(&issuer).or(spec["tenant"].as_str());
    let (Some(claim), Part::List(tenants)) = (claim.map(str::to_owned), part(spec, "tenants"))
    else {
        return false;
    };
    let texts: Option<Vec<&str>> = tenants.iter().map(Value::as_str).collect();
    let texts = texts.unwrap_or_default();
    let whole = !texts.is_empty() && texts.iter().all(|text| !text.is_empty());
    let project = |text: &&str| !text.contains('.') || text.ends_with(".iam.gserviceaccount.com");
    let fits = match &*claim {
        "hd" => texts.iter().all(project) || !texts.iter().any(project),
        _ if COMMON.contains(&&*issuer) => texts.iter().all(|text| text.len() == 36),
        _ => true,
    };
    let projects = claim == "hd" && texts.iter().all(project);
    spec["tenant"] = json!(if projects {
        "the project of its address"
    } else {
        &*claim
    });
    whole && fits
}

fn are_keys(said: &Value, cluster: bool) -> bool {
    let Some(keys) = said.get("keys") else {
        return true;
    };
    let there = |name| keys.get(name).is_some();
    // A namespace does not choose from where the cluster reaches into networks.
    let means = ["caBundle", "proxyURL"].iter().all(|name| {
        let one = keys.get(*name);
        one.is_none_or(|one| cluster && one.is_string())
    });
    keys.is_object()
        && !misspelt(keys, &KEYS)
        && !(there("inline") && there("jwksURL"))
        && keys.get("inline").is_none_or(|one| !one.is_null())
        && keys.get("jwksURL").is_none_or(is_url)
        && means
}

/// 36: one that cannot be read may mean any token.
fn are_revocations(said: &Value) -> bool {
    let by = ["sub", "sid", "jti", "key"];
    let fits = |one: &Value| {
        let known = ["sub", "sid", "jti", "key", "issuedBefore", "until"];
        let mut names = by.iter().filter(|name| one.get(**name).is_some());
        let (Some(name), None) = (names.next(), names.next()) else {
            return false;
        };
        let value = text(one, name);
        let length = if *name == "key" {
            value.len() == 43
        } else {
            !value.is_empty()
        };
        length && !misspelt(one, &known)
    };
    match part(said, "revocations") {
        Part::Absent => true,
        Part::List(all) => all.iter().all(fits),
        Part::Unknown | Part::Other => false,
    }
}

impl World {
    /// The provider of that name; one of a namespace only for that namespace. 46: two of one level with
    /// one issuer conflict, both; one of a namespace may not claim an issuer that the cluster has.
    pub(crate) fn provider(&self, id: &str, namespace: Option<&str>) -> Option<Rc<Provider>> {
        memory::provider((id, namespace), || self.provider_read(id, namespace))
    }

    fn provider_read(&self, id: &str, namespace: Option<&str>) -> Option<Provider> {
        let (kind, name) = id.split_once('/')?;
        let namespace = if kind == "TrustProvider" {
            Some(namespace?)
        } else {
            None
        };
        let resource = self.named(kind, name, namespace)?;
        let names = |one: &Value| memory::names(&one["spec"], names);
        let own = names(resource);
        let mut rivals = self.resources.iter().filter(|other| {
            let meta = &other["metadata"];
            let level = other["kind"] == "ClusterTrustProvider"
                || (other["kind"] == kind && meta["namespace"].as_str() == namespace);
            level && (other["kind"] != kind || meta["name"] != name)
        });
        let conflict = rivals.any(|other| names(other).iter().any(|it| own.contains(it)));
        Provider::of(resource).filter(|_| !conflict)
    }

    /// Every provider that counts in a namespace.
    pub(crate) fn providers<'a>(
        &'a self,
        namespace: &'a str,
    ) -> impl Iterator<Item = Rc<Provider>> + 'a {
        self.resources.iter().filter_map(move |one| {
            let id = format!(
                "{}/{}",
                one["kind"].as_str()?,
                one["metadata"]["name"].as_str()?
            );
            let own = one["metadata"]
                .get("namespace")
                .is_none_or(|own| own == namespace);
            let provider = one["kind"].as_str()?.ends_with("TrustProvider") && own;
            provider.then(|| self.provider(&id, Some(namespace)))?
        })
    }
}

impl Provider {
    /// 42: the platform for whose workloads it speaks.
    pub(crate) fn platform(&self) -> &'static str {
        match text(&self.spec, "type") {
            "Google" => "google",
            "GitHubActions" => "github",
            "SPIFFE" => "spiffe",
            "OIDC" if is_of_aws(text(&self.spec, "issuer")) => "aws",
            _ => "",
        }
    }
}
