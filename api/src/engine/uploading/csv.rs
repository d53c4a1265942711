//! CSV files, read while they arrive, by the rules of `csv_source`. A line with another number of
//! cells than the first one fails alone; a quote that is never closed ends the file.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, Read};

use csv::{ByteRecord, ReaderBuilder, StringRecord};
use serde_json::Value;

use super::chunks::Chunks;
use super::reading::{FileError, MAX_LINE_BYTES};
use crate::engine::csv_source::{LAST_LINE, cells, delimiter_of, names};

/// What stands between the cells of a file that begins like this.
pub(super) fn delimiter_of_head(head: &[u8]) -> u8 {
    delimiter_of(head)
}

pub(super) fn read(
    text: impl Read,
    delimiter: u8,
    read: &Cell<u64>,
    chunks: &mut Chunks<'_>,
) -> Result<(), FileError> {
    let watch = RefCell::new(Watch::default());
    let watched = Watched {
        text,
        watch: &watch,
    };
    let mut csv = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(watched.chain(LAST_LINE));
    let mut table = Table::default();
    // What is read last stands after the text, unless a quote has swallowed it.
    let (mut record, mut next) = (ByteRecord::new(), ByteRecord::new());
    let mut start = None;
    loop {
        let next_start = csv.position().byte();
        watch.borrow_mut().last_start = next_start;
        let more = csv.read_byte_record(&mut next).map_err(|error| {
            let (_, line) = watch.borrow_mut().find(next_start);
            unreadable(error, line)
        })?;
        if let Some(start) = start {
            let (content, line) = watch.borrow_mut().find(start);
            match more {
                true => table.take(&record, line, read, chunks)?,
                false if content >= watch.borrow().read => return Ok(()),
                false => return Err(open_quote(line)),
            }
        }
        std::mem::swap(&mut record, &mut next);
        start = Some(next_start);
    }
}

fn unreadable(error: csv::Error, line: u64) -> FileError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => match FileError::from(error) {
            FileError::Unreadable { message, .. } => FileError::Unreadable { line, message },
            other => other,
        },
        _ => FileError::Unreadable {
            line,
            message: format!("The CSV cannot be read from line {line} on."),
        },
    }
}

fn open_quote(line: u64) -> FileError {
    FileError::Unreadable {
        line,
        message: format!(
            "The record that begins in line {line} of the CSV has a quote that is never closed."
        ),
    }
}

/// The names of the columns, once they are known.
#[derive(Default)]
struct Table {
    names: Option<Vec<String>>,
}

impl Table {
    fn take(
        &mut self,
        record: &ByteRecord,
        line: u64,
        read: &Cell<u64>,
        chunks: &mut Chunks<'_>,
    ) -> Result<(), FileError> {
        let text = StringRecord::from_byte_record(record.clone());
        let Some(columns) = &self.names else {
            let header = text.map_err(|_| FileError::Unreadable {
                line,
                message: not_utf8(line),
            })?;
            let found = names(&header).map_err(|error| FileError::Unreadable {
                line,
                message: error.to_string(),
            })?;
            self.names = Some(found);
            return Ok(());
        };
        let wrong = match text {
            Err(_) => "not UTF-8 text; Dash reads CSV in UTF-8 only".to_owned(),
            Ok(text) if text.len() != columns.len() => format!(
                "it has {} cells, and the header line has {}",
                text.len(),
                columns.len()
            ),
            Ok(text) => {
                let fields = columns.iter().cloned().zip(text.iter().map(cells::value));
                return Ok(chunks.add(line, Value::Object(fields.collect()), read.get())?);
            }
        };
        let whole: Vec<&[u8]> = record.iter().collect();
        Ok(chunks.add_unreadable(line, &whole.join(&b','), wrong, read.get())?)
    }
}

fn not_utf8(line: u64) -> String {
    format!("Line {line} of the CSV is not UTF-8 text. Dash reads CSV in UTF-8 only.")
}

/// What has passed: how much, and where lines ended that no record was told for yet.
#[derive(Default)]
struct Watch {
    read: u64,
    /// Where the record begins that was read last.
    last_start: u64,
    breaks: VecDeque<(u64, u8)>,
    lines: u64,
}

impl Watch {
    fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.read.saturating_sub(self.last_start) > MAX_LINE_BYTES as u64 {
            let message = format!(
                "A record of the CSV is larger than {} MB. Is a quote never closed?",
                MAX_LINE_BYTES / 1024 / 1024
            );
            return Err(FileError::Unreadable { line: 0, message }.into());
        }
        let places = (self.read..).zip(bytes.iter().copied());
        self.breaks
            .extend(places.filter(|(_, byte)| matches!(byte, b'\r' | b'\n')));
        self.read += bytes.len() as u64;
        Ok(())
    }

    /// Where, from `start` on, something comes that is no line break, and its line, from 1. It never
    /// goes back.
    fn find(&mut self, mut start: u64) -> (u64, u64) {
        while let Some((at, byte)) = self.breaks.front().copied().filter(|(at, _)| *at <= start) {
            self.breaks.pop_front();
            // A line ends with either of the two, or with both.
            let is_half = byte == b'\r' && self.breaks.front() == Some(&(at + 1, b'\n'));
            self.lines += u64::from(!is_half);
            if at == start {
                start += 1;
            }
        }
        (start, self.lines + 1)
    }
}

struct Watched<'a, R> {
    text: R,
    watch: &'a RefCell<Watch>,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.text.read(buffer)?;
        let passed = buffer.get(..count).unwrap_or_default();
        self.watch.borrow_mut().pass(passed)?;
        Ok(count)
    }
}
