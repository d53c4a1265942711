//! The rules for what somebody enters as a sink.

use super::{
    Batch, Condition, EmailTarget, EmailTiming, Every, HttpTarget, MAX_BATCH_RECORDS,
    MAX_BATCH_SECONDS, MAX_EVENT_TYPE_BYTES, MAX_RECIPIENTS, MAX_SUBJECT_BYTES, Matcher, Method,
    SinkDefinition, Target, WebhookTarget,
};
use crate::accounts::check_email;
use crate::plans::Plan;
use crate::queries::check_filters;
use crate::sources::{check_header_names, check_url};
use crate::template::{Place, Template};
use crate::{Invalid, InvalidCode};

/// The longest name of a content type, in bytes.
const MAX_CONTENT_TYPE_BYTES: usize = 100;
/// The longest that a condition keeps quiet.
const MAX_QUIET_MINUTES: u32 = 7 * 24 * 60;

impl SinkDefinition {
    /// Checks what a person entered, as paths below the input object. Whether a time zone exists, and
    /// what belongs to secrets, is checked by the server.
    pub fn check(&self, plan: Plan) -> Vec<Invalid> {
        let mut problems = Vec::new();
        problems.extend(plan.check_sink(self.target.kind()).err());
        let at = format!("target.{}", self.target.kind().as_str());
        let of_target = match &self.target {
            Target::Http(http) => check_http(http),
            Target::Webhook(webhook) => check_webhook(webhook),
            Target::Email(email) => check_email_target(email, self.filter.is_some()),
            Target::Slack(slack) => check_template("message", &slack.message, Place::Slack, true),
            Target::Zapier(zapier) => check_batch(zapier.batch),
        };
        problems.extend(of_target.into_iter().map(|problem| problem.under(&at)));
        problems.extend(
            self.filter
                .as_ref()
                .map(check_condition)
                .unwrap_or_default(),
        );
        problems
    }
}

fn check_condition(condition: &Condition) -> Vec<Invalid> {
    match condition {
        Condition::Formula { .. } => Matcher::compile(Some(condition))
            .err()
            .map(|message| Invalid::new("filter.formula", InvalidCode::Invalid, message))
            .into_iter()
            .collect(),
        Condition::All { conditions } | Condition::Any { conditions } => {
            let mut problems: Vec<Invalid> = check_filters(conditions);
            for problem in &mut problems {
                if let Some(first) = problem.field.first_mut() {
                    *first = String::from("conditions");
                }
            }
            if conditions.is_empty() {
                problems.push(Invalid::new(
                    "conditions",
                    InvalidCode::Required,
                    "There are no conditions yet. Add one, or leave the filter out.",
                ));
            }
            problems
                .into_iter()
                .map(|problem| problem.under("filter"))
                .collect()
        }
    }
}

fn check_template(at: &str, source: &str, place: Place, needed: bool) -> Vec<Invalid> {
    if needed && source.trim().is_empty() {
        return vec![Invalid::new(
            at,
            InvalidCode::Required,
            "Write what is sent.",
        )];
    }
    Template::compile(source, place)
        .err()
        .map(|error| Invalid::new(at, InvalidCode::Invalid, error.0))
        .into_iter()
        .collect()
}

fn check_batch(batch: Batch) -> Vec<Invalid> {
    let mut problems = Vec::new();
    if !(1..=MAX_BATCH_RECORDS).contains(&batch.records) {
        problems.push(Invalid::new(
            "batch.records",
            InvalidCode::Invalid,
            format!("Between 1 and {MAX_BATCH_RECORDS} records are sent together."),
        ));
    }
    if batch.seconds > MAX_BATCH_SECONDS {
        problems.push(Invalid::new(
            "batch.seconds",
            InvalidCode::Invalid,
            "Records wait for others for at most an hour.",
        ));
    }
    problems
}

fn check_http(http: &HttpTarget) -> Vec<Invalid> {
    let mut problems = Vec::new();
    problems.extend(check_template_url(&http.url, http.batch));
    problems.extend(check_header_names(&http.header_names, "request"));
    if http.method == Method::Get {
        if http.batch.is_list() {
            problems.push(Invalid::new(
                "batch.records",
                InvalidCode::Invalid,
                "A GET has no body: send records one by one.",
            ));
        }
    } else {
        let place = if http.is_json() {
            Place::Json
        } else {
            Place::Text
        };
        problems.extend(check_template("body", &http.body, place, false));
        let is_type = http.content_type.contains('/')
            && http.content_type.len() <= MAX_CONTENT_TYPE_BYTES
            && http
                .content_type
                .bytes()
                .all(|byte| (b' '..=b'~').contains(&byte));
        if !is_type {
            problems.push(Invalid::new(
                "contentType",
                InvalidCode::Invalid,
                "Say what the body is, like application/json.",
            ));
        }
    }
    problems.extend(check_batch(http.batch));
    problems
}

/// An address whose path and query may have placeholders; the host never does.
fn check_template_url(url: &str, batch: Batch) -> Option<Invalid> {
    let invalid = |message: String| Some(Invalid::new("url", InvalidCode::Invalid, message));
    let template = match Template::compile(url, Place::Url) {
        Ok(template) => template,
        Err(error) => return invalid(error.0),
    };
    if template.is_constant() {
        return check_url(url).err();
    }
    let before = url.split("{{").next().unwrap_or_default();
    let host = before.split_once("://").map(|(_, rest)| rest);
    if !host.is_some_and(|rest| rest.contains(['/', '?', '#'])) {
        return invalid(
            "Placeholders come after the host, as in https://api.example.com/{{id}}.".into(),
        );
    }
    if batch.is_list() {
        return invalid(
            "With placeholders in the address, records are sent one by one: set the batch to 1."
                .into(),
        );
    }
    check_url(before).err()
}

fn check_webhook(webhook: &WebhookTarget) -> Vec<Invalid> {
    let mut problems = Vec::new();
    problems.extend(check_url(&webhook.url).err());
    let letter = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let event_type = &webhook.event_type;
    if event_type.is_empty()
        || event_type.len() > MAX_EVENT_TYPE_BYTES
        || !event_type.chars().all(letter)
    {
        problems.push(Invalid::new(
            "eventType",
            InvalidCode::Invalid,
            "An event's type has letters, digits, dots and dashes, like order.created.",
        ));
    }
    problems.extend(check_batch(webhook.batch));
    problems
}

fn check_email_target(email: &EmailTarget, has_filter: bool) -> Vec<Invalid> {
    let mut problems = Vec::new();
    if email.to.is_empty() {
        problems.push(Invalid::new(
            "to",
            InvalidCode::Required,
            "Enter at least one address to send to.",
        ));
    }
    if email.to.len() > MAX_RECIPIENTS {
        problems.push(Invalid::new(
            "to",
            InvalidCode::TooLong,
            format!("There are at most {MAX_RECIPIENTS} recipients."),
        ));
    }
    let mut seen = std::collections::BTreeSet::new();
    for (index, address) in email.to.iter().enumerate() {
        let at = format!("to.{index}");
        if let Err(problem) = check_email(address) {
            problems.push(Invalid::new(&at, problem.code, problem.message));
        } else if !seen.insert(address.to_lowercase()) {
            problems.push(Invalid::new(
                &at,
                InvalidCode::Invalid,
                format!("“{address}” is there twice."),
            ));
        }
    }
    problems.extend(check_template("subject", &email.subject, Place::Line, true));
    if email.subject.len() > MAX_SUBJECT_BYTES {
        problems.push(Invalid::new(
            "subject",
            InvalidCode::TooLong,
            format!("A subject has at most {MAX_SUBJECT_BYTES} bytes."),
        ));
    }
    problems.extend(check_template("message", &email.message, Place::Text, true));
    problems.extend(check_timing(&email.timing, has_filter));
    problems
}

fn check_timing(timing: &EmailTiming, has_filter: bool) -> Option<Invalid> {
    let invalid = |at: &str, message: &str| Some(Invalid::new(at, InvalidCode::Invalid, message));
    match timing {
        EmailTiming::EachRecord => None,
        EmailTiming::Digest { every, .. } => match every {
            Every::Minutes { minutes } if *minutes < 5 || !60_u32.is_multiple_of(*minutes) => {
                invalid(
                    "timing.minutes",
                    "A digest comes every 5, 6, 10, 12, 15, 20, 30 or 60 minutes.",
                )
            }
            Every::Day { at_hour } if *at_hour > 23 => {
                invalid("timing.atHour", "An hour is between 0 and 23.")
            }
            _ => None,
        },
        EmailTiming::Condition { quiet_minutes } => {
            if !has_filter {
                Some(Invalid::new(
                    "timing",
                    InvalidCode::Required,
                    "Say in the filter which records are worth a mail.",
                ))
            } else if !(1..=MAX_QUIET_MINUTES).contains(quiet_minutes) {
                invalid(
                    "timing.quietMinutes",
                    "After a mail it is quiet for between a minute and 7 days.",
                )
            } else {
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::{SlackTarget, ZapierTarget};

    fn problems(target: Target) -> Vec<String> {
        let found = SinkDefinition::new(target, None).check(Plan::Business);
        let found = found.into_iter();
        found.map(|problem| problem.field.join(".")).collect()
    }

    fn http(url: &str, records: u32) -> HttpTarget {
        HttpTarget {
            method: Method::Post,
            url: url.to_owned(),
            header_names: Vec::new(),
            content_type: "application/json".to_owned(),
            body: String::new(),
            batch: Batch {
                records,
                seconds: 0,
            },
        }
    }

    #[test]
    fn placeholders_in_an_address_never_choose_its_host() {
        let check = |url: &str, records: u32, ok: bool| {
            let found = problems(Target::Http(http(url, records)));
            assert_eq!(found.is_empty(), ok, "{url}: {found:?}");
        };
        check("https://a.test/x", 100, true);
        check("https://a.test/{{id}}?n={{n}}", 1, true);
        check("https://a.test/{{id}}", 2, false);
        check("https://{{host}}/x", 1, false);
        check("https://a.test{{host}}/x", 1, false);
        check("{{url}}", 1, false);
        check("ftp://a.test/{{id}}", 1, false);
    }

    #[test]
    fn every_problem_is_told_at_its_place() {
        let bad = HttpTarget {
            header_names: vec!["Host".to_owned()],
            content_type: "json".to_owned(),
            body: "{{".to_owned(),
            ..http("x", 101)
        };
        assert_eq!(
            problems(Target::Http(bad)),
            [
                "target.http.url",
                "target.http.headers.0.name",
                "target.http.body",
                "target.http.contentType",
                "target.http.batch.records",
            ]
        );
        let email = EmailTarget {
            to: vec!["a@b.test".to_owned(), "A@b.test".to_owned(), "x".to_owned()],
            subject: " ".to_owned(),
            message: "{{=}}".to_owned(),
            timing: EmailTiming::Condition { quiet_minutes: 5 },
        };
        assert_eq!(
            problems(Target::Email(email)),
            [
                "target.email.to.1",
                "target.email.to.2",
                "target.email.subject",
                "target.email.message",
                "target.email.timing",
            ]
        );
        let slack = SlackTarget {
            message: String::new(),
        };
        assert_eq!(problems(Target::Slack(slack)), ["target.slack.message"]);
    }

    #[test]
    fn a_plan_that_has_no_such_sink_names_the_one_that_has() {
        let check = |plan: Plan, target: Target, expected: Option<&str>| {
            let found = SinkDefinition::new(target, None).check(plan);
            let message = found.first().map(|problem| {
                assert_eq!(problem.code, InvalidCode::PlanRequired);
                problem.message.as_str()
            });
            assert_eq!(message, expected);
        };
        let zapier = || {
            Target::Zapier(ZapierTarget {
                batch: Batch::default(),
            })
        };
        let free = "The Free plan has no sinks. Pro has HTTP request, Webhook and E-mail sinks.";
        check(
            Plan::Free,
            Target::Http(http("https://a.test", 1)),
            Some(free),
        );
        check(Plan::Pro, Target::Http(http("https://a.test", 1)), None);
        let pro = "The Pro plan has no Zapier sinks. Business has them.";
        check(Plan::Pro, zapier(), Some(pro));
        check(Plan::Enterprise, zapier(), None);
    }
}
