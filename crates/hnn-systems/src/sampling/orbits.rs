//! Nearly circular orbits of two and three bodies, as in the data of the HNN paper's code
//! (Greydanus, Dzamba and Yosinski 2019): unit masses, unit gravity, the plane.

use std::f64::consts::{PI, TAU};

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// Two bodies opposite each other; each coordinate of the first uniform in `[low, high]`, both
/// speeds those of a circle times `1 + noise * normal`. State `[x1, x2, y1, y2, px1, ..]`.
pub(super) fn two_bodies(low: f64, high: f64, noise: f64, rng: &mut impl Rng) -> Vec<f64> {
    let (x, y) = (rng.random_range(low..=high), rng.random_range(low..=high));
    let radius = f64::hypot(x, y);
    let scale = (1.0 + noise * rng.sample::<f64, _>(StandardNormal)) / (2.0 * radius.powf(1.5));
    let (px, py) = (-y * scale, x * scale);
    vec![x, -x, y, -y, px, -px, py, -py]
}

/// Three bodies at the corners of an equilateral triangle of radius uniform in `[low, high]`, each
/// speed that of a circle times `1 + noise * u`, `u` uniform in `[-1, 1]`. State
/// `[x1, x2, x3, y1, ..]`.
pub(super) fn three_bodies(low: f64, high: f64, noise: f64, rng: &mut impl Rng) -> Vec<f64> {
    let direction: [f64; 2] = std::array::from_fn(|_| rng.random_range(-1.0..=1.0));
    let radius = rng.random_range(low..=high);
    let angle = direction[1].atan2(direction[0]);
    // Two unit masses a side sqrt(3) r away pull with 1 / (sqrt(3) r^2) towards the centre.
    let speed = (radius * 3.0_f64.sqrt()).recip().sqrt();
    let mut state = vec![0.0; 12];
    for body in 0..3 {
        let angle = angle + body as f64 * TAU / 3.0;
        let speed = speed * (1.0 + noise * rng.random_range(-1.0..=1.0));
        let ((y, x), (vy, vx)) = (angle.sin_cos(), (angle + PI / 2.0).sin_cos());
        let numbers = [radius * x, radius * y, speed * vx, speed * vy];
        numbers.into_iter().enumerate().for_each(|(block, z)| state[3 * block + body] = z);
    }
    state
}
