//! `cargo xtask`: everything a developer of Dash does, from an empty machine on.
//!
//! Each command installs what it needs and is missing, says so, and then works. This file knows the
//! commands and their options; what they do is in the modules.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks to its user"
)]

mod apt;
mod engine;
mod fuzz;
mod npm;
mod phases;
mod postgres;
mod programs;
mod serve;
mod shell;
mod test;
mod tools;
mod web;
mod workspace;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use workspace::Workspace;

const HELP: &str = "\
cargo xtask COMMAND

  serve [--open] [--port N]   build Dash in release mode and start it at http://localhost:4000,
                              with SQLite in ./data; --open opens it in the browser
  build                       that build alone: web/dist and target/release/dash
  test [--only PHASE]...      everything CI runs; PHASE is one of
                              format, lints, unit, sqlite, postgres, web, browser
  check                       format and lints alone
  e2e                         the browser tests alone
  schema                      write schema.graphql from the code
  bench NAME                  run a benchmark; prints a table, writes target/bench/NAME.json
  fuzz [NAME]... [--seconds N]  give parsers made-up input, a minute each, and fail on a crash
  screenshots                 take the documentation's pictures into docs/images
  help                        this text
";

fn main() -> ExitCode {
    match run(Options(std::env::args().skip(1).collect())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut options: Options) -> Result<()> {
    let command = options.argument("a command")?;
    match command.as_str() {
        "serve" => {
            let open = options.flag("--open");
            let port = options.value("--port")?.unwrap_or("4000".to_owned());
            let port = port.parse().context("--port needs a number up to 65535")?;
            options.end()?;
            serve::serve(&Workspace::locate()?, port, open)
        }
        "build" => {
            options.end()?;
            serve::build(&Workspace::locate()?).map(drop)
        }
        // `serve --open` starts this beside the server.
        "open-when-ready" => {
            let port = options.argument("a port")?.parse()?;
            options.end()?;
            serve::open_when_ready(port)
        }
        "test" => {
            let mut phases = Vec::new();
            while let Some(name) = options.value("--only")? {
                phases.push(test::Phase::parse(&name)?);
            }
            options.end()?;
            test::test(&Workspace::locate()?, &phases)
        }
        "check" => {
            options.end()?;
            test::test(
                &Workspace::locate()?,
                &[test::Phase::Format, test::Phase::Lints],
            )
        }
        "e2e" => {
            options.end()?;
            test::test(&Workspace::locate()?, &[test::Phase::Browser])
        }
        "schema" => {
            options.end()?;
            programs::schema(&Workspace::locate()?)
        }
        "bench" => {
            let name = options.argument("the name of a benchmark")?;
            programs::bench(&Workspace::locate()?, &name, &options.0)
        }
        "fuzz" => {
            let seconds = options.value("--seconds")?;
            let seconds = seconds.map_or(Ok(fuzz::SECONDS), |text| text.parse());
            let seconds = seconds.context("--seconds needs a number")?;
            fuzz::fuzz(&Workspace::locate()?, &options.0, seconds)
        }
        "screenshots" => {
            options.end()?;
            programs::screenshots(&Workspace::locate()?)
        }
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => bail!("there is no command {other:?}\n\n{HELP}"),
    }
}

/// The arguments after the command, taken one by one.
struct Options(Vec<String>);

impl Options {
    fn flag(&mut self, name: &str) -> bool {
        let place = self.0.iter().position(|argument| argument == name);
        place.map(|index| self.0.remove(index)).is_some()
    }

    fn value(&mut self, name: &str) -> Result<Option<String>> {
        let Some(index) = self.0.iter().position(|argument| argument == name) else {
            return Ok(None);
        };
        if index + 1 == self.0.len() {
            bail!("{name} needs a value");
        }
        self.0.remove(index);
        Ok(Some(self.0.remove(index)))
    }

    fn argument(&mut self, what: &str) -> Result<String> {
        if self.0.is_empty() {
            bail!("{what} is missing\n\n{HELP}");
        }
        Ok(self.0.remove(0))
    }

    fn end(self) -> Result<()> {
        match self.0.first() {
            Some(extra) => bail!("{extra:?} is not understood\n\n{HELP}"),
            None => Ok(()),
        }
    }
}
