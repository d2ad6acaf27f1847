//! Tables in texts: CSV and its relatives, and columns between blanks.

mod layout;
mod number;
mod source;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};

pub(crate) use layout::{Delimiter, Layout, Options};
use number::Numbers;
pub(crate) use source::{Bytes, Text};

use crate::DataError;
use crate::recording::table::shorten;

/// What becomes of the rows that are read.
pub(crate) trait Rows {
    /// Whether the numbers of the next row are wanted, by the index of its trial's label.
    fn wants(&mut self, trial: usize) -> bool;
    /// The numbers of a row that is wanted, and where it stands.
    fn row(&mut self, place: usize, trial: usize, numbers: &[f64]) -> Result<(), DataError>;
    /// A line that is no row, and why.
    fn skipped(&mut self, place: usize, why: &'static str);
}

/// Reads the rows, with the columns of these numbers, and that of the trials' labels. Returns the labels.
pub(crate) fn read(
    text: &Text<'_>,
    layout: &Layout,
    options: &Options,
    wanted: &[usize],
    trial: Option<usize>,
    source: &str,
    rows: &mut dyn Rows,
) -> Result<Vec<String>, DataError> {
    let broken = |problem: String| DataError::Recording {
        source_name: source.into(),
        problem,
        cure: "mend the file".into(),
    };
    let mut reader = Reader {
        layout,
        numbers: Numbers::new(layout.decimal, &options.missing),
        wanted,
        trial,
        source,
        short: None,
        indices: HashMap::new(),
        labels: Vec::new(),
        row: Vec::new(),
        rows,
    };
    let text = text.after(layout.begin).map_err(|error| broken(error.to_string()))?;
    let row_ends = text.row_ends();
    match layout.delimiter {
        Delimiter::Blank => {
            let (mut text, mut line, mut bytes) = (BufReader::new(text), String::new(), 0);
            for k in 0.. {
                line.clear();
                let read = text.read_line(&mut line).map_err(|error| broken(error.to_string()))?;
                if read == 0 {
                    break;
                }
                bytes += read as u64;
                row_ends(bytes);
                let fields = Vec::from_iter(line.split_whitespace());
                reader.row(layout.first_row + k, &fields, options)?;
            }
        }
        Delimiter::Char(delimiter) => {
            let mut csv = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(delimiter)
                .from_reader(text);
            let mut record = csv::StringRecord::new();
            while csv.read_record(&mut record).map_err(|error| broken(error.to_string()))? {
                row_ends(csv.position().byte());
                let line = record.position().map_or(1, |position| position.line() as usize);
                let fields = Vec::from_iter(record.iter().map(str::trim));
                reader.row(layout.first_row + line - 1, &fields, options)?;
            }
        }
    }
    if let Some((line, _)) = reader.short {
        reader.rows.skipped(line, "the last line is cut off");
    }
    Ok(reader.labels)
}

struct Reader<'a> {
    layout: &'a Layout,
    numbers: Numbers<'a>,
    wanted: &'a [usize],
    trial: Option<usize>,
    source: &'a str,
    /// A line with too few fields: an error, unless it is the last one.
    short: Option<(usize, DataError)>,
    indices: HashMap<String, usize>,
    labels: Vec<String>,
    /// The numbers of a row.
    row: Vec<f64>,
    rows: &'a mut dyn Rows,
}

impl Reader<'_> {
    /// One row, or what stands between rows.
    fn row(&mut self, line: usize, fields: &[&str], options: &Options) -> Result<(), DataError> {
        let blank = fields.iter().all(|field| field.is_empty());
        let first = fields.first().copied().unwrap_or_default();
        if blank && fields.len() <= 1 {
            return Ok(());
        }
        if let Some((_, error)) = self.short.take_if(|_| !blank) {
            return Err(error);
        }
        if options.is_comment(first) {
            self.rows.skipped(line, "a comment");
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
            if !is_more {
                let expected = format!("{} fields where the table has {width}", fields.len());
                let cure = "complete the row or take it out; text with delimiters wants quotes";
                let error = self.line(line, &fields.join(" "), &expected, cure);
                if fields.len() > width {
                    return Err(error);
                }
                self.short = Some((line, error));
                return Ok(());
            }
        }
        if self.layout.is_header(fields) {
            self.rows.skipped(line, "the header again");
            return Ok(());
        }
        let trial = self.trial.map_or(Ok(0), |column| self.label(line, fields[column]))?;
        if !self.rows.wants(trial) {
            return Ok(());
        }
        self.row.clear();
        for &column in self.wanted {
            let number = self.numbers.parse(fields[column]);
            let number = number.map_err(|cure| self.cell(line, column, fields[column], cure))?;
            self.row.push(number);
        }
        self.rows.row(line, trial, &self.row)
    }

    /// The index of a label.
    fn label(&mut self, line: usize, label: &str) -> Result<usize, DataError> {
        if let Some(&index) = self.indices.get(label) {
            return Ok(index);
        }
        if self.labels.len() == MOST_TRIALS {
            let problem = format!("more than {MOST_TRIALS} trials");
            let cure = "name another column: a trial's label is the same in its rows";
            return Err(self.line(line, label, &problem, cure));
        }
        if label.len() > LONGEST_LABEL {
            let problem = format!("a trial's label of {} bytes", label.len());
            return Err(self.line(line, label, &problem, "name another column, or shorten it"));
        }
        let index = self.labels.len();
        self.indices.insert(label.into(), index);
        // Numbers of a matrix that was written out: 0.0000e+000.
        let number = label.parse::<f64>().ok().filter(|_| label.contains(['e', 'E']));
        self.labels.push(number.map_or_else(|| label.into(), |number| number.to_string()));
        Ok(index)
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
const LONGEST_LABEL: usize = 1_000;
