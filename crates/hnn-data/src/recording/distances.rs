//! Positions that something holds at a distance: on a circle or a sphere, or from one another.

use crate::Recording;
use crate::recording::column::Role;

/// Rows that are looked at, about.
const ROWS: usize = 400;
/// More positions are not looked at.
const MOST: usize = 24;
/// Distances that vary by less than this share of themselves, or so many times the noise, are constant.
const SHARE: f64 = 1e-3;
const NOISES: f64 = 3.0;
/// A circle is one where points are so many times as far from every line as from it.
const BENT: f64 = 5.0;

impl Recording {
    /// What to do about positions that keep a distance, if there are any: no model of free positions knows of
    /// rods.
    pub(crate) fn distance_advice(&self) -> Vec<String> {
        let columns = Vec::from_iter((0..self.dim()).filter(|&i| self.roles[i] == Role::Position));
        let mut advice = Vec::new();
        if columns.len() > MOST {
            return advice;
        }
        for dim in [2, 3].into_iter().filter(|dim| columns.len().is_multiple_of(*dim)) {
            let count = columns.len() / dim;
            // x1, y1, x2, y2, or x1, x2, y1, y2.
            let beside = |k: usize| Vec::from_iter((0..dim).map(|c| columns[k * dim + c]));
            let apart = |k: usize| Vec::from_iter((0..dim).map(|c| columns[c * count + k]));
            let layouts: [&dyn Fn(usize) -> Vec<usize>; 2] = [&beside, &apart];
            for point in layouts.into_iter().take(count.min(2)) {
                for (k, own) in (0..count).map(|k| (k, point(k))) {
                    let fixed = self.circle(&self.points(&own), &own);
                    advice.extend(fixed.map(|(centre, radius)| self.text(&own, radius, &centre)));
                    for other in (0..k).map(point) {
                        if let Some(length) = self.length(&own, &other) {
                            let other = format!("{:?}", self.names_of(&other));
                            advice.push(self.text(&own, length, &other));
                        }
                    }
                }
            }
        }
        advice
    }

    /// Some rows of these columns.
    fn points(&self, columns: &[usize]) -> Vec<Vec<f64>> {
        let stride = self.len().div_ceil(ROWS).max(1);
        let rows = self.pieces.iter().flat_map(|piece| piece.rows.states.rows());
        rows.step_by(stride).map(|row| columns.iter().map(|i| row[*i]).collect()).collect()
    }

    /// How far columns may be off.
    fn allowed(&self, columns: &[usize], distance: f64) -> f64 {
        let noise = |i: &usize| {
            let channel = &self.report.channels[*i];
            channel.noise.unwrap_or(0.0).max(channel.step.unwrap_or(0.0) / 12f64.sqrt())
        };
        let noise = columns.iter().map(|i| noise(i).powi(2)).sum::<f64>().sqrt();
        (NOISES * noise).max(SHARE * distance)
    }

    /// The centre and the radius of the circle or sphere that all points are on.
    fn circle(&self, points: &[Vec<f64>], columns: &[usize]) -> Option<(String, f64)> {
        let (centre, flat) = centre(points)?;
        let distances = Vec::from_iter(points.iter().map(|point| distance(point, &centre)));
        let (radius, deviation) = spread(&distances);
        let is_bent = BENT * deviation.max(SHARE * radius) < flat;
        let is_circle = is_bent && deviation < self.allowed(columns, radius);
        let near_zero = |x: f64| if x.abs() < 1e-3 * radius { 0.0 } else { x };
        let centre = Vec::from_iter(centre.iter().map(|x| format!("{:.3}", near_zero(*x))));
        is_circle.then(|| (format!("({})", centre.join(", ")), radius))
    }

    /// The distance of two points that move, if it is constant.
    fn length(&self, own: &[usize], other: &[usize]) -> Option<f64> {
        let [a, b] = [self.points(own), self.points(other)];
        let apart =
            a.iter().zip(&b).map(|(a, b)| Vec::from_iter(a.iter().zip(b).map(|(a, b)| a - b)));
        let apart = Vec::from_iter(apart);
        let lengths = Vec::from_iter(apart.iter().map(|d| distance(d, &vec![0.0; d.len()])));
        let (length, deviation) = spread(&lengths);
        let allowed = self.allowed(&[own, other].concat(), length);
        let turns = (0..own.len()).map(|c| spread(&Vec::from_iter(apart.iter().map(|d| d[c]))).1);
        // What only translates keeps its distance, too.
        let moves = turns.fold(0.0, f64::max);
        (deviation < allowed && BENT * deviation.max(SHARE * length) < moves).then_some(length)
    }

    fn names_of(&self, columns: &[usize]) -> String {
        Vec::from_iter(columns.iter().map(|i| self.names[*i].as_str())).join(", ")
    }

    fn text(&self, own: &[usize], length: f64, from: &str) -> String {
        let cure = match own.len() {
            2 => "give the angle, `atan2` of the differences",
            _ => "give angles",
        };
        format!(
            "{:?} stay at a distance of {length:.3} from {from}: if a rod or a joint holds them there, {cure}, or fit a constrained \
             model; a model of free positions does not know of it",
            self.names_of(own)
        )
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// The mean and the standard deviation.
fn spread(numbers: &[f64]) -> (f64, f64) {
    let count = numbers.len().max(1) as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    (mean, (numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt())
}

/// The centre of the circle or sphere that fits best (`|x|^2 = 2 c . x + b`, by least squares), and how far
/// points are from the line or plane that does. None where there is no one centre.
fn centre(points: &[Vec<f64>]) -> Option<(Vec<f64>, f64)> {
    let dim = points.first()?.len();
    let count = points.len() as f64;
    let mean = Vec::from_iter((0..dim).map(|i| points.iter().map(|p| p[i]).sum::<f64>() / count));
    let from_mean = points.iter().map(|p| Vec::from_iter(p.iter().zip(&mean).map(|(x, m)| x - m)));
    let from_mean = Vec::from_iter(from_mean);
    let squares = Vec::from_iter(from_mean.iter().map(|p| p.iter().map(|x| x * x).sum::<f64>()));
    let moment = |f: &dyn Fn(&[f64], f64) -> f64| {
        from_mean.iter().zip(&squares).map(|(p, square)| f(p, *square)).sum::<f64>() / count
    };
    let mut matrix = Vec::from_iter((0..dim).map(|i| {
        let row = (0..dim).map(|j| moment(&|p, _| p[i] * p[j]));
        Vec::from_iter(row.chain([moment(&|p, square| 0.5 * p[i] * square)]))
    }));
    let size = (0..dim).map(|i| matrix[i][i]).sum::<f64>();
    // Gauss's elimination; the last pivot is the variance across the line or plane, up to a factor of order 1.
    let mut flat = f64::INFINITY;
    for k in 0..dim {
        let best = (k..dim).max_by(|a, b| matrix[*a][k].abs().total_cmp(&matrix[*b][k].abs()))?;
        matrix.swap(k, best);
        flat = flat.min(matrix[k][k].abs());
        if flat.is_nan() || flat <= 1e-12 * size {
            return None;
        }
        for i in (0..dim).filter(|i| *i != k) {
            let factor = matrix[i][k] / matrix[k][k];
            let pivot = matrix[k].clone();
            matrix[i].iter_mut().zip(&pivot).for_each(|(x, pivot)| *x -= factor * pivot);
        }
    }
    let centre = (0..dim).map(|i| mean[i] + matrix[i][dim] / matrix[i][i]);
    Some((centre.collect(), flat.sqrt()))
}
