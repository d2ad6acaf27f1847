//! From a table to pieces: trials, missing rows, order of time, gaps, turns.

mod dropouts;
mod gaps;
mod overflow;
mod runs;
mod turns;

use dropouts::Dropouts;
use gaps::find_gaps;
use ndarray::{Array2, s};
use runs::{Run, runs};

use crate::recording::channel::{describe, quantisation};
use crate::recording::column::{Column, Role};
use crate::recording::report::{Gap, Origin, Report, TrialReport, counted, rates};
use crate::recording::table::{Table, unit};
use crate::recording::{Piece, Recording};
use crate::{DataError, RecordingReader, Trajectory};

/// A column with what it is said to be.
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) column: Column,
}

pub(crate) fn assemble(
    reader: &RecordingReader,
    mut table: Table,
    channels: &[Channel],
    mut origin: Origin,
) -> Result<Recording, DataError> {
    let rows_read = table.places.len();
    let (runs, dropped) = runs(reader, &mut table, channels, &mut origin)?;
    if runs.is_empty() {
        return Err(DataError::Recording {
            source_name: origin.source,
            problem: format!("of {rows_read} rows none has all numbers"),
            cure: "ask for fewer columns, or fill one that is logged less often by `held`".into(),
        });
    }
    let steps = Vec::from_iter(table.columns.iter().map(|column| quantisation(column)));
    let mut gaps = Vec::new();
    let cuts = Vec::from_iter(runs.iter().enumerate().map(|(trial, run)| {
        let found = find_gaps(&run.times, reader.gap);
        let longer = found.iter().filter(|k| run.cuts.binary_search(k).is_err());
        for (&at, is_missing) in
            longer.map(|k| (k, false)).chain(run.cuts.iter().map(|k| (k, true)))
        {
            let (time, length) = (run.times[at - 1], run.times[at] - run.times[at - 1]);
            gaps.push(Gap { trial, time, length, is_missing });
        }
        let mut cuts = [&run.cuts[..], &found].concat();
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }));
    gaps.sort_by(|a, b| a.trial.cmp(&b.trial).then(a.time.total_cmp(&b.time)));

    let mut advice = Vec::new();
    let mut wraps = vec![0; channels.len()];
    for (i, channel) in channels.iter().enumerate() {
        let (column, place) = (&mut table.columns[i], &|row: usize| table.places[row]);
        if channel.role.is_state() {
            let found = dropouts::find(column, &runs);
            advice.extend(dropout_advice(channel, &found, place, origin.unit_of_place));
            if !found.spikes.is_empty() {
                continue;
            }
        }
        let undone = turns::undo(column, channel, &runs, &cuts);
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
    let pieces =
        Vec::from_iter(runs.iter().zip(&cuts).enumerate().flat_map(|(trial, (run, cuts))| {
            let ends = cuts.iter().copied().chain([run.rows.len()]);
            let begins = [0].into_iter().chain(cuts.iter().copied());
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
    let trials = runs.iter().zip(&cuts).enumerate().map(|(trial, (run, cuts))| TrialReport {
        label: run.label.clone(),
        rows: run.rows.len(),
        pieces: cuts.len() + 1,
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
