//! Repeatable creating: the same key with the same input gives the same answer, with other input an error.
//!
//! Of the input a keyed digest is kept: from a plain one a case number among it could be found by trying.

use aws_lc_rs::hmac;
use entity::idempotency::{ActiveModel, Entity};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, EntityTrait, Set};
use serde::Serialize;
use uuid::Uuid;

use crate::{Code, Ctx, Error, Result};

const MAX_KEY: usize = 200;

/// A checked key, to be remembered in the transaction that creates.
#[derive(Debug)]
pub struct Claim {
    key: String,
    operation: &'static str,
    digest: Vec<u8>,
}

/// What a key turned out to be.
#[derive(Debug)]
pub enum Claimed {
    /// New: create, then [`Claim::remember`].
    New(Claim),
    /// Used before with the same input: this is what it created.
    Repeated(Uuid),
}

/// Looks a key up within the transaction that will create. Keys of different callers never meet.
pub async fn claim(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    key: &str,
    operation: &'static str,
    input: &impl Serialize,
) -> Result<Claimed> {
    if key.is_empty() || key.len() > MAX_KEY || key.chars().any(char::is_control) {
        return Err(Error::refused(
            Code::IdempotencyKeyInvalid,
            "input.idempotencyKey",
        ));
    }
    let json = serde_json::to_vec(input).map_err(|error| Error::internal(error.to_string()))?;
    let digest = hmac::sign(ctx.sources.vault().states(), &json).as_ref().to_vec();
    let used = Entity::find_by_id((ctx.caller.subject.clone(), key.to_owned()))
        .one(tx)
        .await?;
    match used {
        None => Ok(Claimed::New(Claim {
            key: key.to_owned(),
            operation,
            digest,
        })),
        Some(row) if row.operation == operation && row.input_digest == digest => {
            Ok(Claimed::Repeated(row.subject_id))
        }
        Some(_) => Err(Error::refused(Code::IdempotencyKeyReused, "input.idempotencyKey")),
    }
}

impl Claim {
    /// Keeps the key with what was created, in the same transaction.
    pub async fn remember(self, tx: &DatabaseTransaction, ctx: &Ctx, subject: Uuid) -> Result<()> {
        ActiveModel {
            actor: Set(ctx.caller.subject.clone()),
            key: Set(self.key),
            operation: Set(self.operation.to_owned()),
            input_digest: Set(self.digest),
            subject_id: Set(subject),
            at: Set(ctx.now()),
        }
        .insert(tx)
        .await?;
        Ok(())
    }
}
