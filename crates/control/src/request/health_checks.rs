//! What the operations on health checks take and give.

use meridian_model::{HealthCheck, HealthCheckId, HealthCheckUpdate};

/// `UpdateHealthCheckRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateHealthCheck {
    /// The check.
    pub health_check_id: String,
    /// What is to become of it.
    pub update: HealthCheckUpdate,
}

/// `ListHealthChecksRequest`. Page sizes are clamped by the operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListHealthChecks {
    /// The check that starts the page.
    pub marker: Option<String>,
    /// 1 to 1000.
    pub max_items: usize,
}

/// A page of checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheckPage {
    /// In order of their ids.
    pub checks: Vec<HealthCheck>,
    /// The first check of the next page.
    pub next: Option<HealthCheckId>,
}
