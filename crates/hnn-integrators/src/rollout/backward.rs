//! The way back.

use super::checkpoints::advance_by;
use super::{Checkpoints, Counts, Grid, GridInputs, Motion, Rollout, resize};
use crate::kernel::{self, Backward, Way};
use crate::{
    Bars, DifferentiableStepper, FieldError, Kept, Parameters, Scalar, StartSlope, ThetaBar,
    VectorField, compiled_here,
};

/// What a loss sees on the way back along a run's states, from the last one to the first.
#[derive(Debug)]
pub enum Visit<'a, T> {
    /// The states at a step: the loss adds its derivative by them to `x_bar`. Both hold `D * B`
    /// numbers, coordinate-major.
    State {
        /// The step, from the number of steps down to 0.
        step: usize,
        /// The states there.
        x: &'a [T],
        /// Their cotangent, to be added to.
        x_bar: &'a mut [T],
        /// The parameters' cotangent, where it is asked for, to be added to.
        theta_bar: ThetaBar<'a, T>,
    },
    /// The field at the states where a recorded step begins, seen before these states themselves,
    /// where the method evaluates it there
    /// ([`start_slope`](crate::DifferentiableStepper::start_slope)) and no kernel runs: the loss may
    /// add its derivative by it to the cotangent.
    Slope {
        /// The step that begins.
        step: usize,
        /// The field, and its cotangent.
        slope: StartSlope<'a, T>,
    },
}

impl<T: Scalar> Rollout<T> {
    /// Steps along a grid from `x0` (`D * B` numbers, coordinate-major), and pulls a loss of the
    /// states back: **overwrites** `bars.x` by its derivative by `x0`, and **adds** those by the
    /// samples of the inputs (as the grid holds them: `(steps + 1) K * B` numbers) and by the
    /// parameters to `bars.u` and `bars.theta`, where they are asked for.
    ///
    /// The loss is seen through `visit`, called for the states at every step from the last one back
    /// to the first.
    ///
    /// # Errors
    /// As [`Stepper::step`](crate::Stepper::step), if lengths do not go together, if the steps
    /// cannot be undone where that is asked for, or what `visit` says.
    #[allow(clippy::too_many_arguments)]
    pub fn gradient<S, F>(
        &mut self,
        stepper: &S,
        field: &F,
        grid: Grid<'_, T>,
        x0: &[T],
        checkpoints: Checkpoints,
        mut visit: impl FnMut(Visit<'_, T>) -> Result<(), FieldError>,
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError>
    where
        S: DifferentiableStepper<T, F>,
        F: VectorField<T> + Parameters<T> + ?Sized,
    {
        self.gradient_along(&(stepper, field), grid, x0, checkpoints, &mut visit, bars)
    }

    /// The same with a method and a field as one object.
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient).
    #[doc(hidden)]
    pub fn gradient_along(
        &mut self,
        motion: &dyn Motion<T>,
        grid: Grid<'_, T>,
        x0: &[T],
        checkpoints: Checkpoints,
        visit: &mut dyn FnMut(Visit<'_, T>) -> Result<(), FieldError>,
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        type Gradient<T> = fn(
            &mut Rollout<T>,
            &dyn Motion<T>,
            Grid<'_, T>,
            &[T],
            Checkpoints,
            &mut dyn FnMut(Visit<'_, T>) -> Result<(), FieldError>,
            Bars<'_, T>,
        ) -> Result<(), FieldError>;
        let compiled = compiled_here!(T => Gradient<T>, Rollout::take_gradient);
        compiled(self, motion, grid, x0, checkpoints, visit, bars)
    }

    fn take_gradient(
        &mut self,
        motion: &dyn Motion<T>,
        grid: Grid<'_, T>,
        x0: &[T],
        checkpoints: Checkpoints,
        visit: &mut dyn FnMut(Visit<'_, T>) -> Result<(), FieldError>,
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        self.check(motion, &grid, x0)?;
        FieldError::check_lengths(x0.len(), [("the first states' cotangents", bars.x.len())])?;
        let inputs = motion.inputs() * grid.batch;
        bars.check_inputs(grid.steps().saturating_add(1).saturating_mul(inputs))?;
        bars.theta.check(motion.num_params(), grid.batch)?;
        let Bars { x: start_bar, u: u_bar, theta: theta_bar } = bars;
        let len = x0.len();
        self.u_bar.resize(2 * inputs, T::ZERO);
        for buffer in [&mut self.x, &mut self.next, &mut self.x_bar] {
            buffer.resize(len, T::ZERO);
        }
        self.x.copy_from_slice(x0);
        self.x_bar.fill(T::ZERO);
        (self.counts, self.step) = (Counts::default(), 0);
        let fused = grid.inputs == GridInputs::None && self.has_kernel(motion, &grid);
        let mut back = Back { motion, grid, fused, visit, u_bar, theta_bar };
        match checkpoints {
            Checkpoints::Reversible => self.undo(&mut back)?,
            Checkpoints::All => self.keep_all(&mut back)?,
            other => self.check_point(&mut back, other)?,
        }
        start_bar.copy_from_slice(&self.x_bar);
        Ok(())
    }

    /// Keeps every state.
    fn keep_all(&mut self, back: &mut Back<'_, T>) -> Result<(), FieldError> {
        let (len, steps) = (self.x.len(), back.grid.steps());
        resize(&mut self.states, steps.saturating_add(1), len)?;
        self.states[..len].copy_from_slice(&self.x);
        self.fill(back.motion, &back.grid, 0, steps, 0)?;
        self.counts = Counts { kept: steps.max(1), advanced: steps };
        self.see_end(back, steps)?;
        let segment = Checkpoints::SEGMENT;
        for from in (0..steps.div_ceil(segment)).rev().map(|index| index * segment) {
            self.pull_back_held(back, from, segment.min(steps - from), from)?;
        }
        Ok(())
    }

    /// Keeps the starts of some segments.
    fn check_point(
        &mut self,
        back: &mut Back<'_, T>,
        checkpoints: Checkpoints,
    ) -> Result<(), FieldError> {
        let (len, steps) = (self.x.len(), back.grid.steps());
        let (segment, most) = checkpoints.plan(steps);
        let longest = segment.max(Checkpoints::SEGMENT).min(steps).saturating_add(1);
        resize(&mut self.states, longest, len)?;
        if back.fused {
            resize(&mut self.states_bar, segment.min(steps).saturating_add(1), len)?;
        }
        self.spare.extend(self.kept.drain(..).map(|(_, state)| state));
        self.keep(0);
        if steps == 0 {
            return self.see_end(back, 0);
        }
        // Segments are counted from 0; `open` of them are still to be pulled back.
        let mut open = steps.div_ceil(segment);
        while let Some((from, state)) = self.kept.last() {
            let from = *from;
            self.x.copy_from_slice(state);
            let free = most - self.kept.len();
            if open - from > 1 && free > 0 {
                let until = from + advance_by(open - from, free + 1);
                self.advance(back.motion, &back.grid, (from * segment, until * segment))?;
                self.keep(until);
                continue;
            }
            let last = (open - 1) * segment;
            self.advance(back.motion, &back.grid, (from * segment, last))?;
            let count = segment.min(steps - last);
            self.states.resize(self.states.len().max((count + 1) * len), T::ZERO);
            self.states[..len].copy_from_slice(&self.x);
            self.counts.kept = self.counts.kept.max(self.kept.len() + count - 1);
            if back.fused {
                self.fill(back.motion, &back.grid, last, count, 0)?;
                self.counts.advanced += count;
            } else {
                self.record(back, last, count, 0)?;
            }
            if last + count == steps {
                self.see_end(back, count)?;
            }
            self.pull_back_segment(back, last, count, 0)?;
            open -= 1;
            if open == from {
                self.spare.extend(self.kept.pop().map(|(_, state)| state));
            }
        }
        Ok(())
    }

    /// Keeps the state at hand as the start of a segment.
    fn keep(&mut self, segment: usize) {
        let mut state = self.spare.pop().unwrap_or_default();
        state.clone_from(&self.x);
        self.kept.push((segment, state));
    }

    /// Forward step by step, back by undoing the steps.
    fn undo(&mut self, back: &mut Back<'_, T>) -> Result<(), FieldError> {
        let steps = back.grid.steps();
        self.advance(back.motion, &back.grid, (0, steps))?;
        self.counts.kept = 1;
        self.end.clone_from(&self.x);
        if self.tapes.is_empty() {
            self.tapes.push(Kept::default());
        }
        back.see(steps, &self.x, &mut self.x_bar)?;
        for step in (0..steps).rev() {
            self.step = step;
            let inputs = back.motion.inputs();
            let over = back.grid.interval(step, inputs, &mut self.t, &mut self.dt);
            let (x, tape) = (&mut self.x, &mut self.tapes[0]);
            let motion = back.motion;
            let bars = back.bars(step, &mut self.x_bar, &mut self.u_bar);
            motion.reverse(over, x, bars, tape)?;
            back.close(step, &self.u_bar);
            back.see(step, &self.x, &mut self.x_bar)?;
        }
        Ok(())
    }

    /// The last state, number `index` of those held.
    fn see_end(&mut self, back: &mut Back<'_, T>, index: usize) -> Result<(), FieldError> {
        let len = self.x.len();
        self.end.clear();
        self.end.extend_from_slice(&self.states[index * len..(index + 1) * len]);
        back.see(back.grid.steps(), &self.end, &mut self.x_bar)
    }

    /// Pulls back through some steps from `from` on, whose states are held from number `first` on.
    fn pull_back_held(
        &mut self,
        back: &mut Back<'_, T>,
        from: usize,
        steps: usize,
        first: usize,
    ) -> Result<(), FieldError> {
        if !back.fused {
            self.record(back, from, steps, first)?;
        }
        self.pull_back_segment(back, from, steps, first)
    }

    /// The same, in one kernel where there is one, else by the tapes of these steps.
    fn pull_back_segment(
        &mut self,
        back: &mut Back<'_, T>,
        from: usize,
        steps: usize,
        first: usize,
    ) -> Result<(), FieldError> {
        if !back.fused {
            return self.pull_back_tapes(back, from, steps, first);
        }
        let (len, batch) = (self.x.len(), back.grid.batch);
        let states = &self.states[first * len..(first + steps + 1) * len];
        self.states_bar.clear();
        self.states_bar.resize((steps + 1) * len, T::ZERO);
        for (index, x) in states.chunks_exact(len).enumerate().take(steps).rev() {
            back.see(from + index, x, &mut self.states_bar[index * len..(index + 1) * len])?;
        }
        self.states_bar[steps * len..].copy_from_slice(&self.x_bar);
        let clock = back.grid.kernel_clock(from, steps, &mut self.t, &mut self.dt);
        let states_bar = &mut self.states_bar;
        let run = Backward { clock, batch, steps, states, states_bar };
        back.motion.kernel(Way::Backward(run));
        self.x_bar.copy_from_slice(&self.states_bar[..len]);
        Ok(())
    }

    /// Whether the method and the field have a kernel that pulls back: asked by a run of no steps.
    fn has_kernel(&mut self, motion: &dyn Motion<T>, grid: &Grid<'_, T>) -> bool {
        let batch = grid.batch;
        self.t.resize(batch, T::ZERO);
        self.dt.resize(batch, T::ZERO);
        self.states_bar.clear();
        self.states_bar.resize(motion.dim() * batch, T::ZERO);
        let clock = kernel::Clock::Equal { t: &self.t, dt: &self.dt, first: 0 };
        let (states, states_bar) = (&self.x[..], &mut self.states_bar);
        let run = Backward { clock, batch, steps: 0, states, states_bar };
        motion.kernel(Way::Backward(run))
    }

    /// Records steps, and fills in their states.
    fn record(
        &mut self,
        back: &mut Back<'_, T>,
        from: usize,
        steps: usize,
        first: usize,
    ) -> Result<(), FieldError> {
        let len = self.x.len();
        if self.tapes.len() < steps {
            self.tapes.resize_with(steps, Kept::default);
        }
        for index in 0..steps {
            self.step = from + index;
            let inputs = back.motion.inputs();
            let over = back.grid.interval(self.step, inputs, &mut self.t, &mut self.dt);
            let (done, next) = self.states.split_at_mut((first + index + 1) * len);
            let (x, next) = (&done[(first + index) * len..], &mut next[..len]);
            back.motion.record(over, x, next, &mut self.tapes[index])?;
        }
        Ok(())
    }

    fn pull_back_tapes(
        &mut self,
        back: &mut Back<'_, T>,
        from: usize,
        steps: usize,
        first: usize,
    ) -> Result<(), FieldError> {
        let len = self.x.len();
        for index in (0..steps).rev() {
            self.step = from + index;
            let tape = &mut self.tapes[index];
            if let Some(slope) = back.motion.start_slope(tape) {
                (back.visit)(Visit::Slope { step: self.step, slope })?;
            }
            let motion = back.motion;
            let bars = back.bars(self.step, &mut self.x_bar, &mut self.u_bar);
            motion.pull_back(tape, bars)?;
            back.close(self.step, &self.u_bar);
            let x = &self.states[(first + index) * len..(first + index + 1) * len];
            back.see(self.step, x, &mut self.x_bar)?;
        }
        Ok(())
    }
}

/// What the way back is along, and what sees it.
struct Back<'a, T> {
    motion: &'a dyn Motion<T>,
    grid: Grid<'a, T>,
    /// Whether kernels run.
    fused: bool,
    visit: &'a mut dyn FnMut(Visit<'_, T>) -> Result<(), FieldError>,
    /// Of the samples of the inputs.
    u_bar: Option<&'a mut [T]>,
    theta_bar: ThetaBar<'a, T>,
}

impl<T: Scalar> Back<'_, T> {
    fn see(&mut self, step: usize, x: &[T], x_bar: &mut [T]) -> Result<(), FieldError> {
        let theta_bar = self.theta_bar.reborrow();
        (self.visit)(Visit::State { step, x, x_bar, theta_bar })
    }

    /// Where a step adds its cotangents: those of its inputs to two neighbouring samples, or, of a
    /// held one, to room of its own.
    fn bars<'b>(&'b mut self, step: usize, x: &'b mut [T], own: &'b mut [T]) -> Bars<'b, T> {
        let (two, held) = (own.len(), matches!(self.grid.inputs, GridInputs::Held(_)));
        let u = self.u_bar.as_deref_mut().map(|samples| {
            if held {
                own.fill(T::ZERO);
                own
            } else {
                &mut samples[step * two / 2..][..two]
            }
        });
        Bars { x, u, theta: self.theta_bar.reborrow() }
    }

    /// Adds the cotangents at the begin and at the end of a step to that of the sample held.
    fn close(&mut self, step: usize, own: &[T]) {
        if let (Some(samples), GridInputs::Held(_)) = (self.u_bar.as_deref_mut(), self.grid.inputs)
        {
            let (begin, end) = own.split_at(own.len() / 2);
            let sample = &mut samples[step * begin.len()..][..begin.len()];
            for (sample, (begin, end)) in sample.iter_mut().zip(begin.iter().zip(end)) {
                *sample += *begin + *end;
            }
        }
    }
}
