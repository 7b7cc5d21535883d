//! What is called: hosts, methods, paths.

use super::schema::not_empty;
use crate::field::{Field, List, Unread};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One entry of `to`. All in it must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = not_empty)]
pub struct To {
    /// One of these hosts: exact, or `*.` for one or more labels.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 253)))]
    pub hosts: Field<List<String>>,
    /// One of these methods. GET does not imply HEAD. A gRPC call is a POST.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 32)))]
    pub methods: Field<List<String>>,
    /// One of these paths, by segments: a literal, `*` or `{name}` for any one, and at the end
    /// `/**` for all below, the bare prefix included; as in `/v1/orders/{id}/**`. A gRPC method is
    /// `/pkg.Service/Method`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 512), pattern("^/")))]
    pub paths: Field<List<String>>,
    /// CORS preflight requests, which never carry a token.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub cors_preflight: Field<bool>,
    /// Calls of the Model Context Protocol.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub mcp: Field<McpTo>,
    /// What is no field of an entry.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}

/// Calls of the Model Context Protocol.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = not_empty)]
pub struct McpTo {
    /// Calls of one of these tools.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 256)))]
    pub tools: Field<List<String>>,
    /// One of these JSON-RPC methods, such as `tools/list`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 256)))]
    pub methods: Field<List<String>>,
    /// What is no field of it.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}
