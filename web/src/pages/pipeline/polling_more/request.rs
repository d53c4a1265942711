//! What is sent: the method, the query, the body; and how the answer is read.

use leptos::prelude::*;

use super::super::polling_form::More;
use super::super::polling_source::{AnswerFormat, PollMethod};
use super::{Choices, Editor, Line};
use crate::format::plural;

pub(super) fn request(editor: Editor) -> AnyView {
    let method = editor.choice(Choices {
        at: "method",
        label: "Method",
        options: &[("get", "GET"), ("post", "POST")],
        test_id: "poll-method",
        get: |more| match more.method {
            PollMethod::Get => "get",
            PollMethod::Post => "post",
        },
        set: |more, chosen| {
            more.method = match chosen {
                "post" => PollMethod::Post,
                _ => PollMethod::Get,
            };
        },
    });
    let query = editor.lines(Line {
        at: "query",
        label: "Query parameters",
        hint: "One on each line: name=value. They are added to the address.",
        placeholder: "status=open",
        test_id: "poll-query",
        get: |more| more.query.clone(),
        set: |more, text| more.query = text,
    });
    let is_post = editor.value(|more| more.method == PollMethod::Post);
    let body = move || {
        is_post.get().then(|| {
            let content_type = editor.line(Line {
                at: "body.contentType",
                label: "Content type of the body",
                hint: "What the body is.",
                placeholder: "application/json",
                test_id: "poll-content-type",
                get: |more| more.body.content_type.clone(),
                set: |more, text| more.body.content_type = text,
            });
            let text = editor.lines(Line {
                at: "body.text",
                label: "Body",
                hint: "Sent as it is; {{cursor}} is replaced.",
                placeholder: "{\"limit\": 100}",
                test_id: "poll-body",
                get: |more| more.body.text.clone(),
                set: |more, text| more.body.text = text,
            });
            view! { {content_type} {text} }
        })
    };
    let format = editor.choice(Choices {
        at: "format",
        label: "Format of the answer",
        options: &[
            ("auto", "As the answer says"),
            ("json", "JSON"),
            ("ndjson", "NDJSON: JSON on each line"),
            ("csv", "CSV"),
        ],
        test_id: "poll-format",
        get: |more| match more.format {
            AnswerFormat::Auto => "auto",
            AnswerFormat::Json => "json",
            AnswerFormat::Ndjson => "ndjson",
            AnswerFormat::Csv => "csv",
        },
        set: |more, chosen| {
            more.format = match chosen {
                "json" => AnswerFormat::Json,
                "ndjson" => AnswerFormat::Ndjson,
                "csv" => AnswerFormat::Csv,
                _ => AnswerFormat::Auto,
            };
        },
    });
    let fields = view! { {method} {query} {body} {format} }.into_any();
    let summary = |more: &More| match (more.method, more.query.lines().count()) {
        (PollMethod::Get, 0) => "GET".to_owned(),
        (PollMethod::Post, 0) => "POST".to_owned(),
        (method, count) => {
            let method = if method == PollMethod::Get {
                "GET"
            } else {
                "POST"
            };
            format!(
                "{method}, {}",
                plural(
                    i64::try_from(count).unwrap_or(i64::MAX),
                    "parameter",
                    "parameters"
                )
            )
        }
    };
    let of = &["method", "query", "body", "format"];
    editor.section("Request", of, "section-request", summary, fields)
}
