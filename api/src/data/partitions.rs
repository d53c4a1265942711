//! PostgreSQL keeps records by the week in which they came in. Once an hour the partitions of the
//! weeks to come are made, and those of past weeks that retention has emptied are dropped, which
//! gives their space back at once. TimescaleDB makes its chunks itself; the empty ones are dropped
//! here too.
//!
//! Nothing here is needed for what is stored to be stored: records without a partition of their week
//! go to the default one.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike as _, NaiveDate, Weekday};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::{ReadError, RecordStore};
use crate::db::{Engine, WriteTransaction};

const WEEK_MS: i64 = 7 * 24 * 3_600_000;
/// The first Monday after 1970 began.
const MONDAY_MS: i64 = 4 * 24 * 3_600_000;
/// How many weeks ahead there are partitions.
const WEEKS_AHEAD: i64 = 4;
/// How many records are moved out of the default partition at most: nobody can read or write it
/// meanwhile. More than that stay there until they expire.
const MAX_MOVED_RECORDS: i64 = 50_000;
/// What begins the name of a week's partition; year and week follow.
const PREFIX: &str = "records_p";
/// Whoever waits for these locks holds up everybody else who wants the table.
const PATIENCE: &str = "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '20s'";

/// How PostgreSQL keeps the records.
enum Layout {
    /// In partitions made here.
    Weeks,
    /// In chunks made by TimescaleDB.
    Chunks,
}

/// A week as ISO 8601 counts them, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Week {
    from_ms: i64,
}

/// A part of the table that holds a span of time.
struct Part {
    name: String,
    from_ms: i64,
    to_ms: i64,
}

impl Week {
    const fn of(at_ms: i64) -> Self {
        let number = (at_ms - MONDAY_MS).div_euclid(WEEK_MS);
        Self {
            from_ms: number * WEEK_MS + MONDAY_MS,
        }
    }

    const fn later(self, weeks: i64) -> Self {
        Self {
            from_ms: self.from_ms + weeks * WEEK_MS,
        }
    }

    const fn to_ms(self) -> i64 {
        self.from_ms + WEEK_MS
    }

    /// The name of its partition; none for times that no calendar has.
    fn name(self) -> Option<String> {
        let week = DateTime::from_timestamp_millis(self.from_ms)?.iso_week();
        Some(format!("{PREFIX}{:04}{:02}", week.year(), week.week()))
    }

    fn named(name: &str) -> Option<Self> {
        let number: u32 = name.strip_prefix(PREFIX)?.parse().ok()?;
        let year = i32::try_from(number / 100).ok()?;
        let monday = NaiveDate::from_isoywd_opt(year, number % 100, Weekday::Mon)?;
        let begins = monday.and_hms_opt(0, 0, 0)?.and_utc();
        Some(Self::of(begins.timestamp_millis()))
    }
}

impl RecordStore {
    /// Makes the partitions of this week and the next ones, and drops those of past weeks that are
    /// empty. Does nothing on SQLite.
    pub async fn ensure_partitions(&self, now_ms: i64) -> Result<(), ReadError> {
        if self.db.engine() != Engine::Postgres {
            return Ok(());
        }
        let parts = match self.layout().await? {
            None => return Ok(()),
            Some(Layout::Chunks) => self.chunks().await?,
            Some(Layout::Weeks) => {
                let names = self.partitions().await?;
                for weeks in 0..=WEEKS_AHEAD {
                    let week = Week::of(now_ms).later(weeks);
                    if let Err(error) = self.ensure_week(week, &names).await {
                        // Somebody reads for a long time. There are weeks made ahead, and the
                        // default partition.
                        tracing::warn!(%error, "a partition could not be made");
                        break;
                    }
                }
                let weeks = names.into_iter().filter_map(|name| {
                    let week = Week::named(&name)?;
                    Some(Part {
                        name,
                        from_ms: week.from_ms,
                        to_ms: week.to_ms(),
                    })
                });
                weeks.collect()
            }
        };
        // Into the week before this one something may still come, such as a demo's history.
        let past = parts
            .into_iter()
            .filter(|part| part.to_ms + WEEK_MS <= now_ms);
        for part in past {
            if let Err(error) = self.drop_empty(&part).await {
                // An hour later is early enough.
                tracing::warn!(%error, partition = %part.name, "a partition could not be dropped");
            }
        }
        Ok(())
    }

    async fn layout(&self) -> Result<Option<Layout>, DbErr> {
        let sql = "SELECT c.relkind = 'p' AS partitioned, \
                   EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb') AS timescale \
                   FROM pg_class c WHERE c.oid = 'records'::regclass";
        let Some(row) = self.db.orm().query_one_raw(statement(sql)).await? else {
            return Ok(None);
        };
        let layouts = (
            row.try_get("", "partitioned")?,
            row.try_get("", "timescale")?,
        );
        Ok(match layouts {
            (true, _) => Some(Layout::Weeks),
            (false, true) => Some(Layout::Chunks),
            (false, false) => None,
        })
    }

    async fn partitions(&self) -> Result<BTreeSet<String>, DbErr> {
        let sql = "SELECT c.relname::text AS name FROM pg_inherits i \
                   JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'records'::regclass";
        let rows = self.db.orm().query_all_raw(statement(sql)).await?;
        rows.iter().map(|row| row.try_get("", "name")).collect()
    }

    async fn chunks(&self) -> Result<Vec<Part>, DbErr> {
        let sql = "SELECT format('%I.%I', chunk_schema, chunk_name) AS name, \
                   range_start_integer AS from_ms, range_end_integer AS to_ms \
                   FROM timescaledb_information.chunks \
                   WHERE hypertable_schema = current_schema() AND hypertable_name = 'records'";
        let rows = self.db.orm().query_all_raw(statement(sql)).await?;
        rows.iter()
            .map(|row| {
                Ok(Part {
                    name: row.try_get("", "name")?,
                    from_ms: row.try_get("", "from_ms")?,
                    to_ms: row.try_get("", "to_ms")?,
                })
            })
            .collect()
    }

    /// Makes the partition of a week, with what the default one has of it.
    async fn ensure_week(&self, week: Week, names: &BTreeSet<String>) -> Result<(), ReadError> {
        let Some(name) = week.name().filter(|name| !names.contains(name)) else {
            return Ok(());
        };
        let (from_ms, to_ms) = (week.from_ms, week.to_ms());
        let transaction = self.begin_patiently().await?;
        let of_week = format!("received_at_ms >= {from_ms} AND received_at_ms < {to_ms}");
        // Attaching takes this lock anyway. Taken now, nothing comes in between.
        let lock = "LOCK TABLE records_default IN ACCESS EXCLUSIVE MODE";
        transaction.execute_unprepared(lock).await?;
        let limit = MAX_MOVED_RECORDS + 1;
        let count = format!(
            "SELECT COUNT(*) AS count FROM \
             (SELECT 1 FROM records_default WHERE {of_week} LIMIT {limit}) AS few"
        );
        let row = transaction.query_one_raw(statement(&count)).await?;
        let count: i64 = row.map_or(Ok(0), |row| row.try_get("", "count"))?;
        if count > MAX_MOVED_RECORDS {
            tracing::warn!(partition = %name, "too many records to move to a partition of their week");
            return Ok(());
        }
        for sql in [
            format!("CREATE TABLE {name} (LIKE records INCLUDING ALL)"),
            format!(
                "WITH moved AS (DELETE FROM records_default WHERE {of_week} RETURNING *) \
                 INSERT INTO {name} SELECT * FROM moved"
            ),
            format!(
                "ALTER TABLE records ATTACH PARTITION {name} FOR VALUES FROM ({from_ms}) TO ({to_ms})"
            ),
        ] {
            transaction.execute_unprepared(&sql).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Drops a part of the table if nothing is in it.
    async fn drop_empty(&self, part: &Part) -> Result<(), ReadError> {
        let filled = format!("SELECT 1 AS filled FROM {} LIMIT 1", part.name);
        let orm = self.db.orm();
        if orm.query_one_raw(statement(&filled)).await?.is_some() {
            return Ok(());
        }
        let transaction = self.begin_patiently().await?;
        let (lock, drop) = if Week::named(&part.name).is_some() {
            // Whoever reads or writes locks the table before its partitions: so does this.
            let lock = "LOCK TABLE ONLY records IN ACCESS EXCLUSIVE MODE".to_owned();
            (lock, format!("DROP TABLE {}", part.name))
        } else {
            let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", part.name);
            let drop = format!(
                "SELECT drop_chunks('records', older_than => BIGINT '{}', newer_than => BIGINT '{}')",
                part.to_ms, part.from_ms
            );
            (lock, drop)
        };
        transaction.execute_unprepared(&lock).await?;
        if transaction
            .query_one_raw(statement(&filled))
            .await?
            .is_some()
        {
            return Ok(());
        }
        transaction.execute_unprepared(&drop).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn begin_patiently(&self) -> Result<WriteTransaction, DbErr> {
        let transaction = self.db.begin_write().await?;
        transaction.execute_unprepared(PATIENCE).await?;
        Ok(transaction)
    }
}

fn statement(sql: &str) -> Statement {
    Statement::from_string(DbBackend::Postgres, sql)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_mondays_and_are_named_as_iso_8601_does() {
        for (at, name) in [
            ("2026-11-22T23:59:59.999Z", "records_p202647"),
            ("2026-11-23T00:00:00Z", "records_p202648"),
            ("2026-12-31T12:00:00Z", "records_p202653"),
            ("2027-01-03T12:00:00Z", "records_p202653"),
            ("2027-01-04T00:00:00Z", "records_p202701"),
            ("1970-01-01T00:00:00Z", "records_p197001"),
        ] {
            let at: DateTime<chrono::Utc> = at.parse().unwrap();
            let week = Week::of(at.timestamp_millis());
            assert_eq!(week.name().as_deref(), Some(name), "{at}");
            assert_eq!(Week::named(name), Some(week));
        }
        for other in ["records_default", "records_p", "records_p202660", "other"] {
            assert_eq!(Week::named(other), None, "{other}");
        }
    }
}
