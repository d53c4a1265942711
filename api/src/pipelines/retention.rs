//! Retention: once an hour, the records of every pipeline that were kept as long as its plan and
//! its own setting say are deleted.

use std::collections::BTreeSet;

use dash_shared::ids::{PipelineId, TeamId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{Pipelines, PipelinesError, entity};
use crate::accounts;
use crate::jobs::{Job, Next};

pub(super) const RETENTION: &str = "retention";
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// How many pipelines are looked at together.
const PAGE: u64 = 200;

impl Pipelines {
    /// Sees to it that retention is enforced from now on, by one process at a time.
    pub async fn schedule_retention(&self) -> Result<(), PipelinesError> {
        let transaction = self.db.begin_write().await?;
        let now_ms = self.clock.now_ms();
        self.jobs
            .ensure(&*transaction, RETENTION, RETENTION, now_ms)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Deletes what every pipeline has kept long enough.
    pub async fn enforce_retention(&self) -> Result<(), PipelinesError> {
        let mut after = Uuid::nil();
        loop {
            let page = entity::Entity::find()
                .filter(entity::Column::Id.gt(after))
                .order_by_asc(entity::Column::Id)
                .limit(PAGE)
                .all(self.db.orm())
                .await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = last.id;
            let teams: BTreeSet<TeamId> = page
                .iter()
                .map(|row| TeamId::from_uuid(row.team_id))
                .collect();
            let now_ms = self.clock.now_ms();
            let plans = accounts::plans_of(&self.db, &teams, now_ms).await?;
            for row in page {
                // Only what retention needs is read of a row: one that is damaged otherwise must not
                // keep the others from being seen to.
                let own = row.retention_days.and_then(|days| days.try_into().ok());
                let plan = plans.get(&TeamId::from_uuid(row.team_id));
                let Some(days) = plan.and_then(|plan| plan.retention_of(own)) else {
                    continue;
                };
                let before_ms = now_ms - i64::from(days) * DAY_MS;
                let id = PipelineId::from_uuid(row.id);
                let trimmed = self.store.trim(id, before_ms).await?;
                metrics::counter!("dash_records_expired_total").increment(trimmed.unsigned_abs());
            }
        }
    }

    pub(super) async fn run_retention(&self, job: &Job) -> Result<Next, PipelinesError> {
        self.enforce_retention().await?;
        self.store.tidy().await?;
        self.store.ensure_partitions(self.clock.now_ms()).await?;
        Ok(Next::At {
            run_at_ms: job.run_at_ms.max(self.clock.now_ms()) + HOUR_MS,
            payload: String::new(),
        })
    }
}
