//! YAML 1.2 to JSON values with the place of every field, within limits that no text can outgrow.
//!
//! JSON is read by it, too, as it is YAML. What two readers could take for two things is refused: a
//! name twice, a merge (`<<`), a tag of one's own.

use super::layout::{Inside, Layout};
use super::scalar;
use serde_json::{Map, Value};
use serde_saphyr::granit_parser::{
    Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, Tag,
};
use std::collections::BTreeMap;
use std::ops::Range;

/// The most nodes of a file, those that aliases repeat included.
const MAX_NODES: usize = 200_000;

/// How deep mappings and lists may stand inside each other.
const MAX_DEPTH: usize = 64;

/// One document.
#[derive(Debug, Clone)]
pub(super) struct Document {
    /// What it says.
    pub(super) value: Value,
    /// Where.
    pub(super) layout: Layout,
    /// The plain scalars that a reader of YAML 1.1 takes for something else.
    pub(super) older: Vec<Older>,
}

/// A plain scalar that a reader of YAML 1.1 takes for something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Older {
    /// Where it stands.
    pub(super) span: Range<usize>,
    /// What it is taken for.
    pub(super) reading: &'static str,
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// Where.
    pub(super) span: Range<usize>,
    /// What was expected and what was got.
    pub(super) message: String,
    /// What to do.
    pub(super) help: Option<String>,
}

impl Broken {
    fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            help: None,
        }
    }
}

/// The documents of a file, empty ones left out.
pub(super) fn documents(text: &str) -> Result<Vec<Document>, Broken> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut reader = Reader {
        parser: Parser::new_from_str_with_options(text, options),
        length: text.len(),
        anchors: BTreeMap::new(),
        nodes: 0,
        older: Vec::new(),
    };
    let mut documents = Vec::new();
    while let Some((event, at)) = reader.next()? {
        match event {
            Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::StreamStart
            | Event::StreamEnd => {
                reader.anchors.clear();
            }
            node => {
                let node = reader.node(node, at, 0)?;
                let older = std::mem::take(&mut reader.older);
                if !node.value.is_null() {
                    documents.push(Document {
                        value: node.value,
                        layout: node.layout,
                        older,
                    });
                }
            }
        }
    }
    Ok(documents)
}

#[derive(Clone)]
struct Node {
    value: Value,
    layout: Layout,
    size: usize,
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    length: usize,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    older: Vec<Older>,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Range<usize>)>, Broken> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok((event, span))) => Ok(Some((event, self.range(&span)))),
            Some(Err(error)) => Err(self.syntax(&error)),
        }
    }

    fn range(&self, span: &Span) -> Range<usize> {
        span.byte_range().unwrap_or(self.length..self.length)
    }

    fn syntax(&self, error: &ScanError) -> Broken {
        let at = error
            .marker()
            .byte_offset()
            .unwrap_or(self.length)
            .min(self.length);
        Broken::new(
            at..at.saturating_add(1),
            format!("expected YAML: {}", error.info()),
        )
    }

    /// The next event inside a node: the text cannot end here.
    fn inner(&mut self) -> Result<(Event<'t>, Range<usize>), Broken> {
        let end = self.length..self.length;
        self.next()?
            .ok_or_else(|| Broken::new(end, "expected more, got the end of the file"))
    }

    fn node(&mut self, event: Event<'t>, at: Range<usize>, depth: usize) -> Result<Node, Broken> {
        if depth > MAX_DEPTH {
            return Err(Broken::new(
                at,
                format!("expected at most {MAX_DEPTH} levels, got more"),
            ));
        }
        let before = self.nodes;
        self.grow(1, &at)?;
        let (anchor, value, inside) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = self.scalar(&text, style, tag.as_deref(), &at)?;
                (anchor, value, Inside::Scalar)
            }
            Event::SequenceStart(_, anchor, tag) => {
                known(tag.as_deref(), &["seq"], &at)?;
                let (value, inside) = self.list(depth)?;
                (anchor, value, inside)
            }
            Event::MappingStart(_, anchor, tag) => {
                known(tag.as_deref(), &["map"], &at)?;
                let (value, inside) = self.mapping(depth)?;
                (anchor, value, inside)
            }
            Event::Alias(anchor) => return self.alias(anchor, &at),
            other => return Err(Broken::new(at, format!("expected a value, got {other:?}"))),
        };
        let node = Node {
            value,
            layout: Layout { at, inside },
            size: self.nodes.saturating_sub(before),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn grow(&mut self, by: usize, at: &Range<usize>) -> Result<(), Broken> {
        self.nodes = self.nodes.saturating_add(by);
        if self.nodes > MAX_NODES {
            let message = format!("expected at most {MAX_NODES} values in a file, got more");
            return Err(Broken::new(at.clone(), message));
        }
        Ok(())
    }

    /// What an anchor stands for, counted anew each time: a few lines can stand for billions.
    fn alias(&mut self, anchor: usize, at: &Range<usize>) -> Result<Node, Broken> {
        let size = self.anchors.get(&anchor).map(|node| node.size);
        let size = size.ok_or_else(|| {
            Broken::new(
                at.clone(),
                "expected an anchor that ends before its alias, got one around it",
            )
        })?;
        self.grow(size, at)?;
        let node = self.anchors.get(&anchor).cloned();
        node.ok_or_else(|| Broken::new(at.clone(), "expected an anchor, got none"))
    }

    fn list(&mut self, depth: usize) -> Result<(Value, Inside), Broken> {
        let (mut values, mut layouts) = (Vec::new(), Vec::new());
        loop {
            let (event, at) = self.inner()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok((Value::Array(values), Inside::List(layouts)));
            }
            let node = self.node(event, at, depth.saturating_add(1))?;
            values.push(node.value);
            layouts.push(node.layout);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<(Value, Inside), Broken> {
        let (mut values, mut layouts) = (Map::new(), Vec::new());
        loop {
            let (event, at) = self.inner()?;
            let name = match event {
                Event::MappingEnd => return Ok((Value::Object(values), Inside::Mapping(layouts))),
                Event::Scalar(text, style, 0, None) => self.name(&text, style, &at)?,
                _ => {
                    return Err(Broken::new(
                        at,
                        "expected a field's name, got something else",
                    ));
                }
            };
            let (event, value_at) = self.inner()?;
            let node = self.node(event, value_at, depth.saturating_add(1))?;
            if values.insert(name.clone(), node.value).is_some() {
                let message = format!("expected each field once, got `{name}` twice");
                return Err(Broken::new(at, message));
            }
            layouts.push((name, at, node.layout));
        }
    }

    fn name(
        &mut self,
        text: &str,
        style: ScalarStyle,
        at: &Range<usize>,
    ) -> Result<String, Broken> {
        if style == ScalarStyle::Plain {
            if text == "<<" {
                return Err(Broken {
                    help: Some("write the fields out: not every reader merges".to_owned()),
                    ..Broken::new(at.clone(), "expected a field's name, got a merge")
                });
            }
            self.note(text, at);
        }
        Ok(text.to_owned())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        at: &Range<usize>,
    ) -> Result<Value, Broken> {
        known(tag, &["str", "int", "float", "bool", "null"], at)?;
        let quoted =
            style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.core_suffix() == Some("str"));
        if quoted {
            return Ok(Value::String(text.to_owned()));
        }
        self.note(text, at);
        Ok(scalar::read(text))
    }

    fn note(&mut self, text: &str, at: &Range<usize>) {
        if let Some(reading) = scalar::older_reading(text) {
            let span = at.clone();
            self.older.push(Older { span, reading });
        }
    }
}

/// A tag of the core schema, or none.
fn known(tag: Option<&Tag>, expected: &[&str], at: &Range<usize>) -> Result<(), Broken> {
    match tag {
        None => Ok(()),
        Some(tag)
            if tag
                .core_suffix()
                .is_some_and(|suffix| expected.contains(&suffix)) =>
        {
            Ok(())
        }
        Some(tag) => {
            let message = format!(
                "expected a plain value, got one with the tag `{}`",
                tag.original()
            );
            Err(Broken::new(at.clone(), message))
        }
    }
}

#[cfg(test)]
mod tests;
