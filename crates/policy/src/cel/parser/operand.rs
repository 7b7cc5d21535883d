//! What stands between operators: values, names, their members, and calls.

use super::{Parser, RESERVED};
use crate::cel::lexer::Token;
use crate::cel::tree::{Expr, Kind};
use crate::cel::{Fault, number};
use crate::diagnostic::Span;

impl Parser {
    /// A value and the members of it.
    pub(super) fn member(&mut self) -> Result<Expr, Fault> {
        let mut read = self.primary()?;
        let mut levels = 0_usize;
        loop {
            let of = if self.takes(".").is_some() {
                self.selected(read)?
            } else if self.takes("[").is_some() {
                self.indexed(read)?
            } else if *self.token() == Token::Sign("{") {
                let fault = Fault::new(self.span(), "a condition has no messages");
                return Err(fault.help("compare facts and values"));
            } else {
                self.leave(levels);
                return Ok(read);
            };
            read = of;
            self.enter()?;
            levels = levels.saturating_add(1);
        }
    }

    /// What stands after a dot: a member, or a function that is called.
    fn selected(&mut self, of: Expr) -> Result<Expr, Fault> {
        let span = self.span();
        let Token::Name(name) = self.token().clone() else {
            return Err(self.unexpected("a name after `.`"));
        };
        if ["true", "false", "null", "in"].contains(&name.as_str()) {
            let fault = Fault::new(span, format!("`{name}` is a word of CEL and no name"));
            return Err(fault.help(format!("write `[\"{name}\"]` instead of `.{name}`")));
        }
        self.advance();
        let name = (name, span);
        if self.takes("(").is_some() {
            let (arguments, end) = self.listed(")")?;
            return Ok(Expr {
                span: of.span.to(end),
                kind: Kind::Call {
                    of: Some(Box::new(of)),
                    name,
                    arguments,
                },
            });
        }
        Ok(Expr {
            span: of.span.to(span),
            kind: Kind::Select {
                of: Box::new(of),
                member: name,
            },
        })
    }

    fn indexed(&mut self, of: Expr) -> Result<Expr, Fault> {
        let key = self.expression()?;
        let Some(end) = self.takes("]") else {
            return Err(self.unexpected("`]`"));
        };
        Ok(Expr {
            span: of.span.to(end),
            kind: Kind::Index {
                of: Box::new(of),
                key: Box::new(key),
            },
        })
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        let span = self.span();
        let token = self.token().clone();
        match token {
            Token::Name(name) => self.named(name, span),
            Token::Integer(digits) => {
                self.advance();
                let number = number::signed(digits, false, span)?;
                Ok(literal(span, Kind::Integer(number)))
            }
            Token::Text(text) => {
                self.advance();
                Ok(literal(span, Kind::Text(text)))
            }
            Token::Sign("(") => {
                self.advance();
                let inside = self.expression()?;
                let Some(end) = self.takes(")") else {
                    return Err(self.unexpected("`)`"));
                };
                Ok(Expr {
                    span: span.to(end),
                    ..inside
                })
            }
            Token::Sign("[") => {
                self.advance();
                let (members, end) = self.listed("]")?;
                Ok(literal(span.to(end), Kind::List(members)))
            }
            Token::Sign("{") => {
                let fault = Fault::new(span, "a condition has no maps");
                Err(fault.help("compare facts and values"))
            }
            Token::Sign(".") => {
                let fault = Fault::new(span, "a condition has no packages");
                Err(fault.help("write the name without the dot before it"))
            }
            Token::Sign(_) | Token::End => Err(self.unexpected("a value")),
        }
    }

    /// A word of CEL, a name, or a function that is called.
    fn named(&mut self, name: String, span: Span) -> Result<Expr, Fault> {
        match name.as_str() {
            "in" => return Err(self.unexpected("a value")),
            "null" => {
                let fault = Fault::new(span, "a condition has no `null`: what is null is unknown");
                return Err(fault.help("to ask if a fact is there, write `has(caller.claims.x)`"));
            }
            reserved if RESERVED.contains(&reserved) => {
                let message = format!("`{reserved}` is a reserved word of CEL");
                return Err(Fault::new(span, message).help("use another name"));
            }
            _ => self.advance(),
        }
        if let "true" | "false" = name.as_str() {
            return Ok(literal(span, Kind::Bool(name == "true")));
        }
        if self.takes("(").is_some() {
            let (arguments, end) = self.listed(")")?;
            let name = (name, span);
            let kind = Kind::Call {
                of: None,
                name,
                arguments,
            };
            return Ok(literal(span.to(end), kind));
        }
        Ok(literal(span, Kind::Name(name)))
    }

    /// Members up to a closing sign, and where that stands.
    fn listed(&mut self, close: &'static str) -> Result<(Vec<Expr>, Span), Fault> {
        let mut members = Vec::new();
        loop {
            if let Some(end) = self.takes(close) {
                return Ok((members, end));
            }
            members.push(self.expression()?);
            if let Some(end) = self.takes(close) {
                return Ok((members, end));
            }
            if self.takes(",").is_none() {
                return Err(self.unexpected(&format!("`,` or `{close}`")));
            }
            // a list may end in a comma, arguments may not
            if close == ")" && matches!(self.token(), Token::Sign(")")) {
                return Err(self.unexpected("an argument after `,`"));
            }
        }
    }
}

const fn literal(span: Span, kind: Kind) -> Expr {
    Expr { span, kind }
}
