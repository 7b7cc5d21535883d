//! The tree of a condition.

use crate::diagnostic::Span;

/// An expression and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expr {
    /// Where.
    pub(crate) span: Span,
    /// What.
    pub(crate) kind: Kind,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `a && b && c`
    All(Vec<Expr>),
    /// `a || b || c`
    Any(Vec<Expr>),
    /// `a == b` and the like.
    Binary {
        /// Which.
        operator: Binary,
        /// What stands before it.
        left: Box<Expr>,
        /// What stands after it.
        right: Box<Expr>,
    },
    /// `true`, `false`
    Bool(bool),
    /// `f(a)`, `of.f(a)`
    Call {
        /// What stands before the dot.
        of: Option<Box<Expr>>,
        /// The function, and where it is named.
        name: (String, Span),
        /// What stands in the parentheses.
        arguments: Vec<Expr>,
    },
    /// `of["key"]`
    Index {
        /// Of what.
        of: Box<Expr>,
        /// The key.
        key: Box<Expr>,
    },
    /// `7`
    Integer(i64),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `name`
    Name(String),
    /// `!a`
    Not(Box<Expr>),
    /// `of.member`
    Select {
        /// Of what.
        of: Box<Expr>,
        /// The member, and where it is named.
        member: (String, Span),
    },
    /// `"text"`
    Text(String),
}

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    /// `==`
    Equal,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `in`
    In,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `!=`
    NotEqual,
}

impl Binary {
    /// As it is written.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::NotEqual => "!=",
        }
    }
}
