//! Keys that callers give to records and batches, to have each stored once. A record's key is kept
//! in the transaction that stores the record and goes with it: what retention has deleted may come
//! again.

use std::collections::HashSet;
use std::fmt;
use std::ops::RangeInclusive;

use dash_shared::ids::PipelineId;
use sea_orm::{ConnectionTrait, DbErr, Statement, Value};
use sha2::{Digest as _, Sha256};

use super::bulk::{Batch, Insert, Kind};
use super::read::placeholders;

/// How many keys one statement looks for.
const LOOKED_FOR: usize = 500;

const INSERT: Insert<4> = Insert {
    table: "record_keys",
    columns: [
        ("pipeline_id", Kind::Uuid),
        ("key_hash", Kind::Bytes),
        ("seq", Kind::Number),
        ("received_at_ms", Kind::Number),
    ],
    then: "",
};

/// Names a record among those of its pipeline: half of the SHA-256 of the text that names it to its
/// sender. Two texts with one key are not to be met by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordKey([u8; 16]);

impl RecordKey {
    /// The key of a text.
    pub fn of(text: impl AsRef<[u8]>) -> Self {
        let digest: [u8; 32] = Sha256::digest(text).into();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }

    /// The key with these bytes; none when they are those of no key.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes.
    pub(super) const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The key of one of several records that were made of what this key names; that of the first
    /// is the key itself.
    #[must_use]
    pub fn part(self, number: usize) -> Self {
        match number {
            0 => self,
            number => Self::of([self.0.as_slice(), &number.to_be_bytes()].concat()),
        }
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A key that is about to be kept, with its record.
pub(super) struct NewKey {
    pub(super) pipeline_id: PipelineId,
    pub(super) key: RecordKey,
    pub(super) seq: i64,
    pub(super) received_at_ms: i64,
}

/// Which of these keys a pipeline has. Whoever stores with keys holds the pipeline's series: what is
/// not there now will not be there before it is stored.
pub(super) async fn known(
    connection: &impl ConnectionTrait,
    pipeline_id: PipelineId,
    keys: &[RecordKey],
) -> Result<HashSet<RecordKey>, DbErr> {
    let mut known = HashSet::new();
    for some in keys.chunks(LOOKED_FOR) {
        let places = placeholders(2, some.len());
        let mut values: Vec<Value> = vec![pipeline_id.uuid().into()];
        values.extend(some.iter().map(|key| Value::from(key.0.to_vec())));
        let rows = connection
            .query_all_raw(Statement::from_sql_and_values(
                connection.get_database_backend(),
                format!(
                    "SELECT key_hash FROM record_keys WHERE pipeline_id = $1 \
                     AND key_hash IN ({places})"
                ),
                values,
            ))
            .await?;
        for row in rows {
            let bytes: Vec<u8> = row.try_get("", "key_hash")?;
            known.extend(bytes.try_into().ok().map(RecordKey));
        }
    }
    Ok(known)
}

/// Keeps keys.
pub(super) fn keep(batch: &mut Batch, keys: Vec<NewKey>) {
    let rows = keys.into_iter().map(|new| {
        [
            new.pipeline_id.uuid().into(),
            new.key.0.to_vec().into(),
            new.seq.into(),
            new.received_at_ms.into(),
        ]
    });
    batch.add(&INSERT, rows.collect());
}

/// Forgets the keys of records that are deleted in the same transaction.
pub(super) async fn forget_keys(
    connection: &impl ConnectionTrait,
    pipeline_id: PipelineId,
    seqs: RangeInclusive<i64>,
) -> Result<(), DbErr> {
    connection
        .execute_raw(Statement::from_sql_and_values(
            connection.get_database_backend(),
            "DELETE FROM record_keys WHERE pipeline_id = $1 AND seq >= $2 AND seq <= $3",
            [
                pipeline_id.uuid().into(),
                (*seqs.start()).into(),
                (*seqs.end()).into(),
            ],
        ))
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_first_half_of_the_hash() {
        let key = RecordKey::of("abc");
        assert_eq!(key.to_string(), "ba7816bf8f01cfea414140de5dae2223");
        assert_ne!(key, RecordKey::of("abd"));
    }
}
