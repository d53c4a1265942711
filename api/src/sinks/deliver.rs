//! The job of a sink: takes what is next, sends it, writes down what came of it, and goes on until
//! there is nothing left or the target fails. One job at a time works on a lane of a sink.

use std::time::Duration;

use dash_shared::ids::SinkId;
use dash_shared::sinks::{Method, Target};
use url::Url;

use super::attempts::{Attempt, KEPT_BYTES, LoggedRequest, LoggedResponse};
use super::keys::Keys;
use super::planning::{Next as Plan, Planned, Planner, Reader};
use super::rendering::{Envelope, Mail, Message, Renderer, Request};
use super::retries::{GIVE_UP_MS, next_try_at, retry_after_ms};
use super::settling::{Standing, Verdict};
use super::upkeep::UPKEEP;
use super::{Delivery, DeliveryState, DisabledReason, Lane, Sink, SinkState, Sinks, SinksError};
use crate::data::StoredRecord;
use crate::jobs::{Job, Next, SINK_KIND};
use crate::outbound::{self, LargerAnswer, Outgoing};

/// The job that sends a sink's records in their order.
const LIVE: &str = "sink";
/// The job that sends again what somebody asked for.
const REPLAY: &str = "sink-replay";
/// How long a target may take to answer.
const TIME_LIMIT: Duration = Duration::from_secs(15);
/// How many deliveries a job makes before others have their turn.
const MAX_DELIVERIES: usize = 200;
/// How many records of a delivery are read back at most: as many as a batch has.
const MAX_READ_BACK: usize = 100;
/// How many records are looked at together for that, and how often.
const CHUNK_BACK: i64 = 100;
const MAX_CHUNKS_BACK: usize = 1_000;
/// How often a delivery of a sink that has failed for days is tried before the sink is disabled: it
/// may have been mended when nothing was sent.
const LAST_TRIES: i32 = 4;

/// The unique key of the job of a sink.
pub(super) fn live_key(id: SinkId) -> String {
    format!("{LIVE}:{id}")
}

/// The unique key of the job that replays.
pub(super) fn replay_key(id: SinkId) -> String {
    format!("{REPLAY}:{id}")
}

/// What came of sending.
struct Sent {
    attempt: Attempt,
    status: Option<i32>,
    is_gone: bool,
    retry_after_ms: Option<i64>,
}

impl Sinks {
    /// Whether a job is one of this domain's.
    pub fn has_job(job: &Job) -> bool {
        job.kind == SINK_KIND || job.kind == UPKEEP
    }

    /// Runs one of the jobs that this domain scheduled.
    pub async fn run_job(&self, job: &Job) -> Next {
        if job.kind == UPKEEP {
            return self.run_upkeep(job).await;
        }
        let parts = job.unique_key.split_once(':');
        let Some((lane, Ok(id))) = parts.map(|(lane, id)| (lane, id.parse::<SinkId>())) else {
            return Next::Done;
        };
        let next = match lane {
            LIVE => self.run_live(id).await,
            REPLAY => self.run_replays(id).await,
            _ => Ok(Next::Done),
        };
        next.unwrap_or_else(|error| {
            let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| {
                error.source()
            });
            let causes: Vec<_> = causes.map(ToString::to_string).collect();
            Next::Retry(causes.join(": "))
        })
    }

    async fn run_live(&self, id: SinkId) -> Result<Next, SinksError> {
        let running = self.running.enter(id);
        let Some(mut sink) = self.load(id).await? else {
            self.purge(id).await?;
            return Ok(Next::Done);
        };
        if sink.state != SinkState::Enabled {
            return Ok(Next::Done);
        }
        let mut planner = Planner::new(self.store.clone(), &sink)?;
        let renderer = self.renderer(&sink).await?;
        // What was begun before, here or in a process that is no more, is sent first.
        let mut pending = self.pending_delivery(id, Lane::Live).await?;
        let mut records = Vec::new();
        for _ in 0..MAX_DELIVERIES {
            let delivery = match pending.take() {
                Some(delivery) => delivery,
                None => match planner.plan(self, &sink).await? {
                    Plan::Rest(rest) => {
                        let standing = self.rest(&mut sink, &mut planner, rest).await?;
                        if standing == Standing::Changed {
                            return Ok(self.again());
                        }
                        if rest.due_at_ms.is_none() && running.was_called() {
                            continue;
                        }
                        return Ok(rest.due_at_ms.map_or(Next::Done, at));
                    }
                    Plan::Deliver(upcoming) => {
                        let begun = self
                            .begin_delivery(&mut sink, &mut planner, &upcoming)
                            .await?;
                        let (Standing::Same, Some(delivery)) = begun else {
                            return Ok(self.again());
                        };
                        records = upcoming.records;
                        delivery
                    }
                },
            };
            if let Some(due_ms) = delivery.next_attempt_at_ms
                && due_ms > self.clock.now_ms()
            {
                return Ok(at(due_ms));
            }
            if records.is_empty() {
                records = self.read_back(&planner, &delivery).await?;
                let store = self.store.clone();
                planner.reader = Reader::new(store, sink.pipeline_id, delivery.last_seq);
            }
            let mut verdict = self.attempt(&renderer, &delivery, &records).await;
            if verdict.state == DeliveryState::Skipped {
                let reader = &mut planner.reader;
                match &verdict.error {
                    Some(error) if !records.is_empty() => {
                        reader.note_fault(delivery.last_seq, error.clone());
                    }
                    _ => reader.note_skipped(delivery.last_seq, delivery.records.into()),
                }
            }
            self.consider_disabling(&sink, &delivery, &mut verdict);
            let is_over = verdict.state != DeliveryState::Pending;
            let next_ms = verdict.next_attempt_at_ms;
            let upcoming = if is_over && verdict.disable.is_none() {
                self.plan_ahead(&mut planner, &sink).await?
            } else {
                None
            };
            let settled = self.settle(
                &mut sink,
                &delivery,
                verdict,
                &mut planner,
                upcoming.as_ref(),
            );
            let (standing, begun) = settled.await?;
            if standing == Standing::Changed {
                return Ok(self.again());
            }
            if !is_over {
                return Ok(next_ms.map_or(Next::Done, at));
            }
            pending = begun;
            records = upcoming
                .map(|upcoming| upcoming.records)
                .unwrap_or_default();
        }
        Ok(self.again())
    }

    /// What is sent next, to be written down together with what was sent. Only where that needs no
    /// more than the next records.
    async fn plan_ahead(
        &self,
        planner: &mut Planner,
        sink: &Sink,
    ) -> Result<Option<Planned>, SinksError> {
        if matches!(sink.definition.target, Target::Email(_)) {
            return Ok(None);
        }
        Ok(match planner.plan(self, sink).await? {
            Plan::Deliver(upcoming) => Some(upcoming),
            Plan::Rest(rest) => {
                // The records that were looked at for nothing are looked at again.
                planner.reader.go_back(rest.cursor_seq);
                None
            }
        })
    }

    /// Begins anew, with the sink as it is now.
    fn again(&self) -> Next {
        at(self.clock.now_ms())
    }

    /// The records of a delivery that was planned before, as far as they are written out.
    pub(super) async fn read_back(
        &self,
        planner: &Planner,
        delivery: &Delivery,
    ) -> Result<Vec<StoredRecord>, SinksError> {
        let most = usize::try_from(delivery.records).unwrap_or(1);
        let most = most.clamp(1, MAX_READ_BACK);
        let (mut after, mut found) = (delivery.first_seq - 1, Vec::new());
        for _ in 0..MAX_CHUNKS_BACK {
            let read = self
                .store
                .records_after(
                    planner.reader.pipeline_id(),
                    after,
                    delivery.last_seq,
                    CHUNK_BACK,
                )
                .await?;
            let Some(last) = read.last() else {
                break;
            };
            after = last.seq;
            let taken = read
                .into_iter()
                .filter(|record| planner.takes_again(record));
            found.extend(taken.take(most - found.len()));
            if found.len() == most {
                break;
            }
        }
        Ok(found)
    }

    /// Sends a delivery once, and says what is to become of it.
    pub(super) async fn attempt(
        &self,
        renderer: &Result<Renderer, String>,
        delivery: &Delivery,
        records: &[StoredRecord],
    ) -> Verdict {
        let renderer = match renderer {
            Ok(renderer) => renderer,
            // Somebody has to enter something again: until then it is tried like a target that fails.
            Err(error) => return self.failed(delivery, None, error.clone(), None, false, None),
        };
        let envelope = Envelope {
            message_id: &delivery.message_id,
            created_at_ms: delivery.created_at_ms,
            sent_at_ms: self.clock.now_ms(),
            records: usize::try_from(delivery.records).unwrap_or(0),
            is_test: delivery.lane == Lane::Test,
        };
        let message = match renderer.render(records, &envelope) {
            Ok((message, _)) => message,
            Err(error) => {
                return Verdict {
                    state: DeliveryState::Skipped,
                    next_attempt_at_ms: None,
                    status: None,
                    error: Some(error.0),
                    disable: None,
                    attempt: None,
                };
            }
        };
        let sent = self.send(renderer, delivery, &message).await;
        match &sent.attempt.error {
            None => Verdict {
                state: DeliveryState::Delivered,
                next_attempt_at_ms: None,
                status: sent.status,
                error: None,
                disable: None,
                attempt: Some(sent.attempt),
            },
            Some(error) => {
                let error = error.clone();
                let (status, asked_ms) = (sent.status, sent.retry_after_ms);
                self.failed(
                    delivery,
                    status,
                    error,
                    asked_ms,
                    sent.is_gone,
                    Some(sent.attempt),
                )
            }
        }
    }

    fn failed(
        &self,
        delivery: &Delivery,
        status: Option<i32>,
        error: String,
        retry_after_ms: Option<i64>,
        is_gone: bool,
        attempt: Option<Attempt>,
    ) -> Verdict {
        let (now_ms, tries) = (self.clock.now_ms(), delivery.tries + 1);
        let is_replay = delivery.lane == Lane::Replay;
        let next = next_try_at(tries, is_replay, retry_after_ms, now_ms);
        let next = next.filter(|_| !is_gone && delivery.lane != Lane::Test);
        let attempt = attempt.unwrap_or_else(|| Attempt {
            number: delivery.attempts + 1,
            started_at_ms: now_ms,
            duration_ms: 0,
            request: LoggedRequest::default(),
            response: None,
            error: Some(error.clone()),
        });
        Verdict {
            state: match next {
                Some(_) => DeliveryState::Pending,
                None if delivery.lane == Lane::Test => DeliveryState::Failed,
                None => DeliveryState::Dead,
            },
            next_attempt_at_ms: next,
            status,
            error: Some(error),
            disable: (is_gone && delivery.lane != Lane::Test).then_some(DisabledReason::Gone),
            attempt: Some(attempt),
        }
    }

    /// A sink that has failed for days is disabled: whoever runs its target does not see to it.
    fn consider_disabling(&self, sink: &Sink, delivery: &Delivery, verdict: &mut Verdict) {
        let has_failed = !matches!(
            verdict.state,
            DeliveryState::Delivered | DeliveryState::Skipped
        );
        let since_ms = sink.failing_since_ms.unwrap_or(i64::MAX);
        if has_failed
            && delivery.tries + 1 >= LAST_TRIES
            && self.clock.now_ms().saturating_sub(since_ms) >= GIVE_UP_MS
        {
            verdict.disable.get_or_insert(DisabledReason::Failing);
        }
    }

    async fn send(&self, renderer: &Renderer, delivery: &Delivery, message: &Message) -> Sent {
        let (number, started_at_ms) = (delivery.attempts + 1, self.clock.now_ms());
        let attempt = Attempt {
            number,
            started_at_ms,
            duration_ms: 0,
            request: LoggedRequest::of(message, renderer),
            response: None,
            error: None,
        };
        match message {
            Message::Request(request) => self.post(renderer, request, attempt).await,
            Message::Mail(mail) => self.mail(delivery, mail, attempt).await,
        }
    }

    async fn post(&self, renderer: &Renderer, request: &Request, attempt: Attempt) -> Sent {
        let place = self.places.take(&host_of(&request.url)).await;
        let answer = self.outbound.send(&outgoing(request)).await;
        drop(place);
        match answer {
            Ok(answer) => {
                let status = answer.status.as_u16();
                let error = match status {
                    200..300 => None,
                    300..400 => Some(format!(
                        "The target redirects ({status}), which Dash does not follow. Enter the \
                         address that it redirects to."
                    )),
                    410 => Some("The target is gone (410): it wants no more records.".to_owned()),
                    _ => Some(format!("The target answered {status}.")),
                };
                let retry_after = answer.header("retry-after");
                Sent {
                    status: Some(i32::from(status)),
                    is_gone: status == 410,
                    retry_after_ms: retry_after_ms(retry_after, self.clock.now_ms()),
                    attempt: Attempt {
                        duration_ms: answer.duration_ms,
                        response: Some(LoggedResponse::of(&answer, renderer)),
                        error,
                        ..attempt
                    },
                }
            }
            Err(error) => Sent {
                status: None,
                is_gone: false,
                retry_after_ms: None,
                attempt: Attempt {
                    duration_ms: (self.clock.now_ms() - attempt.started_at_ms).max(0),
                    error: Some(renderer.redact(&error.message)),
                    ..attempt
                },
            },
        }
    }

    async fn mail(&self, _delivery: &Delivery, _mail: &Mail, attempt: Attempt) -> Sent {
        Sent {
            status: None,
            is_gone: false,
            retry_after_ms: None,
            attempt: Attempt {
                error: Some("This Dash cannot send mails.".to_owned()),
                ..attempt
            },
        }
    }

    /// What writes the messages of a sink; the inner error is a sentence for its owners.
    pub(super) async fn renderer(
        &self,
        sink: &Sink,
    ) -> Result<Result<Renderer, String>, SinksError> {
        let keys = match Keys::open(&self.secrets, sink.id, sink.sealed.as_deref()) {
            Ok(keys) => keys,
            Err(error) => {
                tracing::warn!(%error, sink = %sink.id, "the secrets of a sink cannot be opened");
                let message = "The stored secrets cannot be opened: the key that Dash was started \
                               with has changed. Enter them again.";
                return Ok(Err(message.to_owned()));
            }
        };
        let name = self.pipelines.name_of(sink.pipeline_id).await?;
        let name = name.unwrap_or_default();
        let renderer = Renderer::new(&sink.definition, keys, (sink.pipeline_id, &name));
        Ok(renderer.map_err(|error| error.0))
    }
}

const fn at(run_at_ms: i64) -> Next {
    Next::At {
        run_at_ms,
        payload: String::new(),
    }
}

/// The host and port of an address, which requests are counted by.
fn host_of(url: &str) -> String {
    Url::parse(url).map_or_else(|_| String::new(), |url| url.origin().ascii_serialization())
}

fn outgoing(request: &Request) -> Outgoing {
    let method = match request.method {
        Method::Post => outbound::Method::POST,
        Method::Put => outbound::Method::PUT,
        Method::Patch => outbound::Method::PATCH,
        Method::Get => outbound::Method::GET,
    };
    let mut outgoing = Outgoing::new(method, request.url.clone())
        .headers(request.headers.iter().cloned())
        .within(TIME_LIMIT)
        .at_most(KEPT_BYTES, LargerAnswer::IsCut);
    outgoing.body = request.body.clone().map(Into::into);
    outgoing.content_type.clone_from(&request.content_type);
    outgoing
}
