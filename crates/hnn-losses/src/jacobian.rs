//! The Jacobians of a field and of a step, by rows.
//!
//! A batch of `B` states is repeated once for each of the `D` coordinates; the cotangent of copy `i`
//! is the unit vector of coordinate `i`. One pull-back with a row of `theta_bar` for each state of
//! the copies then gives the derivatives of all `D * B` numbers: that of coordinate `i` of state `b`
//! is row `i * B + b`.

use hnn_integrators::{
    At, Bars, DifferentiableField, DifferentiableStepper, FieldError, Interval, Scalar, ThetaBar,
};

/// The copies of a batch.
#[derive(Debug, Default)]
struct Copies<T> {
    t: Vec<T>,
    dt: Vec<T>,
    x: Vec<T>,
    out: Vec<T>,
    /// The cotangents, and those of the states behind them.
    v: Vec<T>,
    x_bar: Vec<T>,
}

impl<T: Scalar> Copies<T> {
    /// Copies a batch of `lanes` states; `weight(i, b)` is the cotangent of coordinate `i` of state
    /// `b` in its copy.
    fn set(&mut self, [t, dt]: [&[T]; 2], x: &[T]) {
        let (lanes, dim) = (t.len(), x.len() / t.len().max(1));
        for (copies, one) in [(&mut self.t, t), (&mut self.dt, dt)] {
            copies.clear();
            (0..dim).for_each(|_| copies.extend_from_slice(one));
        }
        self.x.clear();
        for coordinate in x.chunks_exact(lanes.max(1)) {
            (0..dim).for_each(|_| self.x.extend_from_slice(coordinate));
        }
        for buffer in [&mut self.out, &mut self.v, &mut self.x_bar] {
            buffer.clear();
            buffer.resize(self.x.len(), T::ZERO);
        }
    }

    /// Where coordinate `i` of state `b` of `lanes` lies in its own copy.
    fn own(&self, lanes: usize, i: usize, b: usize) -> usize {
        i * self.t.len() + i * lanes + b
    }
}

/// The field and its Jacobian at a batch of states.
#[derive(Debug, Default)]
pub(crate) struct FieldJacobian<T, R> {
    copies: Copies<T>,
    residuals: R,
}

impl<T: Scalar, R> FieldJacobian<T, R> {
    /// Evaluates the field at the states `x`, and **adds** to row `i * B + b` of `by_theta` (`P`
    /// numbers each) the derivative of its coordinate `i` at state `b`, times what `weigh(i, b, f)`
    /// says, which sees the field's value there.
    pub(crate) fn evaluate<F>(
        &mut self,
        field: &F,
        t: &[T],
        x: &[T],
        by_theta: &mut [T],
        mut weigh: impl FnMut(usize, usize, T) -> T,
    ) -> Result<(), FieldError>
    where
        F: DifferentiableField<T, Residuals = R>,
    {
        let Self { copies, residuals } = self;
        copies.set([t, &[]], x);
        field.eval_recorded(At::time(&copies.t), &copies.x, &mut copies.out, residuals)?;
        for i in 0..field.dim() {
            for b in 0..t.len() {
                let own = copies.own(t.len(), i, b);
                copies.v[own] = weigh(i, b, copies.out[own]);
            }
        }
        let theta = ThetaBar::rows(by_theta, field.num_params());
        let bars = Bars::new(&mut copies.x_bar).with_theta(theta);
        field.vjp(&copies.x, residuals, &copies.v, bars)
    }

    /// The weighted derivatives of row `row` by coordinate `j` of its state.
    pub(crate) fn by_x(&self, row: usize, j: usize) -> T {
        self.copies.x_bar[j * self.copies.t.len() + row]
    }
}

/// A step of a batch, and its Jacobian.
#[derive(Debug, Default)]
pub(crate) struct StepJacobian<T, Tape> {
    copies: Copies<T>,
    tape: Tape,
}

impl<T: Scalar, Tape> StepJacobian<T, Tape> {
    /// Steps from the states `x`, over times and step sizes of each, to `out`, and **adds** to row
    /// `i * B + b` of `by_theta` the derivative of coordinate `i` of state `b` after the step.
    pub(crate) fn step<F, S>(
        &mut self,
        (stepper, field): (&S, &F),
        over: [&[T]; 2],
        x: &[T],
        out: &mut [T],
        by_theta: &mut [T],
    ) -> Result<(), FieldError>
    where
        F: DifferentiableField<T>,
        S: DifferentiableStepper<T, F, Tape = Tape>,
    {
        let Self { copies, tape } = self;
        copies.set(over, x);
        let interval = Interval::new(&copies.t, &copies.dt);
        stepper.record(field, interval, &copies.x, &mut copies.out, tape)?;
        let lanes = over[0].len();
        for i in 0..field.dim() {
            for b in 0..lanes {
                let own = copies.own(lanes, i, b);
                out[i * lanes + b] = copies.out[own];
                copies.x_bar[own] = T::ONE;
            }
        }
        let theta = ThetaBar::rows(by_theta, field.num_params());
        stepper.pull_back(field, tape, Bars::new(&mut copies.x_bar).with_theta(theta))
    }

    /// The derivative of row `row` by coordinate `j` of its state before the step.
    pub(crate) fn by_x(&self, row: usize, j: usize) -> T {
        self.copies.x_bar[j * self.copies.t.len() + row]
    }
}
