//! HTTP polling: what is asked and how often, who asks, where the pages and records are, and what
//! of them is new. Secrets are not part of it: the values of headers, tokens and passwords are kept
//! apart, encrypted.

mod check;
mod parts;
pub mod placeholders;

use serde::{Deserialize, Serialize};

pub use check::{check_cursor_value, check_header_names, check_url};
pub use parts::{
    AnswerFormat, ApiKeyPlace, Auth, ClientPlace, Cursor, CursorPick, CursorPlace, Method, OAuth2,
    Pagination, Parameter, RequestBody, Schedule,
};

/// The most query parameters.
pub const MAX_PARAMETERS: usize = 50;
/// The longest template of a body, in bytes.
pub const MAX_TEMPLATE_BYTES: usize = 16 * 1024;
/// The most pages one run reads.
pub const MAX_PAGES: u32 = 100;
/// The most records one asks for with a page.
pub const MAX_PAGE_SIZE: u32 = 10_000;
/// The longest value of an incremental cursor, in bytes.
pub const MAX_CURSOR_BYTES: usize = 1_024;
/// The longest cron expression, in bytes.
pub const MAX_CRON_BYTES: usize = 200;

/// What is polled, how often, and where the records are in the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpPolling {
    /// An `http` or `https` address.
    pub url: String,
    /// When it is asked.
    #[serde(flatten)]
    pub schedule: Schedule,
    /// The method.
    #[serde(default)]
    pub method: Method,
    /// What is added to the query of the address.
    #[serde(default)]
    pub query: Vec<Parameter>,
    /// The names of the request headers; the values are secrets and kept apart.
    #[serde(default)]
    pub header_names: Vec<String>,
    /// The body of a POST.
    #[serde(default)]
    pub body: Option<RequestBody>,
    /// Who asks; the secret is kept apart.
    #[serde(default)]
    pub auth: Auth,
    /// How the answer is written.
    #[serde(default)]
    pub format: AnswerFormat,
    /// A JSONPath (RFC 9535) to the records: to an array of them, or to each.
    pub records_path: String,
    /// How the answer goes on.
    #[serde(default)]
    pub pagination: Pagination,
    /// How many pages a run reads at most.
    #[serde(default = "all_pages")]
    pub max_pages: u32,
    /// Where the next run goes on.
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// The field that names a record: one that is stored already is left out.
    #[serde(default)]
    pub key_field: Option<String>,
}

const fn all_pages() -> u32 {
    MAX_PAGES
}

impl HttpPolling {
    /// Asking an address with a plain GET for all that it answers.
    pub fn get(url: impl Into<String>, schedule: Schedule) -> Self {
        Self {
            url: url.into(),
            schedule,
            method: Method::default(),
            query: Vec::new(),
            header_names: Vec::new(),
            body: None,
            auth: Auth::default(),
            format: AnswerFormat::default(),
            records_path: "$".to_owned(),
            pagination: Pagination::default(),
            max_pages: MAX_PAGES,
            cursor: None,
            key_field: None,
        }
    }

    /// The texts that may have placeholders in them, apart from the secret ones.
    pub fn templates(&self) -> impl Iterator<Item = &str> {
        let values = self.query.iter().map(|parameter| parameter.value.as_str());
        let body = self.body.iter().map(|body| body.text.as_str());
        std::iter::once(self.url.as_str()).chain(values).chain(body)
    }

    /// Replaces each of these texts.
    pub fn fill_templates(&mut self, mut fill: impl FnMut(&str) -> String) {
        self.url = fill(&self.url);
        for parameter in &mut self.query {
            parameter.value = fill(&parameter.value);
        }
        if let Some(body) = &mut self.body {
            body.text = fill(&body.text);
        }
    }
}

#[cfg(test)]
mod tests;
