//! The residuals of windows, and their derivatives along them.
//!
//! The derivatives `S = dx/dtheta` and `Z = dx/dstart` of a window's state go from step to step as the
//! state does: `S' = A S + B` and `Z' = A Z`, with `A` and `B` the derivatives of the step by the state
//! before it and by the parameters.

use std::ops::Range;

use hnn_integrators::{At, Between, Inputs, Interval, Scalar, Workspace};

use super::derivatives::Derivatives;
use super::rollout::Stepped;
use super::shooting::Shooting;
use super::starts::unit;
use super::windows::{Rows, Stretch};
use crate::blocks::on_all_threads;
use crate::checks::check_field;
use crate::groups::counted;
use crate::jacobian::{FieldJacobian, StepJacobian};
use crate::{JacobianRows, LossError, ResidualLayout, ResidualRows, RowSelection};

/// The windows of a layout, each a group.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    stretches: Vec<Stretch>,
    /// Windows of about the same length, to be integrated together.
    blocks: Vec<Range<usize>>,
    layout: ResidualLayout,
    /// What errors are multiplied by.
    scale: f64,
}

/// What the residuals of a block of windows need.
#[derive(Debug, Default)]
pub(super) struct RowScratch<T> {
    t: Vec<T>,
    dt: Vec<T>,
    /// The inputs at the begin and at the end of a step.
    u: [Vec<T>; 2],
    x: Vec<T>,
    next: Vec<T>,
    by_theta: Vec<T>,
    next_by_theta: Vec<T>,
    by_start: Vec<T>,
    next_by_start: Vec<T>,
    /// The weighted derivatives of slopes by the parameters, and their values.
    slopes_by_theta: Vec<T>,
    slopes: Vec<T>,
    step: StepJacobian<T>,
    field: FieldJacobian<T>,
    workspace: Workspace<T>,
}

impl<T: Scalar> Shooting<T> {
    /// A group is a window: the errors of its states, one after the other, then those of the
    /// derivatives along it, if any; its locals are its start, where it is fitted.
    pub(super) fn prepare(
        &mut self,
        on: Stepped<'_, T>,
        selection: RowSelection<'_>,
    ) -> Result<ResidualLayout, LossError> {
        let dim = self.rows.dim;
        check_field(on.field, dim, self.rows.inputs)?;
        self.plan.choose(selection, (on.field.block_len() / dim).max(1))?;
        let divisor = self.divisor(selection)?;
        let mut layout = ResidualLayout::default();
        let states = layout.add_term(self.name());
        let slopes = self.derivatives.as_ref().map(|_| layout.add_term("derivative"));
        let (first, locals) = if self.starts.is_some() { (1, dim) } else { (0, 0) };
        // What has no weight is no residual.
        let in_state = counted(&self.rows.weights).len();
        for stretch in &self.plan.chosen {
            let of_states = (states, (stretch.steps + first) * in_state);
            let of_slopes = slopes.map(|term| (term, (stretch.steps + 1) * dim));
            layout.push_group([of_states].into_iter().chain(of_slopes), locals);
        }
        self.prepared = Prepared {
            stretches: self.plan.chosen.clone(),
            blocks: self.plan.blocks.clone(),
            layout: layout.clone(),
            scale: (1.0 / divisor).sqrt(),
        };
        Ok(layout)
    }

    /// Writes the residuals of some windows.
    pub(super) fn write(
        &mut self,
        on: Stepped<'_, T>,
        groups: Range<usize>,
        rows: ResidualRows<'_, T>,
    ) -> Result<(), LossError> {
        let Self { rows: data, starts, derivatives, prepared, row_scratches, .. } = self;
        let params = on.field.num_params();
        let Prepared { stretches, blocks, layout, scale } = &*prepared;
        layout.check(&groups, params, &rows)?;
        let within = |block: &Range<usize>| {
            block.start.max(groups.start)..block.end.min(groups.end).max(groups.start)
        };
        let parts = blocks.iter().map(within).filter(|part| !part.is_empty());
        let tasks = layout.cut(params, rows, parts);
        let problem = Problem {
            on,
            data: &*data,
            starts: starts.as_ref().map_or(&data.x[..], |starts| &starts.x),
            fitted: starts.is_some(),
            derivatives: derivatives.as_ref(),
            scale: T::from_f64(*scale),
            coordinates: &counted(&data.weights),
        };
        on_all_threads(row_scratches, tasks, |scratch, (windows, rows)| {
            problem.write(&stretches[windows], rows, scratch)
        })
    }

    /// The starts of the windows of the layout, in units of the weights, so that least squares see
    /// unknowns of one size.
    pub(super) fn locals(&self) -> impl Iterator<Item = T> {
        let windows = self.starts.iter().flat_map(|starts| {
            self.prepared.stretches.iter().map(move |stretch| (starts, stretch.row))
        });
        let dim = self.rows.dim;
        windows.flat_map(move |(starts, row)| {
            (0..dim).map(move |i| starts.x[row * dim + i] * unit(&self.rows.weights, i).sqrt())
        })
    }

    /// Replaces them.
    pub(super) fn replace_locals(&mut self, locals: &[T]) {
        let Some(starts) = &mut self.starts else { return };
        let dim = self.rows.dim;
        for (stretch, start) in self.prepared.stretches.iter().zip(locals.chunks_exact(dim)) {
            for (i, local) in start.iter().enumerate() {
                starts.x[stretch.row * dim + i] = *local / unit(&self.rows.weights, i).sqrt();
            }
        }
    }

    /// Number of locals of the layout.
    pub(super) fn num_locals(&self) -> usize {
        self.prepared.layout.num_locals()
    }
}

impl<T: Scalar> RowScratch<T> {
    /// Memory for so many windows, whose derivatives by the parameters are 0, and by their starts
    /// the identity, in units of the weights.
    fn begin(&mut self, lanes: usize, (weights, inputs): (&[T], usize), out: &Out<'_, T>) {
        let resize = |buffers: &mut [&mut Vec<T>], len: usize| {
            for buffer in buffers {
                buffer.clear();
                buffer.resize(len, T::ZERO);
            }
        };
        let numbers = lanes * weights.len();
        resize(&mut [&mut self.t, &mut self.dt], lanes);
        self.u.iter_mut().for_each(|u| resize(&mut [u], lanes * inputs));
        resize(&mut [&mut self.x, &mut self.next, &mut self.slopes], numbers);
        if out.jacobian.is_none() {
            return;
        }
        let by_theta = [&mut self.by_theta, &mut self.next_by_theta, &mut self.slopes_by_theta];
        by_theta.into_iter().for_each(|buffer| resize(&mut [buffer], numbers * out.params));
        resize(&mut [&mut self.by_start, &mut self.next_by_start], numbers * out.locals);
        for (row, of_row) in self.by_start.chunks_exact_mut(out.locals.max(1)).enumerate() {
            of_row[row / lanes] = T::ONE / unit(weights, row / lanes).sqrt();
        }
    }

    /// Goes on from the derivatives of the states before a step to those after it.
    fn chain(&mut self, lanes: usize, params: usize, locals: usize) {
        let Self { x, step, by_theta, next_by_theta, by_start, next_by_start, .. } = self;
        next_by_start.fill(T::ZERO);
        for row in 0..x.len() {
            for of_x in (row % lanes..x.len()).step_by(lanes) {
                let by_x = step.by_x(row, of_x / lanes);
                for (next, before, width) in [
                    (&mut *next_by_theta, &*by_theta, params),
                    (&mut *next_by_start, &*by_start, locals),
                ] {
                    let before = &before[of_x * width..][..width];
                    add_scaled(&mut next[row * width..][..width], by_x, before);
                }
            }
        }
        std::mem::swap(by_theta, next_by_theta);
        std::mem::swap(by_start, next_by_start);
    }

    /// The derivatives of a state's number by the parameters and by the start; none where they are
    /// not asked for.
    fn of_state(&self, row: usize, out: &Out<'_, T>) -> [&[T]; 2] {
        let of_row = |all| row_of(all, row);
        [of_row((&self.by_theta, out.params)), of_row((&self.by_start, out.locals))]
    }

    /// The weighted derivatives of a slope's number by the parameters, its state held.
    fn of_slope(&self, row: usize, out: &Out<'_, T>) -> [&[T]; 2] {
        [row_of((&self.slopes_by_theta, out.params), row), &[]]
    }
}

struct Problem<'a, T: Scalar> {
    on: Stepped<'a, T>,
    data: &'a Rows<T>,
    /// The state of each row that a window may begin at.
    starts: &'a [T],
    fitted: bool,
    derivatives: Option<&'a Derivatives<T>>,
    scale: T,
    /// The coordinates of a state that count.
    coordinates: &'a [usize],
}

/// The rows of the residuals of some windows, with the numbers of parameters and of locals.
struct Out<'a, T> {
    values: &'a mut [T],
    jacobian: Option<JacobianRows<'a, T>>,
    params: usize,
    locals: usize,
    /// Where the residuals of each window begin.
    begins: Vec<usize>,
}

impl<T: Scalar> Out<'_, T> {
    /// Writes a residual; **adds** to its derivatives `scale` times these, by the parameters and by
    /// the start.
    fn write(&mut self, row: usize, value: T, scale: T, derivatives: [&[T]; 2]) {
        self.values[row] = value;
        let Some(JacobianRows { by_theta, by_locals }) = &mut self.jacobian else { return };
        let [params, locals] = [self.params, self.locals];
        add_scaled(&mut by_theta[row * params..][..params], scale, derivatives[0]);
        add_scaled(&mut by_locals[row * locals..][..locals], scale, derivatives[1]);
    }
}

/// A row of so many numbers; none if there is no such row.
fn row_of<T>((all, width): (&[T], usize), row: usize) -> &[T] {
    all.get(row * width..(row + 1) * width).unwrap_or_default()
}

/// `out += scale * x`.
fn add_scaled<T: Scalar>(out: &mut [T], scale: T, x: &[T]) {
    out.iter_mut().zip(x).for_each(|(out, x)| *out += scale * *x);
}

impl<T: Scalar> Problem<'_, T> {
    fn write(
        &self,
        windows: &[Stretch],
        rows: ResidualRows<'_, T>,
        scratch: &mut RowScratch<T>,
    ) -> Result<(), LossError> {
        let dim = self.data.dim;
        let mut end = 0;
        let begins = windows.iter().map(|window| {
            let begin = end;
            end += self.of_states(window);
            end += self.derivatives.map_or(0, |_| dim * (window.steps + 1));
            begin
        });
        let mut out = Out {
            begins: begins.collect(),
            values: rows.values,
            jacobian: rows.jacobian,
            params: self.on.field.num_params(),
            locals: if self.fitted { dim } else { 0 },
        };
        if let Some(JacobianRows { by_theta, by_locals }) = &mut out.jacobian {
            by_theta.fill(T::ZERO);
            by_locals.fill(T::ZERO);
        }
        scratch.begin(windows.len(), (&self.data.weights, self.data.inputs), &out);
        self.data.gather(windows, self.starts, &mut scratch.x);
        for step in 0..=windows[0].steps {
            if step > 0 {
                self.step(windows, step - 1, scratch, &out)?;
            }
            if step > 0 || self.fitted {
                self.compare_states(windows, step, scratch, &mut out);
            }
            if let Some(derivatives) = self.derivatives {
                self.compare_slopes(windows, step, derivatives, scratch, &mut out)?;
            }
        }
        Ok(())
    }

    /// Number of residuals of a window's states.
    fn of_states(&self, window: &Stretch) -> usize {
        self.coordinates.len() * (window.steps + usize::from(self.fitted))
    }

    /// From the states after `step` steps to those after one more.
    fn step(
        &self,
        windows: &[Stretch],
        step: usize,
        scratch: &mut RowScratch<T>,
        out: &Out<'_, T>,
    ) -> Result<(), LossError> {
        let RowScratch { t, dt, u: [begin, end], x, next, workspace, .. } = scratch;
        self.data.times(windows, step, t);
        self.data.times(windows, step + 1, dt);
        dt.iter_mut().zip(&*t).for_each(|(dt, t)| *dt -= *t);
        self.data.inputs_at(windows, step, begin);
        let last = step + usize::from(self.data.between == Between::Linear);
        self.data.inputs_at(windows, last, end);
        if out.jacobian.is_none() {
            let over = Interval { t, dt, u: Inputs::Linear { begin, end } };
            self.on.motion.step(over, x, next, workspace)?;
        } else {
            let (motion, by_theta) = (self.on.motion, &mut scratch.next_by_theta);
            by_theta.fill(T::ZERO);
            scratch.step.step(motion, ([t, dt], [begin, end]), x, next, by_theta)?;
            scratch.chain(windows.len(), out.params, out.locals);
        }
        std::mem::swap(&mut scratch.x, &mut scratch.next);
        Ok(())
    }

    fn compare_states(
        &self,
        windows: &[Stretch],
        step: usize,
        scratch: &RowScratch<T>,
        out: &mut Out<'_, T>,
    ) {
        let lanes = windows.len();
        let before = step - usize::from(!self.fitted);
        self.data.state_errors(windows, step, &scratch.x, |index, error| {
            let (i, window) = (index / lanes, index % lanes);
            let Ok(place) = self.coordinates.binary_search(&i) else { return };
            let row = out.begins[window] + before * self.coordinates.len() + place;
            let scale = self.scale * self.data.weights[i].sqrt();
            out.write(row, scale * error, scale, scratch.of_state(index, out));
        });
    }

    fn compare_slopes(
        &self,
        windows: &[Stretch],
        step: usize,
        Derivatives { dx, weights }: &Derivatives<T>,
        scratch: &mut RowScratch<T>,
        out: &mut Out<'_, T>,
    ) -> Result<(), LossError> {
        let (dim, lanes) = (self.data.dim, windows.len());
        let scale = |index: usize| self.scale * weights[index / lanes].sqrt();
        let RowScratch { t, u: [u, _], x, slopes, slopes_by_theta, field, workspace, .. } =
            &mut *scratch;
        self.data.times(windows, step, t);
        self.data.inputs_at(windows, step, u);
        let at = At { t, u };
        if out.jacobian.is_some() {
            slopes_by_theta.fill(T::ZERO);
            let all: Vec<_> = (0..dim).collect();
            field.evaluate(self.on.field, &all, (at, x), slopes_by_theta, |row, f| {
                slopes[row] = f;
                scale(row)
            })?;
        } else {
            self.on.field.eval(at, x, slopes, workspace)?;
        }
        let scratch = &*scratch;
        self.data.errors(dx, windows, step, &scratch.slopes, |index, error| {
            let (i, window) = (index / lanes, index % lanes);
            let row = out.begins[window] + self.of_states(&windows[window]) + step * dim + i;
            let residual = scale(index) * error;
            out.write(row, residual, T::ONE, scratch.of_slope(index, out));
            for j in 0..if out.jacobian.is_some() { dim } else { 0 } {
                let by_x = scratch.field.by_x(index, j);
                let of_x = scratch.of_state(j * lanes + window, out);
                out.write(row, residual, by_x, of_x);
            }
        });
        Ok(())
    }
}
