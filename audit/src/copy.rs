//! PostgreSQL's binary COPY format, written: the fastest way in, and nothing is quoted.
//!
//! Source: PostgreSQL documentation, COPY, "Binary Format".

use chrono::NaiveDate;
use uuid::Uuid;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Bytes of one COPY.
#[derive(Debug)]
pub(crate) struct CopyWriter {
    bytes: Vec<u8>,
    columns: i16,
}

impl CopyWriter {
    /// A copy of rows with this many columns.
    pub(crate) fn new(columns: i16, capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity);
        bytes.extend_from_slice(SIGNATURE);
        Self { bytes, columns }
    }

    /// Begins a row.
    pub(crate) fn row(&mut self) {
        self.bytes.extend_from_slice(&self.columns.to_be_bytes());
    }

    /// A value of any type, in its binary form. Values come from bounded records.
    pub(crate) fn bytes(&mut self, value: &[u8]) {
        let length = i32::try_from(value.len()).unwrap_or(i32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(value);
    }

    /// No value.
    pub(crate) fn null(&mut self) {
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    /// A `uuid`.
    pub(crate) fn uuid(&mut self, value: Uuid) {
        self.bytes(value.as_bytes());
    }

    /// A `bigint`.
    pub(crate) fn bigint(&mut self, value: i64) {
        self.bytes(&value.to_be_bytes());
    }

    /// A `boolean`.
    pub(crate) fn boolean(&mut self, value: bool) {
        self.bytes(&[u8::from(value)]);
    }

    /// A `date`: days since 1 January 2000.
    pub(crate) fn date(&mut self, value: Option<NaiveDate>) {
        match value.zip(NaiveDate::from_ymd_opt(2000, 1, 1)) {
            Some((value, epoch)) => {
                let days = i32::try_from((value - epoch).num_days()).unwrap_or(i32::MAX);
                self.bytes(&days.to_be_bytes());
            }
            None => self.null(),
        }
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The whole copy.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(&(-1_i16).to_be_bytes());
        self.bytes
    }
}
