//! Sources as they are entered: what a pipeline may have as its source, and trying one out. Here
//! the secrets of sources are made and opened: the keys of webhooks, and what polls send.

use dash_shared::accounts::Role;
use dash_shared::ids::PipelineId;
use dash_shared::sources::polling::{Cursor, CursorPlace, Pagination};
use dash_shared::sources::{HttpPolling, PipelineSource, Source};
use dash_shared::{Invalid, InvalidCode};
use rand::RngExt;

use super::credentials::{self, NewCredentials};
use super::{Pipeline, Pipelines, PipelinesError, schedule};
use crate::accounts::TenantScope;
use crate::engine::{Credentials, FetchError, SourceTest, check_records_path};

/// The length of a webhook key's random part: 32 letters of 32 kinds are 160 bits.
const HOOK_KEY_CHARS: usize = 32;
const HOOK_KEY_ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A source as somebody enters it.
#[derive(Clone, Debug)]
pub enum NewSource {
    /// A webhook; on an update, whether it gets a new URL.
    Webhook {
        /// The old URL stops working.
        regenerate_url: bool,
    },
    /// An address to poll.
    HttpPolling {
        /// What, how often, and where the records are. Its header names are not used.
        polling: Box<HttpPolling>,
        /// The secrets.
        credentials: NewCredentials,
    },
    /// Another pipeline.
    Pipeline {
        /// It; none when what was entered is no id.
        pipeline_id: Option<PipelineId>,
        /// Whether everything that it had stored before is read too.
        from_beginning: bool,
    },
    /// The demo; a seed is chosen without one.
    Demo {
        /// What the invented data follows from.
        seed: Option<u32>,
    },
}

/// A source that was checked, and what is stored of it.
pub(super) struct CheckedSource {
    /// The source.
    pub source: Source,
    /// The secret part of a webhook's URL.
    pub hook_key: Option<String>,
    /// The secrets of a polling source, sealed.
    pub sealed_credentials: Option<Vec<u8>>,
}

impl Pipelines {
    /// Checks a source as it was entered, and what it changes in a pipeline that is there; what is
    /// wrong goes to `problems`, and then there may be no source.
    pub(super) fn check_source(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        new: NewSource,
        before: Option<&Pipeline>,
        problems: &mut Vec<Invalid>,
    ) -> Result<Option<CheckedSource>, PipelinesError> {
        let plain = |source| CheckedSource {
            source,
            hook_key: None,
            sealed_credentials: None,
        };
        let same_kind = match (&new, before.map(|pipeline| &pipeline.source)) {
            (_, None)
            | (NewSource::Webhook { .. }, Some(Source::Webhook))
            | (NewSource::HttpPolling { .. }, Some(Source::HttpPolling(_)))
            | (NewSource::Pipeline { .. }, Some(Source::Pipeline(_)))
            | (NewSource::Demo { .. }, Some(Source::Demo { .. })) => true,
            (_, Some(_)) => false,
        };
        if !same_kind {
            problems.push(Invalid::new(
                "source",
                InvalidCode::Invalid,
                "A pipeline keeps the kind of its source. Make a new pipeline for another kind.",
            ));
            return Ok(None);
        }
        match new {
            NewSource::Webhook { regenerate_url } => {
                let kept = before.and_then(|pipeline| pipeline.hook_key.clone());
                let hook_key = kept
                    .filter(|_| !regenerate_url)
                    .unwrap_or_else(new_hook_key);
                Ok(Some(CheckedSource {
                    hook_key: Some(hook_key),
                    ..plain(Source::Webhook)
                }))
            }
            NewSource::Pipeline {
                pipeline_id: Some(pipeline_id),
                from_beginning,
            } => Ok(Some(plain(Source::Pipeline(PipelineSource {
                pipeline_id,
                from_beginning,
            })))),
            NewSource::Pipeline {
                pipeline_id: None, ..
            } => {
                problems.push(Invalid::new(
                    "source.pipeline.pipelineId",
                    InvalidCode::Invalid,
                    "There is no such pipeline in this team.",
                ));
                Ok(None)
            }
            NewSource::Demo { seed } => {
                let seed = seed.unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
                Ok(Some(plain(Source::Demo { seed })))
            }
            NewSource::HttpPolling {
                polling,
                credentials,
            } => match self.check_polling(scope, *polling, credentials, before) {
                Ok((polling, credentials)) => Ok(Some(CheckedSource {
                    sealed_credentials: credentials::seal(&self.secrets, id, credentials)?,
                    ..plain(Source::HttpPolling(Box::new(polling)))
                })),
                Err(found) => {
                    problems.extend(found.into_iter().map(|p| p.under("source.httpPolling")));
                    Ok(None)
                }
            },
        }
    }

    /// The checked definition, and its secrets.
    fn check_polling(
        &self,
        scope: &TenantScope,
        mut polling: HttpPolling,
        entered: NewCredentials,
        before: Option<&Pipeline>,
    ) -> Result<(HttpPolling, Credentials), Vec<Invalid>> {
        polling.url = String::from(polling.url.trim());
        polling.header_names = names(&entered);
        let mut problems = polling.check(scope.plan());
        problems
            .extend(schedule::check(&polling.schedule, scope.plan(), self.clock.now_ms()).err());
        problems.extend(check_paths(&polling));
        let stored = self.credentials_known_for(before, &polling);
        let completed = credentials::complete(&polling.auth, entered, &stored);
        let credentials = completed.unwrap_or_else(|missing| {
            problems.extend(missing);
            Credentials::default()
        });
        if problems.is_empty() {
            Ok((polling, credentials))
        } else {
            Err(problems)
        }
    }

    /// Asks a polling source once, to show what it answers. With the id of a pipeline, secrets that
    /// are left out are the stored ones.
    pub async fn test_source(
        &self,
        scope: &TenantScope,
        mut polling: HttpPolling,
        entered: NewCredentials,
        id: Option<PipelineId>,
    ) -> Result<Result<SourceTest, FetchError>, PipelinesError> {
        scope.require(Role::Editor)?;
        let pipeline = match id {
            Some(id) => Some(self.get(scope, id).await?),
            None => None,
        };
        let stored = self.credentials_known_for(pipeline.as_ref(), &polling);
        polling.header_names = names(&entered);
        let mut problems = polling.check(scope.plan());
        // A test is not a schedule.
        problems.retain(|problem| {
            !matches!(
                problem.field.first().map(String::as_str),
                Some("intervalSeconds" | "cron")
            )
        });
        let completed = credentials::complete(&polling.auth, entered, &stored);
        let credentials = completed.unwrap_or_else(|missing| {
            problems.extend(missing);
            Credentials::default()
        });
        if !problems.is_empty() {
            let problems = problems.into_iter().map(|p| p.under("source")).collect();
            return Err(PipelinesError::Invalid(problems));
        }
        self.test_filled(scope, polling, credentials).await
    }

    /// Asks the source of a pipeline once, as it is stored, to show what it answers from the
    /// beginning.
    pub async fn test_stored_source(
        &self,
        scope: &TenantScope,
        id: PipelineId,
    ) -> Result<Result<SourceTest, FetchError>, PipelinesError> {
        scope.require(Role::Editor)?;
        let pipeline = self.get(scope, id).await?;
        let Source::HttpPolling(polling) = &pipeline.source else {
            return Err(PipelinesError::NotRunnable);
        };
        let Some(credentials) = self.open_credentials(&pipeline) else {
            return Ok(Err(FetchError::secrets_lost()));
        };
        self.test_filled(scope, HttpPolling::clone(polling), credentials)
            .await
    }

    async fn test_filled(
        &self,
        scope: &TenantScope,
        polling: HttpPolling,
        credentials: Credentials,
    ) -> Result<Result<SourceTest, FetchError>, PipelinesError> {
        let filled = match self.fill(scope.team_id(), polling, credentials).await? {
            Ok(filled) => filled,
            Err(error) => return Ok(Err(error)),
        };
        let tested = self
            .engine
            .test_polling(&filled.polling, &filled.credentials);
        Ok(tested.await.map_err(|error| FetchError {
            message: filled.redact(&error.message),
            ..error
        }))
    }

    /// The stored secrets of a pipeline that may be used for a source; none without a pipeline.
    fn credentials_known_for(
        &self,
        pipeline: Option<&Pipeline>,
        polling: &HttpPolling,
    ) -> Credentials {
        pipeline.map_or_else(Credentials::default, |pipeline| {
            let stored = self.open_credentials(pipeline).unwrap_or_default();
            credentials::known_for(stored, &pipeline.source, polling)
        })
    }

    /// The secrets of a pipeline's source; none when they cannot be opened, because the key has
    /// changed.
    pub(super) fn open_credentials(&self, pipeline: &Pipeline) -> Option<Credentials> {
        let sealed = pipeline.sealed_headers.as_deref();
        credentials::open(&self.secrets, pipeline.id, sealed)
            .inspect_err(|error| {
                tracing::warn!(%error, pipeline = %pipeline.id, "stored secrets cannot be opened");
            })
            .ok()
    }
}

fn names(entered: &NewCredentials) -> Vec<String> {
    let headers = entered.headers.iter();
    headers.map(|header| header.name.clone()).collect()
}

/// Checks the paths into the answer.
fn check_paths(polling: &HttpPolling) -> Vec<Invalid> {
    let page = match &polling.pagination {
        Pagination::Cursor { path, .. } | Pagination::NextUrl { path } => Some(path),
        _ => None,
    };
    let in_answer = |cursor: &&Cursor| cursor.place == CursorPlace::Answer;
    let cursor = polling.cursor.as_ref().filter(in_answer);
    let paths = [
        Some(("recordsPath", &polling.records_path)),
        page.map(|path| ("pagination.path", path)),
        cursor.map(|cursor| ("cursor.path", &cursor.path)),
    ];
    let wrong = paths.into_iter().flatten().filter_map(|(field, path)| {
        let message = check_records_path(path).err()?;
        Some(Invalid::new(field, InvalidCode::Invalid, message))
    });
    wrong.collect()
}

fn new_hook_key() -> String {
    let mut rng = rand::rng();
    let mut letter = || char::from(HOOK_KEY_ALPHABET[rng.random_range(0..HOOK_KEY_ALPHABET.len())]);
    let random: String = (0..HOOK_KEY_CHARS).map(|_| letter()).collect();
    format!("whk_{random}")
}

/// Whether a text has the form of a webhook's key.
pub(super) fn is_hook_key(text: &str) -> bool {
    text.strip_prefix("whk_").is_some_and(|random| {
        random.len() == HOOK_KEY_CHARS
            && random
                .bytes()
                .all(|letter| HOOK_KEY_ALPHABET.contains(&letter))
    })
}
