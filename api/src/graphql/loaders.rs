//! Batches of look-ups within one request. Nothing is kept between requests: what one caller may see is no answer for
//! the next. Every look-up goes through a use case, which scopes it to the caller.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{Context, Result};
use audit::reads::{ExternalRead, external_reads};
use audit::{Ctx, Db, assignment, check, engagement, grant, legal_hold, population, sample, trail};
use entity::{
    CheckId, EngagementId, GrantId, KnownErrorId, PopulationId, SampleId, SampleItemId, TrailEntryId,
};

use super::error::failure;

mod papers;

pub(super) use papers::{DecisionsOf, EditionsOf, MinutesOf, SeatsOf, SignaturesOf, VotesOf};

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
    pub(super) async fn one<K>(
        &self,
        ctx: &Context<'_>,
        key: K,
    ) -> Result<Option<<House as Loader<K>>::Value>>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        House: Loader<K, Error = Arc<audit::Error>>,
    {
        self.0.load_one(key).await.map_err(|error| failure(ctx, &error))
    }
}

type Found<K, V> = std::result::Result<HashMap<K, V>, Arc<audit::Error>>;

fn by<K: Eq + Hash, V>(outcome: audit::Result<Vec<V>>, key: impl Fn(&V) -> K) -> Found<K, V> {
    Ok(outcome
        .map_err(Arc::new)?
        .into_iter()
        .map(|row| (key(&row), row))
        .collect())
}

fn grouped<K: Eq + Hash, V>(outcome: audit::Result<Vec<V>>, key: impl Fn(&V) -> K) -> Found<K, Vec<V>> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::new();
    for row in outcome.map_err(Arc::new)? {
        groups.entry(key(&row)).or_default().push(row);
    }
    Ok(groups)
}

impl Loader<EngagementId> for House {
    type Value = entity::engagement::Model;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[EngagementId]) -> Found<EngagementId, Self::Value> {
        by(engagement::find_many(&self.ctx, &self.db, keys).await, |row| {
            row.id
        })
    }
}

impl Loader<PopulationId> for House {
    type Value = entity::population::Model;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[PopulationId]) -> Found<PopulationId, Self::Value> {
        by(population::find_many(&self.ctx, &self.db, keys).await, |row| {
            row.id
        })
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
        grouped(
            population::of_engagements(&self.ctx, &self.db, &ids).await,
            |row| PopulationsOf(row.engagement_id),
        )
    }
}

/// Legal holds of an engagement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct LegalHoldsOf(pub EngagementId);

impl Loader<LegalHoldsOf> for House {
    type Value = Vec<entity::legal_hold::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[LegalHoldsOf]) -> Found<LegalHoldsOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(
            legal_hold::of_engagements(&self.ctx, &self.db, &ids).await,
            |row| LegalHoldsOf(row.engagement_id),
        )
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
        grouped(population::imports_of(&self.ctx, &self.db, &ids).await, |row| {
            ImportsOf(row.population_id)
        })
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
        grouped(
            population::control_totals_of(&self.ctx, &self.db, &ids).await,
            |row| ControlTotalsOf(row.population_id),
        )
    }
}

/// Numbered events of an engagement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct DrawEventsOf(pub EngagementId);

impl Loader<DrawEventsOf> for House {
    type Value = Vec<entity::draw_event::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[DrawEventsOf]) -> Found<DrawEventsOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(sample::draws(&self.ctx, &self.db, &ids).await, |row| {
            DrawEventsOf(row.engagement_id)
        })
    }
}

impl Loader<SampleId> for House {
    type Value = entity::sample::Model;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[SampleId]) -> Found<SampleId, Self::Value> {
        by(sample::find_many(&self.ctx, &self.db, keys).await, |row| row.id)
    }
}

/// The sample that extends a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ExtensionOf(pub SampleId);

impl Loader<ExtensionOf> for House {
    type Value = entity::sample::Model;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[ExtensionOf]) -> Found<ExtensionOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = sample::extensions(&self.ctx, &self.db, &ids)
            .await
            .map_err(Arc::new)?;
        let extended = |row: entity::sample::Model| Some((ExtensionOf(row.extends_id?), row));
        Ok(found.into_iter().filter_map(extended).collect())
    }
}

/// Assignments of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AssignmentsOf(pub SampleItemId);

impl Loader<AssignmentsOf> for House {
    type Value = Vec<entity::assignment::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[AssignmentsOf]) -> Found<AssignmentsOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(assignment::current_of(&self.ctx, &self.db, &ids).await, |row| {
            AssignmentsOf(row.sample_item_id)
        })
    }
}

/// How far the checking of a sample has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ProgressOf(pub SampleId);

impl Loader<ProgressOf> for House {
    type Value = assignment::Progress;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[ProgressOf]) -> Found<ProgressOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = assignment::progress(&self.ctx, &self.db, &ids)
            .await
            .map_err(Arc::new)?;
        Ok(found
            .into_iter()
            .map(|(id, progress)| (ProgressOf(id), progress))
            .collect())
    }
}

/// Known errors of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct KnownErrorsOf(pub SampleId);

impl Loader<KnownErrorsOf> for House {
    type Value = Vec<entity::known_error::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[KnownErrorsOf]) -> Found<KnownErrorsOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(sample::known_errors(&self.ctx, &self.db, &ids).await, |row| {
            KnownErrorsOf(row.sample_id)
        })
    }
}

/// The parts of a known error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct KnownErrorPartsOf(pub KnownErrorId);

impl Loader<KnownErrorPartsOf> for House {
    type Value = Vec<entity::known_error_part::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[KnownErrorPartsOf]) -> Found<KnownErrorPartsOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(
            sample::known_error_parts(&self.ctx, &self.db, &ids).await,
            |row| KnownErrorPartsOf(row.known_error_id),
        )
    }
}

/// Replacements in a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ReplacementsOf(pub SampleId);

impl Loader<ReplacementsOf> for House {
    type Value = Vec<entity::replacement::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[ReplacementsOf]) -> Found<ReplacementsOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(sample::replacements(&self.ctx, &self.db, &ids).await, |row| {
            ReplacementsOf(row.sample_id)
        })
    }
}

/// The ceremony of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct CeremonyOf(pub SampleId);

impl Loader<CeremonyOf> for House {
    type Value = sample::Ceremony;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[CeremonyOf]) -> Found<CeremonyOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        by(sample::ceremonies(&self.ctx, &self.db, &ids).await, |ceremony| {
            CeremonyOf(ceremony.row.sample_id)
        })
    }
}

/// How the seed of a drawn sample came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ConclusionOf(pub SampleId);

impl Loader<ConclusionOf> for House {
    type Value = audit::sampling::ceremony::Ceremony;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[ConclusionOf]) -> Found<ConclusionOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = sample::conclusions(&self.ctx, &self.db, &ids)
            .await
            .map_err(Arc::new)?;
        Ok(found
            .into_iter()
            .map(|(id, conclusion)| (ConclusionOf(id), conclusion))
            .collect())
    }
}

/// Strata of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct StrataOf(pub SampleId);

impl Loader<StrataOf> for House {
    type Value = Vec<entity::sample_stratum::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[StrataOf]) -> Found<StrataOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(sample::strata(&self.ctx, &self.db, &ids).await, |row| {
            StrataOf(row.sample_id)
        })
    }
}

/// A sample item by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct SampleItemsKey(pub SampleItemId);

impl Loader<SampleItemsKey> for House {
    type Value = entity::sample_item::Model;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[SampleItemsKey]) -> Found<SampleItemsKey, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        by(sample::items_by_id(&self.ctx, &self.db, &ids).await, |row| {
            SampleItemsKey(row.id)
        })
    }
}

/// The population item behind a sample item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct DetailsOf(pub SampleItemId);

impl Loader<DetailsOf> for House {
    type Value = entity::population_item::Model;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[DetailsOf]) -> Found<DetailsOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let pairs = sample::population_items(&self.ctx, &self.db, &ids)
            .await
            .map_err(Arc::new)?;
        Ok(pairs.into_iter().map(|(id, row)| (DetailsOf(id), row)).collect())
    }
}

/// The case number of a sample item that is requested from the caller's Bezirksstelle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct CaseNumberOf(pub SampleItemId);

impl Loader<CaseNumberOf> for House {
    type Value = String;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[CaseNumberOf]) -> Found<CaseNumberOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let numbers = sample::case_numbers(&self.ctx, &self.db, &ids)
            .await
            .map_err(Arc::new)?;
        Ok(numbers
            .into_iter()
            .map(|(id, number)| (CaseNumberOf(id), number))
            .collect())
    }
}

/// Who from outside read a sample item of the caller's Bezirksstelle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ExternalReadsOf(pub SampleItemId);

impl Loader<ExternalReadsOf> for House {
    type Value = Vec<ExternalRead>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[ExternalReadsOf]) -> Found<ExternalReadsOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = external_reads(&self.ctx, &self.db, &ids)
            .await
            .map_err(Arc::new)?;
        Ok(found
            .into_iter()
            .map(|(id, reads)| (ExternalReadsOf(id), reads))
            .collect())
    }
}

/// Checks of a sample item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ChecksOf(pub SampleItemId);

impl Loader<ChecksOf> for House {
    type Value = Vec<entity::ListedCheck>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[ChecksOf]) -> Found<ChecksOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(check::of_items(&self.ctx, &self.db, &ids).await, |row| {
            ChecksOf(row.sample_item_id)
        })
    }
}

impl Loader<CheckId> for House {
    type Value = entity::item_check::Model;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[CheckId]) -> Found<CheckId, Self::Value> {
        by(check::find_many(&self.ctx, &self.db, keys).await, |row| row.id)
    }
}

impl Loader<TrailEntryId> for House {
    type Value = trail::Placed;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[TrailEntryId]) -> Found<TrailEntryId, Self::Value> {
        by(trail::proofs(&self.ctx, &self.db, keys).await, |placed| {
            placed.leaf.entry_id
        })
    }
}

/// What the engagements of a grant are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct EngagementsOf(pub GrantId);

impl Loader<EngagementsOf> for House {
    type Value = Vec<grant::Named>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[EngagementsOf]) -> Found<EngagementsOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let named = grant::engagements_of(&self.ctx, &self.db, &ids)
            .await
            .map_err(Arc::new)?;
        Ok(named
            .into_iter()
            .map(|(id, named)| (EngagementsOf(id), named))
            .collect())
    }
}

/// Answers of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AnswersOf(pub CheckId);

impl Loader<AnswersOf> for House {
    type Value = Vec<entity::check_answer::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[AnswersOf]) -> Found<AnswersOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(check::answers_of(&self.ctx, &self.db, &ids).await, |row| {
            AnswersOf(row.check_id)
        })
    }
}

impl std::fmt::Debug for Loaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Loaders")
    }
}
