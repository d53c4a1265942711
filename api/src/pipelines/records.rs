//! Changing, deleting and exporting stored records: what is wrong can be put right, what must not be
//! kept can go, and everything can be taken along.

use std::collections::BTreeMap;
use std::sync::Arc;

use dash_shared::accounts::Role;
use dash_shared::fields::Fields;
use dash_shared::ids::PipelineId;
use dash_shared::queries::Filter;
use dash_shared::sources::MAX_RECORD_BYTES;
use dash_shared::{Invalid, InvalidCode};

use super::{Export, Pipeline, Pipelines, PipelinesError, Span, StoredRecord};
use crate::accounts::TenantScope;
use crate::data::{Amendment, MAX_AMENDED, ReadError};

impl Pipelines {
    /// Deletes records by their pipelines and numbers. Returns those that were there.
    pub async fn delete_records(
        &self,
        scope: &TenantScope,
        records: &[(PipelineId, i64)],
    ) -> Result<Vec<(PipelineId, i64)>, PipelinesError> {
        scope.require(Role::Editor)?;
        if records.len() > MAX_AMENDED {
            return Err(PipelinesError::Invalid(vec![Invalid::new(
                "ids",
                InvalidCode::TooLong,
                format!("At most {MAX_AMENDED} records are deleted at once."),
            )]));
        }
        let mut by_pipeline: BTreeMap<PipelineId, BTreeMap<i64, Amendment>> = BTreeMap::new();
        for (id, seq) in records {
            let amendments = by_pipeline.entry(*id).or_default();
            amendments.insert(*seq, Amendment::Delete);
        }
        for id in by_pipeline.keys() {
            self.get(scope, *id).await?;
            self.refuse_during_backfill(*id).await?;
        }
        let mut deleted = Vec::new();
        for (id, amendments) in by_pipeline {
            let before = self.store.amend(id, amendments).await?;
            deleted.extend(before.iter().map(|record| (id, record.seq)));
        }
        Ok(deleted)
    }

    /// Begins to read all records of a span that meet the filters; returns the pipeline with it.
    pub async fn export_records(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        span: Span,
        filters: Vec<Filter>,
    ) -> Result<(Pipeline, Export), PipelinesError> {
        let pipeline = self.get(scope, id).await?;
        let export = self.store.export(id, span, filters).await?;
        Ok((pipeline, export))
    }

    /// Replaces what a record holds, and when it happened if that is given. Returns the record as it
    /// is then.
    pub async fn replace_record(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        seq: i64,
        fields: Fields,
        time_ms: Option<i64>,
    ) -> Result<StoredRecord, PipelinesError> {
        scope.require(Role::Editor)?;
        self.get(scope, id).await?;
        self.refuse_during_backfill(id).await?;
        let json = serde_json::to_string(&fields).unwrap_or_default();
        if json.len() > MAX_RECORD_BYTES {
            return Err(PipelinesError::Invalid(vec![Invalid::new(
                "fields",
                InvalidCode::TooLong,
                format!("A record has at most {MAX_RECORD_BYTES} bytes."),
            )]));
        }
        let found = self.store.find_record(id, seq).await?;
        let before = found.ok_or(ReadError::NotFound)?;
        let time_ms = time_ms.unwrap_or(before.time_ms);
        let fields = Arc::new(fields);
        let amendment = Amendment::Replace {
            time_ms,
            fields: Arc::clone(&fields),
            json,
        };
        let changed = self.store.amend(id, [(seq, amendment)].into()).await?;
        // Somebody may have deleted it in the meantime.
        let before = changed.into_iter().next().ok_or(ReadError::NotFound)?;
        Ok(StoredRecord {
            time_ms,
            fields,
            ..before
        })
    }
}
