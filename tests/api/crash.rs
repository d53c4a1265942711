//! `kill -9`: the real program, killed at any moment, has everything that it acknowledged, once.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use dash_tests::live::Live;
use dash_tests::upstream::{Reply, Upstream};
use dash_tests::{Client, app, environment};
use serde_json::{Value, json};
use sqlx::Connection;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Notify;

const CRASHES: usize = 20;

/// Where a program keeps its data.
pub struct Data {
    folder: TempDir,
    database_url: String,
}

impl Data {
    pub async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let database_url = match environment::postgres_url() {
            Some(server) => app::new_postgres_database(&server).await,
            None => sqlite_url(folder.path()),
        };
        Self {
            folder,
            database_url,
        }
    }

    /// Lets the leases of dead processes run out now instead of in half a minute.
    async fn end_leases(&self) {
        let sql = "UPDATE jobs SET lease_until_ms = 0 WHERE lease_token IS NOT NULL \
                   AND kind = 'poll'";
        assert_eq!(self.execute(sql).await, 1, "one poll was running");
    }

    /// Runs a statement on the database; returns how many rows it changed.
    pub async fn execute(&self, sql: &str) -> u64 {
        let text = || sqlx::AssertSqlSafe(sql.to_owned());
        if self.database_url.starts_with("sqlite:") {
            let mut connection = sqlx::SqliteConnection::connect(&self.database_url)
                .await
                .unwrap();
            let done = sqlx::query(text()).execute(&mut connection).await.unwrap();
            done.rows_affected()
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.database_url)
                .await
                .unwrap();
            let done = sqlx::query(text()).execute(&mut connection).await.unwrap();
            done.rows_affected()
        }
    }

    /// The program with its settings.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(environment::dash_program());
        command
            .args(arguments)
            .env("DATABASE_URL", &self.database_url)
            .env("DASH_DATA_DIR", self.folder.path())
            .env("DASH_LISTEN", "127.0.0.1")
            .env("DASH_ALLOW_TARGETS", "127.0.0.1")
            .env("DASH_LOG", "error")
            .current_dir(self.folder.path());
        command
    }

    /// Runs a command of the program to its end; returns what it said.
    pub async fn run(&self, arguments: &[&str]) -> String {
        let done = self.command(arguments).output().await.unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    }
}

fn sqlite_url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("dash.db").display())
}

/// A running program.
pub struct Dash {
    process: Child,
    pub url: String,
}

impl Dash {
    pub async fn start(data: &Data) -> Self {
        let mut process = data
            .command(&["serve", "--port", "0"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = tokio::time::timeout(Duration::from_secs(30), lines.next_line());
        let ready = ready
            .await
            .expect("it starts in time")
            .unwrap()
            .expect("it starts");
        let port = ready.rsplit_once(':').unwrap().1;
        let url = format!("http://127.0.0.1:{port}");
        Self { process, url }
    }

    pub async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }
}

/// A number below `limit`, by chance.
pub fn chance(limit: u128) -> u64 {
    u64::try_from((uuid::Uuid::now_v7().as_u128() & 0xffff_ffff) % limit).unwrap()
}

/// Posts numbered records until Dash is gone; returns those that were acknowledged. The first
/// acknowledgement is announced.
async fn send(client: &Client, url: &str, sender: u32, first: &Notify) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for n in 0.. {
        let keys: Vec<_> = (0..=n % 3)
            .map(|item| format!("{sender}-{n}-{item}"))
            .collect();
        let records: Vec<_> = keys.iter().map(|key| json!({ "key": key })).collect();
        let request = client.http().post(url).body(json!(records).to_string());
        match request.send().await {
            Ok(answer) => {
                assert_eq!(answer.status(), 200);
                acknowledged.extend(keys);
                first.notify_one();
            }
            Err(_) => break,
        }
    }
    acknowledged
}

#[tokio::test]
async fn killed_at_any_moment_it_has_every_acknowledged_record_exactly_once() {
    let data = Data::new().await;
    let mut dash = Dash::start(&data).await;
    let mut ann = Client::new(&dash.url);
    ann.sign_up("Ann", "ann@corp.test", "correct horse battery")
        .await;
    let (mut lost_answers, mut all) = (0, 0);
    for crash in 0..CRASHES {
        let (id, url) = ann.new_webhook(&format!("Crash {crash}")).await;
        let url = format!("{}/hooks/{}", dash.url, url.rsplit_once('/').unwrap().1);
        let first = Notify::new();
        let senders = (0..4).map(|sender| send(&ann, &url, sender, &first));
        let killed = async {
            first.notified().await;
            tokio::time::sleep(Duration::from_millis(chance(300))).await;
            dash.kill().await;
        };
        let (acknowledged, ()) = tokio::join!(futures_util::future::join_all(senders), killed);
        let acknowledged = acknowledged.concat();

        dash = Dash::start(&data).await;
        ann = ann.at(&dash.url);
        let records = ann.all_records(&id).await;
        let mut stored: Vec<_> = records
            .iter()
            .map(|record| record["fields"]["key"].as_str().unwrap().to_owned())
            .collect();
        let numbers: Vec<usize> = records
            .iter()
            .map(|record| record["cursor"].as_str().unwrap().parse().unwrap())
            .collect();
        assert!(numbers.into_iter().eq(1..=records.len()), "crash {crash}");
        let count = ann.pipeline(&id).await["recordCount"].clone();
        assert_eq!(
            count.as_f64().map(|count| count.to_string()),
            Some(records.len().to_string())
        );
        stored.sort();
        stored.dedup();
        assert_eq!(
            stored.len(),
            records.len(),
            "crash {crash}: a record is there twice"
        );
        for key in &acknowledged {
            assert!(
                stored.binary_search(key).is_ok(),
                "crash {crash}: {key} is lost"
            );
        }
        assert!(!acknowledged.is_empty(), "crash {crash}");
        lost_answers += stored.len() - acknowledged.len();
        all += stored.len();
        let used = "{ viewer { organization { dataPointsThisMonth } } }";
        let used = ann.data(used, json!({})).await["viewer"]["organization"].clone();
        assert_eq!(
            used["dataPointsThisMonth"]
                .as_f64()
                .map(|used| used.to_string()),
            Some(all.to_string()),
            "crash {crash}: the ledger counts what is stored"
        );
    }
    // At most one post of each sender was under way at each crash.
    assert!(lost_answers <= CRASHES * 4 * 3, "{lost_answers}");
    dash.kill().await;
}

#[tokio::test]
async fn killed_in_the_middle_of_a_poll_it_polls_on_and_stores_the_answer_once() {
    let data = Data::new().await;
    let dash = Dash::start(&data).await;
    let ann = Client::new(&dash.url);
    ann.sign_up("Ann", "ann@corp.test", "correct horse battery")
        .await;
    let upstream = Upstream::start(Reply::Never).await;
    let id = ann.new_polling("Feed", &upstream.url, "$").await;
    upstream.asked(1).await;
    dash.kill().await;

    upstream.reply_with(Reply::Json(json!([{"n": 1}, {"n": 2}, {"n": 3}])));
    data.end_leases().await;
    let dash = Dash::start(&data).await;
    let ann = ann.at(&dash.url);
    let mut live = Live::connect(&ann).await;
    let query = "subscription ($id: ID!) { pipelineRecords(pipelineId: $id, after: \"0\") { records { \
                 fields } } }";
    let subscription = live.subscribe(query, json!({ "id": id })).await;
    let batch = live.next(&subscription).await["pipelineRecords"].clone();
    assert_eq!(batch["records"].as_array().unwrap().len(), 3);
    let runs = ann.runs(&id).await;
    let [run] = &runs[..] else {
        panic!("one run: {runs:?}")
    };
    assert_eq!(
        (&run["state"], &run["stored"]),
        (&json!("SUCCEEDED"), &json!(3))
    );
    let pipeline = ann.pipeline(&id).await;
    assert_eq!(
        (&pipeline["recordCount"], &pipeline["state"]),
        (&json!(3.0), &json!("RUNNING"))
    );
    assert_ne!(pipeline["nextRunAt"], Value::Null);
    assert_eq!(upstream.requests().len(), 2);
    dash.kill().await;
}

/// Delivers numbered records, each under a name, again and again until it is acknowledged; ends when
/// Dash is gone. Returns the number that is to be delivered next.
async fn deliver(client: &Client, url: &str, sender: u32, mut next: u32, first: &Notify) -> u32 {
    loop {
        let key = format!("{sender}-{next}");
        let request = client.http().post(url).header("webhook-id", &key);
        let body = json!([{ "key": key, "part": 1 }, { "key": key, "part": 2 }]);
        match request.body(body.to_string()).send().await {
            Ok(answer) => {
                assert_eq!(answer.status(), 200);
                next += 1;
                first.notify_one();
            }
            Err(_) => return next,
        }
    }
}

#[tokio::test]
async fn killed_at_any_moment_a_delivery_that_is_repeated_is_stored_exactly_once() {
    const SENDERS: u32 = 4;
    let data = Data::new().await;
    let mut dash = Dash::start(&data).await;
    let mut ann = Client::new(&dash.url);
    ann.sign_up("Ann", "ann@corp.test", "correct horse battery")
        .await;
    let (id, url) = ann.new_webhook("Orders").await;
    let key = url.rsplit_once('/').unwrap().1.to_owned();
    let mut next = vec![0; SENDERS as usize];
    for _ in 0..8 {
        let url = format!("{}/hooks/{key}", dash.url);
        let first = Notify::new();
        let senders = (0..SENDERS)
            .zip(&next)
            .map(|(sender, next)| deliver(&ann, &url, sender, *next, &first));
        let killed = async {
            first.notified().await;
            tokio::time::sleep(Duration::from_millis(chance(150))).await;
            dash.kill().await;
        };
        let (reached, ()) = tokio::join!(futures_util::future::join_all(senders), killed);
        next = reached;
        dash = Dash::start(&data).await;
        ann = ann.at(&dash.url);
    }
    let records = ann.all_records(&id).await;
    let mut stored: Vec<_> = records
        .iter()
        .map(|record| record["fields"].to_string())
        .collect();
    let all = stored.len();
    stored.sort();
    stored.dedup();
    assert_eq!(stored.len(), all, "a record is there twice");
    let acknowledged: u32 = next.iter().sum();
    let least = 2 * acknowledged as usize;
    // The last delivery of each sender may be there without being acknowledged.
    assert!(
        (least..=least + 2 * SENDERS as usize).contains(&all),
        "{least}, {all}"
    );
    assert_eq!(
        ann.pipeline(&id).await["recordCount"]
            .as_f64()
            .map(|n| n.to_string()),
        Some(all.to_string())
    );
    dash.kill().await;
}
