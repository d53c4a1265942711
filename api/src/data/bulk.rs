//! Inserting many rows with few statements, on both databases: PostgreSQL takes each column as one
//! array, so that its statement is always the same text; SQLite takes some rows at a time.

use std::fmt::Write as _;

use sea_orm::sea_query::ArrayType;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult as Row, Statement, Value};

/// How many rows one statement of SQLite has.
const ROWS: usize = 200;

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
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        if connection.get_database_backend() == DbBackend::Postgres {
            let values = self.arrays(rows);
            return self.run(connection, self.sql_of_arrays(), values).await;
        }
        let mut returned = Vec::new();
        let mut rows = rows.into_iter();
        loop {
            let chunk: Vec<_> = rows.by_ref().take(ROWS).collect();
            if chunk.is_empty() {
                return Ok(returned);
            }
            let sql = self.sql_of_rows(chunk.len());
            let values = chunk.into_iter().flatten().collect();
            returned.extend(self.run(connection, sql, values).await?);
        }
    }

    async fn run(
        &self,
        connection: &impl ConnectionTrait,
        sql: String,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, DbErr> {
        let backend = connection.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, values);
        if self.then.contains("RETURNING") {
            return connection.query_all_raw(statement).await;
        }
        connection.execute_raw(statement).await?;
        Ok(Vec::new())
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
