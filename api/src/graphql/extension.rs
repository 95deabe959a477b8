//! Extensions of samples: the rule fixed with a plan, and what an extension is of the sample it extends.

use async_graphql::{Enum, SimpleObject};
use audit::sample as service;
use entity::sample::Extension;

use super::disclosure::{Class, disclosure};
use super::scalars::{Long, Rate};

/// What an extension is of the sample it extends.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "Extension")]
pub(super) enum SampleExtension {
    /// Size and acceptance numbers were fixed with the first plan: both are evaluated together.
    Planned,
    /// They were not: each is evaluated for itself, and the report says so.
    Unplanned,
}

/// A kind of rule by which a sample may be extended.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "service::RuleKind")]
pub(super) enum ExtensionRuleKind {
    /// Two equal stages of items (Touw and Hoogduin): accept at no error; at exactly one draw as many again and accept at none among
    /// these. The size follows from confidence and tolerable rate.
    TwoStage,
}

/// How a sample may be extended, as fixed before it was drawn.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct ExtensionRule {
    /// Its kind.
    kind: ExtensionRuleKind,
    /// Items of each stage.
    size: Long,
    /// Errors of the first stage at which the plan accepts.
    accept_at: Long,
    /// Errors of the first stage at which the second one is drawn.
    extend_at: Long,
    /// Errors of the second stage at which the plan accepts.
    accept_extended_at: Long,
    /// Probability of accepting although the rate is the tolerable one, rounded up to twelve places.
    risk: Rate,
    /// Planning method.
    method: String,
    /// Its version.
    version: String,
}

impl From<service::ExtensionRule> for ExtensionRule {
    fn from(rule: service::ExtensionRule) -> Self {
        Self {
            kind: rule.kind.into(),
            size: Long(rule.size),
            accept_at: Long(rule.accept_at),
            extend_at: Long(rule.extend_at),
            accept_extended_at: Long(rule.accept_extended_at),
            risk: Rate(rule.risk),
            method: rule.method,
            version: rule.version,
        }
    }
}
