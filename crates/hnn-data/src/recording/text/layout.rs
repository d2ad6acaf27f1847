//! How a text holds its table: found out from its first lines.

use super::number::{is_comma_number, is_number};
use crate::DataError;
use crate::recording::table::shorten;

/// What the caller says about a text.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) delimiter: Option<Delimiter>,
    pub(crate) decimal: Option<char>,
    pub(crate) comments: Vec<String>,
    pub(crate) missing: Vec<String>,
    pub(crate) has_header: Option<bool>,
    pub(crate) skip: usize,
}

impl Options {
    pub(crate) fn is_comment(&self, line: &str) -> bool {
        self.comments.iter().any(|mark| line.starts_with(mark.as_str()))
    }
}

/// What stands between two fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delimiter {
    Char(u8),
    Blank,
}

impl Delimiter {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Blank => "blanks",
            Self::Char(b'\t') => "tabs",
            Self::Char(b';') => "semicolons",
            Self::Char(b',') => "commas",
            Self::Char(b'|') => "bars",
            Self::Char(_) => "delimiters as said",
        }
    }

    /// The fields of a line; a delimiter between quotes is text.
    fn split(self, line: &str) -> Vec<&str> {
        let Self::Char(delimiter) = self else {
            return line.split_whitespace().collect();
        };
        let mut is_quoted = false;
        let fields = line.split(|c: char| {
            is_quoted ^= c == '"';
            !is_quoted && c == char::from(delimiter)
        });
        fields.map(|field| field.trim().trim_matches('"').trim()).collect()
    }
}

/// In this order where several fit as well.
const DELIMITERS: [Delimiter; 5] = [
    Delimiter::Char(b'\t'),
    Delimiter::Char(b';'),
    Delimiter::Char(b'|'),
    Delimiter::Char(b','),
    Delimiter::Blank,
];

/// Lines that are looked at.
pub(super) const SAMPLE: usize = 200;

/// Where the table of a text is, and how it is written.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) delimiter: Delimiter,
    pub(crate) decimal: char,
    /// Fields of a row.
    pub(crate) width: usize,
    /// Names of the columns; empty without a header.
    pub(crate) names: Vec<String>,
    /// Their units, where there is a line of units below the names.
    units: Vec<String>,
    /// Line of the first row, counted from 1, and the byte at which it begins.
    pub(crate) first_row: usize,
    pub(crate) begin: usize,
    pub(crate) notes: Vec<String>,
}

struct Line<'a> {
    number: usize,
    begin: usize,
    text: &'a str,
    is_comment: bool,
}

impl Layout {
    /// Finds the table. `wanted` are the names asked for, which tell a header from what is above it.
    pub(crate) fn find(
        text: &str,
        options: &Options,
        wanted: &[&str],
        source: &str,
    ) -> Result<Self, DataError> {
        let lines = sample(text, options);
        let rows = Vec::from_iter(lines.iter().filter(|line| !line.is_comment));
        let refuse = |problem: String, cure: &str| {
            Err(DataError::Recording { source_name: source.into(), problem, cure: cure.into() })
        };
        if rows.is_empty() {
            return refuse("it holds no rows".into(), "give a file with a row a sample");
        }
        let delimiter = options.delimiter.unwrap_or_else(|| best_delimiter(&rows));
        let width = usual_width(delimiter, &rows);
        let is_row = |line: &Line<'_>| {
            let fields = delimiter.split(line.text);
            fields.len() == width && fields.iter().any(|f| is_number(f))
        };
        let Some(mut first) = rows.iter().position(|line| is_row(line)) else {
            let quoted = shorten(rows[0].text, 60);
            let problem =
                format!("its first {} lines hold no row of numbers: {quoted:?}", rows.len());
            return refuse(
                problem,
                "say how fields are separated by `with_delimiter`, where the table begins by `with_skipped_lines`",
            );
        };
        let decimal = options.decimal.unwrap_or_else(|| decimal_mark(delimiter, &rows[first..]));
        let (mut header, mut notes, mut units) = (None, Vec::new(), Vec::new());
        if options.has_header == Some(true) {
            // The first line of the table, whatever it looks like.
            let above =
                rows[..first].iter().rposition(|line| delimiter.split(line.text).len() != width);
            let at = above.map_or(0, |row| row + 1);
            header = Some(at);
            first = first.max(at + 1);
        } else if options.has_header.is_none() {
            header = find_header(&rows[..first], width, wanted, delimiter);
        }
        let mut names = header.map_or(Vec::new(), |row| owned(&delimiter.split(rows[row].text)));
        if let Some(row) = header {
            notes.push(format!("names of the columns in line {}", rows[row].number));
            let below = &rows[row + 1..first];
            if let [line] = below {
                units = owned(&delimiter.split(line.text));
            }
            let what = match units.len() == width {
                true => "has the units",
                false => "between names and rows is not read",
            };
            for line in below {
                let text = shorten(line.text, 60);
                notes.push(format!("line {} {what}: {text:?}", line.number));
            }
        }
        let above = header.unwrap_or(first);
        if above > 0 {
            notes.push(format!(
                "{} lines above the table are not read, from {:?}",
                above,
                shorten(rows[0].text, 60)
            ));
        }
        let Some(begin) = rows.get(first) else {
            return refuse(
                "it holds a header, but no rows".into(),
                "give a file with a row a sample",
            );
        };
        let above = lines.iter().filter(|line| line.is_comment && line.number < begin.number);
        let comments = Vec::from_iter(above);
        if header.is_none() && options.has_header.is_none() {
            if let Some(comment) = comments.last() {
                names = names_in_comment(comment, delimiter, width, options);
            }
            notes.push(match names.is_empty() {
                true => "no header: columns go by their numbers, counted from 0".into(),
                false => "names of the columns in a comment above the rows".into(),
            });
        }
        if !comments.is_empty() {
            notes.push(format!("{} comment lines above the rows", comments.len()));
        }
        notes.insert(
            0,
            format!("{width} columns between {}, decimal mark {decimal:?}", delimiter.name()),
        );
        let (first_row, begin) = (begin.number, begin.begin);
        let units = if units.len() == width { units } else { Vec::new() };
        Ok(Self { delimiter, decimal, width, names, units, first_row, begin, notes })
    }

    /// The name of a column, with its unit in brackets where that stands below.
    pub(crate) fn name(&self, column: usize) -> String {
        let name = self.names.get(column).cloned();
        let name = name.unwrap_or_else(|| format!("column {column}"));
        let unit = self.units.get(column).map(|unit| unit.trim_matches(['[', ']', '(', ')']));
        match unit.filter(|unit| !unit.is_empty() && !name.contains(['[', '('])) {
            Some(unit) => format!("{name} [{unit}]"),
            None => name,
        }
    }

    /// Whether a row is the names or the units once more, as in files put one after another.
    pub(crate) fn is_header(&self, fields: &[&str]) -> bool {
        let is = |head: &[String]| {
            !head.is_empty()
                && head.iter().zip(fields).all(|(name, field)| name == field.trim_matches('"'))
        };
        !is_number(fields[fields.len() - 1]) && (is(&self.names) || is(&self.units))
    }
}

/// The first lines that are not empty.
fn sample<'a>(text: &'a str, options: &Options) -> Vec<Line<'a>> {
    let mut begin = 0;
    let mut lines = Vec::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let trimmed = line.trim();
        if index >= options.skip && !trimmed.is_empty() {
            let is_comment = options.is_comment(trimmed);
            lines.push(Line { number: index + 1, begin, text: trimmed, is_comment });
        }
        begin += line.len();
        if lines.len() == SAMPLE {
            break;
        }
    }
    lines
}

/// The one by which most lines have the same number of fields, most of them numbers.
fn best_delimiter(rows: &[&Line<'_>]) -> Delimiter {
    let score = |delimiter: Delimiter| {
        let width = usual_width(delimiter, rows);
        let (mut numbers, mut agreeing) = (0, 0);
        for row in rows {
            let fields = delimiter.split(row.text);
            if fields.len() == width {
                agreeing += 1;
                numbers += fields.iter().filter(|f| is_number(f) || f.is_empty()).count();
            }
        }
        if width < 2 { 0.0 } else { numbers as f64 / width as f64 * agreeing as f64 }
    };
    let mut best = (Delimiter::Blank, 0.0);
    for delimiter in DELIMITERS {
        let score = score(delimiter);
        if score > best.1 {
            best = (delimiter, score);
        }
    }
    best.0
}

fn usual_width(delimiter: Delimiter, rows: &[&Line<'_>]) -> usize {
    let mut widths = Vec::from_iter(rows.iter().map(|row| delimiter.split(row.text).len()));
    widths.sort_unstable();
    let runs = widths.chunk_by(|a, b| a == b).map(|run| (run.len(), run[0]));
    runs.max().map_or(0, |(_, width)| width)
}

fn decimal_mark(delimiter: Delimiter, rows: &[&Line<'_>]) -> char {
    let fields = || rows.iter().flat_map(|row| delimiter.split(row.text));
    let has_point = fields().any(|field| field.contains('.') && field.parse::<f64>().is_ok());
    if !has_point && fields().any(is_comma_number) { ',' } else { '.' }
}

/// Of the lines right above the rows that have a name for each column, the one that has the most of
/// those asked for; of several, the first of the last two, for below the names there may be units.
fn find_header(
    above: &[&Line<'_>],
    width: usize,
    wanted: &[&str],
    delimiter: Delimiter,
) -> Option<usize> {
    let from = above.iter().rposition(|line| {
        let fields = delimiter.split(line.text).len();
        fields != width && fields + 1 != width
    });
    let candidates = from.map_or(0, |row| row + 1)..above.len();
    let hits = |row: usize| {
        let fields = delimiter.split(above[row].text);
        wanted.iter().filter(|name| fields.contains(name)).count()
    };
    let most = candidates.clone().map(hits).max()?;
    let last_two = candidates.end.saturating_sub(2).max(candidates.start)..candidates.end;
    if most > 0 {
        candidates.clone().find(|&row| hits(row) == most)
    } else {
        last_two.clone().next()
    }
}

fn names_in_comment(
    comment: &Line<'_>,
    delimiter: Delimiter,
    width: usize,
    options: &Options,
) -> Vec<String> {
    let mark = options.comments.iter().find(|mark| comment.text.starts_with(mark.as_str()));
    let text = comment.text[mark.map_or(0, String::len)..].trim();
    let names = delimiter.split(text);
    if names.len() == width && !names.iter().any(|f| is_number(f)) {
        owned(&names)
    } else {
        Vec::new()
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
