//! Rows in the order of their tickets, sorted on disk: memory is the same whatever the population's size.
//!
//! A row takes 44 bytes in the directory for temporary files (`TMPDIR`) while a draw lasts: its stratum, the first digits of its
//! ticket, its id and its amount. No case number and no name is among them. Up to [`IN_MEMORY`] rows are sorted without a file.
//! Own code: `extsort`, the one kept crate for it, loses all rows where their number is a multiple of a run's (0.5.0).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek as _};

use uuid::Uuid;

use crate::sampling::selection::{Seed, Tickets};
use crate::{Code, Error, Result};

/// Rows of one run: 48 MB.
const IN_MEMORY: usize = 1_000_000;

/// Bytes of a row on disk.
const LENGTH: usize = 44;

/// A row, ordered by stratum and ticket.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    place: u32,
    /// The first digits of its ticket. Whoever draws checks the order by all of them.
    ticket: u128,
    id: Uuid,
    cents: i64,
}

impl Row {
    fn write(&self, to: &mut impl io::Write) -> io::Result<()> {
        to.write_all(&self.place.to_be_bytes())?;
        to.write_all(&self.ticket.to_be_bytes())?;
        to.write_all(self.id.as_bytes())?;
        to.write_all(&self.cents.to_be_bytes())
    }

    fn read(from: &mut impl io::Read) -> io::Result<Self> {
        fn bytes<const N: usize>(from: &mut impl io::Read) -> io::Result<[u8; N]> {
            let mut bytes = [0; N];
            from.read_exact(&mut bytes)?;
            Ok(bytes)
        }
        Ok(Self {
            place: u32::from_be_bytes(bytes(from)?),
            ticket: u128::from_be_bytes(bytes(from)?),
            id: Uuid::from_bytes(bytes(from)?),
            cents: i64::from_be_bytes(bytes(from)?),
        })
    }
}

/// Sorted rows on disk; the file has no name, and is gone with its last reader.
struct Run {
    rows: BufReader<File>,
    left: usize,
}

impl Run {
    fn of(sorted: &[Row]) -> io::Result<Self> {
        let mut file = BufWriter::new(tempfile::tempfile()?);
        for row in sorted {
            row.write(&mut file)?;
        }
        let mut file = file.into_inner()?;
        file.rewind()?;
        Ok(Self {
            rows: BufReader::with_capacity(LENGTH * 1_000, file),
            left: sorted.len(),
        })
    }

    fn next(&mut self) -> io::Result<Option<Row>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        Row::read(&mut self.rows).map(Some)
    }
}

/// Rows that are to be put into random order.
pub(super) struct Shuffle {
    tickets: Tickets,
    at_once: usize,
    rows: Vec<Row>,
    runs: Vec<Run>,
}

impl Shuffle {
    pub(super) fn new(seed: &Seed) -> Self {
        Self::of_runs(seed, IN_MEMORY)
    }

    fn of_runs(seed: &Seed, at_once: usize) -> Self {
        Self {
            tickets: Tickets::new(seed),
            at_once,
            rows: Vec::new(),
            runs: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, place: usize, id: Uuid, cents: i64) -> Result<()> {
        if self.rows.len() == self.at_once {
            self.write_run().map_err(|error| unsorted(&error))?;
        }
        let mut text = Uuid::encode_buffer();
        self.rows.push(Row {
            place: u32::try_from(place).unwrap_or(u32::MAX),
            ticket: self.tickets.leading(id.hyphenated().encode_lower(&mut text)),
            id,
            cents,
        });
        Ok(())
    }

    fn write_run(&mut self) -> io::Result<()> {
        self.rows.sort_unstable();
        self.runs.push(Run::of(&self.rows)?);
        self.rows.clear();
        Ok(())
    }

    /// Stratum, id and amount of each row.
    pub(super) fn in_random_order(mut self) -> Result<impl Iterator<Item = Result<(usize, Uuid, i64)>>> {
        self.rows.sort_unstable();
        let merged = Merged::of(self.runs, self.rows).map_err(|error| unsorted(&error))?;
        Ok(merged.map(|row| {
            let row = row.map_err(|error| unsorted(&error))?;
            Ok((row.place as usize, row.id, row.cents))
        }))
    }
}

/// Runs, merged.
struct Merged {
    runs: Vec<Run>,
    /// The first row of each run that is not at its end, with its place among them.
    first: BinaryHeap<Reverse<(Row, usize)>>,
    /// The last run never went to the disk.
    last: std::iter::Peekable<std::vec::IntoIter<Row>>,
}

impl Merged {
    fn of(mut runs: Vec<Run>, last: Vec<Row>) -> io::Result<Self> {
        let mut first = BinaryHeap::with_capacity(runs.len());
        for (index, run) in runs.iter_mut().enumerate() {
            first.extend(run.next()?.map(|row| Reverse((row, index))));
        }
        Ok(Self {
            runs,
            first,
            last: last.into_iter().peekable(),
        })
    }

    fn next_on_disk(&mut self) -> io::Result<Option<Row>> {
        let Some(Reverse((row, index))) = self.first.pop() else {
            return Ok(None);
        };
        if let Some(run) = self.runs.get_mut(index) {
            self.first.extend(run.next()?.map(|row| Reverse((row, index))));
        }
        Ok(Some(row))
    }
}

impl Iterator for Merged {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let in_memory = match (self.last.peek(), self.first.peek()) {
            (Some(row), Some(Reverse((other, _)))) => row < other,
            (last, _) => last.is_some(),
        };
        if in_memory {
            self.last.next().map(Ok)
        } else {
            self.next_on_disk().transpose()
        }
    }
}

/// The disk is full, or its directory cannot be written to.
fn unsorted(error: &io::Error) -> Error {
    if matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    ) {
        return Error::refused(Code::StorageFull, "");
    }
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
        for runs in [1, 8, 100, 999, 1_000, 5_000] {
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
