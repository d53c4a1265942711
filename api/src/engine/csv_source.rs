//! Reading records from CSV: the first line names the fields, every other line is one record. The
//! rules are told to users in `docs/polling.md`.

pub(super) mod cells;

use std::collections::HashSet;
use std::io::{Chain, Read};

use csv::{Reader, ReaderBuilder, StringRecord};
use dash_shared::sources::{MAX_BODY_BYTES, MAX_RECORDS_PER_RUN};
use serde_json::Value;

/// The most columns. Their names are repeated in every record.
const MAX_COLUMNS: usize = 500;
/// The most bytes that the records have as JSON, with their names: long names over short cells
/// must not make a small answer a huge one.
const MAX_SPELLED_OUT_BYTES: usize = 4 * MAX_BODY_BYTES;
/// What a cell needs as JSON besides its name and itself: quotes, a colon and a comma.
const JSON_BYTES_PER_CELL: usize = 6;
/// What may stand between cells; the first one when the header line has none of them.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What stands between the cells of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delimiter {
    /// A tab.
    Tab,
    /// What the header line has most of.
    OfHeader,
}

/// Why CSV cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum CsvError {
    /// There is no line in it.
    #[error("The CSV is empty: its first line has to name the fields.")]
    NoHeader,
    /// Its characters are in another encoding.
    #[error("Line {line} of the CSV is not UTF-8 text. Dash reads CSV in UTF-8 only.")]
    NotUtf8 {
        /// The line, from 1.
        line: usize,
    },
    /// A line does not fit the header line.
    #[error(
        "Line {line} of the CSV has another number of cells ({cells}) than its header line \
         ({expected})."
    )]
    Ragged {
        /// The line, from 1.
        line: usize,
        /// How many cells it has.
        cells: usize,
        /// How many it should have.
        expected: usize,
    },
    /// The text ends inside a quoted cell.
    #[error("The record that begins in line {line} of the CSV has a quote that is never closed.")]
    OpenQuote {
        /// The line where the record begins, from 1.
        line: usize,
    },
    /// The parser gave up.
    #[error("The CSV cannot be read: {0}.")]
    Unreadable(#[from] csv::Error),
    /// It has more columns than a record may have.
    #[error("The CSV has {0} columns; a record has at most {MAX_COLUMNS}.")]
    TooManyColumns(usize),
    /// It has more records than one run takes.
    #[error(
        "The answer has {0} records; a run takes at most {MAX_RECORDS_PER_RUN}. Ask for fewer, for \
         example with a limit in the address."
    )]
    TooManyRecords(usize),
    /// Its records are too large together.
    #[error(
        "With the names of their fields, the records of the CSV are larger than {} MB. Ask for \
         fewer records or columns.",
        MAX_SPELLED_OUT_BYTES / 1024 / 1024
    )]
    TooLarge,
}

impl CsvError {
    /// The line, from 1, that it is about.
    pub(super) const fn line(&self) -> Option<usize> {
        match self {
            Self::NotUtf8 { line } | Self::Ragged { line, .. } | Self::OpenQuote { line } => {
                Some(*line)
            }
            _ => None,
        }
    }
}

/// The records of a CSV text.
pub(super) fn records_of_csv(body: &[u8], delimiter: Delimiter) -> Result<Vec<Value>, CsvError> {
    let text = std::str::from_utf8(body).map_err(|error| CsvError::NotUtf8 {
        line: line_at(body, error.valid_up_to()),
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.trim_end_matches(['\r', '\n']);
    let mut lines = Lines::of(text, delimiter);
    let mut record = StringRecord::new();
    if !lines.read(&mut record)? {
        return Err(CsvError::NoHeader);
    }
    let names = names(&record)?;
    let names_bytes: usize = names
        .iter()
        .map(|name| name.len() + JSON_BYTES_PER_CELL)
        .sum();
    let (mut records, mut count, mut bytes) = (Vec::new(), 0, 0);
    while lines.read(&mut record)? {
        if record.len() != names.len() {
            return Err(CsvError::Ragged {
                line: lines.line(),
                cells: record.len(),
                expected: names.len(),
            });
        }
        count += 1;
        // More are counted only, to be told how many there are.
        if count <= MAX_RECORDS_PER_RUN {
            bytes += names_bytes + record.as_slice().len();
            if bytes > MAX_SPELLED_OUT_BYTES {
                return Err(CsvError::TooLarge);
            }
            let fields = names.iter().cloned().zip(record.iter().map(cells::value));
            records.push(Value::Object(fields.collect()));
        }
    }
    if count > MAX_RECORDS_PER_RUN {
        return Err(CsvError::TooManyRecords(count));
    }
    Ok(records)
}

/// Follows the text, so that a quote which is never closed is found: it swallows this line too.
pub(super) const LAST_LINE: &[u8] = b"\n.";

/// The lines of a text, as far as its quotes are concerned; empty ones are skipped.
struct Lines<'a> {
    text: &'a [u8],
    reader: Reader<Chain<&'a [u8], &'static [u8]>>,
    /// Where the line that was read last begins, in bytes; empty lines may come first.
    start: usize,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str, delimiter: Delimiter) -> Self {
        let text = text.as_bytes();
        let delimiter = match delimiter {
            Delimiter::Tab => b'\t',
            Delimiter::OfHeader => delimiter_of(text),
        };
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(text.chain(LAST_LINE));
        Self {
            text,
            reader,
            start: 0,
        }
    }

    /// Reads the next line; false when there is none.
    fn read(&mut self, record: &mut StringRecord) -> Result<bool, CsvError> {
        let place = |byte: u64| usize::try_from(byte).unwrap_or(usize::MAX);
        self.reader.read_record(record)?;
        self.start = record.position().map_or(0, |start| place(start.byte()));
        if self.start > self.text.len() || self.text.is_empty() {
            return Ok(false);
        }
        let line_break = 1;
        if place(self.reader.position().byte()) > self.text.len() + line_break {
            return Err(CsvError::OpenQuote { line: self.line() });
        }
        Ok(true)
    }

    /// Which line was read last, from 1.
    fn line(&self) -> usize {
        line_at(self.text, self.start)
    }
}

/// The line, from 1, of what comes at `start`, or after the line breaks that are there.
fn line_at(text: &[u8], start: usize) -> usize {
    let at_start = text.get(start..).unwrap_or_default();
    let is_break = |byte: &&u8| matches!(byte, b'\r' | b'\n');
    let end = start + at_start.iter().take_while(is_break).count();
    let before = text.get(..end).unwrap_or(text);
    // A line ends with either of the two, or with both.
    let ends_line = |(at, byte): &(usize, &u8)| match byte {
        b'\n' => true,
        b'\r' => before.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    1 + before.iter().enumerate().filter(ends_line).count()
}

/// The delimiter that the first line has most of, outside of quotes.
pub(super) fn delimiter_of(text: &[u8]) -> u8 {
    let is_break = |byte: &&u8| matches!(byte, b'\r' | b'\n');
    let mut is_quoted = false;
    let mut counts = [0; DELIMITERS.len()];
    let mut most = 0;
    for byte in text.iter().skip_while(is_break) {
        match byte {
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            b'\r' | b'\n' => break,
            _ => {
                if let Some(which) = DELIMITERS.iter().position(|delimiter| delimiter == byte) {
                    counts[which] += 1;
                }
            }
        }
    }
    for which in 1..DELIMITERS.len() {
        if counts[which] > counts[most] {
            most = which;
        }
    }
    DELIMITERS[most]
}

/// The names of the fields: those of the header line, where they are missing or double others.
pub(super) fn names(header: &StringRecord) -> Result<Vec<String>, CsvError> {
    if header.len() > MAX_COLUMNS {
        return Err(CsvError::TooManyColumns(header.len()));
    }
    let mut taken = HashSet::new();
    let free = |(index, name): (usize, &str)| {
        let name = match name.trim() {
            "" => format!("column_{}", index + 1),
            name => name.to_owned(),
        };
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        std::iter::once(name.clone())
            .chain(numbered)
            .find(|name| taken.insert(name.clone()))
            .unwrap_or(name)
    };
    Ok(header.iter().enumerate().map(free).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check_bytes(body: &[u8], delimiter: Delimiter, expected: Result<Value, &str>) {
        let found = records_of_csv(body, delimiter).map(Value::Array);
        let found = found.map_err(|error| error.to_string());
        // As text, so that the order of fields counts.
        assert_eq!(
            found.map(|records| records.to_string()),
            expected
                .map(|records| records.to_string())
                .map_err(str::to_owned),
            "{}",
            String::from_utf8_lossy(body)
        );
    }

    fn check(csv: &str, expected: Result<Value, &str>) {
        check_bytes(csv.as_bytes(), Delimiter::OfHeader, expected);
    }

    #[test]
    fn every_line_is_a_record_with_the_names_of_the_first() {
        let two = || Ok(json!([{"b": 1, "a": "x"}, {"b": 2, "a": "y"}]));
        for csv in [
            "b,a\n1,x\n2,y",
            "b,a\r\n1,x\r\n2,y\r\n",
            "b,a\r1,x\r2,y\r",
            "\u{feff}b,a\n1,x\n2,y\n",
            "\n\nb,a\n\n1,x\n\n\n2,y\n\n",
            " b , a \n1,x\n2,y",
            "\"b\",a\n\"1\",x\n2,\"y\"",
        ] {
            check(csv, two());
        }
        check("a,b\n", Ok(json!([])));
        check("a\n1", Ok(json!([{"a": 1}])));
        check(
            "a,b\n\"1, 2\",\"say \"\"x\"\"\nand y\"",
            Ok(json!([{"a": "1, 2", "b": "say \"x\"\nand y"}])),
        );
    }

    #[test]
    fn names_are_there_and_differ() {
        check(
            "a,,a,a_2,a,\n1,2,3,4,5,6",
            Ok(json!([{"a": 1, "column_2": 2, "a_2": 3, "a_2_2": 4, "a_3": 5, "column_6": 6}])),
        );
        check(
            "column_2,\n1,2",
            Ok(json!([{"column_2": 1, "column_2_2": 2}])),
        );
    }

    #[test]
    fn the_header_line_shows_what_stands_between_cells() {
        let record = || Ok(json!([{"a": "1,5", "b": "x"}]));
        check("a;b\n1,5;x", record());
        check("a\tb\n1,5\tx", record());
        check("a|b\n1,5|x", record());
        check("a,b\n\"1,5\",x", record());
        check("\"a;b;c\",d\n1,2", Ok(json!([{"a;b;c": 1, "d": 2}])));
        check("a;b,c\n1;2,3", Ok(json!([{"a;b": "1;2", "c": 3}])));
        check_bytes(
            b"a,b,c\td\n1,2\t3",
            Delimiter::Tab,
            Ok(json!([{"a,b,c": "1,2", "d": 3}])),
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let no_header = "The CSV is empty: its first line has to name the fields.";
        for empty in ["", "\n\n", "\u{feff}", "\u{feff}\r\n"] {
            check(empty, Err(no_header));
        }
        let ragged = |line, cells| {
            format!(
                "Line {line} of the CSV has another number of cells ({cells}) than its header line \
                 (2)."
            )
        };
        check("a,b\n1", Err(&ragged(2, 1)));
        check("a,b\n1,2\n1,2,3\n1,2", Err(&ragged(3, 3)));
        check("a,b\r\n1,2\r\n\r\n1,2,3\r\n", Err(&ragged(4, 3)));
        check("\na,b\r\"1\n\r\n\",2\r1", Err(&ragged(6, 1)));
        let open = |line| {
            format!(
                "The record that begins in line {line} of the CSV has a quote that is never closed."
            )
        };
        check("a\nx\n\"y\nz\n", Err(&open(3)));
        check("a,b\r\n1,\"2\"\r\n3,\"4\"\"", Err(&open(3)));
        check("\"a,b\n1,2", Err(&open(1)));
        check_bytes(
            b"a,b\n1,2\n3,caf\xe9\n",
            Delimiter::OfHeader,
            Err("Line 3 of the CSV is not UTF-8 text. Dash reads CSV in UTF-8 only."),
        );
    }

    #[test]
    fn what_is_too_much_is_told() {
        let rows = |count| format!("a\n{}", "1\n".repeat(count));
        let found = records_of_csv(rows(MAX_RECORDS_PER_RUN).as_bytes(), Delimiter::OfHeader);
        assert_eq!(found.unwrap().len(), MAX_RECORDS_PER_RUN);
        check(
            &rows(MAX_RECORDS_PER_RUN + 3),
            Err(
                "The answer has 10003 records; a run takes at most 10000. Ask for fewer, for \
                 example with a limit in the address.",
            ),
        );
        let columns = |count: usize| vec!["x"; count].join(",");
        let found = records_of_csv(columns(MAX_COLUMNS).as_bytes(), Delimiter::OfHeader);
        assert!(found.unwrap().is_empty());
        check(
            &columns(MAX_COLUMNS + 1),
            Err("The CSV has 501 columns; a record has at most 500."),
        );
        let long_name = "n".repeat(100_000);
        check(
            &format!("{long_name},b\n{}", "1,2\n".repeat(500)),
            Err(
                "With the names of their fields, the records of the CSV are larger than 40 MB. \
                 Ask for fewer records or columns.",
            ),
        );
    }
}
