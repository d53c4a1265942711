//! Records of a file, gathered into chunks that are stored together. Where a chunk ends follows
//! from the file alone, not from how it arrives: the same file has the same chunks.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::data::RecordKey;

/// How many records a chunk has.
pub(super) const CHUNK_RECORDS: usize = 1_000;
/// From how many bytes of records on a chunk is full.
const CHUNK_BYTES: usize = 1024 * 1024;
/// How much of an unreadable line is kept, in characters.
const KEPT_CHARS: usize = 2_000;

/// Records of a file that are stored together.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// The records.
    pub records: Vec<Value>,
    /// The line where each of them begins, from 1.
    pub lines: Vec<u64>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
    /// How many bytes of the file had been read when it was full.
    pub bytes_read: u64,
    /// Which of the file's chunks it is, from 0.
    number: usize,
    digest: [u8; 32],
}

/// Something in a file that is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The line, from 1.
    pub line: u64,
    /// What is there, shortened.
    pub text: String,
    /// What is wrong with it.
    pub message: String,
}

impl Chunk {
    /// Names it among all that is handed over to its pipeline.
    pub(super) fn key(&self, salt: &str) -> String {
        let content = RecordKey::of([salt.as_bytes(), self.digest.as_slice()].concat());
        format!("upload:{content}:{}", self.number)
    }

    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.unreadable.is_empty()
    }
}

/// Takes chunks when they are full; false when nobody wants more.
pub(super) type Emit<'a> = &'a mut dyn FnMut(Chunk) -> bool;

/// Nobody wants more of the file.
#[derive(Debug)]
pub(super) struct Stopped;

/// Gathers the records of a file.
pub(super) struct Chunks<'a> {
    emit: Emit<'a>,
    current: Chunk,
    bytes: usize,
    hash: Sha256,
    number: usize,
}

impl<'a> Chunks<'a> {
    pub(super) fn new(emit: Emit<'a>) -> Self {
        Self {
            emit,
            current: Chunk::default(),
            bytes: 0,
            hash: Sha256::new(),
            number: 0,
        }
    }

    /// Whether nothing has come yet.
    pub(super) fn is_empty(&self) -> bool {
        self.number == 0 && self.current.is_empty()
    }

    /// Adds a record.
    pub(super) fn add(&mut self, line: u64, value: Value, bytes_read: u64) -> Result<(), Stopped> {
        let text = value.to_string();
        self.current.records.push(value);
        self.current.lines.push(line);
        self.note(&text, bytes_read)
    }

    /// Adds what is no record.
    pub(super) fn add_unreadable(
        &mut self,
        line: u64,
        bytes: &[u8],
        message: impl Into<String>,
        bytes_read: u64,
    ) -> Result<(), Stopped> {
        let text = String::from_utf8_lossy(bytes);
        let text: String = text.chars().take(KEPT_CHARS).collect();
        self.current.unreadable.push(Unreadable {
            line,
            text: text.clone(),
            message: message.into(),
        });
        self.note(&text, bytes_read)
    }

    fn note(&mut self, text: &str, bytes_read: u64) -> Result<(), Stopped> {
        self.hash.update((text.len() as u64).to_be_bytes());
        self.hash.update(text);
        self.bytes += text.len();
        self.current.bytes_read = bytes_read;
        let count = self.current.records.len() + self.current.unreadable.len();
        if count >= CHUNK_RECORDS || self.bytes >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Hands over what has been gathered, full or not.
    pub(super) fn flush(&mut self) -> Result<(), Stopped> {
        if self.current.is_empty() {
            return Ok(());
        }
        let mut chunk = std::mem::take(&mut self.current);
        chunk.number = self.number;
        chunk.digest = self.hash.finalize_reset().into();
        self.number += 1;
        self.bytes = 0;
        if (self.emit)(chunk) {
            Ok(())
        } else {
            Err(Stopped)
        }
    }
}
