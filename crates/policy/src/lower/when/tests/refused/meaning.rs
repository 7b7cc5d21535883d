//! What asks of nothing there is, or of types that cannot fit; each as in `grammar`.

/// What asks of nothing there is, or of types that cannot fit.
pub(super) const MEANING: &[(&str, &str)] = &[
    (
        "has(caller.email,)",
        "Condition <)> expected an argument after `,`, got `)`",
    ),
    (
        "caller.subjct == 'a'",
        "Condition <subjct> there is no `caller.subjct`; did you mean `caller.subject`?",
    ),
    (
        "caller.tenant == 'a'",
        "Condition <tenant> there is no `caller.tenant`; there are actor, claims, client, email, groups, provider, subject; a claim is `caller.claims.NAME`",
    ),
    (
        "request.time == 'a'",
        "Condition <time> there is no `request.time`; there are headers, host, method, path, source",
    ),
    (
        "subject == 'a'",
        "Condition <subject> there is no `subject` in a condition; write `caller.subject`",
    ),
    (
        "callr.subject == 'a'",
        "Condition <callr> there is no `callr` in a condition; did you mean `caller`?",
    ),
    (
        "foo == 'a'",
        "Condition <foo> there is no `foo` in a condition; a condition asks of `caller`, `request` and `path`; a text stands in quotes",
    ),
    (
        "caller == 'a'",
        "Condition <caller> `caller` is written with the name of what is asked; write `caller.subject`",
    ),
    (
        "caller.claims == 'a'",
        "Condition <caller.claims> `caller.claims` is written with the name of what is asked; write `caller.claims.tenant`",
    ),
    (
        "request.headers == 'a'",
        r#"Condition <request.headers> `request.headers` is written with one name; write `request.headers["x-app"]`"#,
    ),
    (
        "request == 'a'",
        "Condition <request> `request` is written with the name of what is asked; write `request.path`",
    ),
    (
        "path == 'a'",
        "Condition <path> `path` is written with the name of one capture; write `path.NAME`, where a path of `to` has `{NAME}`",
    ),
    ("caller.subject.a == 'a'", "Condition <a> a text has no `a`"),
    (
        "caller.groups[0] == 'a'",
        "Condition <0> expected a name in quotes between `[` and `]`; of a list, ask with `in`, `exists` or `all`",
    ),
    (
        "caller.groups.a == 'a'",
        "Condition <a> a list of texts has no `a`; of a list, ask with `in`, `exists` or `all`",
    ),
    (
        "request.headers['a b'] == 'a'",
        "Condition <'a b'> `a b` is no name of a header",
    ),
    (
        "caller.claims.a.b.c.d.e.f.g.h.i == 1",
        "Condition <caller.claims.a.b.c.d.e.f.g.h.i> expected at most 8 keys, got 9",
    ),
    (
        "'a'.b == 1",
        "Condition <'a'> only a fact has members; write `caller.`, `request.` or `path.` and a name",
    ),
    (
        "caller.subject",
        "Condition <caller.subject> expected true or false, got a text; compare it: `==`, `in`, `has(...)`",
    ),
    (
        "!caller.subject",
        "Condition <caller.subject> expected true or false, got a text; compare it: `==`, `in`, `has(...)`",
    ),
    (
        "caller.subject && true",
        "Condition <caller.subject> expected true or false, got a text; compare it: `==`, `in`, `has(...)`",
    ),
    (
        "caller.subject == 5",
        "Condition <caller.subject == 5> a text is never compared with a number: `==`; a text stands in quotes, a number does not",
    ),
    (
        "1 < 'a'",
        "Condition <1 < 'a'> expected two numbers or two texts, got a number and a text",
    ),
    (
        "true < false",
        "Condition <true < false> expected two numbers or two texts, got true or false and true or false",
    ),
    (
        "caller.groups == 'a'",
        "Condition <caller.groups == 'a'> a list of texts is never compared with a text: `==`; of a list, ask with `in`",
    ),
    (
        "request.source == '10.0.0.1'",
        r#"Condition <request.source == '10.0.0.1'> an address is never compared with a text: `==`; write `inCIDR(request.source, "192.0.2.1/32")`"#,
    ),
    (
        "caller.subject in 'ana'",
        "Condition <'ana'> expected a list, got a text; in a text, write `text.contains(part)`",
    ),
    (
        "5 in caller.groups",
        "Condition <caller.groups> a number is never among a list of texts",
    ),
    (
        "5 in ['a']",
        "Condition <['a']> a number is never among a list of texts",
    ),
    (
        "caller.provider == 'okta'",
        r#"Condition <'okta'> expected `KIND/NAME` of a provider, got `okta`; write "ClusterTrustProvider/okta""#,
    ),
    (
        "caller.provider in ['okta']",
        r#"Condition <'okta'> expected `KIND/NAME` of a provider, got `okta`; write "ClusterTrustProvider/okta""#,
    ),
    (
        "'/' != caller.provider",
        r#"Condition <'/'> expected `KIND/NAME` of a provider, got `/`; write "ClusterTrustProvider/NAME""#,
    ),
    (
        "caller.subject.matches('a')",
        "Condition <matches> there is no function `matches`; there are no regular expressions: write `startsWith`, `endsWith` or `contains`",
    ),
    (
        "caller.groups.exist(g, true)",
        "Condition <exist> there is no function `exist`; did you mean `exists`?",
    ),
    (
        "foo(1)",
        "Condition <foo> there is no function `foo`; there are has, size, startsWith, endsWith, contains, exists, all, inCIDR",
    ),
    (
        "startsWith(caller.subject, 'a')",
        r#"Condition <startsWith(caller.subject, 'a')> `startsWith` is not called like this; write `request.path.startsWith("/v1/")`"#,
    ),
    (
        "has('a')",
        "Condition <'a'> `has` asks if one fact is there; write `has(caller.claims.tenant)`",
    ),
    (
        "has(path.tenant)",
        "Condition <path.tenant> a capture is never absent, only unknown; write a rule for the paths that capture it",
    ),
    (
        "has(caller.subject == 'a')",
        "Condition <caller.subject == 'a'> `has` asks if one fact is there; write `has(caller.claims.tenant)`",
    ),
    (
        "size(1) == 1",
        "Condition <1> expected a text or a list, got a number",
    ),
    (
        "size() == 1",
        "Condition <size()> `size` is not called like this; write `size(caller.groups)`",
    ),
    (
        "caller.groups.contains('a')",
        r#"Condition <caller.groups> expected a text, got a list of texts; of a list, write `"a" in list` or `list.exists(x, ...)`"#,
    ),
    (
        "request.source.startsWith('10.')",
        r#"Condition <request.source> expected a text, got an address; write `inCIDR(request.source, "10.0.0.0/8")`"#,
    ),
    (
        "caller.subject.startsWith(1)",
        "Condition <1> expected a text, got a number",
    ),
    (
        "inCIDR(request.source, '10.0.0.0')",
        "Condition <'10.0.0.0'> expected a network such as `10.0.0.0/8`, got `10.0.0.0`; write `10.0.0.0/32`",
    ),
    (
        "inCIDR(request.source, '10.1.0.0/8')",
        "Condition <'10.1.0.0/8'> `10.1.0.0/8` is not how that network is written; write `10.0.0.0/8`",
    ),
    (
        "inCIDR(request.source, '::ffff:10.0.0.0/104')",
        "Condition <'::ffff:10.0.0.0/104'> `::ffff:10.0.0.0/104` is not how that network is written; write `10.0.0.0/8`",
    ),
    (
        "inCIDR(request.source, request.host)",
        r#"Condition <request.host> expected a network in quotes; write `inCIDR(request.source, "10.0.0.0/8")`"#,
    ),
    (
        "inCIDR(caller.groups, '10.0.0.0/8')",
        "Condition <caller.groups> expected an address, got a list of texts; write `request.source`",
    ),
    (
        "inCIDR(request.source, 'a')",
        "Condition <'a'> expected a network such as `10.0.0.0/8`, got `a`",
    ),
    (
        "request.source.inCIDR('10.0.0.0/8')",
        r#"Condition <request.source.inCIDR('10.0.0.0/8')> `inCIDR` is not called like this; write `inCIDR(request.source, "10.0.0.0/8")`"#,
    ),
    (
        "caller.subject.exists(x, true)",
        "Condition <caller.subject> expected a list, got a text",
    ),
    (
        "caller.groups.exists('x', true)",
        "Condition <'x'> expected a name for each element",
    ),
    (
        "caller.groups.exists(path, true)",
        "Condition <path> `path` is what is asked, and no name for an element; write `x`",
    ),
    (
        "caller.groups.exists(g, g)",
        "Condition <g> expected true or false, got a text; compare it: `==`, `in`, `has(...)`",
    ),
    (
        "caller.groups.exists(g, g.a == 1)",
        "Condition <a> a text has no `a`",
    ),
    (
        "caller.groups.exists(a, caller.groups.exists(b, caller.groups.exists(c, a == c)))",
        "Condition <caller.groups.exists(c, a == c)> expected at most 2 of `exists` and `all` inside each other; write two rules",
    ),
    (
        "path.tenent == 'a'",
        "NotCaptured <path.tenent> no path of `to` captures `tenent`; there are tenant",
    ),
    (
        "path['a'].b == 'a'",
        "Condition <path['a'].b> `path` is written with the name of one capture; write `path.NAME`, where a path of `to` has `{NAME}`",
    ),
    (
        "caller.groups.all(g, g == 'a')",
        "warning Vacuous <caller.groups.all(g, g == 'a')> `all` holds of an empty list too; if there must be one, write `size(list) > 0 && list.all(...)`",
    ),
    (
        "1 == 1",
        "warning Vacuous <1 == 1> it asks nothing of the caller or the request: it is always the same",
    ),
    (
        "caller.claims[caller.subject] == 1",
        "Condition <caller.subject> expected a name in quotes between `[` and `]`; of a list, ask with `in`, `exists` or `all`",
    ),
    (
        "((((((((((((((((((((((((true))))))))))))))))))))))))",
        "Condition <true> expected at most 24 levels inside each other; write two rules",
    ),
];
