//! Menus and popovers: the browser's own popover layer, placed under their button.

use leptos::{context::Provider, html, prelude::*};
use wasm_bindgen::JsCast;

use super::{ButtonKind, Icon, IconView, unique_id};

const GAP_PX: f64 = 6.0;
const EDGE_PX: f64 = 8.0;

/// Closes the menu an item is in.
#[derive(Clone, Copy)]
struct MenuContext(NodeRef<html::Div>);

/// A button that opens a list of acts ([`MenuItem`]).
#[component]
pub fn Menu(
    /// What the acts are for; the button's name when it is only a picture.
    #[prop(into)]
    label: String,
    /// The picture on the button.
    #[prop(default = Icon::More)]
    icon: Icon,
    /// What is on the button instead of the picture.
    #[prop(optional, into)]
    trigger: Option<ViewFn>,
    /// How much the button asks for attention.
    #[prop(default = ButtonKind::Ghost)]
    kind: ButtonKind,
    /// Names the button for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
    /// The items.
    children: ChildrenFn,
) -> impl IntoView {
    floating(
        "menu",
        Some("menu"),
        label,
        trigger.map_or(Trigger::Icon(icon), Trigger::View),
        kind,
        test_id,
        children,
    )
}

/// A button that opens a small panel with anything in it.
#[component]
pub fn Popover(
    /// What it is about.
    #[prop(into)]
    label: String,
    /// What is on the button.
    #[prop(into)]
    trigger: ViewFn,
    /// How much the button asks for attention.
    #[prop(optional)]
    kind: ButtonKind,
    /// Names the button for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
    /// What is in the panel.
    children: ChildrenFn,
) -> impl IntoView {
    floating(
        "popover",
        None,
        label,
        Trigger::View(trigger),
        kind,
        test_id,
        children,
    )
}

enum Trigger {
    Icon(Icon),
    View(ViewFn),
}

fn floating(
    class: &'static str,
    role: Option<&'static str>,
    label: String,
    trigger: Trigger,
    kind: ButtonKind,
    test_id: Option<&'static str>,
    children: ChildrenFn,
) -> AnyView {
    let id = unique_id(class);
    let button = NodeRef::<html::Button>::new();
    let panel = NodeRef::<html::Div>::new();
    let open = RwSignal::new(false);
    // Runs before the panel is seen; it is placed once its content is there, before the paint.
    let before_toggle = move |event: web_sys::Event| {
        let opens = js_sys::Reflect::get(&event, &"newState".into())
            .is_ok_and(|state| state.as_string().as_deref() == Some("open"));
        open.set(opens);
        request_animation_frame(move || {
            let (Some(button), Some(panel)) = (button.get_untracked(), panel.get_untracked())
            else {
                return;
            };
            if opens {
                place(&button, &panel);
                focus_item(&panel, Move::First);
            } else if has_no_focus() {
                drop(button.focus());
            }
        });
    };
    let (button_class, name) = match (&trigger, kind) {
        (Trigger::Icon(_), _) => ("btn ghost only-icon", Some(label.clone())),
        (Trigger::View(_), ButtonKind::Ghost) => ("btn ghost", None),
        (Trigger::View(_), ButtonKind::Primary) => ("btn primary", None),
        (Trigger::View(_), _) => ("btn", None),
    };
    let content = move || {
        let children = children.clone();
        open.get()
            .then(move || view! { <Provider value=MenuContext(panel)>{children()}</Provider> })
    };
    view! {
        <button
            node_ref=button
            type="button"
            class=button_class
            aria-label=name.clone()
            title=name
            aria-haspopup=if role.is_some() { "menu" } else { "dialog" }
            aria-expanded=move || open.get().to_string()
            aria-controls=id.clone()
            data-testid=test_id
            popovertarget=id.clone()
        >
            {match trigger {
                Trigger::Icon(icon) => view! { <IconView icon/> }.into_any(),
                Trigger::View(content) => content.run().into_any(),
            }}
        </button>
        <div
            node_ref=panel
            id=id
            class=class
            popover="auto"
            role=role.unwrap_or("dialog")
            aria-label=label
            on:beforetoggle=before_toggle
            on:keydown=move |event| {
                if role.is_some() && let Some(panel) = panel.get_untracked() {
                    move_focus(&event, &panel);
                }
            }
        >
            {content}
        </div>
    }
    .into_any()
}

/// Whether what had the keyboard is gone: then it goes back to the button.
fn has_no_focus() -> bool {
    let body = document().body().map(web_sys::Element::from);
    document()
        .active_element()
        .is_none_or(|active| Some(active) == body)
}

/// Puts the panel under the button, its end at the button's end, inside the window.
fn place(button: &web_sys::HtmlElement, panel: &web_sys::HtmlElement) {
    let (at, size) = (
        button.get_bounding_client_rect(),
        panel.get_bounding_client_rect(),
    );
    let edge = |extent: Result<wasm_bindgen::JsValue, _>| {
        extent.ok().and_then(|px| px.as_f64()).unwrap_or_default()
    };
    let (width, height) = (edge(window().inner_width()), edge(window().inner_height()));
    let from_left = at.left() + size.width() <= width - EDGE_PX && at.left() < width / 2.0;
    let left = if from_left {
        at.left()
    } else {
        at.right() - size.width()
    };
    let below = at.bottom() + GAP_PX;
    let top = if below + size.height() <= height - EDGE_PX {
        below
    } else {
        (at.top() - GAP_PX - size.height()).max(EDGE_PX)
    };
    let style = panel.style();
    drop(style.set_property("left", &format!("{}px", left.max(EDGE_PX))));
    drop(style.set_property("top", &format!("{top}px")));
}

#[derive(Clone, Copy)]
enum Move {
    First,
    Last,
    Next,
    Previous,
}

fn move_focus(event: &web_sys::KeyboardEvent, panel: &web_sys::HtmlElement) {
    let to = match event.key().as_str() {
        "ArrowDown" => Move::Next,
        "ArrowUp" => Move::Previous,
        "Home" => Move::First,
        "End" => Move::Last,
        "Tab" => {
            drop(panel.hide_popover());
            return;
        }
        _ => return,
    };
    event.prevent_default();
    focus_item(panel, to);
}

fn focus_item(panel: &web_sys::HtmlElement, to: Move) {
    let panel = panel.clone();
    // The items are rendered in the next turn.
    request_animation_frame(move || {
        let Ok(items) = panel.query_selector_all("[role=menuitem]:not([disabled])") else {
            return;
        };
        let count = items.length();
        if count == 0 {
            return;
        }
        let active = document().active_element();
        let current = (0..count).find(|at| {
            let item = items
                .get(*at)
                .and_then(|item| item.dyn_into::<web_sys::Element>().ok());
            item.is_some() && item == active
        });
        let at = match (to, current) {
            (Move::First, _) | (Move::Next, None) => 0,
            (Move::Last, _) | (Move::Previous, None) => count - 1,
            (Move::Next, Some(at)) => (at + 1) % count,
            (Move::Previous, Some(at)) => (at + count - 1) % count,
        };
        let item = items
            .get(at)
            .and_then(|item| item.dyn_into::<web_sys::HtmlElement>().ok());
        if let Some(item) = item {
            drop(item.focus());
        }
    });
}

/// One act of a [`Menu`]: a link with `href`, else a button with `on_click`.
#[component]
pub fn MenuItem(
    /// A picture before the words.
    #[prop(optional)]
    icon: Option<Icon>,
    /// Where it goes.
    #[prop(optional, into)]
    href: Option<String>,
    /// Whether the link leaves the app.
    #[prop(optional)]
    external: bool,
    /// What it does.
    #[prop(optional, into)]
    on_click: Option<Callback<()>>,
    /// Whether it destroys something.
    #[prop(optional)]
    danger: bool,
    /// Whether it can be used.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
    /// The words.
    children: Children,
) -> impl IntoView {
    let menu = use_context::<MenuContext>();
    let close = move || {
        if let Some(panel) = menu.and_then(|MenuContext(panel)| panel.get_untracked()) {
            drop(panel.hide_popover());
        }
    };
    let class = if danger {
        "menu-item danger"
    } else {
        "menu-item"
    };
    let picture = icon.map(|icon| view! { <IconView icon/> });
    if let Some(href) = href {
        return view! {
            <a
                class=class
                role="menuitem"
                href=href
                rel=external.then_some("external")
                data-testid=test_id
                on:click=move |_| close()
            >
                {picture}
                {children()}
            </a>
        }
        .into_any();
    }
    view! {
        <button
            type="button"
            class=class
            role="menuitem"
            disabled=disabled
            data-testid=test_id
            on:click=move |_| {
                close();
                if let Some(on_click) = on_click {
                    on_click.run(());
                }
            }
        >
            {picture}
            {children()}
        </button>
    }
    .into_any()
}

/// A line between groups of acts.
#[component]
pub fn MenuSeparator() -> impl IntoView {
    view! { <hr class="menu-line"/> }
}
