//! The rules for polling sources, as far as they can be checked without asking anybody. The syntax
//! of paths into answers and of cron expressions is checked by the server.

use super::{
    ApiKeyPlace, Auth, Cursor, CursorPlace, HttpPolling, MAX_CRON_BYTES, MAX_CURSOR_BYTES,
    MAX_PAGE_SIZE, MAX_PAGES, MAX_PARAMETERS, MAX_TEMPLATE_BYTES, Method, Pagination, Schedule,
    placeholders,
};
use crate::fields::FieldPath;
use crate::plans::Plan;
use crate::sources::{MAX_HEADERS, MAX_INTERVAL_SECONDS, MAX_RECORDS_PATH_BYTES, MAX_URL_BYTES};
use crate::{Invalid, InvalidCode};

/// The longest name of a header or parameter, in bytes.
const MAX_NAME_BYTES: usize = 100;
/// The longest value of a parameter, a user name and the like, in bytes.
const MAX_VALUE_BYTES: usize = 2_048;

/// Headers that are set by the client itself or change how a connection is used.
const RESERVED_HEADERS: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn invalid(field: &str, message: impl Into<String>) -> Invalid {
    Invalid::new(field, InvalidCode::Invalid, message)
}

fn too_long(field: &str, message: impl Into<String>) -> Invalid {
    Invalid::new(field, InvalidCode::TooLong, message)
}

fn required(field: &str, message: impl Into<String>) -> Invalid {
    Invalid::new(field, InvalidCode::Required, message)
}

impl HttpPolling {
    /// Checks what a person entered.
    pub fn check(&self, plan: Plan) -> Vec<Invalid> {
        let mut problems = Vec::new();
        problems.extend(check_url(&self.url).err());
        problems.extend(check_placeholders("url", &self.url));
        self.check_schedule(plan, &mut problems);
        problems.extend(check_path("recordsPath", &self.records_path));
        problems.extend(check_header_names(&self.header_names, "source"));
        self.check_query(&mut problems);
        self.check_body(&mut problems);
        self.auth.check(&mut problems);
        self.pagination.check(&mut problems);
        if !(1..=MAX_PAGES).contains(&self.max_pages) {
            let message = format!("A run reads 1 to {MAX_PAGES} pages.");
            problems.push(invalid("maxPages", message));
        }
        self.check_cursor(&mut problems);
        if let Some(field) = &self.key_field {
            problems.extend(check_field("keyField", field));
        }
        problems
    }

    fn check_schedule(&self, plan: Plan, problems: &mut Vec<Invalid>) {
        match &self.schedule {
            Schedule::Every { interval_seconds } => {
                if *interval_seconds > MAX_INTERVAL_SECONDS {
                    let message = "The interval is at most 7 days.";
                    problems.push(invalid("intervalSeconds", message));
                }
                problems.extend(plan.check_polling_interval(*interval_seconds).err());
            }
            Schedule::Cron { cron, .. } if cron.len() > MAX_CRON_BYTES => {
                let message = format!("A cron expression has at most {MAX_CRON_BYTES} bytes.");
                problems.push(too_long("cron.expression", message));
            }
            Schedule::Cron { .. } => {}
        }
    }

    fn check_query(&self, problems: &mut Vec<Invalid>) {
        if self.query.len() > MAX_PARAMETERS {
            let message = format!("A source has at most {MAX_PARAMETERS} query parameters.");
            problems.push(too_long("query", message));
        }
        for (index, parameter) in self.query.iter().enumerate() {
            let at = format!("query.{index}");
            problems.extend(check_parameter(&format!("{at}.name"), &parameter.name));
            problems.extend(check_value(&format!("{at}.value"), &parameter.value));
            problems.extend(check_placeholders(&format!("{at}.value"), &parameter.value));
        }
    }

    fn check_body(&self, problems: &mut Vec<Invalid>) {
        let Some(body) = &self.body else { return };
        if self.method == Method::Get {
            let message = "A GET has no body. Choose POST, or leave the body out.";
            problems.push(invalid("body", message));
        }
        if body.text.len() > MAX_TEMPLATE_BYTES {
            let message = format!("A body has at most {MAX_TEMPLATE_BYTES} bytes.");
            problems.push(too_long("body.text", message));
        }
        let is_type = |text: &str| {
            let printable = text.chars().all(|c| (' '..='~').contains(&c));
            text.len() <= MAX_NAME_BYTES && text.contains('/') && printable
        };
        if !is_type(&body.content_type) {
            let message = "A content type looks like application/json.";
            problems.push(invalid("body.contentType", message));
        }
    }

    fn check_cursor(&self, problems: &mut Vec<Invalid>) {
        let used = self
            .templates()
            .any(|text| placeholders::has(text, placeholders::CURSOR));
        match &self.cursor {
            Some(cursor) => {
                cursor.check(problems);
                if !used {
                    problems.push(invalid(
                        "cursor.path",
                        "Say where the cursor is sent: put {{cursor}} into a query parameter, the \
                         address or the body.",
                    ));
                }
            }
            None if used => problems.push(required(
                "cursor",
                "Say what {{cursor}} is: a field of the records, such as updated_at, or a place in \
                 the answer.",
            )),
            None => {}
        }
    }
}

impl Auth {
    fn check(&self, problems: &mut Vec<Invalid>) {
        match self {
            Self::None | Self::Bearer => {}
            Self::Basic { user_name } => {
                let missing = "Enter the user name.";
                problems.extend(check_entered("auth.userName", user_name, missing));
                if user_name.contains(|c: char| c == ':' || c.is_control()) {
                    let message = "A user name has no colon in it.";
                    problems.push(invalid("auth.userName", message));
                }
            }
            Self::ApiKey { place, name } => problems.extend(match place {
                ApiKeyPlace::Header => check_header_name("auth.name", name),
                ApiKeyPlace::Query => check_parameter("auth.name", name),
            }),
            Self::OAuth2(oauth2) => {
                if let Err(mut problem) = check_url(&oauth2.token_url) {
                    problem.field = vec!["auth".to_owned(), "tokenUrl".to_owned()];
                    problems.push(problem);
                }
                let id = &oauth2.client_id;
                problems.extend(check_entered("auth.clientId", id, "Enter the client's id."));
                let optional = [
                    ("auth.scope", &oauth2.scope),
                    ("auth.audience", &oauth2.audience),
                ];
                for (field, value) in optional {
                    problems.extend(value.as_ref().and_then(|value| check_value(field, value)));
                }
            }
        }
    }
}

impl Pagination {
    fn check(&self, problems: &mut Vec<Invalid>) {
        let named = |parameter| check_parameter("pagination.parameter", parameter);
        match self {
            Self::None | Self::Link => {}
            Self::Page {
                parameter,
                size_parameter,
                size,
                ..
            }
            | Self::Offset {
                parameter,
                size_parameter,
                size,
            } => {
                problems.extend(named(parameter));
                if let Some(name) = size_parameter {
                    problems.extend(check_parameter("pagination.sizeParameter", name));
                    if size.is_none() {
                        let message = "Say how many records a page has.";
                        problems.push(required("pagination.size", message));
                    }
                }
                if size.is_some_and(|size| !(1..=MAX_PAGE_SIZE).contains(&size)) {
                    let message = format!("A page has 1 to {MAX_PAGE_SIZE} records.");
                    problems.push(invalid("pagination.size", message));
                }
            }
            Self::Cursor { parameter, path } => {
                problems.extend(named(parameter));
                problems.extend(check_path("pagination.path", path));
            }
            Self::NextUrl { path } => problems.extend(check_path("pagination.path", path)),
        }
    }
}

impl Cursor {
    fn check(&self, problems: &mut Vec<Invalid>) {
        problems.extend(match self.place {
            CursorPlace::Records => check_field("cursor.path", &self.path),
            CursorPlace::Answer => check_path("cursor.path", &self.path),
        });
        let initial = self.initial.as_deref().unwrap_or_default();
        problems.extend(check_cursor_value("cursor.initial", initial).err());
    }
}

/// Checks the value of an incremental cursor.
pub fn check_cursor_value(field: &str, value: &str) -> Result<(), Invalid> {
    if value.len() > MAX_CURSOR_BYTES {
        let message = format!("A cursor has at most {MAX_CURSOR_BYTES} bytes.");
        return Err(too_long(field, message));
    }
    if value.chars().any(char::is_control) {
        let message = "A cursor is one line, without control characters.";
        return Err(invalid(field, message));
    }
    Ok(())
}

fn check_path(field: &str, path: &str) -> Option<Invalid> {
    let message = || format!("A path has at most {MAX_RECORDS_PATH_BYTES} bytes.");
    (path.len() > MAX_RECORDS_PATH_BYTES).then(|| too_long(field, message()))
}

fn check_field(field: &str, path: &str) -> Option<Invalid> {
    let error = path.parse::<FieldPath>().err()?;
    Some(invalid(field, format!("{error}.")))
}

/// Checks the names of request headers; `whose` they are is told when they are too many.
pub fn check_header_names(names: &[String], whose: &str) -> Vec<Invalid> {
    let mut problems = Vec::new();
    if names.len() > MAX_HEADERS {
        let message = format!("A {whose} has at most {MAX_HEADERS} headers.");
        problems.push(too_long("headers", message));
    }
    let mut seen = std::collections::BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        let at = format!("headers.{index}.name");
        let odd = check_header_name(&at, name);
        if odd.is_none() && !seen.insert(name.to_ascii_lowercase()) {
            let message = format!("The header “{name}” is there twice.");
            problems.push(invalid(&at, message));
        }
        problems.extend(odd);
    }
    problems
}

fn check_header_name(field: &str, name: &str) -> Option<Invalid> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.chars().all(token) {
        let message = "A header name has letters, digits and dashes, like X-Api-Key.";
        Some(invalid(field, message))
    } else if RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
        let message = format!("Dash sets the header “{name}” itself. Leave it out.");
        Some(invalid(field, message))
    } else {
        None
    }
}

fn check_parameter(field: &str, name: &str) -> Option<Invalid> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
        let message = "A parameter has a name, like page or api_key.";
        Some(invalid(field, message))
    } else {
        None
    }
}

fn check_value(field: &str, value: &str) -> Option<Invalid> {
    let message = || format!("A value has at most {MAX_VALUE_BYTES} bytes.");
    (value.len() > MAX_VALUE_BYTES).then(|| too_long(field, message()))
}

fn check_entered(field: &str, value: &str, missing: &str) -> Option<Invalid> {
    if value.trim().is_empty() {
        return Some(required(field, missing));
    }
    check_value(field, value)
}

fn check_placeholders(field: &str, text: &str) -> Option<Invalid> {
    let known =
        |name: &str| name == placeholders::CURSOR || name.starts_with(placeholders::SECRETS);
    let odd = placeholders::names(text).find(|name| !known(name))?;
    let message = format!(
        "There is no {{{{{odd}}}}}. What can be put in is {{{{cursor}}}}, and {{{{secrets.name}}}}."
    );
    Some(invalid(field, message))
}

/// Checks that an address can be asked at all. Whether it may be is decided when it is asked.
pub fn check_url(url: &str) -> Result<(), Invalid> {
    let wrong = |message: &str| Err(invalid("url", message));
    if url.is_empty() {
        return Err(required("url", "Enter an address to ask."));
    }
    if url.len() > MAX_URL_BYTES {
        return Err(too_long("url", "An address has at most 2,048 bytes."));
    }
    let Some(rest) = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
    else {
        return wrong("An address starts with https:// or http://.");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return wrong(
            "Put the user name and password into the authentication, not into the address.",
        );
    }
    if host.contains(['{', '}']) {
        return wrong("Placeholders can follow the host of an address, not be in it.");
    }
    if host.is_empty() || host.starts_with(':') || url.contains(char::is_whitespace) {
        return wrong("This is not a complete address, like https://api.example.com/orders.");
    }
    Ok(())
}
