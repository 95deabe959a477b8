//! Reads a file once, from front to back, in constant memory: counts and hashes its bytes, decodes strictly what the
//! mapping declares, cuts records into fields, and refuses a record that does not end.
//!
//! The fields come from `csv-core`, the engine of the `csv` crate. The buffers are ours, because the crate's own grow with
//! the record (a file that is one line of 10 GB would fill the memory) and because a person needs the line number that an
//! editor shows, with quoted line breaks, blank lines and either line ending counted.

use std::io::{self, Read};

use csv_core::ReadRecordResult;
use encoding_rs::{DecoderResult, WINDOWS_1252};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::line::{Fields, Line, Rejection, RejectionCode};
use super::mapping::{Encoding, HeaderError, Mapping, MappingError, Resolved};
use entity::population::Unit;

/// Longest record in bytes unless told otherwise.
pub const RECORD_LIMIT: usize = 1 << 20;
const CHUNK: usize = 1 << 16;

/// What is wrong with the bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncodingFault {
    /// Bytes that the declared encoding does not have.
    Invalid,
    /// A byte order mark of UTF-16.
    Utf16,
    /// A NUL byte: not a text, or UTF-16.
    Nul,
    /// A byte order mark of UTF-8 in a file declared otherwise.
    Utf8,
}

/// Why the reading of a file ended before its end.
#[derive(Debug, Error)]
pub enum Failure {
    /// The upload or the disk broke.
    #[error("the file could not be read to its end")]
    Io(#[from] io::Error),
    /// The mapping itself cannot be used.
    #[error("the mapping has {} errors", .0.len())]
    Mapping(Vec<MappingError>),
    /// The header row does not fit the mapping.
    #[error("the header row has {} errors", .0.len())]
    Headers(Vec<HeaderError>),
    /// Nothing in the file.
    #[error("the file is empty")]
    Empty,
    /// No line after the header row.
    #[error("the file has a header row only")]
    HeaderOnly,
    /// The bytes are not text in the declared encoding.
    #[error("line {line}, byte {byte}: not the declared encoding ({fault:?})")]
    Encoding {
        /// Physical line, counted from one.
        line: u64,
        /// Offset in the file, counted from zero.
        byte: u64,
        /// What is wrong.
        fault: EncodingFault,
    },
    /// A record does not end within the limit.
    #[error("line {line}: longer than {limit} bytes")]
    RecordTooLong {
        /// Physical line on which the record begins.
        line: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// The file ends inside a quoted field: cut off, or a lost quotation mark.
    #[error("line {line}: a quoted field does not end")]
    UnclosedQuote {
        /// Physical line on which the record begins.
        line: u64,
    },
}

impl Failure {
    /// The failure as an entry in the list of refused lines, where it has a line.
    pub fn rejection(&self) -> Option<Rejection> {
        let (line, code) = match self {
            Self::Encoding { line, .. } => (*line, RejectionCode::WrongEncoding),
            Self::RecordTooLong { line, .. } => (*line, RejectionCode::RecordTooLong),
            Self::UnclosedQuote { line } => (*line, RejectionCode::UnclosedQuote),
            _ => return None,
        };
        Some(Rejection {
            line,
            column: None,
            code,
        })
    }
}

/// Bytes of the file as checked UTF-8, chunk by chunk.
#[derive(Debug)]
struct Source<R> {
    input: R,
    encoding: Encoding,
    hasher: Sha256,
    /// Bytes read from the input.
    total: u64,
    /// Bytes as they came; the first `filled` count.
    raw: Vec<u8>,
    filled: usize,
    /// Decoded text of the chunk; unused for UTF-8, which needs no copy.
    decoded: Vec<u8>,
    /// The part of the chunk that the parser has not had yet.
    start: usize,
    end: usize,
    /// A fault behind what could still be given out.
    fault: Option<(u64, EncodingFault)>,
    begun: bool,
    over: bool,
}

impl<R: Read> Source<R> {
    fn new(input: R, encoding: Encoding) -> Self {
        let decoded = if encoding == Encoding::Windows1252 {
            vec![0; CHUNK * 3 + 16]
        } else {
            Vec::new()
        };
        Self {
            input,
            encoding,
            hasher: Sha256::new(),
            total: 0,
            raw: vec![0; CHUNK],
            filled: 0,
            decoded,
            start: 0,
            end: 0,
            fault: None,
            begun: false,
            over: false,
        }
    }

    fn available(&self) -> &[u8] {
        let buffer = if self.encoding == Encoding::Utf8 {
            &self.raw
        } else {
            &self.decoded
        };
        buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Makes at least one byte available; false at the end of the file. To be called when nothing is available any more.
    fn fill(&mut self, line: u64) -> Result<bool, Failure> {
        while self.start >= self.end {
            if let Some((byte, fault)) = self.fault {
                return Err(Failure::Encoding { line, byte, fault });
            }
            if self.over {
                return Ok(false);
            }
            self.next_chunk()?;
        }
        Ok(true)
    }

    fn next_chunk(&mut self) -> Result<(), Failure> {
        // A character cut by the end of the last chunk goes on in front of the next one.
        let carried = if self.encoding == Encoding::Utf8 {
            self.filled - self.end
        } else {
            0
        };
        self.raw.copy_within(self.filled - carried..self.filled, 0);
        self.filled = carried;
        // The first chunk must be long enough to show a byte order mark.
        let wanted = if self.begun { carried + 1 } else { 3 };
        while self.filled < wanted && !self.over {
            match self.input.read(&mut self.raw[self.filled..]) {
                Ok(0) => self.over = true,
                Ok(count) => {
                    self.hasher.update(&self.raw[self.filled..self.filled + count]);
                    self.filled += count;
                    self.total += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        let skip = if self.begun { 0 } else { self.byte_order_mark() };
        self.begun = true;
        let mut usable = self.filled;
        if let Some(nul) = self.raw[..self.filled].iter().position(|byte| *byte == 0) {
            usable = nul;
            self.fail_at(nul, EncodingFault::Nul);
        }
        match self.encoding {
            Encoding::Utf8 => self.check_utf8(skip, usable),
            Encoding::Windows1252 => self.decode_windows_1252(usable),
        }
        Ok(())
    }

    fn fail_at(&mut self, place: usize, fault: EncodingFault) {
        // An earlier fault of the same chunk replaces a later one: it is looked for second.
        self.fault = Some((self.total - (self.filled - place) as u64, fault));
    }

    /// Bytes of a mark to skip.
    fn byte_order_mark(&mut self) -> usize {
        match (&self.raw[..self.filled], self.encoding) {
            ([0xff, 0xfe, ..] | [0xfe, 0xff, ..], _) => self.stop_at_once(EncodingFault::Utf16),
            ([0xef, 0xbb, 0xbf, ..], Encoding::Utf8) => return 3,
            ([0xef, 0xbb, 0xbf, ..], Encoding::Windows1252) => self.stop_at_once(EncodingFault::Utf8),
            _ => {}
        }
        0
    }

    fn stop_at_once(&mut self, fault: EncodingFault) {
        self.fault = Some((0, fault));
        self.filled = 0;
    }

    fn check_utf8(&mut self, skip: usize, usable: usize) {
        self.start = skip.min(usable);
        self.end = usable;
        if let Err(error) = std::str::from_utf8(&self.raw[..usable]) {
            self.end = error.valid_up_to();
            let unfinished = error.error_len().is_none() && usable == self.filled && !self.over;
            if !unfinished {
                self.fail_at(self.end, EncodingFault::Invalid);
            }
        }
        if self.fault.is_some() {
            // Nothing is carried over a fault.
            self.filled = self.end;
        }
    }

    fn decode_windows_1252(&mut self, usable: usize) {
        let mut usable = usable;
        // The five bytes without a character: the decoder would make control characters of them.
        if let Some(place) = self.raw[..usable]
            .iter()
            .position(|byte| matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d))
        {
            usable = place;
            self.fail_at(place, EncodingFault::Invalid);
        }
        let mut decoder = WINDOWS_1252.new_decoder_without_bom_handling();
        let (result, _, written) =
            decoder.decode_to_utf8_without_replacement(&self.raw[..usable], &mut self.decoded, true);
        self.start = 0;
        self.end = if matches!(result, DecoderResult::InputEmpty) {
            written
        } else {
            0
        };
    }
}

/// What one call of [`Reader::read`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A line.
    Line,
    /// A record with reasons against it; the reading can go on.
    Rejected,
    /// The end of the file.
    End,
}

/// Cuts the text of a file into records.
#[derive(Debug)]
struct Records<R> {
    source: Source<R>,
    parser: csv_core::Reader,
    limit: usize,
    /// Physical line on which the next record begins, and whether a `\r` has been counted whose `\n` may follow.
    line: u64,
    after_cr: bool,
    text: Vec<u8>,
    text_length: usize,
    ends: Vec<usize>,
    fields: usize,
}

impl<R: Read> Records<R> {
    fn new(input: R, mapping: &Mapping, limit: usize) -> Self {
        Self {
            source: Source::new(input, mapping.encoding),
            parser: csv_core::ReaderBuilder::new()
                .delimiter(mapping.delimiter.byte())
                .build(),
            limit,
            line: 1,
            after_cr: false,
            text: vec![0; 4096],
            text_length: 0,
            ends: vec![0; 64],
            fields: 0,
        }
    }

    fn current(&self, line: u64) -> Result<Fields<'_>, Failure> {
        let bytes = self.text.get(..self.text_length).unwrap_or_default();
        // The chunks are checked already; without `unsafe` the record is checked again, which ASCII makes cheap.
        let text = std::str::from_utf8(bytes).map_err(|_| Failure::Encoding {
            line,
            byte: self.source.total,
            fault: EncodingFault::Invalid,
        })?;
        Ok(Fields {
            text,
            ends: self.ends.get(..self.fields).unwrap_or_default(),
        })
    }

    /// Cuts the next record into `text` and `ends`; the line on which it begins, or none at the end of the file.
    fn next(&mut self) -> Result<Option<u64>, Failure> {
        if !self.skip_line_ends()? {
            return Ok(None);
        }
        let begin = self.line;
        let mut used = 0;
        self.text_length = 0;
        self.fields = 0;
        loop {
            // A line end after the last byte tells a record without one from a record inside a quoted field.
            let at_end = !self.source.fill(self.line)?;
            let available = if at_end { b"\n" } else { self.source.available() };
            let room = available.len().min(self.limit + 1 - used);
            let (result, taken, written, ended) = self.parser.read_record(
                &available[..room],
                &mut self.text[self.text_length..],
                &mut self.ends[self.fields..],
            );
            self.line += count_lines(&available[..taken], &mut self.after_cr);
            self.source.start += if at_end { 0 } else { taken };
            used += taken;
            self.text_length += written;
            self.fields += ended;
            match result {
                ReadRecordResult::Record => return Ok(Some(begin)),
                ReadRecordResult::End => return Ok(None),
                _ if used > self.limit => {
                    return Err(Failure::RecordTooLong {
                        line: begin,
                        limit: self.limit,
                    });
                }
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::InputEmpty if at_end => return Err(Failure::UnclosedQuote { line: begin }),
                ReadRecordResult::InputEmpty => {}
            }
        }
    }

    /// Skips blank lines and the second half of `\r\n`; false at the end of the file.
    fn skip_line_ends(&mut self) -> Result<bool, Failure> {
        loop {
            if !self.source.fill(self.line)? {
                return Ok(false);
            }
            let available = self.source.available();
            let blank = available
                .iter()
                .take_while(|byte| matches!(byte, b'\n' | b'\r'))
                .count();
            self.line += count_lines(&available[..blank], &mut self.after_cr);
            let more = blank < available.len();
            self.source.start += blank;
            if more {
                return Ok(true);
            }
        }
    }
}

/// Reads the lines of one file.
#[derive(Debug)]
pub struct Reader<R> {
    records: Records<R>,
    resolved: Resolved,
    count: u64,
}

impl<R: Read> Reader<R> {
    /// Checks the mapping, reads the header row and finds the columns.
    pub fn open(input: R, mapping: &Mapping, unit: Unit) -> Result<Self, Failure> {
        Self::with_limit(input, mapping, unit, RECORD_LIMIT)
    }

    /// [`Reader::open`] with another limit for a record's bytes.
    pub fn with_limit(input: R, mapping: &Mapping, unit: Unit, limit: usize) -> Result<Self, Failure> {
        let errors = mapping.check(unit);
        if !errors.is_empty() {
            return Err(Failure::Mapping(errors));
        }
        let mut records = Records::new(input, mapping, limit);
        let Some(line) = records.next()? else {
            return Err(Failure::Empty);
        };
        let headers: Vec<&str> = records.current(line)?.iter().collect();
        let resolved = mapping.resolve(&headers).map_err(Failure::Headers)?;
        Ok(Self {
            records,
            resolved,
            count: 0,
        })
    }

    /// Reads the next record into `line`, or its reasons of refusal onto the end of `rejections`. `known` says whether a
    /// Bezirksstelle has this number.
    pub fn read(
        &mut self,
        known: impl Fn(&str) -> bool,
        line: &mut Line,
        rejections: &mut Vec<Rejection>,
    ) -> Result<Step, Failure> {
        let Some(number) = self.records.next()? else {
            return if self.count == 0 {
                Err(Failure::HeaderOnly)
            } else {
                Ok(Step::End)
            };
        };
        self.count += 1;
        let good = self
            .resolved
            .parse(number, self.records.current(number)?, known, line, rejections);
        Ok(if good { Step::Line } else { Step::Rejected })
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.records.source.total
    }

    /// Records read so far, refused ones counted, the header row not.
    pub fn records(&self) -> u64 {
        self.count
    }

    /// SHA-256 of the bytes read: of the whole file once [`Step::End`] has been seen.
    pub fn sha256(&self) -> [u8; 32] {
        self.records.source.hasher.clone().finalize().into()
    }
}

/// Line ends (`\n`, `\r\n`, `\r`) in a piece of text.
fn count_lines(bytes: &[u8], after_cr: &mut bool) -> u64 {
    if !*after_cr && !bytes.contains(&b'\r') {
        return bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum();
    }
    let mut lines = 0;
    for byte in bytes {
        lines += u64::from(*byte == b'\r' || (*byte == b'\n' && !*after_cr));
        *after_cr = *byte == b'\r';
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use proptest::prelude::*;

    fn mapping() -> Mapping {
        serde_json::from_value(serde_json::json!({
            "encoding": "UTF_8", "delimiter": "SEMICOLON", "decimals": "GERMAN", "dateFormat": "GERMAN",
            "key": ["Beleg"], "reference": "Beleg", "bezirksstelle": "Ort", "amount": "Betrag",
            "funds": {"bund": "Bund", "kommune": "Kommune"}, "period": "Monat", "decisionDate": "Tag", "ownStaff": "Eigen", "kind": "Art",
            "attributes": [{"name": "Weg", "column": "Weg"}, {"name": "Team", "column": "Team"}],
        }))
        .unwrap()
    }

    const HEADER: &str = "Beleg;Ort;Betrag;Bund;Kommune;Monat;Tag;Eigen;Art;Weg;Team\n";

    /// Hands out one byte at a time, so that every boundary is a chunk's boundary.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(buffer.len()).min(1);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    type Everything = (Vec<Line>, Vec<Rejection>, [u8; 32]);

    fn read_from(input: impl Read, mapping: &Mapping, limit: usize) -> Result<Everything, Failure> {
        let mut reader = Reader::with_limit(input, mapping, Unit::Payment, limit)?;
        let (mut lines, mut rejections, mut line) = (Vec::new(), Vec::new(), Line::default());
        loop {
            match reader.read(|number| number.starts_with('0'), &mut line, &mut rejections)? {
                Step::Line => lines.push(line.clone()),
                Step::Rejected => {}
                Step::End => return Ok((lines, rejections, reader.sha256())),
            }
        }
    }

    fn all(bytes: &[u8]) -> Result<Everything, Failure> {
        let (whole, dripped) = (
            read_from(bytes, &mapping(), 1000),
            read_from(Drip(bytes), &mapping(), 1000),
        );
        assert_eq!(format!("{whole:?}"), format!("{dripped:?}"));
        whole
    }

    fn rejected(body: &str) -> Vec<(u64, Option<String>, &'static str)> {
        let (_, rejections, _) = all(format!("{HEADER}{body}").as_bytes()).unwrap();
        rejections
            .into_iter()
            .map(|rejection| (rejection.line, rejection.column, rejection.code.as_str()))
            .collect()
    }

    #[test]
    fn a_good_line() {
        let text = format!(
            "\u{feff}{HEADER}\"B-1\"; 03 ;1.234,50;1.000,00;234,50;03/2025;31.03.2025;Nein;Auszahlung;Überweisung;A\r\nB-2;01;-5;-5;;2025-04;;j;;;\r\n"
        );
        let (lines, rejections, digest) = all(text.as_bytes()).unwrap();
        assert_eq!(rejections, []);
        assert_eq!(digest, <[u8; 32]>::from(Sha256::digest(text.as_bytes())));
        assert_eq!(lines[0].number, 2);
        assert_eq!(
            (
                lines[0].key.as_str(),
                lines[0].reference.as_deref(),
                lines[0].bezirksstelle.as_str()
            ),
            ("B-1", Some("B-1"), "03")
        );
        assert_eq!(
            (lines[0].amount, lines[0].funds),
            (123_450, [100_000, 23_450, 0, 0])
        );
        assert_eq!(lines[0].period, NaiveDate::from_ymd_opt(2025, 3, 1));
        assert_eq!(lines[0].decision_date, NaiveDate::from_ymd_opt(2025, 3, 31));
        assert_eq!(
            lines[0].attributes,
            [
                ("Team".into(), "A".to_owned()),
                ("Weg".into(), "Überweisung".to_owned())
            ]
        );
        assert_eq!(
            (
                lines[1].number,
                lines[1].amount,
                lines[1].own_staff,
                lines[1].decision_date
            ),
            (3, -500, true, None)
        );
        assert_eq!(
            (lines[1].kind.as_str(), lines[1].attributes[1].1.as_str()),
            ("", "")
        );
    }

    #[test]
    fn every_reason_is_named_and_reading_goes_on() {
        let found = rejected(
            "1;03;x;1;2;13/2025;31.02.2025;vielleicht;ok;ok;ok\n\
             2;03;3,00;1,00;1,99;;;0;;;\n\
             ;93;1,234;1;0;;;;;;\n\
             4;03;9;9\n\
             5;03;999999999999999999;1;;;;n;;a\u{7}b;\n\
             6;;;;;2025-3;1.1.2025;n;0123456789012345678901234567890123456789x;;\n\
             7;03;1;1;0;2025-01;01.01.2025;n;;;\n",
        );
        let expected = [
            (2, Some("Betrag"), "NOT_A_NUMBER"),
            (2, Some("Monat"), "NOT_A_PERIOD"),
            (2, Some("Tag"), "NOT_A_DATE"),
            (2, Some("Eigen"), "NOT_A_BOOLEAN"),
            (3, Some("Betrag"), "FUND_SPLIT_DOES_NOT_SUM"),
            (4, Some("Beleg"), "EMPTY_VALUE"),
            (4, Some("Ort"), "UNKNOWN_BEZIRKSSTELLE"),
            (4, Some("Betrag"), "TOO_MANY_DECIMALS"),
            (4, Some("Eigen"), "EMPTY_VALUE"),
            (5, None, "FIELD_COUNT"),
            (6, Some("Betrag"), "AMOUNT_OVERFLOW"),
            (6, Some("Weg"), "CONTROL_CHARACTER"),
            (7, Some("Ort"), "EMPTY_VALUE"),
            (7, Some("Betrag"), "EMPTY_VALUE"),
            (7, Some("Art"), "TEXT_TOO_LONG"),
            (7, Some("Monat"), "NOT_A_PERIOD"),
            (7, Some("Tag"), "NOT_A_DATE"),
        ];
        assert_eq!(
            found,
            expected.map(|(line, column, code)| (line, column.map(str::to_owned), code))
        );
    }

    #[test]
    fn lines_are_the_editors_lines() {
        // Quoted line breaks, blank lines, and all three line ends.
        let found = rejected(
            "1;03;1;1;;;;n;\"a\nb\r\nc\";;\n2;93;1;1;;;;n;;;\r\n\r\n3;93;1;1;;;;n;;;\r4;93;1;1;;;;n;;;\n\n\n5;\"93\n\";1;1;;;;n;;;\n6;93;1;1;;;;n;;;",
        );
        assert_eq!(
            found.iter().map(|entry| entry.0).collect::<Vec<_>>(),
            [5, 7, 8, 11, 13]
        );
        let (lines, _, _) = all(format!("{HEADER}1;03;1;1;;;;n;\"a\nb\r\nc\tö\";;\n").as_bytes()).unwrap();
        assert_eq!(lines[0].kind, "a b c ö");
    }

    #[test]
    fn nothing_in_the_file() {
        for text in ["", "\n\r\n", "\u{feff}"] {
            assert!(matches!(all(text.as_bytes()), Err(Failure::Empty)), "{text:?}");
        }
        assert!(matches!(all(HEADER.as_bytes()), Err(Failure::HeaderOnly)));
        assert!(matches!(all(HEADER.trim().as_bytes()), Err(Failure::HeaderOnly)));
        assert!(
            matches!(all(HEADER.replace("Art", "Name").as_bytes()), Err(Failure::Headers(errors)) if errors.len() == 2)
        );
    }

    #[test]
    fn wrong_encodings_are_located() {
        let mut bytes = format!("{HEADER}1;03;1;1;;;;n;ä;;\n2;03;1;1;;;;n;").into_bytes();
        let place = bytes.len() as u64;
        bytes.extend_from_slice(b"\xe4;;\n");
        let found = all(&bytes).unwrap_err();
        assert!(
            matches!(found, Failure::Encoding { line: 3, byte, fault: EncodingFault::Invalid } if byte == place),
            "{found:?}"
        );
        assert_eq!(
            found.rejection().map(|rejection| rejection.code),
            Some(RejectionCode::WrongEncoding)
        );
        // A character cut off by the end of the file.
        bytes.truncate(bytes.len() - 4);
        bytes.push(0xc3);
        assert!(matches!(all(&bytes), Err(Failure::Encoding { line: 3, byte, .. }) if byte == place));
        bytes.pop();
        bytes.extend_from_slice(b"a\0b");
        assert!(
            matches!(all(&bytes), Err(Failure::Encoding { line: 3, fault: EncodingFault::Nul, byte }) if byte == place + 1)
        );
        for mark in [b"\xff\xfeB\0", b"\xfe\xff\0B"] {
            assert!(matches!(
                all(mark),
                Err(Failure::Encoding {
                    line: 1,
                    byte: 0,
                    fault: EncodingFault::Utf16
                })
            ));
        }
    }

    #[test]
    fn windows_1252_is_strict_too() {
        let mut mapping = mapping();
        mapping.encoding = Encoding::Windows1252;
        let mut bytes = HEADER.as_bytes().to_vec();
        bytes.extend_from_slice(b"1;03;1;1;;;;n;\xc4nderung \x80;;\n");
        for whole in [true, false] {
            let lines = if whole {
                read_from(&bytes[..], &mapping, 1000)
            } else {
                read_from(Drip(&bytes), &mapping, 1000)
            }
            .unwrap()
            .0;
            assert_eq!(lines[0].kind, "Änderung €");
        }
        let place = bytes.len() as u64;
        bytes.push(0x81);
        assert!(
            matches!(read_from(&bytes[..], &mapping, 1000), Err(Failure::Encoding { line: 3, byte, fault: EncodingFault::Invalid }) if byte == place)
        );
        let marked = format!("\u{feff}{HEADER}");
        assert!(matches!(
            read_from(marked.as_bytes(), &mapping, 1000),
            Err(Failure::Encoding {
                fault: EncodingFault::Utf8,
                ..
            })
        ));
    }

    #[test]
    fn a_record_without_end_is_refused_in_constant_memory() {
        struct Endless<'a>(&'a [u8], u64);
        impl Read for Endless<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let head = self.0.len().min(buffer.len());
                buffer[..head].copy_from_slice(&self.0[..head]);
                buffer[head..].fill(b'a');
                self.0 = &self.0[head..];
                self.1 += buffer.len() as u64;
                assert!(self.1 < 4 << 20, "read on after the limit");
                Ok(buffer.len())
            }
        }
        for start in [
            "1;03;1;1;;;;n;;;\n2;",
            "1;03;1;1;;;;n;;;\n2;\"",
            "1;03;1;1;;;;n;;;\n2;93;1\n",
        ] {
            let text = format!("{HEADER}{start}");
            let found = read_from(Endless(text.as_bytes(), 0), &mapping(), RECORD_LIMIT).unwrap_err();
            let line = if start.contains("93") { 4 } else { 3 };
            assert!(
                matches!(found, Failure::RecordTooLong { line: at, limit: RECORD_LIMIT } if at == line),
                "{found:?}"
            );
        }
        // Exactly at the limit, and one above it.
        let record = |length: usize| format!("{HEADER}{}\n{}\n", "1;03;1;1;;;;n;;;", "x".repeat(length));
        assert_eq!(
            read_from(record(200).as_bytes(), &mapping(), 200)
                .unwrap()
                .1
                .len(),
            1
        );
        assert!(matches!(
            read_from(record(201).as_bytes(), &mapping(), 200),
            Err(Failure::RecordTooLong { line: 3, .. })
        ));
        // Many fields are bounded like long ones.
        let separators = format!("{HEADER}{}", ";".repeat(5000));
        assert!(matches!(
            read_from(separators.as_bytes(), &mapping(), 1000),
            Err(Failure::RecordTooLong { line: 2, .. })
        ));
    }

    #[test]
    fn a_file_cut_inside_quotes_is_noticed() {
        assert!(matches!(
            all(format!("{HEADER}1;03;1;1;;;;n;\"cut").as_bytes()),
            Err(Failure::UnclosedQuote { line: 2 })
        ));
        assert_eq!(rejected("1;03;1;1;;;;n;\"whole\";;\"\""), []);
    }

    #[test]
    fn a_broken_upload_is_a_failure() {
        struct Broken<'a>(&'a [u8]);
        impl Read for Broken<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if self.0.is_empty() {
                    Err(io::Error::from(io::ErrorKind::ConnectionReset))
                } else {
                    self.0.read(buffer)
                }
            }
        }
        let text = format!("{HEADER}1;03;1;1;;;;n;;;\n");
        assert!(matches!(
            read_from(Broken(text.as_bytes()), &mapping(), 1000),
            Err(Failure::Io(_))
        ));
    }

    #[test]
    fn keys_are_normal_and_unambiguous() {
        let mut mapping = mapping();
        mapping.key = vec!["Beleg".to_owned(), "Art".to_owned()];
        let text = format!("{HEADER}o\u{308};03;1;1;;;;n;b;;\n;03;1;1;;;;n;ob;;\n;03;1;1;;;;n;;;\n");
        let (lines, rejections, _) = read_from(text.as_bytes(), &mapping, 1000).unwrap();
        assert_eq!(lines[0].key, "ö\u{1f}b");
        assert_eq!(lines[1].key, "\u{1f}ob");
        assert_eq!(
            rejections,
            [Rejection {
                line: 4,
                column: Some("Beleg".to_owned()),
                code: RejectionCode::EmptyValue
            }]
        );
    }

    proptest! {
        #[test]
        fn fields_are_those_of_the_csv_crate(rows in proptest::collection::vec(proptest::collection::vec("[a-zä;\"\n\r ,]{0,12}", 3), 1..20), crlf: bool) {
            let mut writer = csv::WriterBuilder::new()
                .delimiter(b';')
                .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
                .quote_style(csv::QuoteStyle::Always)
                .from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let bytes = writer.into_inner().unwrap();
            for drip in [false, true] {
                let input: Box<dyn Read> = if drip { Box::new(Drip(&bytes)) } else { Box::new(&bytes[..]) };
                let mut records = Records::new(input, &mapping(), 10_000);
                let mut line = 1;
                for row in &rows {
                    let number = records.next().unwrap().unwrap();
                    prop_assert_eq!(number, line);
                    prop_assert_eq!(&records.current(number).unwrap().iter().map(str::to_owned).collect::<Vec<_>>(), row);
                    let mut after_cr = false;
                    line += row.iter().map(|field| count_lines(format!("{field};").as_bytes(), &mut after_cr)).sum::<u64>() + 1;
                }
                prop_assert!(records.next().unwrap().is_none());
            }
        }

        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut text = HEADER.as_bytes().to_vec();
            text.extend(&bytes);
            let _ = all(&text);
            let _ = all(&bytes);
        }
    }
}
