//! Who is using the app, and the names of what belongs to the team. Both live in context for as
//! long as the page; a log-out or an expired session empties them.

use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::{
        self, ApiError,
        accounts::{LogOut, Viewer, ViewerQuery},
        dashboards::DirectoryQuery,
    },
    components::toast::{Toasts, use_toasts},
    live,
    theme::storage,
};

const KNOWN_KEY: &str = "dash.known";

/// What is known of who is using the app.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionState {
    /// The API was asked and has not answered yet.
    Loading,
    /// Nobody.
    LoggedOut,
    /// This person.
    LoggedIn(Viewer),
    /// The API could not say.
    Failed(ApiError),
}

/// The session, from context.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    state: RwSignal<SessionState>,
    directory: RwSignal<Option<DirectoryQuery>>,
    toasts: Toasts,
}

/// Whether somebody has been logged in in this browser before; a newcomer is shown the sign-up.
pub fn known_here() -> bool {
    storage().is_some_and(|storage| matches!(storage.get_item(KNOWN_KEY), Ok(Some(_))))
}

/// The session of the app.
pub fn use_session() -> Session {
    expect_context()
}

impl Session {
    /// Puts a session into context and asks the API who is logged in.
    pub fn provide() -> Self {
        let session = Self {
            state: RwSignal::new(SessionState::Loading),
            directory: RwSignal::new(None),
            toasts: use_toasts(),
        };
        api::on_unauthenticated(move || session.clear());
        session.refresh();
        provide_context(session);
        session
    }

    /// What is known; tracked.
    pub fn state(self) -> SessionState {
        self.state.get()
    }

    /// Who is logged in; tracked.
    pub fn viewer(self) -> Option<Viewer> {
        self.state.with(|state| match state {
            SessionState::LoggedIn(viewer) => Some(viewer.clone()),
            _ => None,
        })
    }

    /// Asks the API again who is logged in.
    pub fn refresh(self) {
        spawn_local(async move {
            match api::run(<ViewerQuery as cynic::QueryBuilder<()>>::build(())).await {
                Ok(ViewerQuery {
                    viewer: Some(viewer),
                }) => self.enter(viewer),
                Ok(ViewerQuery { viewer: None }) => self.clear(),
                Err(error) if error.code == api::ErrorCode::Unauthenticated => self.clear(),
                Err(error) => self.state.set(SessionState::Failed(error)),
            }
        });
    }

    /// Takes over who just signed up or logged in.
    pub fn enter(self, viewer: Viewer) {
        if let Some(storage) = storage() {
            drop(storage.set_item(KNOWN_KEY, "1"));
        }
        self.state.set(SessionState::LoggedIn(viewer));
        self.refresh_directory();
    }

    /// Ends the session here and on the server.
    pub fn log_out(self) {
        spawn_local(async move {
            match api::run(<LogOut as cynic::MutationBuilder<()>>::build(())).await {
                Ok(LogOut { log_out }) => match log_out.user_errors.first() {
                    Some(error) => self.toasts.error(&*error.message),
                    None => self.clear(),
                },
                Err(error) if error.code == api::ErrorCode::Unauthenticated => self.clear(),
                // The cookie is still there: saying that one is out would be a lie.
                Err(error) => self.toasts.api_error(&error),
            }
        });
    }

    /// The names of the team's pipelines and dashboards; none until they are loaded. Tracked.
    pub fn directory(self) -> Option<DirectoryQuery> {
        self.directory.get()
    }

    /// Loads the names again. Call it after something was created, renamed or deleted.
    pub fn refresh_directory(self) {
        spawn_local(async move {
            let loaded = api::run(<DirectoryQuery as cynic::QueryBuilder<()>>::build(())).await;
            if let Ok(directory) = loaded {
                self.directory.set(Some(directory));
            }
        });
    }

    fn clear(self) {
        live::close();
        self.directory.set(None);
        self.state.set(SessionState::LoggedOut);
    }
}
