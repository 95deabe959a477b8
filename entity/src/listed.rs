//! Rows as long lists show them: the columns they show and no others, read by their place. Each cell of a page costs as
//! much as a field of its answer, and looking it up by name as much again.

use sea_orm::sea_query::Expr;
use sea_orm::{DbErr, EntityTrait, FromQueryResult, QueryResult, QuerySelect as _, Select};

/// Some columns of a table.
pub trait Listed: FromQueryResult {
    /// The table.
    type Entity: EntityTrait;

    /// Their names, in the order they are read.
    const COLUMNS: &'static [&'static str];

    /// The select, of these columns.
    fn of(select: Select<Self::Entity>) -> Select<Self::Entity> {
        let columns = Self::COLUMNS.iter();
        columns.fold(select.select_only(), |select, column| {
            select.expr(Expr::col((Self::Entity::default(), *column)))
        })
    }
}

macro_rules! listed {
    ($(#[$doc:meta])* $name:ident of $module:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the table's row says it")]
        pub struct $name {
            $(pub $field: $type),+
        }

        impl From<crate::$module::Model> for $name {
            fn from(row: crate::$module::Model) -> Self {
                Self { $($field: row.$field),+ }
            }
        }

        impl Listed for $name {
            type Entity = crate::$module::Entity;

            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];
        }

        impl FromQueryResult for $name {
            fn from_query_result(row: &QueryResult, _: &str) -> Result<Self, DbErr> {
                let mut places = 0..;
                let mut place = || places.next().unwrap_or_default();
                $(let $field = row.try_get_by_index(place())?;)+
                Ok(Self { $($field),+ })
            }
        }
    };
}

listed!(
    /// A drawn item without what leads elsewhere.
    ListedItem of sample_item {
        id: crate::SampleItemId,
        sample_id: crate::SampleId,
        engagement_id: crate::EngagementId,
        stratum_id: crate::StratumId,
        draw_order: i64,
        ticket: Option<String>,
        hits: i64,
        bezirksstelle_id: crate::BezirksstelleId,
        amount_cents: crate::Cents,
        reference: String,
        choice_reason: Option<String>,
        visible_from: Option<chrono::DateTime<chrono::Utc>>,
        state: crate::sample_item::State,
        result: Option<crate::sample_item::CheckResult>,
        version: i32,
    }
);

listed!(
    /// A check without its amounts.
    ListedCheck of item_check {
        id: crate::CheckId,
        sample_item_id: crate::SampleItemId,
        programme: String,
        tester: String,
        tester_name: Option<String>,
        version: i32,
        error_class: crate::item_check::ErrorClass,
        remark: String,
        at: chrono::DateTime<chrono::Utc>,
    }
);
