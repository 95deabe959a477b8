//! Cosignatures in the database: what witnesses gave, and the checkpoints together with it.

use entity::{log_checkpoint, log_cosignature};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

use super::log::latest_checkpoint;
use super::witness::{WitnessKey, cosignatures};
use crate::{Db, Error, Result};

/// The signed note of a checkpoint with the cosignatures it has, in the order of the witnesses' names.
pub async fn cosigned_note(db: &Db, checkpoint: &log_checkpoint::Model) -> Result<String> {
    let rows = log_cosignature::Entity::find()
        .filter(log_cosignature::Column::Checkpoint.eq(checkpoint.number))
        .order_by_asc(log_cosignature::Column::Witness)
        .order_by_asc(log_cosignature::Column::KeyId)
        .all(db.reader())
        .await?;
    let lines = rows.into_iter().map(|row| row.line);
    Ok(std::iter::once(checkpoint.note.clone()).chain(lines).collect())
}

/// What is to be asked of a witness: the last checkpoint, if the witness did not cosign it yet.
#[derive(Debug, Clone)]
pub struct Uncosigned {
    /// The last checkpoint.
    pub checkpoint: log_checkpoint::Model,
    /// Size of the last checkpoint that the witness cosigned, as far as is known here.
    pub from: i64,
}

/// The last checkpoint of the log, and from where the witness has to be shown that the log grew into it. None where there is no
/// checkpoint, or the witness cosigned it.
pub async fn uncosigned(db: &Db, witness: &WitnessKey) -> Result<Option<Uncosigned>> {
    let Some(checkpoint) = latest_checkpoint(db).await? else {
        return Ok(None);
    };
    let last = log_cosignature::Entity::find()
        .filter(log_cosignature::Column::Witness.eq(witness.name()))
        .filter(log_cosignature::Column::KeyId.eq(witness.id().to_string()))
        .order_by_desc(log_cosignature::Column::Checkpoint)
        .limit(1)
        .one(db.reader())
        .await?;
    let from = match last {
        Some(last) if last.checkpoint == checkpoint.number => return Ok(None),
        Some(last) => log_checkpoint::Entity::find_by_id(last.checkpoint)
            .one(db.reader())
            .await?
            .map_or(0, |row| row.size),
        None => 0,
    };
    Ok(Some(Uncosigned { checkpoint, from }))
}

/// Stores the cosignatures of a witness in its answer to a checkpoint, once they are verified. What is stored already stays as it
/// is.
pub async fn store_cosignatures(
    db: &Db,
    checkpoint: &log_checkpoint::Model,
    witness: &WitnessKey,
    answer: &str,
) -> Result<()> {
    let note = format!("{}{answer}", checkpoint.note);
    let found = cosignatures(&note, std::slice::from_ref(witness))
        .map_err(|error| Error::internal(format!("the answer of the witness {}: {error}", witness.name())))?;
    let tx = db.begin_write().await?;
    for cosignature in found {
        let at = i64::try_from(cosignature.at)
            .ok()
            .and_then(|at| chrono::DateTime::from_timestamp(at, 0))
            .ok_or_else(|| Error::internal("the time of a cosignature is none"))?;
        let key = (
            checkpoint.number,
            cosignature.witness.clone(),
            cosignature.key.to_string(),
        );
        // Asked first: on SQLite the guard of the table refuses a repetition, whatever the statement says about conflicts.
        if log_cosignature::Entity::find_by_id(key).one(&tx).await?.is_some() {
            continue;
        }
        let row = log_cosignature::ActiveModel {
            checkpoint: Set(checkpoint.number),
            witness: Set(cosignature.witness),
            key_id: Set(cosignature.key.to_string()),
            at: Set(at),
            line: Set(cosignature.line),
        };
        let stored = log_cosignature::Entity::insert(row)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&tx)
            .await;
        match stored {
            // Another instance was told the same in the meantime.
            Ok(_) | Err(DbErr::RecordNotInserted) => {}
            Err(error) => return Err(error.into()),
        }
    }
    tx.commit().await?;
    Ok(())
}
