//! Batches of look-ups around papers.

use std::sync::Arc;

use async_graphql::dataloader::Loader;
use audit::decision;
use entity::{BodyId, PaperId};

use super::{Found, House, by, grouped};

impl Loader<BodyId> for House {
    type Value = entity::body::Model;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[BodyId]) -> Found<BodyId, Self::Value> {
        by(decision::find_bodies(&self.ctx, &self.db, keys).await, |row| {
            row.id
        })
    }
}

impl Loader<PaperId> for House {
    type Value = entity::paper::Model;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[PaperId]) -> Found<PaperId, Self::Value> {
        by(decision::find_papers(&self.ctx, &self.db, keys).await, |row| {
            row.id
        })
    }
}

/// Seats of a body, taken and released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct SeatsOf(pub BodyId);

impl Loader<SeatsOf> for House {
    type Value = Vec<entity::seat::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[SeatsOf]) -> Found<SeatsOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(decision::seats_of(&self.ctx, &self.db, &ids).await, |row| {
            SeatsOf(row.body_id)
        })
    }
}

/// Editions of a paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct EditionsOf(pub PaperId);

impl Loader<EditionsOf> for House {
    type Value = Vec<entity::paper_edition::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[EditionsOf]) -> Found<EditionsOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(decision::editions_of(&self.ctx, &self.db, &ids).await, |row| {
            EditionsOf(row.paper_id)
        })
    }
}

/// Votes on a paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct VotesOf(pub PaperId);

impl Loader<VotesOf> for House {
    type Value = Vec<entity::vote::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[VotesOf]) -> Found<VotesOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(decision::votes_of(&self.ctx, &self.db, &ids).await, |row| {
            VotesOf(row.paper_id)
        })
    }
}

/// Decisions on a paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct DecisionsOf(pub PaperId);

impl Loader<DecisionsOf> for House {
    type Value = Vec<entity::decision::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[DecisionsOf]) -> Found<DecisionsOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(decision::decisions_of(&self.ctx, &self.db, &ids).await, |row| {
            DecisionsOf(row.paper_id)
        })
    }
}

/// Minutes about a paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct MinutesOf(pub PaperId);

impl Loader<MinutesOf> for House {
    type Value = Vec<entity::minutes::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[MinutesOf]) -> Found<MinutesOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(decision::minutes_of(&self.ctx, &self.db, &ids).await, |row| {
            MinutesOf(row.paper_id)
        })
    }
}

/// Signatures recorded for a paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct SignaturesOf(pub PaperId);

impl Loader<SignaturesOf> for House {
    type Value = Vec<entity::signature::Model>;
    type Error = Arc<audit::Error>;

    async fn load(&self, keys: &[SignaturesOf]) -> Found<SignaturesOf, Self::Value> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        grouped(decision::signatures_of(&self.ctx, &self.db, &ids).await, |row| {
            SignaturesOf(row.paper_id)
        })
    }
}
