//! The dialog that asks for the kind of a new step: groups to look through, a search, and for each
//! kind a sentence and what it makes of a record.

use dash_shared::plans::Plan;
use leptos::prelude::*;
use serde_json::{Value, json};

use super::catalog::{Kind, kind_named};
use super::desk::Desk;
use crate::components::{Dialog, DialogSize, Icon, IconView, Input, Tag};
use crate::format::lowercase;
use crate::session::use_session;

/// What the picker says of a kind, and the document that a new step begins with.
struct Entry {
    kind: &'static str,
    text: &'static str,
    before: &'static str,
    after: &'static str,
    /// What people may search for besides.
    words: &'static str,
    blank: fn() -> Value,
}

const GROUPS: [(&str, &[&str]); 6] = [
    (
        "Shape",
        &["map", "select", "drop", "rename", "explode", "flatten"],
    ),
    ("Clean", &["cast", "parse_date", "deduplicate"]),
    ("Calculate", &["calculate", "set"]),
    ("Filter", &["filter"]),
    ("Privacy", &["mask", "hash"]),
    ("Advanced", &["script", "window", "lookup", "join"]),
];

#[rustfmt::skip]
const ENTRIES: [Entry; 18] = [
    Entry { kind: "map", text: "Pick fields, name them and convert them in one go.", before: r#"{"total": "184.20", "note": "x"}"#, after: r#"{"eur": 184.2}"#, words: "select rename convert mapping", blank: || json!({ "kind": "map", "fields": [{ "from": "", "to": "" }], "keep_rest": true }) },
    Entry { kind: "select", text: "Keep some fields and take all others away.", before: r#"{"id": 1, "note": "x"}"#, after: r#"{"id": 1}"#, words: "only pick choose columns", blank: || json!({ "kind": "select", "fields": [] }) },
    Entry { kind: "drop", text: "Take fields away.", before: r#"{"id": 1, "note": "x"}"#, after: r#"{"id": 1}"#, words: "remove delete columns", blank: || json!({ "kind": "drop", "fields": [] }) },
    Entry { kind: "rename", text: "Give fields other names.", before: r#"{"cc": "DE"}"#, after: r#"{"country": "DE"}"#, words: "name column", blank: || json!({ "kind": "rename", "fields": [{ "from": "", "to": "" }] }) },
    Entry { kind: "explode", text: "Make one record of each element of a list.", before: r#"{"order": 7, "items": [{"sku": "x"}, {"sku": "y"}]}"#, after: r#"{"order": 7, "sku": "x"} and {"order": 7, "sku": "y"}"#, words: "explode array split unnest rows", blank: || json!({ "kind": "explode", "field": "" }) },
    Entry { kind: "flatten", text: "Bring nested fields to the top.", before: r#"{"customer": {"city": "Lyon"}}"#, after: r#"{"customer_city": "Lyon"}"#, words: "nested object unnest", blank: || json!({ "kind": "flatten", "separator": "underscore" }) },
    Entry { kind: "cast", text: "Turn texts into numbers, times, or true and false.", before: r#"{"total": "12.50"}"#, after: r#"{"total": 12.5}"#, words: "convert type number text boolean cast", blank: || json!({ "kind": "cast", "fields": [{ "field": "", "type": "number" }] }) },
    Entry { kind: "parse_date", text: "Read dates as they are written in other places.", before: r#"{"at": "22.11.2026 14:30"}"#, after: r#"{"at": "2026-11-22T14:30:00.000Z"}"#, words: "date time parse format zone", blank: || json!({ "kind": "parse_date", "fields": [], "format": "auto" }) },
    Entry { kind: "deduplicate", text: "Leave out records that were there before.", before: r#"{"id": 1} and {"id": 1}"#, after: r#"{"id": 1}"#, words: "duplicate unique distinct repeat", blank: || json!({ "kind": "deduplicate", "keys": [], "within_seconds": 86_400, "remember": 10_000 }) },
    Entry { kind: "calculate", text: "Work out new fields by formulas.", before: r#"{"total": 119}"#, after: r#"{"total": 119, "net": 100}"#, words: "formula compute expression math", blank: || json!({ "kind": "calculate", "fields": [{ "field": "", "formula": "" }] }) },
    Entry { kind: "set", text: "Give a field the same value in every record.", before: r#"{"id": 1}"#, after: r#"{"id": 1, "source": "shop"}"#, words: "constant value add field", blank: || json!({ "kind": "set", "fields": [{ "field": "", "value": "" }] }) },
    Entry { kind: "filter", text: "Keep the records that meet conditions, or leave them out.", before: r#"{"total": 5} and {"total": 50}"#, after: r#"{"total": 50}"#, words: "where condition if only remove records", blank: || json!({ "kind": "filter", "combine": "all", "conditions": [{ "field": "", "comparison": "equal", "value": "" }] }) },
    Entry { kind: "mask", text: "Hide most of a value.", before: r#"{"card": "4111111111111111"}"#, after: r#"{"card": "•••1111"}"#, words: "privacy anonymise hide personal", blank: || json!({ "kind": "mask", "fields": [], "style": "full" }) },
    Entry { kind: "hash", text: "Replace a value by a code that is always the same, so that it can be counted but not read.", before: r#"{"email": "ann@example.com"}"#, after: r#"{"email": "9f0c…"}"#, words: "privacy pseudonym anonymise sha", blank: || json!({ "kind": "hash", "fields": [] }) },
    Entry { kind: "script", text: "Write a few statements for what no other step does.", before: r#"{"items": [{"price": 9.99, "count": 2}]}"#, after: r#"{"items": […], "total": 19.98}"#, words: "code program loop", blank: || json!({ "kind": "script", "source": "" }) },
    Entry { kind: "window", text: "Count and sum up records for spans of time.", before: "many records", after: r#"{"window_start": "14:00", "orders": 12}"#, words: "aggregate group sum count average per minute hour", blank: || json!({ "kind": "window", "size_seconds": 300, "group_by": [], "measures": [{ "aggregate": "count", "to": "count" }] }) },
    Entry { kind: "lookup", text: "Add what a table says of a value.", before: r#"{"cc": "DE"}"#, after: r#"{"cc": "DE", "country": "Germany"}"#, words: "table enrich reference vlookup", blank: || json!({ "kind": "lookup", "field": "", "columns": [], "rows": [], "ignore_case": true }) },
    Entry { kind: "join", text: "Add fields of another pipeline’s newest record.", before: r#"{"customer_id": 7}"#, after: r#"{"customer_id": 7, "customer_name": "Ann"}"#, words: "combine merge enrich other", blank: || json!({ "kind": "join", "pipeline": "", "field": "", "matches": "", "take": [{ "from": "", "to": "" }] }) },
];

/// The smallest plan with advanced steps.
fn plan_with_advanced() -> &'static str {
    let with = Plan::ALL
        .into_iter()
        .find(|plan| plan.limits().advanced_steps);
    with.map_or("another plan", Plan::name)
}

/// The dialog.
#[component]
pub fn Picker(desk: Desk, open: RwSignal<bool>) -> impl IntoView {
    let wanted = RwSignal::new(String::new());
    let session = use_session();
    let has_advanced = Memo::new(move |_| {
        let viewer = session.viewer();
        viewer.is_none_or(|viewer| viewer.organization.plan.shared().limits().advanced_steps)
    });
    Effect::new(move || {
        if open.get() {
            wanted.set(String::new());
        }
    });
    let pick = Callback::new(move |at: usize| {
        open.set(false);
        if let Some(entry) = ENTRIES.get(at) {
            desk.add((entry.blank)());
        }
    });
    let found = move |group: &'static [&'static str]| {
        let words = lowercase(wanted.get().trim());
        let places = group
            .iter()
            .filter_map(|kind| ENTRIES.iter().position(|entry| entry.kind == *kind));
        let fits = |at: &usize| {
            let entry = &ENTRIES[*at];
            let name = kind_named(entry.kind).name;
            let text = lowercase(&format!(
                "{name} {} {} {}",
                entry.text, entry.words, entry.kind
            ));
            words.split_whitespace().all(|word| text.contains(word))
        };
        places.filter(fits).collect::<Vec<_>>()
    };
    let first = move || {
        GROUPS
            .iter()
            .find_map(|(_, group)| found(group).first().copied())
    };
    let groups = move || {
        let groups = GROUPS.iter().filter_map(|(name, group)| {
            let cards = found(group)
                .into_iter()
                .map(|at| view! { <KindCard at has_advanced pick/> })
                .collect::<Vec<_>>();
            (!cards.is_empty()).then(|| {
                view! {
                    <section class="pick-group" aria-label=*name>
                        <h3 class="faint">{*name}</h3>
                        <div class="pick-cards">{cards}</div>
                    </section>
                }
            })
        });
        groups.collect_view()
    };
    let none = move || first().is_none();
    view! {
        <Dialog open on_close=move || open.set(false) title="Add a step" size=DialogSize::Large test_id="step-picker">
            <div
                class="stack"
                on:keydown=move |event| {
                    let is_locked = |at: usize| kind_named(ENTRIES[at].kind).is_advanced && !has_advanced.get_untracked();
                    // In the search, Enter takes what is found first.
                    let in_search = event.target().is_some_and(|target| {
                        wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlInputElement>(target).is_ok()
                    });
                    if event.key() == "Enter" && in_search
                        && let Some(at) = untrack(first).filter(|at| !is_locked(*at))
                    {
                        event.prevent_default();
                        pick.run(at);
                    }
                }
            >
                <Input
                    value=wanted
                    on_input=Callback::new(move |text| wanted.set(text))
                    kind="search"
                    label="Search the steps"
                    placeholder="What should happen? Filter, rename, date …"
                    autofocus=true
                    test_id="step-search"
                />
                {groups}
                <Show when=none>
                    <p class="muted small">"No step does that. A formula or a script may."</p>
                </Show>
            </div>
        </Dialog>
    }
    .into_any()
}

#[component]
fn KindCard(at: usize, has_advanced: Memo<bool>, pick: Callback<usize>) -> impl IntoView {
    let entry = &ENTRIES[at];
    let Kind {
        name,
        icon,
        is_advanced,
        word,
    } = kind_named(entry.kind);
    let is_locked = move || is_advanced && !has_advanced.get();
    view! {
        <button
            type="button"
            class="pick-card"
            disabled=is_locked
            data-testid=format!("pick-{word}")
            on:click=move |_| pick.run(at)
        >
            <span class="work-icon"><IconView icon/></span>
            <span class="pick-words">
                <b>
                    {name}
                    {move || is_locked().then(|| view! {
                        <Tag icon=Icon::Lock test_id="pick-locked">{format!("with {}", plan_with_advanced())}</Tag>
                    })}
                </b>
                <span class="small muted">{entry.text}</span>
                <span class="pick-example tiny mono">
                    <span>{entry.before}</span>
                    <span class="faint" aria-label="becomes">" → "</span>
                    <span>{entry.after}</span>
                </span>
            </span>
        </button>
    }
    .into_any()
}
