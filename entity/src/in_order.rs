//! Rows read by the place of their columns. Looking every cell of a page up by name costs as much as fetching it.

use sea_orm::{DbErr, FromQueryResult, QueryResult};

/// A row of a select of all columns in their declared order, as `Entity::find` makes it.
#[derive(Debug)]
pub struct InOrder<M>(pub M);

macro_rules! in_order {
    ($module:ident { $($field:ident),+ $(,)? }) => {
        impl FromQueryResult for InOrder<crate::$module::Model> {
            fn from_query_result(row: &QueryResult, _: &str) -> Result<Self, DbErr> {
                let mut places = 0..;
                let mut place = || places.next().unwrap_or_default();
                $(let $field = row.try_get_by_index(place())?;)+
                Ok(Self(crate::$module::Model { $($field),+ }))
            }
        }

        #[cfg(test)]
        mod $module {
            use sea_orm::{IdenStatic as _, Iterable as _};

            #[test]
            fn stands_in_the_order_of_its_columns() {
                let columns: Vec<_> = crate::$module::Column::iter().map(|column| column.as_str()).collect();
                assert_eq!(columns, [$(stringify!($field)),+]);
            }
        }
    };
}

in_order!(sample_item {
    id,
    sample_id,
    stratum_id,
    item_id,
    engagement_id,
    draw_order,
    ticket,
    hits,
    bezirksstelle_id,
    amount_cents,
    reference,
    visible_from,
    state,
    result,
    version,
});

in_order!(item_check {
    id,
    sample_item_id,
    programme,
    tester,
    tester_name,
    version,
    error_class,
    booked_bund_cents,
    booked_kommune_cents,
    booked_land_cents,
    booked_eu_cents,
    correct_bund_cents,
    correct_kommune_cents,
    correct_land_cents,
    correct_eu_cents,
    remark,
    at,
});
