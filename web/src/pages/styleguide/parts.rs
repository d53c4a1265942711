//! The sections of the style guide that show components at work.

use leptos::prelude::*;

use crate::{
    api::ApiError,
    components::{
        Banner, Button, ButtonKind, ButtonLink, ButtonSize, Card, Checkbox, Choice, CodeBlock,
        Column, ConfirmDialog, Dialog, Drawer, EmptyState, ErrorPanel, Field, Icon, IconButton,
        Input, LiveDot, LoadMore, Menu, MenuItem, MenuSeparator, Meter, Popover, RadioCards,
        RelativeTime, Segmented, Select, SelectOption, Skeleton, Switch, Tab, Table, Tabs, Tag,
        TextArea, Tone, Tooltip, bind, use_toasts,
    },
    format::now_ms,
};

#[component]
pub fn Buttons() -> impl IntoView {
    let (busy, pressed) = (RwSignal::new(false), RwSignal::new(true));
    view! {
        <div class="row">
            <Button kind=ButtonKind::Primary>"Primary"</Button>
            <Button>"Secondary"</Button>
            <Button kind=ButtonKind::Ghost>"Ghost"</Button>
            <Button kind=ButtonKind::Danger icon=Icon::Trash>"Danger"</Button>
            <ButtonLink href="/styleguide" icon=Icon::External>"Link"</ButtonLink>
            <Button disabled=true>"Disabled"</Button>
            <Button busy=busy on_click=move || busy.set(true)>"Click to be busy"</Button>
            <Button kind=ButtonKind::Primary busy=true>"Saving"</Button>
        </div>
        <div class="row">
            <Button size=ButtonSize::Small icon=Icon::Plus>"Small"</Button>
            <Button icon=Icon::Plus>"Medium"</Button>
            <Button size=ButtonSize::Large icon=Icon::Plus>"Large"</Button>
            <IconButton icon=Icon::Edit label="Edit" on_click=|| {}/>
            <IconButton icon=Icon::Refresh label="Refresh" kind=ButtonKind::Secondary on_click=|| {}/>
            <IconButton
                icon=Icon::Pause
                label="Hold"
                pressed=pressed
                on_click=move || pressed.update(|pressed| *pressed = !*pressed)
            />
        </div>
    }
}

#[component]
pub fn Fields() -> impl IntoView {
    let text = RwSignal::new("Northwind".to_owned());
    let secret = RwSignal::new("correct horse".to_owned());
    let interval = RwSignal::new("60".to_owned());
    let options = vec![
        SelectOption::new("60", "Every minute"),
        SelectOption::new("900", "Every 15 minutes"),
        SelectOption::new("3600", "Every hour"),
    ];
    let error = Some("This does not look like an e-mail address.".to_owned());
    view! {
        <div class="guide-columns">
            <Field label="Name" hint="What your team will see.">
                <Input value=text on_input=bind(text) placeholder="Shop orders"/>
            </Field>
            <Field label="E-mail" error=error>
                <Input value="ann@corp" on_input=Callback::new(|_| {}) kind="email"/>
            </Field>
            <Field label="Password">
                <Input value=secret on_input=bind(secret) kind="password" autocomplete="off"/>
            </Field>
            <Field label="How often">
                <Select value=interval on_change=bind(interval) options/>
            </Field>
            <Field label="Group by" optional=true>
                <Input value="" on_input=Callback::new(|_| {}) disabled=true/>
            </Field>
            <Field label="Body">
                <TextArea value="{ \"total\": 184.2 }" on_input=Callback::new(|_| {}) mono=true rows=2/>
            </Field>
        </div>
    }
}

#[component]
pub fn Choices() -> impl IntoView {
    let (on, ticked) = (RwSignal::new(true), RwSignal::new(true));
    let card = RwSignal::new("webhook".to_owned());
    let language = RwSignal::new("curl".to_owned());
    let cards = vec![
        Choice::new("webhook", "Webhook")
            .text("Anything that can POST.")
            .icon(Icon::Webhook),
        Choice::new("api", "API")
            .text("Polled as often as you like.")
            .icon(Icon::Globe),
        Choice::new("demo", "Demo")
            .text("A web shop that sells.")
            .icon(Icon::Spark),
    ];
    let languages = ["curl", "JavaScript", "Python"]
        .map(|name| Choice::new(name, name))
        .to_vec();
    view! {
        <div class="row">
            <Switch checked=on on_change=bind(on) label="Keep the rest"/>
            <span class="grow"></span>
            <Checkbox checked=ticked on_change=bind(ticked) label="Group by channel"/>
            <span class="grow"></span>
            <Segmented label="Language" choices=languages value=language on_change=bind(language)/>
        </div>
        <RadioCards label="Source" choices=cards value=card on_change=bind(card)/>
    }
}

#[component]
pub fn States() -> impl IntoView {
    let tabs = vec![
        Tab::new("overview", "Overview", "/styleguide"),
        Tab::new("runs", "Runs", "/styleguide?tab=runs").alerts(Signal::stored(3)),
        Tab::new("settings", "Settings", "/styleguide?tab=settings"),
    ];
    view! {
        <div class="row">
            <Tag tone=Tone::Ok icon=Icon::Check>"running"</Tag>
            <Tag>"paused"</Tag>
            <Tag tone=Tone::Warn>"pending"</Tag>
            <Tag tone=Tone::Bad>"failing"</Tag>
            <Tag tone=Tone::Accent>"trial"</Tag>
            <LiveDot last_at_ms=Some(now_ms())/>
            <span class="faint small">
                "Changed " <RelativeTime at_ms=Some(now_ms() - 125_000)/>
            </span>
            <Tooltip text="A record is one JSON object that was stored.">"What is a record?"</Tooltip>
        </div>
        <div class="guide-columns">
            <Meter label="Pipelines" value=6.0 max=25.0/>
            <Meter label="Dashboards" value=13.0 max=15.0/>
            <Meter label="Data points" value=1_200.0 max=1_000.0/>
        </div>
        <Tabs label="Parts" tabs current="overview"/>
    }
}

#[component]
pub fn Messages() -> impl IntoView {
    let toasts = use_toasts();
    view! {
        <Banner>"Your trial ends in 4 days."</Banner>
        <Banner tone=Tone::Ok>"The webhook has received its first event."</Banner>
        <Banner tone=Tone::Warn>
            <span>"You are using 20 of 25 pipelines."</span>
            <a class="link" href="/settings">"See your plan"</a>
        </Banner>
        <Banner tone=Tone::Bad>"The last three runs failed: the server answered 500."</Banner>
        <div class="row">
            <Button on_click=move || toasts.success("Saved.")>"Success"</Button>
            <Button on_click=move || toasts.error("The name is taken. Choose another one.")>"Error"</Button>
            <Button on_click=move || {
                toasts.undo("Deleted “Revenue”.", move || toasts.success("It is back."));
            }>"Undo"</Button>
        </div>
    }
}

#[component]
pub fn Overlays() -> impl IntoView {
    let (dialog, drawer, confirm) = (
        RwSignal::new(false),
        RwSignal::new(false),
        RwSignal::new(false),
    );
    let name = RwSignal::new(String::new());
    let footer = move || {
        view! {
            <Button on_click=move || dialog.set(false)>"Cancel"</Button>
            <Button kind=ButtonKind::Primary on_click=move || dialog.set(false)>"Create"</Button>
        }
    };
    view! {
        <div class="row">
            <Button on_click=move || dialog.set(true) test_id="guide-dialog">"Dialog"</Button>
            <Button on_click=move || drawer.set(true) test_id="guide-drawer">"Drawer"</Button>
            <Button on_click=move || confirm.set(true) test_id="guide-confirm">"Confirm"</Button>
            <Menu label="More" test_id="guide-menu">
                <MenuItem icon=Icon::Edit on_click=|| {}>"Rename"</MenuItem>
                <MenuItem icon=Icon::Copy on_click=|| {}>"Duplicate"</MenuItem>
                <MenuSeparator/>
                <MenuItem icon=Icon::Trash danger=true on_click=|| {}>"Delete"</MenuItem>
            </Menu>
            <Popover label="Time range" trigger=|| "Last 24 hours" test_id="guide-popover">
                <p class="muted">"Anything can be in here."</p>
            </Popover>
        </div>
        <Dialog open=dialog on_close=move || dialog.set(false) title="New dashboard" footer>
            <Field label="Name">
                <Input value=name on_input=bind(name) autofocus=true placeholder="Web shop"/>
            </Field>
        </Dialog>
        <Drawer open=drawer on_close=move || drawer.set(false) title="Run">
            <p class="muted">"What belongs to the page beside it."</p>
        </Drawer>
        <ConfirmDialog
            open=confirm
            on_close=move || confirm.set(false)
            title="Delete “Shop orders”?"
            message="Its 1,284 records are deleted with it. This cannot be undone."
            confirm="Delete pipeline"
            typed_name="Shop orders"
            on_confirm=move || confirm.set(false)
        />
    }
}

#[component]
pub fn Data() -> impl IntoView {
    let columns = vec![
        Column::text("Order"),
        Column::text("Customer"),
        Column::number("Total"),
        Column::text("State"),
    ];
    let rows = [
        ("ord_9F2K", "Lena Hartmann", "€ 184.20", Tone::Ok, "paid"),
        ("ord_9F2J", "Marc Dubois", "€ 62.00", Tone::Ok, "paid"),
        ("ord_9F2H", "Aiko Tanaka", "¥ 14,900", Tone::Warn, "pending"),
    ]
    .map(|(order, customer, total, tone, state)| {
        view! {
            <tr>
                <td data-label="Order"><code>{order}</code></td>
                <td data-label="Customer">{customer}</td>
                <td data-label="Total" class="r">{total}</td>
                <td data-label="State"><Tag tone>{state}</Tag></td>
            </tr>
        }
    })
    .collect_view();
    let code = "curl -X POST https://dash.example/hooks/whk_7Qd \\\n  -H 'content-type: application/json' \\\n  -d '{\"total\": 184.2}'";
    view! {
        <Card class="settings-card" title="Latest orders">
            <Table label="Latest orders" columns>{rows}</Table>
            <LoadMore shown=3 total=1_284 has_more=true busy=false on_more=|| {}/>
        </Card>
        <CodeBlock code label="A request with curl"/>
    }
}

#[component]
pub fn Placeholders() -> impl IntoView {
    view! {
        <div class="guide-columns">
            <Card>
                <EmptyState
                    icon=Icon::Pipelines
                    title="No pipelines yet"
                    text="A pipeline brings data in, shapes it and stores it."
                >
                    <Button kind=ButtonKind::Primary icon=Icon::Plus>"New pipeline"</Button>
                </EmptyState>
            </Card>
            <Card>
                <ErrorPanel
                    error=ApiError::internal().with_request_id(Some("0192f3a1".to_owned()))
                    on_retry=|| {}
                />
            </Card>
        </div>
        <div class="stack">
            <Skeleton width="40%" height="24px"/>
            <Skeleton/>
            <Skeleton width="80%"/>
        </div>
    }
}
