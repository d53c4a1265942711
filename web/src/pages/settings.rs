//! Settings: who one is, what the organization's plan allows, how Dash looks.

use cynic::QueryBuilder;
use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::{
        self,
        accounts::{Role, UsageQuery, Viewer},
    },
    components::{
        Button, ButtonKind, ButtonLink, Card, Choice, Icon, Meter, PageHead, Segmented, Tag, Tone,
    },
    format::{count, date, plural, whole},
    session::use_session,
    theme::{ThemeChoice, use_theme},
};

/// The settings.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let session = use_session();
    view! {
        <PageHead title="Settings"/>
        <div class="page form-page">
            <h2 class="headline">"Settings"</h2>
            {move || session.viewer().map(|viewer| view! {
                <Profile viewer=viewer.clone()/>
                <Plan viewer/>
            })}
            <Appearance/>
            <Card title="Developers" class="settings-card">
                <p class="muted">
                    "Everything Dash shows comes from its GraphQL API. The explorer has its documentation, and runs queries as you. The style guide shows every building block of this app."
                </p>
                <div class="row">
                    <a class="btn" href="/graphiql" rel="external">"Open the API explorer"</a>
                    <ButtonLink href="/styleguide" kind=ButtonKind::Ghost>"Style guide"</ButtonLink>
                </div>
            </Card>
            <Card title="Session" class="settings-card">
                <p class="muted">"Ends your session in this browser."</p>
                <div class="row">
                    <Button icon=Icon::LogOut on_click=move || session.log_out() test_id="settings-log-out">
                        "Log out"
                    </Button>
                </div>
            </Card>
        </div>
    }
}

#[component]
fn Profile(viewer: Viewer) -> impl IntoView {
    let role = match viewer.role {
        Role::Owner => "Owner",
        Role::Admin => "Admin",
        Role::Editor => "Editor",
        Role::Viewer => "Viewer",
    };
    view! {
        <Card title="Profile" class="settings-card">
            <dl class="facts">
                <Fact label="Name">{viewer.user.name}</Fact>
                <Fact label="E-mail">{viewer.user.email}</Fact>
                <Fact label="Team">{viewer.team.name}</Fact>
                <Fact label="Role">{role}</Fact>
            </dl>
        </Card>
    }
}

#[component]
fn Plan(viewer: Viewer) -> impl IntoView {
    let organization = viewer.organization;
    let limits = organization.limits;
    let plan = organization.plan.shared();
    let session = use_session();
    let pipelines = Signal::derive(move || Some(session.directory()?.pipelines.total_count));
    let dashboards = Signal::derive(move || Some(session.directory()?.dashboards.total_count));
    let usage = usage();
    let points = Signal::derive(move || usage.get().map(|(points, _)| points));
    let storage = move || {
        let bytes = usage.get().map(|(_, bytes)| bytes);
        bytes.map_or_else(|| "…".to_owned(), crate::format::bytes)
    };
    let retention = limits.retention_days.map_or_else(
        || "as long as you like".to_owned(),
        |days| plural(i64::from(days), "day", "days"),
    );
    let interval = u32::try_from(limits.shortest_polling_interval_seconds).unwrap_or_default();
    let trial = organization
        .trial_ends_at
        .map(|ends_at| format!("Trial until {}", date(ends_at.ms())));
    view! {
        <Card title="Organization" class="settings-card">
            <dl class="facts">
                <Fact label="Name">{organization.name}</Fact>
                <Fact label="Plan">
                    <span class="row">
                        {plan.name()}
                        {trial.map(|text| view! { <Tag tone=Tone::Accent>{text}</Tag> })}
                    </span>
                </Fact>
                <Fact label="Pipelines">
                    <Used used=pipelines limit=limits.pipelines label="Pipelines used"/>
                </Fact>
                <Fact label="Dashboards">
                    <Used used=dashboards limit=limits.dashboards label="Dashboards used"/>
                </Fact>
                <Fact label="Data points this month">
                    <Used used=points limit=limits.points_per_month label="Data points used"/>
                </Fact>
                <Fact label="Storage">{storage}</Fact>
                <Fact label="Records are kept">{retention}</Fact>
                <Fact label="Shortest polling interval">
                    {dash_shared::plans::duration_text(interval)}
                </Fact>
            </dl>
        </Card>
    }
}

/// The data points of this month and the bytes that all records take, once they are known.
fn usage() -> Signal<Option<(i32, f64)>> {
    let usage = RwSignal::new(None);
    spawn_local(async move {
        let answer = api::run(UsageQuery::build(())).await;
        let used = answer.ok().and_then(|answer| answer.viewer);
        // The page may have been left meanwhile.
        let _left = usage.try_set(used.map(|used| {
            let count = whole(used.organization.data_points_this_month);
            let points = i32::try_from(count).unwrap_or(i32::MAX);
            (points, used.organization.stored_bytes)
        }));
    });
    usage.into()
}

/// How much of a limit is used, in words and as a bar.
#[component]
fn Used(used: Signal<Option<i32>>, limit: Option<i32>, label: &'static str) -> impl IntoView {
    let value = move || used.get().unwrap_or_default();
    let words = move || {
        let used = used
            .get()
            .map_or_else(|| "…".to_owned(), |used| count(i64::from(used)));
        limit.map_or_else(
            || format!("{used}, unlimited"),
            |limit| format!("{used} of {}", count(i64::from(limit))),
        )
    };
    let Some(limit) = limit else {
        return view! { {words} }.into_any();
    };
    view! {
        {words}
        <Meter label value=Signal::derive(move || f64::from(value())) max=f64::from(limit)/>
    }
    .into_any()
}

#[component]
fn Fact(label: &'static str, children: Children) -> impl IntoView {
    view! {
        <div class="fact">
            <dt>{label}</dt>
            <dd class="num">{children()}</dd>
        </div>
    }
}

#[component]
fn Appearance() -> impl IntoView {
    let theme = use_theme();
    let choices = vec![
        Choice::new("system", "System").icon(Icon::Monitor),
        Choice::new("light", "Light").icon(Icon::Sun),
        Choice::new("dark", "Dark").icon(Icon::Moon),
    ];
    let value = Signal::derive(move || theme.choice().as_str().to_owned());
    let choose = Callback::new(move |word: String| theme.choose(ThemeChoice::parse(&word)));
    view! {
        <Card title="Appearance" class="settings-card">
            <Segmented label="Theme" choices value on_change=choose/>
        </Card>
    }
}
