//! Ready code that posts an event to a webhook: curl, JavaScript and Python, for a URL and an
//! example body; and a button that sends it from here.

use gloo_net::http::Request;
use leptos::{prelude::*, task::spawn_local};
use serde_json::Value;

use super::{Button, ButtonSize, Choice, CodeBlock, Icon, Segmented, bind, use_toasts};

/// Longer examples are not shown as code; nobody would read them.
const MAX_EXAMPLE_BYTES: usize = 700;

/// The event that is shown when nothing better is known.
pub fn example_event() -> Value {
    serde_json::json!({"order": "A-1001", "total": 184.2, "country": "DE", "paid": true})
}

/// `event` if it is short enough to be shown as code, else the example.
pub fn showable(event: Option<Value>) -> Value {
    event
        .filter(|event| event.to_string().len() <= MAX_EXAMPLE_BYTES)
        .unwrap_or_else(example_event)
}

/// Code in three languages that posts `event` to `url`, and a button that does so at once.
#[component]
pub fn Snippets(
    /// The webhook's address.
    #[prop(into)]
    url: Signal<String>,
    /// The body of the example.
    #[prop(into)]
    event: Signal<Value>,
) -> impl IntoView {
    let language = RwSignal::new("curl".to_owned());
    let code = Signal::derive(move || {
        let (url, event) = (url.get(), event.get());
        match language.get().as_str() {
            "javascript" => javascript(&url, &event),
            "python" => python(&url, &event),
            _ => curl(&url, &event),
        }
    });
    let languages = vec![
        Choice::new("curl", "curl"),
        Choice::new("javascript", "JavaScript"),
        Choice::new("python", "Python"),
    ];
    view! {
        <div class="snippets">
            <div class="snippets-head">
                <Segmented label="Language" choices=languages value=language on_change=bind(language)/>
                <SendButton url event/>
            </div>
            <CodeBlock code label="Code that sends an event" test_id="snippet"/>
        </div>
    }
}

/// Posts the example from the browser. Only offered for addresses of this very server: others
/// could not be reached from a page.
#[component]
fn SendButton(url: Signal<String>, event: Signal<Value>) -> impl IntoView {
    let busy = RwSignal::new(false);
    let toasts = use_toasts();
    let is_here = move || {
        let origin = window().location().origin().unwrap_or_default();
        url.with(|url| path_here(url, &origin).is_some())
    };
    let send = move || {
        let origin = window().location().origin().unwrap_or_default();
        let Some(path) = url.with_untracked(|url| path_here(url, &origin)) else {
            return;
        };
        let body = event.get_untracked().to_string();
        busy.set(true);
        spawn_local(async move {
            match post(&path, body).await {
                Some(status) if (200..300).contains(&status) => {
                    toasts.success("Event sent and stored.");
                }
                Some(429) => toasts.error("Too many events in a short time. Wait a moment."),
                Some(status) => toasts.error(format!("The webhook answered {status}.")),
                None => toasts.error("The webhook could not be reached. Check your connection."),
            }
            busy.set(false);
        });
    };
    view! {
        <Show when=is_here>
            <Button size=ButtonSize::Small icon=Icon::Play busy=busy on_click=send test_id="send-event">
                "Send it now"
            </Button>
        </Show>
    }
}

fn path_here(url: &str, origin: &str) -> Option<String> {
    url.strip_prefix(origin)
        .filter(|path| path.starts_with('/'))
        .map(str::to_owned)
}

async fn post(path: &str, body: String) -> Option<u16> {
    let request = Request::post(path)
        .header("Content-Type", "application/json")
        .body(body)
        .ok()?;
    Some(request.send().await.ok()?.status())
}

fn curl(url: &str, event: &Value) -> String {
    let body = event.to_string().replace('\'', r"'\''");
    format!("curl '{url}' \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'")
}

fn javascript(url: &str, event: &Value) -> String {
    let body = javascript_literal(event, 2);
    format!(
        "await fetch(\"{url}\", {{\n  method: \"POST\",\n  headers: {{ \"Content-Type\": \"application/json\" }},\n  body: JSON.stringify({body}),\n}});"
    )
}

fn python(url: &str, event: &Value) -> String {
    let body = python_literal(event, 2);
    format!("import requests\n\nrequests.post(\n  \"{url}\",\n  json={body},\n)")
}

/// The value as JavaScript writes it: names without quotes where they need none.
fn javascript_literal(value: &Value, indent: usize) -> String {
    literal(
        value,
        indent,
        &|key| {
            let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && !key.starts_with(|c: char| c.is_ascii_digit())
                && !key.is_empty();
            if plain {
                key.to_owned()
            } else {
                Value::from(key).to_string()
            }
        },
        &Value::to_string,
    )
}

/// The value as Python writes it: `True`, `False` and `None`.
fn python_literal(value: &Value, indent: usize) -> String {
    literal(
        value,
        indent,
        &|key| Value::from(key).to_string(),
        &|value| match value {
            Value::Null => "None".to_owned(),
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            other => other.to_string(),
        },
    )
}

fn literal(
    value: &Value,
    indent: usize,
    key_text: &dyn Fn(&str) -> String,
    scalar_text: &dyn Fn(&Value) -> String,
) -> String {
    let (pad, end) = (" ".repeat(indent + 2), " ".repeat(indent));
    let nested = |value: &Value| literal(value, indent + 2, key_text, scalar_text);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let lines: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{pad}{}: {},\n", key_text(key), nested(value)))
                .collect();
            format!("{{\n{}{end}}}", lines.concat())
        }
        Value::Array(items) if !items.is_empty() => {
            let items: Vec<String> = items.iter().map(nested).collect();
            format!("[{}]", items.join(", "))
        }
        other => scalar_text(other),
    }
}
