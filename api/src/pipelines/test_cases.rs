//! Test cases: records with what a pipeline's transform has to make of them. A change of the
//! transform that breaks one is refused, in the transaction of the change.

mod entity;
mod verdict;

use dash_shared::accounts::Role;
use dash_shared::ids::{PipelineId, TransformTestId};
use dash_shared::transform::Step;
use dash_shared::{Invalid, InvalidCode, check_name};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::Value;

use super::entity::{from_json, to_json};
use super::{Draft, Pipelines, PipelinesError};
use crate::accounts::TenantScope;
use crate::db::is_unique_violation;
use crate::engine::{Definition, Trial};

pub use verdict::{Actual, Expected, Verdict};

/// How many test cases a pipeline has.
pub const MAX_TESTS: usize = 100;
/// The largest record that is put in, as JSON, in bytes.
const MAX_INPUT_BYTES: usize = 64 * 1024;
/// The largest expectation, as JSON, in bytes.
const MAX_EXPECTED_BYTES: usize = 256 * 1024;

/// A record, and what a pipeline's transform has to make of it.
#[derive(Clone, Debug, PartialEq)]
pub struct TransformTest {
    /// Its id.
    pub id: TransformTestId,
    /// The pipeline.
    pub pipeline_id: PipelineId,
    /// Its name, of which the pipeline has one.
    pub name: String,
    /// The record, as it comes in.
    pub input: Value,
    /// What has to come of it.
    pub expected: Expected,
    /// When it was written, in milliseconds since 1970. The transform takes it for now.
    pub updated_at_ms: i64,
}

/// A test case and what came of it.
#[derive(Clone, Debug)]
pub struct TestResult {
    /// The test case.
    pub test: TransformTest,
    /// What came of it.
    pub verdict: Verdict,
}

/// A test case as somebody enters it.
#[derive(Clone, Debug)]
pub struct NewTest {
    /// Its name.
    pub name: String,
    /// The record.
    pub input: Value,
    /// What has to come of it; what comes of it now, without one.
    pub expected: Option<Expected>,
}

/// Changes to a test case; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct TestChanges {
    /// A new name.
    pub name: Option<String>,
    /// Another record.
    pub input: Option<Value>,
    /// Another expectation.
    pub expected: Option<Expected>,
}

impl TryFrom<entity::Model> for TransformTest {
    type Error = PipelinesError;

    fn try_from(row: entity::Model) -> Result<Self, PipelinesError> {
        Ok(Self {
            id: TransformTestId::from_uuid(row.id),
            pipeline_id: PipelineId::from_uuid(row.pipeline_id),
            name: row.name,
            input: from_json(&row.input)?,
            expected: from_json(&row.expected)?,
            updated_at_ms: row.updated_at_ms,
        })
    }
}

impl Pipelines {
    /// The test cases of a pipeline, by name.
    pub async fn tests(
        &self,
        scope: &TenantScope,
        id: PipelineId,
    ) -> Result<Vec<TransformTest>, PipelinesError> {
        self.get(scope, id).await?;
        tests_of(self.db.orm(), id).await
    }

    /// Adds a test case to a pipeline.
    pub async fn create_test(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        new: NewTest,
    ) -> Result<TransformTest, PipelinesError> {
        scope.require(Role::Editor)?;
        let (transaction, row) = self.begin_change(scope, id).await?;
        let pipeline = row.try_into()?;
        let now_ms = self.clock.now_ms();
        let expected = if let Some(expected) = new.expected {
            expected
        } else {
            let trial = Trial {
                received: new.input.clone(),
                now_ms,
            };
            let definition = self.definition(&pipeline)?;
            let tried = self.engine.try_apart(&definition, vec![trial]).await?;
            let outcomes = tried.into_iter().next().flatten().unwrap_or_default();
            Actual::of(outcomes).as_expected()
        };
        let mut problems = check(&new.input, &expected);
        let name = check_name("name", "test case", &new.name).map_err(|error| problems.push(error));
        let of_pipeline = entity::Column::PipelineId.eq(id.uuid());
        let count = entity::Entity::find()
            .filter(of_pipeline)
            .count(&*transaction)
            .await?;
        if count >= MAX_TESTS as u64 {
            problems.push(Invalid::new(
                "pipelineId",
                InvalidCode::TooLong,
                format!("A pipeline has at most {MAX_TESTS} test cases. Delete one first."),
            ));
        }
        let (Ok(name), true) = (name, problems.is_empty()) else {
            return Err(PipelinesError::Invalid(problems));
        };
        let row = entity::ActiveModel {
            id: Set(TransformTestId::new().uuid()),
            pipeline_id: Set(id.uuid()),
            name: Set(name),
            input: Set(to_json(&new.input)?),
            expected: Set(to_json(&expected)?),
            updated_at_ms: Set(now_ms),
        };
        let test = row.insert(&*transaction).await.map_err(name_taken)?;
        transaction.commit().await?;
        test.try_into()
    }

    /// Changes a test case.
    pub async fn update_test(
        &self,
        scope: &TenantScope,
        id: TransformTestId,
        changes: TestChanges,
    ) -> Result<TransformTest, PipelinesError> {
        scope.require(Role::Editor)?;
        let pipeline_id = self.pipeline_of_test(scope, id).await?;
        let (transaction, _) = self.begin_change(scope, pipeline_id).await?;
        let row = entity::Entity::find_by_id(id.uuid())
            .one(&*transaction)
            .await?
            .ok_or(PipelinesError::NoTest)?;
        let mut test = TransformTest::try_from(row.clone())?;
        let mut problems = Vec::new();
        if let Some(name) = changes.name {
            match check_name("name", "test case", &name) {
                Ok(name) => test.name = name,
                Err(problem) => problems.push(problem),
            }
        }
        test.input = changes.input.unwrap_or(test.input);
        test.expected = changes.expected.unwrap_or(test.expected);
        test.updated_at_ms = self.clock.now_ms();
        problems.extend(check(&test.input, &test.expected));
        if !problems.is_empty() {
            return Err(PipelinesError::Invalid(problems));
        }
        let mut row = row.into_active_model();
        row.name = Set(test.name.clone());
        row.input = Set(to_json(&test.input)?);
        row.expected = Set(to_json(&test.expected)?);
        row.updated_at_ms = Set(test.updated_at_ms);
        row.update(&*transaction).await.map_err(name_taken)?;
        transaction.commit().await?;
        Ok(test)
    }

    /// Deletes a test case.
    pub async fn delete_test(
        &self,
        scope: &TenantScope,
        id: TransformTestId,
    ) -> Result<(), PipelinesError> {
        scope.require(Role::Editor)?;
        let pipeline_id = self.pipeline_of_test(scope, id).await?;
        let (transaction, _) = self.begin_change(scope, pipeline_id).await?;
        entity::Entity::delete_by_id(id.uuid())
            .exec(&*transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What comes of a pipeline's test cases with these steps and this time field; with its own
    /// where there are none. An empty time field is none.
    pub async fn run_tests(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        steps: Option<Vec<Step>>,
        time_field: Option<String>,
    ) -> Result<Vec<TestResult>, PipelinesError> {
        let pipeline = self.get(scope, id).await?;
        let own_field = pipeline.time_field.as_ref().map(ToString::to_string);
        let draft = Draft {
            steps: steps.unwrap_or_else(|| pipeline.steps.clone()),
            time_field: time_field.or(own_field),
        };
        let mut problems = Vec::new();
        let definition = self.draft(scope, draft, &mut problems).await?;
        let (Some(definition), true) = (definition, problems.is_empty()) else {
            return Err(PipelinesError::Invalid(problems));
        };
        let tests = tests_of(self.db.orm(), id).await?;
        self.judge(&definition, tests).await
    }

    /// Refuses a transform that breaks a test case of a pipeline. While the transaction lasts, no
    /// test case is added or changed: each such change locks the pipeline.
    pub(super) async fn require_tests(
        &self,
        transaction: &impl ConnectionTrait,
        definition: &Definition,
    ) -> Result<(), PipelinesError> {
        let tests = tests_of(transaction, definition.pipeline_id).await?;
        let mut results = self.judge(definition, tests).await?;
        results.retain(|result| result.verdict.problem.is_some());
        if results.is_empty() {
            return Ok(());
        }
        Err(PipelinesError::TestsFailed(results))
    }

    async fn judge(
        &self,
        definition: &Definition,
        tests: Vec<TransformTest>,
    ) -> Result<Vec<TestResult>, PipelinesError> {
        let trials = tests.iter().map(|test| Trial {
            received: test.input.clone(),
            now_ms: test.updated_at_ms,
        });
        let tried = self.engine.try_apart(definition, trials.collect()).await?;
        let results = tests.into_iter().zip(tried);
        let results = results.map(|(test, outcomes)| TestResult {
            verdict: outcomes.map_or_else(Verdict::late, |outcomes| {
                Verdict::of(&test.expected, outcomes)
            }),
            test,
        });
        Ok(results.collect())
    }

    /// The pipeline that a test case belongs to, if it is the team's.
    async fn pipeline_of_test(
        &self,
        scope: &TenantScope,
        id: TransformTestId,
    ) -> Result<PipelineId, PipelinesError> {
        let row = entity::Entity::find_by_id(id.uuid())
            .one(self.db.orm())
            .await?
            .ok_or(PipelinesError::NoTest)?;
        let pipeline_id = PipelineId::from_uuid(row.pipeline_id);
        match self.find(scope, pipeline_id).await? {
            Some(pipeline) => Ok(pipeline.id),
            None => Err(PipelinesError::NoTest),
        }
    }
}

async fn tests_of(
    connection: &impl ConnectionTrait,
    id: PipelineId,
) -> Result<Vec<TransformTest>, PipelinesError> {
    let rows = entity::Entity::find()
        .filter(entity::Column::PipelineId.eq(id.uuid()))
        .order_by_asc(entity::Column::Name)
        .limit(MAX_TESTS as u64)
        .all(connection)
        .await?;
    rows.into_iter().map(TransformTest::try_from).collect()
}

fn check(input: &Value, expected: &Expected) -> Vec<Invalid> {
    let mut problems = Vec::new();
    if input.to_string().len() > MAX_INPUT_BYTES {
        problems.push(Invalid::new(
            "input",
            InvalidCode::TooLong,
            "The record of a test case has at most 64 kB.",
        ));
    }
    if serde_json::to_string(expected).map_or(0, |text| text.len()) > MAX_EXPECTED_BYTES {
        problems.push(Invalid::new(
            "expected",
            InvalidCode::TooLong,
            "What is expected has at most 256 kB.",
        ));
    }
    problems
}

fn name_taken(error: sea_orm::DbErr) -> PipelinesError {
    if is_unique_violation(&error) {
        PipelinesError::TestNameTaken
    } else {
        error.into()
    }
}
