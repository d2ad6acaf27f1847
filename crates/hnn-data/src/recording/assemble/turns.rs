//! Angles that jump by a turn where they leave their range.

use std::f64::consts::TAU;

use super::{Channel, Run};
use crate::recording::column::{Role, Wrap};
use crate::recording::table::unit;

pub(super) struct Undone {
    pub(super) wraps: usize,
    pub(super) advice: Vec<String>,
}

/// Adds up the turns of an angle, if it has any, along each trial, and says what looks like a wrong
/// unit or role.
pub(super) fn undo(
    column: &mut [f64],
    channel: &Channel,
    runs: &[Run],
    cuts: &[Vec<usize>],
) -> Undone {
    let mut advice = Vec::new();
    let name = &channel.name;
    let is_state = channel.role.is_state();
    let says_degrees =
        unit(name).is_some_and(|unit| unit.starts_with("deg") || unit.starts_with('\u{b0}'));
    if is_state && says_degrees && channel.column.factor == 1.0 {
        advice.push(format!(
            "{name:?} says degrees, but is taken as it is: call `degrees` on its column"
        ));
    }
    if !matches!(channel.role, Role::Angle | Role::Position | Role::State) {
        return Undone { wraps: 0, advice };
    }
    let values = || runs.iter().flat_map(|run| run.rows.iter().map(|&row| column[row]));
    let (low, high) =
        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let (largest, unclear) = jumps(column, runs, cuts);
    let is_within = |turn: f64| high - low <= turn * (1.0 + 1e-6) && largest > 0.5 * turn;
    let begins_anew = begins_anew(column, runs, cuts, high - low);
    let is_known =
        [TAU, 360.0].into_iter().any(|turn| (0.9..1.0 + 1e-6).contains(&((high - low) / turn)));
    if begins_anew > 0 && !is_known && channel.column.wrap == Wrap::Auto {
        advice.push(format!(
            "{name:?} jumps from one end of its range to the other {begins_anew} times, as the counts of an encoder do: name it by \
             `angle`, and call `scaled(TAU / counts)` on its column, of the counts of a turn"
        ));
        return Undone { wraps: 0, advice };
    }
    if channel.role != Role::Angle {
        for (turn, unit) in [(TAU, "radians"), (360.0, "degrees")] {
            if is_within(turn) && high - low > 0.9 * turn && largest > 0.9 * turn {
                advice.push(format!(
                    "{name:?} looks like an angle in {unit} that wraps: name it by `angle`, and its unit"
                ));
            }
        }
        return Undone { wraps: 0, advice };
    }
    if channel.column.factor == 1.0 && !says_degrees && comes_back(column, runs, 0.5 * (low + high))
    {
        let turns = (high - low) / TAU;
        if turns > 2.0 {
            advice.push(format!(
                "{name:?} goes {turns:.0} turns there and back: if it is in degrees, call `degrees` on its column; if in counts of an \
                 encoder, `scaled(TAU / counts)`"
            ));
        }
    }
    let wraps = match channel.column.wrap {
        Wrap::Continuous => false,
        Wrap::Wrapped => true,
        Wrap::Auto => is_within(TAU),
    };
    if channel.column.wrap == Wrap::Auto && !wraps && largest > 0.5 * TAU {
        advice.push(format!("{name:?} jumps by {largest:.2} rad from row to row: if it is in degrees, say so; if it wraps, call `wrapped`"));
    }
    if !wraps {
        return Undone { wraps: 0, advice };
    }
    let mut count = 0;
    for run in runs {
        let (mut turns, mut last) = (0.0, None);
        for &row in &run.rows {
            let x = column[row];
            let jump = last.map_or(0.0, |last: f64| ((x - last) / TAU).round());
            turns -= jump;
            count += usize::from(jump != 0.0);
            last = Some(x);
            column[row] = x + turns * TAU;
        }
    }
    if unclear > 0 {
        advice.push(format!("{name:?}: {unclear} jumps are between three eighths and five eighths of a turn, so whether it turned is a guess: sample faster"));
    }
    if cuts.iter().any(|cuts| !cuts.is_empty()) {
        advice.push(format!(
            "{name:?}: how often it turned within a gap is not known; the nearest is taken"
        ));
    }
    Undone { wraps: count, advice }
}

/// How often it jumps by nearly all of its range from row to row, where it mostly moves by little of it.
fn begins_anew(column: &[f64], runs: &[Run], cuts: &[Vec<usize>], range: f64) -> usize {
    const ALL: f64 = 0.9;
    const LITTLE: f64 = 0.1;
    const MOSTLY: usize = 8;
    let (mut whole, mut little, mut others) = (0, 0, 0);
    for (run, cuts) in runs.iter().zip(cuts) {
        for (k, pair) in run.rows.windows(2).enumerate() {
            if cuts.binary_search(&(k + 1)).is_ok() {
                continue;
            }
            let jump = (column[pair[1]] - column[pair[0]]).abs();
            whole += usize::from(jump > ALL * range);
            little += usize::from(jump <= LITTLE * range);
            others += usize::from(jump > LITTLE * range && jump <= ALL * range);
        }
    }
    if others == 0 && little >= MOSTLY * whole && range > 0.0 { whole } else { 0 }
}

/// Whether it goes through the middle of its range again and again.
fn comes_back(column: &[f64], runs: &[Run], middle: f64) -> bool {
    const OFTEN: usize = 4;
    let crossings = |run: &Run| {
        let is_above = run.rows.iter().map(|&row| column[row] > middle);
        is_above.clone().zip(is_above.skip(1)).filter(|(a, b)| a != b).count()
    };
    runs.iter().map(crossings).sum::<usize>() >= OFTEN
}

/// The largest jump from row to row within pieces, and how many are about half a turn.
fn jumps(column: &[f64], runs: &[Run], cuts: &[Vec<usize>]) -> (f64, usize) {
    let (mut largest, mut unclear) = (0.0_f64, 0);
    for (run, cuts) in runs.iter().zip(cuts) {
        let mut cuts = cuts.iter().peekable();
        for k in 1..run.rows.len() {
            if cuts.next_if(|cut| **cut == k).is_some() {
                continue;
            }
            let jump = (column[run.rows[k]] - column[run.rows[k - 1]]).abs();
            largest = largest.max(jump);
            unclear += usize::from((jump / TAU - 0.5).abs() < 0.125);
        }
    }
    (largest, unclear)
}
