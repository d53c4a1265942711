//! The statements of scripts. Each begins with a word, so that line ends mean nothing.

use super::Parser;
use crate::formula::lexer::TokenKind;
use crate::formula::problem::SyntaxError;
use crate::formula::tree::{Accessor, Base, Statement};

/// The most variables of a script.
const MAX_LOCALS: usize = 100;

/// Reads a script; also says how many variables it has.
pub fn script(source: &str) -> Result<(Vec<Statement>, usize), SyntaxError> {
    let mut parser = Parser::of(source)?;
    let statements = parser.statements(&TokenKind::End)?;
    Ok((statements, parser.locals))
}

impl Parser<'_> {
    /// Reads statements up to the end of a block or of the source.
    fn statements(&mut self, end: &TokenKind) -> Result<Vec<Statement>, SyntaxError> {
        let seen = self.names.len();
        let mut statements = Vec::new();
        loop {
            if self.kind() == end {
                self.next += 1;
                self.names.truncate(seen);
                return Ok(statements);
            }
            if !self.take_sign(";") {
                statements.push(self.statement()?);
            }
        }
    }

    fn block(&mut self) -> Result<Vec<Statement>, SyntaxError> {
        self.need("{")?;
        self.deeper(|this| this.statements(&TokenKind::Sign("}")))
    }

    fn statement(&mut self) -> Result<Statement, SyntaxError> {
        let TokenKind::Word(word) = self.kind().clone() else {
            return self.error("a statement begins with a word: let, if, for, return, delete, drop, or what gets a value");
        };
        // A field may be called like a word of the language: then an operator follows.
        let sets = matches!(self.kind_after(), TokenKind::Sign("=" | "."));
        match word.as_str() {
            "let" if !sets => {
                self.next += 1;
                let name = self.name()?;
                self.need("=")?;
                let value = self.expr()?;
                Ok(Statement::Let(self.new_local(name)?, value))
            }
            "if" if !sets => self.if_statement(),
            "for" if !sets => {
                self.next += 1;
                let name = self.name()?;
                if !self.take_word("in") {
                    return self.error("“in” is missing here: for item in items { … }");
                }
                let list = self.expr()?;
                let seen = self.names.len();
                let place = self.new_local(name)?;
                let body = self.block()?;
                self.names.truncate(seen);
                Ok(Statement::For(place, list, body))
            }
            "return" if !sets => {
                self.next += 1;
                Ok(Statement::Return(self.expr()?))
            }
            "drop" if !sets => {
                self.next += 1;
                Ok(Statement::Drop)
            }
            "delete" if !sets => {
                self.next += 1;
                let (base, accessors) = self.target()?;
                if accessors.is_empty() {
                    return self.error("delete takes a field away: delete record.note");
                }
                Ok(Statement::Delete(base, accessors))
            }
            _ => {
                let (base, accessors) = self.target()?;
                self.need("=")?;
                Ok(Statement::Assign(base, accessors, self.expr()?))
            }
        }
    }

    fn if_statement(&mut self) -> Result<Statement, SyntaxError> {
        let mut branches = Vec::new();
        loop {
            self.next += 1;
            let condition = self.expr()?;
            branches.push((Some(condition), self.block()?));
            if !self.take_word("else") {
                return Ok(Statement::If(branches));
            }
            if !self.is_word("if") {
                branches.push((None, self.block()?));
                return Ok(Statement::If(branches));
            }
        }
    }

    /// What gets a value: a variable, or a place in one or in the record.
    fn target(&mut self) -> Result<(Base, Vec<Accessor>), SyntaxError> {
        if self.take_word("record") {
            return Ok((Base::Record, self.accessors()?));
        }
        let at = self.next;
        let name = self.name()?;
        match self.base_of(name.clone()) {
            Base::Field(_) => {
                self.next = at;
                self.error(format!(
                    "there is no variable “{name}”: make one with let {name} = …, or set the field with record.{name} = …"
                ))
            }
            local => Ok((local, self.accessors()?)),
        }
    }

    fn new_local(&mut self, name: String) -> Result<usize, SyntaxError> {
        if self.locals >= MAX_LOCALS {
            return self.error(format!("a script has at most {MAX_LOCALS} variables"));
        }
        let place = self.locals;
        self.locals += 1;
        self.names.push((name, place));
        Ok(place)
    }
}
