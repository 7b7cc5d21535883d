//! Diagnostics: what is wrong with what was written, where, and what to write instead.

use countersign_ruleset::names::{ProviderId, Scope};
use serde::Serialize;
use std::fmt;

/// One thing that is wrong. It never stops a compilation: what is wrong gives no access.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// The resource.
    pub resource: ResourceId,
    /// The field in it.
    pub path: FieldPath,
    /// The stretch of the field's text, where one is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// What kind of mistake.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// What was expected and what was got.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// A stretch of a text, in bytes from its begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// From the begin of this one to the end of that.
    #[must_use]
    pub const fn to(self, end: Self) -> Self {
        Self {
            start: self.start,
            end: end.end,
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Something that was written gives no access, or takes some away.
    Error,
    /// It works, and probably not as it was meant.
    Warning,
}

/// A resource, by kind, namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ResourceId {
    /// The kind.
    pub kind: String,
    /// The namespace; empty for cluster kinds.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl ResourceId {
    /// The resource that a provider's name stands for in the ruleset of a namespace.
    pub fn of_provider(scope: &Scope, id: &ProviderId) -> Self {
        let (kind, name) = id.as_str().split_once('/').unwrap_or_default();
        let own = kind == "TrustProvider";
        let namespace = if own { scope.as_str() } else { "" };
        Self {
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{}/{}", self.kind, self.name)
        } else {
            write!(f, "{}/{} in {}", self.kind, self.name, self.namespace)
        }
    }
}

/// The way to a field: `spec.rules[0].from[1].groups`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<Step>);

/// One step of a way to a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A member of an object.
    Name(String),
    /// A member of a list, from 0.
    Index(usize),
}

impl FieldPath {
    /// The way to `spec`.
    pub fn spec() -> Self {
        Self::default().name("spec")
    }

    /// One step on, to a member of an object.
    #[must_use]
    pub fn name(&self, name: &str) -> Self {
        self.step(Step::Name(name.into()))
    }

    /// One step on, to a member of a list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    fn step(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// This way, and then that one.
    pub(crate) fn join(&self, on: &Self) -> Self {
        Self(self.0.iter().chain(&on.0).cloned().collect())
    }

    /// The steps, from the resource on.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, step) in self.0.iter().enumerate() {
            match step {
                Step::Name(name) if n == 0 => f.write_str(name)?,
                Step::Name(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl Serialize for FieldPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $id:literal,)+) => {
        /// What kind of mistake. The ids are stable and never used twice.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The id, such as `AP0003`.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id),+ }
            }

            /// The name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            /// What it means, for the table of codes.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+)),+ }
            }
        }
    };
}

codes! {
    /// A field is written that there is not.
    UnknownField = "AP0001",
    /// A value is null, empty, or of another type.
    UnreadableValue = "AP0002",
    /// A value is of the right type and not one that can be.
    InvalidValue = "AP0003",
    /// What must be written is not.
    Missing = "AP0004",
    /// Two things are written that exclude each other.
    Exclusive = "AP0005",
    /// It is a part of the language that this version does not carry out yet; it gives no access.
    NotSupported = "AP0006",
    /// The target is not there.
    TargetNotFound = "AP0007",
    /// The provider is not there.
    ProviderNotFound = "AP0008",
    /// The role is not there.
    RoleNotFound = "AP0009",
    /// The target has no https URL of its own, so that an audience must be said.
    AudienceRequired = "AP0010",
    /// Two resources say different things of one matter: neither holds.
    Conflicted = "AP0011",
    /// The issuer serves everybody, and nothing says whose tokens count.
    SharedIssuer = "AP0012",
    /// Two rules have one name, or a rule has none.
    RuleName = "AP0013",
    /// A path pattern is not in canonical spelling.
    PathNotCanonical = "AP0014",
    /// A namespaced kind is referred to by a cluster kind.
    NotFromCluster = "AP0015",
    /// There are more members than may be.
    TooMany = "AP0016",
    /// The keys of a provider cannot be used.
    Keys = "AP0017",
    /// A Deny by identity does not cover callers of other providers, or without a token.
    DenyByIdentity = "AP0018",
    /// An issuer or its keys are reached over plain http, which is for development only.
    InsecureIssuer = "AP0019",
    /// A workload is named only by what can be another's later.
    Reassignable = "AP0020",
    /// What a section of a route takes cannot be told: an Allow for it gives nothing there, a Deny acts.
    SectionUnclear = "AP0021",
    /// A route answers for no host that is known: it names none, or no Gateway accepted it.
    RouteHosts = "AP0022",
    /// A Deny stands on a route or on a Service behind it, and is not enforced at the other.
    NotCascading = "AP0023",
    /// A target has nothing but policies that are only observed, and so everything is denied there.
    ObservedOnly = "AP0024",
    /// A condition cannot be read, or its types cannot fit: its rule is unknown.
    Condition = "AP0025",
    /// Under `anyone` a condition reads what a provider says, and does not test which provider.
    AnyonesWord = "AP0026",
    /// A condition reads a part of the path that not every path of its rule captures.
    NotCaptured = "AP0027",
    /// A condition comes to the same whoever asks, or holds of an empty list.
    Vacuous = "AP0028",
    /// No Allow admits the callers of the provider at which browsers log in: who has logged in gets
    /// in nowhere.
    LoginInVain = "AP0029",
}

#[cfg(test)]
mod tests {
    use super::{Code, FieldPath, ResourceId};

    #[test]
    fn codes_are_in_order_and_never_used_twice() {
        for (n, code) in Code::ALL.iter().enumerate() {
            assert_eq!(code.id(), format!("AP{:04}", n + 1), "{}", code.as_str());
            assert!(code.meaning().trim().ends_with('.'), "{}", code.as_str());
        }
    }

    #[test]
    fn a_way_to_a_field_is_written_as_people_write_it() {
        let entry = FieldPath::spec()
            .name("rules")
            .index(0)
            .name("from")
            .index(1);
        assert_eq!(
            entry.name("groups").to_string(),
            "spec.rules[0].from[1].groups"
        );
        assert_eq!(FieldPath::default().to_string(), "");
        let item = FieldPath::default().name("items").index(3);
        assert_eq!(item.join(&FieldPath::spec()).to_string(), "items[3].spec");
    }

    #[test]
    fn a_resource_says_its_namespace_if_it_has_one() {
        let of = |namespace: &str| {
            let (kind, name) = ("AccessRole".into(), "a".into());
            ResourceId {
                kind,
                namespace: namespace.into(),
                name,
            }
            .to_string()
        };
        assert_eq!(
            (of("shop"), of("")),
            ("AccessRole/a in shop".into(), "AccessRole/a".into())
        );
    }
}
