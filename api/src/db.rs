//! The database: connecting to SQLite or PostgreSQL, and the one way to begin a write.
//!
//! It knows no tables. Domains read through [`Db::orm`] and write through [`Db::begin_write`];
//! the record store takes the pools underneath.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    AccessMode, ConnAcquireErr, ConnectOptions, Database, DatabaseConnection, DatabaseTransaction,
    DbErr, IsolationLevel, RuntimeErr, SqlErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

/// How long a statement waits for another process's write to SQLite.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(4);
/// How long a write waits for those before it in this process.
const WRITER_TIMEOUT: Duration = Duration::from_secs(8);
/// How long a request waits for a free connection, or for the database to be there again.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a read waits for the replica before it goes to the primary.
const REPLICA_ACQUIRE_TIMEOUT: Duration = Duration::from_millis(500);
/// How much of SQLite's file a connection that reads keeps in memory: 8 MB.
const SQLITE_READER_CACHE: &str = "-8000";
/// The same for the one that writes: 32 MB.
const SQLITE_WRITER_CACHE: &str = "-32000";
/// After how many pages the log is written into SQLite's file: 16 MB. Pages that change often are
/// written once then.
const SQLITE_CHECKPOINT_PAGES: &str = "4000";
/// How many prepared statements a connection keeps.
const SQLITE_STATEMENTS: usize = 512;

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
    /// A copy of PostgreSQL that lags behind a little.
    replica: Option<DatabaseConnection>,
    /// SQLite has one writer: queueing here is fair, unlike waiting for its lock.
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
        if engine == Engine::Sqlite {
            make_sqlite(url).await?;
        }
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
            replica: None,
            writer,
        })
    }

    /// With a replica at `url`. It need not be there: it is connected when something is read.
    pub async fn with_replica(self, url: &str, max_connections: u32) -> Result<Self, DbErr> {
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(max_connections)
            .acquire_timeout(REPLICA_ACQUIRE_TIMEOUT)
            .connect_lazy(true)
            .sqlx_logging(false);
        let replica = Database::connect(options).await?;
        Ok(Self {
            replica: Some(replica),
            ..self
        })
    }

    /// The database as its replica has it, if there is one; only for reading.
    pub fn at_replica(&self) -> Option<Self> {
        let orm = self.replica.clone()?;
        Some(Self {
            writing: orm.clone(),
            orm,
            engine: self.engine,
            replica: None,
            writer: None,
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

    /// Begins a transaction that writes; on SQLite it waits for those before it.
    pub async fn begin_write(&self) -> Result<WriteTransaction, DbErr> {
        let writer = self.lock_writer().await?;
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
    pub(crate) async fn lock_writer(&self) -> Result<Option<OwnedMutexGuard<()>>, DbErr> {
        let Some(writer) = &self.writer else {
            return Ok(None);
        };
        let locked = timeout(WRITER_TIMEOUT, Arc::clone(writer).lock_owned()).await;
        let timed_out = |_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout);
        locked.map(Some).map_err(timed_out)
    }

    /// The connection that writes, for what is no transaction; on SQLite only for whoever has taken
    /// the place of the one writer.
    pub const fn writing(&self) -> &DatabaseConnection {
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
    options
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                // A commit is on the disk before it is acknowledged.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(SQLITE_BUSY_TIMEOUT)
                .foreign_keys(true)
                // Commits insert as many rows as there are: each number of rows is a statement.
                .statement_cache_capacity(SQLITE_STATEMENTS)
                .pragma("cache_size", sqlite_cache)
                .pragma("wal_autocheckpoint", SQLITE_CHECKPOINT_PAGES)
        })
        // A full disk ends a transaction without the connection's noticing: such a connection would
        // take no other one any more.
        .map_sqlx_sqlite_before_acquire(|connection, _| {
            let usable = !connection.is_in_transaction();
            Box::pin(async move { Ok(usable) })
        });
    let mut orm = Database::connect(options).await?;
    orm.set_metric_callback(|_| {
        metrics::counter!("dash_database_statements_total").increment(1);
    });
    Ok(orm)
}

/// Makes SQLite's file, unless it is there, such that its free pages can be given back. The file keeps
/// that; a connection that said it again would wait for the place of the writer, if only to read.
async fn make_sqlite(url: &str) -> Result<(), DbErr> {
    let make = async {
        let options: SqliteConnectOptions = url.parse()?;
        let made = options
            .create_if_missing(true)
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(SQLITE_BUSY_TIMEOUT)
            .connect()
            .await?;
        made.close().await
    };
    make.await
        .map_err(|error: sqlx::Error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))
}

/// Whether a write failed because a unique value is taken.
pub fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Whether a failure has nothing to do with what was asked, but with the database being away, locked
/// or full: later the same may succeed. Told by codes, never by texts.
pub fn is_unavailable(error: &DbErr) -> bool {
    let error = match error {
        DbErr::ConnectionAcquire(_) => return true,
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => error,
        _ => return false,
    };
    match &**error {
        sqlx::Error::Database(error) => {
            let code = error.code();
            match error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
                Some(error) => is_postgres_away(error.code()),
                None => code.is_some_and(|code| is_sqlite_away(&code)),
            }
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        _ => false,
    }
}

/// By the classes of PostgreSQL's appendix A: lost connections, no resources (a full disk among
/// them), shutdown and start, failures of the system; and a server that only reads, as after a
/// failover.
fn is_postgres_away(code: &str) -> bool {
    let classes = ["08", "53", "57P", "58"];
    classes.iter().any(|class| code.starts_with(class)) || code == "25006"
}

/// By SQLite's result codes, whose lowest byte is the primary one.
fn is_sqlite_away(code: &str) -> bool {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    const NO_MEMORY: i32 = 7;
    const READ_ONLY: i32 = 8;
    const IO_ERROR: i32 = 10;
    const FULL: i32 = 13;
    const CANNOT_OPEN: i32 = 14;
    let code = code.parse().unwrap_or(0) & 0xff;
    [
        BUSY,
        LOCKED,
        NO_MEMORY,
        READ_ONLY,
        IO_ERROR,
        FULL,
        CANNOT_OPEN,
    ]
    .contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_new_file_of_sqlite_gives_free_pages_back_and_an_old_one_is_opened_without_writing() {
        use sqlx::Executor as _;

        let file = std::env::temp_dir().join(format!("dash-db-{}.db", uuid::Uuid::now_v7()));
        let db = Db::connect(&format!("sqlite:{}", file.display()), 2)
            .await
            .unwrap();
        let pool = db.orm().get_sqlite_connection_pool();
        let mut first = pool.acquire().await.unwrap();
        let mode: i32 = sqlx::query_scalar("PRAGMA auto_vacuum")
            .fetch_one(&mut *first)
            .await
            .unwrap();
        assert_eq!(mode, 2, "incremental");
        first.execute("BEGIN IMMEDIATE").await.unwrap();
        let mut second = pool.acquire().await.unwrap();
        second.execute("SELECT 1").await.unwrap();
        first.execute("ROLLBACK").await.unwrap();
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn an_absent_database_is_told_from_a_refused_statement() {
        for (code, away) in [
            ("08006", true),
            ("53100", true),
            ("57P01", true),
            ("57P03", true),
            ("58030", true),
            ("25006", true),
            ("57014", false),
            ("23505", false),
            ("22021", false),
            ("40001", false),
        ] {
            assert_eq!(is_postgres_away(code), away, "{code}");
        }
        for (code, away) in [
            ("5", true),
            ("517", true),
            ("13", true),
            ("778", true),
            ("1", false),
            ("2067", false),
            ("", false),
        ] {
            assert_eq!(is_sqlite_away(code), away, "{code}");
        }
        assert!(is_unavailable(&DbErr::ConnectionAcquire(
            ConnAcquireErr::Timeout
        )));
        assert!(!is_unavailable(&DbErr::RecordNotInserted));
    }
}
