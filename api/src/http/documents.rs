//! Limits on GraphQL documents that hold before the library works on them: it parses and walks
//! documents recursively, so nesting is a question of the stack, and repeated fragments multiply.
//!
//! Both transports execute through [`Guarded`].

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::futures_util::stream::{BoxStream, StreamExt as _, once};
use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Data, Executor, Request, Response, ServerError, Value};

use dash_shared::codes::ErrorCode;

use crate::graphql::DashSchema;

/// The longest document, in bytes.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024;
/// How deep brackets of all kinds may be nested.
const MAX_NESTING: usize = 32;
/// The most fragments in one document.
const MAX_FRAGMENTS: usize = 50;
/// The most selections after each spread is replaced by its fragment.
const MAX_SELECTIONS: usize = 5_000;

/// The schema behind the limits.
#[derive(Clone)]
pub(super) struct Guarded(pub(super) DashSchema);

impl Executor for Guarded {
    async fn execute(&self, mut request: Request) -> Response {
        match check(&mut request) {
            Ok(()) => with_codes(self.0.execute(request).await),
            Err(error) => with_codes(Response::from_errors(vec![error])),
        }
    }

    fn execute_stream(
        &self,
        mut request: Request,
        session_data: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        match check(&mut request) {
            Ok(()) => self
                .0
                .execute_stream_with_session_data(request, session_data.unwrap_or_default())
                .map(with_codes)
                .boxed(),
            Err(error) => {
                let response = with_codes(Response::from_errors(vec![error]));
                once(std::future::ready(response)).boxed()
            }
        }
    }
}

/// What kind of operation the request asks for; none if it names one that is not there.
pub(super) fn operation_type(request: &mut Request) -> Option<OperationType> {
    let name = request.operation_name.clone();
    let document = request.parsed_query().ok()?;
    let mut operations = document.operations.iter();
    let operation = match name {
        Some(name) => operations.find(|(found, _)| found.is_some_and(|found| **found == *name)),
        None => operations.next(),
    };
    operation.map(|(_, operation)| operation.node.ty)
}

/// Whether a document may be parsed at all.
pub(super) fn check_text(query: &str) -> Result<(), ServerError> {
    if query.len() > MAX_DOCUMENT_BYTES {
        return refuse(format!(
            "The document is longer than {MAX_DOCUMENT_BYTES} bytes."
        ));
    }
    if nesting(query) > MAX_NESTING {
        return refuse(format!(
            "The document is nested more than {MAX_NESTING} levels deep."
        ));
    }
    Ok(())
}

fn check(request: &mut Request) -> Result<(), ServerError> {
    check_text(&request.query)?;
    let document = request.parsed_query()?;
    let mut operations = document.operations.iter();
    if operations.any(|(_, operation)| !has_one_root(&operation.node)) {
        return refuse("A subscription asks for exactly one field.".to_owned());
    }
    if document.fragments.len() > MAX_FRAGMENTS {
        return refuse(format!(
            "The document has more than {MAX_FRAGMENTS} fragments."
        ));
    }
    if selections(document) > MAX_SELECTIONS {
        return refuse(format!(
            "The document selects more than {MAX_SELECTIONS} fields."
        ));
    }
    Ok(())
}

/// Whether an operation, if it is a subscription, has the one root field that the specification
/// demands.
fn has_one_root(operation: &OperationDefinition) -> bool {
    operation.ty != OperationType::Subscription
        || matches!(
            &operation.selection_set.node.items[..],
            [root] if matches!(root.node, Selection::Field(_))
        )
}

fn refuse(message: String) -> Result<(), ServerError> {
    Err(ServerError::new(message, None))
}

/// The library's own errors are about the request and have no code: this gives them theirs.
fn with_codes(mut response: Response) -> Response {
    for error in &mut response.errors {
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            extensions.set("code", Value::from(ErrorCode::BadUserInput.as_str()));
        }
    }
    response
}

/// How deep brackets are nested, strings and comments aside.
fn nesting(query: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let mut rest = query.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match first {
            b'"' => after_string(tail),
            b'#' => after(tail, |byte| matches!(byte, b'\n' | b'\r')),
            _ => tail,
        };
        match first {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// What follows a string whose opening quote was just read.
fn after_string(text: &[u8]) -> &[u8] {
    let Some(mut rest) = text.strip_prefix(b"\"\"") else {
        let mut escaped = false;
        return after(text, |byte| {
            let ends = !escaped && matches!(byte, b'"' | b'\n' | b'\r');
            escaped = !escaped && *byte == b'\\';
            ends
        });
    };
    // A block string, or an empty one with another string behind it: the latter is no GraphQL.
    loop {
        if let Some(behind) = rest.strip_prefix(b"\"\"\"") {
            return behind;
        }
        rest = rest.strip_prefix(b"\\\"\"\"").unwrap_or(match rest {
            [_, tail @ ..] => tail,
            [] => return rest,
        });
    }
}

/// What follows the first byte that ends something.
fn after(text: &[u8], ends: impl FnMut(&u8) -> bool) -> &[u8] {
    let end = text.iter().position(ends);
    end.and_then(|end| text.get(end + 1..)).unwrap_or_default()
}

/// The number of selections with each spread replaced by its fragment, up to the limit.
fn selections(document: &ExecutableDocument) -> usize {
    let mut known = HashMap::new();
    let operations = document.operations.iter();
    operations
        .map(|(_, operation)| count(document, &operation.node.selection_set.node, &mut known))
        .fold(0, usize::saturating_add)
}

fn count<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    known: &mut HashMap<&'a str, usize>,
) -> usize {
    let counts = set.items.iter().map(|selection| match &selection.node {
        Selection::Field(field) => 1 + count(document, &field.node.selection_set.node, known),
        Selection::InlineFragment(inline) => {
            1 + count(document, &inline.node.selection_set.node, known)
        }
        Selection::FragmentSpread(spread) => {
            let name = spread.node.fragment_name.node.as_str();
            if let Some(known) = known.get(name) {
                return *known;
            }
            // A fragment that spreads itself counts nothing inside: validation refuses it.
            known.insert(name, 0);
            let fragment = document.fragments.get(name);
            let inside = fragment.map_or(0, |fragment| {
                count(document, &fragment.node.selection_set.node, known)
            });
            let expanded = inside.saturating_add(1);
            known.insert(name, expanded);
            expanded
        }
    });
    counts.fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_counts_brackets_outside_of_strings_and_comments() {
        for (query, expected) in [
            ("", 0),
            ("{ a }", 1),
            ("{ a(b: [{c: 1}]) { d } }", 4),
            ("{ a } { b }", 1),
            (r#"{ a(b: "{{{{") }"#, 2),
            (r#"{ a(b: "\"{{{{") }"#, 2),
            (r#"{ a(b: "\\") { c } }"#, 2),
            (r#"{ a(b: """{{ \""" {{""") { c } }"#, 2),
            (r#"{ a(b: "", c: "{") }"#, 2),
            ("{ a # {{{{\n { b } }", 2),
            ("}}}{", 1),
            (r#"{ "open"#, 1),
            (r#"{ """open"#, 1),
        ] {
            assert_eq!(nesting(query), expected, "{query}");
        }
    }

    #[test]
    fn a_document_is_refused_before_it_can_hurt() {
        let fan: Vec<_> = (0..30)
            .map(|n| format!("fragment f{n} on Q {{ ...f{m} ...f{m} }}", m = n + 1))
            .collect();
        let fan = fan.concat();
        let multiplied = format!("{{ ...f0 }} {fan} fragment f30 on Q {{ a }}");
        let many: Vec<_> = (0..60)
            .map(|n| format!("fragment f{n} on Q {{ a }}"))
            .collect();
        for (query, problem) in [
            ("{a".repeat(20_000), "nested"),
            (format!("{{ a(b: {}) }}", "[".repeat(20_000)), "nested"),
            (
                format!("{{ {} }}", "a ".repeat(MAX_DOCUMENT_BYTES)),
                "longer",
            ),
            (
                format!("{{ {} }}", "a ".repeat(MAX_SELECTIONS + 1)),
                "selects",
            ),
            (multiplied, "selects"),
            (many.concat() + "{ a }", "fragments"),
        ] {
            let error = check(&mut Request::new(query)).unwrap_err();
            assert!(error.message.contains(problem), "{}", error.message);
        }
    }

    #[test]
    fn a_subscription_asks_for_one_field() {
        for (query, expected) in [
            ("subscription { a }", true),
            ("subscription { a { b c } }", true),
            ("{ a b }", true),
            ("subscription { a b }", false),
            ("subscription { a a }", false),
            (
                "subscription { ...f } fragment f on Subscription { a }",
                false,
            ),
            ("subscription { ... { a } }", false),
            ("query A { a } subscription B { a b }", false),
        ] {
            assert_eq!(check(&mut Request::new(query)).is_ok(), expected, "{query}");
        }
    }

    #[test]
    fn fragments_that_spread_themselves_end() {
        let query = "{ ...a } fragment a on Q { ...b } fragment b on Q { ...a x }";
        assert!(check(&mut Request::new(query)).is_ok());
    }

    #[test]
    fn the_operation_is_the_one_that_is_named() {
        let two = "query A { a } mutation B { b }";
        let check = |query: &str, name: Option<&str>, expected| {
            let mut request = Request::new(query);
            request.operation_name = name.map(str::to_owned);
            assert_eq!(operation_type(&mut request), expected, "{query} {name:?}");
        };
        check("{ a }", None, Some(OperationType::Query));
        check("mutation { a }", None, Some(OperationType::Mutation));
        check(two, Some("B"), Some(OperationType::Mutation));
        check(two, Some("C"), None);
        check("{", None, None);
    }
}
