//! Angles that jump by a turn where they leave their range.

use std::f64::consts::TAU;

use super::survey::Survey;
use super::{Channel, Run};
use crate::recording::column::{Role, Wrap};
use crate::recording::table::unit;

pub(super) struct Undone {
    pub(super) wraps: usize,
    pub(super) advice: Vec<String>,
}

/// Adds up the turns of an angle, if it has any, along each of these trials, by what all say, and says what looks
/// like a wrong unit or role.
pub(super) fn undo(column: &mut [f64], channel: &Channel, runs: &[Run], survey: &Survey) -> Undone {
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
    let &Survey { low, high, largest, .. } = survey;
    let is_within = |turn: f64| high - low <= turn * (1.0 + 1e-6) && largest > 0.5 * turn;
    let begins_anew = survey.begins_anew();
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
    let unclear = half_turns(column, runs);
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
    if runs.iter().any(|run| !run.cuts.is_empty()) {
        advice.push(format!(
            "{name:?}: how often it turned within a gap is not known; the nearest is taken"
        ));
    }
    Undone { wraps: count, advice }
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

/// How many jumps from row to row within pieces are about half a turn.
fn half_turns(column: &[f64], runs: &[Run]) -> usize {
    let in_run = |run: &Run| {
        let jumps = (1..).zip(run.rows.windows(2));
        let within = jumps.filter(|(k, _)| run.cuts.binary_search(k).is_err());
        let turns = within.map(|(_, pair)| (column[pair[1]] - column[pair[0]]).abs() / TAU);
        turns.filter(|turn| (turn - 0.5).abs() < 0.125).count()
    };
    runs.iter().map(in_run).sum()
}
