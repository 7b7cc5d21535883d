//! Tokens in the shape in which each type of provider issues them, right and wrong.

use super::Token;
use super::pool::NOW;
use proptest::option::weighted;
use proptest::prelude::{Strategy, any};
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use std::fs;
use std::sync::LazyLock;
use tests::cast::at;
use tests::files;

/// A provider as an operator writes it, and tokens as it documents them.
pub(crate) struct Shapes {
    pub(crate) provider: Value,
    pub(crate) tokens: Vec<Value>,
    /// The header that carries them, if it is not `Authorization`.
    header: Option<&'static str>,
}

/// What `vectors/tokens/` has, in order of name; and two whom everybody may ask for a token.
pub(crate) static SHAPES: LazyLock<Vec<Shapes>> = LazyLock::new(|| {
    let folder = files::root().join("tests/vectors/tokens");
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .collect();
    paths.sort();
    let read = |path| fs::read_to_string(path).expect("the file can be read");
    let files = paths.iter().map(read);
    let mut all: Vec<Value> = files
        .map(|text| serde_saphyr::from_str(&text).expect("it is YAML"))
        .collect();
    all.push(json!({
        "provider": {"type": "OIDC", "issuer": "https://gitlab.com"},
        "tokens": [{"header": {"typ": "at+jwt"}, "claims": {"iss": "https://gitlab.com", "namespace_id": "4711"}}],
    }));
    let tenant = "0b5c3c1e-0000-4000-8000-000000000001";
    let issuer = format!("https://login.microsoftonline.com/{tenant}/v2.0");
    all.push(json!({
        "provider": {"type": "Entra", "issuer": "https://login.microsoftonline.com/common/v2.0", "tenants": [tenant]},
        "tokens": [{"header": {"typ": "JWT"}, "claims": {"iss": issuer, "tid": tenant, "azpacr": "1"}}],
    }));
    all.iter().map(Shapes::of).collect()
});

impl Shapes {
    fn of(file: &Value) -> Self {
        let header = file.get("header").map(|_| "x-goog-iap-jwt-assertion");
        Self {
            provider: file["provider"].clone(),
            tokens: file["tokens"].as_array().cloned().unwrap_or_default(),
            header,
        }
    }
}

/// How a token of a shape is otherwise than documented.
#[derive(Debug, Clone)]
pub(crate) struct Bearer {
    which: Index,
    /// Whether it keeps the documented subject.
    pub(crate) keeps: bool,
    /// Whether it says what the shape does not.
    mixes: bool,
    /// Another `typ`; `none` is none.
    typ: Option<&'static str>,
    change: Option<(&'static str, Value)>,
    elsewhere: Option<()>,
}

pub(crate) fn bearer() -> impl Strategy<Value = Bearer> {
    let typ = select(vec![
        "none",
        "",
        "JWT",
        "JOSE",
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "logout+jwt",
    ]);
    (
        any::<Index>(),
        any::<bool>(),
        weighted(0.15, any::<bool>()),
        weighted(0.12, typ),
        weighted(0.25, change()),
        weighted(0.04, select(vec![()])),
    )
        .prop_map(|(which, keeps, mixes, typ, change, elsewhere)| Bearer {
            which,
            keeps,
            mixes: mixes.is_some(),
            typ,
            change,
            elsewhere,
        })
}

/// A claim by which types of token are told apart, or whose customer, is there or is not; `null` is there.
fn change() -> impl Strategy<Value = (&'static str, Value)> {
    let names = vec![
        "at_hash",
        "azp",
        "azpacr",
        "appidacr",
        "c_hash",
        "cid",
        "client_id",
        "gty",
        "nonce",
        "org_id",
        "permissions",
        "repository_owner_id",
        "scope",
        "scp",
        "tid",
        "hd",
        "namespace_id",
        "https://sts.amazonaws.com/",
    ];
    let gone = json!("gone");
    let told = (
        select(names),
        select(vec![gone.clone(), gone, json!("a"), json!(null)]),
    );
    let odd = select(vec![
        (
            "cnf",
            json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
        ),
        (
            "events",
            json!({"http://schemas.openid.net/event/backchannel-logout": {}}),
        ),
        ("events", json!("none")),
        ("sid", json!(7)),
        ("jti", json!(["id-1"])),
        ("agent", json!("helper-bot")),
        ("agent", json!(7)),
        ("mail", json!("ana@example.com")),
        ("tid", json!("0b5c3c1e-0000-4000-8000-000000000001")),
        ("email", json!("ana@shop.iam.gserviceaccount.com")),
    ]);
    proptest::prop_oneof![3 => told, 1 => odd]
}

/// What tells types of token apart is not said of a token that does not have it.
const TELLING: [&str; 8] = [
    "azp",
    "azpacr",
    "client_id",
    "nonce",
    "repository_owner_id",
    "scope",
    "scp",
    "tid",
];

impl Bearer {
    /// A token as the shape has it, with what a token of no shape in particular says.
    pub(crate) fn shaped(&self, token: &Token, shapes: &Shapes) -> Token {
        let shape = self.which.get(&shapes.tokens);
        let mut all = shape["claims"].clone();
        for (_, value) in all.as_object_mut().into_iter().flatten() {
            let time = at(value, tests::trial::NOW);
            *value = time.unwrap_or_else(|| value.take());
        }
        for (name, value) in [("iat", NOW - 60), ("exp", NOW + 240)] {
            if all.get(name).is_none() {
                all[name] = json!(value);
            }
        }
        for (name, value) in token.claims.as_object().into_iter().flatten() {
            let usual = name == "exp" && *value == json!(NOW + 600);
            let kept = name == "iss" || usual || (name == "sub" && self.keeps);
            let telling = TELLING.contains(&name.as_str()) && all.get(name).is_none();
            if !kept && (!telling || self.mixes) {
                all[name] = value.clone();
            }
        }
        for name in ["aud", "exp", "iat", "iss", "sub"] {
            if token.claims.get(name).is_none() {
                lose(&mut all, name);
            }
        }
        match &self.change {
            Some((name, value)) if *value == "gone" => lose(&mut all, name),
            Some((name, value)) => all[*name] = value.clone(),
            None => {}
        }
        let typ = self.typ.or(shape["header"]["typ"].as_str());
        let typ = typ.filter(|typ| *typ != "none");
        Token {
            key: token.key.clone(),
            typ: typ.map(str::to_owned),
            header: shapes.header.filter(|_| self.elsewhere.is_none()),
            claims: all,
        }
    }
}

fn lose(claims: &mut Value, name: &str) {
    if let Some(all) = claims.as_object_mut() {
        all.remove(name);
    }
}
