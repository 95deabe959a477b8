//! Disclosure classes in the contract: `@disclosure(class: ...)` on types, fields and inputs.

use async_graphql::{Enum, TypeDirective};

/// What a field gives away. A caller whose role lacks a class cannot select a field of it, nor search or sort by it: the
/// operation is refused as a whole, with path, field and class. A class never changes, and never depends on a row.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "audit::access::Class", name = "DisclosureClass")]
pub(super) enum Class {
    /// For everybody, without a token.
    Public,
    /// For whoever works here in any role.
    Internal,
    /// Budgets and their use.
    Budget,
    /// Working papers of an audit, until they are issued.
    Audit,
    /// Social data (§ 35 SGB I, § 67 SGB X), pseudonymous or not.
    SocialData,
    /// Social data that needs special protection (§ 76 SGB X, Art. 9 GDPR).
    Special,
    /// Figures of the benchmarking, confidential to its participants.
    Benchmark,
    /// Data of the own staff.
    Personnel,
    /// Who read what.
    AccessLog,
}

/// The class of a field; on a type, of all its fields that name none. On an input, what it takes to search by it.
#[TypeDirective(
    location = "Object",
    location = "FieldDefinition",
    location = "InputFieldDefinition",
    location = "EnumValue"
)]
pub(super) fn disclosure(class: Class) {}
