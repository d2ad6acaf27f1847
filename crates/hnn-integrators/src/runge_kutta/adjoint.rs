//! The discrete adjoint of explicit Runge-Kutta methods.
//!
//! With the cotangent `o` of the step's end, the stages are visited backwards:
//! `k_bar_i = h (b_i o + sum_(j > i) a_ji X_bar_j)`, `X_bar_i = (df/dx)^T k_bar_i` at stage `i`,
//! and `x_bar = o + sum_i X_bar_i` (Hager, *Numer. Math.* 87, 2000; Sanz-Serna, *SIAM Review* 58,
//! 2016, section 3).

use super::ExplicitRungeKutta;
use super::step::{add_scaled_stages, advance_time};
use crate::{
    AdjointRun, DifferentiableField, DifferentiableStepper, FieldError, RolloutRun, Scalar,
    StartSlope,
};

/// A recorded step of an explicit Runge-Kutta method.
#[derive(Debug)]
pub struct RungeKuttaTape<T, R> {
    dt: Vec<T>,
    stage_t: Vec<T>,
    /// Stage states `X_i`.
    stages: Vec<T>,
    /// Slopes `k_i`, one stage after the other.
    slopes: Vec<T>,
    /// Cotangent of one slope.
    slope_bar: Vec<T>,
    /// What others add to the cotangent of the first slope.
    start_bar: Vec<T>,
    residuals: Vec<R>,
}

impl<T, R> Default for RungeKuttaTape<T, R> {
    fn default() -> Self {
        let empty = Vec::new;
        Self {
            dt: empty(),
            stage_t: empty(),
            stages: empty(),
            slopes: empty(),
            slope_bar: empty(),
            start_bar: empty(),
            residuals: Vec::new(),
        }
    }
}

impl<T: Scalar, R: Default> RungeKuttaTape<T, R> {
    fn prepare(&mut self, dt: &[T], len: usize, stages: usize) {
        self.dt.clear();
        self.dt.extend_from_slice(dt);
        self.stage_t.resize(dt.len(), T::ZERO);
        self.stages.resize(stages * len, T::ZERO);
        self.slopes.resize(stages * len, T::ZERO);
        self.slope_bar.resize(len, T::ZERO);
        self.start_bar.clear();
        self.start_bar.resize(len, T::ZERO);
        if self.residuals.len() < stages {
            self.residuals.resize_with(stages, R::default);
        }
    }
}

impl<T, F, M> DifferentiableStepper<T, F> for M
where
    T: Scalar,
    F: DifferentiableField<T> + ?Sized,
    M: ExplicitRungeKutta,
{
    type Tape = RungeKuttaTape<T, F::Residuals>;

    fn record(
        &self,
        field: &F,
        t: &[T],
        dt: &[T],
        x: &[T],
        out: &mut [T],
        tape: &mut Self::Tape,
    ) -> Result<(), FieldError> {
        let states = [("the states", x.len()), ("the next states", out.len())];
        FieldError::check_step(field.dim(), (t, dt), states)?;
        let tableau = self.tableau();
        let len = x.len();
        tape.prepare(dt, len, tableau.stages());
        for i in 0..tableau.stages() {
            let (done, slope) = tape.slopes[..(i + 1) * len].split_at_mut(i * len);
            let stage = &mut tape.stages[i * len..(i + 1) * len];
            advance_time(t, dt, tableau.c[i], &mut tape.stage_t);
            add_scaled_stages(x, dt, tableau.row(i), done, stage);
            field.eval_recorded(&tape.stage_t, stage, slope, &mut tape.residuals[i])?;
        }
        add_scaled_stages(x, dt, tableau.b, &tape.slopes, out);
        Ok(())
    }

    fn pull_back(
        &self,
        field: &F,
        tape: &mut Self::Tape,
        x_bar: &mut [T],
        mut theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        let tableau = self.tableau();
        let (stages, len) = (tableau.stages(), tape.start_bar.len());
        FieldError::check_lengths(len, [("the states' cotangents", x_bar.len())])?;
        for i in (0..stages).rev() {
            // The slopes are no longer needed: their memory takes the cotangents X_bar.
            let (head, later) = tape.slopes.split_at_mut((i + 1) * len);
            let stage_bar = &mut head[i * len..];
            tape.slope_bar.fill(T::ZERO);
            add_scaled(T::from_f64(tableau.b[i]), x_bar, &mut tape.slope_bar);
            for (j, cotangent) in (i + 1..stages).zip(later.chunks_exact(len.max(1))) {
                add_scaled(T::from_f64(tableau.row(j)[i]), cotangent, &mut tape.slope_bar);
            }
            scale_rows(&tape.dt, &mut tape.slope_bar);
            if i == 0 {
                add_scaled(T::ONE, &tape.start_bar, &mut tape.slope_bar);
            }
            let stage = &tape.stages[i * len..(i + 1) * len];
            let theta_bar = theta_bar.as_deref_mut();
            field.vjp(stage, &mut tape.residuals[i], &tape.slope_bar, stage_bar, theta_bar)?;
        }
        for cotangent in tape.slopes[..stages * len].chunks_exact(len.max(1)) {
            add_scaled(T::ONE, cotangent, x_bar);
        }
        Ok(())
    }

    fn start_slope<'a>(&self, _field: &F, tape: &'a mut Self::Tape) -> Option<StartSlope<'a, T>> {
        // The first node of an explicit method is 0, and its first stage state the step's begin.
        let RungeKuttaTape { slopes, start_bar, .. } = tape;
        Some(StartSlope { value: &slopes[..start_bar.len()], cotangent: start_bar })
    }

    fn fly(&self, field: &F, run: &mut RolloutRun<'_, T>) -> bool {
        field.fly_explicit(self.tableau(), run)
    }

    fn pull_back_flight(&self, field: &F, run: &mut AdjointRun<'_, T>) -> bool {
        field.pull_back_explicit(self.tableau(), run)
    }
}

/// `out += weight x`.
fn add_scaled<T: Scalar>(weight: T, x: &[T], out: &mut [T]) {
    if weight != T::ZERO {
        out.iter_mut().zip(x).for_each(|(out, x)| *out += weight * *x);
    }
}

/// Multiplies each row by its own factor.
fn scale_rows<T: Scalar>(factors: &[T], x: &mut [T]) {
    for coordinate in x.chunks_exact_mut(factors.len().max(1)) {
        coordinate.iter_mut().zip(factors).for_each(|(x, factor)| *x *= *factor);
    }
}
