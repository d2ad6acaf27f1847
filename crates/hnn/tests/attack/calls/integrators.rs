//! Fields, methods, runs and their gradients.

use std::ops::ControlFlow;

use hnn::Error;
use hnn::integrators::{
    Adaptive, Adjoint, At, BLANES_MOAN_SRKN6, Bars, Checkpoints, Clock, Crossing, DOP853,
    DORMAND_PRINCE5, DualField, EULER, EmbeddedPair, Event, FixedStep, Flow, FnField,
    GAUSS_LEGENDRE4, Grid, GridInputs, IMPLICIT_MIDPOINT, ImplicitTableau, Lane, RK4, Rollout,
    Scalar, Splitting, TSITOURAS5, Tableau, Tolerances, VELOCITY_VERLET, VectorField, Visit,
    Workspace, rk4,
};
use hnn::ndarray::{ArrayView2, ArrayViewMut2};
use hnn::systems::{Duffing, Kepler, Pendulum, Spring};

use crate::odd::Odd;

pub(super) fn call(odd: &mut Odd) -> Result<(), Error> {
    match odd.below(8) {
        0 => fixed_steps(odd),
        1 => solve(odd),
        2 => events(odd),
        3 => in_single_precision(odd),
        4 => methods(odd),
        5 => adjoint(odd),
        6 => rollout(odd),
        _ => fields(odd),
    }
}

/// A field that any caller may have, and its dimension.
pub(super) fn field(odd: &mut Odd) -> Result<Box<dyn VectorField<f64>>, Error> {
    let (a, b) = (odd.positive(), odd.number());
    Ok(match odd.below(6) {
        0 => Box::new(Spring::new(a, odd.positive())?),
        1 => Box::new(Pendulum::new(a, odd.positive())?),
        2 => Box::new(Kepler::new(a, odd.positive())?),
        3 => Box::new(Duffing::new(a, b)?.with_forcing(b, a)?),
        4 => Box::new(FnField::new(2, move |t: f64, x: &[f64], dx: &mut [f64]| {
            (dx[0], dx[1]) = (x[1] / (t - a), b * x[0].sqrt());
        })),
        _ => {
            let (dim, inputs) = if odd.is_odd() {
                (odd.count(3), odd.count(2))
            } else {
                (1 + odd.below(3), odd.below(2))
            };
            let sum = move |t: f64, x: &[f64], u: &[f64], dx: &mut [f64]| {
                dx.fill(t + a * x.iter().chain(u).sum::<f64>());
            };
            Box::new(FnField::with_inputs(dim, inputs, sum))
        }
    })
}

fn tolerances(odd: &mut Odd) -> Tolerances {
    Tolerances { rtol: odd.or_odd(1e-6), atol: odd.or_odd(1e-9) }
}

fn solver(odd: &mut Odd) -> Adaptive {
    let pair = odd.pick(&[DORMAND_PRINCE5, TSITOURAS5, DOP853]);
    let mut solver = Adaptive::new(pair, tolerances(odd)).with_max_steps(odd.count(300).min(1000));
    if odd.yes(0.2) {
        solver = solver.with_first_step(odd.positive());
    }
    if odd.yes(0.2) {
        solver = solver.with_max_step(odd.positive());
    }
    solver
}

fn fixed_steps(odd: &mut Odd) -> Result<(), Error> {
    let field = field(odd)?;
    let (x0, times) = (odd.states(1..=3, field.dim().min(9)), odd.times(4));
    let interval = (odd.or_odd(0.0), odd.positive());
    // What takes long because so many steps were asked for is no fault.
    let count = match odd.count(30) {
        1000..1_000_000_000_000_000 => 7,
        count => count,
    };
    let size = odd.or_odd(0.1);
    let method = odd.pick(&[RK4, EULER, DOP853.propagated()]);
    let mut run = FixedStep::count(method.clone(), count);
    let span = times.iter().copied().chain([interval.0, interval.1]).fold(0.0, |a, t| t.abs() + a);
    if odd.yes(0.4) && !(1e4..1e15).contains(&(span / size)) {
        run = FixedStep::size(method, size);
    }
    if odd.yes(0.3) {
        run = run.with_save_every(odd.count(5));
    }
    let kept = match odd.below(3) {
        0 => run.run(field.as_ref(), interval, x0.view())?,
        1 => run.run_at(field.as_ref(), &times, x0.view())?,
        _ => {
            let stop = odd.number();
            run.observe(field.as_ref(), interval, x0.view(), |_, x| {
                match x.iter().any(|x| *x > stop) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            })?;
            return Ok(());
        }
    };
    assert!(kept.states.iter().all(|x| x.is_finite()));
    let spring = Spring::new(odd.positive(), odd.positive())?;
    let splitting = odd.pick(&[VELOCITY_VERLET, BLANES_MOAN_SRKN6]);
    FixedStep::count(splitting, count).run(&spring, interval, x0.view())?;
    let implicit = odd.pick(&[IMPLICIT_MIDPOINT, GAUSS_LEGENDRE4]);
    FixedStep::count(implicit, count).run(&spring, interval, x0.view())?;
    Ok(())
}

fn solve(odd: &mut Odd) -> Result<(), Error> {
    let (field, solver) = (field(odd)?, solver(odd));
    let (x0, times) = (odd.states(1..=4, field.dim().min(9)), odd.times(5));
    let states = if odd.yes(0.5) {
        solver.solve_batch(field.as_ref(), x0.view(), &times)?.states
    } else {
        let own: Vec<Vec<f64>> = (0..odd.length(x0.nrows())).map(|_| odd.times(5)).collect();
        let own: Vec<&[f64]> = own.iter().map(Vec::as_slice).collect();
        let run = solver.solve_batch_at(field.as_ref(), x0.view(), &own)?;
        own.iter().zip(run.states.outer_iter()).for_each(|(times, states)| {
            assert!(states.iter().take(times.len() * x0.ncols()).all(|x| x.is_finite()));
        });
        return Ok(());
    };
    assert!(states.iter().all(|x| x.is_finite()), "{x0} {times:?} {states} {solver:?}");
    Ok(())
}

fn events(odd: &mut Odd) -> Result<(), Error> {
    let (field, solver) = (field(odd)?, solver(odd));
    let (x0, times) = (odd.states(1..=3, field.dim().min(9)), odd.times(3));
    let (level, power) = (odd.number(), odd.exponent());
    let function = move |t: f64, x: &[f64]| x.first().copied().unwrap_or(t).powi(power) - level;
    let crossing = odd.pick(&[Crossing::Rising, Crossing::Falling, Crossing::Either]);
    let event = || Event { function: &function, crossing, terminal: level > 0.0 };
    let events = [event(), event()];
    for run in solver.solve_batch_events(field.as_ref(), x0.view(), &times, &events)? {
        for found in run?.occurrences {
            assert!(found.time.is_finite() && found.event < 2);
        }
    }
    Ok(())
}

fn in_single_precision(odd: &mut Odd) -> Result<(), Error> {
    let pendulum = Pendulum::new(odd.positive(), odd.positive())?;
    let x0 = odd.states(1..=2, 2).mapv(f32::from_f64);
    let times: Vec<f32> = odd.times(4).into_iter().map(f32::from_f64).collect();
    let run = solver(odd).solve_batch(&pendulum, x0.view(), &times)?;
    assert!(run.states.iter().all(|x| x.is_finite()));
    let count = 1 + odd.below(9);
    FixedStep::count(RK4, count).run_at(&pendulum, &times, x0.view())?;
    Ok(())
}

fn methods(odd: &mut Odd) -> Result<(), Error> {
    let stages = 1 + odd.below(3);
    let rows: Vec<Vec<f64>> = (0..odd.length(stages)).map(|_| odd.numbers(stages)).collect();
    let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    let (b, c, order) = (odd.numbers(stages), odd.numbers(stages), odd.count(5));
    let _ = ImplicitTableau::new("any", order, &rows, &b, &c).is_ok();
    let _ = Tableau::new("any", order, &rows, &b, &c)
        .and_then(|tableau| EmbeddedPair::new(tableau, &c, order, &[[odd.number(); 7]; 2]))
        .is_ok();
    let half = odd.or_odd(0.5);
    let flow = odd.pick(&[Flow::Drift, Flow::Kick]);
    let lengths = [half, odd.or_odd(1.0), 1.0 - half];
    let verlet = Splitting::new("mine", order, flow, &lengths)?;
    let node = odd.or_odd(0.5);
    let midpoint = Tableau::new("mine", 2, &[&[], &[node]], &[0.0, 1.0], &[0.0, node])?;
    let start = odd.table(1, 2);
    FixedStep::count(verlet, 4).run(&Spring::default(), (0.0, 1.0), start.view())?;
    FixedStep::count(midpoint, 4).run(&Spring::default(), (0.0, 1.0), start.view())?;
    Ok(())
}

fn checkpoints(odd: &mut Odd) -> Checkpoints {
    match odd.below(5) {
        0 => Checkpoints::All,
        1 => Checkpoints::Segments(odd.count(6)),
        2 => Checkpoints::Logarithmic,
        3 => Checkpoints::Count(odd.count(6)),
        _ => Checkpoints::Reversible,
    }
}

fn adjoint(odd: &mut Odd) -> Result<(), Error> {
    let field = DualField::new([odd.number()], |t, [q, p]: [_; 2], [a]| [p * t, -a * q.sin()]);
    let (interval, x0) = ((odd.number(), odd.number()), odd.states(1..=3, 2));
    let (count, kept) = (odd.below(30), checkpoints(odd));
    let pull = |_: usize, x: ArrayView2<'_, f64>, mut bar: ArrayViewMut2<'_, f64>| bar.assign(&x);
    let gradient = if odd.yes(0.5) {
        Adjoint::count(RK4, count).with_checkpoints(kept).run(&field, interval, x0.view(), pull)?
    } else {
        let spring = Spring::new(odd.positive(), odd.positive())?;
        let verlet = Adjoint::count(VELOCITY_VERLET, count).with_checkpoints(kept);
        verlet.run(&spring, interval, x0.view(), pull)?
    };
    assert_eq!(gradient.start_bar.dim(), x0.dim());
    Ok(())
}

fn rollout(odd: &mut Odd) -> Result<(), Error> {
    let field = DualField::new([odd.number()], |_, [q, p]: [_; 2], [a]| [p, -a * q]);
    let batch = if odd.is_odd() { odd.count(4) } else { 1 + odd.below(3) };
    let few = batch.min(4);
    let steps = odd.count(20);
    let kept = checkpoints(odd);
    let length = few * (1 + odd.below(5));
    let times = odd.times(length);
    // Endless runs that keep nothing are as endless as they were asked to be.
    let bounded = steps <= 1000 || matches!(kept, Checkpoints::All);
    let grid = if odd.yes(0.5) && bounded {
        let clock = Clock::Equal { start: odd.number(), dt: odd.positive(), steps };
        Grid { batch, clock, inputs: GridInputs::None }
    } else {
        Grid::times(batch, &times)
    };
    let (x0, held) = (odd.numbers(2 * few), odd.numbers(few));
    let grid = if odd.is_odd() { grid.with_inputs(GridInputs::Held(&held)) } else { grid };
    let mut rollout = Rollout::default();
    let states = rollout.states(&RK4, &field, grid, &x0)?.len();
    assert_eq!(states, (grid.steps() + 1) * 2 * batch);
    rollout.walk(&RK4, &field, grid, &x0, |_, _| Ok(()))?;
    let (mut start_bar, mut theta_bar) = (odd.numbers(2 * few), odd.numbers(1));
    let see = |visit: Visit<'_, f64>| {
        if let Visit::State { x, x_bar, .. } = visit {
            x_bar.copy_from_slice(x);
        }
        Ok(())
    };
    let bars = Bars::new(&mut start_bar).with_theta(&mut theta_bar);
    rollout.gradient(&RK4, &field, grid, &x0, kept, see, bars)?;
    Ok(())
}

fn fields(odd: &mut Odd) -> Result<(), Error> {
    let field = field(odd)?;
    let dim = if field.dim() > 9 { 2 } else { field.dim() };
    let x = odd.states(0..=3, dim);
    let (t, dt) = (odd.number(), odd.number());
    field.eval_rows(t, x.view())?;
    rk4(field.as_ref(), t, dt, x.view())?;
    field.eval_state(t, &odd.numbers(dim))?;
    let (t, u) = (odd.numbers(2), odd.numbers(2 * field.inputs().min(2)));
    let (x, mut dx) = (odd.numbers(2 * dim), vec![0.0; 2 * dim]);
    field.eval(At { t: &t, u: &u }, &x, &mut dx, &mut Workspace::default())?;
    Ok(())
}
