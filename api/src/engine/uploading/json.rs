//! JSON files: an array of records, or values one after the other. The values are told apart by
//! their brackets and quotes alone, so that one which is no JSON fails by itself.

use std::cell::Cell;
use std::io::BufRead;

use super::chunks::Chunks;
use super::reading::{FileError, MAX_LINE_BYTES};

/// What a file holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Nothing has come yet.
    Unknown,
    /// An array that is not closed yet.
    Array,
    /// Values one after the other.
    Values,
    /// An array that is closed: nothing may come.
    Closed,
}

/// Tells values apart.
struct Splitter {
    shape: Shape,
    /// What has come of a value.
    value: Vec<u8>,
    /// The line where it begins.
    value_line: u64,
    line: u64,
    depth: usize,
    in_string: bool,
    is_escaped: bool,
}

pub(super) fn read(
    mut file: impl BufRead,
    read: &Cell<u64>,
    chunks: &mut Chunks<'_>,
) -> Result<(), FileError> {
    let mut splitter = Splitter::new();
    loop {
        let buffer = file.fill_buf()?;
        let count = buffer.len();
        if count == 0 {
            break;
        }
        for byte in buffer {
            if splitter.take(*byte)? {
                splitter.give(read, chunks)?;
            }
        }
        file.consume(count);
    }
    if splitter.depth > 0 || splitter.in_string {
        let message = format!(
            "The file breaks off: what begins in line {} is not closed.",
            splitter.value_line
        );
        return Err(unreadable(splitter.value_line, message));
    }
    if splitter.shape == Shape::Array {
        let message = "The file breaks off: its array is not closed with a ].".to_owned();
        return Err(unreadable(splitter.line, message));
    }
    splitter.give(read, chunks)
}

fn unreadable(line: u64, message: String) -> FileError {
    FileError::Unreadable { line, message }
}

impl Splitter {
    const fn new() -> Self {
        Self {
            shape: Shape::Unknown,
            value: Vec::new(),
            value_line: 1,
            line: 1,
            depth: 0,
            in_string: false,
            is_escaped: false,
        }
    }

    /// Takes the next byte; true when a value is whole.
    fn take(&mut self, byte: u8) -> Result<bool, FileError> {
        if byte == b'\n' {
            self.line += 1;
        }
        if self.in_string {
            self.push(byte)?;
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return Ok(false);
        }
        if self.depth == 0
            && let Some(is_whole) = self.between_values(byte)?
        {
            return Ok(is_whole);
        }
        self.push(byte)?;
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => return Ok(false),
        }
        // In an array, the comma ends it.
        Ok(self.shape == Shape::Values && self.depth == 0 && !self.in_string)
    }

    /// What a byte means that is outside of all brackets; nothing when it belongs to a value.
    fn between_values(&mut self, byte: u8) -> Result<Option<bool>, FileError> {
        let is_space = byte.is_ascii_whitespace();
        match (self.shape, byte) {
            (Shape::Unknown, b'[') => {
                self.shape = Shape::Array;
                Ok(Some(false))
            }
            (Shape::Unknown, _) if !is_space => {
                self.shape = Shape::Values;
                Ok(None)
            }
            (Shape::Array, b',') => Ok(Some(!self.value.is_empty())),
            (Shape::Array, b']') => {
                self.shape = Shape::Closed;
                Ok(Some(!self.value.is_empty()))
            }
            (Shape::Values, _) if is_space => Ok(Some(!self.value.is_empty())),
            (Shape::Closed, _) if !is_space => {
                let message = format!(
                    "Line {} of the file has something after the end of its array.",
                    self.line
                );
                Err(unreadable(self.line, message))
            }
            _ if is_space => Ok(Some(false)),
            _ => Ok(None),
        }
    }

    fn push(&mut self, byte: u8) -> Result<(), FileError> {
        if self.value.is_empty() {
            self.value_line = self.line;
        }
        if self.value.len() >= MAX_LINE_BYTES {
            let message = format!(
                "What begins in line {} of the file is larger than {} MB. Is a quote or a bracket \
                 missing?",
                self.value_line,
                MAX_LINE_BYTES / 1024 / 1024
            );
            return Err(unreadable(self.value_line, message));
        }
        self.value.push(byte);
        Ok(())
    }

    /// Hands the value over that is whole, if there is one.
    fn give(&mut self, read: &Cell<u64>, chunks: &mut Chunks<'_>) -> Result<(), FileError> {
        if self.value.is_empty() {
            return Ok(());
        }
        match serde_json::from_slice(&self.value) {
            Ok(value) => chunks.add(self.value_line, value, read.get())?,
            Err(error) => {
                let message = format!("not JSON: {error}");
                chunks.add_unreadable(self.value_line, &self.value, message, read.get())?;
            }
        }
        self.value.clear();
        Ok(())
    }
}
