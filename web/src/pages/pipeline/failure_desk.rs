//! The state of the tab “Errors”: what failed, as it was loaded, and what is done about it.

use std::time::Duration;

use cynic::{MutationBuilder, QueryBuilder};
use leptos::{prelude::*, task::spawn_local};

use super::failure_operations::{
    DismissFailures, DismissFailuresInput, DismissVariables, FAILURES_PAGE, Failing, Failure,
    FailureState, FailuresQuery, FailuresVariables, ReopenFailures, ReopenFailuresInput,
    ReopenVariables, ReplayFailures, ReplayFailuresInput, ReplayFailuresPayload, ReplayVariables,
};
use crate::api::{self, ApiError, Json, UserError};
use crate::components::{toast::Toasts, use_toasts};
use crate::format::plural;

/// How often it is asked how far putting all in again has come.
const PROGRESS_PERIOD: Duration = Duration::from_secs(1);

/// What the tab shows and does.
#[derive(Clone, Copy, Debug)]
pub struct FailureDesk {
    id: StoredValue<cynic::Id>,
    /// Which are listed.
    pub state: RwSignal<FailureState>,
    /// What was loaded last; none while nothing was.
    pub loaded: RwSignal<Option<Result<Failing, ApiError>>>,
    /// All that are listed, page after page.
    pub list: RwSignal<Vec<Failure>>,
    /// Where the list goes on.
    pub end: RwSignal<Option<String>>,
    /// Whether something is under way.
    pub busy: RwSignal<bool>,
    /// The one that is being corrected.
    pub fixing: RwSignal<Option<Failure>>,
    toasts: Toasts,
}

/// Which failed records something is done with.
#[derive(Clone, Debug)]
pub enum Which {
    /// One.
    One(cynic::Id),
    /// All.
    All,
}

impl Which {
    fn parts(self) -> (Option<Vec<cynic::Id>>, bool) {
        match self {
            Self::One(id) => (Some(vec![id]), false),
            Self::All => (None, true),
        }
    }
}

impl FailureDesk {
    /// That of a pipeline; loads what failed.
    pub fn new(id: cynic::Id) -> Self {
        let desk = Self {
            id: StoredValue::new(id),
            state: RwSignal::new(FailureState::Open),
            loaded: RwSignal::new(None),
            list: RwSignal::new(Vec::new()),
            end: RwSignal::new(None),
            busy: RwSignal::new(false),
            fixing: RwSignal::new(None),
            toasts: use_toasts(),
        };
        Effect::new(move || {
            desk.state.track();
            desk.load(None);
        });
        desk
    }

    /// Loads the first page again.
    pub fn reload(self) {
        self.load(None);
    }

    /// Loads the next page.
    pub fn more(self) {
        self.load(self.end.get_untracked());
    }

    fn load(self, after: Option<String>) {
        let Some(id) = self.id.try_get_value() else {
            return;
        };
        let state = self.state.get_untracked();
        let variables = FailuresVariables {
            id,
            state,
            first: FAILURES_PAGE,
            after: after.clone(),
        };
        spawn_local(async move {
            let answer = api::run(FailuresQuery::build(variables)).await;
            // The tab may have been left, or another list chosen.
            if self.state.try_get_untracked() != Some(state) {
                return;
            }
            match answer {
                Ok(answer) => self.show(answer.pipeline, after.is_some()),
                Err(error) if after.is_some() => self.toasts.api_error(&error),
                Err(error) => self.loaded.set(Some(Err(error))),
            }
        });
    }

    fn show(self, found: Failing, is_next: bool) {
        let page = found.failures.clone();
        let end = page.page_info.end_cursor;
        self.end.set(end.filter(|_| page.page_info.has_next_page));
        if is_next {
            self.list.update(|list| list.extend(page.nodes));
        } else {
            self.list.set(page.nodes);
        }
        let runs = found
            .failure_replay
            .as_ref()
            .is_some_and(|replay| replay.running);
        self.loaded.set(Some(Ok(found)));
        if runs && !is_next {
            let again = move || {
                if self.loaded.try_get_untracked().is_some() {
                    self.reload();
                }
            };
            set_timeout(again, PROGRESS_PERIOD);
        }
    }

    /// Puts one in again as it came, or all of them.
    pub fn replay(self, which: Which) {
        let one = matches!(which, Which::One(_));
        self.act(async move {
            let payload = self.send(which, None).await?;
            if !one || !payload.user_errors.is_empty() {
                return Ok((None, payload.user_errors));
            }
            let told = match payload.failed.first() {
                Some(failed) => Err(format!("It failed again: {}.", failed.problem.message)),
                None => Ok(stored_words(payload.stored)),
            };
            Ok((Some(told), Vec::new()))
        });
    }

    /// Sends failed records to be put in again, one of them corrected.
    pub async fn send(
        self,
        which: Which,
        corrected: Option<Json>,
    ) -> Result<ReplayFailuresPayload, ApiError> {
        let (ids, all) = which.parts();
        let input = ReplayFailuresInput {
            pipeline_id: self.id.get_value(),
            ids,
            all,
            corrected,
        };
        let answer = api::run(ReplayFailures::build(ReplayVariables { input })).await;
        answer.map(|answer| answer.replay_failures)
    }

    /// Says that one of them, or all, do not matter; it can be taken back.
    pub fn dismiss(self, which: Which) {
        self.act(async move {
            let (ids, all) = which.clone().parts();
            let input = DismissFailuresInput {
                pipeline_id: self.id.get_value(),
                ids,
                all,
            };
            let answer = api::run(DismissFailures::build(DismissVariables { input })).await?;
            let payload = answer.dismiss_failures;
            if payload.user_errors.is_empty() {
                let text = format!(
                    "{} dismissed.",
                    plural(payload.count.into(), "failed record", "failed records")
                );
                let id = self.id.get_value();
                let undo = move || self.reopen_of(id.clone(), which.clone());
                self.toasts.undo(text, undo);
            }
            Ok((None, payload.user_errors))
        });
    }

    /// Takes a dismissal back.
    pub fn reopen(self, which: Which) {
        self.reopen_of(self.id.get_value(), which);
    }

    /// The same when the tab may have been left.
    fn reopen_of(self, pipeline_id: cynic::Id, which: Which) {
        self.act(async move {
            let (ids, all) = which.parts();
            let input = ReopenFailuresInput {
                pipeline_id,
                ids,
                all,
            };
            let answer = api::run(ReopenFailures::build(ReopenVariables { input })).await?;
            Ok((None, answer.reopen_failures.user_errors))
        });
    }

    /// Does something, says how it went, and loads what is left.
    fn act(
        self,
        work: impl Future<Output = Result<(Option<Result<String, String>>, Vec<UserError>), ApiError>>
        + 'static,
    ) {
        self.busy.try_set(true);
        spawn_local(async move {
            match work.await {
                Ok((told, problems)) => {
                    match told {
                        Some(Ok(text)) => self.toasts.success(text),
                        Some(Err(text)) => self.toasts.error(text),
                        None => {}
                    }
                    if let Some(problem) = problems.into_iter().next() {
                        self.toasts.error(problem.message);
                    }
                }
                Err(error) => self.toasts.api_error(&error),
            }
            if self.busy.try_set(false).is_none() {
                self.reload();
            }
        });
    }
}

/// What was stored of a record that went through.
pub fn stored_words(stored: i32) -> String {
    match stored {
        0 => "It went through. A step left it out, so nothing is stored.".to_owned(),
        1 => "It is stored.".to_owned(),
        more => format!("It became {more} records, which are stored."),
    }
}
