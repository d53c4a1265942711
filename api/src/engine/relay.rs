//! The pipeline source: takes what another pipeline stored through the transform, a piece at a time.

use serde_json::Value;

use super::ingest::Batch;
use super::{Definition, Engine};
use crate::data::{NewPosition, RunTrigger, WriteError};

/// How many records go through together.
const PIECE: i64 = 500;

/// Whether there is more to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relayed {
    /// There was as much as is read at once.
    More,
    /// Everything is read.
    All,
}

impl Engine {
    /// Reads the next piece of what another pipeline stored, and stores what is made of it. Each
    /// record is read once, whoever else reads at the same time.
    pub async fn relay(&self, definition: &Definition) -> Result<Relayed, WriteError> {
        let started_at_ms = self.clock.now_ms();
        let Some(relay) = self.store.relay(definition.pipeline_id).await? else {
            return Ok(Relayed::All);
        };
        let last_seq = self.store.totals_of(relay.upstream_id).await?.last_seq;
        if last_seq <= relay.position {
            return Ok(Relayed::All);
        }
        let records = self
            .store
            .records_after(relay.upstream_id, relay.position, last_seq, PIECE)
            .await?;
        // What lies between may have been deleted.
        let up_to = records.last().map_or(last_seq, |record| record.seq);
        let received = records
            .into_iter()
            .map(|record| Value::Object((*record.fields).clone()))
            .collect();
        let mut batch = Batch::new(RunTrigger::Pipeline, None, started_at_ms);
        batch.position = Some(NewPosition { relay, up_to });
        match self.ingest(definition, received, batch).await {
            // Somebody else has read it.
            Err(WriteError::Stale) => Ok(Relayed::More),
            Err(error) => Err(error),
            Ok(_) if up_to < last_seq => Ok(Relayed::More),
            Ok(_) => Ok(Relayed::All),
        }
    }
}
