//! The systems that are integrated, for this crate and for the peers.

use hnn_integrators::{AnalyticField, AnalyticSeparable, Lane};

/// `H = p^2/2 - cos q`.
#[derive(Debug, Clone, Copy)]
pub struct Pendulum;

impl AnalyticField for Pendulum {
    hnn_integrators::compile_kernels!();
    type State<L: Lane> = [L; 2];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, [q, p]: &[L; 2]) -> [L; 2] {
        [*p, -q.sin()]
    }
    #[inline(always)]
    fn vjp_lanes<L: Lane>(&self, _t: L, [q, _p]: &[L; 2], [a, b]: &[L; 2]) -> [L; 2] {
        [-(q.cos() * *b), *a]
    }
}

/// The double pendulum, canonical, unit masses and lengths, g = 9.8.
#[derive(Debug, Clone, Copy)]
pub struct DoublePendulum;

impl AnalyticField for DoublePendulum {
    hnn_integrators::compile_kernels!();
    type State<L: Lane> = [L; 4];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, [q1, q2, p1, p2]: &[L; 4]) -> [L; 4] {
        let (one, two, g) = (L::constant(1.0), L::constant(2.0), L::constant(9.8));
        let (s, c) = (*q1 - *q2).sin_cos();
        let inverse = one / (one + s * s);
        let v1 = (*p1 - c * *p2) * inverse;
        let v2 = (two * *p2 - c * *p1) * inverse;
        let coupling = v1 * v2 * s;
        [v1, v2, -(coupling + two * g * q1.sin()), coupling - g * q2.sin()]
    }
}

/// Start number `i` of many, all different and none extreme.
#[must_use]
pub fn start(i: usize) -> [f64; 2] {
    let phase = 0.618_033_988_749_895 * i as f64;
    [2.0 * (phase - phase.floor()) - 1.0, 0.5 + 0.4 * (phase * 3.0).sin()]
}

impl AnalyticSeparable for Pendulum {
    type Half<L: Lane> = [L; 1];
    #[inline(always)]
    fn velocity_lanes<L: Lane>(&self, p: &[L; 1]) -> [L; 1] {
        *p
    }
    #[inline(always)]
    fn force_lanes<L: Lane>(&self, _t: L, [q]: &[L; 1]) -> [L; 1] {
        [-q.sin()]
    }
}

/// The restricted three-body problem of Earth and Moon (Hairer, Norsett, Wanner I, II.0).
#[derive(Debug, Clone, Copy)]
pub struct Arenstorf;

/// The start of Arenstorf's closed orbit, and its period.
pub const ARENSTORF: ([f64; 4], f64) =
    ([0.994, 0.0, 0.0, -2.001_585_106_379_082_5], 17.065_216_560_157_96);

impl AnalyticField for Arenstorf {
    type State<L: Lane> = [L; 4];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, [x, y, vx, vy]: &[L; 4]) -> [L; 4] {
        let (mu, two) = (L::constant(0.012_277_471), L::constant(2.0));
        let rest = L::constant(1.0 - 0.012_277_471);
        let (a, b) = (*x + mu, *x - rest);
        let (d1, d2) = (a * a + *y * *y, b * b + *y * *y);
        let (w1, w2) = (rest / (d1 * d1.sqrt()), mu / (d2 * d2.sqrt()));
        [*vx, *vy, *x + two * *vy - w1 * a - w2 * b, *y - two * *vx - (w1 + w2) * *y]
    }
}
