//! What scenes are made of: few words, so that rules and requests meet.

pub(crate) const NAMESPACE: &str = "shop";
/// 2026-11-24T12:00:00Z.
pub(crate) const NOW: i64 = 1_795_521_600;
/// When an Allow has ended, and when it has not.
pub(crate) const EARLIER: &str = "2026-11-24T11:59:59Z";
pub(crate) const LATER: &str = "2026-11-24T12:00:01Z";
/// Ten minutes ago: between when tokens are issued and when logins were.
pub(crate) const BEFORE: &str = "2026-11-24T11:50:00Z";
pub(crate) const HOST: &str = "orders.example.com";
pub(crate) const GROUPS: [&str; 3] = ["staff", "support", "contractors"];
pub(crate) const SUBJECTS: [&str; 4] = ["ana", "bo", "system:serviceaccount:shop:checkout", "1084"];
pub(crate) const EMAILS: [&str; 4] = [
    "ana@example.com",
    "bo@example.net",
    "Ana@Example.com",
    "run@shop.iam.gserviceaccount.com",
];
pub(crate) const DOMAINS: [&str; 2] = ["example.com", "example.net"];
pub(crate) const CLIENTS: [&str; 2] = ["web", "batch"];
pub(crate) const ACTORS: [&str; 2] = ["helper-bot", "other-bot"];
pub(crate) const REALM_ROLES: [&str; 2] = ["admin", "viewer"];
pub(crate) const SCOPES: [&str; 2] = ["read", "write"];
pub(crate) const METHODS: [&str; 4] = ["GET", "POST", "DELETE", "OPTIONS"];
pub(crate) const PATTERNS: [&str; 12] = [
    "/", "/**", "/a", "/a/", "/a/**", "/a/*", "/a/{x}/c", "/b", "/{x}/**", "/{x}/{y}", "/a/{y}",
    "/{x}/{x}",
];
/// The last four have no canonical form.
pub(crate) const PATHS: [&str; 18] = [
    "/",
    "/a",
    "/a/",
    "/a/b",
    "/a/b/",
    "/a/b/c",
    "/ab",
    "/b",
    "/b/",
    "/a%20b/c",
    "/%61/b?q=/b",
    "/a/./b",
    "/b/../a/b",
    "/a/%2e%2e/b",
    "/a%2Fb",
    "/a//b",
    "/a/..;/b",
    "/../a",
];
pub(crate) const AUDIENCES: [&str; 3] = [
    "https://orders.example.com",
    "api://orders",
    "https://other.example.com",
];
/// `gone` is nobody's, and `keyless` has no keys.
pub(crate) const PROVIDERS: [&str; 9] = [
    "ClusterTrustProvider/okta",
    "ClusterTrustProvider/entra",
    "ClusterTrustProvider/kubernetes",
    "TrustProvider/own",
    "ClusterTrustProvider/google",
    "ClusterTrustProvider/github",
    "ClusterTrustProvider/azure",
    "ClusterTrustProvider/keyless",
    "ClusterTrustProvider/gone",
];

/// One of the few times that scenes know.
pub(crate) fn instant(text: &str) -> i64 {
    let shift = match text {
        EARLIER => -1,
        LATER => 1,
        _ => -600,
    };
    NOW.saturating_add(shift)
}

/// The issuer of a provider, by its name.
pub(crate) fn issuer(name: &str) -> String {
    match name {
        "google" => "https://accounts.google.com".to_owned(),
        "github" => "https://token.actions.githubusercontent.com".to_owned(),
        "azure" => {
            "https://login.microsoftonline.com/0b5c3c1e-0000-4000-8000-000000000001/v2.0".to_owned()
        }
        _ => format!("https://{name}.example.com"),
    }
}

/// How often a rule says each.
pub(crate) const WHEN: f64 = 0.3;
pub(crate) const REQUIRE: f64 = 0.25;
pub(crate) const WORKLOADS: f64 = 0.15;
pub(crate) const MCP: f64 = 0.15;
/// How often the target is another than the one host.
pub(crate) const TARGETS: f64 = 0.35;
