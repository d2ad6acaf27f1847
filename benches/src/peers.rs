//! The peers, as their users call them.

use differential_equations::methods::ExplicitRungeKutta;
use differential_equations::prelude::{IVP, ODE};
use hnn_integrators::AnalyticField;
use ivp::prelude::{FirstOrderSystem, Ivp, Method};
use ode_solvers::{DVector, OutputType, SVector, System};

/// A field for the peers: the same formula on plain numbers.
#[derive(Debug, Clone, Copy)]
pub struct Peer<F>(pub F);

impl<F: AnalyticField<State<f64> = [f64; D]>, const D: usize> ODE<f64, [f64; D]> for Peer<F> {
    fn diff(&self, t: f64, y: &[f64; D], dydt: &mut [f64; D]) {
        *dydt = self.0.eval_lanes(t, y);
    }
}

impl<F: AnalyticField<State<f64> = [f64; D]>, const D: usize> System<f64, SVector<f64, D>>
    for Peer<F>
{
    fn system(&self, t: f64, y: &SVector<f64, D>, dy: &mut SVector<f64, D>) {
        let y: [f64; D] = (*y).into();
        *dy = SVector::from(self.0.eval_lanes(t, &y));
    }
}

/// All trajectories as one big system, trajectory after trajectory.
impl<F: AnalyticField> System<f64, DVector<f64>> for Peer<F> {
    fn system(&self, t: f64, y: &DVector<f64>, dy: &mut DVector<f64>) {
        each(&self.0, t, y.as_slice(), dy.as_mut_slice());
    }
}

/// One trajectory, or many as one big system.
impl<F: AnalyticField> FirstOrderSystem for Peer<F> {
    fn derivative(&self, t: f64, y: &[f64], dydt: &mut [f64]) {
        each(&self.0, t, y, dydt);
    }
}

#[inline(always)]
fn each<F: AnalyticField>(field: &F, t: f64, y: &[f64], dy: &mut [f64]) {
    use hnn_integrators::LaneState;
    let dim = <F::State<f64> as LaneState<f64>>::DIM;
    for (y, dy) in y.chunks_exact(dim).zip(dy.chunks_exact_mut(dim)) {
        dy.copy_from_slice(field.eval_lanes(t, &F::State::from_fn(|i| y[i])).as_ref());
    }
}

/// RK4 of ode_solvers: the state at the end.
pub fn ode_solvers_rk4<F: AnalyticField<State<f64> = [f64; D]>, const D: usize>(
    field: Peer<F>,
    x: [f64; D],
    end: f64,
    dt: f64,
) -> [f64; D] {
    let mut solver = ode_solvers::Rk4::new(field, 0.0, SVector::from(x), end, dt);
    solver.integrate().expect("integrates");
    let last = solver.y_out().last().expect("has states");
    std::array::from_fn(|i| last[i])
}

/// RK4 of ode_solvers over all trajectories at once: the sum of the first coordinates.
pub fn ode_solvers_rk4_batch<F: AnalyticField, const D: usize>(
    field: Peer<F>,
    starts: &[[f64; D]],
    end: f64,
    dt: f64,
) -> f64 {
    let x0 = DVector::from_vec(starts.concat());
    let mut solver = ode_solvers::Rk4::new(field, 0.0, x0, end, dt);
    solver.integrate().expect("integrates");
    solver.y_out().last().expect("has states").as_slice().iter().step_by(D).sum()
}

/// RK4 of differential-equations: the state at the end.
pub fn differential_equations_rk4<F, const D: usize>(
    field: &Peer<F>,
    x: [f64; D],
    end: f64,
    dt: f64,
) -> [f64; D]
where
    F: AnalyticField<State<f64> = [f64; D]>,
{
    let method = ExplicitRungeKutta::rk4(dt).max_steps(100_000_000);
    let run = IVP::ode(field, 0.0, end, x).method(method).solve().expect("integrates");
    *run.y.last().expect("has states")
}

/// RK4 of ivp: the state at the end.
pub fn ivp_rk4<F: AnalyticField, const D: usize>(
    field: &Peer<F>,
    x: [f64; D],
    end: f64,
    dt: f64,
) -> [f64; D] {
    let run = ivp_run(field, &x, end, dt);
    std::array::from_fn(|i| run[i])
}

/// RK4 of ivp over all trajectories at once: the sum of the first coordinates.
pub fn ivp_rk4_batch<F: AnalyticField, const D: usize>(
    field: &Peer<F>,
    starts: &[[f64; D]],
    end: f64,
    dt: f64,
) -> f64 {
    ivp_run(field, &starts.concat(), end, dt).iter().step_by(D).sum()
}

/// Only the end is asked for.
fn ivp_run<F: AnalyticField>(field: &Peer<F>, x: &[f64], end: f64, dt: f64) -> Vec<f64> {
    let run = Ivp::first_order(field, 0.0, end, x)
        .method(Method::RK4)
        .first_step(dt)
        .max_steps(100_000_000)
        .t_eval(vec![end])
        .solve();
    run.expect("integrates").y.last().expect("has states").clone()
}

/// DOPRI5 of ode_solvers, relative and absolute tolerance `tol`: the state at the end.
pub fn ode_solvers_dopri5<F: AnalyticField<State<f64> = [f64; D]>, const D: usize>(
    field: Peer<F>,
    x: [f64; D],
    end: f64,
    tol: f64,
) -> [f64; D] {
    // The defaults of `new`, but only the steps' ends are kept.
    let (x, sparse) = (SVector::from(x), OutputType::Sparse);
    let mut solver = ode_solvers::Dopri5::from_param(
        field, 0.0, end, end, x, tol, tol, 0.9, 0.04, 0.2, 10.0, end, 0.0, 100_000, 1000, sparse,
    );
    solver.integrate().expect("integrates");
    let last = solver.y_out().last().expect("has states");
    std::array::from_fn(|i| last[i])
}

/// DOP853 of ode_solvers: the state at the end.
pub fn ode_solvers_dop853<F: AnalyticField<State<f64> = [f64; D]>, const D: usize>(
    field: Peer<F>,
    x: [f64; D],
    end: f64,
    tol: f64,
) -> [f64; D] {
    let (x, sparse) = (SVector::from(x), OutputType::Sparse);
    let mut solver = ode_solvers::Dop853::from_param(
        field, 0.0, end, end, x, tol, tol, 0.9, 0.0, 0.333, 6.0, end, 0.0, 100_000, 1000, sparse,
    );
    solver.integrate().expect("integrates");
    let last = solver.y_out().last().expect("has states");
    std::array::from_fn(|i| last[i])
}

/// DOPRI5 (or DOP853) of ivp: the state at the end.
pub fn ivp_adaptive<F: AnalyticField, const D: usize>(
    field: &Peer<F>,
    x: [f64; D],
    end: f64,
    tol: f64,
    eighth_order: bool,
) -> [f64; D] {
    let method = if eighth_order { Method::DOP853 } else { Method::DOPRI5 };
    let run = Ivp::first_order(field, 0.0, end, &x).method(method).rtol(tol).atol(tol);
    let run = run.t_eval(vec![end]).solve().expect("integrates");
    let last = run.y.last().expect("has states");
    std::array::from_fn(|i| last[i])
}

/// DOPRI5 of differential-equations: the state at the end.
pub fn differential_equations_dopri5<F, const D: usize>(
    field: &Peer<F>,
    x: [f64; D],
    end: f64,
    tol: f64,
) -> [f64; D]
where
    F: AnalyticField<State<f64> = [f64; D]>,
{
    let method = ExplicitRungeKutta::dopri5().rtol(tol).atol(tol).max_steps(1_000_000);
    let run = IVP::ode(field, 0.0, end, x).method(method).solve().expect("integrates");
    *run.y.last().expect("has states")
}

/// The pendulum `H = p^2/2 - cos q` for ivp's symplectic methods.
#[derive(Debug, Clone, Copy)]
pub struct PendulumForIvp;

impl ivp::prelude::SeparableHamiltonianSystem for PendulumForIvp {
    fn position_derivative(&self, _t: f64, p: &[f64], dqdt: &mut [f64]) {
        dqdt.copy_from_slice(p);
    }
    fn momentum_derivative(&self, _t: f64, q: &[f64], dpdt: &mut [f64]) {
        dpdt.iter_mut().zip(q).for_each(|(dp, q)| *dp = -q.sin());
    }
}

/// Velocity Verlet of ivp: the position at the end.
pub fn ivp_verlet([q, p]: [f64; 2], end: f64, dt: f64) -> f64 {
    let (q, p) = ([q], [p]);
    let run = Ivp::hamiltonian(&PendulumForIvp, 0.0, end, &q, &p)
        .method(ivp::prelude::SymplecticMethod::VelocityVerlet)
        .step_size(dt)
        .max_steps(100_000_000)
        .t_eval(vec![end])
        .solve();
    run.expect("integrates").y.last().expect("has states")[0]
}
