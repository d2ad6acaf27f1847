//! The rows of each trial, in the order of time.

use super::gaps::find_gaps;
use super::overflow::{Overflows, undo};
use super::{Channel, Trials};
use crate::recording::column::Role;
use crate::recording::report::{Dropped, Origin, counted};
use crate::recording::table::{Table, shorten};
use crate::{DataError, RecordingReader};

/// Rows of a trial that have all numbers.
pub(crate) struct Run {
    pub(crate) label: String,
    /// The time at its first row; `times` are counted from there.
    pub(crate) begin: f64,
    pub(crate) times: Vec<f64>,
    /// Rows of the table.
    pub(crate) rows: Vec<usize>,
    /// Rows of the run before which rows without all numbers are left out.
    pub(crate) missing: Vec<usize>,
    /// Those, and the rows before which the time jumps: a piece begins there.
    pub(crate) cuts: Vec<usize>,
}

impl Run {
    fn new(label: String) -> Self {
        let (times, rows, missing, cuts) = Default::default();
        Self { label, begin: 0.0, times, rows, missing, cuts }
    }
}

/// Fills what is held, brings numbers to their units, and sorts rows into trials.
pub(crate) fn runs(
    reader: &RecordingReader,
    table: &mut Table,
    channels: &[Channel],
    origin: &mut Origin,
) -> Result<Trials, DataError> {
    let groups = groups(table);
    let (times, notes) = clock(reader, table, channels, &groups, origin.unit_of_place);
    origin.notes.extend(notes);
    let origin = &*origin;
    for (column, channel) in table.columns.iter_mut().zip(channels) {
        if channel.column.is_held {
            groups.iter().for_each(|(_, rows)| hold(column, rows));
        }
        let factor = channel.column.factor;
        if factor != 1.0 {
            column.iter_mut().for_each(|x| *x *= factor);
        }
    }
    let (gap, runs, dropped) = (reader.gap, Vec::new(), Vec::new());
    let mut sorter = Sorter { table, channels, origin, gap, times, runs, dropped };
    for &(place, reason) in &table.skipped {
        sorter.dropped.push(Dropped { first: place, last: place, rows: 1, reason: reason.into() });
    }
    for (label, rows) in groups {
        sorter.sort(label, &rows)?;
    }
    let mut dropped = sorter.dropped;
    let runs = sorter.runs;
    dropped.sort_by_key(|one| one.first);
    Ok((runs, dropped))
}

/// The rows of each label, in the order of the table.
fn groups(table: &Table) -> Vec<(String, Vec<usize>)> {
    if table.trials.is_empty() {
        return vec![("0".into(), (0..table.places.len()).collect())];
    }
    let mut groups = Vec::from_iter(table.labels.iter().map(|label| (label.clone(), Vec::new())));
    for (row, &trial) in table.trials.iter().enumerate() {
        groups[trial].1.push(row);
    }
    groups
}

/// The time of each row, in the user's units, and what was done to it.
fn clock(
    reader: &RecordingReader,
    table: &Table,
    channels: &[Channel],
    groups: &[(String, Vec<usize>)],
    unit_of_place: &str,
) -> (Vec<f64>, Vec<String>) {
    if let Some(interval) = reader.interval {
        let mut times = vec![0.0; table.places.len()];
        for (_, rows) in groups {
            rows.iter().enumerate().for_each(|(k, &row)| times[row] = k as f64 * interval);
        }
        return (times, Vec::new());
    }
    let time = channels.iter().position(|channel| channel.role == Role::Time).unwrap_or(0);
    let factor = channels[time].column.factor;
    let mut times = table.columns[time].clone();
    let mut notes = Vec::new();
    for (label, rows) in groups {
        if let Some(Overflows { first, count, bits }) = undo(&mut times, rows) {
            notes.push(format!(
                "clock of trial {label}: {} of 2^{bits} ticks undone, first in {unit_of_place} {}",
                counted(count, "overflow"),
                table.places[first]
            ));
        }
    }
    times.iter_mut().for_each(|t| *t *= factor);
    (times, notes)
}

fn hold(column: &mut [f64], rows: &[usize]) {
    let mut last = f64::NAN;
    for &row in rows {
        if column[row].is_nan() {
            column[row] = last;
        }
        last = column[row];
    }
}

struct Sorter<'a> {
    table: &'a Table,
    channels: &'a [Channel],
    origin: &'a Origin,
    gap: f64,
    times: Vec<f64>,
    runs: Vec<Run>,
    dropped: Vec<Dropped>,
}

impl Sorter<'_> {
    fn sort(&mut self, label: String, rows: &[usize]) -> Result<(), DataError> {
        let mut times = Vec::new();
        let base = label.clone();
        let mut run = Run::new(label);
        let (mut is_cut, mut restarts) = (false, 1);
        for &row in rows {
            if self.is_missing(row) {
                let reason = self.missing(row);
                self.drop(row, reason);
                is_cut = !run.rows.is_empty();
                continue;
            }
            let t = self.times[row];
            if let Some(last) = run.rows.last().map(|&last| self.times[last])
                && t <= last
            {
                let before = run.rows[run.rows.len() - 1];
                if t == last && self.are_same(before, row) {
                    self.drop(row, "the same as the row before".into());
                    continue;
                }
                let second = self.times[run.rows[usize::from(run.rows.len() > 1)]];
                if t == last || t > second || run.rows.len() < 2 {
                    return Err(self.out_of_order(row, t, last));
                }
                restarts += 1;
                let next = Run::new(format!("{base} ({restarts})"));
                self.finish(std::mem::replace(&mut run, next), std::mem::take(&mut times))?;
                is_cut = false;
            }
            if std::mem::take(&mut is_cut) {
                run.missing.push(run.rows.len());
            }
            run.rows.push(row);
            times.push(t);
        }
        self.finish(run, times)
    }

    fn finish(&mut self, mut run: Run, mut times: Vec<f64>) -> Result<(), DataError> {
        let Some(&begin) = times.first() else { return Ok(()) };
        times.iter_mut().for_each(|t| *t -= begin);
        // Times near 0 lose their differences far from the begin.
        let lost = times.windows(2).position(|pair| !(pair[0] < pair[1] && pair[1].is_finite()));
        if let Some(row) = lost {
            let table_row = run.rows[row + 1];
            return Err(DataError::Line {
                source_name: self.origin.source.clone(),
                place: self.place(table_row),
                given: self.times[table_row].to_string().into(),
                problem: format!("counted from {begin}, this time is none after the one before")
                    .into(),
                cure: "look whether the first time of the trial is right".into(),
            });
        }
        run.cuts = [&run.missing[..], &find_gaps(&times, self.gap)].concat();
        run.cuts.sort_unstable();
        run.cuts.dedup();
        (run.begin, run.times) = (begin, times);
        self.runs.push(run);
        Ok(())
    }

    fn is_missing(&self, row: usize) -> bool {
        !self.times[row].is_finite()
            || self.table.columns.iter().any(|column| !column[row].is_finite())
    }

    fn missing(&self, row: usize) -> String {
        let columns = self.table.columns.iter().zip(self.channels);
        let names = columns.filter(|(column, _)| !column[row].is_finite());
        let names = Vec::from_iter(names.map(|(_, channel)| channel.name.as_str()));
        format!("no number in {}", shorten(&names.join(", "), 100))
    }

    fn are_same(&self, a: usize, b: usize) -> bool {
        self.table.columns.iter().all(|column| column[a] == column[b])
    }

    /// Rows that follow one another, for the same reason, stand as one.
    fn drop(&mut self, row: usize, reason: String) {
        let place = self.table.places[row];
        match self.dropped.last_mut() {
            Some(last) if last.reason == reason && last.last < place && place <= last.last + 1 => {
                (last.last, last.rows) = (place, last.rows + 1);
            }
            _ => self.dropped.push(Dropped { first: place, last: place, rows: 1, reason }),
        }
    }

    /// Where a row of the table comes from.
    fn place(&self, row: usize) -> Box<str> {
        format!("{} {}", self.origin.unit_of_place, self.table.places[row]).into()
    }

    fn out_of_order(&self, row: usize, t: f64, last: f64) -> DataError {
        let (problem, cure) = if t == last {
            (
                "the time of the row before comes again, with other numbers",
                "if the clock is coarser than the sampling, give the spacing by `with_interval` instead of the time; else take one of the rows out, or name the column of the `trial`",
            )
        } else {
            (
                "the time goes back",
                "sort the rows by time, or name the column that says which `trial` they belong to; if the clock was set back here, what follows is a trial of its own",
            )
        };
        DataError::Line {
            source_name: self.origin.source.clone(),
            place: self.place(row),
            given: format!("{t} after {last}").into(),
            problem: problem.into(),
            cure: cure.into(),
        }
    }
}
