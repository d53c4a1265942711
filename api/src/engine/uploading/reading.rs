//! What kind of file it is, and reading it to its end.

use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use bytes::{Buf as _, Bytes};
use dash_shared::sources::MAX_UPLOAD_BYTES;
use serde::de::IgnoredAny;
use tokio::sync::mpsc;

use super::chunks::{Chunk, Chunks, Stopped};
use super::{csv, json, lines};

/// The longest line of a file, and the largest JSON value in it, in bytes.
pub(super) const MAX_LINE_BYTES: usize = 1024 * 1024;
/// How much of a file is looked at to tell its format.
const HEAD_BYTES: usize = 64 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// CSV.
    Csv,
    /// CSV with tabs between cells.
    Tsv,
    /// One JSON value a line.
    Ndjson,
    /// A JSON array, an object, or several of them.
    Json,
}

/// Why a file cannot be read to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is larger than a file may be.
    #[error(
        "The file is larger than {} MB. Split it, and send the parts one after the other.",
        MAX_UPLOAD_BYTES / 1024 / 1024
    )]
    TooLarge,
    /// It did not arrive whole.
    #[error("The file did not arrive whole. Send it again: what is stored is not stored twice.")]
    BrokenOff,
    /// There is nothing in it.
    #[error("There are no records in the file.")]
    Empty,
    /// From some line on, nobody can say what is what.
    #[error("{message}")]
    Unreadable {
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// Nobody waits for it any more.
    #[error("the file is not wanted any more")]
    Stopped,
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        Self::other(error)
    }
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        let own = error.get_ref().and_then(|inner| inner.downcast_ref());
        own.cloned().unwrap_or(Self::BrokenOff)
    }
}

impl From<Stopped> for FileError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl FileFormat {
    /// What a file's name says, or else its content type.
    pub fn named(name: &str, content_type: &str) -> Option<Self> {
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        match extension.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "json" | "geojson" => Some(Self::Json),
            _ => match media_type.to_ascii_lowercase().as_str() {
                "text/csv" | "application/csv" => Some(Self::Csv),
                "text/tab-separated-values" => Some(Self::Tsv),
                "application/x-ndjson" | "application/ndjson" | "application/jsonl" => {
                    Some(Self::Ndjson)
                }
                "application/json" => Some(Self::Json),
                _ => None,
            },
        }
    }

    /// What the first lines of a file say.
    fn of_head(head: &[u8]) -> Self {
        match head.trim_ascii_start().first() {
            Some(b'{' | b'[') => Self::Json,
            _ => Self::Csv,
        }
    }
}

/// Reads a file in chunks, until `emit` is false; returns how many bytes it has. The chunk that a
/// file breaks off in is not handed over: sent again, it is another one.
pub fn read_file(
    file: impl Read,
    format: Option<FileFormat>,
    emit: &mut dyn FnMut(Chunk) -> bool,
) -> Result<u64, FileError> {
    let read = Rc::new(Cell::new(0));
    let mut file = BufReader::with_capacity(
        HEAD_BYTES,
        Metered {
            file,
            read: Rc::clone(&read),
        },
    );
    let head = head_of(&mut file)?;
    let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&head);
    // No more is looked at, whatever has arrived: the same file is always read the same.
    let seen = text.get(..HEAD_BYTES).unwrap_or(text);
    let mut format = format.unwrap_or_else(|| FileFormat::of_head(seen));
    if format == FileFormat::Json && begins_with_a_whole_line(seen) {
        format = FileFormat::Ndjson;
    }
    let mut chunks = Chunks::new(emit);
    let rest = Read::chain(text, file);
    match format {
        FileFormat::Csv => csv::read(rest, csv::delimiter_of_head(seen), &read, &mut chunks)?,
        FileFormat::Tsv => csv::read(rest, b'\t', &read, &mut chunks)?,
        FileFormat::Ndjson => lines::read(BufReader::new(rest), &read, &mut chunks)?,
        FileFormat::Json => json::read(BufReader::new(rest), &read, &mut chunks)?,
    }
    if chunks.is_empty() {
        return Err(FileError::Empty);
    }
    chunks.flush()?;
    Ok(read.get())
}

/// The first line that is not blank, as far as quotes are concerned, if it is not too long.
fn head_of(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut piece = [0; 4_096];
    // With room for the byte order mark.
    while head.len() < HEAD_BYTES + BYTE_ORDER_MARK.len() {
        let count = file.read(&mut piece)?;
        head.extend_from_slice(piece.get(..count).unwrap_or_default());
        if count == 0 || has_a_whole_line(head.trim_ascii_start()) {
            break;
        }
    }
    Ok(head)
}

fn has_a_whole_line(text: &[u8]) -> bool {
    let mut is_quoted = false;
    text.iter().any(|byte| {
        is_quoted ^= *byte == b'"';
        !is_quoted && matches!(byte, b'\n' | b'\r')
    })
}

/// Whether the first line is a JSON object by itself, as of NDJSON that is called JSON.
fn begins_with_a_whole_line(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let end = text.iter().position(|byte| *byte == b'\n');
    let line = end.and_then(|end| text.get(..end)).unwrap_or_default();
    line.first() == Some(&b'{') && serde_json::from_slice::<IgnoredAny>(line).is_ok()
}

/// Counts what is read.
struct Metered<R> {
    file: R,
    read: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.set(self.read.get() + count as u64);
        Ok(count)
    }
}

/// The pieces of a file as they arrive.
pub(super) struct Pieces {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    piece: Bytes,
}

impl Pieces {
    pub(super) fn new(receiver: mpsc::Receiver<io::Result<Bytes>>) -> Self {
        Self {
            receiver,
            piece: Bytes::new(),
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.piece.len());
        self.piece
            .copy_to_slice(buffer.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}
