//! Files on their way into a pipeline: read while they arrive, in a thread of their own, and stored
//! in chunks. What a chunk holds names it, so that a file that is sent again is not stored again.

mod chunks;
mod csv;
mod json;
mod lines;
mod reading;
#[cfg(test)]
mod tests;

use std::io;

use bytes::Bytes;
use dash_shared::fields::shorten;
use dash_shared::sources::MAX_UPLOAD_BYTES;
use dash_shared::transform::StepError;
use futures_util::{Stream, StreamExt as _};
use serde_json::Value;
use serde_json_path::JsonPath;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use self::chunks::{Chunk, Unreadable};
use super::ingest::Batch;
use super::polling::parse_path;
use super::receiving::key_at;
use super::{Definition, Engine, Receipt};
use crate::data::{RecordError, RunTrigger, WriteError};

pub use self::reading::{FileError, FileFormat, read_file};

/// How many pieces of a file wait to be read, and how many chunks to be stored.
const WAITING_PIECES: usize = 8;
const WAITING_CHUNKS: usize = 2;
/// How many of the lines that failed are told.
const TOLD_ERRORS: usize = 20;
/// How much of an unreadable line a run tells, in characters.
const TOLD_TEXT_CHARS: usize = 2_000;
/// How often a chunk is stored again that there was no room for.
const MAX_TRIES: u32 = 8;
/// How long to wait before that.
const ROOM_PAUSE: std::time::Duration = std::time::Duration::from_millis(500);

/// How far a file is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many bytes have arrived and were read.
    pub bytes_read: u64,
    /// How many records were read.
    pub received: u64,
    /// How many of them are stored.
    pub stored: u64,
    /// How many a step left out, or holds in a window.
    pub dropped: u64,
    /// How many failed.
    pub failed: u64,
    /// How many were stored before.
    pub duplicates: u64,
    /// The first of the failed ones.
    pub errors: Vec<LineError>,
}

/// A record of a file that failed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LineError {
    /// The line where it begins, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub message: String,
}

/// Why a file is not taken in to its end.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// What was read could not be stored.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A file that is being taken in. Whoever drops it stops reading.
#[derive(Debug)]
pub struct FileIntake {
    chunks: mpsc::Receiver<Chunk>,
    reading: Option<JoinHandle<Result<u64, FileError>>>,
    /// Makes another file of one that was taken in before.
    salt: String,
    /// Finds what names a record.
    keys: Option<JsonPath>,
    progress: Progress,
}

impl FileIntake {
    /// Begins to read a file; its format is what its name, its content type or its first
    /// characters say. With a salt, what was stored before is stored again. The error is a damaged
    /// path.
    pub fn begin<S>(
        format: Option<FileFormat>,
        key_path: Option<&str>,
        salt: String,
        pieces: S,
    ) -> Result<Self, String>
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let keys = key_path.map(parse_path).transpose();
        let keys = keys.map_err(|error| error.message)?;
        let (sender, receiver) = mpsc::channel(WAITING_PIECES);
        tokio::spawn(feed(pieces, sender));
        let (chunk_sender, chunks) = mpsc::channel(WAITING_CHUNKS);
        let reading = tokio::task::spawn_blocking(move || {
            let pieces = reading::Pieces::new(receiver);
            read_file(pieces, format, &mut |chunk| {
                chunk_sender.blocking_send(chunk).is_ok()
            })
        });
        Ok(Self {
            chunks,
            reading: Some(reading),
            salt,
            keys,
            progress: Progress::default(),
        })
    }

    /// How far it is.
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    fn count(&mut self, chunk: &Chunk, receipt: &Receipt) {
        let progress = &mut self.progress;
        let count = |count: usize| count as u64;
        progress.bytes_read = chunk.bytes_read;
        progress.received += count(receipt.received);
        progress.stored += count(receipt.stored);
        progress.duplicates += count(receipt.duplicates);
        progress.dropped += count(receipt.dropped + receipt.held);
        progress.failed += count(receipt.failed);
        let mut errors: Vec<LineError> = chunk.unreadable.iter().map(LineError::from).collect();
        errors.extend(receipt.errors.iter().map(|error| LineError {
            line: chunk.lines.get(error.index).copied().unwrap_or_default(),
            message: error.error.message.clone(),
        }));
        errors.sort_by_key(|error| error.line);
        let room = TOLD_ERRORS.saturating_sub(progress.errors.len());
        progress.errors.extend(errors.into_iter().take(room));
    }
}

impl From<&Unreadable> for LineError {
    fn from(unreadable: &Unreadable) -> Self {
        Self {
            line: unreadable.line,
            message: unreadable.message.clone(),
        }
    }
}

impl From<&Unreadable> for RecordError {
    fn from(unreadable: &Unreadable) -> Self {
        let text = Value::from(unreadable.text.as_str());
        Self {
            error: StepError {
                step: 0,
                path: String::new(),
                value: shorten(&text),
                message: format!("line {}: {}", unreadable.line, unreadable.message),
            },
            received: unreadable.text.chars().take(TOLD_TEXT_CHARS).collect(),
        }
    }
}

/// Hands the pieces of a file on, up to the largest file that is taken.
async fn feed<S>(pieces: S, sender: mpsc::Sender<io::Result<Bytes>>)
where
    S: Stream<Item = io::Result<Bytes>>,
{
    let mut pieces = std::pin::pin!(pieces);
    let mut bytes: u64 = 0;
    while let Some(piece) = pieces.next().await {
        bytes += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        let piece = match piece {
            Ok(_) if bytes > MAX_UPLOAD_BYTES => Err(FileError::TooLarge.into()),
            Ok(piece) => Ok(piece),
            Err(_) => Err(FileError::BrokenOff.into()),
        };
        let is_last = piece.is_err();
        if sender.send(piece).await.is_err() || is_last {
            return;
        }
    }
}

impl Engine {
    /// Stores the next chunk of a file; false when there is none.
    pub async fn take_chunk(
        &self,
        definition: &Definition,
        file: &mut FileIntake,
    ) -> Result<bool, UploadError> {
        let Some(mut chunk) = file.chunks.recv().await else {
            if let Some(reading) = file.reading.take() {
                let bytes_read = reading.await.map_err(|_| WriteError::Closed)??;
                file.progress.bytes_read = bytes_read;
            }
            return Ok(false);
        };
        let records = std::mem::take(&mut chunk.records);
        // A transform that remembers does not store a record for each that comes in.
        let names = file
            .keys
            .as_ref()
            .filter(|_| !definition.transform.is_stateful());
        let key = |path| records.iter().map(|record| key_at(path, record)).collect();
        let batch = Batch {
            record_keys: names.map(key).unwrap_or_default(),
            unreadable: chunk.unreadable.iter().map(RecordError::from).collect(),
            ..Batch::new(
                RunTrigger::Upload,
                Some(chunk.key(&file.salt)),
                self.clock.now_ms(),
            )
        };
        let receipt = self.ingest_patiently(definition, records, batch).await?;
        file.count(&chunk, &receipt);
        Ok(true)
    }

    /// Whoever hands over a file waits for a while when there is no room, since it is not to be sent
    /// again for that.
    async fn ingest_patiently(
        &self,
        definition: &Definition,
        records: Vec<Value>,
        batch: Batch,
    ) -> Result<Receipt, WriteError> {
        for _ in 1..MAX_TRIES {
            let tried = self.ingest(definition, records.clone(), batch.clone());
            match tried.await {
                Err(WriteError::Busy) => tokio::time::sleep(ROOM_PAUSE).await,
                done => return done,
            }
        }
        self.ingest(definition, records, batch).await
    }
}
