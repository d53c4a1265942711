//! A JSON value as a tree that can be folded with the mouse or the keyboard. Knows nothing of
//! records; big arrays and objects show their beginning.

use leptos::prelude::*;
use serde_json::Value;

/// How many members of one array or object are shown.
const MAX_MEMBERS: usize = 100;
/// Down to which level members are shown unfolded at first.
const OPEN_LEVELS: usize = 2;

/// Shows `value` as a tree. The members of the outermost object or array stand by themselves.
#[component]
pub fn JsonView(
    /// What is shown.
    value: Value,
    /// What the tree is called for screen readers.
    #[prop(into, default = "JSON".to_owned())]
    label: String,
) -> impl IntoView {
    let content = match members(&value, 0) {
        Some(members) => members,
        None => view! { <div class="json-leaf">{scalar(&value)}</div> }.into_any(),
    };
    view! {
        <div class="json" role="group" aria-label=label>
            {content}
        </div>
    }
}

fn node(key: String, value: &Value, level: usize) -> AnyView {
    let Some(members) = members(value, level) else {
        return view! { <div class="json-leaf">{name(key)} {scalar(value)}</div> }.into_any();
    };
    let (open, count, close) = match value {
        Value::Object(fields) => ("{", fields.len(), "}"),
        Value::Array(items) => ("[", items.len(), "]"),
        _ => ("", 0, ""),
    };
    view! {
        <details class="json-branch" open=level < OPEN_LEVELS>
            <summary>
                {name(key)}
                <span class="json-folded">{open} <span class="json-count">{count}</span> {close}</span>
            </summary>
            <div class="json-members">{members}</div>
        </details>
    }
    .into_any()
}

/// The members of an object or array that is not empty; none for any other value.
fn members(value: &Value, level: usize) -> Option<AnyView> {
    let (nodes, count): (Vec<AnyView>, usize) = match value {
        Value::Object(fields) if !fields.is_empty() => {
            let shown = fields.iter().take(MAX_MEMBERS);
            let nodes = shown.map(|(key, value)| node(key.clone(), value, level + 1));
            (nodes.collect(), fields.len())
        }
        Value::Array(items) if !items.is_empty() => {
            let shown = items.iter().take(MAX_MEMBERS).enumerate();
            let nodes = shown.map(|(index, value)| node(index.to_string(), value, level + 1));
            (nodes.collect(), items.len())
        }
        _ => return None,
    };
    let more = (count > MAX_MEMBERS).then(|| {
        view! { <div class="json-more">{format!("… and {} more", count - MAX_MEMBERS)}</div> }
    });
    Some(view! { {nodes} {more} }.into_any())
}

fn name(key: String) -> impl IntoView {
    view! { <span class="json-key">{key}</span><span class="json-mark">": "</span> }
}

fn scalar(value: &Value) -> impl IntoView + use<> {
    let class = match value {
        Value::String(_) => "json-text",
        Value::Number(_) => "json-number",
        _ => "json-word",
    };
    view! { <span class=class>{value.to_string()}</span> }
}
