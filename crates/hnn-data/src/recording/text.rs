//! Tables in texts: CSV and its relatives, and columns between blanks.

mod layout;
mod number;

use std::collections::HashMap;

use hnn_integrators::TooLarge;
pub(crate) use layout::{Delimiter, Layout, Options};
use number::Numbers;

use crate::DataError;
use crate::recording::table::{Table, shorten};

/// The text of a file: UTF-8 or UTF-16, by its byte-order mark, or else Latin-1; and what was found.
pub(crate) fn decode(bytes: Vec<u8>) -> (String, Vec<String>) {
    let utf16 = |skip: usize, from: fn([u8; 2]) -> u16| {
        let units = bytes[skip..].chunks_exact(2).map(|pair| from([pair[0], pair[1]]));
        String::from_utf16_lossy(&Vec::from_iter(units))
    };
    let bare = "UTF-16 without a byte-order mark";
    let (mut text, note) = match bytes[..] {
        [0xFF, 0xFE, ..] => (utf16(2, u16::from_le_bytes), "UTF-16"),
        [0xFE, 0xFF, ..] => (utf16(2, u16::from_be_bytes), "UTF-16"),
        // The first two letters, each with a byte of 0.
        [1..=0x7F, 0, 1..=0x7F, 0, ..] => (utf16(0, u16::from_le_bytes), bare),
        [0, 1..=0x7F, 0, 1..=0x7F, ..] => (utf16(0, u16::from_be_bytes), bare),
        _ => match String::from_utf8(bytes) {
            Ok(text) => (text, ""),
            Err(error) => {
                let latin = error.into_bytes().into_iter().map(char::from).collect();
                (latin, "no UTF-8: read as Latin-1")
            }
        },
    };
    let mut notes = Vec::from_iter((!note.is_empty()).then(|| note.to_owned()));
    if text.starts_with('\u{FEFF}') {
        text.drain(..'\u{FEFF}'.len_utf8());
        notes.push("byte-order mark left out".into());
    }
    if !text.contains('\n') && text.contains('\r') {
        text = text.replace('\r', "\n");
    }
    (text, notes)
}

/// Reads the columns of these numbers, and that of the trials' labels.
pub(crate) fn read(
    text: &str,
    layout: &Layout,
    options: &Options,
    wanted: &[usize],
    trial: Option<usize>,
    source: &str,
) -> Result<Table, DataError> {
    let most = text.bytes().filter(|&byte| byte == b'\n').count() + 1;
    let remedy = "read fewer columns, or give the file in parts";
    // Numbers, line and label, and the copies in which they are sorted.
    TooLarge::check("rows of a recording", most, 24 * (wanted.len() + 2), remedy)?;
    let mut reader = Reader {
        layout,
        numbers: Numbers::new(layout.decimal, &options.missing),
        wanted,
        trial,
        source,
        last_line: layout.first_row + text[layout.begin..].trim_end().matches('\n').count(),
        labels: HashMap::new(),
        table: Table { columns: vec![Vec::new(); wanted.len()], ..Table::default() },
    };
    let rows = &text[layout.begin..];
    match layout.delimiter {
        Delimiter::Blank => {
            for (k, line) in rows.lines().enumerate() {
                let fields = Vec::from_iter(line.split_whitespace());
                reader.row(layout.first_row + k, &fields, options)?;
            }
        }
        Delimiter::Char(delimiter) => {
            let mut csv = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(delimiter)
                .from_reader(rows.as_bytes());
            let mut record = csv::StringRecord::new();
            let broken = |error: csv::Error| DataError::Recording {
                source_name: source.into(),
                problem: error.to_string(),
                cure: "mend the file".into(),
            };
            while csv.read_record(&mut record).map_err(broken)? {
                let line = record.position().map_or(1, |position| position.line() as usize);
                let fields = Vec::from_iter(record.iter().map(str::trim));
                reader.row(layout.first_row + line - 1, &fields, options)?;
            }
        }
    }
    Ok(reader.table)
}

struct Reader<'a> {
    layout: &'a Layout,
    numbers: Numbers<'a>,
    wanted: &'a [usize],
    trial: Option<usize>,
    source: &'a str,
    last_line: usize,
    labels: HashMap<String, usize>,
    table: Table,
}

impl Reader<'_> {
    /// One row, or what stands between rows.
    fn row(&mut self, line: usize, fields: &[&str], options: &Options) -> Result<(), DataError> {
        let blank = fields.iter().all(|field| field.is_empty());
        let first = fields.first().copied().unwrap_or_default();
        if blank && fields.len() <= 1 {
            return Ok(());
        }
        if options.is_comment(first) {
            self.table.skipped.push((line, "a comment"));
            return Ok(());
        }
        if let Some(field) = fields.iter().find(|field| field.contains('\n')) {
            let expected = "a quote that is opened here is closed lines later or never";
            return Err(self.line(line, field, expected, "close it, or remove the quotes"));
        }
        let width = self.layout.width;
        if fields.len() != width {
            // What stands behind the last delimiter may be nothing.
            let is_more = fields.len() == width + 1 && fields[width].is_empty();
            let is_cut = line >= self.last_line && fields.len() < width;
            if is_cut {
                self.table.skipped.push((line, "the last line is cut off"));
                return Ok(());
            }
            if !is_more {
                let expected = format!("{} fields where the table has {width}", fields.len());
                let cure = "complete the row or take it out; text with delimiters wants quotes";
                return Err(self.line(line, &fields.join(" "), &expected, cure));
            }
        }
        if self.layout.is_header(fields) {
            self.table.skipped.push((line, "the header again"));
            return Ok(());
        }
        for (k, &column) in self.wanted.iter().enumerate() {
            let number = self.numbers.parse(fields[column]);
            let number = number.map_err(|cure| self.cell(line, column, fields[column], cure))?;
            self.table.columns[k].push(number);
        }
        if let Some(column) = self.trial {
            let label = fields[column];
            let index = match self.labels.get(label) {
                Some(&index) => index,
                None if self.labels.len() < MOST_TRIALS => self.new_label(label),
                None => {
                    let problem = format!("more than {MOST_TRIALS} trials");
                    let cure = "name another column: a trial's label is the same in its rows";
                    return Err(self.line(line, label, &problem, cure));
                }
            };
            self.table.trials.push(index);
        }
        self.table.places.push(line);
        Ok(())
    }

    fn new_label(&mut self, label: &str) -> usize {
        let index = self.labels.len();
        self.labels.insert(label.into(), index);
        // Numbers of a matrix that was written out: 0.0000e+000.
        let number = label.parse::<f64>().ok().filter(|_| label.contains(['e', 'E']));
        self.table.labels.push(number.map_or_else(|| label.into(), |number| number.to_string()));
        index
    }

    fn cell(&self, line: usize, column: usize, given: &str, cure: &str) -> DataError {
        let name = self.layout.names.get(column).cloned().unwrap_or_else(|| column.to_string());
        DataError::Cell {
            source_name: self.source.into(),
            line,
            column: shorten(&name, 60),
            given: shorten(given, 60),
            cure: cure.into(),
        }
    }

    fn line(&self, line: usize, given: &str, problem: &str, cure: &str) -> DataError {
        DataError::Line {
            source_name: self.source.into(),
            place: format!("line {line}").into(),
            given: shorten(given, 60).into(),
            problem: problem.into(),
            cure: cure.into(),
        }
    }
}

/// More labels than that are numbers of something else.
const MOST_TRIALS: usize = 10_000;
