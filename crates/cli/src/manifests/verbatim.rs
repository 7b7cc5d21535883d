//! Where a stretch of a text stands in its file: in plain, quoted and block scalars.
//!
//! Only where the file has the text as it is read, line by line: with escapes or folded lines the
//! whole field is shown, never a wrong place.

use std::ops::Range;

/// The stretch's place in the file, of a scalar that is written at a place there.
pub(super) fn place(
    file: &str,
    scalar: &Range<usize>,
    read: &str,
    stretch: &Range<usize>,
) -> Option<Range<usize>> {
    let written = file.get(scalar.start..)?;
    let begin = usize::from(written.starts_with(['"', '\'']));
    if written.get(begin..)?.starts_with(read) {
        return shifted(scalar.start.checked_add(begin)?, stretch);
    }
    in_block(file, scalar.start, read, stretch)
}

/// In a block each line stands by itself, behind the indentation of the first.
fn in_block(file: &str, start: usize, read: &str, stretch: &Range<usize>) -> Option<Range<usize>> {
    let line = file.get(..start)?.rsplit('\n').next()?;
    let indent = line.len();
    let mut at = start.checked_sub(indent)?;
    let mut before = 0_usize;
    for line in read.split('\n') {
        let written = file.get(at..)?.lines().next().unwrap_or_default();
        let stands = if line.is_empty() {
            written.trim().is_empty()
        } else {
            written.get(indent..) == Some(line)
        };
        if !stands {
            return None;
        }
        let end = before.checked_add(line.len())?;
        if (before..=end).contains(&stretch.start) {
            let from = at.checked_add(indent)?.checked_sub(before)?;
            return shifted(from, &(stretch.start..stretch.end.min(end)));
        }
        before = end.checked_add(1)?;
        at = at.checked_add(written.len())?.checked_add(1)?;
    }
    None
}

fn shifted(by: usize, stretch: &Range<usize>) -> Option<Range<usize>> {
    Some(by.checked_add(stretch.start)?..by.checked_add(stretch.end)?)
}

#[cfg(test)]
mod tests {
    use super::place;

    fn shown(file: &str, read: &str, wanted: &str) -> Option<String> {
        let after = file.find(": ").unwrap().checked_add(2).unwrap();
        let block = file.find("|\n").or_else(|| file.find("|-\n"));
        let first = |at: usize| {
            let after = file.get(at..).and_then(|rest| rest.find('a'));
            after.unwrap().checked_add(at).unwrap()
        };
        let scalar = block.map_or(after, first);
        let start = read.find(wanted).unwrap();
        let end = start.checked_add(wanted.len()).unwrap();
        let found = place(file, &(scalar..scalar), read, &(start..end))?;
        file.get(found).map(str::to_owned)
    }

    #[test]
    fn a_stretch_is_found_as_it_is_written() {
        for file in [
            "when: a == x.b\n",
            "when: 'a == x.b'\n",
            "when: \"a == x.b\"\n",
            "when: |\n  a == x.b\n",
        ] {
            let found = shown(file, "a == x.b", "x.b");
            assert_eq!(found.as_deref(), Some("x.b"), "{file}");
        }
        let two = "  when: |-\n    a == b\n\n      && c\n  other: c\n";
        let found = shown(two, "a == b\n\n  && c", "c");
        assert_eq!(found.as_deref(), Some("c"));
    }

    #[test]
    fn where_it_is_written_otherwise_no_place_is_told() {
        for (file, read) in [
            ("when: 'a == ''b'''\n", "a == 'b'"),
            ("when: \"a == \\\"b\\\"\"\n", "a == \"b\""),
            ("when: >\n  a ==\n  b\n", "a == b"),
        ] {
            assert_eq!(shown(file, read, "b"), None, "{file}");
        }
    }
}
