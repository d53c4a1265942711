//! Durable work: a queue in the database, with leases.
//!
//! A job has a unique key and a time. Who takes it gets a lease with a token and keeps renewing it;
//! only the holder of the token can finish the job. A process that dies lets its leases run out,
//! and another one takes over: a job never runs twice at once, and none is lost. What a job does is
//! its domain's business.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dash_shared::ids::JobId;
use sea_orm::{ConnectionTrait, DbErr, Statement, Value};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::clock::Clock;
use crate::db::{Db, Engine};

/// How long a lease lasts unless it is renewed.
pub const LEASE_MS: i64 = 30_000;
const LEASE: Duration = Duration::from_millis(LEASE_MS.unsigned_abs());
/// How often a lease is renewed.
const RENEW_PERIOD: Duration = Duration::from_secs(10);
/// How many jobs of the main lane a process runs at once; most of them wait for other servers.
const PARALLEL_JOBS: usize = 128;
/// For how many of them that are for one no more are claimed for it.
const PARALLEL_JOBS_FOR_ONE: usize = 32;
/// The kind of the jobs that have a lane of their own: they wait for other servers, and nobody else
/// must wait for them.
pub const SINK_KIND: &str = "sink";
/// How many of those a process runs at once; most of them wait for a place to send.
const PARALLEL_SINKS: usize = 256;
/// The kind of a job that was cancelled while it ran. When that has ended, or its process has died,
/// there is nothing left to do.
const CANCELLED: &str = "cancelled";
/// How long the queue rests when nothing is due.
const IDLE_PERIOD: Duration = Duration::from_millis(500);
/// How long it rests between two looks, however much is due.
const CLAIM_PERIOD: Duration = Duration::from_millis(20);
/// How long it rests when the database fails.
const FAILED_PERIOD: Duration = Duration::from_secs(2);

/// What is due and held by nobody, at the time that is the third value of a statement.
const DUE: &str = "run_at_ms <= $3 AND (lease_until_ms IS NULL OR lease_until_ms < $3)";

/// A job that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What kind of work it is.
    pub kind: String,
    /// What it is about; there is one job with this key.
    pub unique_key: String,
    /// What its domain wants to know.
    pub payload: String,
    /// When it was due, in milliseconds since 1970: the same however often it is taken.
    pub run_at_ms: i64,
    /// How often it failed in a row.
    pub attempts: i32,
    /// Whom it is for.
    whose: Option<Uuid>,
    lease_token: Uuid,
}

/// What becomes of a job that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is done for good.
    Done,
    /// It runs again, unless it was given another time while it ran.
    At {
        /// When, in milliseconds since 1970.
        run_at_ms: i64,
        /// What it then wants to know.
        payload: String,
    },
    /// It failed for this reason and is tried again with growing pauses.
    Retry(String),
}

/// Which jobs a worker takes, so that one kind of work never holds another one up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Those that send records on.
    Sinks,
    /// All others.
    Main,
}

impl Lane {
    /// All lanes.
    pub const ALL: [Self; 2] = [Self::Main, Self::Sinks];

    const fn condition(self) -> &'static str {
        match self {
            Self::Sinks => "kind = 'sink'",
            Self::Main => "kind <> 'sink'",
        }
    }

    const fn places(self) -> usize {
        match self {
            Self::Sinks => PARALLEL_SINKS,
            Self::Main => PARALLEL_JOBS,
        }
    }
}

/// The queue. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Jobs {
    db: Db,
    clock: Clock,
    main: Arc<Notify>,
    sinks: Arc<Notify>,
}

impl Jobs {
    /// The queue in this database.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self {
            db,
            clock,
            main: Arc::default(),
            sinks: Arc::default(),
        }
    }

    /// Adds a job within the caller's transaction, or moves the one with this key: it becomes due at
    /// `run_at_ms`. A job that is running goes on; it is due again when it has ended.
    pub async fn schedule(
        &self,
        transaction: &impl ConnectionTrait,
        kind: &str,
        unique_key: &str,
        payload: &str,
        run_at_ms: i64,
    ) -> Result<(), DbErr> {
        let job = (kind, unique_key, payload);
        self.insert(transaction, None, job, run_at_ms).await
    }

    /// The same as [`Self::schedule`], for somebody: those who have jobs that are due take turns,
    /// however many each of them has.
    pub async fn schedule_for(
        &self,
        transaction: &impl ConnectionTrait,
        whose: Uuid,
        kind: &str,
        unique_key: &str,
        payload: &str,
        run_at_ms: i64,
    ) -> Result<(), DbErr> {
        let job = (kind, unique_key, payload);
        self.insert(transaction, Some(whose), job, run_at_ms).await
    }

    async fn insert(
        &self,
        transaction: &impl ConnectionTrait,
        whose: Option<Uuid>,
        (kind, unique_key, payload): (&str, &str, &str),
        run_at_ms: i64,
    ) -> Result<(), DbErr> {
        let sql = "INSERT INTO jobs (id, kind, unique_key, payload, run_at_ms, attempts, \
             created_at_ms, fair_key) VALUES ($1, $2, $3, $4, $5, 0, $6, $7) \
             ON CONFLICT (unique_key) DO UPDATE SET kind = excluded.kind, \
             payload = excluded.payload, run_at_ms = excluded.run_at_ms, \
             fair_key = excluded.fair_key, attempts = 0, last_error = NULL, \
             lease_until_ms = CASE WHEN jobs.lease_token IS NULL THEN NULL \
             ELSE jobs.lease_until_ms END";
        transaction
            .execute_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                sql,
                [
                    JobId::new().uuid().into(),
                    kind.into(),
                    unique_key.into(),
                    payload.into(),
                    run_at_ms.into(),
                    self.clock.now_ms().into(),
                    whose.into(),
                ],
            ))
            .await?;
        self.wake();
        Ok(())
    }

    /// Adds a job within the caller's transaction, unless there is one with this key.
    pub async fn ensure(
        &self,
        transaction: &impl ConnectionTrait,
        kind: &str,
        unique_key: &str,
        run_at_ms: i64,
    ) -> Result<(), DbErr> {
        transaction
            .execute_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                "INSERT INTO jobs (id, kind, unique_key, payload, run_at_ms, attempts, \
                 created_at_ms) VALUES ($1, $2, $3, '', $4, 0, $5) \
                 ON CONFLICT (unique_key) DO NOTHING",
                [
                    JobId::new().uuid().into(),
                    kind.into(),
                    unique_key.into(),
                    run_at_ms.into(),
                    self.clock.now_ms().into(),
                ],
            ))
            .await?;
        self.wake();
        Ok(())
    }

    /// Takes a job out of the queue within the caller's transaction. One that is running is left
    /// its lease, so that it does not run twice at once when it is scheduled anew, but it cannot
    /// schedule itself again.
    pub async fn cancel(
        &self,
        transaction: &impl ConnectionTrait,
        unique_key: &str,
    ) -> Result<(), DbErr> {
        let backend = transaction.get_database_backend();
        transaction
            .execute_raw(Statement::from_sql_and_values(
                backend,
                "DELETE FROM jobs WHERE unique_key = $1 AND lease_token IS NULL",
                [unique_key.into()],
            ))
            .await?;
        transaction
            .execute_raw(Statement::from_sql_and_values(
                backend,
                "UPDATE jobs SET kind = $2, payload = '', run_at_ms = 0 WHERE unique_key = $1",
                [unique_key.into(), CANCELLED.into()],
            ))
            .await?;
        Ok(())
    }

    /// Looks at the queue at once: something was committed that may be due.
    pub fn wake(&self) {
        for lane in Lane::ALL {
            self.notify(lane).notify_one();
        }
    }

    fn notify(&self, lane: Lane) -> &Notify {
        match lane {
            Lane::Sinks => &self.sinks,
            Lane::Main => &self.main,
        }
    }

    /// When the job with this key is due, in milliseconds since 1970.
    pub async fn due_at(&self, unique_key: &str) -> Result<Option<i64>, DbErr> {
        let orm = self.db.orm();
        orm.query_one_raw(Statement::from_sql_and_values(
            orm.get_database_backend(),
            "SELECT run_at_ms FROM jobs WHERE unique_key = $1 AND kind <> $2",
            [unique_key.into(), CANCELLED.into()],
        ))
        .await?
        .map(|row| row.try_get("", "run_at_ms"))
        .transpose()
    }

    /// Takes up to `limit` jobs that are due and that nobody holds.
    pub async fn claim(&self, limit: usize) -> Result<Vec<Job>, DbErr> {
        self.claim_fairly("1 = 1", limit, &[]).await
    }

    /// Takes up to `limit` jobs that are due and that nobody holds: first the longest due one of
    /// each who has some, then the second one of each, and so on; none of those in `sated`.
    async fn claim_fairly(
        &self,
        of_lane: &str,
        limit: usize,
        sated: &[Uuid],
    ) -> Result<Vec<Job>, DbErr> {
        let now_ms = self.clock.now_ms();
        if limit == 0 || !self.any_due(of_lane, now_ms).await? {
            return Ok(Vec::new());
        }
        let lease_token = Uuid::now_v7();
        // What another process has taken since it was looked at is left to it.
        let skip_locked = match self.db.engine() {
            Engine::Postgres => " FOR UPDATE SKIP LOCKED",
            Engine::Sqlite => "",
        };
        let places: Vec<_> = (5..5 + sated.len())
            .map(|place| format!("${place}"))
            .collect();
        let not_sated = match places.join(", ") {
            none if none.is_empty() => String::new(),
            some => format!(" AND (fair_key IS NULL OR fair_key NOT IN ({some}))"),
        };
        let mut values: Vec<Value> = vec![
            lease_token.into(),
            (now_ms + LEASE_MS).into(),
            now_ms.into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ];
        values.extend(sated.iter().map(|whose| Value::from(*whose)));
        let transaction = self.db.begin_write().await?;
        let rows = transaction
            .query_all_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                format!(
                    "UPDATE jobs SET lease_token = $1, lease_until_ms = $2 WHERE id IN (\
                     SELECT id FROM jobs WHERE {of_lane} AND {DUE} AND id IN (\
                     SELECT id FROM (SELECT id, run_at_ms, ROW_NUMBER() OVER (\
                     PARTITION BY COALESCE(fair_key, id) ORDER BY run_at_ms) AS turn \
                     FROM jobs WHERE {of_lane} AND {DUE}{not_sated}) AS due \
                     ORDER BY turn, run_at_ms LIMIT $4){skip_locked}) \
                     RETURNING id, kind, unique_key, payload, run_at_ms, attempts, fair_key"
                ),
                values,
            ))
            .await?;
        transaction.commit().await?;
        let mut jobs = rows
            .iter()
            .map(|row| {
                Ok(Job {
                    id: JobId::from_uuid(row.try_get("", "id")?),
                    kind: row.try_get("", "kind")?,
                    unique_key: row.try_get("", "unique_key")?,
                    payload: row.try_get("", "payload")?,
                    run_at_ms: row.try_get("", "run_at_ms")?,
                    attempts: row.try_get("", "attempts")?,
                    whose: row.try_get("", "fair_key")?,
                    lease_token,
                })
            })
            .collect::<Result<Vec<_>, DbErr>>()?;
        jobs.sort_by_key(|job| job.run_at_ms);
        Ok(jobs)
    }

    /// Reading first spares an idle queue the writer's place and a write to the disk.
    async fn any_due(&self, of_lane: &str, now_ms: i64) -> Result<bool, DbErr> {
        let orm = self.db.orm();
        let row = orm
            .query_one_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT 1 AS due FROM jobs WHERE {of_lane} AND run_at_ms <= $1 \
                     AND (lease_until_ms IS NULL OR lease_until_ms < $1) LIMIT 1"
                ),
                [now_ms.into()],
            ))
            .await?;
        Ok(row.is_some())
    }

    /// Renews a lease; false when it was lost.
    pub async fn renew(&self, job: &Job) -> Result<bool, DbErr> {
        let transaction = self.db.begin_write().await?;
        let sql = "UPDATE jobs SET lease_until_ms = $3 WHERE id = $1 AND lease_token = $2";
        let until_ms = self.clock.now_ms() + LEASE_MS;
        let held = write_held(&*transaction, sql, job, vec![until_ms.into()]).await?;
        transaction.commit().await?;
        Ok(held)
    }

    /// Ends a job that was run; false when its lease was lost, and it is another's now. A job that
    /// was given another time while it ran keeps that time, even when it was done.
    pub async fn finish(&self, job: &Job, next: Next) -> Result<bool, DbErr> {
        let transaction = self.db.begin_write().await?;
        let held = self.end(&*transaction, job, next).await?;
        transaction.commit().await?;
        Ok(held)
    }

    async fn end(
        &self,
        transaction: &impl ConnectionTrait,
        job: &Job,
        next: Next,
    ) -> Result<bool, DbErr> {
        match next {
            Next::Done => {
                let deleted = write_held(
                    transaction,
                    "DELETE FROM jobs WHERE id = $1 AND lease_token = $2 AND run_at_ms = $3 \
                     AND payload = $4",
                    job,
                    vec![job.run_at_ms.into(), job.payload.clone().into()],
                );
                if deleted.await? {
                    return Ok(true);
                }
                let sql = "UPDATE jobs SET lease_token = NULL, lease_until_ms = NULL \
                           WHERE id = $1 AND lease_token = $2";
                write_held(transaction, sql, job, vec![]).await
            }
            Next::At { run_at_ms, payload } => {
                let sql = "UPDATE jobs SET lease_token = NULL, lease_until_ms = NULL, attempts = 0, \
                     last_error = NULL, payload = CASE WHEN run_at_ms = $4 THEN $5 ELSE payload END, \
                     run_at_ms = CASE WHEN run_at_ms = $4 THEN $3 ELSE run_at_ms END \
                     WHERE id = $1 AND lease_token = $2";
                let values = vec![run_at_ms.into(), job.run_at_ms.into(), payload.into()];
                write_held(transaction, sql, job, values).await
            }
            Next::Retry(error) => {
                let pause_ms = 1_000_i64 << job.attempts.clamp(0, 9);
                let sql = "UPDATE jobs SET lease_token = NULL, lease_until_ms = $3, \
                     attempts = attempts + 1, last_error = $4 WHERE id = $1 AND lease_token = $2";
                let values = vec![(self.clock.now_ms() + pause_ms).into(), error.into()];
                write_held(transaction, sql, job, values).await
            }
        }
    }

    /// Ends jobs as they come, those that have come together in one transaction.
    async fn end_together(self, lane: Lane, mut ended: mpsc::Receiver<(Job, Next)>) {
        let mut together = Vec::with_capacity(PARALLEL_JOBS);
        while ended.recv_many(&mut together, PARALLEL_JOBS).await > 0 {
            let written = async {
                let transaction = self.db.begin_write().await?;
                for (job, next) in &together {
                    self.end(&*transaction, job, next.clone()).await?;
                }
                transaction.commit().await
            };
            if let Err(error) = written.await {
                // The leases run out and the jobs are run again.
                tracing::error!(%error, jobs = together.len(), "jobs could not be finished");
            }
            together.clear();
            // Room was made, and some may be due again.
            self.notify(lane).notify_one();
        }
    }

    /// Runs what is due of a lane, until `stop`; returns when the jobs that run have ended.
    pub async fn work<F, Fut>(self, lane: Lane, stop: CancellationToken, handler: F)
    where
        F: Fn(Job) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Next> + Send,
    {
        let places = Arc::new(Semaphore::new(lane.places()));
        let shares = Shares::default();
        let running = TaskTracker::new();
        let (finished, ended) = mpsc::channel(PARALLEL_JOBS);
        let ending = tokio::spawn(self.clone().end_together(lane, ended));
        while !stop.is_cancelled() {
            let free = places.available_permits();
            let sated = shares.sated();
            let claimed = match self.claim_fairly(lane.condition(), free, &sated).await {
                Ok(claimed) => claimed,
                Err(error) => {
                    tracing::error!(%error, "the job queue cannot be read");
                    let _ = tokio::time::timeout(FAILED_PERIOD, stop.cancelled()).await;
                    continue;
                }
            };
            for job in claimed {
                // There is a place for each: no more were claimed than there were places.
                let place = Arc::clone(&places).acquire_owned().await;
                let share = shares.take(job.whose);
                let (jobs, handler, finished) = (self.clone(), handler.clone(), finished.clone());
                running.spawn(async move {
                    if let Some(next) = jobs.run(&job, handler).await {
                        // The far end is there as long as anybody can finish.
                        let _ = finished.send((job, next)).await;
                    }
                    drop((place, share));
                });
            }
            // What becomes due in a moment is claimed together.
            tokio::time::sleep(CLAIM_PERIOD).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.notify(lane).notified() => {}
                () = tokio::time::sleep(IDLE_PERIOD) => {}
            }
        }
        running.close();
        running.wait().await;
        drop(finished);
        let _ = ending.await;
    }

    /// Runs everything that is due now, one job after the other; returns how many there were.
    pub async fn run_due<F, Fut>(&self, handler: F) -> Result<usize, DbErr>
    where
        F: Fn(Job) -> Fut + Clone,
        Fut: Future<Output = Next>,
    {
        let mut count = 0;
        for job in self.claim(1_000).await? {
            if let Some(next) = self.run(&job, handler.clone()).await {
                self.finish(&job, next).await?;
            }
            count += 1;
        }
        Ok(count)
    }

    /// Runs a job while its lease lasts; returns what becomes of it, if it is still held.
    async fn run<F, Fut>(&self, job: &Job, handler: F) -> Option<Next>
    where
        F: Fn(Job) -> Fut,
        Fut: Future<Output = Next>,
    {
        if job.kind == CANCELLED {
            return Some(Next::Done);
        }
        let started = std::time::Instant::now();
        let kind = job.kind.clone();
        let mut work = std::pin::pin!(handler(job.clone()));
        let mut renewed = tokio::time::Instant::now();
        let next = loop {
            tokio::select! {
                next = &mut work => break next,
                () = tokio::time::sleep(RENEW_PERIOD) => match self.renew(job).await {
                    Ok(true) => renewed = tokio::time::Instant::now(),
                    Ok(false) => {
                        tracing::warn!(job = %job.unique_key, "a job's lease was lost, stopping it");
                        return None;
                    }
                    Err(error) if renewed.elapsed() + RENEW_PERIOD < LEASE => {
                        tracing::warn!(%error, "a lease could not be renewed, trying again");
                    }
                    Err(error) => {
                        tracing::warn!(%error, job = %job.unique_key, "a job's lease runs out, stopping it");
                        return None;
                    }
                }
            }
        };
        let outcome = match &next {
            Next::Retry(error) => {
                tracing::warn!(job = %job.unique_key, %error, "a job failed");
                "failed"
            }
            Next::Done | Next::At { .. } => "done",
        };
        metrics::histogram!("dash_job_duration_seconds", "kind" => kind, "outcome" => outcome)
            .record(started.elapsed().as_secs_f64());
        Some(next)
    }
}

/// Writes to a job that is held; false when it is held no more.
async fn write_held(
    transaction: &impl ConnectionTrait,
    sql: &str,
    job: &Job,
    more: Vec<Value>,
) -> Result<bool, DbErr> {
    let mut values: Vec<Value> = vec![job.id.uuid().into(), job.lease_token.into()];
    values.extend(more);
    let result = transaction
        .execute_raw(Statement::from_sql_and_values(
            transaction.get_database_backend(),
            sql,
            values,
        ))
        .await?;
    Ok(result.rows_affected() == 1)
}

/// How many jobs run for each: slow ones of one must not take all the places.
#[derive(Clone, Debug, Default)]
struct Shares(Arc<Mutex<HashMap<Uuid, usize>>>);

/// A place that is taken for somebody; given back when it is dropped.
struct Share {
    shares: Shares,
    whose: Option<Uuid>,
}

impl Shares {
    fn counts(&self) -> MutexGuard<'_, HashMap<Uuid, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those for whom as many run as may.
    fn sated(&self) -> Vec<Uuid> {
        let counts = self.counts();
        let sated = counts
            .iter()
            .filter(|(_, count)| **count >= PARALLEL_JOBS_FOR_ONE);
        sated.map(|(whose, _)| *whose).collect()
    }

    fn take(&self, whose: Option<Uuid>) -> Share {
        if let Some(whose) = whose {
            *self.counts().entry(whose).or_default() += 1;
        }
        Share {
            shares: self.clone(),
            whose,
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some(whose) = self.whose else { return };
        if let Entry::Occupied(mut count) = self.shares.counts().entry(whose) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}
