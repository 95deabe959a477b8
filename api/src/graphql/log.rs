//! The log over the trail: its checkpoints, and proofs that outsiders verify without us.

use async_graphql::{Context, Object, SimpleObject};
use audit::trail::witness::Cosignature;
use audit::trail::{self, Placed};
use entity::{log_checkpoint, trail_entry};

use super::ContextExt;
use super::disclosure::{Class, disclosure};
use super::error::{Maybe, failure, field};
use super::scalars::{DateTime, Long, Sha256};

/// That a witness saw a checkpoint, and that the log grew into it from the last one it saw.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Public))]
pub(super) struct LogCosignature {
    /// Name of the witness.
    witness: String,
    /// When it signed, by its own clock.
    at: DateTime,
}

impl LogCosignature {
    fn of(found: &Cosignature) -> Option<Self> {
        let at = chrono::DateTime::from_timestamp(i64::try_from(found.at).ok()?, 0)?;
        Some(Self {
            witness: found.witness.clone(),
            at: at.into(),
        })
    }
}

/// What the log said of itself at one size, signed: whoever keeps a checkpoint notices when the log is rewritten, forked or set
/// back afterwards. The same is served at `/log/checkpoint`, the tree below it at `/log/tile/` (C2SP `tlog-tiles`).
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Public))]
pub(super) struct LogCheckpoint {
    /// Number of leaves.
    size: Long,
    /// Root of the tree (RFC 6962).
    root: Option<Sha256>,
    /// When it was signed.
    at: DateTime,
    /// Id of the key that signed it, the middle part of its verifier key.
    key_id: String,
    /// The signed note (C2SP `tlog-checkpoint`) with the cosignatures it has, to be kept and to be given to
    /// `pruefpfad verify checkpoint`.
    note: String,
    /// Cosignatures of the configured witnesses (C2SP `tlog-cosignature`), by name of the witness.
    cosignatures: Vec<LogCosignature>,
    /// Whether as many of the witnesses cosigned it as the configuration asks for (`log.quorum`). Null where it asks for none:
    /// then nothing is called proved.
    proved: Option<bool>,
}

impl LogCheckpoint {
    async fn of(ctx: &Context<'_>, row: log_checkpoint::Model) -> audit::Result<Self> {
        let note = trail::cosigned_note(ctx.db(), &row).await?;
        let (cosignatures, proved) = ctx.info().witnessed(&note);
        Ok(Self {
            size: Long(row.size),
            root: Sha256::stored(&row.root),
            at: row.at.into(),
            key_id: row.key_id,
            note,
            cosignatures: cosignatures.iter().filter_map(LogCosignature::of).collect(),
            proved,
        })
    }
}

/// Proof that the log only grew between two sizes (RFC 6962 section 2.1.2).
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Public))]
pub(super) struct LogConsistency {
    /// The hashes of the proof.
    path: Vec<Sha256>,
    /// The proof with the checkpoint it leads to, as one file for `pruefpfad verify consistency` (the body of `add-checkpoint`,
    /// C2SP `tlog-witness`).
    text: String,
}

/// Proof that an entry of the trail is in the log (RFC 6962 section 2.1.1), up to the last checkpoint.
#[derive(SimpleObject)]
#[graphql(directive = disclosure::apply(Class::Audit))]
pub(super) struct LogInclusion {
    /// Place of the entry in the log, from 0.
    index: Long,
    /// SHA-256 over a salt and the canonical entry: the leaf's data. Erasing the entry leaves it as it is.
    commitment: Option<Sha256>,
    /// Siblings from the leaf upwards.
    path: Vec<Sha256>,
    /// The entry as in an export of the log: one line of JSON with index, commitment, salt and entry.
    line: String,
    /// Proof, opening of the commitment and checkpoint as one file for `pruefpfad verify inclusion` (C2SP `tlog-proof`).
    text: String,
    /// Whether the checkpoint it leads to is proved, as `LogCheckpoint.proved` says: cosigned by as many witnesses as the
    /// configuration asks for; null where it asks for none. A new checkpoint needs a few seconds for it.
    proved: Option<bool>,
}

impl LogInclusion {
    /// The proof of an entry.
    pub(super) fn of(ctx: &Context<'_>, placed: &Placed, entry: &trail_entry::Model) -> Self {
        let proof = placed.opened(entry);
        Self {
            index: Long(placed.leaf.idx),
            commitment: Sha256::stored(&placed.leaf.commitment),
            path: proof.path.iter().copied().map(Sha256).collect(),
            line: placed.line(entry).to_string(),
            text: proof.to_string(),
            proved: ctx.info().witnessed(&proof.note).1,
        }
    }
}

/// Asks for the log.
#[derive(Default)]
pub(super) struct LogQuery;

#[Object]
impl LogQuery {
    /// The last checkpoint of the log, or the one that was signed at this size; null where there is none. Needs no token.
    #[graphql(directive = disclosure::apply(Class::Public))]
    async fn log_checkpoint(&self, ctx: &Context<'_>, size: Option<Long>) -> Maybe<LogCheckpoint> {
        let found = match size {
            Some(size) => trail::checkpoint_at(ctx.db(), size.0).await,
            None => trail::latest_checkpoint(ctx.db()).await,
        };
        let told = match found {
            Ok(Some(row)) => LogCheckpoint::of(ctx, row).await.map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        field(ctx, told).transpose()
    }

    /// Proof that the log of `from` leaves is the beginning of the log of `to` leaves, at which a checkpoint was signed; without
    /// `to`, of the last checkpoint's. Null where there is no such checkpoint or `from` is larger. Needs no token.
    #[graphql(directive = disclosure::apply(Class::Public))]
    async fn log_consistency(
        &self,
        ctx: &Context<'_>,
        from: Long,
        to: Option<Long>,
    ) -> Maybe<LogConsistency> {
        let found = trail::consistency(ctx.db(), from.0, to.map(|size| size.0)).await;
        match found {
            Ok(found) => found.map(|proof| {
                Ok(LogConsistency {
                    text: proof.to_string(),
                    path: proof.path.into_iter().map(Sha256).collect(),
                })
            }),
            Err(error) => Some(Err(failure(ctx, &error))),
        }
    }

    /// Verifier keys of the log (C2SP `signed-note`), the one that signs now first. Compare them with what you were given by other
    /// means. Needs no token.
    #[graphql(directive = disclosure::apply(Class::Public))]
    async fn log_keys(&self, ctx: &Context<'_>) -> Vec<String> {
        ctx.info().log_keys.clone()
    }
}
