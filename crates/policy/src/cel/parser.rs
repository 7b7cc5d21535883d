//! Reads a condition into a tree, by CEL's grammar and the precedence of its operators.

use super::lexer::{Token, tokens};
use super::tree::{Binary, Expr, Kind};
use super::{Fault, MAX_DEPTH, MAX_TEXT, number};
use crate::diagnostic::Span;

mod operand;

/// Names that CEL keeps for languages around it.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "namespace",
    "package",
    "return",
    "var",
    "void",
    "while",
];

/// Reads a whole condition.
///
/// # Errors
/// Says where it is no condition, and what to write.
pub(crate) fn parse(text: &str) -> Result<Expr, Fault> {
    let whole = Span {
        start: 0,
        end: text.len(),
    };
    if text.len() > MAX_TEXT {
        let message = format!("expected at most {MAX_TEXT} bytes, got {}", text.len());
        return Err(Fault::new(whole, message).help("write two rules"));
    }
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
        depth: 0,
    };
    if *parser.token() == Token::End {
        let fault = Fault::new(whole, "expected a condition, got nothing");
        return Err(fault.help("without a condition, leave the field out"));
    }
    let read = parser.expression()?;
    match parser.token() {
        Token::End => Ok(read),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser {
    tokens: Vec<(Token, Span)>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn token(&self) -> &Token {
        self.tokens
            .get(self.next)
            .map_or(&Token::End, |(token, _)| token)
    }

    /// Where the next word or sign stands.
    fn span(&self) -> Span {
        let last = self.tokens.get(self.next).or_else(|| self.tokens.last());
        last.map_or(Span { start: 0, end: 0 }, |(_, span)| *span)
    }

    fn advance(&mut self) {
        self.next = self.next.saturating_add(1);
    }

    /// Takes a sign, if it is the next.
    fn takes(&mut self, sign: &str) -> Option<Span> {
        let span = self.span();
        let found = matches!(self.token(), Token::Sign(next) if *next == sign);
        found.then(|| {
            self.advance();
            span
        })
    }

    /// What else was expected here.
    fn unexpected(&self, expected: &str) -> Fault {
        let got = match self.token() {
            Token::End => "the end".to_owned(),
            Token::Integer(number) => format!("`{number}`"),
            Token::Name(name) => format!("`{}`", crate::lower::short(name)),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::Text(_) => "a text".to_owned(),
        };
        Fault::new(self.span(), format!("expected {expected}, got {got}"))
    }

    /// One level deeper; `leave` when it is read.
    fn enter(&mut self) -> Result<(), Fault> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            let message = format!("expected at most {MAX_DEPTH} levels inside each other");
            return Err(Fault::new(self.span(), message).help("write two rules"));
        }
        Ok(())
    }

    const fn leave(&mut self, levels: usize) {
        self.depth = self.depth.saturating_sub(levels);
    }

    fn expression(&mut self) -> Result<Expr, Fault> {
        self.enter()?;
        let read = self.joined("||", Kind::Any, |parser| {
            parser.joined("&&", Kind::All, Self::relation)
        })?;
        if *self.token() == Token::Sign("?") {
            let fault = Fault::new(self.span(), "a condition has no `? :`");
            return Err(fault.help("write `a && b || !a && c`"));
        }
        self.leave(1);
        Ok(read)
    }

    /// One or more, with the same sign between them.
    fn joined(
        &mut self,
        sign: &str,
        kind: fn(Vec<Expr>) -> Kind,
        one: fn(&mut Self) -> Result<Expr, Fault>,
    ) -> Result<Expr, Fault> {
        let first = one(self)?;
        let mut all = vec![first];
        while self.takes(sign).is_some() {
            all.push(one(self)?);
        }
        if all.len() == 1 {
            return all.pop().ok_or_else(|| self.unexpected("a value"));
        }
        let span = all
            .first()
            .zip(all.last())
            .map_or_else(|| self.span(), |(first, last)| first.span.to(last.span));
        Ok(Expr {
            span,
            kind: kind(all),
        })
    }

    fn relation(&mut self) -> Result<Expr, Fault> {
        let mut left = self.unary()?;
        let mut levels = 0_usize;
        while let Some(operator) = self.relates()? {
            self.enter()?;
            levels = levels.saturating_add(1);
            self.advance();
            let right = self.unary()?;
            left = Expr {
                span: left.span.to(right.span),
                kind: Kind::Binary {
                    operator,
                    left: Box::new(left),
                    right: Box::new(right),
                },
            };
        }
        self.leave(levels);
        Ok(left)
    }

    /// Which comparison comes next, if one does.
    fn relates(&self) -> Result<Option<Binary>, Fault> {
        Ok(Some(match self.token() {
            Token::Sign("==") => Binary::Equal,
            Token::Sign("!=") => Binary::NotEqual,
            Token::Sign("<") => Binary::Less,
            Token::Sign("<=") => Binary::LessOrEqual,
            Token::Sign(">") => Binary::Greater,
            Token::Sign(">=") => Binary::GreaterOrEqual,
            Token::Name(name) if name == "in" => Binary::In,
            Token::Sign(sign @ ("+" | "-" | "*" | "/" | "%")) => {
                let message = format!("a condition does not calculate: `{sign}`");
                let fault = Fault::new(self.span(), message);
                return Err(fault.help("compare with the number or text itself"));
            }
            _ => return Ok(None),
        }))
    }

    fn unary(&mut self) -> Result<Expr, Fault> {
        if let Some(start) = self.takes("!") {
            self.enter()?;
            let of = self.unary()?;
            self.leave(1);
            return Ok(Expr {
                span: start.to(of.span),
                kind: Kind::Not(Box::new(of)),
            });
        }
        if let Some(start) = self.takes("-") {
            return self.negative(start);
        }
        self.member()
    }

    /// A number below zero; nothing else has a sign.
    fn negative(&mut self, start: Span) -> Result<Expr, Fault> {
        let Token::Integer(digits) = *self.token() else {
            let fault = Fault::new(start, "a condition does not calculate: `-`");
            return Err(fault.help("only a number can be below zero"));
        };
        let span = start.to(self.span());
        self.advance();
        let number = number::signed(digits, true, span)?;
        Ok(Expr {
            span,
            kind: Kind::Integer(number),
        })
    }
}
