//! Whose data a piece of work may touch, and what it may do with it.

use dash_shared::accounts::Role;
use dash_shared::ids::{OrganizationId, TeamId, UserId};
use dash_shared::plans::Plan;

/// The tenant that a piece of work is done for. Every query of every domain begins with one;
/// only a session can get one.
#[derive(Clone, Debug)]
pub struct TenantScope {
    organization_id: OrganizationId,
    team_id: TeamId,
    user_id: UserId,
    role: Role,
    plan: Plan,
}

/// The role does not allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this needs the role {}, not {}", .needed.as_str(), .is.as_str())]
pub struct Forbidden {
    /// The smallest role that may do it.
    pub needed: Role,
    /// The role of the one who tried.
    pub is: Role,
}

impl TenantScope {
    pub(super) const fn for_member(
        organization_id: OrganizationId,
        team_id: TeamId,
        user_id: UserId,
        role: Role,
        plan: Plan,
    ) -> Self {
        Self {
            organization_id,
            team_id,
            user_id,
            role,
            plan,
        }
    }

    /// The billing account.
    pub const fn organization_id(&self) -> OrganizationId {
        self.organization_id
    }

    /// The team whose pipelines and dashboards these are.
    pub const fn team_id(&self) -> TeamId {
        self.team_id
    }

    /// The person.
    pub const fn user_id(&self) -> UserId {
        self.user_id
    }

    /// The person's role in the team.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The plan whose limits hold, a running trial included.
    pub const fn plan(&self) -> Plan {
        self.plan
    }

    /// Whether the role is `needed` or a bigger one.
    pub fn require(&self, needed: Role) -> Result<(), Forbidden> {
        if self.role >= needed {
            Ok(())
        } else {
            Err(Forbidden {
                needed,
                is: self.role,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_do_what_smaller_roles_may() {
        let scope = TenantScope::for_member(
            OrganizationId::new(),
            TeamId::new(),
            UserId::new(),
            Role::Editor,
            Plan::Free,
        );
        assert_eq!(scope.require(Role::Viewer), Ok(()));
        assert_eq!(scope.require(Role::Editor), Ok(()));
        let refused = scope.require(Role::Admin).unwrap_err();
        assert_eq!(refused.to_string(), "this needs the role admin, not editor");
    }
}
