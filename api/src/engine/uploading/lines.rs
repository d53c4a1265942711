//! Files with one JSON value a line. A line that cannot be read fails alone.

use std::cell::Cell;
use std::io::{BufRead, Read as _};

use super::chunks::Chunks;
use super::reading::{FileError, MAX_LINE_BYTES};

pub(super) fn read(
    mut file: impl BufRead,
    read: &Cell<u64>,
    chunks: &mut Chunks<'_>,
) -> Result<(), FileError> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let limit = MAX_LINE_BYTES as u64 + 1;
        if file.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.len() > MAX_LINE_BYTES && line.last() != Some(&b'\n') {
            let message = format!(
                "the line is longer than {} MB",
                MAX_LINE_BYTES / 1024 / 1024
            );
            chunks.add_unreadable(number, &line, message, read.get())?;
            skip_line(&mut file)?;
            continue;
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        match serde_json::from_slice(text) {
            Ok(value) => chunks.add(number, value, read.get())?,
            Err(error) => {
                let message = format!("not JSON: {error}");
                chunks.add_unreadable(number, text, message, read.get())?;
            }
        }
    }
    Ok(())
}

/// Reads on to the next line, and keeps nothing.
fn skip_line(file: &mut impl BufRead) -> Result<(), FileError> {
    loop {
        let buffer = file.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(buffer.len(), |end| end + 1);
        file.consume(count);
        if end.is_some() || count == 0 {
            return Ok(());
        }
    }
}
