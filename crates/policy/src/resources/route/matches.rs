//! What a rule of a route takes, match by match, in the form that is signed.

use super::RouteMatch;
use countersign_ruleset::path::{CanonicalPath, PathPattern, Segment};
use countersign_ruleset::rules::SectionMatch;
use serde_json::{Map, Value};

/// `HTTPMethod`; there are no others.
const METHODS: [&str; 9] = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
];

/// The fields of a rule that do not say what it takes.
const OTHERS: [&str; 6] = [
    "backendRefs",
    "filters",
    "name",
    "retry",
    "sessionPersistence",
    "timeouts",
];

/// Why something cannot be told.
type Unclear = String;

/// What the rule takes; one that does not say takes all.
pub(super) fn of(kind: &str, rule: &Value) -> Vec<RouteMatch> {
    let Some(rule) = rule.as_object() else {
        return vec![anything("is no object")];
    };
    let of_kind = |written: &Value| match written.as_object() {
        Some(written) if kind == "GRPCRoute" => grpc(written),
        Some(written) => vec![http(written)],
        None => vec![anything("is no object")],
    };
    let all = || of_kind(&Value::Object(Map::new()));
    match rule.get("matches") {
        Some(Value::Array(matches)) if matches.is_empty() => all(),
        Some(Value::Array(matches)) => matches.iter().flat_map(of_kind).collect(),
        Some(_) => vec![anything("has `matches` that are no list")],
        None if rule.keys().all(|name| OTHERS.contains(&name.as_str())) => all(),
        None => vec![anything("has a field that is not known, and no `matches`")],
    }
}

/// What may take any request, before any other.
fn anything(unclear: &str) -> RouteMatch {
    RouteMatch {
        takes: SectionMatch {
            path: None,
            method: None,
            unknown: true,
        },
        slash: false,
        unclear: Some(unclear.to_owned()),
    }
}

fn http(written: &Map<String, Value>) -> RouteMatch {
    let asked = asked(written, &["headers", "method", "path", "queryParams"]);
    let method = match written.get("method") {
        None => Ok(None),
        Some(Value::String(method)) if METHODS.contains(&method.as_str()) => Ok(Some(method)),
        Some(_) => Err("has a method that there is not".to_owned()),
    };
    let path = written.get("path").map_or_else(|| prefix("/"), path);
    let (asked, (path, slash), method) = match (asked, path, method) {
        (Ok(asked), Ok(path), Ok(method)) => (asked, path, method),
        // a method that can be read holds, whatever the path is
        (_, Err(unclear), Ok(method)) => {
            let mut any = anything(&unclear);
            any.takes.method = method.cloned();
            return any;
        }
        (Err(unclear), ..) | (.., Err(unclear)) => return anything(&unclear),
    };
    RouteMatch {
        takes: SectionMatch {
            path: Some(path),
            method: method.cloned(),
            unknown: asked.is_some(),
        },
        slash,
        unclear: asked,
    }
}

/// What is asked beside path and method: then it is known what is not taken, and no more.
fn asked(written: &Map<String, Value>, known: &[&str]) -> Result<Option<Unclear>, Unclear> {
    if let Some(other) = written.keys().find(|name| !known.contains(&name.as_str())) {
        let name: String = other.chars().take(80).collect();
        return Err(format!("has a field that is not known, `{name}`"));
    }
    let asks = |name: &str| {
        let written = written.get(name);
        written.is_some_and(|it| it.as_array().is_none_or(|it| !it.is_empty()))
    };
    let asks_for = |what: &str| Ok(Some(format!("asks for {what}")));
    match (asks("headers"), asks("queryParams")) {
        (true, _) => asks_for("a header"),
        (_, true) => asks_for("a query parameter"),
        (false, false) => Ok(None),
    }
}

/// `HTTPPathMatch`, and whether it is a prefix with a slash at its end.
fn path(written: &Value) -> Result<(PathPattern, bool), Unclear> {
    let unread = || "has a path that cannot be read".to_owned();
    let fields = written.as_object().ok_or_else(unread)?;
    if fields.keys().any(|name| name != "type" && name != "value") {
        return Err(unread());
    }
    let text = |name: &str, default| match fields.get(name) {
        None => Ok(default),
        Some(written) => written.as_str().ok_or_else(unread),
    };
    let value = text("value", "/")?;
    match text("type", "PathPrefix")? {
        "Exact" => Ok((literal(value, value)?, false)),
        "PathPrefix" => prefix(value),
        "RegularExpression" => Err("has a regular expression".to_owned()),
        _ => Err(unread()),
    }
}

/// A prefix is of whole segments: "the trailing `/` is ignored".
fn prefix(value: &str) -> Result<(PathPattern, bool), Unclear> {
    let bare = value.strip_suffix('/').unwrap_or(value);
    let pattern = literal(value, &format!("{bare}/**"))?;
    Ok((pattern, bare != value && !bare.is_empty()))
}

/// A value that is no canonical path would be held against another spelling than a request's.
fn literal(value: &str, pattern: &str) -> Result<PathPattern, Unclear> {
    let unclear = || "has a path that is not canonical".to_owned();
    let canonical = CanonicalPath::parse(value.as_bytes()).map_err(|_| unclear())?;
    let pattern: PathPattern = pattern.parse().map_err(|_| unclear())?;
    let wild = |it: &&Segment| matches!(it, Segment::Any | Segment::Capture(_));
    let is_wild = pattern.segments().iter().any(|it| wild(&it)) || value.contains('*');
    if canonical.as_str() == value && !is_wild {
        Ok(pattern)
    } else {
        Err(unclear())
    }
}

/// `GRPCRouteMatch`. A call is `POST /SERVICE/METHOD`; whether the rule takes anything else below its
/// service is nowhere said.
fn grpc(written: &Map<String, Value>) -> Vec<RouteMatch> {
    let call = written
        .get("method")
        .map_or_else(|| Ok(("/*/*".to_owned(), "/**".to_owned())), call);
    let read = asked(written, &["headers", "method"]).and_then(|asked| {
        let (call, below) = call?;
        let parsed = (call.parse().ok()).zip(below.parse().ok());
        let (call, below) = parsed.ok_or("has a method that cannot be read")?;
        Ok((asked, call, below))
    });
    let (asked, call, below) = match read {
        Ok(read) => read,
        Err(unclear) => return vec![anything(&unclear)],
    };
    let takes = |path, method: Option<&str>, unclear: Option<Unclear>| RouteMatch {
        takes: SectionMatch {
            path: Some(path),
            method: method.map(str::to_owned),
            unknown: method.is_none() || unclear.is_some(),
        },
        slash: false,
        unclear,
    };
    vec![takes(call, Some("POST"), asked), takes(below, None, None)]
}

/// The paths of a `GRPCMethodMatch`: of its calls, and of whatever may be taken beside.
fn call(written: &Value) -> Result<(String, String), Unclear> {
    let unread = || "has a method that cannot be read".to_owned();
    let fields = written.as_object().ok_or_else(unread)?;
    if fields
        .keys()
        .any(|name| !["method", "service", "type"].contains(&name.as_str()))
    {
        return Err(unread());
    }
    match fields.get("type").map(Value::as_str) {
        None | Some(Some("Exact")) => {}
        Some(Some("RegularExpression")) => return Err("has a regular expression".to_owned()),
        Some(_) => return Err(unread()),
    }
    let name = |field: &str| match fields.get(field).map(Value::as_str) {
        None => Ok(None),
        Some(Some(name)) if is_name(name) => Ok(Some(name)),
        Some(_) => Err(unread()),
    };
    match (name("service")?, name("method")?) {
        (Some(service), Some(method)) => {
            let call = format!("/{service}/{method}");
            Ok((call.clone(), call))
        }
        (Some(service), None) => Ok((format!("/{service}/*"), format!("/{service}/**"))),
        (None, Some(method)) => Ok((format!("/*/{method}"), format!("/*/{method}"))),
        (None, None) => Err(unread()),
    }
}

/// What names a service or a method: letters, digits, `_` and dots.
fn is_name(text: &str) -> bool {
    let fits = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'.';
    text.bytes().all(fits) && text.split('.').all(|part| !part.is_empty())
}

#[cfg(test)]
mod tests;
