//! The command palette (Ctrl/⌘-K): go to any page, pipeline or dashboard by name, create one,
//! change the theme. It is used with the keyboard alone.

use leptos::{html, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::{
    Icon, IconView,
    dialog::{follow_open, is_backdrop},
    frame::use_frame,
};
use crate::{
    format::lowercase,
    session::{Session, use_session},
    theme::{Theme, ThemeChoice, use_theme},
};

const MOST_RESULTS: usize = 12;

/// Something the palette can do.
#[derive(Clone, Debug, PartialEq)]
struct Command {
    icon: Icon,
    label: String,
    kind: &'static str,
    act: Act,
}

#[derive(Clone, Debug, PartialEq)]
enum Act {
    Go(String),
    Theme(ThemeChoice),
    LogOut,
}

/// The palette; closed until its shortcut is pressed or the search is clicked.
#[component]
pub fn Palette() -> impl IntoView {
    let open = use_frame().palette_open;
    let node = NodeRef::<html::Dialog>::new();
    follow_open(node, open.into());
    let session = use_session();
    Effect::new(move || {
        if open.get() {
            session.refresh_directory();
        }
    });
    view! {
        <dialog
            node_ref=node
            class="palette"
            aria-label="Search or jump to"
            data-testid="palette"
            on:cancel=move |event: web_sys::Event| {
                event.prevent_default();
                open.set(false);
            }
            on:click=move |event| {
                if is_backdrop(&event) {
                    open.set(false);
                }
            }
        >
            <Show when=move || open.get()>
                <Search open/>
            </Show>
        </dialog>
    }
}

#[component]
fn Search(open: RwSignal<bool>) -> impl IntoView {
    let (session, theme, navigate) = (use_session(), use_theme(), use_navigate());
    let typed = RwSignal::new(String::new());
    let at = RwSignal::new(0_usize);
    let results = Memo::new(move |_| typed.with(|typed| matching(commands(session), typed)));
    let input = NodeRef::<html::Input>::new();
    Effect::new(move || {
        if let Some(input) = input.get() {
            drop(input.focus());
        }
    });
    let run = Callback::new(move |command: Command| {
        open.set(false);
        match command.act {
            Act::Go(path) => navigate(&path, NavigateOptions::default()),
            Act::Theme(choice) => Theme::choose(theme, choice),
            Act::LogOut => session.log_out(),
        }
    });
    let on_key = move |event: web_sys::KeyboardEvent| {
        let count = results.with(Vec::len).max(1);
        match event.key().as_str() {
            "ArrowDown" => at.update(|at| *at = (*at + 1) % count),
            "ArrowUp" => at.update(|at| *at = (*at + count - 1) % count),
            "Enter" => {
                if let Some(command) = results.with(|results| results.get(at.get()).cloned()) {
                    run.run(command);
                }
            }
            _ => return,
        }
        event.prevent_default();
        show_chosen();
    };
    let options = move || {
        results
            .get()
            .into_iter()
            .enumerate()
            .map(|(index, command)| {
                let (icon, label, kind) = (command.icon, command.label.clone(), command.kind);
                view! {
                    <li
                        id=format!("palette-{index}")
                        role="option"
                        aria-selected=move || (at.get() == index).to_string()
                        on:pointermove=move |_| at.set(index)
                        on:click=move |_| run.run(command.clone())
                    >
                        <IconView icon/>
                        <span class="palette-label">{label}</span>
                        <span class="faint small">{kind}</span>
                    </li>
                }
            })
            .collect_view()
    };
    let nothing = move || {
        results.with(Vec::is_empty).then(|| {
            let text = typed.with(|typed| format!("Nothing is called “{}”.", typed.trim()));
            view! { <p class="palette-empty muted">{text}</p> }
        })
    };
    view! {
        <label class="palette-input">
            <IconView icon=Icon::Search/>
            <span class="visually-hidden">"Search"</span>
            <input
                node_ref=input
                role="combobox"
                aria-expanded="true"
                aria-controls="palette-results"
                aria-activedescendant=move || format!("palette-{}", at.get())
                autocomplete="off"
                spellcheck="false"
                placeholder="Search or jump to…"
                data-testid="palette-input"
                prop:value=move || typed.get()
                on:input=move |event| {
                    typed.set(event_target_value(&event));
                    at.set(0);
                }
                on:keydown=on_key
            />
            <kbd>"Esc"</kbd>
        </label>
        <ul class="palette-results" id="palette-results" role="listbox" aria-label="Results">
            {options}
        </ul>
        {nothing}
    }
}

/// Keeps the chosen result in sight while the arrow keys move it.
fn show_chosen() {
    request_animation_frame(|| {
        let chosen = document().query_selector(".palette-results [aria-selected=true]");
        if let Ok(Some(chosen)) = chosen {
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Nearest);
            chosen.scroll_into_view_with_scroll_into_view_options(&options);
        }
    });
}

/// Everything the palette can do now, what is wanted most first.
fn commands(session: Session) -> Vec<Command> {
    let go = |icon, label: &str, kind, path: String| Command {
        icon,
        label: label.to_owned(),
        kind,
        act: Act::Go(path),
    };
    let theme = |icon, label: &str, choice| Command {
        icon,
        label: label.to_owned(),
        kind: "Theme",
        act: Act::Theme(choice),
    };
    let mut all = Vec::new();
    if let Some(directory) = session.directory() {
        for dashboard in &directory.dashboards.nodes {
            let path = format!("/dashboards/{}", dashboard.id.inner());
            all.push(go(Icon::Dashboards, &dashboard.name, "Dashboard", path));
        }
        for pipeline in &directory.pipelines.nodes {
            let path = format!("/pipelines/{}", pipeline.id.inner());
            all.push(go(Icon::Pipelines, &pipeline.name, "Pipeline", path));
        }
    }
    let page = |icon, label, path: &str| go(icon, label, "Page", path.to_owned());
    let create = |icon, label, path: &str| go(icon, label, "Create", path.to_owned());
    all.extend([
        page(Icon::Home, "Home", "/"),
        page(Icon::Dashboards, "Dashboards", "/dashboards"),
        page(Icon::Pipelines, "Pipelines", "/pipelines"),
        page(Icon::Settings, "Settings", "/settings"),
        create(Icon::Plus, "New pipeline", "/pipelines/new"),
        create(Icon::Webhook, "New webhook", "/pipelines/new/webhook"),
        create(Icon::Globe, "Poll an API", "/pipelines/new/api"),
        theme(Icon::Moon, "Use the dark theme", ThemeChoice::Dark),
        theme(Icon::Sun, "Use the light theme", ThemeChoice::Light),
        theme(
            Icon::Monitor,
            "Follow the system's theme",
            ThemeChoice::System,
        ),
        Command {
            icon: Icon::LogOut,
            label: "Log out".to_owned(),
            kind: "Account",
            act: Act::LogOut,
        },
    ]);
    all
}

/// The commands that have every typed word, those that begin with the first one at the front.
fn matching(all: Vec<Command>, typed: &str) -> Vec<Command> {
    let typed = lowercase(typed);
    let words: Vec<&str> = typed.split_whitespace().collect();
    let mut found: Vec<(bool, Command)> = all
        .into_iter()
        .filter_map(|command| {
            let label = lowercase(&command.label);
            let kind = lowercase(command.kind);
            let all = words
                .iter()
                .all(|word| label.contains(word) || kind.contains(word));
            let begins = words.first().is_some_and(|word| label.starts_with(word));
            all.then_some((!begins, command))
        })
        .collect();
    found.sort_by_key(|(later, _)| *later);
    found
        .into_iter()
        .map(|(_, command)| command)
        .take(MOST_RESULTS)
        .collect()
}
