//! Figures over rows that the caller does not see one by one. What else a caller is told of drawn items comes from rows in
//! scope. Populations are told as wholes: their counts, sums, reconciliation and strata count every line, own staff's too,
//! because they prove that nothing is missing.

use entity::Scope;

words! {
    /// A figure that is wrong unless it counts everything.
    Aggregate {
        /// What a sample says of its population: without own staff's items it would say something else. Whoever does not see
        /// them gets no parts of it.
        Evaluation = "EVALUATION",
        /// What is left undone when an engagement is to be closed.
        OpenWork = "OPEN_WORK",
    }
}

impl Aggregate {
    /// The rows it counts. Own staff's items are counted for the whole audit function; whoever sees less than that gets
    /// figures of what they see.
    pub(crate) fn rows(self, scope: Scope) -> Scope {
        match (self, scope) {
            // Only whoever is granted whole engagements evaluates at all.
            (Self::Evaluation, Scope::WithoutOwnStaff | Scope::Grant { .. })
            | (Self::OpenWork, Scope::WithoutOwnStaff) => Scope::Everything,
            (Self::Evaluation | Self::OpenWork, scope) => scope,
        }
    }
}
