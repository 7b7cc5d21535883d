//! What is not of this part of CEL, each with the stretch that is at fault and what to write instead.

/// What is not of this part of CEL.
pub(super) const GRAMMAR: &[(&str, &str)] = &[
    (
        "",
        "Condition <> expected a condition, got nothing; without a condition, leave the field out",
    ),
    (
        "  // nothing",
        "Condition <  // nothing> expected a condition, got nothing; without a condition, leave the field out",
    ),
    (
        "caller.subject ==",
        "Condition <> expected a value, got the end",
    ),
    (
        "caller.subject = 'a'",
        "Condition <=> `=` is no sign of CEL; to compare, write `==`",
    ),
    ("a & b", "Condition <&> `&` is no sign of CEL; write `&&`"),
    (
        "caller.subject == “a”",
        r#"Condition <“> `“` is no sign of CEL; a text stands in " or '"#,
    ),
    (
        "true ? true : false",
        "Condition <?> a condition has no `? :`; write `a && b || !a && c`",
    ),
    (
        "size(caller.groups) + 1 > 1",
        "Condition <+> a condition does not calculate: `+`; compare with the number or text itself",
    ),
    (
        "- 'a' == 1",
        "Condition <-> a condition does not calculate: `-`; only a number can be below zero",
    ),
    (
        "caller.claims.n == 1u",
        "Condition <1u> a condition has no unsigned numbers; write it without the `u`",
    ),
    (
        "caller.claims.n == 1.5",
        "Condition <1.5> a condition has no fractions; write a whole number",
    ),
    (
        "caller.claims.n == .5",
        "Condition <.5> a condition has no fractions; write a whole number",
    ),
    (
        "caller.claims.n == 1e3",
        "Condition <1e3> a condition has no fractions; write a whole number",
    ),
    (
        "caller.claims.n == 12ab",
        "Condition <12ab> expected digits, got a letter in a number",
    ),
    (
        "caller.claims.n == 9007199254740992",
        "Condition <9007199254740992> expected a whole number from -9007199254740991 to 9007199254740991",
    ),
    (
        "caller.claims.n == -9007199254740992",
        "Condition <-9007199254740992> expected a whole number from -9007199254740991 to 9007199254740991",
    ),
    (
        "caller.claims.n == 0xffffffffffffffffff",
        "Condition <0xffffffffffffffffff> expected a whole number from -9007199254740991 to 9007199254740991",
    ),
    (
        "caller.subject == b'a'",
        "Condition <b> a condition has no bytes; write a text, without the `b`",
    ),
    (
        "caller.claims.a == null",
        "Condition <null> a condition has no `null`: what is null is unknown; to ask if a fact is there, write `has(caller.claims.x)`",
    ),
    (
        "caller.claims == {'a': 1}",
        "Condition <{> a condition has no maps; compare facts and values",
    ),
    (
        "Caller{a: 1} == 1",
        "Condition <{> a condition has no messages; compare facts and values",
    ),
    (
        ".caller.subject == 'a'",
        "Condition <.> a condition has no packages; write the name without the dot before it",
    ),
    (
        "package == 'a'",
        "Condition <package> `package` is a reserved word of CEL; use another name",
    ),
    (
        "caller.in == 'a'",
        r#"Condition <in> `in` is a word of CEL and no name; write `["in"]` instead of `.in`"#,
    ),
    (
        "caller.subject == 'a",
        "Condition <'a> the text does not end; close it with '",
    ),
    (
        "caller.subject == 'a\nb'",
        "Condition <'a> a text ends on the line where it begins; close it with '",
    ),
    (
        r"caller.subject == '\q'",
        r"Condition <\q> it is no escape of CEL; for a backslash, write `\\`",
    ),
    (
        r"caller.subject == '\ud800'",
        r"Condition <\ud800> it is no escape of CEL; for a backslash, write `\\`",
    ),
    (
        "true true",
        "Condition <true> expected an operator or the end, got `true`",
    ),
    ("(true", "Condition <> expected `)`, got the end"),
    ("[1, 2", "Condition <> expected `,` or `]`, got the end"),
];
