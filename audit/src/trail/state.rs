//! What a change found and what it left: digests of rows, kept in the entry that tells of the change.
//!
//! Who reads the trail learns from them that a row changed, and nothing of what it says: the digest is made with a key of the
//! service's own, since of a row with few possible contents (an error class has five) a plain one could be guessed. Whoever has the
//! key and the database can tell whether a row is as the trail left it ([`super::rows`]).
//!
//! The digest is HMAC-SHA-256 over the row: the name of its table, then of each column in the order of its entity the name and
//! the value, each a field as in [`super::canonical`]. A value is its text: a number in decimals, a truth value as `true` or
//! `false`, a time in microseconds since 1970-01-01T00:00:00Z, a date as `2026-03-31`, a UUID in its notation, bytes in hexadecimal;
//! a column without a value is left out, so that a row keeps its digest when its table gets another column. Both databases give
//! the same. Rows that belong to another, as the answers to their check, follow it in their order.

use aws_lc_rs::hmac;
use sea_orm::{EntityName as _, IdenStatic as _, Iterable as _, ModelTrait, Value};

use super::canonical::field;
use crate::{Ctx, Error, Result};

/// Digest of a row and what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State([u8; 32]);

impl State {
    /// As an entry tells it: 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

/// The state of a row.
pub fn state<M: ModelTrait>(ctx: &Ctx, row: &M) -> Result<State> {
    state_with::<M, M>(ctx, row, &[])
}

/// The state of a row and of those that belong to it.
pub fn state_with<M: ModelTrait, P: ModelTrait>(ctx: &Ctx, row: &M, parts: &[P]) -> Result<State> {
    let mut bytes = Vec::with_capacity(1024);
    write(&mut bytes, row)?;
    for part in parts {
        write(&mut bytes, part)?;
    }
    let tag = hmac::sign(ctx.sources.vault().states(), &bytes);
    let mut state = [0; 32];
    state.copy_from_slice(tag.as_ref());
    Ok(State(state))
}

fn write<M: ModelTrait>(out: &mut Vec<u8>, row: &M) -> Result<()> {
    field(out, M::Entity::default().table_name().as_bytes());
    for column in <M::Entity as sea_orm::EntityTrait>::Column::iter() {
        if let Some(text) = text(row.get(column))? {
            field(out, column.as_str().as_bytes());
            field(out, text.as_bytes());
        }
    }
    Ok(())
}

fn text(value: Value) -> Result<Option<String>> {
    Ok(match value {
        Value::Bool(value) => value.map(|value| value.to_string()),
        Value::Int(value) => value.map(|value| value.to_string()),
        Value::BigInt(value) => value.map(|value| value.to_string()),
        Value::String(value) => value,
        Value::Bytes(value) => value.map(hex::encode),
        Value::Uuid(value) => value.map(|value| value.to_string()),
        Value::ChronoDate(value) => value.map(|value| value.to_string()),
        Value::ChronoDateTimeUtc(value) => value.map(|value| value.timestamp_micros().to_string()),
        other => return Err(Error::internal(format!("no digest is defined of {other:?}"))),
    })
}
