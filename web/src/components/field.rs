//! Form fields. A [`Field`] gives the input inside it a label, a hint and an error, and ties
//! them together for screen readers; an input outside a field is named by `label`.

use leptos::{context::Provider, prelude::*};

use super::{Banner, Icon, IconView, Tone, unique_id};

/// What a field tells the input inside it.
#[derive(Clone)]
struct FieldContext {
    id: String,
    described_by: Signal<Option<String>>,
    invalid: Signal<bool>,
}

/// A label above an input, a hint or an error below it.
#[component]
pub fn Field(
    /// What to enter.
    #[prop(into)]
    label: Signal<String>,
    /// What is wrong with it.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// What helps to fill it in.
    #[prop(optional, into)]
    hint: Option<Signal<String>>,
    /// Whether it may stay empty.
    #[prop(optional)]
    optional: bool,
    /// The input.
    children: Children,
) -> impl IntoView {
    let id = unique_id("field");
    let (error_id, hint_id) = (format!("{id}-error"), format!("{id}-hint"));
    let described_by = {
        let (error_id, hint_id) = (error_id.clone(), hint_id.clone());
        Signal::derive(move || {
            if error.with(Option::is_some) {
                Some(error_id.clone())
            } else {
                hint.map(|_| hint_id.clone())
            }
        })
    };
    let context = FieldContext {
        id: id.clone(),
        described_by,
        invalid: Signal::derive(move || error.with(Option::is_some)),
    };
    let error_view = move || {
        error.get().map(|message| {
            view! {
                <p class="field-error" id=error_id.clone()>
                    <IconView icon=Icon::Alert/>
                    <span>{message}</span>
                </p>
            }
        })
    };
    let hint_view = move || {
        hint.filter(|_| error.with(Option::is_none)).map(|hint| {
            view! { <p class="field-hint" id=hint_id.clone()>{move || hint.get()}</p> }
        })
    };
    view! {
        <div class="field">
            <label for=id>
                {move || label.get()}
                {optional.then(|| view! { <span class="faint">"optional"</span> })}
            </label>
            <Provider value=context>{children()}</Provider>
            <div aria-live="polite">{error_view}{hint_view}</div>
        </div>
    }
    .into_any()
}

/// The failure of a whole form, above it.
#[component]
pub fn FormError(
    /// What happened.
    #[prop(into)]
    error: Signal<Option<String>>,
) -> impl IntoView {
    move || {
        error
            .get()
            .map(|message| view! { <Banner tone=Tone::Bad test_id="form-error">{message}</Banner> })
    }
}

fn described_by(context: Option<&FieldContext>) -> impl Fn() -> Option<String> + Send + use<> {
    let signal = context.map(|context| context.described_by);
    move || signal.and_then(|signal| signal.get())
}

fn invalid(context: Option<&FieldContext>) -> impl Fn() -> Option<&'static str> + Send + use<> {
    let signal = context.map(|context| context.invalid);
    move || signal.is_some_and(|signal| signal.get()).then_some("true")
}

/// A line of text. A password gets a button that shows it.
#[component]
pub fn Input(
    /// What is in it.
    #[prop(into)]
    value: Signal<String>,
    /// Called with every change.
    on_input: Callback<String>,
    /// The input's type: `text`, `email`, `password`, `url`, `number`, `search`.
    #[prop(default = "text")]
    kind: &'static str,
    /// Its name, for password managers.
    #[prop(optional)]
    name: Option<&'static str>,
    /// What the browser may fill in.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// An example of what to enter.
    #[prop(optional, into)]
    placeholder: Option<String>,
    /// What it is, outside a [`Field`].
    #[prop(optional, into)]
    label: Option<String>,
    /// Whether it has the keyboard when it appears.
    #[prop(optional)]
    autofocus: bool,
    /// Whether it is set in the fixed-width font.
    #[prop(optional)]
    mono: bool,
    /// Whether it can be changed.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// Called when it loses the keyboard.
    #[prop(optional, into)]
    on_blur: Option<Callback<()>>,
    /// The element, when somebody else needs it.
    #[prop(optional)]
    node: NodeRef<leptos::html::Input>,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
) -> impl IntoView {
    let context = use_context::<FieldContext>();
    let secret = kind == "password";
    let shown = RwSignal::new(false);
    if autofocus {
        Effect::new(move || {
            if let Some(input) = node.get() {
                drop(input.focus());
            }
        });
    }
    let reveal = move || {
        secret.then(|| {
            view! {
                <button
                    type="button"
                    class="input-reveal"
                    aria-label=move || if shown.get() { "Hide the password" } else { "Show the password" }
                    aria-pressed=move || shown.get().to_string()
                    on:click=move |_| shown.update(|shown| *shown = !*shown)
                >
                    {move || view! { <IconView icon=if shown.get() { Icon::EyeOff } else { Icon::Eye }/> }}
                </button>
            }
        })
    };
    view! {
        <div class="input-wrap">
            <input
                node_ref=node
                class="input"
                class:mono=mono
                id=context.as_ref().map(|context| context.id.clone())
                type=move || if secret && shown.get() { "text" } else { kind }
                name=name
                autocomplete=autocomplete
                placeholder=placeholder
                aria-label=label
                aria-describedby=described_by(context.as_ref())
                aria-invalid=invalid(context.as_ref())
                spellcheck="false"
                autocapitalize=(kind == "email").then_some("none")
                disabled=disabled
                data-testid=test_id
                prop:value=move || value.get()
                on:input=move |event| on_input.run(event_target_value(&event))
                on:blur=move |_| { if let Some(on_blur) = on_blur { on_blur.run(()); } }
            />
            {reveal()}
        </div>
    }
    .into_any()
}

/// Several lines of text.
#[component]
pub fn TextArea(
    /// What is in it.
    #[prop(into)]
    value: Signal<String>,
    /// Called with every change.
    on_input: Callback<String>,
    /// How many lines are seen.
    #[prop(default = 4)]
    rows: u32,
    /// An example of what to enter.
    #[prop(optional, into)]
    placeholder: Option<String>,
    /// What it is, outside a [`Field`].
    #[prop(optional, into)]
    label: Option<String>,
    /// Whether it is set in the fixed-width font.
    #[prop(optional)]
    mono: bool,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
) -> impl IntoView {
    let context = use_context::<FieldContext>();
    view! {
        <textarea
            class="input"
            class:mono=mono
            rows=rows
            id=context.as_ref().map(|context| context.id.clone())
            placeholder=placeholder
            aria-label=label
            aria-describedby=described_by(context.as_ref())
            aria-invalid=invalid(context.as_ref())
            spellcheck="false"
            data-testid=test_id
            prop:value=move || value.get()
            on:input=move |event| on_input.run(event_target_value(&event))
        ></textarea>
    }
    .into_any()
}

/// One thing to choose in a [`Select`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectOption {
    /// What is passed on.
    pub value: String,
    /// What is seen.
    pub label: String,
}

impl SelectOption {
    /// An option.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            label: label.into(),
        }
    }
}

/// A choice from a list: the system's own, which every phone and screen reader knows.
#[component]
pub fn Select(
    /// The value that is chosen.
    #[prop(into)]
    value: Signal<String>,
    /// Called with the value that was chosen.
    on_change: Callback<String>,
    /// What can be chosen.
    #[prop(into)]
    options: Signal<Vec<SelectOption>>,
    /// What it is, outside a [`Field`].
    #[prop(optional, into)]
    label: Option<String>,
    /// Whether it can be changed.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
) -> impl IntoView {
    let context = use_context::<FieldContext>();
    let options_view = move || {
        options
            .get()
            .into_iter()
            .map(|SelectOption { value: own, label }| {
                let selected = value.get() == own;
                // The property, not the attribute: that means nothing once a person has chosen.
                view! { <option value=own prop:selected=selected>{label}</option> }
            })
            .collect_view()
    };
    view! {
        <div class="select-wrap">
            <select
                class="input"
                id=context.as_ref().map(|context| context.id.clone())
                aria-label=label
                aria-describedby=described_by(context.as_ref())
                aria-invalid=invalid(context.as_ref())
                disabled=disabled
                data-testid=test_id
                on:change=move |event| on_change.run(event_target_value(&event))
            >
                {options_view}
            </select>
            <IconView icon=Icon::ChevronDown/>
        </div>
    }
    .into_any()
}
