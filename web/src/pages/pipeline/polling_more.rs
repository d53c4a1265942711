//! What few polled sources need, in sections that are closed until they are asked for: the request,
//! who asks, the pages, what is new, and set times. Fetched when it is first opened.

mod auth;
mod only_new;
mod pages;
mod request;
mod schedule;

use leptos::prelude::*;

use super::polling_form::{More, PollingDraft};
use super::source_test::TestState;
use crate::api::FormErrors;
use crate::components::{Field, Icon, IconView, Input, Select, SelectOption, TextArea};

use auth::authentication;
use only_new::only_new;
use pages::pages;
use request::request;
use schedule::schedule;

/// Changes the form.
#[derive(Clone, Copy)]
struct Editor {
    more: RwSignal<More>,
    errors: FormErrors,
}

/// A line of text.
struct Line {
    /// Where its errors are.
    at: &'static str,
    label: &'static str,
    hint: &'static str,
    placeholder: &'static str,
    test_id: &'static str,
    get: fn(&More) -> String,
    set: fn(&mut More, String),
}

/// A choice.
struct Choices {
    at: &'static str,
    label: &'static str,
    options: &'static [(&'static str, &'static str)],
    test_id: &'static str,
    get: fn(&More) -> &'static str,
    set: fn(&mut More, &str),
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn number(value: Option<i32>) -> String {
    value.map(|number| number.to_string()).unwrap_or_default()
}

impl Editor {
    fn value<T: Clone + PartialEq + Send + Sync + 'static>(self, get: fn(&More) -> T) -> Memo<T> {
        Memo::new(move |_| self.more.with(get))
    }

    fn change(self, at: &'static str, change: impl FnOnce(&mut More)) {
        self.errors.clear_field(at);
        self.more.update(change);
    }

    fn line(self, line: Line) -> AnyView {
        self.line_of(line, "text")
    }

    fn line_of(self, line: Line, kind: &'static str) -> AnyView {
        let Line {
            at,
            label,
            hint,
            placeholder,
            test_id,
            get,
            set,
        } = line;
        let on_input = Callback::new(move |text| self.change(at, |more| set(more, text)));
        view! {
            <Field label=label error=self.errors.field(at) hint=hint>
                <Input value=self.value(get) on_input kind mono=kind == "text" placeholder=placeholder test_id/>
            </Field>
        }
        .into_any()
    }

    fn lines(self, line: Line) -> AnyView {
        let Line {
            at,
            label,
            hint,
            placeholder,
            test_id,
            get,
            set,
        } = line;
        let on_input = Callback::new(move |text| self.change(at, |more| set(more, text)));
        view! {
            <Field label=label error=self.errors.field(at) hint=hint>
                <TextArea value=self.value(get) on_input mono=true placeholder=placeholder test_id/>
            </Field>
        }
        .into_any()
    }

    fn choice(self, choices: Choices) -> AnyView {
        let Choices {
            at,
            label,
            options,
            test_id,
            get,
            set,
        } = choices;
        let options: Vec<_> = options
            .iter()
            .map(|(value, label)| SelectOption::new(*value, *label))
            .collect();
        let on_change =
            Callback::new(move |chosen: String| self.change(at, |more| set(more, &chosen)));
        let value = self.value(get);
        view! {
            <Field label=label error=self.errors.field(at)>
                <Select value=Signal::derive(move || value.get().to_owned()) on_change options=Signal::stored(options) test_id/>
            </Field>
        }
        .into_any()
    }

    /// A section; open when something in it is wrong.
    fn section(
        self,
        title: &'static str,
        of: &'static [&'static str],
        test_id: &'static str,
        summary: fn(&More) -> String,
        fields: AnyView,
    ) -> AnyView {
        let is_elsewhere = move |at: &str| !of.contains(&at.split('.').next().unwrap_or(at));
        let wrong = self.errors.other_than(is_elsewhere);
        // Once open, it is closed by hand.
        let is_open = Memo::new(move |was: Option<&bool>| {
            was.copied().unwrap_or(false) || wrong.with(Option::is_some)
        });
        let summary = self.value(summary);
        view! {
            <details class="poll-section" prop:open=move || is_open.get() data-testid=test_id>
                <summary>
                    <IconView icon=Icon::ChevronRight/>
                    <b>{title}</b>
                    <span class="muted small">{move || summary.get()}</span>
                </summary>
                <div class="stack">{fields}</div>
            </details>
        }
        .into_any()
    }
}

/// The sections.
#[component]
pub fn PollingMore(
    /// What is being entered.
    draft: PollingDraft,
    /// What the source answered, if it was tested.
    test: RwSignal<TestState>,
    /// What is wrong with it.
    errors: FormErrors,
) -> impl IntoView {
    let editor = Editor {
        more: draft.more,
        errors,
    };
    view! {
        <div class="poll-sections" data-testid="polling-sections">
            {request(editor)} {authentication(editor)} {pages(editor)} {only_new(editor, test)} {schedule(editor)}
        </div>
    }
    .into_any()
}

fn label_of(options: &[(&str, &'static str)], value: &str) -> String {
    let found = options.iter().find(|(other, _)| *other == value);
    found.map_or("", |(_, label)| *label).to_owned()
}
