//! Explicit Runge-Kutta methods, and their discrete adjoint.
//!
//! With the cotangent `o` of the step's end, the stages are visited backwards:
//! `k_bar_i = h (b_i o + sum_(j > i) a_ji X_bar_j)`, `X_bar_i = (df/dx)^T k_bar_i` at stage `i`,
//! and `x_bar = o + sum_i X_bar_i` (Hager, *Numer. Math.* 87, 2000; Sanz-Serna, *SIAM Review* 58,
//! 2016, section 3).

use ndarray::{Array2, ArrayView2};

use super::inputs::StageInputs;
use super::stepper::step_by_step;
use super::weighted::{add_scaled, add_scaled_stages};
use crate::kernel::{Clock, Forward, Job, Scheme, Way, Work};
use crate::{
    At, Bars, DifferentiableField, DifferentiableStepper, FieldError, Inputs, Interval, RK4,
    Scalar, StartSlope, Stepper, Tableau, VectorField, Workspace, check_dimension,
    coordinate_major, rows,
};

impl<T, F> Stepper<T, F> for Tableau
where
    T: Scalar,
    F: VectorField<T> + ?Sized,
{
    fn name(&self) -> &str {
        self.name()
    }

    fn step(
        &self,
        field: &F,
        over: Interval<'_, T>,
        x: &[T],
        out: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let states = [("the states", x.len()), ("the next states", out.len())];
        over.check(field.dim(), field.inputs(), states)?;
        let method = self.coefficients();
        let (batch, len, inputs) = (over.batch(), x.len(), field.inputs() * over.batch());
        let (own, inner) = workspace.split(method.stages() * len + len + batch + inputs);
        let (slopes, own) = own.split_at_mut(method.stages() * len);
        let (stage, own) = own.split_at_mut(len);
        let (t, u) = own.split_at_mut(batch);
        for i in 0..method.stages() {
            let (done, slope) = slopes[..(i + 1) * len].split_at_mut(i * len);
            over.at(method.c[i], t, u);
            add_scaled_stages(x, over.dt, method.row(i), done, stage);
            field.eval(At { t, u }, stage, slope, inner)?;
        }
        add_scaled_stages(x, over.dt, method.b, slopes, out);
        Ok(())
    }

    fn advance(
        &self,
        field: &F,
        steps: usize,
        over: Interval<'_, T>,
        x: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        over.check(field.dim(), field.inputs(), [("the states", x.len())])?;
        if matches!(over.u, Inputs::None) {
            let clock = Clock::Equal { t: over.t, dt: over.dt, first: 0 };
            let run = Forward { clock, batch: over.batch(), steps, states: &mut *x };
            if self.kernel(field, Way::Forward(run)) {
                return Ok(());
            }
        }
        step_by_step(self, field, steps, over, x, workspace)
    }

    fn kernel(&self, field: &F, way: Way<'_, T>) -> bool {
        let scheme = Scheme::Explicit { method: self.coefficients(), classical: *self == RK4 };
        field.kernel(&mut Job(Work::March { scheme, way }))
    }
}

/// A recorded step of an explicit Runge-Kutta method.
#[derive(Debug)]
pub struct ExplicitTape<T, R> {
    dt: Vec<T>,
    t: Vec<T>,
    u: Vec<T>,
    /// Stage states `X_i`.
    stages: Vec<T>,
    /// Slopes `k_i`, one stage after the other.
    slopes: Vec<T>,
    /// Cotangent of one slope.
    slope_bar: Vec<T>,
    /// What others add to the cotangent of the first slope.
    start_bar: Vec<T>,
    inputs: StageInputs<T>,
    residuals: Vec<R>,
}

impl<T, R> Default for ExplicitTape<T, R> {
    fn default() -> Self {
        let empty = Vec::new;
        Self {
            dt: empty(),
            t: empty(),
            u: empty(),
            stages: empty(),
            slopes: empty(),
            slope_bar: empty(),
            start_bar: empty(),
            inputs: StageInputs::default(),
            residuals: Vec::new(),
        }
    }
}

impl<T: Scalar, R: Default> ExplicitTape<T, R> {
    fn prepare(&mut self, over: &Interval<'_, T>, inputs: usize, len: usize, stages: usize) {
        self.dt.clear();
        self.dt.extend_from_slice(over.dt);
        self.t.resize(over.batch(), T::ZERO);
        self.u.resize(inputs * over.batch(), T::ZERO);
        self.inputs.record(over, inputs);
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

impl<T, F> DifferentiableStepper<T, F> for Tableau
where
    T: Scalar,
    F: DifferentiableField<T> + ?Sized,
{
    type Tape = ExplicitTape<T, F::Residuals>;

    fn record(
        &self,
        field: &F,
        over: Interval<'_, T>,
        x: &[T],
        out: &mut [T],
        tape: &mut Self::Tape,
    ) -> Result<(), FieldError> {
        let states = [("the states", x.len()), ("the next states", out.len())];
        over.check(field.dim(), field.inputs(), states)?;
        let (method, len) = (self.coefficients(), x.len());
        tape.prepare(&over, field.inputs(), len, method.stages());
        let ExplicitTape { t, u, stages, slopes, residuals, .. } = tape;
        for i in 0..method.stages() {
            let (done, slope) = slopes[..(i + 1) * len].split_at_mut(i * len);
            let stage = &mut stages[i * len..(i + 1) * len];
            over.at(method.c[i], t, u);
            add_scaled_stages(x, over.dt, method.row(i), done, stage);
            field.eval_recorded(At { t, u }, stage, slope, &mut residuals[i])?;
        }
        add_scaled_stages(x, over.dt, method.b, slopes, out);
        Ok(())
    }

    fn pull_back(
        &self,
        field: &F,
        tape: &mut Self::Tape,
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let method = self.coefficients();
        let (stages, len) = (method.stages(), tape.start_bar.len());
        FieldError::check_lengths(len, [("the states' cotangents", bars.x.len())])?;
        tape.inputs.check(&bars)?;
        let Bars { x: x_bar, mut u, mut theta } = bars;
        for i in (0..stages).rev() {
            // The slopes are not needed any more: their memory takes the cotangents X_bar.
            let (head, later) = tape.slopes.split_at_mut((i + 1) * len);
            let stage_bar = &mut head[i * len..];
            tape.slope_bar.fill(T::ZERO);
            add_scaled(T::from_f64(method.b[i]), x_bar, &mut tape.slope_bar);
            for (j, cotangent) in (i + 1..stages).zip(later.chunks_exact(len.max(1))) {
                add_scaled(T::from_f64(method.row(j)[i]), cotangent, &mut tape.slope_bar);
            }
            scale_rows(&tape.dt, &mut tape.slope_bar);
            if i == 0 {
                add_scaled(T::ONE, &tape.start_bar, &mut tape.slope_bar);
            }
            let stage = &tape.stages[i * len..(i + 1) * len];
            let inputs = tape.inputs.stage(u.is_some());
            let bars = Bars { x: stage_bar, u: inputs, theta: theta.reborrow() };
            field.vjp(stage, &mut tape.residuals[i], &tape.slope_bar, bars)?;
            tape.inputs.add_stage(method.c[i], u.as_deref_mut());
        }
        for cotangent in tape.slopes[..stages * len].chunks_exact(len.max(1)) {
            add_scaled(T::ONE, cotangent, x_bar);
        }
        Ok(())
    }

    fn start_slope<'a>(&self, _field: &F, tape: &'a mut Self::Tape) -> Option<StartSlope<'a, T>> {
        // The first node of an explicit method is 0, and its first stage state the step's begin.
        let ExplicitTape { slopes, start_bar, .. } = tape;
        Some(StartSlope { value: &slopes[..start_bar.len()], cotangent: start_bar })
    }
}

/// Multiplies each row by its own factor.
fn scale_rows<T: Scalar>(factors: &[T], x: &mut [T]) {
    for coordinate in x.chunks_exact_mut(factors.len().max(1)) {
        coordinate.iter_mut().zip(factors).for_each(|(x, factor)| *x *= *factor);
    }
}

/// The **increment** `x(t + dt) - x(t)` of one [`RK4`] step for states of shape (B, D), a row a
/// state: `dt/6 (k_1 + 2 k_2 + 2 k_3 + k_4)`.
///
/// ```
/// use hnn_integrators::{rk4, FnField};
/// use ndarray::array;
/// let spring = FnField::new(2, |_t, x: &[f64], dx: &mut [f64]| {
///     dx[0] = 2.0 * x[1];
///     dx[1] = -2.0 * x[0];
/// });
/// let x = array![[1.0, 0.0], [0.0, 1.0]];
/// let next = &x + &rk4(&spring, 0.0, 0.1, x.view())?;
/// assert!((next[[0, 0]] - 0.2f64.cos()).abs() < 1e-5);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
///
/// # Errors
/// If the rows have another dimension than the field, or the field's own error.
pub fn rk4<T: Scalar, F: VectorField<T> + ?Sized>(
    field: &F,
    t: T,
    dt: T,
    x: ArrayView2<'_, T>,
) -> Result<Array2<T>, FieldError> {
    check_dimension(field.dim(), x.ncols())?;
    let batch = x.nrows();
    let start = coordinate_major(x);
    let mut end = vec![T::ZERO; start.len()];
    let (t, dt) = (vec![t; batch], vec![dt; batch]);
    RK4.step(field, Interval::new(&t, &dt), &start, &mut end, &mut Workspace::default())?;
    end.iter_mut().zip(&start).for_each(|(end, start)| *end -= *start);
    Ok(rows(&end, batch, x.ncols()))
}
