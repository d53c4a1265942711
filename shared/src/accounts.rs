//! The rules for what people type when they sign up: e-mail addresses, passwords, names.

use crate::{Invalid, InvalidCode, check_name};

/// The shortest password, in characters. Length is the only rule: no composition rules.
pub const MIN_PASSWORD_CHARS: usize = 10;
/// The longest password, in bytes, so that hashing has a bound.
pub const MAX_PASSWORD_BYTES: usize = 256;
/// The longest e-mail address, in bytes (RFC 5321).
pub const MAX_EMAIL_BYTES: usize = 254;

/// Passwords that are long enough and still the first to be tried.
const OBVIOUS_PASSWORDS: &[&str] = &[
    "1234567890",
    "0123456789",
    "12345678910",
    "123456789a",
    "qwertyuiop",
    "qwerty12345",
    "qwerty123456",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "password12",
    "password123",
    "password1234",
    "passwordpassword",
    "iloveyou123",
    "letmein123",
    "administrator",
    "welcome123",
    "changeme123",
];

/// What a person may do in a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sees everything, changes nothing.
    Viewer,
    /// Creates and changes pipelines and dashboards.
    Editor,
    /// Also manages members and settings.
    Admin,
    /// Also manages billing and can delete the organization.
    Owner,
}

impl Role {
    /// The word in the database and in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role with this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Viewer, Self::Editor, Self::Admin, Self::Owner]
            .into_iter()
            .find(|role| role.as_str() == word)
    }
}

/// Checks an e-mail address and returns it trimmed and in lower case, the form it is stored in.
pub fn check_email(email: &str) -> Result<String, Invalid> {
    let email = email.trim().to_lowercase();
    if email.is_empty() {
        return Err(Invalid::new(
            "email",
            InvalidCode::Required,
            "Enter your e-mail address.",
        ));
    }
    let valid = email.len() <= MAX_EMAIL_BYTES
        && !email.chars().any(|c| c.is_whitespace() || c.is_control())
        && email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.contains('@')
                && domain.contains('.')
                && domain.split('.').all(|label| !label.is_empty())
        });
    if valid {
        Ok(email)
    } else {
        Err(Invalid::new(
            "email",
            InvalidCode::Invalid,
            "This does not look like an e-mail address. Write it as name@example.com.",
        ))
    }
}

/// Checks a new password: its length, and that it is not among the first an attacker tries.
pub fn check_new_password(password: &str, email: &str) -> Result<(), Invalid> {
    if password.is_empty() {
        return Err(Invalid::new(
            "password",
            InvalidCode::Required,
            "Choose a password.",
        ));
    }
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return Err(Invalid::new(
            "password",
            InvalidCode::TooShort,
            format!("Use at least {MIN_PASSWORD_CHARS} characters. A few words make a good one."),
        ));
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(Invalid::new(
            "password",
            InvalidCode::TooLong,
            format!("Use at most {MAX_PASSWORD_BYTES} bytes."),
        ));
    }
    let lower = password.to_lowercase();
    let mut letters = lower.chars();
    let first = letters.next();
    let one_letter = letters.all(|c| Some(c) == first);
    if one_letter || lower == email.to_lowercase() || OBVIOUS_PASSWORDS.contains(&lower.as_str()) {
        return Err(Invalid::new(
            "password",
            InvalidCode::Invalid,
            "This password is among the first that are guessed. Choose another one.",
        ));
    }
    Ok(())
}

/// Checks a person's name and returns it trimmed.
pub fn check_person_name(name: &str) -> Result<String, Invalid> {
    if name.trim().is_empty() {
        return Err(Invalid::new(
            "name",
            InvalidCode::Required,
            "Enter your name.",
        ));
    }
    check_name("name", "person", name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_trimmed_and_lowered() {
        assert_eq!(
            check_email("  Ann@Corp.Test "),
            Ok("ann@corp.test".to_owned())
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for email in [
            "",
            "ann",
            "ann@",
            "@corp.test",
            "ann@corp",
            "a b@corp.test",
            "a@b@c.test",
        ] {
            assert!(check_email(email).is_err(), "{email}");
        }
    }

    #[test]
    fn passwords_are_judged_by_length_and_guessability() {
        let check = |password, ok| {
            assert_eq!(
                check_new_password(password, "ann@corp.test").is_ok(),
                ok,
                "{password}"
            );
        };
        check("correct horse", true);
        check("short", false);
        check("aaaaaaaaaaaa", false);
        check("Password123", false);
        check("ann@corp.test", false);
        check("ünïcödé wörd", true);
    }
}
