//! The conditions that records have to meet to be shown by a widget: one row each, with a field, a
//! comparison and a value.

use dash_shared::{
    fields::{FieldType, SampledField},
    queries::{Comparison, MAX_FILTERS, draft::FilterDraft},
};
use leptos::{html::Ul, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::super::tiles::Definition;
use crate::{
    api::errors::FormErrors,
    components::{
        Button, ButtonSize, Field, Icon, IconButton, Input, Select, SelectOption, unique_id,
    },
};

/// Whether a row shows the errors at this path itself.
pub fn shows_error_of(path: &str) -> bool {
    path.starts_with("filters.")
}

/// All conditions, and a button for one more.
#[component]
pub fn Filters(
    /// The widget.
    draft: RwSignal<Definition>,
    /// The pipeline's fields.
    fields: Memo<Vec<SampledField>>,
    /// The errors of the form; those of a row are at `filters.INDEX.field` and `….value`.
    errors: FormErrors,
) -> impl IntoView {
    let list = NodeRef::<Ul>::new();
    let add_id = unique_id("add-filter");
    let count = Memo::new(move |_| draft.with(|draft| draft.filters.len()));
    let add = move || {
        draft.update(|draft| draft.filters.push(FilterDraft::default()));
        focus_later(move || {
            let last_row = list.get_untracked()?.last_element_child()?;
            last_row.query_selector("select").ok().flatten()
        });
    };
    let focus_add = {
        let add_id = add_id.clone();
        move || {
            let add_id = add_id.clone();
            focus_later(move || {
                document()
                    .query_selector(&format!("#{add_id} button"))
                    .ok()?
            });
        }
    };
    let remove = Callback::new(move |index: usize| {
        // The rows after it move up, and errors know only the numbers of rows.
        errors.clear();
        draft.update(|draft| {
            if index < draft.filters.len() {
                draft.filters.remove(index);
            }
        });
        focus_add();
    });
    view! {
        <fieldset class="filters" data-testid="widget-filters">
            <legend class="editor-label">"Only records where"</legend>
            <Show when=move || count.get() == 0>
                <p class="field-hint">"No condition: all records are shown."</p>
            </Show>
            <ul class="filters-list" node_ref=list>
                <For
                    each=move || 0..count.get()
                    key=|index| *index
                    children=move |index| view! { <Row draft fields errors index remove/> }
                />
            </ul>
            <div id=add_id>
                <Show
                    when=move || count.get() < MAX_FILTERS
                    fallback=|| view! {
                        <p class="field-hint">{format!("There are at most {MAX_FILTERS} conditions.")}</p>
                    }
                >
                    <Button
                        size=ButtonSize::Small
                        icon=Icon::Plus
                        on_click=add
                        test_id="add-filter"
                    >
                        "Add a condition"
                    </Button>
                </Show>
            </div>
        </fieldset>
    }
}

/// What the input of a value depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ValueLook {
    is_taken: bool,
    field_type: Option<FieldType>,
    example: Option<String>,
}

#[component]
fn Row(
    draft: RwSignal<Definition>,
    fields: Memo<Vec<SampledField>>,
    errors: FormErrors,
    index: usize,
    remove: Callback<usize>,
) -> impl IntoView {
    let own = Memo::new(move |_| {
        draft.with(|draft| draft.filters.get(index).cloned().unwrap_or_default())
    });
    let change = move |part: &str, change: &dyn Fn(&mut FilterDraft)| {
        errors.clear_field(&format!("filters.{index}.{part}"));
        draft.update(|draft| {
            if let Some(own) = draft.filters.get_mut(index) {
                change(own);
            }
        });
    };
    let sampled = move || {
        let path = own.with(|own| own.field.clone());
        fields.with(|fields| {
            let found = fields.iter().find(|field| field.path.as_str() == path);
            found.cloned()
        })
    };
    let field_type = Memo::new(move |_| sampled().map(|field| field.field_type));
    let look = Memo::new(move |_| ValueLook {
        is_taken: own.with(|own| own.comparison.takes_value()),
        field_type: field_type.get(),
        example: sampled().and_then(|field| field.example),
    });
    let number = index + 1;
    let value = Signal::derive(move || own.with(|own| own.value.clone()));
    let enter = Callback::new(move |value: String| {
        change("value", &|own| own.value.clone_from(&value));
    });
    // Phones add a space after a word; while it is typed, one between two words has to be possible.
    let trim = move || {
        if own.with_untracked(|own| own.value.trim() != own.value) {
            change("value", &|own| own.value = own.value.trim().to_owned());
        }
    };
    let value_view = move || {
        let look = look.get();
        look.is_taken.then(|| {
            let input = if look.field_type == Some(FieldType::Boolean) {
                let options = booleans(value);
                view! { <Select value on_change=enter options test_id="filter-value"/> }.into_any()
            } else {
                let placeholder = look.example.unwrap_or_else(|| "Value".to_owned());
                view! { <Input value on_input=enter on_blur=trim placeholder test_id="filter-value"/> }
                    .into_any()
            };
            view! {
                <div class="filter-value">
                    <Field
                        label=format!("Value of condition {number}")
                        error=errors.field(format!("filters.{index}.value"))
                    >
                        {input}
                    </Field>
                </div>
            }
        })
    };
    view! {
        <li data-testid="widget-filter">
            {(index > 0).then(|| view! { <span class="filter-and faint small">"and"</span> })}
            <div class="filter-row" class:has-no-value=move || look.with(|look| !look.is_taken)>
                <div class="filter-field">
                    <Field
                        label=format!("Field of condition {number}")
                        error=errors.field(format!("filters.{index}.field"))
                    >
                        <Select
                            value=Signal::derive(move || own.with(|own| own.field.clone()))
                            on_change=Callback::new(move |path: String| {
                                change("field", &|own| own.field.clone_from(&path));
                            })
                            options=field_options(own, fields)
                            test_id="filter-field"
                        />
                    </Field>
                </div>
                <div class="filter-comparison">
                    <Field label=format!("Comparison of condition {number}")>
                        <Select
                            value=Signal::derive(move || place_of(own.with(|own| own.comparison)))
                            on_change=Callback::new(move |place: String| {
                                let chosen = comparison_at(&place);
                                change("value", &|own| own.comparison = chosen);
                            })
                            options=comparison_options(own, field_type)
                            test_id="filter-comparison"
                        />
                    </Field>
                </div>
                {value_view}
                <div class="filter-remove">
                    <IconButton
                        icon=Icon::Close
                        label=format!("Remove condition {number}")
                        on_click=move || remove.run(index)
                        test_id="remove-filter"
                    />
                </div>
            </div>
        </li>
    }
    .into_any()
}

/// The pipeline's fields, and the chosen one, should it not be among them.
fn field_options(
    own: Memo<FilterDraft>,
    fields: Memo<Vec<SampledField>>,
) -> Signal<Vec<SelectOption>> {
    Signal::derive(move || {
        let chosen = own.with(|own| own.field.clone());
        let mut options: Vec<SelectOption> = fields.with(|fields| {
            let option =
                |field: &SampledField| SelectOption::new(field.path.as_str(), field.path.as_str());
            fields.iter().map(option).collect()
        });
        if !options.iter().any(|option| option.value == chosen) {
            let words = if chosen.is_empty() {
                "Choose a field".to_owned()
            } else {
                chosen.clone()
            };
            options.insert(0, SelectOption::new(chosen, words));
        }
        options
    })
}

/// The comparisons that say something of the field's values, and the chosen one.
fn comparison_options(
    own: Memo<FilterDraft>,
    field_type: Memo<Option<FieldType>>,
) -> Signal<Vec<SelectOption>> {
    Signal::derive(move || {
        let chosen = own.with(|own| own.comparison);
        let suits = |comparison: Comparison| {
            let field_type = field_type.get();
            comparison == chosen || field_type.is_none_or(|known| comparison.suits(known))
        };
        Comparison::ALL
            .into_iter()
            .filter(|(comparison, _)| suits(*comparison))
            .map(|(comparison, words)| SelectOption::new(place_of(comparison), words))
            .collect()
    })
}

/// True and false, and whatever else is there now.
fn booleans(value: Signal<String>) -> Signal<Vec<SelectOption>> {
    Signal::derive(move || {
        let mut options = ["true", "false"]
            .map(|word| SelectOption::new(word, word))
            .to_vec();
        let now = value.get();
        if !options.iter().any(|option| option.value == now) {
            let words = if now.is_empty() { "Choose" } else { &now }.to_owned();
            options.insert(0, SelectOption::new(now, words));
        }
        options
    })
}

/// A comparison's place among all of them, which stands for it in the list.
fn place_of(comparison: Comparison) -> String {
    let place = Comparison::ALL
        .iter()
        .position(|(known, _)| *known == comparison);
    place.unwrap_or_default().to_string()
}

fn comparison_at(place: &str) -> Comparison {
    let place: Option<usize> = place.parse().ok();
    let found = place.and_then(|place| Comparison::ALL.get(place));
    found.map_or(Comparison::Equal, |(comparison, _)| *comparison)
}

/// Gives the keyboard to an element that is there in the next turn.
fn focus_later(find: impl Fn() -> Option<web_sys::Element> + 'static) {
    request_animation_frame(move || {
        let element = find().and_then(|element| element.dyn_into::<HtmlElement>().ok());
        if let Some(element) = element {
            drop(element.focus());
        }
    });
}
