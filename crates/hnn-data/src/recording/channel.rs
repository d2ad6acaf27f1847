//! What the numbers of one channel say about how they were measured.

use ndarray::ArrayView1;

use crate::recording::assemble::Channel;
use crate::recording::report::ChannelReport;

/// Times and numbers of a channel along a piece.
pub(crate) type Values<'a> = (&'a [f64], ArrayView1<'a, f64>);

/// Rows that are looked at for a step of quantisation.
const SAMPLE: usize = 20_000;
/// Windows of a few rows from which the noise is told.
const WINDOWS: usize = 4_000;
/// Orders of the differences that tell the noise.
const ORDERS: usize = 6;
/// So many rows at the end of the range, one after another, may be a stop.
const STOP: usize = 5;

pub(crate) fn describe(
    channel: &Channel,
    values: &[Values<'_>],
    step: Option<f64>,
    wraps: usize,
) -> ChannelReport {
    let all = || values.iter().flat_map(|(_, x)| x.iter().copied());
    let (low, high) =
        (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let is_constant = low == high;
    let saturated = match channel.role.is_state() && !is_constant {
        true => saturated(values, [low, high], step.unwrap_or(0.0)),
        false => 0,
    };
    ChannelReport {
        name: channel.name.clone(),
        role: channel.role,
        factor: channel.column.factor,
        low,
        high,
        step: step.filter(|_| !is_constant),
        noise: if is_constant { None } else { noise(values) },
        is_constant,
        saturated,
        wraps,
        slopes: Vec::new(),
    }
}

/// The step of which all numbers are multiples, up to a constant.
pub(crate) fn quantisation(column: &[f64]) -> Option<f64> {
    let mut sorted = Vec::from_iter(column.iter().copied().filter(|x| x.is_finite()).take(SAMPLE));
    sorted.sort_unstable_by(f64::total_cmp);
    let size = sorted.first()?.abs().max(sorted.last()?.abs());
    let distances = sorted.windows(2).map(|pair| pair[1] - pair[0]);
    let distances = Vec::from_iter(distances.filter(|d| *d > 1e-12 * size));
    let least = distances.iter().copied().fold(f64::INFINITY, f64::min);
    let multiple = |d: &f64| (d / least).round();
    let is_multiple = |d: &f64| (d / least - multiple(d)).abs() < 0.02 + 1e-6 * multiple(d);
    if distances.len() < 4 || !distances.iter().all(is_multiple) {
        return None;
    }
    Some(distances.iter().sum::<f64>() / distances.iter().map(multiple).sum::<f64>())
}

/// The standard deviation of what no smooth signal explains: divided differences remove polynomials;
/// of those of several orders, the smallest, for those of a low order still see the signal. `None` for
/// a few rows.
pub(crate) fn noise(values: &[Values<'_>]) -> Option<f64> {
    let count: usize = values.iter().map(|(t, _)| t.len().saturating_sub(ORDERS)).sum();
    if count < 2 {
        return None;
    }
    let stride = count.div_ceil(WINDOWS);
    let mut sums = [0.0; ORDERS];
    let mut windows = 0.0;
    for (times, x) in values {
        for begin in (0..times.len().saturating_sub(ORDERS)).step_by(stride) {
            windows += 1.0;
            for (order, sum) in (1..).zip(&mut sums) {
                let t = &times[begin..=begin + order];
                let scale = 1.0 / (t[order] - t[0]);
                let weight = |j: usize| {
                    let others = (0..=order).filter(|&m| m != j);
                    1.0 / others.map(|m| (t[j] - t[m]) * scale).product::<f64>()
                };
                let (mut difference, mut norm) = (0.0, 0.0);
                for j in 0..=order {
                    let weight = weight(j);
                    difference += weight * x[begin + j];
                    norm += weight * weight;
                }
                *sum += difference * difference / norm;
            }
        }
    }
    let least = sums.into_iter().fold(f64::INFINITY, f64::min);
    Some((least / windows).sqrt()).filter(|noise| noise.is_finite())
}

/// Rows in which the channel stays at an end of its range, but leaves it faster than a smooth signal
/// leaves its summit: by more than a parabola that is flat, up to a step, for so long.
fn saturated(values: &[Values<'_>], ends: [f64; 2], step: f64) -> usize {
    let mut count = 0;
    for (_, x) in values {
        let x = x.to_vec();
        for end in ends {
            let mut row = 0;
            while row < x.len() {
                let length = x[row..].iter().take_while(|x| **x == end).count();
                let after = x.get((row + length + length / 2).min(x.len() - 1));
                let before = x.get(row.saturating_sub(length / 2 + 1));
                let far = [before, after].into_iter().flatten().map(|x| (x - end).abs());
                if length >= STOP && far.fold(0.0, f64::max) > 10.0 * step {
                    count += length;
                }
                row += length.max(1);
            }
        }
    }
    count
}
