//! Rows in the order of their tickets, sorted on disk: memory is the same whatever the population's size.
//!
//! A row takes 44 bytes in the directory for temporary files (`TMPDIR`) while a draw lasts: its stratum, the first digits of its
//! ticket, its id and its amount. No case number and no name is among them. Up to [`IN_MEMORY`] rows are sorted without a file.

use std::cmp::Ordering;
use std::io::{self, Read, Write};

use extsort::{ExternalSorter, PushExternalSorter, Sortable};
use uuid::Uuid;

use crate::sampling::selection::{Seed, Tickets};
use crate::{Error, Result};

/// Rows of one run: 48 MB.
const IN_MEMORY: usize = 1_000_000;

/// Rows that are to be put into random order.
pub(super) struct Shuffle {
    tickets: Tickets,
    rows: PushExternalSorter<Row, fn(&Row, &Row) -> Ordering>,
}

/// A row, ordered by stratum and ticket.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    place: u32,
    /// The first digits of its ticket. Whoever draws checks the order by all of them.
    ticket: u128,
    id: Uuid,
    cents: i64,
}

impl Sortable for Row {
    fn encode<W: Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(&self.place.to_be_bytes())?;
        writer.write_all(&self.ticket.to_be_bytes())?;
        writer.write_all(self.id.as_bytes())?;
        writer.write_all(&self.cents.to_be_bytes())
    }

    fn decode<R: Read>(reader: &mut R) -> io::Result<Self> {
        Ok(Self {
            place: u32::from_be_bytes(bytes(reader)?),
            ticket: u128::from_be_bytes(bytes(reader)?),
            id: Uuid::from_bytes(bytes(reader)?),
            cents: i64::from_be_bytes(bytes(reader)?),
        })
    }
}

fn bytes<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

impl Shuffle {
    pub(super) fn new(seed: &Seed) -> Self {
        Self::of_runs(seed, IN_MEMORY)
    }

    fn of_runs(seed: &Seed, rows: usize) -> Self {
        Self {
            tickets: Tickets::new(seed),
            rows: ExternalSorter::new().with_segment_size(rows).pushed_by(Ord::cmp),
        }
    }

    pub(super) fn add(&mut self, place: usize, id: Uuid, cents: i64) -> Result<()> {
        let mut text = Uuid::encode_buffer();
        let row = Row {
            place: u32::try_from(place).unwrap_or(u32::MAX),
            ticket: self.tickets.leading(id.hyphenated().encode_lower(&mut text)),
            id,
            cents,
        };
        self.rows.push(row).map_err(|error| unsorted(&error))
    }

    /// Stratum, id and amount of each row.
    pub(super) fn in_random_order(self) -> Result<impl Iterator<Item = Result<(usize, Uuid, i64)>>> {
        let rows = self.rows.done().map_err(|error| unsorted(&error))?;
        Ok(rows.map(|row| {
            let row = row.map_err(|error| unsorted(&error))?;
            Ok((row.place as usize, row.id, row.cents))
        }))
    }
}

/// The disk is full, or its directory cannot be written to.
fn unsorted(error: &io::Error) -> Error {
    Error::internal(format!("the frame cannot be sorted on disk: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_tickets_whatever_stays_in_memory() {
        let seed = Seed::new("Los").unwrap();
        let tickets = Tickets::new(&seed);
        let ids: Vec<Uuid> = (0..1_000_u128)
            .map(|number| Uuid::from_u128(number * 7_919))
            .collect();
        let place = |id: &Uuid| usize::from(id.as_bytes()[15] % 3);
        let mut expected = ids.clone();
        expected.sort_by_key(|id| (place(id), tickets.of(&id.hyphenated().to_string())));
        for runs in [7, 100, 5_000] {
            let mut shuffle = Shuffle::of_runs(&seed, runs);
            for id in &ids {
                shuffle.add(place(id), *id, i64::from(id.as_bytes()[15])).unwrap();
            }
            let found: Vec<(usize, Uuid, i64)> =
                shuffle.in_random_order().unwrap().collect::<Result<_>>().unwrap();
            let wanted = expected
                .iter()
                .map(|id| (place(id), *id, i64::from(id.as_bytes()[15])));
            assert_eq!(found, wanted.collect::<Vec<_>>(), "{runs}");
        }
    }
}
