//! How the answer goes on.

use leptos::prelude::*;

use super::super::polling_form::More;
use super::super::polling_source::PaginationKind;
use super::{Choices, Editor, Line, filled, label_of, number, text};

const PAGE_KINDS: [(&str, &str); 6] = [
    ("none", "One page"),
    ("page", "Page number"),
    ("offset", "Offset"),
    ("cursor", "Cursor in the answer"),
    ("link", "Link header"),
    ("next_url", "Next address in the answer"),
];

const fn page_kind(more: &More) -> &'static str {
    match more.pagination.kind {
        PaginationKind::None => "none",
        PaginationKind::Page => "page",
        PaginationKind::Offset => "offset",
        PaginationKind::Cursor => "cursor",
        PaginationKind::Link => "link",
        PaginationKind::NextUrl => "next_url",
    }
}

pub(super) fn pages(editor: Editor) -> AnyView {
    let kind = editor.choice(Choices {
        at: "pagination.kind",
        label: "The answer goes on by",
        options: &PAGE_KINDS,
        test_id: "page-kind",
        get: page_kind,
        set: |more, chosen| {
            more.pagination.kind = match chosen {
                "page" => PaginationKind::Page,
                "offset" => PaginationKind::Offset,
                "cursor" => PaginationKind::Cursor,
                "link" => PaginationKind::Link,
                "next_url" => PaginationKind::NextUrl,
                _ => PaginationKind::None,
            };
        },
    });
    let chosen = editor.value(|more| more.pagination.kind);
    let fields = move || page_fields(editor, chosen.get());
    let fields = view! { {kind} {fields} }.into_any();
    let summary = |more: &More| label_of(&PAGE_KINDS, page_kind(more));
    let of = &["pagination", "maxPages"];
    editor.section("Pages", of, "section-pages", summary, fields)
}

fn page_fields(editor: Editor, kind: PaginationKind) -> AnyView {
    let is_counted = matches!(kind, PaginationKind::Page | PaginationKind::Offset);
    let has_path = matches!(kind, PaginationKind::Cursor | PaginationKind::NextUrl);
    if kind == PaginationKind::None {
        return ().into_any();
    }
    let parameter = (is_counted || kind == PaginationKind::Cursor).then(|| {
        editor.line(Line {
            at: "pagination.parameter",
            label: "Query parameter",
            hint: "It asks for a page.",
            placeholder: match kind {
                PaginationKind::Offset => "offset",
                PaginationKind::Cursor => "after",
                _ => "page",
            },
            test_id: "page-parameter",
            get: |more| text(more.pagination.parameter.as_ref()),
            set: |more, text| more.pagination.parameter = filled(text),
        })
    });
    let first = (kind == PaginationKind::Page).then(|| {
        let line = Line {
            at: "pagination.first",
            label: "The first page is",
            hint: "Most services count from 1, some from 0.",
            placeholder: "1",
            test_id: "page-first",
            get: |more| number(more.pagination.first),
            set: |more, text| more.pagination.first = text.parse().ok(),
        };
        editor.line_of(line, "number")
    });
    let sizes = is_counted.then(|| {
        let name = editor.line(Line {
            at: "pagination.sizeParameter",
            label: "Parameter of the page’s size",
            hint: "Optional.",
            placeholder: "per_page",
            test_id: "page-size-parameter",
            get: |more| text(more.pagination.size_parameter.as_ref()),
            set: |more, text| more.pagination.size_parameter = filled(text),
        });
        let size = Line {
            at: "pagination.size",
            label: "Records on a page",
            hint: "A page with fewer is the last. Left empty, an empty page is.",
            placeholder: "100",
            test_id: "page-size",
            get: |more| number(more.pagination.size),
            set: |more, text| more.pagination.size = text.parse().ok(),
        };
        let size = editor.line_of(size, "number");
        view! { {name} {size} }
    });
    let path = has_path.then(|| {
        editor.line(Line {
            at: "pagination.path",
            label: "Where it is in the answer",
            hint: "A JSONPath to the cursor or the address of the next page.",
            placeholder: "$.meta.next",
            test_id: "page-path",
            get: |more| text(more.pagination.path.as_ref()),
            set: |more, text| more.pagination.path = filled(text),
        })
    });
    let most = Line {
        at: "maxPages",
        label: "Pages in one run, at most",
        hint: "1 to 100; a run takes at most 10,000 records.",
        placeholder: "100",
        test_id: "max-pages",
        get: |more| more.max_pages.to_string(),
        set: |more, text| more.max_pages = text.parse().unwrap_or(0),
    };
    let most = editor.line_of(most, "number");
    view! { {parameter} {first} {sizes} {path} {most} }.into_any()
}
