//! A JSON value as a tree that can be folded with the mouse or the keyboard. Knows nothing of
//! records; big arrays and objects show their beginning.

use leptos::prelude::*;
use serde_json::Value;

/// How many members of one array or object are shown.
const MAX_MEMBERS: usize = 100;
/// Down to which level members are shown unfolded at first.
const OPEN_LEVELS: usize = 2;

/// Shows `value` as a tree.
#[component]
pub fn JsonView(
    /// What is shown.
    value: Value,
    /// What the tree is called for screen readers.
    #[prop(into, default = "JSON".to_owned())]
    label: String,
) -> impl IntoView {
    view! {
        <div class="json" role="group" aria-label=label>
            {node(None, &value, 0)}
        </div>
    }
}

fn node(key: Option<String>, value: &Value, level: usize) -> AnyView {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let members = fields
                .iter()
                .take(MAX_MEMBERS)
                .map(|(key, value)| node(Some(key.clone()), value, level + 1))
                .collect_view();
            branch(key, "{", "}", fields.len(), level, members)
        }
        Value::Array(items) if !items.is_empty() => {
            let members = items
                .iter()
                .take(MAX_MEMBERS)
                .map(|value| node(None, value, level + 1))
                .collect_view();
            branch(key, "[", "]", items.len(), level, members)
        }
        leaf => view! { <div class="json-leaf">{name(key)} {scalar(leaf)}</div> }.into_any(),
    }
}

fn branch(
    key: Option<String>,
    open: &'static str,
    close: &'static str,
    count: usize,
    level: usize,
    members: impl IntoView + 'static,
) -> AnyView {
    let more = (count > MAX_MEMBERS).then(
        || view! { <div class="json-more">{format!("… and {} more", count - MAX_MEMBERS)}</div> },
    );
    view! {
        <details class="json-branch" open=level < OPEN_LEVELS>
            <summary>
                {name(key)} <span class="json-mark">{open}</span>
                <span class="json-count">{count}</span> <span class="json-mark">{close}</span>
            </summary>
            <div class="json-members">{members} {more}</div>
        </details>
    }
    .into_any()
}

fn name(key: Option<String>) -> Option<impl IntoView> {
    key.map(|key| view! { <span class="json-key">{key}</span><span class="json-mark">": "</span> })
}

fn scalar(value: &Value) -> impl IntoView + use<> {
    let class = match value {
        Value::String(_) => "json-text",
        Value::Number(_) => "json-number",
        _ => "json-word",
    };
    view! { <span class=class>{value.to_string()}</span> }
}
