//! What happened, told to whom it concerns: in this process at once, and in the others that share
//! the PostgreSQL database as soon as it is committed there. On SQLite there is one process.
//!
//! Events carry ids; what they name is read from the database. A process that lost touch for a
//! moment is told that it may have missed something.

use std::sync::Arc;
use std::time::Duration;

use dash_shared::ids::{DashboardId, DeliveryId, PipelineId, RunId, SinkId};
use sea_orm::{ConnectionTrait, DbErr, Statement};
use serde::{Deserialize, Serialize};
use sqlx::Executor as _;
use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use tokio::sync::broadcast;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::db::{Db, Engine};

/// The channel of PostgreSQL that all processes listen to.
const CHANNEL: &str = "dash_events";
/// The longest notification that is sent; PostgreSQL takes less than 8,000 bytes.
const MAX_PAYLOAD_BYTES: usize = 7_900;
/// How many events a follower may lag behind before it is told that it missed some.
const CAPACITY: usize = 1_024;
/// How long the connection may be silent before it is tried.
const SILENCE: Duration = Duration::from_secs(20);
/// How long connecting, or the trial, may take.
const ANSWER: Duration = Duration::from_secs(5);
/// The pauses between attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// One commit stored this.
    Stored(Vec<Stored>),
    /// A commit stored to more pipelines than can be named.
    MuchStored,
    /// Old records of a pipeline were deleted.
    RecordsDeleted(PipelineId),
    /// A pipeline was deleted.
    PipelineDeleted(PipelineId),
    /// A dashboard was changed or deleted.
    DashboardChanged(DashboardId),
    /// A delivery of a sink was tried.
    Delivery(SinkId, DeliveryId),
    /// Anything may have happened unnoticed. Not sent, but told by the listener.
    #[serde(skip)]
    Missed,
}

/// What a commit stored to one pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The pipeline.
    #[serde(rename = "p")]
    pub pipeline_id: PipelineId,
    /// The `seq` of the first record, and that of the last; none when there are no records.
    #[serde(rename = "s")]
    pub seqs: Option<(i64, i64)>,
    /// The runs; left out when they are too many.
    #[serde(rename = "r")]
    pub runs: Vec<RunId>,
}

/// An event on its way to other processes.
#[derive(Debug, Serialize, Deserialize)]
struct Notice {
    /// The process that it comes from, which knows already.
    from: Uuid,
    event: Event,
}

/// Tells events and lets follow them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Events {
    process: Uuid,
    engine: Engine,
    channels: Channels,
    stop: CancellationToken,
    _listener: Arc<DropGuard>,
}

/// Those who follow definitions are many, and need not wake for every commit.
#[derive(Clone, Debug)]
struct Channels {
    records: broadcast::Sender<Event>,
    definitions: broadcast::Sender<Event>,
    deliveries: broadcast::Sender<Event>,
}

impl Channels {
    fn tell(&self, event: Event) {
        // Nobody may be listening.
        match event {
            Event::Stored(_) | Event::MuchStored | Event::RecordsDeleted(_) => {
                let _ = self.records.send(event);
            }
            Event::PipelineDeleted(_) | Event::DashboardChanged(_) => {
                let _ = self.definitions.send(event);
            }
            Event::Delivery(..) => {
                let _ = self.deliveries.send(event);
            }
            Event::Missed => {
                let _ = self.deliveries.send(Event::Missed);
                let _ = self.records.send(Event::Missed);
                let _ = self.definitions.send(Event::Missed);
            }
        }
    }
}

impl Events {
    /// Events of the processes on this database; listens to the others until the last clone is gone.
    pub fn open(db: &Db) -> Self {
        let stop = CancellationToken::new();
        let events = Self {
            process: Uuid::now_v7(),
            engine: db.engine(),
            channels: Channels {
                records: broadcast::Sender::new(CAPACITY),
                definitions: broadcast::Sender::new(CAPACITY),
                deliveries: broadcast::Sender::new(CAPACITY),
            },
            stop: stop.clone(),
            _listener: Arc::new(stop.clone().drop_guard()),
        };
        if events.engine == Engine::Postgres {
            // A connection of its own, so that none is taken from those who ask.
            let options = db.orm().get_postgres_connection_pool().connect_options();
            let listener = Listener {
                process: events.process,
                channels: events.channels.clone(),
                pool: PgPoolOptions::new()
                    .max_connections(1)
                    .acquire_timeout(ANSWER)
                    .max_lifetime(None)
                    .idle_timeout(None)
                    .connect_lazy_with((*options).clone()),
            };
            tokio::spawn(async move { stop.run_until_cancelled_owned(listener.run()).await });
        }
        events
    }

    /// Tells the other processes, when the transaction is committed.
    pub async fn announce(
        &self,
        transaction: &impl ConnectionTrait,
        event: &Event,
    ) -> Result<(), DbErr> {
        if self.engine != Engine::Postgres {
            return Ok(());
        }
        let notice = self
            .notice(event)
            .map_err(|error| DbErr::Custom(error.to_string()))?;
        transaction
            .execute_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                "SELECT pg_notify($1, $2)",
                [CHANNEL.into(), notice.into()],
            ))
            .await?;
        Ok(())
    }

    /// Tells this process.
    pub fn tell(&self, event: Event) {
        self.channels.tell(event);
    }

    /// What other processes do with records, from now on.
    pub fn follow_records(&self) -> broadcast::Receiver<Event> {
        self.channels.records.subscribe()
    }

    /// What happens to pipelines and dashboards, here and elsewhere, from now on.
    pub fn follow_definitions(&self) -> broadcast::Receiver<Event> {
        self.channels.definitions.subscribe()
    }

    /// What becomes of the deliveries of sinks, here and elsewhere, from now on.
    pub fn follow_deliveries(&self) -> broadcast::Receiver<Event> {
        self.channels.deliveries.subscribe()
    }

    /// Stops listening to other processes.
    pub fn close(&self) {
        self.stop.cancel();
    }

    /// The text that is sent: the runs are left out when it would be too long, then everything.
    fn notice(&self, event: &Event) -> Result<String, serde_json::Error> {
        let text = |event| {
            let from = self.process;
            serde_json::to_string(&Notice { from, event })
        };
        let whole = text(event.clone())?;
        let Event::Stored(stored) = event else {
            return Ok(whole);
        };
        if whole.len() <= MAX_PAYLOAD_BYTES {
            return Ok(whole);
        }
        let records = stored.iter().map(|stored| Stored {
            runs: Vec::new(),
            ..*stored
        });
        let short = text(Event::Stored(records.collect()))?;
        if short.len() <= MAX_PAYLOAD_BYTES {
            return Ok(short);
        }
        text(Event::MuchStored)
    }
}

/// Listens to the other processes.
struct Listener {
    process: Uuid,
    channels: Channels,
    pool: PgPool,
}

impl Listener {
    /// Connects, and again whenever the connection is lost.
    async fn run(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.connect().await {
                Ok(mut listener) => {
                    pause = FIRST_PAUSE;
                    // What was told before somebody listened, nobody heard.
                    self.channels.tell(Event::Missed);
                    if let Err(error) = self.listen(&mut listener).await {
                        tracing::warn!(%error, "cannot hear other processes any more, connecting again");
                    }
                }
                Err(error) => tracing::warn!(%error, "cannot hear other processes, trying again"),
            }
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    async fn connect(&self) -> Result<PgListener, sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(listener)
    }

    /// Tells what is heard, until the connection is lost.
    async fn listen(&self, listener: &mut PgListener) -> Result<(), sqlx::Error> {
        loop {
            match timeout(SILENCE, listener.try_recv()).await {
                Ok(Ok(Some(notification))) => self.hear(notification.payload()),
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => return Err(error),
                // A connection that is broken may be silent for ever.
                Err(_) => {
                    let answer = timeout(ANSWER, listener.execute("SELECT 1")).await;
                    answer.map_err(|_| sqlx::Error::PoolTimedOut)??;
                }
            }
        }
    }

    fn hear(&self, payload: &str) {
        match serde_json::from_str::<Notice>(payload) {
            Ok(notice) if notice.from == self.process => {}
            Ok(notice) => self.channels.tell(notice.event),
            // Of a newer version, while processes are replaced one by one.
            Err(error) => {
                tracing::debug!(%error, "an event of another process is unknown here");
                self.channels.tell(Event::Missed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn events() -> Events {
        Events::open(&Db::connect("sqlite::memory:", 1).await.unwrap())
    }

    fn stored(pipelines: usize, runs: usize) -> Event {
        let one = || Stored {
            pipeline_id: PipelineId::new(),
            seqs: Some((i64::MAX - 1, i64::MAX)),
            runs: (0..runs).map(|_| RunId::new()).collect(),
        };
        Event::Stored((0..pipelines).map(|_| one()).collect())
    }

    #[tokio::test]
    async fn what_is_sent_names_as_much_as_fits() {
        let events = events().await;
        let sent = |event: &Event| {
            let text = events.notice(event).unwrap();
            assert!(text.len() <= MAX_PAYLOAD_BYTES, "{}", text.len());
            serde_json::from_str::<Notice>(&text).unwrap().event
        };
        for whole in [
            stored(40, 1),
            stored(1, 200),
            Event::PipelineDeleted(PipelineId::new()),
            Event::DashboardChanged(DashboardId::new()),
        ] {
            assert_eq!(sent(&whole), whole);
        }
        let many_runs = stored(2, 1_000);
        let Event::Stored(without) = sent(&many_runs) else {
            panic!("the pipelines are named");
        };
        assert!(without.len() == 2 && without.iter().all(|stored| stored.runs.is_empty()));
        assert_eq!(sent(&stored(1_000, 1)), Event::MuchStored);
    }

    #[tokio::test]
    async fn followers_of_definitions_are_not_woken_by_records() {
        let events = events().await;
        let mut definitions = events.follow_definitions();
        let mut records = events.follow_records();
        let (much, deleted) = (Event::MuchStored, Event::PipelineDeleted(PipelineId::new()));
        for event in [much.clone(), deleted.clone(), Event::Missed] {
            events.tell(event);
        }
        assert_eq!(definitions.recv().await, Ok(deleted));
        assert_eq!(definitions.recv().await, Ok(Event::Missed));
        assert_eq!(records.recv().await, Ok(much));
        assert_eq!(records.recv().await, Ok(Event::Missed));
    }
}
