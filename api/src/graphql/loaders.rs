//! Batches of look-ups within one request. Nothing is kept between requests: what one caller may see is no answer for
//! the next. Every look-up goes through a use case, which scopes it to the caller.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{Context, Result};
use audit::{Ctx, Db, engagement, jobcenter, population};
use entity::{BezirksstelleId, EngagementId, PopulationId};

use super::error::failure;

/// What the look-ups of a request have in common.
pub(crate) struct House {
    ctx: Ctx,
    db: Db,
}

/// The batches of one request.
pub(crate) struct Loaders(DataLoader<House>);

impl Loaders {
    /// Loaders of a request.
    pub(super) fn new(ctx: Ctx, db: Db) -> Self {
        Self(DataLoader::new(House { ctx, db }, tokio::spawn))
    }

    /// One row, fetched together with its siblings'.
    pub(super) async fn one<K>(&self, ctx: &Context<'_>, key: K) -> Result<Option<<House as Loader<K>>::Value>>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        House: Loader<K, Error = Arc<audit::Error>>,
    {
        self.0.load_one(key).await.map_err(|error| failure(ctx, &error))
    }
}

type Found<K, V> = std::result::Result<HashMap<K, V>, Arc<audit::Error>>;

fn by<K: Eq + Hash, V>(outcome: audit::Result<Vec<V>>, key: impl Fn(&V) -> K) -> Found<K, V> {
    Ok(outcome.map_err(Arc::new)?.into_iter().map(|row| (key(&row), row)).collect())
}

fn grouped<K: Eq + Hash, V>(outcome: audit::Result<Vec<V>>, key: impl Fn(&V) -> K) -> Found<K, Vec<V>> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::new();
    for row in outcome.map_err(Arc::new)? {
        groups.entry(key(&row)).or_default().push(row);
    }
    Ok(groups)
}

impl Loader<BezirksstelleId> for House {
    type Value = entity::bezirksstelle::Model;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[BezirksstelleId]) -> Found<BezirksstelleId, Self::Value> {
        by(jobcenter::bezirksstellen_by_id(&self.db, keys).await, |row| row.id)
    }
}

impl Loader<EngagementId> for House {
    type Value = entity::engagement::Model;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[EngagementId]) -> Found<EngagementId, Self::Value> {
        by(engagement::find_many(&self.ctx, &self.db, keys).await, |row| row.id)
    }
}

impl Loader<PopulationId> for House {
    type Value = entity::population::Model;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[PopulationId]) -> Found<PopulationId, Self::Value> {
        by(population::find_many(&self.ctx, &self.db, keys).await, |row| row.id)
    }
}

/// Populations of an engagement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PopulationsOf(pub EngagementId);

impl Loader<PopulationsOf> for House {
    type Value = Vec<entity::population::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[PopulationsOf]) -> Found<PopulationsOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(population::of_engagements(&self.ctx, &self.db, &ids).await, |row| PopulationsOf(row.engagement_id))
    }
}

/// Imports of a population.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ImportsOf(pub PopulationId);

impl Loader<ImportsOf> for House {
    type Value = Vec<entity::population_import::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[ImportsOf]) -> Found<ImportsOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(population::imports_of(&self.ctx, &self.db, &ids).await, |row| ImportsOf(row.population_id))
    }
}

/// Control totals of a population.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ControlTotalsOf(pub PopulationId);

impl Loader<ControlTotalsOf> for House {
    type Value = Vec<entity::control_total::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[ControlTotalsOf]) -> Found<ControlTotalsOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(population::control_totals_of(&self.ctx, &self.db, &ids).await, |row| ControlTotalsOf(row.population_id))
    }
}

impl std::fmt::Debug for Loaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Loaders")
    }
}
