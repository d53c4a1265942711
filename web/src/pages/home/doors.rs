//! The doors: demo data, a webhook, an API, a file. The first needs one click.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::{
    api::{self, pipelines::StartDemo},
    components::{Button, ButtonKind, ButtonLink, Icon, IconView, use_toasts},
    session::use_session,
};

/// The doors of the first visit.
#[component]
pub fn Doors() -> impl IntoView {
    let (start, busy) = use_demo();
    view! {
        <div class="doors" data-testid="doors">
            <Door
                icon=Icon::Spark
                title="Try with demo data"
                text="A web shop that sells while you watch: one pipeline, one live dashboard."
            >
                <Button
                    kind=ButtonKind::Primary
                    busy=busy
                    on_click=move || start.run(())
                    test_id="start-demo"
                >
                    "Start the demo"
                </Button>
            </Door>
            <Door
                icon=Icon::Webhook
                title="Receive a webhook"
                text="Get a secret URL. Stripe, Shopify, GitHub or a line of curl can post to it."
            >
                <ButtonLink href="/pipelines/new/webhook" test_id="create-webhook">
                    "Create a webhook"
                </ButtonLink>
            </Door>
            <Door
                icon=Icon::Globe
                title="Poll an API"
                text="Paste an address. Dash shows the records it finds and suggests the mapping."
            >
                <ButtonLink href="/pipelines/new/api" test_id="connect-api">
                    "Connect an API"
                </ButtonLink>
            </Door>
            <Door
                icon=Icon::Table
                title="Upload a file"
                text="A CSV or JSON file becomes records at once. More files can follow."
            >
                <ButtonLink href="/pipelines/new/file" test_id="upload-file">
                    "Upload a file"
                </ButtonLink>
            </Door>
        </div>
    }
}

#[component]
fn Door(icon: Icon, title: &'static str, text: &'static str, children: Children) -> impl IntoView {
    view! {
        <section class="card door">
            <span class="door-icon"><IconView icon/></span>
            <h2>{title}</h2>
            <p class="muted">{text}</p>
            <div class="door-act">{children()}</div>
        </section>
    }
}

/// The doors once there is data: a row of small ones.
#[component]
pub fn SmallDoors() -> impl IntoView {
    let (start, busy) = use_demo();
    view! {
        <div class="doors small-doors" data-testid="doors">
            <button
                type="button"
                class="card small-door"
                disabled=busy
                on:click=move |_| start.run(())
                data-testid="start-demo"
            >
                <span class="door-icon"><IconView icon=Icon::Spark/></span>
                <span><b>"Start the demo"</b><span class="muted small">"A web shop that sells while you watch"</span></span>
            </button>
            <a class="card small-door" href="/pipelines/new/webhook" data-testid="create-webhook">
                <span class="door-icon"><IconView icon=Icon::Webhook/></span>
                <span><b>"Create a webhook"</b><span class="muted small">"A secret URL that anything can post to"</span></span>
            </a>
            <a class="card small-door" href="/pipelines/new/api" data-testid="connect-api">
                <span class="door-icon"><IconView icon=Icon::Globe/></span>
                <span><b>"Connect an API"</b><span class="muted small">"Polled as often as you like"</span></span>
            </a>
            <a class="card small-door" href="/pipelines/new/file" data-testid="upload-file">
                <span class="door-icon"><IconView icon=Icon::Table/></span>
                <span><b>"Upload a file"</b><span class="muted small">"CSV, NDJSON or JSON"</span></span>
            </a>
        </div>
    }
}

/// Makes the demo and goes to its dashboard; and whether that is under way.
fn use_demo() -> (Callback<()>, RwSignal<bool>) {
    let (session, toasts, navigate) = (use_session(), use_toasts(), use_navigate());
    let busy = RwSignal::new(false);
    let start = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let navigate = navigate.clone();
        spawn_local(async move {
            match api::run(<StartDemo as cynic::MutationBuilder<()>>::build(())).await {
                Ok(StartDemo { start_demo: made }) => {
                    session.refresh_directory();
                    if let Some(dashboard) = made.dashboard {
                        let path = format!("/dashboards/{}", dashboard.id.inner());
                        navigate(&path, NavigateOptions::default());
                    } else if let Some(error) = made.user_errors.first() {
                        toasts.error(&*error.message);
                    }
                }
                Err(error) => toasts.api_error(&error),
            }
            let _gone = busy.try_set(false);
        });
    });
    (start, busy)
}
