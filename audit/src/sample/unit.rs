//! What a sample draws: lines of the population, or cases with all their lines.

use std::collections::HashMap;

use entity::sample::Method;
use entity::{ItemId, PopulationId, population_item};
use sea_orm::sea_query::{Expr, ExprTrait as _, Value};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseBackend, EntityTrait as _, QueryFilter as _, QuerySelect as _,
};
use uuid::Uuid;

use crate::db::among;
use crate::{Db, Error, Result};

/// Lines whose unit is looked up at once.
const LINES_LOOKED_UP: usize = 5_000;

/// What is drawn. Each unit has sixteen bytes by which it is told apart, in the spelling of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A line of the population, by its id.
    Item,
    /// All lines of a case, by the pseudonym of its number; a line without one by its own id.
    Cluster,
}

impl Unit {
    pub(super) const fn of(method: Method) -> Self {
        match method {
            Method::SimpleRandomClusters => Self::Cluster,
            _ => Self::Item,
        }
    }

    /// The bytes it is told apart by, as a part of a query on [`population_item`].
    pub(super) const fn sql(self, backend: DatabaseBackend) -> &'static str {
        match (self, backend) {
            (Self::Item, _) => "population_item.id",
            (Self::Cluster, DatabaseBackend::Postgres) => {
                "coalesce(population_item.case_key, uuid_send(population_item.id))"
            }
            (Self::Cluster, _) => "coalesce(population_item.case_key, population_item.id)",
        }
    }

    pub(super) fn expr(self, db: &impl ConnectionTrait) -> Expr {
        Expr::cust(self.sql(db.get_database_backend()))
    }

    /// How many there are in a population.
    pub(super) async fn count(self, db: &Db, population: PopulationId) -> Result<i64> {
        let count = population_item::Entity::find()
            .filter(population_item::Column::PopulationId.eq(population))
            .select_only()
            .expr_as(self.expr(db.reader()).count_distinct(), "units")
            .into_tuple()
            .one(db.reader())
            .await?;
        count.ok_or_else(|| Error::internal("a count has a row"))
    }

    /// The unit of a line.
    pub(super) fn key(self, item: ItemId, case_key: Option<&[u8]>) -> Result<Uuid> {
        match (self, case_key) {
            (Self::Cluster, Some(key)) => of_bytes(key),
            _ => Ok(item.0),
        }
    }

    /// The unit of each of some lines.
    pub(super) async fn of_items(self, db: &Db, items: &[ItemId]) -> Result<HashMap<ItemId, Uuid>> {
        let mut keys = HashMap::with_capacity(items.len());
        for chunk in items.chunks(LINES_LOOKED_UP) {
            let ids = chunk.iter().copied();
            let rows: Vec<(ItemId, Option<Vec<u8>>)> = population_item::Entity::find()
                .filter(among(db.reader(), population_item::Column::Id, ids))
                .select_only()
                .column(population_item::Column::Id)
                .column(population_item::Column::CaseKey)
                .into_tuple()
                .all(db.reader())
                .await?;
            for (id, case_key) in rows {
                keys.insert(id, self.key(id, case_key.as_deref())?);
            }
        }
        Ok(keys)
    }

    /// How many are looked up at once. To look cases up is to read the population.
    pub(super) const fn at_once(self) -> usize {
        match self {
            Self::Item => 500,
            Self::Cluster => 20_000,
        }
    }

    /// The lines of some units, of which there may be no more than this: with one too many it ends.
    pub(super) async fn lines(
        self,
        db: &Db,
        population: PopulationId,
        units: &[Uuid],
        most: usize,
    ) -> Result<Vec<population_item::Model>> {
        Ok(population_item::Entity::find()
            .filter(population_item::Column::PopulationId.eq(population))
            .filter(self.are(db.reader(), units))
            .limit(most as u64 + 1)
            .all(db.reader())
            .await?)
    }

    /// The line belongs to one of these units. No index has the cases: PostgreSQL reads the population and looks each up in a table of
    /// those asked for, which it makes of a list that is unnested.
    fn are(self, db: &impl ConnectionTrait, units: &[Uuid]) -> Expr {
        let bytes = || units.iter().map(|unit| unit.as_bytes().to_vec());
        match (self, db.get_database_backend()) {
            (Self::Item, _) => Expr::col(population_item::Column::Id).is_in(units.iter().copied()),
            (Self::Cluster, DatabaseBackend::Postgres) => Expr::cust_with_values(
                format!(
                    "{} IN (SELECT unnest($1::bytea[]))",
                    self.sql(DatabaseBackend::Postgres)
                ),
                [Value::from(bytes().collect::<Vec<_>>())],
            ),
            (Self::Cluster, _) => self.expr(db).is_in(bytes()),
        }
    }
}

/// A unit as a query gives it.
pub(super) fn of_bytes(bytes: &[u8]) -> Result<Uuid> {
    Uuid::from_slice(bytes).map_err(|error| Error::internal(error.to_string()))
}
