//! Applying the steps to everything that came in before: the card in the settings, with how far it
//! has come.

use cynic::{MutationBuilder as _, QueryBuilder as _};
use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};

use super::use_store;
use crate::api::{self, UserError, schema};
use crate::components::{Button, Card, ConfirmDialog, Icon, Meter, use_toasts};
use crate::format::{count, plural};

/// How long is waited before it is looked again how far it has come, in milliseconds.
const LOOK_AGAIN_MS: u32 = 1_000;

/// Variables of the operations that take a pipeline's id alone.
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct IdVariables {
    /// Which.
    pub id: cynic::Id,
}

/// How far a backfill has come.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackfillState {
    /// It is counted how many records there will be.
    Counting,
    /// They are written.
    Writing,
    /// What came in meanwhile is copied.
    Copying,
    /// The new records are shown.
    Done,
    /// It was given up.
    Failed,
}

/// A backfill.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Backfill {
    /// How far it has come.
    pub state: BackfillState,
    /// Why it was given up.
    pub problem: Option<String>,
    /// How much is done, from 0 to 1.
    pub progress: f64,
    /// How many events went through the steps.
    pub events: f64,
    /// How many records they became.
    pub records: f64,
    /// How many failed.
    pub failed: f64,
    /// How many were left out.
    pub dropped: f64,
}

/// The last backfill of a pipeline.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "IdVariables")]
pub struct FindBackfill {
    /// The pipeline.
    #[arguments(id: $id)]
    pub pipeline: BackfilledPipeline,
}

/// A pipeline and its last backfill.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Pipeline")]
pub struct BackfilledPipeline {
    /// It.
    pub backfill: Option<Backfill>,
}

/// Begins a backfill.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "IdVariables")]
pub struct StartBackfill {
    /// What became of it.
    #[arguments(input: { pipelineId: $id })]
    pub start_backfill: StartBackfillPayload,
}

/// The answer to [`StartBackfill`].
#[derive(cynic::QueryFragment, Debug)]
pub struct StartBackfillPayload {
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// Stops a backfill.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "IdVariables")]
pub struct CancelBackfill {
    /// What became of it.
    #[arguments(input: { pipelineId: $id })]
    pub cancel_backfill: CancelBackfillPayload,
}

/// The answer to [`CancelBackfill`].
#[derive(cynic::QueryFragment, Debug)]
pub struct CancelBackfillPayload {
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

impl Backfill {
    const fn is_running(&self) -> bool {
        !matches!(self.state, BackfillState::Done | BackfillState::Failed)
    }

    /// What became of it, or what it does.
    fn words(&self) -> String {
        match self.state {
            BackfillState::Counting => "Reading what came in…".to_owned(),
            BackfillState::Writing => "Writing the new records…".to_owned(),
            BackfillState::Copying => "Taking over what came in meanwhile…".to_owned(),
            BackfillState::Failed => self.problem.clone().unwrap_or_default(),
            BackfillState::Done => {
                let whole = |number: f64| count(number.to_string().parse().unwrap_or(0));
                format!(
                    "Done: {} records. {} events were left out, {} failed.",
                    whole(self.records),
                    whole(self.dropped),
                    whole(self.failed),
                )
            }
        }
    }
}

/// Looks how far it has come until it is over, or the page is left.
async fn watch(variables: IdVariables, backfill: RwSignal<Option<Backfill>>) {
    loop {
        let answer = api::run(FindBackfill::build(variables.clone())).await;
        let Ok(answer) = answer else { return };
        let found = answer.pipeline.backfill;
        let goes_on = found.as_ref().is_some_and(Backfill::is_running);
        if backfill.try_set(found).is_some() || !goes_on {
            return;
        }
        TimeoutFuture::new(LOOK_AGAIN_MS).await;
    }
}

/// The card.
#[component]
pub fn BackfillCard() -> impl IntoView {
    let (store, toasts) = (use_store(), use_toasts());
    let backfill = RwSignal::new(None::<Backfill>);
    let (asking, busy) = (RwSignal::new(false), RwSignal::new(false));
    let variables = move || IdVariables {
        id: store
            .pipeline
            .with_untracked(|pipeline| pipeline.id.clone()),
    };
    let look = move || spawn_local(watch(variables(), backfill));
    look();
    let start = move || {
        busy.set(true);
        spawn_local(async move {
            match api::run(StartBackfill::build(variables())).await {
                Ok(answer) => match answer.start_backfill.user_errors.into_iter().next() {
                    Some(problem) => toasts.error(problem.message),
                    None => look(),
                },
                Err(error) => toasts.error(error.message),
            }
            busy.set(false);
            asking.set(false);
        });
    };
    let stop = move || {
        spawn_local(async move {
            match api::run(CancelBackfill::build(variables())).await {
                Ok(answer) => match answer.cancel_backfill.user_errors.into_iter().next() {
                    Some(problem) => toasts.error(problem.message),
                    None => look(),
                },
                Err(error) => toasts.error(error.message),
            }
        });
    };
    let running = Memo::new(move |_| {
        backfill.with(|backfill| backfill.as_ref().is_some_and(Backfill::is_running))
    });
    let progress = Signal::derive(move || {
        backfill.with(|backfill| backfill.as_ref().map_or(0.0, |found| found.progress))
    });
    let words = move || backfill.with(|backfill| backfill.as_ref().map(Backfill::words));
    let message = move || {
        let records = store.pipeline.with(|pipeline| pipeline.record_count);
        format!(
            "Everything that came in and is still kept goes through the steps again. The result \
             takes the place of {}; until then these are shown.",
            plural(
                records.to_string().parse().unwrap_or(0),
                "record",
                "records"
            )
        )
    };
    view! {
        <Card title="Apply the steps to what came in before" test_id="backfill">
            <div class="stack">
                <p class="muted">
                    "A changed transform is for what comes in from then on. Here it is applied to everything before, too."
                </p>
                {move || words().map(|words| view! { <p class="small" data-testid="backfill-words">{words}</p> })}
                <Show when=move || running.get()>
                    <Meter value=progress max=Signal::derive(|| 1.0) label="How much is done" warns=false/>
                </Show>
                <div class="row">
                    <Show
                        when=move || running.get()
                        fallback=move || view! {
                            <Button icon=Icon::Refresh on_click=move || asking.set(true) test_id="backfill-start">
                                "Apply to everything…"
                            </Button>
                        }
                    >
                        <Button on_click=stop test_id="backfill-stop">"Stop"</Button>
                    </Show>
                </div>
            </div>
            <ConfirmDialog
                open=asking
                on_close=Callback::new(move |()| asking.set(false))
                title="Apply the steps to everything?".to_owned()
                message=Signal::derive(message)
                confirm="Apply to everything".to_owned()
                busy
                on_confirm=Callback::new(move |()| start())
            />
        </Card>
    }
    .into_any()
}
