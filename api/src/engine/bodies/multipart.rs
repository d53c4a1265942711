//! Forms with files (`multipart/form-data`): one record of all fields. A part that is JSON is read as
//! such, and what it holds is merged into the record when its name is one that services use for
//! the whole of it.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{FutureExt as _, stream};
use multer::Multipart;
use serde_json::{Map, Value};

use super::{BodyError, ReceivedBody, ReceivedFile, form};

/// The most parts a form has, files included.
pub const MAX_PARTS: usize = 200;
/// The longest name of a file that is kept, in characters.
const MAX_FILE_NAME_CHARS: usize = 255;
/// Parts with these names are the record, or parts of it, when they are JSON objects.
const MERGED: [&str; 4] = ["payload", "record", "data", "json"];

/// Reads a whole body.
pub(super) fn read(content_type: &str, body: &Bytes) -> Result<ReceivedBody, BodyError> {
    let boundary = multer::parse_boundary(content_type).map_err(|_| {
        BodyError::NotForm(
            "its content type has no boundary; let the program that sends it set the header".into(),
        )
    })?;
    let whole = stream::iter([Ok::<_, Infallible>(body.clone())]);
    // All of it is there: reading never waits.
    let parts = parts(Multipart::new(whole, boundary)).now_or_never();
    parts.unwrap_or_else(|| Err(BodyError::NotForm("it breaks off".into())))
}

async fn parts(mut form: Multipart<'_>) -> Result<ReceivedBody, BodyError> {
    let mut record = Map::new();
    let mut files = Vec::new();
    let mut count = 0;
    while let Some(part) = form.next_field().await.map_err(broken)? {
        count += 1;
        if count > MAX_PARTS {
            return Err(BodyError::TooManyFields("parts"));
        }
        let name = part.name().unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(BodyError::NotForm(format!("part {count} has no name")));
        }
        let content_type = part.content_type().map(ToString::to_string);
        let file_name = part.file_name().map(str::to_owned);
        let is_json = content_type.as_deref().is_some_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            kind == "application/json" || kind.ends_with("+json")
        });
        let is_merged = MERGED.contains(&name.as_str());
        let bytes = part.bytes().await.map_err(broken)?;
        match file_name {
            // A browser sends a file field that was left empty like this.
            Some(file_name) if file_name.is_empty() && bytes.is_empty() => {}
            Some(file_name) if !(is_json && is_merged) => files.push(ReceivedFile {
                field: name,
                name: file_name.chars().take(MAX_FILE_NAME_CHARS).collect(),
                content_type: content_type.unwrap_or_else(|| "application/octet-stream".into()),
                bytes,
            }),
            _ => match value(&name, &bytes, is_json, is_merged)? {
                Value::Object(fields) if is_merged => record.extend(fields),
                value => form::add(&mut record, &name, value)?,
            },
        }
    }
    if record.is_empty() && files.is_empty() {
        return Err(BodyError::Empty);
    }
    Ok(ReceivedBody {
        records: vec![Value::Object(record)],
        is_list: false,
        files,
    })
}

/// What a field holds: JSON where it is said, or where the name says so and it is; else text.
fn value(name: &str, bytes: &[u8], is_json: bool, may_be: bool) -> Result<Value, BodyError> {
    let looks_like_json = may_be && bytes.trim_ascii_start().starts_with(b"{");
    match serde_json::from_slice(bytes) {
        Ok(value) if is_json || looks_like_json => Ok(value),
        Err(error) if is_json => Err(BodyError::NotForm(format!(
            "its part {name} is not JSON: {error}"
        ))),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.into()),
            Err(_) => Err(BodyError::NotForm(format!(
                "its part {name} is not UTF-8 text; send it as a file, with a file name"
            ))),
        },
    }
}

fn broken(error: multer::Error) -> BodyError {
    BodyError::NotForm(match error {
        multer::Error::IncompleteFieldData { .. }
        | multer::Error::IncompleteHeaders
        | multer::Error::IncompleteStream => {
            "it breaks off, or its parts are not divided by the boundary of its content type".into()
        }
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=x";

    fn part(disposition: &str, content_type: &str, content: &str) -> String {
        let kind = match content_type {
            "" => String::new(),
            kind => format!("Content-Type: {kind}\r\n"),
        };
        format!("--x\r\nContent-Disposition: form-data; {disposition}\r\n{kind}\r\n{content}\r\n")
    }

    fn read_parts(parts: &[String]) -> Result<ReceivedBody, BodyError> {
        let body = format!("{}--x--\r\n", parts.concat());
        read(TYPE, &Bytes::from(body))
    }

    #[test]
    fn fields_are_one_record_and_files_are_kept_apart() {
        let read = read_parts(&[
            part("name=\"a\"", "", "1"),
            part("name=\"tags\"", "", "x"),
            part("name=\"tags\"", "", "y"),
            part(
                "name=\"photo\"; filename=\"cat.png\"",
                "image/png",
                "PNG\r\n--y",
            ),
            part(
                "name=\"empty\"; filename=\"\"",
                "application/octet-stream",
                "",
            ),
        ])
        .unwrap();
        assert_eq!(read.records, [json!({"a": "1", "tags": ["x", "y"]})]);
        let [file] = &read.files[..] else {
            panic!("{:?}", read.files)
        };
        assert_eq!((&*file.field, &*file.name), ("photo", "cat.png"));
        assert_eq!(
            (&*file.content_type, &file.bytes[..]),
            ("image/png", &b"PNG\r\n--y"[..])
        );
    }

    #[test]
    fn a_part_that_is_json_is_merged_or_is_a_value() {
        let read = read_parts(&[
            part("name=\"payload\"", "application/json", "{\"id\": 1}"),
            part("name=\"record\"", "", "{\"n\": [2]}"),
            part("name=\"extra\"", "application/json", "{\"deep\": true}"),
            part("name=\"text\"", "", "{not json}"),
        ]);
        let expected = json!({"id": 1, "n": [2], "extra": {"deep": true}, "text": "{not json}"});
        assert_eq!(read.unwrap().records, [expected]);
        let broken = read_parts(&[part("name=\"payload\"", "application/json", "{")]);
        assert!(matches!(broken, Err(BodyError::NotForm(_))), "{broken:?}");
    }

    #[test]
    fn what_is_broken_or_too_much_is_refused() {
        let refused = |result: Result<ReceivedBody, BodyError>| result.unwrap_err();
        let many: Vec<_> = (0..=MAX_PARTS)
            .map(|n| part(&format!("name=\"f{n}\""), "", ""))
            .collect();
        assert_eq!(
            refused(read_parts(&many)),
            BodyError::TooManyFields("parts")
        );
        assert_eq!(refused(read_parts(&[])), BodyError::Empty);
        let without_boundary = read("multipart/form-data", &Bytes::from("--x--"));
        assert!(matches!(refused(without_boundary), BodyError::NotForm(_)));
        let cut = format!(
            "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{}",
            "1"
        );
        assert!(matches!(
            refused(read(TYPE, &Bytes::from(cut))),
            BodyError::NotForm(_)
        ));
        let nameless = read_parts(&[part("filename=\"x\"", "", "1")]);
        assert!(matches!(refused(nameless), BodyError::NotForm(_)));
    }
}
