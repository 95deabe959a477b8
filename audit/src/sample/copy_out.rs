//! PostgreSQL's binary COPY format, read: rows whose columns all have a fixed length and a value.
//!
//! Source: PostgreSQL documentation, COPY, "Binary Format".

use crate::{Error, Result};

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Rows of `N` columns of known lengths, from bytes that may be cut anywhere.
#[derive(Debug)]
pub(super) struct FixedRows<const N: usize> {
    lengths: [usize; N],
    /// Bytes that are not yet a whole row.
    rest: Vec<u8>,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Header,
    Rows,
    End,
}

impl<const N: usize> FixedRows<N> {
    pub(super) const fn new(lengths: [usize; N]) -> Self {
        Self {
            lengths,
            rest: Vec::new(),
            place: Place::Header,
        }
    }

    /// Takes bytes in and hands every whole row on.
    pub(super) fn feed(&mut self, bytes: &[u8], mut row: impl FnMut([&[u8]; N]) -> Result<()>) -> Result<()> {
        let joined;
        let mut left = if self.rest.is_empty() {
            bytes
        } else {
            self.rest.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.rest);
            &joined
        };
        if self.place == Place::Header {
            let Some(behind) = after_header(left)? else {
                self.rest = left.to_vec();
                return Ok(());
            };
            (left, self.place) = (behind, Place::Rows);
        }
        while let Some((count, body)) = left.split_first_chunk::<2>() {
            match i16::from_be_bytes(*count) {
                -1 => {
                    self.place = Place::End;
                    return Ok(());
                }
                columns if usize::try_from(columns) == Ok(N) => {}
                _ => return Err(broken()),
            }
            let Some(behind) = self.row(body, &mut row)? else {
                break;
            };
            left = behind;
        }
        self.rest = left.to_vec();
        Ok(())
    }

    /// Hands one row on; none if it is not whole yet.
    fn row<'b>(
        &self,
        mut body: &'b [u8],
        row: &mut impl FnMut([&[u8]; N]) -> Result<()>,
    ) -> Result<Option<&'b [u8]>> {
        if body.len() < self.lengths.iter().map(|length| length + 4).sum() {
            return Ok(None);
        }
        let mut columns = [&body[..0]; N];
        for (column, length) in columns.iter_mut().zip(self.lengths) {
            let (given, value) = body.split_first_chunk::<4>().ok_or_else(broken)?;
            if usize::try_from(i32::from_be_bytes(*given)) != Ok(length) {
                return Err(broken());
            }
            (*column, body) = value.split_at(length);
        }
        row(columns)?;
        Ok(Some(body))
    }

    /// All bytes were taken in: the end has to have been among them.
    pub(super) fn finish(&self) -> Result<()> {
        if self.place == Place::End {
            Ok(())
        } else {
            Err(broken())
        }
    }
}

fn broken() -> Error {
    Error::internal("the database sent a COPY of another form")
}

/// What is behind the header: signature, flags, and an extension of a named length.
fn after_header(bytes: &[u8]) -> Result<Option<&[u8]>> {
    let Some((header, behind)) = bytes.split_first_chunk::<19>() else {
        return Ok(None);
    };
    if !header.starts_with(SIGNATURE) {
        return Err(broken());
    }
    let mut extension = [0; 4];
    extension.copy_from_slice(&header[15..]);
    let extension = usize::try_from(u32::from_be_bytes(extension)).map_err(|_| broken())?;
    Ok(behind.get(extension..))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::copy::CopyWriter;

    fn copy(rows: &[(u128, i64)]) -> Vec<u8> {
        let mut copy = CopyWriter::new(2, 64);
        for (id, cents) in rows {
            copy.row();
            copy.uuid(uuid::Uuid::from_u128(*id));
            copy.bigint(*cents);
        }
        copy.finish()
    }

    fn read(bytes: &[u8], cut: usize) -> Result<Vec<(u128, i64)>> {
        let mut found = Vec::new();
        let mut rows = FixedRows::new([16, 8]);
        for chunk in bytes.chunks(cut) {
            rows.feed(chunk, |[id, cents]| {
                found.push((
                    u128::from_be_bytes(id.try_into().unwrap()),
                    i64::from_be_bytes(cents.try_into().unwrap()),
                ));
                Ok(())
            })?;
        }
        rows.finish()?;
        Ok(found)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_wherever_it_is_cut(
            rows in prop::collection::vec(any::<(u128, i64)>(), 0..20), cut in 1_usize..200
        ) {
            prop_assert_eq!(read(&copy(&rows), cut).unwrap(), rows);
        }

        #[test]
        fn other_bytes_are_refused_or_incomplete(bytes in prop::collection::vec(any::<u8>(), 1..200)) {
            prop_assert!(read(&bytes, 50).is_err());
        }
    }

    #[test]
    fn a_copy_that_breaks_off_is_no_copy() {
        let whole = copy(&[(1, 2), (3, 4)]);
        for end in 1..whole.len() {
            assert!(read(&whole[..end], 7).is_err());
        }
    }
}
