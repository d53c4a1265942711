//! Reading and checking single variables. Mistakes are collected; a variable with a mistake
//! yields its default, so that checking goes on to the next one.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use axum::http::HeaderName;
use axum::http::header::FORWARDED;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::{ConfigError, ConfigErrors, DEFAULT_LOG_FILTER, LogFormat};

/// The shortest `SECRET_KEY_BASE`, in bytes.
const MIN_SECRET_BYTES: usize = 32;

/// Variables with the mistakes found so far.
pub(super) struct Variables<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    mistakes: Vec<ConfigError>,
}

impl<'a> Variables<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            lookup,
            mistakes: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> Result<(), ConfigErrors> {
        if self.mistakes.is_empty() {
            Ok(())
        } else {
            Err(ConfigErrors(self.mistakes))
        }
    }

    pub(super) fn mistake(
        &mut self,
        variable: &'static str,
        problem: impl Into<String>,
        example: &'static str,
    ) {
        self.mistakes.push(ConfigError {
            variable,
            problem: problem.into(),
            example,
        });
    }

    /// The value, if there is one; an empty one counts as none.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    pub(super) fn ip(&mut self, name: &'static str) -> IpAddr {
        let default = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.text(name).map_or(default, |text| {
            text.parse().unwrap_or_else(|_| {
                self.mistake(
                    name,
                    format!("\"{text}\" is no IP address to listen on"),
                    "0.0.0.0",
                );
                default
            })
        })
    }

    pub(super) fn port(&mut self, name: &'static str) -> u16 {
        self.text(name).map_or(4000, |text| {
            text.parse().unwrap_or_else(|_| {
                self.mistake(
                    name,
                    format!("\"{text}\" is no port from 0 to 65535"),
                    "4000",
                );
                4000
            })
        })
    }

    /// A URL, or a host name alone, which is then reached through TLS.
    pub(super) fn public_url(&mut self, name: &'static str, port: u16) -> String {
        let default = format!("http://localhost:{port}");
        let Some(text) = self.text(name) else {
            return default;
        };
        let full = if text.contains("://") {
            text.clone()
        } else {
            format!("https://{text}")
        };
        let url = Url::parse(&full).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
        });
        url.map_or_else(
            || {
                let problem = format!("\"{text}\" is no address of a site without a path");
                self.mistake(name, problem, "https://dash.example.com");
                default
            },
            |url| url.as_str().trim_end_matches('/').to_owned(),
        )
    }

    pub(super) fn web_dir(&mut self, name: &'static str) -> Option<PathBuf> {
        let dir = PathBuf::from(self.text(name)?);
        if !dir.join("index.html").is_file() {
            let problem = format!(
                "there is no index.html in {}; is the client built?",
                dir.display()
            );
            self.mistake(name, problem, "web/dist");
        }
        Some(dir)
    }

    pub(super) fn client_ip_header(&mut self, name: &'static str) -> Option<HeaderName> {
        let text = self.text(name)?;
        let problem = match HeaderName::from_bytes(text.as_bytes()) {
            // Its entries are more than addresses. Taken as such, none would be found in them.
            Ok(FORWARDED) => "the header Forwarded holds more than addresses".to_owned(),
            Ok(header) => return Some(header),
            Err(_) => format!("\"{text}\" is no name of a header"),
        };
        self.mistake(name, problem, "x-forwarded-for");
        None
    }

    pub(super) fn data_dir(
        &mut self,
        name: &'static str,
        make: &dyn Fn(&Path) -> io::Result<()>,
    ) -> PathBuf {
        let dir = PathBuf::from(self.text(name).unwrap_or_else(|| "./data".to_owned()));
        if let Err(error) = make(&dir) {
            let problem = format!("cannot make the folder {}: {error}", dir.display());
            self.mistake(name, problem, "/var/lib/dash");
        }
        dir
    }

    pub(super) fn database_url(&mut self, name: &'static str, data_dir: &Path) -> String {
        let default = format!("sqlite:{}", data_dir.join("dash.db").display());
        let Some(text) = self.text(name) else {
            return default;
        };
        let sqlite = text.strip_prefix("sqlite:");
        if is_postgres(&text) || sqlite.is_some_and(|path| !path.is_empty()) {
            return text;
        }
        // The value may hold a password: it is not repeated.
        let problem = "the value begins with neither sqlite: nor postgres://";
        self.mistake(name, problem, "postgres://dash:PASSWORD@localhost/dash");
        default
    }

    pub(super) fn replica_url(&mut self, name: &'static str, database_url: &str) -> Option<String> {
        let text = self.text(name)?;
        // The value may hold a password: it is not repeated.
        let problem = if !is_postgres(&text) {
            "the value does not begin with postgres://"
        } else if !is_postgres(database_url) {
            "only PostgreSQL has replicas, and DATABASE_URL names SQLite"
        } else {
            return Some(text);
        };
        self.mistake(name, problem, "postgres://dash:PASSWORD@replica/dash");
        None
    }

    pub(super) fn connections(&mut self, name: &'static str) -> u32 {
        const DEFAULT: u32 = 16;
        self.text(name).map_or(DEFAULT, |text| {
            text.parse()
                .ok()
                .filter(|count| (2..=1000).contains(count))
                .unwrap_or_else(|| {
                    self.mistake(
                        name,
                        format!("\"{text}\" is no number from 2 to 1000"),
                        "16",
                    );
                    DEFAULT
                })
        })
    }

    /// Targets separated by commas, each as `check` wants it.
    pub(super) fn targets(
        &mut self,
        name: &'static str,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        let targets: Vec<_> = text
            .split(',')
            .map(str::trim)
            .filter(|target| !target.is_empty())
            .collect();
        for target in &targets {
            if let Err(problem) = check(target) {
                self.mistake(name, problem, "erp.internal:8080,10.1.0.0/16");
            }
        }
        targets.into_iter().map(str::to_owned).collect()
    }

    pub(super) fn log_filter(&mut self, name: &'static str) -> String {
        let Some(text) = self.text(name) else {
            return DEFAULT_LOG_FILTER.to_owned();
        };
        if let Err(error) = EnvFilter::try_new(&text) {
            let problem = format!("\"{text}\" is no log filter: {error}");
            self.mistake(name, problem, "info,dash_api=debug");
        }
        text
    }

    pub(super) fn log_format(&mut self, name: &'static str) -> LogFormat {
        match self.text(name).as_deref() {
            None | Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => {
                self.mistake(
                    name,
                    format!("\"{other}\" is neither text nor json"),
                    "json",
                );
                LogFormat::Text
            }
        }
    }

    pub(super) fn secret_key_base(&mut self) -> Option<Vec<u8>> {
        let text = self.text("SECRET_KEY_BASE")?;
        if text.len() < MIN_SECRET_BYTES {
            let problem = format!("the value is shorter than {MIN_SECRET_BYTES} characters");
            self.mistake("SECRET_KEY_BASE", problem, super::keys::SECRET_EXAMPLE);
        }
        Some(text.into_bytes())
    }

    pub(super) fn encryption_key(&mut self) -> Option<Vec<u8>> {
        let text = self.text("ENCRYPTION_KEY")?;
        let key = STANDARD.decode(&text).ok().filter(|key| key.len() == 32);
        if key.is_none() {
            let problem = "the value is not 32 bytes in base64";
            self.mistake("ENCRYPTION_KEY", problem, super::keys::ENCRYPTION_EXAMPLE);
        }
        Some(key.unwrap_or_else(|| vec![0; 32]))
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// A variable of this process. What is not Unicode is read all the same, for the check to refuse.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one reader of the environment"
)]
pub(super) fn read_environment(name: &str) -> Option<String> {
    std::env::var_os(name)
        .map(|value| value.to_string_lossy().into_owned())
        .filter(|value| !value.trim().is_empty())
}

/// The `KEY=value` lines of a file, in order.
pub(super) fn read_file(path: &Path) -> Result<Vec<(String, String)>, ConfigErrors> {
    dotenvy::from_path_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| {
            let problem = format!("cannot read {}: {error}", path.display());
            ConfigErrors::one("--config", problem, "/etc/dash/dash.env")
        })
}
