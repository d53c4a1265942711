//! Inserting many rows with few statements, on both databases: PostgreSQL takes each column as one
//! array, so that its statement is always the same text; SQLite takes some rows at a time, and small
//! statements together, because waking its thread costs more than a row.

use std::fmt::Write as _;

use sea_orm::sea_query::ArrayType;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult as Row, Statement, Value};

/// How many rows one statement of SQLite has.
const ROWS: usize = 200;
/// How many values the statements of SQLite that are sent together have, unless one has more.
const VALUES: usize = 1_500;

/// What a column holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// An id.
    Uuid,
    /// A 64-bit number.
    Number,
    /// Text.
    Text,
    /// Text that is never empty, or nothing.
    TextOrNull,
    /// Bytes.
    Bytes,
}

/// An insert into a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Insert<const COLUMNS: usize> {
    /// The table.
    pub(super) table: &'static str,
    /// Its columns.
    pub(super) columns: [(&'static str, Kind); COLUMNS],
    /// What follows the rows: `ON CONFLICT …`, `RETURNING …`.
    pub(super) then: &'static str,
}

impl Kind {
    const fn array(self) -> ArrayType {
        match self {
            Self::Uuid => ArrayType::Uuid,
            Self::Number => ArrayType::BigInt,
            Self::Text | Self::TextOrNull => ArrayType::String,
            Self::Bytes => ArrayType::Bytes,
        }
    }

    const fn type_name(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Number => "bigint",
            Self::Text | Self::TextOrNull => "text",
            Self::Bytes => "bytea",
        }
    }

    /// A value in an array; those have no place for nothing.
    fn in_array(self, value: Value) -> Value {
        match (self, value) {
            (Self::TextOrNull, Value::String(None)) => String::new().into(),
            (_, value) => value,
        }
    }
}

impl<const COLUMNS: usize> Insert<COLUMNS> {
    /// Inserts rows; returns what the statement returns. Nothing is done without rows.
    pub(super) async fn rows(
        &self,
        connection: &impl ConnectionTrait,
        rows: Vec<[Value; COLUMNS]>,
    ) -> Result<Vec<Row>, DbErr> {
        let backend = connection.get_database_backend();
        let mut returned = Vec::new();
        for (sql, values) in self.statements(backend, rows) {
            let statement = Statement::from_sql_and_values(backend, sql, values);
            returned.extend(connection.query_all_raw(statement).await?);
        }
        Ok(returned)
    }

    /// The statements that insert these rows, none without rows.
    fn statements(
        &self,
        backend: DbBackend,
        rows: Vec<[Value; COLUMNS]>,
    ) -> Vec<(String, Vec<Value>)> {
        if rows.is_empty() {
            return Vec::new();
        }
        if backend == DbBackend::Postgres {
            return vec![(self.sql_of_arrays(), self.arrays(rows))];
        }
        let mut statements = Vec::new();
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let chunk: Vec<_> = rows.by_ref().take(ROWS).collect();
            let sql = self.sql_of_rows(chunk.len());
            statements.push((sql, chunk.into_iter().flatten().collect()));
        }
        statements
    }

    fn names(&self) -> String {
        self.columns.map(|(name, _)| name).join(", ")
    }

    fn arrays(&self, rows: Vec<[Value; COLUMNS]>) -> Vec<Value> {
        let mut columns: [Vec<Value>; COLUMNS] =
            std::array::from_fn(|_| Vec::with_capacity(rows.len()));
        for row in rows {
            for ((column, (_, kind)), value) in columns.iter_mut().zip(&self.columns).zip(row) {
                column.push(kind.in_array(value));
            }
        }
        let kinds = self.columns.iter().map(|(_, kind)| kind.array());
        kinds
            .zip(columns)
            .map(|(kind, column)| Value::Array(kind, Some(Box::new(column))))
            .collect()
    }

    fn sql_of_arrays(&self) -> String {
        let selected = self.columns.map(|(name, kind)| match kind {
            Kind::TextOrNull => format!("NULLIF(given.{name}, '')"),
            _ => format!("given.{name}"),
        });
        let mut number = 0;
        let arrays = self.columns.map(|(_, kind)| {
            number += 1;
            format!("${number}::{}[]", kind.type_name())
        });
        let (table, names, then) = (self.table, self.names(), self.then);
        let (selected, arrays) = (selected.join(", "), arrays.join(", "));
        format!(
            "INSERT INTO {table} ({names}) SELECT {selected} FROM UNNEST({arrays}) \
             AS given ({names}) {then}"
        )
    }

    fn sql_of_rows(&self, rows: usize) -> String {
        let (table, names) = (self.table, self.names());
        let mut sql = String::with_capacity(100 + names.len() + rows * COLUMNS * 7);
        // Writing to a String cannot fail.
        let _ = write!(sql, "INSERT INTO {table} ({names}) VALUES ");
        // Places without names: SQLite finds a name among a thousand by looking at each.
        let row = format!("({})", ["?"; COLUMNS].join(", "));
        for index in 0..rows {
            let comma = if index == 0 { "" } else { ", " };
            let _ = write!(sql, "{comma}{row}");
        }
        let _ = write!(sql, " {}", self.then);
        sql
    }
}

/// Inserts that are run one after the other, and return nothing.
#[derive(Debug)]
pub(super) struct Batch {
    backend: DbBackend,
    statements: Vec<(String, Vec<Value>)>,
}

impl Batch {
    /// An empty one for a kind of database.
    pub(super) const fn new(backend: DbBackend) -> Self {
        Self {
            backend,
            statements: Vec::new(),
        }
    }

    /// Adds rows.
    pub(super) fn add<const COLUMNS: usize>(
        &mut self,
        insert: &Insert<COLUMNS>,
        rows: Vec<[Value; COLUMNS]>,
    ) {
        for (sql, values) in insert.statements(self.backend, rows) {
            let last = self.statements.last_mut();
            match last.filter(|last| last.1.len() + values.len() <= VALUES) {
                Some(last) if self.backend == DbBackend::Sqlite => {
                    last.0.push_str("; ");
                    last.0.push_str(&sql);
                    last.1.extend(values);
                }
                _ => self.statements.push((sql, values)),
            }
        }
    }

    /// Inserts everything that was added, in that order.
    pub(super) async fn run(self, connection: &impl ConnectionTrait) -> Result<(), DbErr> {
        for (sql, values) in self.statements {
            let statement = Statement::from_sql_and_values(self.backend, sql, values);
            connection.execute_raw(statement).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_insert_is_written_for_both_databases() {
        let insert = Insert {
            table: "things",
            columns: [("id", Kind::Uuid), ("why", Kind::TextOrNull)],
            then: "ON CONFLICT DO NOTHING",
        };
        assert_eq!(
            insert.sql_of_arrays(),
            "INSERT INTO things (id, why) SELECT given.id, NULLIF(given.why, '') FROM \
             UNNEST($1::uuid[], $2::text[]) AS given (id, why) ON CONFLICT DO NOTHING"
        );
        assert_eq!(
            insert.sql_of_rows(2),
            "INSERT INTO things (id, why) VALUES (?, ?), (?, ?) ON CONFLICT DO NOTHING"
        );
    }

    #[test]
    fn sqlite_gets_small_inserts_as_one_text() {
        const INSERT: Insert<2> = Insert {
            table: "things",
            columns: [("id", Kind::Number), ("n", Kind::Number)],
            then: "",
        };
        let rows = |count: usize| vec![[1_i64.into(), 2_i64.into()]; count];
        let batch = |backend, counts: &[usize]| {
            let mut batch = Batch::new(backend);
            for count in counts {
                batch.add(&INSERT, rows(*count));
            }
            let lengths = batch.statements.iter();
            lengths.map(|(_, values)| values.len()).collect::<Vec<_>>()
        };
        assert_eq!(batch(DbBackend::Sqlite, &[1, 0, 2]), [6]);
        assert_eq!(batch(DbBackend::Sqlite, &[650, 200]), [1_300, 400]);
        assert_eq!(batch(DbBackend::Postgres, &[1, 0, 2]), [2, 2]);
        let mut batch = Batch::new(DbBackend::Sqlite);
        batch.add(&INSERT, rows(1));
        batch.add(&INSERT, rows(1));
        let one = "INSERT INTO things (id, n) VALUES (?, ?) ";
        assert_eq!(batch.statements[0].0, format!("{one}; {one}"));
    }

    #[test]
    fn rows_become_columns() {
        let insert = Insert {
            table: "things",
            columns: [("n", Kind::Number), ("why", Kind::TextOrNull)],
            then: "",
        };
        let rows = vec![
            [1_i64.into(), None::<String>.into()],
            [2_i64.into(), "so".into()],
        ];
        let expected: [Value; 2] = [
            vec![1_i64, 2].into(),
            vec![String::new(), "so".to_owned()].into(),
        ];
        assert_eq!(insert.arrays(rows), expected);
    }
}
