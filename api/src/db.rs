//! The database: connecting to SQLite or PostgreSQL, and the one way to begin a write.
//!
//! It knows no tables. Domains read through [`Db::orm`] and write through [`Db::begin_write`];
//! the record store takes the pools underneath.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    AccessMode, ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbErr,
    IsolationLevel, SqlErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteJournalMode, SqliteSynchronous};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How long a statement waits for another process's write to SQLite.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of SQLite's file a connection that reads keeps in memory: 8 MB.
const SQLITE_READER_CACHE: &str = "-8000";
/// The same for the one that writes: 32 MB.
const SQLITE_WRITER_CACHE: &str = "-32000";
/// After how many pages the log is written into SQLite's file: 16 MB. Pages that change often are
/// written once then.
const SQLITE_CHECKPOINT_PAGES: &str = "4000";
/// How many prepared statements a connection keeps.
const SQLITE_STATEMENTS: usize = 512;
/// How long a request waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite: one file, in this process.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// A connected database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    orm: DatabaseConnection,
    /// What writes go to. With SQLite a connection of its own: what it has in its cache stays right,
    /// since nobody else changes the file.
    writing: DatabaseConnection,
    engine: Engine,
    /// SQLite has one writer: queueing here is fair and never fails, unlike waiting for its lock.
    writer: Option<Arc<Mutex<()>>>,
}

/// A transaction that may write. Rolled back unless committed.
#[derive(Debug)]
pub struct WriteTransaction {
    transaction: DatabaseTransaction,
    _writer: Option<OwnedMutexGuard<()>>,
}

impl WriteTransaction {
    /// Makes everything written in it durable and visible.
    pub async fn commit(self) -> Result<(), DbErr> {
        self.transaction.commit().await
    }
}

impl Deref for WriteTransaction {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.transaction
    }
}

impl Db {
    /// Connects to `url` (`sqlite:…` or `postgres:…`) with at most `max_connections`.
    pub async fn connect(url: &str, max_connections: u32) -> Result<Self, DbErr> {
        let engine = if url.starts_with("sqlite:") {
            Engine::Sqlite
        } else {
            Engine::Postgres
        };
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(max_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .sqlx_logging(false);
        let orm = connect(options.clone(), SQLITE_READER_CACHE).await?;
        let writing = match engine {
            Engine::Sqlite => {
                options.max_connections(1);
                connect(options, SQLITE_WRITER_CACHE).await?
            }
            Engine::Postgres => orm.clone(),
        };
        let writer = (engine == Engine::Sqlite).then(Arc::default);
        Ok(Self {
            orm,
            writing,
            engine,
            writer,
        })
    }

    /// Which database it is.
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// For reading.
    pub const fn orm(&self) -> &DatabaseConnection {
        &self.orm
    }

    /// Begins a transaction that writes; on SQLite it waits for the one before it.
    pub async fn begin_write(&self) -> Result<WriteTransaction, DbErr> {
        let writer = self.lock_writer().await;
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = self.writing.begin_with_options(options).await?;
        Ok(WriteTransaction {
            transaction,
            _writer: writer,
        })
    }

    /// Begins a transaction that reads one and the same state of the database, however long it takes
    /// and whatever is written meanwhile.
    pub async fn begin_read(&self) -> Result<DatabaseTransaction, DbErr> {
        match self.engine {
            // A transaction that only reads is one, with WAL.
            Engine::Sqlite => self.orm.begin().await,
            Engine::Postgres => {
                self.orm
                    .begin_with_config(
                        Some(IsolationLevel::RepeatableRead),
                        Some(AccessMode::ReadOnly),
                    )
                    .await
            }
        }
    }

    /// Takes SQLite's place of the one writer; nothing to take on PostgreSQL.
    pub(crate) async fn lock_writer(&self) -> Option<OwnedMutexGuard<()>> {
        match &self.writer {
            Some(writer) => Some(Arc::clone(writer).lock_owned().await),
            None => None,
        }
    }

    /// The connection that writes, for what is no transaction; on SQLite only for whoever has taken
    /// the place of the one writer.
    pub(crate) const fn writing(&self) -> &DatabaseConnection {
        &self.writing
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.orm.ping().await
    }
}

/// Connects; `sqlite_cache` is how much of SQLite's file one connection keeps in memory.
async fn connect(
    mut options: ConnectOptions,
    sqlite_cache: &'static str,
) -> Result<DatabaseConnection, DbErr> {
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit is on the disk before it is acknowledged.
            .synchronous(SqliteSynchronous::Full)
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .busy_timeout(SQLITE_BUSY_TIMEOUT)
            .foreign_keys(true)
            // Commits insert as many rows as there are: each number of rows is a statement.
            .statement_cache_capacity(SQLITE_STATEMENTS)
            .pragma("cache_size", sqlite_cache)
            .pragma("wal_autocheckpoint", SQLITE_CHECKPOINT_PAGES)
    });
    let mut orm = Database::connect(options).await?;
    orm.set_metric_callback(|_| {
        metrics::counter!("dash_database_statements_total").increment(1);
    });
    Ok(orm)
}

/// Whether a write failed because a unique value is taken.
pub fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}
