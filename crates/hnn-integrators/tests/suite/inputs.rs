//! Inputs, and the grids of rollouts: against fields that know their inputs as functions of time.

use std::num::NonZeroUsize;

use allocation_counter::measure;
use hnn_integrators::{
    At, Bars, Checkpoints, DifferentiableField, DifferentiableSeparable, DifferentiableStepper,
    FieldError, FnField, GAUSS_LEGENDRE4, Grid, GridInputs, IMPLICIT_MIDPOINT, Inputs, Interval,
    KAHAN_LI8, POSITION_VERLET, Parameters, RK4, RUTH3, Rollout, Separable, Stepper, Substeps,
    THREE_EIGHTHS, ThetaBar, VELOCITY_VERLET, VectorField, Visit, Workspace,
};

use crate::common::*;

/// `q' = p`, `p' = u_1 - a (1 + u_2) sin q`, with the parameter `a`; the two inputs are handed over,
/// or a function of time.
struct Torque {
    a: f64,
    closed: Option<fn(f64) -> [f64; 2]>,
}

const OPEN: Torque = Torque { a: 1.3, closed: None };
const CLOSED: Torque = Torque { closed: Some(line), ..OPEN };

fn line(t: f64) -> [f64; 2] {
    [0.3 - 0.2 * t, 0.4 * t]
}

fn wave(t: f64) -> [f64; 2] {
    [t.sin(), (3.0 * t).cos()]
}

impl Torque {
    fn inputs_at(&self, at: At<'_, f64>, row: usize) -> [f64; 2] {
        self.closed.map_or_else(|| [at.u[row], at.u[at.batch() + row]], |f| f(at.t[row]))
    }
}

impl VectorField<f64> for Torque {
    fn dim(&self) -> usize {
        2
    }
    fn inputs(&self) -> usize {
        if self.closed.is_some() { 0 } else { 2 }
    }
    fn eval(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(2 * at.batch(), slices)?;
        let (q, p) = x.split_at(at.batch());
        let (dq, dp) = dx.split_at_mut(at.batch());
        self.velocity(p, dq, workspace)?;
        self.force(at, q, dp, workspace)
    }
}

impl Separable<f64> for Torque {
    fn velocity(
        &self,
        p: &[f64],
        velocity: &mut [f64],
        _workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(p.len(), [("the velocities", velocity.len())])?;
        velocity.copy_from_slice(p);
        Ok(())
    }
    fn force(
        &self,
        at: At<'_, f64>,
        q: &[f64],
        force: &mut [f64],
        _workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(self.inputs() * at.batch(), [("the inputs", at.u.len())])?;
        let slices = [("the positions", q.len()), ("the forces", force.len())];
        FieldError::check_lengths(at.batch(), slices)?;
        for (row, force) in force.iter_mut().enumerate() {
            let [push, more] = self.inputs_at(at, row);
            *force = push - self.a * (1.0 + more) * q[row].sin();
        }
        Ok(())
    }
}

impl Parameters<f64> for Torque {
    fn num_params(&self) -> usize {
        1
    }
    fn copy_params(&self, out: &mut [f64]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), 1)?;
        out.fill(self.a);
        Ok(())
    }
    fn set_params(&mut self, theta: &[f64]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), 1)?;
        self.a = theta[0];
        Ok(())
    }
}

/// The residuals are the second input of each row.
impl DifferentiableSeparable<f64> for Torque {
    type Residuals = Vec<f64>;
    fn velocity_recorded(
        &self,
        p: &[f64],
        velocity: &mut [f64],
        _residuals: &mut Vec<f64>,
    ) -> Result<(), FieldError> {
        self.velocity(p, velocity, &mut Workspace::default())
    }
    fn velocity_vjp(
        &self,
        p: &[f64],
        _residuals: &mut Vec<f64>,
        cotangent: &[f64],
        p_bar: &mut [f64],
        theta_bar: ThetaBar<'_, f64>,
    ) -> Result<(), FieldError> {
        FieldError::check_cotangents(p.len(), [p, cotangent, &*p_bar])?;
        theta_bar.check(1, p.len())?;
        p_bar.copy_from_slice(cotangent);
        Ok(())
    }
    fn force_recorded(
        &self,
        at: At<'_, f64>,
        q: &[f64],
        force: &mut [f64],
        residuals: &mut Vec<f64>,
    ) -> Result<(), FieldError> {
        self.force(at, q, force, &mut Workspace::default())?;
        residuals.clear();
        residuals.extend((0..at.batch()).map(|row| self.inputs_at(at, row)[1]));
        Ok(())
    }
    fn force_vjp(
        &self,
        q: &[f64],
        residuals: &mut Vec<f64>,
        cotangent: &[f64],
        mut bars: Bars<'_, f64>,
    ) -> Result<(), FieldError> {
        let batch = residuals.len();
        bars.check(batch, [1, self.inputs(), 1], [q, cotangent])?;
        for (row, more) in residuals.iter().enumerate() {
            let by = -(1.0 + more) * cotangent[row];
            bars.x[row] = self.a * by * q[row].cos();
            bars.theta.add(row, 0, by * q[row].sin());
            if let (Some(u), None) = (bars.u.as_deref_mut(), self.closed) {
                u[row] += cotangent[row];
                u[batch + row] -= self.a * q[row].sin() * cotangent[row];
            }
        }
        Ok(())
    }
}

impl DifferentiableField<f64> for Torque {
    type Residuals = Vec<f64>;
    fn eval_recorded(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        residuals: &mut Vec<f64>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(2 * at.batch(), slices)?;
        let (q, p) = x.split_at(at.batch());
        let (dq, dp) = dx.split_at_mut(at.batch());
        self.velocity_recorded(p, dq, residuals)?;
        self.force_recorded(at, q, dp, residuals)
    }
    fn vjp(
        &self,
        x: &[f64],
        residuals: &mut Vec<f64>,
        v: &[f64],
        bars: Bars<'_, f64>,
    ) -> Result<(), FieldError> {
        let half = residuals.len();
        bars.check(half, [2, self.inputs(), 1], [x, v])?;
        let (q_bar, p_bar) = bars.x.split_at_mut(half);
        p_bar.copy_from_slice(&v[..half]);
        self.force_vjp(&x[..half], residuals, &v[half..], Bars { x: q_bar, ..bars })
    }
}

/// Methods of all families.
macro_rules! every_family {
    ($check:ident $(, $argument:expr)*) => {
        $check(&RK4 $(, $argument)*);
        $check(&THREE_EIGHTHS $(, $argument)*);
        $check(&IMPLICIT_MIDPOINT $(, $argument)*);
        $check(&GAUSS_LEGENDRE4 $(, $argument)*);
        $check(&VELOCITY_VERLET $(, $argument)*);
        $check(&POSITION_VERLET $(, $argument)*);
        $check(&RUTH3 $(, $argument)*);
        $check(&KAHAN_LI8 $(, $argument)*);
        $check(&Substeps::new(RK4, NonZeroUsize::MIN.saturating_add(2)) $(, $argument)*);
    };
}

const X0: [f64; 6] = [1.0, -0.4, 2.2, 0.5, 0.0, -0.7];
const T: [f64; 3] = [0.0, 0.5, -0.3];
const DT: [f64; 3] = [0.1, -0.2, 0.05];

/// The inputs of each row, coordinate-major.
fn inputs_at(f: fn(f64) -> [f64; 2], t: &[f64]) -> Vec<f64> {
    (0..2).flat_map(|k| t.iter().map(move |t| f(*t)[k])).collect()
}

/// One step, recorded or not, and many at once, whose inputs go in a straight line or are a
/// function: what the field gives that knows them.
#[test]
fn steps_with_inputs_are_those_of_a_field_that_knows_them() {
    fn check<S: DifferentiableStepper<f64, Torque>>(method: &S) {
        let plain = Interval::new(&T, &DT);
        let mut workspace = Workspace::default();
        for steps in [1, 5] {
            let ends: Vec<f64> = T.iter().zip(DT).map(|(t, dt)| t + steps as f64 * dt).collect();
            let (begin, end) = (inputs_at(line, &T), inputs_at(line, &ends));
            let by_line = |_row: usize, t: f64, u: &mut [f64]| u.copy_from_slice(&line(t));
            let by_wave = |_row: usize, t: f64, u: &mut [f64]| u.copy_from_slice(&wave(t));
            for (u, closed) in [
                (Inputs::Linear { begin: &begin, end: &end }, line as fn(f64) -> _),
                (Inputs::Function(&by_line), line),
                (Inputs::Function(&by_wave), wave),
            ] {
                let (closed, over) =
                    (Torque { closed: Some(closed), ..OPEN }, Interval { u, ..plain });
                let (mut open, mut expected) = (X0, X0);
                method.advance(&OPEN, steps, over, &mut open, &mut workspace).expect("open");
                let run = method.advance(&closed, steps, plain, &mut expected, &mut workspace);
                run.expect("closed");
                assert_close(&open, &expected, 1e-12, 1e-12);
                if steps > 1 {
                    continue;
                }
                method.step(&OPEN, over, &X0, &mut open, &mut workspace).expect("step");
                assert_close(&open, &expected, 1e-12, 1e-12);
                let (mut tapes, mut bars) = ([S::Tape::default(), S::Tape::default()], [X0; 2]);
                method.record(&OPEN, over, &X0, &mut open, &mut tapes[0]).expect("record");
                assert_close(&open, &expected, 1e-12, 1e-12);
                method.record(&closed, plain, &X0, &mut open, &mut tapes[1]).expect("record");
                let mut theta_bars = [[0.0]; 2];
                for (i, field) in [&OPEN, &closed].into_iter().enumerate() {
                    let bars = Bars::new(&mut bars[i]).with_theta(&mut theta_bars[i]);
                    method.pull_back(field, &mut tapes[i], bars).expect("back");
                }
                assert_close(&bars[0], &bars[1], 1e-12, 1e-12);
                assert_close(&theta_bars[0], &theta_bars[1], 1e-12, 1e-12);
            }
        }
    }
    every_family!(check);
}

/// Each row has its own inputs, by its number.
#[test]
fn a_function_of_the_row() {
    let field = FnField::with_inputs(1, 20, |_t: f64, _x: &[f64], u: &[f64], dx: &mut [f64]| {
        dx[0] = u.iter().sum();
    });
    let by_row = |row: usize, t: f64, u: &mut [f64]| u.fill(row as f64 + t);
    let over = Interval { t: &[0.0; 3], dt: &[0.1; 3], u: Inputs::Function(&by_row) };
    let mut x = [0.0; 3];
    RK4.advance(&field, 2, over, &mut x, &mut Workspace::default()).expect("steps");
    assert_close(&x, &[0.4, 4.4, 8.4], 1e-14, 0.0);
}

/// The rows' own times of so many states.
fn grid_times(steps: usize) -> Vec<f64> {
    let time = |step: usize, row: usize| T[row] + step as f64 * DT[row] * 0.3;
    (0..=steps).flat_map(|step| (0..3).map(move |row| time(step, row))).collect()
}

/// All states, and the gradient of half of their squares' sum.
fn gradient<S: DifferentiableStepper<f64, Torque>>(
    method: &S,
    field: &Torque,
    grid: Grid<'_, f64>,
    checkpoints: Checkpoints,
) -> (Vec<f64>, [f64; 6], [f64; 1]) {
    let (mut rollout, mut bar, mut theta_bar) = (Rollout::default(), [0.0; 6], [0.0; 1]);
    let states = rollout.states(method, field, grid, &X0).expect("states").to_vec();
    let visit = |visit: Visit<'_, f64>| {
        if let Visit::State { step, x, x_bar, .. } = visit {
            assert_close(x, &states[6 * step..6 * step + 6], 1e-11, 1e-11);
            x_bar.iter_mut().zip(x).for_each(|(bar, x)| *bar += x);
        }
        Ok(())
    };
    let bars = Bars::new(&mut bar).with_theta(&mut theta_bar);
    rollout.gradient(method, field, grid, &X0, checkpoints, visit, bars).expect("back");
    (states, bar, theta_bar)
}

#[test]
fn gradients_with_inputs_are_those_of_a_field_that_knows_them() {
    fn check<S: DifferentiableStepper<f64, Torque>>(method: &S, reversible: bool) {
        let times = grid_times(40);
        let samples: Vec<f64> = times.chunks(3).flat_map(|t| inputs_at(line, t)).collect();
        let plain = Grid::times(3, &times);
        let grid = plain.with_inputs(GridInputs::Linear(&samples));
        let all = gradient(method, &OPEN, grid, Checkpoints::All);
        let known = gradient(method, &CLOSED, plain, Checkpoints::All);
        assert_close(&all.0, &known.0, 1e-11, 1e-11);
        assert_close(&all.1, &known.1, 1e-10, 1e-10);
        assert_close(&all.2, &known.2, 1e-10, 1e-10);
        for checkpoints in
            [Checkpoints::Logarithmic, Checkpoints::Segments(7), Checkpoints::Count(1)]
        {
            assert_eq!(gradient(method, &OPEN, grid, checkpoints), all, "{checkpoints:?}");
        }
        if reversible {
            let undone = gradient(method, &OPEN, grid, Checkpoints::Reversible);
            assert_close(&undone.1, &all.1, 1e-10, 1e-10);
            assert_close(&undone.2, &all.2, 1e-10, 1e-10);
        }
    }
    every_family!(check, false);
    check(&VELOCITY_VERLET, true);
    check(&RUTH3, true);
}

/// Inputs that are held until the next state: each step is that of a field with constants.
#[test]
fn held_samples() {
    fn check<S: DifferentiableStepper<f64, Torque>>(method: &S) {
        let steps = 20;
        let samples: Vec<f64> =
            (0..=steps).flat_map(|step| inputs_at(wave, &[step as f64; 3])).collect();
        let grid = Grid::equal(3, 0.2, 0.1, steps).with_inputs(GridInputs::Held(&samples));
        let (states, ..) = gradient(method, &OPEN, grid, Checkpoints::Logarithmic);
        let (mut x, mut next) = (X0, X0);
        for step in 0..steps {
            let u = &samples[6 * step..6 * step + 6];
            let t = [0.2 + 0.1 * step as f64; 3];
            let u = Inputs::Linear { begin: u, end: u };
            let over = Interval { t: &t, dt: &[0.1; 3], u };
            method.step(&OPEN, over, &x, &mut next, &mut Workspace::default()).expect("step");
            x = next;
            assert_close(&states[6 * (step + 1)..6 * (step + 2)], &x, 1e-13, 1e-13);
        }
    }
    every_family!(check);
}

/// The cotangents of a run's samples, and of the parameter row by row, by undoing the steps too;
/// a run of one step is a step.
#[test]
fn cotangents_of_samples_and_rows() {
    fn with(held: bool, samples: &[f64]) -> GridInputs<'_, f64> {
        if held { GridInputs::Held(samples) } else { GridInputs::Linear(samples) }
    }
    fn check<S: DifferentiableStepper<f64, Torque>>(method: &S, reversible: bool) {
        let samples: Vec<f64> =
            (0..=4).flat_map(|step| inputs_at(wave, &[f64::from(step); 3])).collect();
        for (held, steps) in [(true, 1), (true, 4), (false, 1), (false, 4)] {
            let samples = &samples[..6 * (steps + 1)];
            let value = |samples: &[f64]| {
                let grid = Grid::equal(3, 0.2, 0.1, steps);
                let grid = grid.with_inputs(with(held, samples));
                let mut rollout = Rollout::default();
                let states = rollout.states(method, &OPEN, grid, &X0).expect("states");
                states.iter().map(|x| 0.5 * x * x).sum::<f64>()
            };
            let grid = Grid::equal(3, 0.2, 0.1, steps).with_inputs(with(held, samples));
            let mut kinds = vec![Checkpoints::All, Checkpoints::Count(1)];
            kinds.extend(reversible.then_some(Checkpoints::Reversible));
            for kept in kinds {
                let visit = |visit: Visit<'_, f64>| {
                    if let Visit::State { x, x_bar, .. } = visit {
                        x_bar.iter_mut().zip(x).for_each(|(bar, x)| *bar += x);
                    }
                    Ok(())
                };
                let (mut bar, mut rows, mut u_bar) = ([0.0; 6], [1.0; 6], vec![0.0; samples.len()]);
                let theta = ThetaBar::rows(&mut rows, 2).part(1..);
                let bars = Bars::new(&mut bar).with_u(&mut u_bar[..]).with_theta(theta);
                let mut rollout = Rollout::default();
                rollout.gradient(method, &OPEN, grid, &X0, kept, visit, bars).expect("back");
                let (_, _, [theta_bar]) = gradient(method, &OPEN, grid, kept);
                assert_close(&[rows[1] + rows[3] + rows[5] - 3.0], &[theta_bar], 1e-12, 1e-12);
                assert_eq!([rows[0], rows[2], rows[4]], [1.0; 3]);
                for (i, u_bar) in u_bar.iter().enumerate() {
                    let moved = |h: f64| {
                        let mut samples = samples.to_vec();
                        samples[i] += h;
                        value(&samples)
                    };
                    let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                    assert_close(&[*u_bar], &[slope], 1e-8, 1e-8);
                }
            }
        }
        // A function has no cotangent, and the field's inputs two a row at each end.
        let (mut tape, mut out, mut u_bar) = (S::Tape::default(), X0, [0.0; 13]);
        let by_wave = |_row: usize, t: f64, u: &mut [f64]| u.copy_from_slice(&wave(t));
        let over = Interval { t: &T, dt: &DT, u: Inputs::Function(&by_wave) };
        method.record(&OPEN, over, &X0, &mut out, &mut tape).expect("record");
        let bars = Bars::new(&mut out).with_u(&mut u_bar[..12]);
        let error = method.pull_back(&OPEN, &mut tape, bars);
        assert_eq!(error, Err(FieldError::FunctionInputs));
        let over = Interval { u: Inputs::Linear { begin: &X0, end: &X0 }, ..over };
        method.record(&OPEN, over, &X0, &mut out, &mut tape).expect("record");
        let error = method.pull_back(&OPEN, &mut tape, Bars::new(&mut out).with_u(&mut u_bar[..]));
        let (what, given, expected) = ("the inputs' cotangents", 13, 12);
        assert_eq!(error, Err(FieldError::Length { what, given, expected }));
    }
    every_family!(check, false);
    check(&VELOCITY_VERLET, true);
    check(&RUTH3, true);
}

/// A walk shows the states of the whole run, to the last bit, with a kernel and without.
#[test]
fn a_walk_shows_every_state() {
    fn check<S, F>(method: &S, field: &F, grid: Grid<'_, f64>)
    where
        S: DifferentiableStepper<f64, F>,
        F: VectorField<f64> + Parameters<f64>,
    {
        let (mut rollout, len) = (Rollout::default(), field.dim() * grid.batch);
        let x0: Vec<f64> = (0..len).map(|i| (1.0 + i as f64).sin()).collect();
        let states = rollout.states(method, field, grid, &x0).expect("states").to_vec();
        let mut next = 0;
        let see = |step: usize, x: &[f64]| {
            assert_eq!(step, next);
            assert_eq!(x, &states[step * len..(step + 1) * len], "{step}");
            next += 1;
            Ok(())
        };
        rollout.walk(method, field, grid, &x0, see).expect("walk");
        assert_eq!(next, grid.steps() + 1);
        // What it says ends the walk.
        let stop = |step: usize, _: &[f64]| match step {
            18 => Err(FieldError::Engine { reason: "enough".into() }),
            _ => Ok(()),
        };
        let stopped = rollout.walk(method, field, grid, &x0, stop);
        assert_eq!(stopped.is_err(), grid.steps() >= 18);
    }
    let times = grid_times(37);
    let samples: Vec<f64> = times.chunks(3).flat_map(|t| inputs_at(wave, t)).collect();
    for grid in [
        Grid::times(3, &times),
        Grid::equal(3, 0.5, -0.1, 37),
        Grid::equal(1, 0.5, 0.1, 32),
        Grid::equal(5, 0.0, 0.1, 0),
    ] {
        check(&RK4, &Pair, grid);
        check(&KAHAN_LI8, &Pair, grid);
        check(&IMPLICIT_MIDPOINT, &Pair, grid);
        check(&RK4, &CLOSED, grid);
        check(&RUTH3, &CLOSED, grid);
    }
    let grid = Grid::times(3, &times).with_inputs(GridInputs::Linear(&samples));
    check(&RK4, &OPEN, grid);
    check(&RUTH3, &OPEN, grid);
}

/// After the first run a rollout allocates nothing, and neither do steps.
#[test]
fn what_is_run_again_allocates_nothing() {
    fn check<S, F>(method: &S, field: &F, grid: Grid<'_, f64>, reversible: bool)
    where
        S: DifferentiableStepper<f64, F>,
        F: VectorField<f64> + Parameters<f64>,
    {
        let x0 = vec![0.3; field.dim() * grid.batch];
        let (mut bar, mut theta_bar) = (x0.clone(), vec![0.0; field.num_params()]);
        let mut u_bar = vec![0.0; (grid.steps() + 1) * grid.batch * field.inputs()];
        let mut rollout = Rollout::default();
        let mut run = |what: Option<Checkpoints>| {
            let see = |visit: Visit<'_, f64>| {
                if let Visit::State { x, x_bar, .. } = visit {
                    x_bar.copy_from_slice(x);
                }
                Ok(())
            };
            if let Some(kept) = what {
                let bars = Bars::new(&mut bar).with_u(&mut u_bar[..]).with_theta(&mut theta_bar);
                let run = rollout.gradient(method, field, grid, &x0, kept, see, bars);
                run.expect("gradient");
            } else {
                rollout.walk(method, field, grid, &x0, |_, _| Ok(())).expect("walk");
                rollout.states(method, field, grid, &x0).expect("states");
            }
        };
        let mut kinds = vec![
            None,
            Some(Checkpoints::Logarithmic),
            Some(Checkpoints::Count(1)),
            Some(Checkpoints::Segments(13)),
            Some(Checkpoints::All),
        ];
        kinds.extend(reversible.then_some(Some(Checkpoints::Reversible)));
        kinds.iter().for_each(|kind| run(*kind));
        for kind in kinds {
            let again = measure(|| run(kind));
            assert_eq!(again.count_total, 0, "{kind:?}");
        }
    }
    let times = grid_times(60);
    let samples: Vec<f64> = times.chunks(3).flat_map(|t| inputs_at(line, t)).collect();
    let grid = Grid::times(3, &times);
    check(&RK4, &Pair, grid, false);
    check(&VELOCITY_VERLET, &Pair, grid, true);
    check(&GAUSS_LEGENDRE4, &Pair, grid, false);
    for (field, grid) in [(CLOSED, grid), (OPEN, grid.with_inputs(GridInputs::Linear(&samples)))] {
        check(&RK4, &field, grid, false);
        check(&GAUSS_LEGENDRE4, &field, grid, false);
        check(&VELOCITY_VERLET, &field, grid, true);
    }

    fn step<S: DifferentiableStepper<f64, Torque>>(method: &S) {
        let function = |_row: usize, t: f64, u: &mut [f64]| u.copy_from_slice(&line(t));
        let (begin, end) = ([0.1; 6], [0.2; 6]);
        let (mut workspace, mut tape) = (Workspace::default(), S::Tape::default());
        let (mut x, mut out) = (X0, X0);
        let mut run = || {
            for u in [Inputs::Linear { begin: &begin, end: &end }, Inputs::Function(&function)] {
                let over = Interval { t: &T, dt: &DT, u };
                method.advance(&OPEN, 3, over, &mut x, &mut workspace).expect("advance");
                method.step(&OPEN, over, &x, &mut out, &mut workspace).expect("step");
                method.record(&OPEN, over, &x, &mut out, &mut tape).expect("record");
                method.pull_back(&OPEN, &mut tape, Bars::new(&mut out)).expect("back");
            }
        };
        run();
        assert_eq!(measure(run).count_total, 0);
    }
    every_family!(step);
}
