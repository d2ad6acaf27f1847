//! A block of trajectories advanced together, each with a step size of its own.

use super::control::{Controller, SMALLEST_ERROR};
use super::first_step::FirstStep;
use super::observe::{Observer, StepTaken};
use super::row::{Row, Verdict};
use super::run::{direction, span};
use super::{AdaptiveRun, EmbeddedPair};
use crate::runge_kutta::{add_scaled_stages, advance_time};
use crate::{FieldError, Scalar, SolveError, VectorField, Workspace, coordinate_major};

pub(super) struct Block<'r, 'a, T, F: ?Sized> {
    field: &'r F,
    run: &'r mut AdaptiveRun<'a, T>,
    pair: EmbeddedPair<'a>,
    control: Controller,
    dim: usize,
    rows: Vec<Row<T>>,
    /// The buffers hold a number for each active row, or `dim` of them, coordinate-major.
    t: Vec<T>,
    dt: Vec<T>,
    stage_t: Vec<T>,
    x: Vec<T>,
    /// State of the stage being evaluated.
    stage: Vec<T>,
    /// State at the end of the step tried: that of the method's last stage.
    end: Vec<T>,
    /// Slopes, stage after stage.
    slopes: Vec<T>,
    verdicts: Vec<Verdict>,
    weights: Vec<f64>,
    workspace: Workspace<T>,
    observer: Option<&'r mut dyn Observer<T>>,
}

impl<'r, 'a, T, F> Block<'r, 'a, T, F>
where
    T: Scalar,
    F: VectorField<T> + ?Sized,
{
    pub(super) fn new(field: &'r F, run: &'r mut AdaptiveRun<'a, T>) -> Self {
        let (pair, times, x0) = (run.pair, run.times, run.x0);
        let (batch, dim) = x0.dim();
        let stages = pair.tableau.stages() + pair.extra.len();
        let mut block = Self {
            field,
            run,
            pair,
            control: Controller::new(pair.error_order),
            dim,
            rows: (0..batch).map(|index| Row::new(index, times[index][0])).collect(),
            t: vec![T::ZERO; batch],
            dt: vec![T::ZERO; batch],
            stage_t: vec![T::ZERO; batch],
            x: coordinate_major(x0),
            stage: vec![T::ZERO; batch * dim],
            end: vec![T::ZERO; batch * dim],
            slopes: vec![T::ZERO; stages * batch * dim],
            verdicts: Vec::new(),
            weights: vec![0.0; stages],
            workspace: Workspace::default(),
            observer: None,
        };
        (0..batch).for_each(|row| block.save_here(row));
        block
    }

    /// Shows every accepted step to an observer; for a block of one trajectory.
    pub(super) fn observed(mut self, observer: &'r mut dyn Observer<T>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Runs every trajectory to its last time, or to its failure.
    pub(super) fn run(mut self) {
        self.begin();
        while !self.rows.is_empty() {
            self.plan();
            match self.try_step() {
                Ok(()) => self.conclude(),
                Err(error) => self.object(error),
            }
            self.drop_finished();
        }
    }

    /// First slopes and first step sizes.
    fn begin(&mut self) {
        loop {
            // A row that failed must go, or it would fail again.
            self.pack();
            if self.rows.is_empty() {
                return;
            }
            self.plan();
            let len = self.x.len();
            let slope = &mut self.slopes[..len];
            match self.field.eval(&self.t, &self.x, slope, &mut self.workspace) {
                Ok(()) => break,
                Err(error @ FieldError::Undefined { row, .. }) if row < self.rows.len() => {
                    self.fail_with(row, error);
                }
                Err(error) => {
                    (0..self.rows.len()).for_each(|row| self.fail_with(row, error.clone()))
                }
            }
        }
        match self.run.settings.first_step {
            Some(size) => {
                for row in &mut self.rows {
                    row.h = T::from_f64(size) * direction(self.run.times[row.index]);
                }
            }
            None => self.choose_first_steps(),
        }
    }

    /// The sizes of the first steps, from a second slope.
    fn choose_first_steps(&mut self) {
        let (batch, len) = (self.rows.len(), self.x.len());
        let (slope, rest) = self.slopes.split_at_mut(len);
        let (second, settings) = (&mut rest[..len], self.run.settings);
        let of = |v: &'_ [T], row: usize| -> Vec<f64> {
            v[row..].iter().step_by(batch).map(|v| v.to_f64()).collect()
        };
        let mut firsts = Vec::with_capacity(batch);
        for (r, row) in self.rows.iter().enumerate() {
            let times = self.run.times[row.index];
            let longest = span(times).min(settings.max_step);
            let (x, slope) = (of(&self.x, r), of(slope, r));
            let (x, slope) = (x.iter().copied(), slope.into_iter());
            let first = FirstStep::new(settings.tolerances, longest, x, slope);
            self.dt[r] = T::from_f64(first.trial) * direction(times);
            firsts.push(first);
        }
        advance_time(&self.t, &self.dt, 1.0, &mut self.stage_t);
        add_scaled_stages(&self.x, &self.dt, &[1.0], slope, &mut self.stage);
        if self.field.eval(&self.stage_t, &self.stage, second, &mut self.workspace).is_err() {
            second.fill(T::NAN);
        }
        second.iter_mut().zip(&*slope).for_each(|(second, first)| *second -= *first);
        for (r, first) in firsts.iter().enumerate() {
            let (change, x) = (of(second, r).into_iter(), of(&self.x, r).into_iter());
            let size = first.choose(settings.tolerances, self.pair.error_order, change, x);
            let index = self.rows[r].index;
            self.rows[r].h = T::from_f64(size) * direction(self.run.times[index]);
            self.run.statistics[index].evaluations += 2;
        }
    }

    /// Times and sizes of the next try.
    fn plan(&mut self) {
        for r in 0..self.rows.len() {
            let row = &mut self.rows[r];
            let times = self.run.times[row.index];
            let remaining = times[times.len() - 1] - row.t;
            let limit = T::from_f64(self.run.settings.max_step);
            if row.h.abs() > limit {
                row.h = limit * direction(times);
            }
            self.t[r] = row.t;
            // Stretched by up to 1 %, so that no tiny step remains.
            let reaches = row.h.abs() * T::from_f64(1.01) >= remaining.abs();
            let (done, h) = (row.done, if reaches { remaining } else { row.h });
            self.dt[r] = if done { T::ZERO } else { h };
            let resolution = T::from_f64(10.0) * T::EPSILON * row.t.abs();
            if !done && h != T::ZERO && !reaches && h.abs() <= resolution {
                self.give_up(r);
            }
        }
    }

    fn try_step(&mut self) -> Result<(), FieldError> {
        let tableau = self.pair.tableau;
        for stage in 1..tableau.stages() {
            self.evaluate(stage, tableau.c[stage], tableau.row(stage))?;
        }
        for row in self.rows.iter().filter(|row| !row.done) {
            self.run.statistics[row.index].evaluations += tableau.stages() - 1;
        }
        std::mem::swap(&mut self.stage, &mut self.end);
        Ok(())
    }

    /// Slope number `stage` of the method.
    fn evaluate(&mut self, stage: usize, node: f64, weights: &[f64]) -> Result<(), FieldError> {
        let len = self.x.len();
        let (done, slope) = self.slopes[..(stage + 1) * len].split_at_mut(stage * len);
        advance_time(&self.t, &self.dt, node, &mut self.stage_t);
        add_scaled_stages(&self.x, &self.dt, weights, done, &mut self.stage);
        self.field.eval(&self.stage_t, &self.stage, slope, &mut self.workspace)
    }

    /// Accepts or rejects, row by row.
    fn conclude(&mut self) {
        self.verdicts.clear();
        for r in 0..self.rows.len() {
            let error = self.error(r);
            self.verdicts.push(match error {
                _ if self.rows[r].done => Verdict::Idle,
                error if error <= 1.0 => Verdict::Accepted(error),
                error => Verdict::Rejected(error),
            });
        }
        let interpolates =
            |r: usize| matches!(self.verdicts[r], Verdict::Accepted(_)) && self.saves_before_end(r);
        let watched = self.observer.is_some();
        if !self.pair.extra.is_empty() && (watched || (0..self.rows.len()).any(interpolates)) {
            self.evaluate_extra();
        }
        for r in 0..self.rows.len() {
            match self.verdicts[r] {
                Verdict::Accepted(error) => self.accept(r, error),
                Verdict::Rejected(error) => self.reject(r, error),
                Verdict::Idle => {}
            }
        }
    }

    /// The stages that only the interpolant needs. An error leaves NaN for the states inside the
    /// step; its end is not concerned.
    fn evaluate_extra(&mut self) {
        let (len, stages) = (self.x.len(), self.pair.tableau.stages());
        for (k, (node, weights)) in self.pair.extra.iter().enumerate() {
            if self.evaluate(stages + k, *node, weights).is_err() {
                self.slopes[(stages + k) * len..(stages + k + 1) * len].fill(T::NAN);
            }
        }
        for row in self.rows.iter().filter(|row| !row.done) {
            self.run.statistics[row.index].evaluations += self.pair.extra.len();
        }
    }

    /// Error of a row's try in units of the tolerance.
    fn error(&self, r: usize) -> f64 {
        let (batch, len) = (self.rows.len(), self.x.len());
        let tolerances = self.run.settings.tolerances;
        let (mut fine, mut coarse) = (0.0, 0.0);
        for i in 0..self.dim {
            let at = i * batch + r;
            let size = Scalar::max(self.x[at].abs(), self.end[at].abs()).to_f64();
            let scale = tolerances.atol + tolerances.rtol * size;
            let estimate = |weights: &[f64]| -> f64 {
                let slopes = self.slopes[at..].iter().step_by(len.max(1));
                weights.iter().zip(slopes).map(|(w, k)| w * k.to_f64()).sum()
            };
            let add = |sum: &mut f64, estimate: f64| {
                if estimate != 0.0 {
                    *sum += (estimate / scale).powi(2);
                }
            };
            add(&mut fine, estimate(self.pair.error));
            if let Some(weights) = self.pair.coarse_error {
                add(&mut coarse, estimate(weights));
            }
            if !self.end[at].is_finite() {
                return f64::NAN;
            }
        }
        let (h, dim) = (self.dt[r].to_f64().abs(), self.dim.max(1) as f64);
        if self.pair.coarse_error.is_none() {
            return h * (fine / dim).sqrt();
        }
        let denominator = fine + 0.01 * coarse;
        if denominator > 0.0 { h * fine / (denominator * dim).sqrt() } else { denominator }
    }

    fn accept(&mut self, r: usize, error: f64) {
        let times = self.run.times[self.rows[r].index];
        let (t, dt, last) = (self.t[r], self.dt[r], times[times.len() - 1]);
        let t_end = if dt == last - t { last } else { t + dt };
        if let Some(stop) = self.observe(t, dt, t_end) {
            self.save_inside(r, stop);
            self.run.statistics[self.rows[r].index].steps += 1;
            self.rows[r].done = true;
            return;
        }
        self.save_inside(r, t_end);
        let (batch, len) = (self.rows.len(), self.x.len());
        let last_stage = (self.pair.tableau.stages() - 1) * len;
        for at in (r..len).step_by(batch) {
            self.x[at] = self.end[at];
            self.slopes[at] = self.slopes[last_stage + at];
        }
        let growth = self.control.accepted(error, self.rows[r].previous);
        let row = &mut self.rows[r];
        let factor = if row.retry { growth.min(1.0) } else { growth };
        row.h = dt * T::from_f64(factor);
        (row.t, row.previous, row.retry) = (t_end, error.max(SMALLEST_ERROR), false);
        row.trouble = None;
        self.run.statistics[row.index].steps += 1;
        self.save_here(r);
        self.check_count(r);
    }

    /// Shows the accepted step to the observer, which may stop the trajectory inside it.
    fn observe(&mut self, t: T, dt: T, t_end: T) -> Option<T> {
        let observer = self.observer.as_mut()?;
        let (x, end, slopes) = (&self.x, &self.end, &self.slopes);
        observer.observe(&StepTaken { pair: self.pair, t, dt, t_end, x, end, slopes })
    }

    fn reject(&mut self, r: usize, error: f64) {
        let row = &mut self.rows[r];
        row.h = self.dt[r] * T::from_f64(self.control.rejected(error));
        row.retry = true;
        self.run.statistics[row.index].rejected += 1;
        self.check_count(r);
    }

    /// The field refused a stage: that row tries a smaller step. Any other error ends them all.
    fn object(&mut self, error: FieldError) {
        match error {
            FieldError::Undefined { row, .. } if row < self.rows.len() && !self.rows[row].done => {
                self.rows[row].trouble = Some(error);
                self.reject(row, f64::NAN);
            }
            error => (0..self.rows.len()).for_each(|row| self.fail_with(row, error.clone())),
        }
    }

    /// Whether a time asked for lies inside the step just tried.
    fn saves_before_end(&self, r: usize) -> bool {
        let row = &self.rows[r];
        let times = self.run.times[row.index];
        times.get(row.next).is_some_and(|time| (*time - row.t).abs() < self.dt[r].abs())
    }

    /// Saves the states at the times inside the step that ends at `t_end`.
    fn save_inside(&mut self, r: usize, t_end: T) {
        let (batch, len) = (self.rows.len(), self.x.len());
        let (index, t) = (self.rows[r].index, self.rows[r].t);
        let times = self.run.times[index];
        while let Some(&time) = times.get(self.rows[r].next) {
            if (time - t).abs() >= (t_end - t).abs() {
                break;
            }
            let theta = (time - t) / self.dt[r];
            self.pair.dense_weights(theta.to_f64(), &mut self.weights);
            for i in 0..self.dim {
                let slopes = self.slopes[i * batch + r..].iter().step_by(len);
                let weighted = self.weights.iter().zip(slopes);
                let sum: T = weighted.map(|(w, k)| T::from_f64(*w) * *k).sum();
                self.run.out[[index, self.rows[r].next, i]] =
                    self.x[i * batch + r] + self.dt[r] * sum;
            }
            self.rows[r].next += 1;
        }
    }

    /// Saves the current state if its time is asked for; the last one ends the row.
    fn save_here(&mut self, r: usize) {
        let batch = self.rows.len();
        let row = &mut self.rows[r];
        let times = self.run.times[row.index];
        if times.get(row.next) == Some(&row.t) {
            for i in 0..self.dim {
                self.run.out[[row.index, row.next, i]] = self.x[i * batch + r];
            }
            row.next += 1;
        }
        row.done |= row.next == times.len();
    }

    fn check_count(&mut self, r: usize) {
        let row = &self.rows[r];
        let statistics = self.run.statistics[row.index];
        let limit = self.run.settings.max_steps;
        if !row.done && statistics.steps + statistics.rejected >= limit {
            let (trajectory, time) = (self.run.first + row.index, row.t.to_f64());
            self.fail(r, SolveError::TooManySteps { trajectory, limit, time });
        }
    }

    /// The step has become too small: for want of accuracy, or because the field refuses.
    fn give_up(&mut self, r: usize) {
        let row = &mut self.rows[r];
        if let Some(error) = row.trouble.take() {
            return self.fail_with(r, error);
        }
        let (trajectory, time, dt) = (self.run.first + row.index, row.t.to_f64(), row.h.to_f64());
        let step = self.run.statistics[row.index].steps;
        self.fail(r, SolveError::StepTooSmall { trajectory, step, time, dt });
    }

    fn fail_with(&mut self, r: usize, source: FieldError) {
        let row = &self.rows[r];
        let (trajectory, time) = (self.run.first + row.index, row.t.to_f64());
        let step = self.run.statistics[row.index].steps;
        self.fail(r, SolveError::Field { trajectory, step, time, source });
    }

    fn fail(&mut self, r: usize, error: SolveError) {
        self.rows[r].done = true;
        self.dt[r] = T::ZERO;
        self.run.statuses[self.rows[r].index] = Err(error);
    }

    /// Packs the buffers once half of the rows are done.
    fn drop_finished(&mut self) {
        let done = self.rows.iter().filter(|row| row.done).count();
        if 2 * done >= self.rows.len() {
            self.pack();
        }
    }

    /// Takes the finished rows out of the buffers.
    fn pack(&mut self) {
        let (batch, dim) = (self.rows.len(), self.dim);
        let kept: Vec<usize> = (0..batch).filter(|row| !self.rows[*row].done).collect();
        let pack = |buffer: &mut [T]| {
            // Moves only towards the front, in order, so that nothing is overwritten unread.
            for i in 0..dim {
                for (to, from) in kept.iter().enumerate() {
                    buffer[i * kept.len() + to] = buffer[i * batch + from];
                }
            }
        };
        pack(&mut self.x);
        pack(&mut self.slopes[..batch * dim]);
        let stages = self.slopes.len() / (batch * dim).max(1);
        self.x.truncate(kept.len() * dim);
        self.stage.truncate(kept.len() * dim);
        self.end.truncate(kept.len() * dim);
        self.slopes.truncate(stages * kept.len() * dim);
        self.rows.retain(|row| !row.done);
        for buffer in [&mut self.t, &mut self.dt, &mut self.stage_t] {
            buffer.truncate(kept.len());
        }
    }
}
