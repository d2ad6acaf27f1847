//! RK4 throughput: how many trajectory-steps a second, on one thread, against the peers.

#[cfg(feature = "peers")]
use hnn_benches::peers::{self, Peer};
use hnn_benches::systems::{DoublePendulum, Pendulum, start};
use hnn_benches::{Contest, Options, on_threads};
use hnn_integrators::{AnalyticField, FixedStep, RK4};
use ndarray::{Array2, Axis};

const DT: f64 = 0.01;

/// Our own scalar loop, the standard library's sine: what a user would write.
fn scalar_loop<F: AnalyticField<State<f64> = [f64; D]>, const D: usize>(
    field: &F,
    steps: usize,
    mut x: [f64; D],
) -> [f64; D] {
    let along = |x: &[f64; D], h: f64, k: &[f64; D]| -> [f64; D] {
        std::array::from_fn(|i| x[i] + h * k[i])
    };
    for step in 0..steps {
        let t = step as f64 * DT;
        let k1 = field.eval_lanes(t, &x);
        let k2 = field.eval_lanes(t + 0.5 * DT, &along(&x, 0.5 * DT, &k1));
        let k3 = field.eval_lanes(t + 0.5 * DT, &along(&x, 0.5 * DT, &k2));
        let k4 = field.eval_lanes(t + DT, &along(&x, DT, &k3));
        for i in 0..D {
            x[i] += DT / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]);
        }
    }
    x
}

/// Sum of the first coordinates at the end, from every start.
fn total<const D: usize>(starts: &[[f64; D]], end: impl Fn([f64; D]) -> [f64; D]) -> f64 {
    starts.iter().map(|x| end(*x)[0]).sum()
}

fn contest<F, const D: usize>(
    title: &str,
    field: F,
    starts: &[[f64; D]],
    steps: usize,
    options: Options,
) -> hnn_benches::Outcome
where
    F: AnalyticField<State<f64> = [f64; D]> + Copy,
    F: AnalyticField<State<f32> = [f32; D]>,
{
    let work = (starts.len() * steps) as f64;
    let end = steps as f64 * DT;
    let x0 = Array2::from_shape_fn((starts.len(), D), |(row, i)| starts[row][i]);
    let x0_single = x0.mapv(|x| x as f32);
    let run = FixedStep::count(RK4, steps);
    let mut contest = Contest::new(title, "trajectory-steps", options);
    contest.entry("hnn", work, || {
        let run = run.run(&field, (0.0, end), x0.view()).expect("run");
        run.last().index_axis(Axis(1), 0).sum()
    });
    contest.entry("hnn f32", work, || {
        let run = run.run(&field, (0.0, end as f32), x0_single.view()).expect("run");
        run.last().index_axis(Axis(1), 0).iter().map(|x| f64::from(*x)).sum()
    });
    contest.entry("scalar loop", work, || total(starts, |x| scalar_loop(&field, steps, x)));
    #[cfg(feature = "peers")]
    enter_peers(&mut contest, field, starts, steps);
    contest.run()
}

#[cfg(feature = "peers")]
fn enter_peers<'a, F, const D: usize>(
    contest: &mut Contest<'a>,
    field: F,
    starts: &'a [[f64; D]],
    steps: usize,
) where
    F: AnalyticField<State<f64> = [f64; D]> + Copy + 'a,
{
    let (work, end) = ((starts.len() * steps) as f64, steps as f64 * DT);
    contest.entry("peer ode_solvers", work, move || {
        total(starts, |x| peers::ode_solvers_rk4(Peer(field), x, end, DT))
    });
    contest.entry("peer differential-equations", work, move || {
        total(starts, |x| peers::differential_equations_rk4(&Peer(field), x, end, DT))
    });
    contest.entry("peer ivp", work, move || {
        total(starts, |x| peers::ivp_rk4(&Peer(field), x, end, DT))
    });
    if starts.len() > 1 {
        contest.entry("batch ode_solvers", work, move || {
            peers::ode_solvers_rk4_batch(Peer(field), starts, end, DT)
        });
        contest
            .entry("batch ivp", work, move || peers::ivp_rk4_batch(&Peer(field), starts, end, DT));
    }
}

fn main() {
    let options = Options::from_args();
    on_threads(1, || {
        hnn_benches::announce();
        let pendulums: Vec<[f64; 2]> = (0..options.pick(10_000, 1_000)).map(start).collect();
        let many = contest("RK4, pendulums x 1000 steps", Pendulum, &pendulums, 1000, options);
        many.bar("against the best peer", many.rate("hnn") / many.best("peer"), 10.0);
        many.bar("against the best batch form", many.rate("hnn") / many.best("batch"), 8.0);
        many.bar("against the scalar loop", many.rate("hnn") / many.rate("scalar loop"), 18.0);
        many.bar("f32 against f64", many.rate("hnn f32") / many.rate("hnn"), 1.6);

        let steps = options.pick(10_000_000, 500_000);
        let one = contest("RK4, one pendulum", Pendulum, &[[1.0, 0.5]], steps, options);
        one.bar("against the best peer", one.rate("hnn") / one.best("peer"), 1.0);

        let doubles: Vec<[f64; 4]> = (0..options.pick(1_000, 200))
            .map(|i| [start(i)[0], start(i + 7)[0], start(i)[1], 0.0])
            .collect();
        let many =
            contest("RK4, double pendulums x 1000 steps", DoublePendulum, &doubles, 1000, options);
        many.bar("against the best peer", many.rate("hnn") / many.best("peer"), 8.0);
    });
}
