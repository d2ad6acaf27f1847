//! From a table to pieces: trials, missing rows, order of time, gaps, turns.

mod dropouts;
mod gaps;
mod overflow;
mod runs;
mod survey;
mod turns;

use std::ops::Range;

use dropouts::Dropouts;
use ndarray::{Array2, s};
pub(crate) use runs::{Run, runs};
pub(crate) use survey::Survey;

use crate::recording::channel::{describe, quantisation};
use crate::recording::column::{Column, Role};
use crate::recording::report::{Gap, Origin, Report, TrialReport, counted, rates};
use crate::recording::table::{Table, unit};
use crate::recording::{Piece, Recording};
use crate::{DataError, RecordingReader, Share, Trajectory};

/// A column with what it is said to be.
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) column: Column,
}

/// Which trials become the recording.
pub(crate) enum Part {
    /// A share of those of the table.
    Of(Share),
    /// Those of the table with these numbers, some `of` all; what all say is known.
    Surveyed { surveys: Vec<Survey>, own: Range<usize>, of: usize },
}

pub(crate) fn assemble(
    reader: &RecordingReader,
    mut table: Table,
    channels: &[Channel],
    mut origin: Origin,
    part: Part,
) -> Result<Recording, DataError> {
    let (mut runs, dropped) = runs(reader, &mut table, channels, &mut origin)?;
    if runs.is_empty() {
        return Err(none_has_all(&origin, table.places.len()));
    }
    let (surveys, own, of) = match part {
        Part::Of(share) => {
            let mut surveys = vec![Survey::default(); channels.len()];
            survey(&mut surveys, &table, channels, &runs, table.places.len());
            surveys.iter_mut().for_each(Survey::sort);
            (surveys, share.of(runs.len()), runs.len())
        }
        Part::Surveyed { surveys, own, of } => (surveys, own, of),
    };
    if own.is_empty() {
        return Err(DataError::Empty { what: "trial" });
    }
    if own.len() < of {
        origin.notes.push(format!(
            "{} of {of} trials, and what is told here is of these; whether angles wrap goes by all",
            own.len()
        ));
    }
    if own.end > runs.len() {
        return Err(changed(&origin));
    }
    let all: usize = runs.iter().map(|run| run.rows.len()).sum();
    let runs = Vec::from_iter(runs.drain(own));
    let rows_read = table.places.len() - all + runs.iter().map(|run| run.rows.len()).sum::<usize>();
    let steps = Vec::from_iter(table.columns.iter().map(|column| quantisation(column)));
    let mut gaps = Vec::new();
    for (trial, run) in runs.iter().enumerate() {
        for &at in &run.cuts {
            let (time, length) = (run.times[at - 1], run.times[at] - run.times[at - 1]);
            let is_missing = run.missing.binary_search(&at).is_ok();
            gaps.push(Gap { trial, time, length, is_missing });
        }
    }

    let mut advice = Vec::new();
    let mut wraps = vec![0; channels.len()];
    for (i, channel) in channels.iter().enumerate() {
        let (column, place) = (&mut table.columns[i], &|row: usize| table.places[row]);
        if channel.role.is_state() {
            let found = dropouts::find(column, &runs, &surveys[i]);
            advice.extend(dropout_advice(channel, &found, place, origin.unit_of_place));
            if let Some(farthest) = surveys[i].spike() {
                if found.spikes.is_empty() {
                    advice.push(format!(
                        "{:?} is far from the rows around in {} {farthest}, of another share, and no turns are added up",
                        channel.name, origin.unit_of_place
                    ));
                }
                continue;
            }
        }
        let undone = turns::undo(column, channel, &runs, &surveys[i]);
        wraps[i] = undone.wraps;
        advice.extend(undone.advice);
    }

    // Positions, velocities, derivatives, inputs, each in the order of the calls.
    let mut order = Vec::from_iter((0..channels.len()).filter(|&i| channels[i].role != Role::Time));
    order.sort_by_key(|&i| channels[i].role.order());
    let of = |pick: &dyn Fn(Role) -> bool| {
        Vec::from_iter(order.iter().copied().filter(|&i| pick(channels[i].role)))
    };
    let (states, inputs) = (of(&Role::is_state), of(&|role| role == Role::Input));
    let mut derivatives = of(&|role| role == Role::Derivative);
    if !derivatives.is_empty() && derivatives.len() < states.len() {
        derivatives.splice(0..0, of(&|role| role == Role::Velocity));
    }
    let pieces = Vec::from_iter(runs.iter().enumerate().flat_map(|(trial, run)| {
        let ends = run.cuts.iter().copied().chain([run.rows.len()]);
        let begins = [0].into_iter().chain(run.cuts.iter().copied());
        let piece = |(begin, end): (usize, usize)| {
            let rows = &run.rows[begin..end];
            let array = |of: &[usize]| {
                let at = |(row, i): (usize, usize)| table.columns[of[i]][rows[row]];
                Array2::from_shape_fn((rows.len(), of.len()), at)
            };
            let times = run.times[begin..end].to_vec();
            let rows = Trajectory {
                times,
                states: array(&states),
                derivatives: array(&derivatives),
                inputs: array(&inputs),
            };
            Piece { trial, rows }
        };
        Vec::from_iter(begins.zip(ends).map(piece))
    }));

    let labels = Vec::from_iter(runs.iter().map(|run| run.label.clone()));
    let trials = runs.iter().enumerate().map(|(trial, run)| TrialReport {
        label: run.label.clone(),
        rows: run.rows.len(),
        pieces: run.cuts.len() + 1,
        begin: run.begin,
        duration: run.times.last().copied().unwrap_or(0.0),
        rates: rates(pieces.iter().filter(|p| p.trial == trial).map(|p| &p.rows.times[..])),
    });
    let trials = Vec::from_iter(trials);
    let coarse = trials.iter().find(|trial| {
        let finest = trial.rates.iter().map(|rate| rate.0).fold(f64::INFINITY, f64::min);
        trial.begin.abs().max(trial.duration) * f64::EPSILON > 1e-3 * finest
    });
    if let Some(trial) = coarse {
        advice.push(format!(
            "the time stamps of trial {:?}, at {:e}, are coarser than a thousandth of a step: write the time counted from the begin, or give the spacing by `with_interval`",
            trial.label, trial.begin
        ));
    }
    advice.extend(channels.iter().find_map(clock_advice));
    advice.extend(trials.iter().find(|trial| counts_days(trial)).map(|trial| {
        format!(
            "the time begins at {} in steps of {:.1e}, as the days of a spreadsheet do: for seconds, call `scaled(86400.0)` on its column",
            trial.begin, trial.rates[0].0
        )
    }));
    let mut reports = Vec::new();
    for &i in &order {
        let channel = &channels[i];
        let place = |of: &[usize]| of.iter().position(|&other| other == i);
        let values = Vec::from_iter(pieces.iter().map(|piece| {
            let rows = &piece.rows;
            let column = match (place(&states), place(&inputs), place(&derivatives)) {
                (Some(k), _, _) => rows.states.slice(s![.., k]),
                (_, Some(k), _) => rows.inputs.slice(s![.., k]),
                (_, _, k) => rows.derivatives.slice(s![.., k.unwrap_or(0)]),
            };
            (&rows.times[..], column)
        }));
        reports.push(describe(channel, &values, steps[i], wraps[i]));
    }
    let names = states.iter().chain(&inputs).map(|&i| channels[i].name.clone()).collect();
    let roles = states.iter().chain(&inputs).map(|&i| channels[i].role).collect();
    let report = Report::new(origin, rows_read, dropped, trials, gaps, reports, advice);
    let mut recording = Recording { names, roles, labels, pieces, report };
    recording.judge();
    Ok(recording)
}

/// Adds these trials, of a file with so many rows, to what all say about each coordinate.
pub(crate) fn survey(
    surveys: &mut [Survey],
    table: &Table,
    channels: &[Channel],
    runs: &[Run],
    rows: usize,
) {
    for ((survey, channel), column) in surveys.iter_mut().zip(channels).zip(&table.columns) {
        if channel.role.is_state() {
            runs.iter().for_each(|run| survey.add(column, run, &table.places, rows));
        }
    }
}

pub(crate) fn none_has_all(origin: &Origin, rows: usize) -> DataError {
    DataError::Recording {
        source_name: origin.source.clone(),
        problem: format!("of {rows} rows none has all numbers"),
        cure: "ask for fewer columns, or fill one that is logged less often by `held`".into(),
    }
}

pub(crate) fn changed(origin: &Origin) -> DataError {
    DataError::Recording {
        source_name: origin.source.clone(),
        problem: "it changed while it was read".into(),
        cure: "read it again once it is written".into(),
    }
}

/// That some readings are none.
fn dropout_advice(
    channel: &Channel,
    found: &Dropouts,
    place: &dyn Fn(usize) -> usize,
    unit_of_place: &str,
) -> Vec<String> {
    let name = &channel.name;
    let mut advice = Vec::new();
    if let Some(first) = found.spikes.first() {
        advice.push(format!(
            "{name:?} is far from the rows around in {} (first in {unit_of_place} {}), and no turns are added up: if these are no readings, \
             leave the numbers out of the file, or say what stands for none by `with_missing`",
            counted(found.spikes.len(), "row"),
            place(*first)
        ));
    }
    if let Some(first) = found.frozen.first() {
        advice.push(format!(
            "{name:?} stands still in {} (first in {unit_of_place} {}), then jumps: if the sensor hung, leave these numbers out of the file",
            counted(found.frozen.len(), "row"),
            place(*first)
        ));
    }
    advice
}

/// That a clock does not count seconds.
fn clock_advice(channel: &Channel) -> Option<String> {
    let is_raw = channel.role == Role::Time && channel.column.factor == 1.0;
    let unit = Some(unit(&channel.name).unwrap_or(&channel.name)).filter(|_| is_raw)?;
    let (unit, factor) = match unit.to_lowercase().as_str() {
        "ms" | "msec" | "millis" | "milliseconds" => ("milliseconds", "1e-3"),
        "us" | "usec" | "micros" | "microseconds" | "\u{b5}s" | "\u{3bc}s" => {
            ("microseconds", "1e-6")
        }
        "ns" | "nsec" | "nanoseconds" => ("nanoseconds", "1e-9"),
        _ => return None,
    };
    Some(format!(
        "the time {:?} is in {unit}, and so are all rates: for seconds, call `scaled({factor})` on its column",
        channel.name
    ))
}

/// Whether a clock counts days since 1900, of this half century, and rows are less than two minutes apart.
fn counts_days(trial: &TrialReport) -> bool {
    (36_500.0..55_000.0).contains(&trial.begin)
        && trial.rates.iter().any(|(step, _)| *step < 1e-3)
        && trial.duration < 1.0
}

/// What is dropped, and the runs.
pub(crate) type Trials = (Vec<Run>, Vec<crate::recording::report::Dropped>);
