//! What scenes are made of: few words, so that rules and requests meet.

pub(crate) const NAMESPACE: &str = "shop";
/// When an Allow has ended, and when it has not.
pub(crate) const EARLIER: &str = "2026-11-24T11:59:59Z";
pub(crate) const LATER: &str = "2026-11-24T12:00:01Z";
pub(crate) const HOST: &str = "orders.example.com";
pub(crate) const GROUPS: [&str; 3] = ["staff", "support", "contractors"];
pub(crate) const SUBJECTS: [&str; 3] = ["ana", "bo", "system:serviceaccount:shop:checkout"];
pub(crate) const EMAILS: [&str; 3] = ["ana@example.com", "bo@example.net", "Ana@Example.com"];
pub(crate) const DOMAINS: [&str; 2] = ["example.com", "example.net"];
pub(crate) const CLIENTS: [&str; 2] = ["web", "batch"];
pub(crate) const ACTORS: [&str; 2] = ["helper-bot", "other-bot"];
pub(crate) const REALM_ROLES: [&str; 2] = ["admin", "viewer"];
pub(crate) const METHODS: [&str; 3] = ["GET", "POST", "DELETE"];
pub(crate) const PATTERNS: [&str; 9] = [
    "/", "/**", "/a", "/a/", "/a/**", "/a/*", "/a/{x}/c", "/b", "/{x}/**",
];
pub(crate) const PATHS: [&str; 9] = [
    "/", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c", "/ab", "/b", "/b/",
];
pub(crate) const AUDIENCES: [&str; 3] = [
    "https://orders.example.com",
    "api://orders",
    "https://other.example.com",
];
/// The last is nobody's.
pub(crate) const PROVIDERS: [&str; 5] = [
    "ClusterTrustProvider/okta",
    "ClusterTrustProvider/entra",
    "ClusterTrustProvider/kubernetes",
    "TrustProvider/own",
    "ClusterTrustProvider/gone",
];
