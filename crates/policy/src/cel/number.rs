//! Numbers: whole ones, in decimal or hexadecimal digits.

use super::Fault;
use super::lexer::word;
use crate::diagnostic::Span;
use countersign_ruleset::json::MAX_INTEGER;

/// The number that a text begins with, and its length.
pub(super) fn read(text: &str, at: usize) -> Result<(u64, usize), Fault> {
    let digits = word(text);
    let span = |length: usize| Span {
        start: at,
        end: at.saturating_add(length),
    };
    let after = text.strip_prefix(digits).and_then(|t| t.strip_prefix('.'));
    if after.is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit())) {
        let fraction = after.map(word).unwrap_or_default();
        let length = digits
            .len()
            .saturating_add(fraction.len())
            .saturating_add(1);
        return Err(fraction_fault(span(length)));
    }
    let hexadecimal = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let (radix, numerals) = hexadecimal.map_or((10, digits), |numerals| (16, numerals));
    let whole = span(digits.len());
    if let Some(unsigned) = numerals.strip_suffix(['u', 'U'])
        && is_number(unsigned, radix)
    {
        let fault = Fault::new(whole, "a condition has no unsigned numbers");
        return Err(fault.help("write it without the `u`"));
    }
    if radix == 10 && is_power(numerals) {
        return Err(fraction_fault(whole));
    }
    if !is_number(numerals, radix) {
        return Err(Fault::new(
            whole,
            "expected digits, got a letter in a number",
        ));
    }
    u64::from_str_radix(numerals, radix)
        .map(|number| (number, digits.len()))
        .map_err(|_| too_large(whole))
}

/// A number with its sign, if a ruleset can carry it: it is JSON, of which every reader holds whole
/// numbers up to this one exactly (RFC 8259 §6).
pub(super) fn signed(digits: u64, is_negative: bool, span: Span) -> Result<i64, Fault> {
    let number = i64::try_from(digits).ok().filter(|_| digits <= MAX_INTEGER);
    let number = number.ok_or_else(|| too_large(span))?;
    Ok(if is_negative {
        number.saturating_neg()
    } else {
        number
    })
}

fn too_large(span: Span) -> Fault {
    Fault::new(
        span,
        format!("expected a whole number from -{MAX_INTEGER} to {MAX_INTEGER}"),
    )
}

fn fraction_fault(span: Span) -> Fault {
    Fault::new(span, "a condition has no fractions").help("write a whole number")
}

fn is_number(numerals: &str, radix: u32) -> bool {
    !numerals.is_empty() && numerals.chars().all(|c| c.is_digit(radix))
}

/// `1e3`
fn is_power(numerals: &str) -> bool {
    let parts = numerals.split_once(['e', 'E']);
    parts.is_some_and(|(number, power)| {
        is_number(number, 10) && (power.is_empty() || is_number(power, 10))
    })
}
