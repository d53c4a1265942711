//! The icons: one outline set on a 24-px grid, drawn in the colour of the text around them.

use leptos::prelude::*;

/// Every icon there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    Alert,
    ArrowDown,
    ArrowRight,
    ArrowUp,
    Bell,
    Book,
    Calendar,
    Check,
    ChevronDown,
    ChevronLeft,
    ChevronRight,
    Clock,
    Close,
    Code,
    Copy,
    Dashboards,
    Database,
    Download,
    Drag,
    Edit,
    External,
    Eye,
    EyeOff,
    Filter,
    Formula,
    Fullscreen,
    Globe,
    Help,
    Home,
    Info,
    Key,
    Layers,
    Line,
    Link,
    Logo,
    Lock,
    LogOut,
    Monitor,
    Moon,
    More,
    Pause,
    Pipelines,
    Play,
    Plus,
    Redo,
    Refresh,
    Rows,
    Search,
    Settings,
    Sidebar,
    Spark,
    Stat,
    Sun,
    Table,
    Trash,
    Undo,
    User,
    Wand,
    Webhook,
    Wifi,
}

impl Icon {
    /// Every icon, for the style guide.
    pub const ALL: [Self; 60] = [
        Self::Alert,
        Self::ArrowDown,
        Self::ArrowRight,
        Self::ArrowUp,
        Self::Bell,
        Self::Book,
        Self::Calendar,
        Self::Check,
        Self::ChevronDown,
        Self::ChevronLeft,
        Self::ChevronRight,
        Self::Clock,
        Self::Close,
        Self::Code,
        Self::Copy,
        Self::Dashboards,
        Self::Database,
        Self::Download,
        Self::Drag,
        Self::Edit,
        Self::External,
        Self::Eye,
        Self::EyeOff,
        Self::Filter,
        Self::Formula,
        Self::Fullscreen,
        Self::Globe,
        Self::Help,
        Self::Home,
        Self::Info,
        Self::Key,
        Self::Layers,
        Self::Line,
        Self::Link,
        Self::Logo,
        Self::Lock,
        Self::LogOut,
        Self::Monitor,
        Self::Moon,
        Self::More,
        Self::Pause,
        Self::Pipelines,
        Self::Play,
        Self::Plus,
        Self::Redo,
        Self::Refresh,
        Self::Rows,
        Self::Search,
        Self::Settings,
        Self::Sidebar,
        Self::Spark,
        Self::Stat,
        Self::Sun,
        Self::Table,
        Self::Trash,
        Self::Undo,
        Self::User,
        Self::Wand,
        Self::Webhook,
        Self::Wifi,
    ];

    /// What is drawn inside the 24-px square.
    #[expect(clippy::too_many_lines, reason = "one line for each icon")]
    const fn markup(self) -> &'static str {
        match self {
            Self::Alert => {
                r#"<path d="M12 4 2.8 19.5h18.4z"/><path d="M12 10v4.5"/><path d="M12 17.2v.1"/>"#
            }
            Self::ArrowDown => r#"<path d="M12 5v14M6 13l6 6 6-6"/>"#,
            Self::ArrowRight => r#"<path d="M5 12h14M13 6l6 6-6 6"/>"#,
            Self::ArrowUp => r#"<path d="M12 19V5M6 11l6-6 6 6"/>"#,
            Self::Bell => r#"<path d="M6 16v-5a6 6 0 1 1 12 0v5l2 2H4z"/><path d="M10 21h4"/>"#,
            Self::Book => {
                r#"<path d="M5 4.5A1.5 1.5 0 0 1 6.5 3H19v15H6.5A1.5 1.5 0 0 0 5 19.5z"/><path d="M5 19.5A1.5 1.5 0 0 0 6.5 21H19v-3"/>"#
            }
            Self::Calendar => {
                r#"<rect x="3" y="5" width="18" height="16" rx="2"/><path d="M3 10h18M8 3v4M16 3v4"/>"#
            }
            Self::Check => r#"<path d="m5 12.5 4.5 4.5L19 7.5"/>"#,
            Self::ChevronDown => r#"<path d="m6 9 6 6 6-6"/>"#,
            Self::ChevronLeft => r#"<path d="m15 6-6 6 6 6"/>"#,
            Self::ChevronRight => r#"<path d="m9 6 6 6-6 6"/>"#,
            Self::Clock => r#"<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3 2"/>"#,
            Self::Close => r#"<path d="M6 6l12 12M18 6 6 18"/>"#,
            Self::Code => r#"<path d="m8 7-5 5 5 5M16 7l5 5-5 5"/>"#,
            Self::Copy => {
                r#"<rect x="9" y="9" width="12" height="12" rx="2"/><path d="M5 15H4a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v1"/>"#
            }
            Self::Dashboards => {
                r#"<rect x="3" y="3" width="8" height="10" rx="1.5"/><rect x="13" y="3" width="8" height="6" rx="1.5"/><rect x="13" y="12" width="8" height="9" rx="1.5"/><rect x="3" y="16" width="8" height="5" rx="1.5"/>"#
            }
            Self::Database => {
                r#"<ellipse cx="12" cy="5.5" rx="8" ry="2.8"/><path d="M4 5.5v13c0 1.5 3.6 2.8 8 2.8s8-1.3 8-2.8v-13"/><path d="M4 12c0 1.5 3.6 2.8 8 2.8s8-1.3 8-2.8"/>"#
            }
            Self::Download => r#"<path d="M12 4v11M7 10.5l5 5 5-5M4 20h16"/>"#,
            Self::Drag => {
                r#"<path d="M9 5v.1M9 12v.1M9 19v.1M15 5v.1M15 12v.1M15 19v.1" stroke-width="2.6"/>"#
            }
            Self::Edit => {
                r#"<path d="M4 20l1-4.5L16.5 4 20 7.5 8.5 19z"/><path d="m14 6.5 3.5 3.5"/>"#
            }
            Self::External => {
                r#"<path d="M14 4h6v6M20 4l-9 9"/><path d="M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5"/>"#
            }
            Self::Eye => {
                r#"<path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"/><circle cx="12" cy="12" r="3"/>"#
            }
            Self::EyeOff => {
                r#"<path d="M4.5 7.7C3.2 9.3 2.5 12 2.5 12S6 18.5 12 18.5c1.7 0 3.2-.5 4.5-1.2M9.5 5.8c.8-.2 1.6-.3 2.5-.3 6 0 9.5 6.5 9.5 6.5s-.7 1.4-2 2.9"/><path d="m4 4 16 16"/>"#
            }
            Self::Filter => r#"<path d="M3 5h18M6.5 12h11M10 19h4"/>"#,
            Self::Formula => {
                r#"<path d="M15 4h-1a3 3 0 0 0-3 3v10a3 3 0 0 1-3 3H7M7 11h8"/><path d="m15 15 5 5M20 15l-5 5"/>"#
            }
            Self::Fullscreen => r#"<path d="M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5"/>"#,
            Self::Globe => {
                r#"<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c3.5 3 3.5 15 0 18M12 3c-3.5 3-3.5 15 0 18"/>"#
            }
            Self::Help => {
                r#"<circle cx="12" cy="12" r="9"/><path d="M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8"/><path d="M12 16.7v.1"/>"#
            }
            Self::Home => {
                r#"<path d="M3 10.5 12 3l9 7.5V20a1 1 0 0 1-1 1h-5v-6H9v6H4a1 1 0 0 1-1-1z"/>"#
            }
            Self::Info => {
                r#"<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5"/><path d="M12 7.5v.1"/>"#
            }
            Self::Key => {
                r#"<circle cx="8" cy="15" r="4.5"/><path d="m11.5 11.5 8-8M16 7l3 3M14 9l2 2"/>"#
            }
            Self::Layers => r#"<path d="m12 3 9 5-9 5-9-5z"/><path d="m3 13 9 5 9-5"/>"#,
            Self::Line => r#"<path d="M4 4v16h16"/><path d="m7 15 4-5 3.5 3L20 6.5"/>"#,
            Self::Link => {
                r#"<path d="M10 14a4 4 0 0 0 6 .4l3-3a4.2 4.2 0 0 0-6-6l-1.5 1.5"/><path d="M14 10a4 4 0 0 0-6-.4l-3 3a4.2 4.2 0 0 0 6 6l1.5-1.5"/>"#
            }
            Self::Logo => r#"<path d="M4 17.5 9.5 11l4.5 3.5L21 6" stroke-width="2.6"/>"#,
            Self::Lock => {
                r#"<rect x="5" y="11" width="14" height="9" rx="2"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/>"#
            }
            Self::LogOut => {
                r#"<path d="M10 4H5a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h5"/><path d="M15 8l4 4-4 4M19 12H9"/>"#
            }
            Self::Monitor => {
                r#"<rect x="3" y="4" width="18" height="12" rx="2"/><path d="M12 16v4M8 20h8"/>"#
            }
            Self::Moon => r#"<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z"/>"#,
            Self::More => r#"<path d="M5 12h.1M12 12h.1M19 12h.1" stroke-width="2.8"/>"#,
            Self::Pause => r#"<path d="M9 5v14M15 5v14"/>"#,
            Self::Pipelines => {
                r#"<circle cx="5" cy="6" r="2.5"/><circle cx="19" cy="18" r="2.5"/><path d="M7.5 6H14a4 4 0 0 1 0 8h-4a4 4 0 0 0 0 4h6.5"/>"#
            }
            Self::Play => r#"<path d="M7 4.5v15l12-7.5z"/>"#,
            Self::Plus => r#"<path d="M12 5v14M5 12h14"/>"#,
            Self::Redo => {
                r#"<path d="m15 14 5-5-5-5"/><path d="M20 9H9.5a5.5 5.5 0 0 0 0 11H13"/>"#
            }
            Self::Refresh => {
                r#"<path d="M20 11a8 8 0 0 0-14.5-3.5L4 9.5M4 4.5v5h5"/><path d="M4 13a8 8 0 0 0 14.5 3.5l1.5-2M20 19.5v-5h-5"/>"#
            }
            Self::Rows => {
                r#"<rect x="3" y="4" width="18" height="6" rx="1.5"/><rect x="3" y="14" width="18" height="6" rx="1.5"/>"#
            }
            Self::Search => r#"<circle cx="11" cy="11" r="7"/><path d="m20 20-4-4"/>"#,
            Self::Settings => {
                r#"<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>"#
            }
            Self::Sidebar => {
                r#"<rect x="3" y="4" width="18" height="16" rx="2"/><path d="M9 4v16"/>"#
            }
            Self::Spark => {
                r#"<path d="M12 3v4M12 17v4M3 12h4M17 12h4M6 6l2.5 2.5M15.5 15.5 18 18M6 18l2.5-2.5M15.5 8.5 18 6"/>"#
            }
            Self::Stat => r#"<path d="M9.5 4 7.5 20M16.5 4l-2 16M4 9h16.5M3.5 15H20"/>"#,
            Self::Sun => {
                r#"<circle cx="12" cy="12" r="4"/><path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4"/>"#
            }
            Self::Table => {
                r#"<rect x="3" y="4" width="18" height="16" rx="2"/><path d="M3 10h18M3 15h18M10 10v10"/>"#
            }
            Self::Trash => {
                r#"<path d="M4 7h16M9 7V4.5h6V7M6 7l1 12.5a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1L18 7M10 11v5.5M14 11v5.5"/>"#
            }
            Self::Undo => r#"<path d="M9 14 4 9l5-5"/><path d="M4 9h10.5a5.5 5.5 0 0 1 0 11H11"/>"#,
            Self::User => {
                r#"<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5a7.5 7.5 0 0 1 15 0"/>"#
            }
            Self::Wand => {
                r#"<path d="M4 20 15 9M17 7l1-1"/><path d="M10 3v3M8.5 4.5h3M19 12v3M17.5 13.5h3M17.5 3v2M16.5 4h2"/>"#
            }
            Self::Webhook => r#"<path d="M13 3 5 14h6l-1 7 8-11h-6z"/>"#,
            Self::Wifi => {
                r#"<path d="M3 9.5a13 13 0 0 1 18 0M6.5 13a8 8 0 0 1 11 0M9.7 16.3a3.5 3.5 0 0 1 4.6 0"/><path d="M12 19.5v.1"/>"#
            }
        }
    }
}

/// An icon; it is decoration, so what it stands for is said in words beside it.
#[component]
pub fn IconView(
    /// Which one.
    icon: Icon,
) -> impl IntoView {
    view! { <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" inner_html=icon.markup()></svg> }
}
