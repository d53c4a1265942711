//! Files that are handed over to pipelines: one at a time for each, with a row that says how far it
//! is. What is stored of a file stays stored, however it ends.

mod entity;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use dash_shared::accounts::Role;
use dash_shared::ids::{PipelineId, TeamId, UploadId};
use dash_shared::sources::Source;
use futures_util::Stream;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use tokio_util::sync::CancellationToken;

use super::{Pipeline, PipelineState, Pipelines, PipelinesError};
use crate::accounts::TenantScope;
use crate::engine::{
    Definition, FileError, FileFormat, FileIntake, Progress, UploadError, WriteError,
};

/// How many files this process takes in at the same time, and how many of them for one team.
const MAX_FILES: usize = 8;
const MAX_FILES_OF_A_TEAM: usize = 2;
/// How many uploads of a pipeline are remembered.
const KEPT_UPLOADS: u64 = 200;
/// The longest name of a file, in characters.
const MAX_NAME_CHARS: usize = 255;
/// After this time without progress nobody is at it any more. A pause in a body is shorter.
const STALE_AFTER_MS: i64 = 3 * 60_000;

/// What became of a file, or is becoming of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its id.
    pub id: UploadId,
    /// The pipeline that it was handed over to.
    pub pipeline_id: PipelineId,
    /// The file's name.
    pub name: String,
    /// How it stands.
    pub state: UploadState,
    /// How many bytes the file has, if its sender said so.
    pub total_bytes: Option<u64>,
    /// How far it is.
    pub progress: Progress,
    /// Why it did not come to its end, and the line where it stopped.
    pub error: Option<(String, Option<u64>)>,
    /// When it began, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it came on, in milliseconds since 1970.
    pub updated_at_ms: i64,
}

/// How an upload stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadState {
    /// It is arriving.
    Receiving,
    /// All of it was read.
    Done,
    /// It could not be read or stored to its end.
    Failed,
    /// It did not arrive whole.
    Cancelled,
}

/// A file that somebody begins to hand over.
#[derive(Clone, Debug, Default)]
pub struct NewUpload {
    /// Its name.
    pub name: String,
    /// What its sender says that it is.
    pub content_type: String,
    /// How many bytes it has, if that is known.
    pub total_bytes: Option<u64>,
    /// Whether to store again what was stored of the same file before.
    pub again: bool,
}

/// Why a file is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The pipeline takes no files.
    #[error("this pipeline takes no files; make one whose source is a file upload")]
    NotForFiles,
    /// The pipeline is paused.
    #[error("the pipeline is paused; resume it to hand over a file")]
    Paused,
    /// Another file is being taken in.
    #[error("another file is being taken in; wait for it to end, and send this one then")]
    Busy,
    /// The pipeline cannot be used, or not by this caller.
    #[error(transparent)]
    Pipelines(#[from] PipelinesError),
}

/// A page of uploads, the newest first.
#[derive(Clone, Debug)]
pub struct UploadPage {
    /// The uploads.
    pub uploads: Vec<Upload>,
    /// Whether there are older ones.
    pub has_more: bool,
    /// How many there are in all.
    pub total: u64,
}

/// A file whose turn it is.
#[derive(Debug)]
pub struct BegunUpload {
    upload: Upload,
    definition: Definition,
    format: Option<FileFormat>,
    again: bool,
    _place: Place,
}

impl Pipelines {
    /// Begins to take a file in.
    pub async fn begin_upload(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        new: NewUpload,
    ) -> Result<BegunUpload, BeginError> {
        let forbidden = |error| BeginError::Pipelines(PipelinesError::Forbidden(error));
        let pipeline = self.get(scope, id).await?;
        scope.require(Role::Editor).map_err(forbidden)?;
        if !matches!(pipeline.source, Source::FileUpload(_)) {
            return Err(BeginError::NotForFiles);
        }
        if pipeline.state == PipelineState::Paused {
            return Err(BeginError::Paused);
        }
        let place = self.uploads.take(pipeline.team_id, id);
        let place = place.ok_or(BeginError::Busy)?;
        let now_ms = self.clock.now_ms();
        let upload = Upload {
            id: UploadId::new(),
            pipeline_id: id,
            name: file_name(&new.name),
            state: UploadState::Receiving,
            total_bytes: new.total_bytes,
            progress: Progress::default(),
            error: None,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
        };
        self.insert_upload(&upload).await?;
        Ok(BegunUpload {
            definition: self.definition(&pipeline)?,
            format: FileFormat::named(&upload.name, &new.content_type),
            again: new.again,
            upload,
            _place: place,
        })
    }

    /// Takes a file in to its end, or until Dash stops; what became of it is returned and kept.
    pub async fn run_upload<S>(
        &self,
        begun: BegunUpload,
        pieces: S,
        stopping: &CancellationToken,
    ) -> Result<Upload, PipelinesError>
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let mut upload = begun.upload;
        let salt = if begun.again {
            upload.id.to_string()
        } else {
            String::new()
        };
        let keys = match &begun.definition.source {
            Source::FileUpload(files) => files.key_path.as_deref(),
            _ => None,
        };
        let file = FileIntake::begin(begun.format, keys, salt, pieces);
        let mut file = file.map_err(PipelinesError::Damaged)?;
        let ended = loop {
            let taken = self.engine.take_chunk(&begun.definition, &mut file);
            let taken = stopping.run_until_cancelled(taken).await;
            upload.progress = file.progress().clone();
            match taken {
                Some(Ok(true)) => self.store_upload(&mut upload).await?,
                Some(Ok(false)) => break Ok(()),
                Some(Err(error)) => break Err(error),
                None => break Err(FileError::BrokenOff.into()),
            }
        };
        (upload.state, upload.error) = match ended {
            Ok(()) => (UploadState::Done, None),
            Err(error) => end_of(error),
        };
        self.store_upload(&mut upload).await?;
        Ok(upload)
    }

    /// A page of a pipeline's uploads, the newest first, beginning after the upload `after`. Who has
    /// the pipeline may see them.
    pub async fn list_uploads(
        &self,
        pipeline: &Pipeline,
        after: Option<UploadId>,
        first: u64,
    ) -> Result<UploadPage, PipelinesError> {
        let all = entity::Entity::find()
            .filter(entity::Column::PipelineId.eq(pipeline.id.uuid()))
            .order_by_desc(entity::Column::Id);
        let total = all.clone().count(self.db.orm()).await?;
        let page = match after {
            Some(after) => all.filter(entity::Column::Id.lt(after.uuid())),
            None => all,
        };
        let mut rows = page.limit(first + 1).all(self.db.orm()).await?;
        let has_more = rows.len() as u64 > first;
        rows.truncate(usize::try_from(first).unwrap_or(usize::MAX));
        let now_ms = self.clock.now_ms();
        let uploads = rows.into_iter().map(|row| row.into_upload(now_ms));
        Ok(UploadPage {
            uploads: uploads.collect::<Result<_, _>>()?,
            has_more,
            total,
        })
    }

    /// Finds an upload of one of the team's pipelines.
    pub async fn find_upload(
        &self,
        scope: &TenantScope,
        id: UploadId,
    ) -> Result<Option<Upload>, PipelinesError> {
        let row = entity::Entity::find_by_id(id.uuid());
        let Some(row) = row.one(self.db.orm()).await? else {
            return Ok(None);
        };
        let owner = PipelineId::from_uuid(row.pipeline_id);
        match self.find(scope, owner).await? {
            Some(_) => row.into_upload(self.clock.now_ms()).map(Some),
            None => Ok(None),
        }
    }

    /// Stores a new upload; the oldest of many is forgotten.
    async fn insert_upload(&self, upload: &Upload) -> Result<(), PipelinesError> {
        let transaction = self.db.begin_write().await?;
        let row = entity::Model::try_from(upload)?;
        entity::Entity::insert(row.into_active_model())
            .exec_without_returning(&*transaction)
            .await?;
        let last_kept = entity::Entity::find()
            .filter(entity::Column::PipelineId.eq(upload.pipeline_id.uuid()))
            .order_by_desc(entity::Column::Id)
            .offset(KEPT_UPLOADS - 1)
            .one(&*transaction)
            .await?;
        if let Some(last_kept) = last_kept {
            entity::Entity::delete_many()
                .filter(entity::Column::PipelineId.eq(upload.pipeline_id.uuid()))
                .filter(entity::Column::Id.lt(last_kept.id))
                .exec(&*transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Stores how far an upload is. One whose pipeline was deleted meanwhile is forgotten.
    async fn store_upload(&self, upload: &mut Upload) -> Result<(), PipelinesError> {
        upload.updated_at_ms = self.clock.now_ms();
        let row = entity::Model::try_from(&*upload)?;
        let transaction = self.db.begin_write().await?;
        let updated = row
            .into_active_model()
            .reset_all()
            .update(&*transaction)
            .await;
        match updated {
            Ok(_) => {}
            Err(sea_orm::DbErr::RecordNotUpdated) => return Err(PipelinesError::NotFound),
            Err(error) => return Err(error.into()),
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// How a file ended that was not taken in to its end.
fn end_of(error: UploadError) -> (UploadState, Option<(String, Option<u64>)>) {
    match error {
        UploadError::File(error @ (FileError::BrokenOff | FileError::Stopped)) => {
            (UploadState::Cancelled, Some((error.to_string(), None)))
        }
        UploadError::File(FileError::Unreadable { line, message }) => {
            (UploadState::Failed, Some((message, Some(line))))
        }
        UploadError::File(error) => (UploadState::Failed, Some((error.to_string(), None))),
        UploadError::Write(error) => {
            tracing::warn!(%error, "a file could not be stored to its end");
            let message = match error {
                WriteError::Busy => {
                    "More is coming in than can be stored. Send the file again in a moment: what \
                     is stored is not stored twice."
                }
                _ => {
                    "The records could not be stored. Send the file again in a moment: what is \
                     stored is not stored twice."
                }
            };
            (UploadState::Failed, Some((message.to_owned(), None)))
        }
    }
}

/// A name without folders and control characters.
fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = last.chars().filter(|letter| !letter.is_control());
    let name: String = plain.take(MAX_NAME_CHARS).collect();
    match name.trim() {
        "" => "file".to_owned(),
        name => name.to_owned(),
    }
}

/// Which files are being taken in by this process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Arc<Mutex<HashMap<PipelineId, TeamId>>>);

/// A place among them; given back when it is dropped.
#[derive(Debug)]
struct Place {
    places: Places,
    pipeline_id: PipelineId,
}

impl Places {
    fn take(&self, team_id: TeamId, pipeline_id: PipelineId) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_team = taken.values().filter(|team| **team == team_id).count();
        let is_free = taken.len() < MAX_FILES && of_team < MAX_FILES_OF_A_TEAM;
        if !is_free || taken.contains_key(&pipeline_id) {
            return None;
        }
        taken.insert(pipeline_id, team_id);
        Some(Place {
            places: self.clone(),
            pipeline_id,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.remove(&self.pipeline_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_takes_one_file_at_a_time_and_a_team_cannot_take_all_places() {
        let places = Places::default();
        let (ours, theirs) = (TeamId::new(), TeamId::new());
        let (one, two, three) = (PipelineId::new(), PipelineId::new(), PipelineId::new());
        let first = places.take(ours, one);
        assert!(first.is_some());
        assert!(places.take(ours, one).is_none());
        let _second = places.take(ours, two).unwrap();
        assert!(places.take(ours, three).is_none());
        assert!(places.take(theirs, three).is_some());
        drop(first);
        assert!(places.take(ours, one).is_some());
    }

    #[test]
    fn a_file_has_a_name_without_folders() {
        for (sent, kept) in [
            ("orders.csv", "orders.csv"),
            ("C:\\data\\orders.csv", "orders.csv"),
            ("../../etc/passwd", "passwd"),
            ("a\u{0}b\n.csv", "ab.csv"),
            (" ", "file"),
        ] {
            assert_eq!(file_name(sent), kept);
        }
    }
}
