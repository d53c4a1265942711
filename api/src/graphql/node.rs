//! The `Node` interface: any object by its id.

use async_graphql::{Context, ID, Interface, Object};
use dash_shared::ids::{
    DashboardId, DeliveryId, OrganizationId, PipelineId, RunId, SinkId, TeamId, UploadId, UserId,
};

use super::accounts::{Organization, Team, User, organization};
use super::dashboards::Dashboard;
use super::deliveries::Delivery;
use super::errors::top_level;
use super::pipelines::Pipeline;
use super::records::{Record, parse_record_id};
use super::runs::Run;
use super::sinks::Sink;
use super::uploads::Upload;
use super::{scope, services, viewer};

/// An object with an id of its own.
#[derive(Debug, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The id."))]
pub enum Node {
    /// A pipeline.
    Pipeline(Pipeline),
    /// A dashboard.
    Dashboard(Dashboard),
    /// A record.
    Record(Record),
    /// A run.
    Run(Run),
    /// A file that was handed over to a pipeline.
    Upload(Upload),
    /// A sink.
    Sink(Sink),
    /// A delivery of a sink.
    Delivery(Delivery),
    /// A user.
    User(User),
    /// A team.
    Team(Team),
    /// An organization.
    Organization(Organization),
}

#[derive(Debug, Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with this id; null when there is none, or when it is another tenant's.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id.")] id: ID,
    ) -> async_graphql::Result<Option<Node>> {
        let (scope, services) = (scope(ctx)?, services(ctx)?);
        let kind = id.split_once('_').map_or("", |(kind, _)| kind);
        let viewer = viewer(ctx)?;
        Ok(match kind {
            PipelineId::PREFIX if id.contains('.') => match parse_record_id(&id) {
                Some((id, seq)) => find_record(ctx, id, seq).await?.map(Node::Record),
                None => None,
            },
            PipelineId::PREFIX => match id.parse() {
                Ok(id) => services
                    .pipelines
                    .find(&scope, id)
                    .await
                    .map_err(|error| top_level(ctx, error))?
                    .map(|pipeline| Node::Pipeline(Pipeline(pipeline))),
                Err(_) => None,
            },
            DashboardId::PREFIX => match id.parse() {
                Ok(id) => services
                    .dashboards
                    .find(&scope, id)
                    .await
                    .map_err(|error| top_level(ctx, error))?
                    .map(|dashboard| Node::Dashboard(Dashboard(dashboard))),
                Err(_) => None,
            },
            RunId::PREFIX => match id.parse() {
                Ok(id) => services
                    .store
                    .find_run(scope.team_id(), id)
                    .await
                    .map_err(|error| top_level(ctx, error))?
                    .map(|run| Node::Run(Run(run))),
                Err(_) => None,
            },
            UploadId::PREFIX => match id.parse() {
                Ok(id) => services
                    .pipelines
                    .find_upload(&scope, id)
                    .await
                    .map_err(|error| top_level(ctx, error))?
                    .map(|upload| Node::Upload(Upload(upload))),
                Err(_) => None,
            },
            SinkId::PREFIX => match id.parse() {
                Ok(id) => services
                    .sinks
                    .find(&scope, id)
                    .await
                    .map_err(|error| top_level(ctx, error))?
                    .map(|sink| Node::Sink(Sink(sink))),
                Err(_) => None,
            },
            DeliveryId::PREFIX => match id.parse() {
                Ok(id) => services
                    .sinks
                    .find_delivery(&scope, id)
                    .await
                    .map_err(|error| top_level(ctx, error))?
                    .map(|delivery| Node::Delivery(Delivery(delivery))),
                Err(_) => None,
            },
            UserId::PREFIX if id.parse() == Ok(viewer.user.id) => {
                Some(Node::User(User(viewer.user.clone())))
            }
            TeamId::PREFIX if id.parse() == Ok(viewer.team.id) => {
                Some(Node::Team(Team(viewer.team.clone())))
            }
            OrganizationId::PREFIX if id.parse() == Ok(viewer.organization.id) => {
                Some(Node::Organization(organization(ctx, viewer)?))
            }
            _ => None,
        })
    }
}

async fn find_record(
    ctx: &Context<'_>,
    pipeline_id: PipelineId,
    seq: i64,
) -> async_graphql::Result<Option<Record>> {
    let services = services(ctx)?;
    let pipeline = services.pipelines.find(&scope(ctx)?, pipeline_id).await;
    let Some(pipeline) = pipeline.map_err(|error| top_level(ctx, error))? else {
        return Ok(None);
    };
    let found = services.store.find_record(pipeline.id, seq).await;
    let found = found.map_err(|error| top_level(ctx, error))?;
    Ok(found.map(|record| Record {
        pipeline_id,
        record,
    }))
}
