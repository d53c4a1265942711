//! Operations over a websocket. A subscription is executed once for all of a team who ask the same,
//! and each of its answers is encoded once: subscribers get the very same text.
//!
//! That is right because an answer depends on nothing but the operation and the event: it is
//! executed without a caller. What a caller may see is decided before, for each one, when its
//! events are found.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_graphql::{Data, Executor, Pos, Request, Response};
use dash_shared::codes::ErrorCode;
use dash_shared::ids::TeamId;
use futures_util::future::{self, FutureExt as _};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::error_with_code;
use super::events::{Event, Events, Part, Source};
use crate::running::{Joined, Running};
use crate::telemetry::Counted;

/// How many different subscriptions run at once.
const MAX_EXECUTIONS: usize = 10_000;
/// How many answers of a subscription are kept: for those in step, some who lag behind, and some
/// who have just come.
const KEPT_ANSWERS: usize = 4;
/// How long they are kept after the last one.
const KEPT_FOR: Duration = Duration::from_secs(1);

/// An answer in JSON, as everybody gets it.
pub type Answer = Arc<str>;

/// What makes two subscriptions the same.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Operation {
    team_id: TeamId,
    query: String,
    name: Option<String>,
    variables: String,
}

impl Operation {
    fn new(team_id: TeamId, request: &Request) -> Self {
        let mut variables = serde_json::to_value(&request.variables).unwrap_or_default();
        variables.sort_all_objects();
        Self {
            team_id,
            query: request.query.clone(),
            name: request.operation_name.clone(),
            variables: variables.to_string(),
        }
    }
}

/// The subscriptions that run.
#[derive(Debug)]
pub struct Subscriptions {
    running: Running<Operation, Execution>,
    room: Arc<Semaphore>,
    encoder: Encoder,
}

impl Default for Subscriptions {
    fn default() -> Self {
        Self {
            running: Running::default(),
            room: Arc::new(Semaphore::new(MAX_EXECUTIONS)),
            encoder: Encoder::default(),
        }
    }
}

impl Subscriptions {
    /// Executes an operation; returns its answers: one of a query or a mutation, and of a
    /// subscription those to its events, until there are no more. Nobody has to wait for a reader
    /// that does not ask for the next one.
    pub fn execute(
        self: &Arc<Self>,
        executor: impl Executor,
        request: Request,
        caller: Arc<Data>,
    ) -> BoxStream<'static, Answer> {
        let answers = Arc::clone(self).begin(executor, request, caller);
        // In a task of its own: see `events::ahead`.
        let beginning = AbortOnDropHandle::new(tokio::spawn(answers));
        stream::once(beginning)
            .filter_map(async |answers| answers.ok())
            .flatten()
            .boxed()
    }

    async fn begin(
        self: Arc<Self>,
        executor: impl Executor,
        request: Request,
        caller: Arc<Data>,
    ) -> BoxStream<'static, Answer> {
        let found = Arc::default();
        let part = Part::Source(Arc::clone(&found));
        let responses = executor.execute_stream(copy(&request).data(part), Some(caller));
        let answers: Vec<_> = responses
            .map(|response| self.encoder.encode(&response))
            .collect()
            .await;
        let found = found.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Source { team_id, events }) = found else {
            return stream::iter(answers).boxed();
        };
        match self.join(executor, request, team_id) {
            Ok(execution) => answer_all(execution, events),
            Err(_full) => {
                let message = "Too many different subscriptions run. Try again later.";
                let error = error_with_code(ErrorCode::RateLimited, message);
                let refusal = Response::from_errors(vec![error.into_server_error(Pos::default())]);
                stream::iter([self.encoder.encode(&refusal)]).boxed()
            }
        }
    }

    fn join(
        &self,
        executor: impl Executor,
        request: Request,
        team_id: TeamId,
    ) -> Result<Arc<Joined<Execution>>, TryAcquireError> {
        let operation = Operation::new(team_id, &request);
        self.running.try_join(operation, |_| {
            let room = Arc::clone(&self.room).try_acquire_owned()?;
            let (ask, questions) = mpsc::unbounded_channel();
            let (events, source) = mpsc::channel(1);
            let part = Part::Answers(Mutex::new(Some(source)));
            let kept = Arc::<Mutex<Kept>>::default();
            let worker = Worker {
                questions,
                events,
                responses: executor.execute_stream(request.data(part), None),
                kept: Arc::clone(&kept),
                encoder: self.encoder.clone(),
            };
            let execution = Execution {
                ask,
                kept,
                _room: room,
                _counted: Counted::new("dash_subscription_executions"),
            };
            Ok((execution, worker.run()))
        })
    }

    /// How many different subscriptions run.
    pub fn executions(&self) -> usize {
        MAX_EXECUTIONS - self.room.available_permits()
    }

    /// How many answers were encoded since the start.
    pub fn encoded(&self) -> u64 {
        self.encoder.encoded.load(Ordering::Relaxed)
    }
}

fn copy(request: &Request) -> Request {
    let mut copy = Request::new(&request.query).variables(request.variables.clone());
    copy.operation_name.clone_from(&request.operation_name);
    copy
}

/// The answers to a subscriber's events.
fn answer_all(execution: Arc<Joined<Execution>>, events: Events) -> BoxStream<'static, Answer> {
    let counted = Counted::new("dash_subscriptions");
    let begin = (events, execution, counted);
    stream::unfold(begin, async |(mut events, execution, counted)| {
        let event = events.next().await?;
        let answer = execution.answer(event).await?;
        Some((answer, (events, execution, counted)))
    })
    .boxed()
}

#[derive(Clone, Debug, Default)]
struct Encoder {
    encoded: Arc<AtomicU64>,
}

impl Encoder {
    fn encode(&self, response: &Response) -> Answer {
        self.encoded.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("dash_subscription_messages_encoded_total").increment(1);
        // A response is made of what JSON has.
        serde_json::to_string(response).unwrap_or_default().into()
    }
}

/// A question is an event, with the way back for its answer.
type Question = (Event, oneshot::Sender<Answer>);
/// The answers to the last events, the newest first.
type Kept = VecDeque<(Event, future::Shared<oneshot::Receiver<Answer>>)>;

/// A subscription that runs, as its subscribers see it.
struct Execution {
    /// As many wait as there are subscribers: each waits for its answer before it asks again.
    ask: mpsc::UnboundedSender<Question>,
    kept: Arc<Mutex<Kept>>,
    _room: OwnedSemaphorePermit,
    _counted: Counted,
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution").finish_non_exhaustive()
    }
}

impl Execution {
    /// The answer to an event; the first one who asks makes it be worked out. None when the
    /// subscription has failed. Whoever stops waiting in the middle holds up nobody.
    async fn answer(&self, event: Event) -> Option<Answer> {
        let answer = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let known = kept.iter().find(|(known, _)| known.is(&event));
            if let Some((_, answer)) = known {
                answer.clone()
            } else {
                let (sender, receiver) = oneshot::channel();
                let answer = receiver.shared();
                self.ask.send((event.clone(), sender)).ok()?;
                kept.truncate(KEPT_ANSWERS - 1);
                kept.push_front((event, answer.clone()));
                answer
            }
        };
        answer.await.ok()
    }
}

/// The task that works out the answers.
struct Worker {
    questions: mpsc::UnboundedReceiver<Question>,
    /// Where the execution takes its events from, one at a time,
    events: mpsc::Sender<Event>,
    /// and what it answers.
    responses: BoxStream<'static, Response>,
    kept: Arc<Mutex<Kept>>,
    encoder: Encoder,
}

impl Worker {
    async fn run(mut self) {
        while let Some((event, asker)) = self.next_question().await {
            if self.events.send(event).await.is_err() {
                return;
            }
            let Some(response) = self.responses.next().await else {
                return;
            };
            // Whoever asked may have left.
            let _ = asker.send(self.encoder.encode(&response));
        }
    }

    /// The next question. When none comes for a while, nobody will want the old answers.
    async fn next_question(&mut self) -> Option<Question> {
        if let Ok(question) = timeout(KEPT_FOR, self.questions.recv()).await {
            return question;
        }
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            // Questions are asked under the lock: one that waits is kept.
            if self.questions.is_empty() {
                kept.clear();
            }
        }
        self.questions.recv().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboards::DashboardUpdate;

    /// Answers every event with the one operation's name, and those named `slow` when told to.
    #[derive(Clone)]
    struct Echo(Arc<tokio::sync::Notify>);

    impl Executor for Echo {
        async fn execute(&self, _: Request) -> Response {
            Response::default()
        }

        fn execute_stream(
            &self,
            request: Request,
            _: Option<Arc<Data>>,
        ) -> BoxStream<'static, Response> {
            let part = request.data.get(&std::any::TypeId::of::<Part>());
            let Some(Part::Answers(events)) = part.and_then(|part| part.downcast_ref()) else {
                panic!("events to answer are expected");
            };
            let events = events.lock().unwrap().take().unwrap();
            let notify = Arc::clone(&self.0);
            stream::unfold((events, notify), async |(mut events, notify)| {
                let Event::Dashboard(update) = events.recv().await? else {
                    panic!("only dashboards here");
                };
                if update.cursor == "slow" {
                    notify.notified().await;
                }
                let answer = async_graphql::Value::from(update.cursor.as_str());
                Some((Response::new(answer), (events, notify)))
            })
            .boxed()
        }
    }

    fn event(cursor: &str) -> Event {
        Event::Dashboard(Arc::new(DashboardUpdate {
            cursor: cursor.to_owned(),
            dashboard: None,
            data: Vec::new(),
            last_received_at_ms: None,
        }))
    }

    fn join(subscriptions: &Subscriptions, query: &str, team_id: TeamId) -> Arc<Joined<Execution>> {
        let executor = Echo(Arc::default());
        let joined = subscriptions.join(executor, Request::new(query), team_id);
        joined.unwrap()
    }

    #[tokio::test]
    async fn an_event_is_answered_once_for_all_who_ask() {
        let subscriptions = Subscriptions::default();
        let team = TeamId::new();
        let [one, two] = [(); 2].map(|()| join(&subscriptions, "subscription { a }", team));
        let (first, second) = (event("1"), event("2"));
        let answers = tokio::join!(
            one.answer(first.clone()),
            two.answer(first.clone()),
            two.answer(second),
            one.answer(first),
        );
        let told = [answers.0, answers.1, answers.2, answers.3].map(Option::unwrap);
        let [a, b, c, d] = told.each_ref().map(|answer| &**answer);
        assert_eq!((a, b, d), (r#"{"data":"1"}"#, a, a));
        assert_eq!(c, r#"{"data":"2"}"#);
        assert!(Arc::ptr_eq(&told[0], &told[1]), "the very same text");
        assert_eq!(
            (subscriptions.encoded(), subscriptions.executions()),
            (2, 1)
        );
    }

    #[tokio::test]
    async fn whoever_stops_waiting_in_the_middle_holds_up_nobody() {
        let subscriptions = Subscriptions::default();
        let notify = Arc::default();
        let executor = Echo(Arc::clone(&notify));
        let joined = subscriptions.join(executor, Request::new("a"), TeamId::new());
        let execution = joined.unwrap();
        let mut slow = std::pin::pin!(execution.answer(event("slow")));
        assert!(slow.as_mut().now_or_never().is_none());
        // From here on nobody asks for that answer.
        let quick = execution.answer(event("quick"));
        notify.notify_one();
        let answered = timeout(Duration::from_secs(10), quick).await.unwrap();
        assert_eq!(answered.as_deref(), Some(r#"{"data":"quick"}"#));
        assert_eq!(slow.await.as_deref(), Some(r#"{"data":"slow"}"#));
    }

    #[tokio::test]
    async fn what_differs_in_anything_that_matters_runs_apart() {
        let subscriptions = Subscriptions::default();
        let team = TeamId::new();
        let request = |variables: serde_json::Value, name: Option<&str>| {
            let variables = async_graphql::Variables::from_json(variables);
            let mut request = Request::new("subscription { a }").variables(variables);
            request.operation_name = name.map(str::to_owned);
            Operation::new(team, &request)
        };
        let json = |text: &str| serde_json::from_str(text).unwrap();
        let one = request(json(r#"{"a": {"b": 1, "c": [2]}, "d": 3}"#), None);
        let same = request(json(r#"{"d": 3, "a": {"c": [2], "b": 1}}"#), None);
        assert_eq!(one, same, "the order of keys means nothing");
        for (other, what) in [
            (
                request(json(r#"{"a": {"b": 1, "c": [3]}, "d": 3}"#), None),
                "variables",
            ),
            (
                request(json(r#"{"a": {"b": 1, "c": [2]}, "d": 3}"#), Some("A")),
                "name",
            ),
            (
                Operation {
                    team_id: TeamId::new(),
                    ..same
                },
                "team",
            ),
        ] {
            assert_ne!(one, other, "{what}");
        }
        let held = ["a", "b", "a"].map(|query| join(&subscriptions, query, team));
        assert_eq!(subscriptions.executions(), 2);
        let stranger = join(&subscriptions, "a", TeamId::new());
        assert_eq!(subscriptions.executions(), 3);
        drop((held, stranger));
        assert_eq!(
            subscriptions.executions(),
            0,
            "they end with the last subscriber"
        );
    }

    #[tokio::test]
    async fn one_subscription_too_many_is_refused_alone() {
        let subscriptions = Subscriptions {
            room: Arc::new(Semaphore::new(1)),
            ..Subscriptions::default()
        };
        let team = TeamId::new();
        let first = join(&subscriptions, "a", team);
        let refused = |query| {
            let executor = Echo(Arc::default());
            subscriptions.join(executor, Request::new(query), team)
        };
        assert!(refused("b").is_err());
        assert!(refused("a").is_ok(), "it runs already");
        drop(first);
        assert!(refused("b").is_ok());
    }

    #[tokio::test]
    async fn answers_are_forgotten_when_nothing_happens() {
        let subscriptions = Subscriptions::default();
        let execution = join(&subscriptions, "a", TeamId::new());
        for n in 0..10 {
            execution.answer(event(&n.to_string())).await;
        }
        assert_eq!(execution.kept.lock().unwrap().len(), KEPT_ANSWERS);
        let forgotten = async {
            while !execution.kept.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        let forgotten = timeout(Duration::from_secs(20), forgotten).await;
        assert!(forgotten.is_ok(), "they are kept");
        assert!(execution.answer(event("again")).await.is_some());
    }
}
