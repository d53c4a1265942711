//! Typed configuration, one section per concern; the only reader of the environment.
//!
//! Values come from the environment, then from an optional file of `KEY=value` lines, then from
//! defaults that make a first start work. Everything is checked at once, so that an operator
//! sees all mistakes together.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use axum::http::HeaderName;
use url::Url;

mod keys;
mod variables;

use variables::Variables;

/// What is logged unless `DASH_LOG` says otherwise: the libraries only when something is wrong.
pub const DEFAULT_LOG_FILTER: &str = "info,sqlx=warn,sea_orm_migration=warn";

/// Everything an operator can set.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where Dash listens, and what it serves there.
    pub http: HttpConfig,
    /// Which database.
    pub database: DatabaseConfig,
    /// Where Dash keeps files of its own. `DASH_DATA_DIR`, default `./data`.
    pub data_dir: PathBuf,
    /// Keys that only this installation knows.
    pub secrets: SecretsConfig,
    /// What requests to the outside may reach.
    pub outbound: OutboundConfig,
    /// How much work hashing a password is.
    pub passwords: PasswordParams,
    /// What is logged, and how.
    pub log: LogConfig,
}

/// Where Dash listens, and what it serves there.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// How people and senders reach Dash, without a slash at the end, e.g.
    /// `https://dash.example.com`. `DASH_HOST`, default `http://localhost:PORT`.
    pub public_url: String,
    /// `DASH_LISTEN` (default `127.0.0.1`) and `PORT` (default 4000).
    pub listen: SocketAddr,
    /// The built web client. `DASH_WEB_DIR`; without it Dash is a headless API.
    pub web_dir: Option<PathBuf>,
    /// The header in which the proxy in front of Dash names the client's address. Without one,
    /// the address is that of the connection. `DASH_CLIENT_IP_HEADER`.
    pub client_ip_header: Option<HeaderName>,
}

/// Which database.
#[derive(Clone)]
pub struct DatabaseConfig {
    /// `sqlite:PATH` or `postgres://…`. `DATABASE_URL`, default `dash.db` in the data folder.
    pub url: String,
    /// A replica of PostgreSQL, for reading: `postgres://…`. `DATABASE_REPLICA_URL`.
    pub replica_url: Option<String>,
    /// `DATABASE_MAX_CONNECTIONS`, default 16.
    pub max_connections: u32,
}

/// Keys that only this installation knows.
#[derive(Clone)]
pub struct SecretsConfig {
    /// For signing what Dash hands out and takes back; nothing is yet. `SECRET_KEY_BASE`.
    pub secret_key_base: Vec<u8>,
    /// Encrypts stored tokens and headers. `ENCRYPTION_KEY`.
    pub encryption_key: [u8; 32],
    /// What a reader of `/metrics` must show; without it anybody may. `DASH_METRICS_TOKEN`.
    pub metrics_token: Option<String>,
}

/// What requests to the outside may reach.
#[derive(Clone, Debug, Default)]
pub struct OutboundConfig {
    /// Private targets that are allowed all the same: `host`, `host:port` or a network such as
    /// `10.1.0.0/16`. `DASH_ALLOW_TARGETS`, separated by commas.
    pub allowed_targets: Vec<String>,
}

/// How much work hashing a password with Argon2id is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordParams {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// `DASH_LOG_FORMAT`: `text` (default) or `json`.
    pub format: LogFormat,
    /// `DASH_LOG`: which messages, default [`DEFAULT_LOG_FILTER`]; e.g. `info,dash_api=debug`.
    pub filter: String,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// One mistake in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong with its value.
    pub problem: String,
    /// What a right one looks like.
    pub example: &'static str,
}

/// All mistakes in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

/// What checking asks of others: the disk, and the module that a value is for.
struct Surroundings<'a> {
    /// Makes the data folder, unless it is there.
    make_folder: &'a dyn Fn(&Path) -> io::Result<()>,
    /// Reads, or makes and keeps, the key with a name in the data folder. It is asked only where
    /// keys may be kept there.
    local_key: &'a dyn Fn(&Path, &str) -> io::Result<Vec<u8>>,
    /// Why a text is no target of outgoing requests.
    check_target: &'a dyn Fn(&str) -> Result<(), String>,
}

impl Config {
    /// Reads the environment over `file`, checks everything, and makes the data folder and the
    /// keys that a first start needs. `port` is the command line's and comes before `PORT`.
    /// `check_target` is the engine's: it says why a text is no target of outgoing requests.
    pub fn load(
        file: Option<&Path>,
        port: Option<u16>,
        check_target: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<Self, ConfigErrors> {
        let from_file = file.map_or_else(|| Ok(Vec::new()), variables::read_file)?;
        Self::from_lookup(
            &|name| match (name, port) {
                ("PORT", Some(port)) => Some(port.to_string()),
                _ => variables::read_environment(name).or_else(|| {
                    let (_, value) = from_file.iter().rev().find(|(key, _)| key == name)?;
                    Some(value.clone())
                }),
            },
            &Surroundings {
                make_folder: &|path| std::fs::create_dir_all(path),
                local_key: &keys::read_or_make,
                check_target,
            },
        )
    }

    /// The configuration that `lookup` gives.
    fn from_lookup(
        lookup: &dyn Fn(&str) -> Option<String>,
        around: &Surroundings<'_>,
    ) -> Result<Self, ConfigErrors> {
        let mut vars = Variables::new(lookup);
        let listen = SocketAddr::new(vars.ip("DASH_LISTEN"), vars.port("PORT"));
        let http = HttpConfig {
            public_url: vars.public_url("DASH_HOST", listen.port()),
            listen,
            web_dir: vars.web_dir("DASH_WEB_DIR"),
            client_ip_header: vars.client_ip_header("DASH_CLIENT_IP_HEADER"),
        };
        let data_dir = vars.data_dir("DASH_DATA_DIR", around.make_folder);
        let url = vars.database_url("DATABASE_URL", &data_dir);
        let database = DatabaseConfig {
            replica_url: vars.replica_url("DATABASE_REPLICA_URL", &url),
            url,
            max_connections: vars.connections("DATABASE_MAX_CONNECTIONS"),
        };
        let outbound = OutboundConfig {
            allowed_targets: vars.targets("DASH_ALLOW_TARGETS", around.check_target),
        };
        let log = LogConfig {
            format: vars.log_format("DASH_LOG_FORMAT"),
            filter: vars.log_filter("DASH_LOG"),
        };
        let given = (vars.secret_key_base(), vars.encryption_key());
        // Several machines share one PostgreSQL and must share the keys; a container's disk
        // is gone with it. On one's own machine a key in the data folder does.
        let keys_must_be_given = !database.is_sqlite() && !http.is_local();
        let secrets = keys::complete(&mut vars, given, keys_must_be_given, &|name| {
            (around.local_key)(&data_dir, name)
        });
        vars.finish()?;
        let passwords = PasswordParams::default();
        Ok(Self {
            http,
            database,
            data_dir,
            secrets,
            outbound,
            passwords,
            log,
        })
    }

    /// For tests: this database, files under `data_dir`, any free port, fixed keys, cheap
    /// password hashes, and loopback as an allowed target.
    pub fn for_tests(database_url: &str, data_dir: &Path) -> Self {
        Self {
            http: HttpConfig {
                public_url: "http://localhost".to_owned(),
                listen: SocketAddr::from(([127, 0, 0, 1], 0)),
                web_dir: None,
                client_ip_header: None,
            },
            database: DatabaseConfig {
                url: database_url.to_owned(),
                replica_url: None,
                max_connections: 8,
            },
            data_dir: data_dir.to_owned(),
            secrets: SecretsConfig {
                secret_key_base: vec![1; 64],
                encryption_key: [2; 32],
                metrics_token: None,
            },
            outbound: OutboundConfig {
                allowed_targets: vec!["127.0.0.1".to_owned()],
            },
            passwords: PasswordParams {
                memory_kib: 64,
                passes: 1,
                lanes: 1,
            },
            log: LogConfig {
                format: LogFormat::Text,
                filter: "warn".to_owned(),
            },
        }
    }
}

impl HttpConfig {
    /// Whether people reach Dash through TLS: cookies are then marked `Secure`.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// Whether Dash is for this machine only.
    pub fn is_local(&self) -> bool {
        let host = Url::parse(&self.public_url).ok().and_then(|url| {
            url.host().map(|host| match host {
                url::Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
                url::Host::Ipv4(ip) => ip.is_loopback(),
                url::Host::Ipv6(ip) => ip.is_loopback(),
            })
        });
        host.unwrap_or(false)
    }
}

impl DatabaseConfig {
    /// Whether it is the embedded database.
    pub fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }
}

impl Default for PasswordParams {
    /// What OWASP's password storage cheat sheet recommends for Argon2id: 19 MiB, two passes.
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
        }
    }
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |url: &String| {
            let mut url = Url::parse(url).ok()?;
            // Refused where the URL cannot have a password: then there is none to hide.
            let _ = url.set_password(None);
            url.set_query(None);
            Some(url.to_string())
        };
        f.debug_struct("DatabaseConfig")
            .field("url", &shown(&self.url).unwrap_or_default())
            .field("replica_url", &self.replica_url.as_ref().and_then(shown))
            .field("max_connections", &self.max_connections)
            .finish()
    }
}

impl fmt::Debug for SecretsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretsConfig(hidden)")
    }
}

impl ConfigErrors {
    fn one(variable: &'static str, problem: String, example: &'static str) -> Self {
        Self(vec![ConfigError {
            variable,
            problem,
            example,
        }])
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration has mistakes:")?;
        for ConfigError {
            variable,
            problem,
            example,
        } in &self.0
        {
            write!(
                f,
                "\n  {variable}: {problem}. For example: {variable}={example}"
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

#[cfg(test)]
mod tests;
