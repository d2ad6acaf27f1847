//! The Jacobians of a field and of a step, by rows.
//!
//! A batch of `B` states is repeated once for each coordinate of interest; the cotangent of copy `c`
//! is the unit vector of the `c`-th of them. One pull-back with a row of `theta_bar` for each state of
//! the copies then gives the derivatives of all these numbers: that of coordinate `c` of state `b`
//! is row `c * B + b`.

use hnn_integrators::{
    At, Bars, FieldError, FieldObject, Inputs, Interval, Kept, Motion, Scalar, ThetaBar,
};

/// The copies of a batch.
#[derive(Debug, Default)]
struct Copies<T> {
    t: Vec<T>,
    dt: Vec<T>,
    /// The inputs, of a step at its begin and at its end.
    u: [Vec<T>; 2],
    x: Vec<T>,
    out: Vec<T>,
    /// The cotangents, and those of the states behind them.
    v: Vec<T>,
    x_bar: Vec<T>,
}

impl<T: Scalar> Copies<T> {
    /// So many copies of a batch.
    fn set(&mut self, copies: usize, [t, dt]: [&[T]; 2], u: [&[T]; 2], x: &[T]) {
        let lanes = t.len().max(1);
        let [begin, end] = &mut self.u;
        let rows = [(&mut self.t, t), (&mut self.dt, dt), (begin, u[0]), (end, u[1])];
        for (all, one) in rows.into_iter().chain([(&mut self.x, x)]) {
            all.clear();
            for coordinate in one.chunks_exact(lanes) {
                (0..copies).for_each(|_| all.extend_from_slice(coordinate));
            }
        }
        for buffer in [&mut self.out, &mut self.v, &mut self.x_bar] {
            buffer.clear();
            buffer.resize(self.x.len(), T::ZERO);
        }
    }

    /// Where coordinate `i` of what is row `row` lies.
    fn at(&self, i: usize, row: usize) -> usize {
        i * self.t.len() + row
    }
}

/// The field and its Jacobian at a batch of states.
#[derive(Debug, Default)]
pub(crate) struct FieldJacobian<T> {
    copies: Copies<T>,
    residuals: Kept,
}

impl<T: Scalar> FieldJacobian<T> {
    /// Evaluates the field at the states `x`, and **adds** to each row of `by_theta` (`P` numbers) the
    /// derivative of one of the field's `coordinates` at one state, times what `weigh(row, f)` says,
    /// which sees its value there.
    pub(crate) fn evaluate(
        &mut self,
        field: &dyn FieldObject<T>,
        coordinates: &[usize],
        (at, x): (At<'_, T>, &[T]),
        by_theta: &mut [T],
        mut weigh: impl FnMut(usize, T) -> T,
    ) -> Result<(), FieldError> {
        let Self { copies, residuals } = self;
        copies.set(coordinates.len(), [at.t, &[]], [at.u, &[]], x);
        let of_copies = At { t: &copies.t, u: &copies.u[0] };
        field.eval_kept(of_copies, &copies.x, &mut copies.out, residuals)?;
        for row in 0..copies.t.len() {
            let place = copies.at(coordinates[row / at.batch()], row);
            copies.v[place] = weigh(row, copies.out[place]);
        }
        let theta = ThetaBar::rows(by_theta, field.num_params());
        let bars = Bars::new(&mut copies.x_bar).with_theta(theta);
        field.vjp_kept(&copies.x, residuals, &copies.v, bars)
    }

    /// The weighted derivatives of row `row` by coordinate `j` of its state.
    pub(crate) fn by_x(&self, row: usize, j: usize) -> T {
        self.copies.x_bar[self.copies.at(j, row)]
    }
}

/// A step of a batch, and its Jacobian.
#[derive(Debug, Default)]
pub(crate) struct StepJacobian<T> {
    copies: Copies<T>,
    tape: Kept,
}

impl<T: Scalar> StepJacobian<T> {
    /// Steps from the states `x`, over times, step sizes and inputs (at the begin and at the end) of
    /// each, to `out`, and **adds** to row
    /// `i * B + b` of `by_theta` the derivative of coordinate `i` of state `b` after the step.
    pub(crate) fn step(
        &mut self,
        motion: &dyn Motion<T>,
        (over, inputs): ([&[T]; 2], [&[T]; 2]),
        x: &[T],
        out: &mut [T],
        by_theta: &mut [T],
    ) -> Result<(), FieldError> {
        let Self { copies, tape } = self;
        copies.set(motion.dim(), over, inputs, x);
        let [begin, end] = &copies.u;
        let u = Inputs::Linear { begin, end };
        let interval = Interval { t: &copies.t, dt: &copies.dt, u };
        motion.record(interval, &copies.x, &mut copies.out, tape)?;
        let lanes = over[0].len();
        for (row, out) in out.iter_mut().enumerate() {
            let at = copies.at(row / lanes, row);
            *out = copies.out[at];
            copies.x_bar[at] = T::ONE;
        }
        let theta = ThetaBar::rows(by_theta, motion.num_params());
        motion.pull_back(tape, Bars::new(&mut copies.x_bar).with_theta(theta))
    }

    /// The derivative of row `row` by coordinate `j` of its state before the step.
    pub(crate) fn by_x(&self, row: usize, j: usize) -> T {
        self.copies.x_bar[self.copies.at(j, row)]
    }
}
