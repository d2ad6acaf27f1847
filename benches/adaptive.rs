//! Adaptive integration: many pendulums, and one orbit of Arenstorf, against the peers.

#[cfg(feature = "peers")]
use hnn_benches::peers::{self, Peer};
use hnn_benches::systems::{ARENSTORF, Arenstorf, Pendulum, start};
use hnn_benches::{Contest, Options, on_threads};
use hnn_integrators::{Adaptive, DOP853, DORMAND_PRINCE5, TSITOURAS5, Tolerances, solve_batch};
use ndarray::{Array1, Array2, s};

const TOL: f64 = 1e-9;

fn pendulums(options: Options) {
    let starts: Vec<[f64; 2]> = (0..options.pick(10_000, 1_000)).map(start).collect();
    let x0 = Array2::from_shape_fn((starts.len(), 2), |(row, i)| starts[row][i]);
    let (work, tolerances) = (starts.len() as f64, Tolerances::both(TOL));
    let mut contest =
        Contest::new("DOPRI5, pendulums to t = 10, tol 1e-9", "trajectories", options);
    contest.entry("hnn", work, || {
        let run = solve_batch(&Pendulum, x0.view(), &[0.0, 10.0], tolerances).expect("run");
        run.states.slice(s![.., 1, 0]).sum()
    });
    #[cfg(feature = "peers")]
    enter_peers(&mut contest, &starts, work);
    let outcome = contest.run();
    outcome.bar("against the best peer", outcome.rate("hnn") / outcome.best("peer"), 8.0);
}

#[cfg(feature = "peers")]
fn enter_peers<'a>(contest: &mut Contest<'a>, starts: &'a [[f64; 2]], work: f64) {
    let total = |end: &dyn Fn([f64; 2]) -> [f64; 2]| starts.iter().map(|x| end(*x)[0]).sum();
    contest.entry("peer ode_solvers", work, move || {
        total(&|x| peers::ode_solvers_dopri5(Peer(Pendulum), x, 10.0, TOL))
    });
    contest.entry("peer ivp", work, move || {
        total(&|x| peers::ivp_adaptive(&Peer(Pendulum), x, 10.0, TOL, false))
    });
    contest.entry("peer differential-equations", work, move || {
        total(&|x| peers::differential_equations_dopri5(&Peer(Pendulum), x, 10.0, TOL))
    });
}

fn arenstorf(options: Options) {
    let (x0, end) = ARENSTORF;
    let start = Array1::from(x0.to_vec());
    let repeat = options.pick(200, 50);
    let work = f64::from(repeat);
    let again = |run: &dyn Fn() -> f64| (0..repeat).map(|_| run()).sum::<f64>() / work;
    let tolerances = Tolerances::both(TOL);
    let mut contest = Contest::new("Arenstorf orbit, tol 1e-9", "orbits", options);
    macro_rules! ours {
        ($name:expr, $method:expr) => {
            contest.entry($name, work, || {
                again(&|| {
                    let solver = Adaptive::new($method, tolerances);
                    let run = solver.solve(&Arenstorf, start.view(), &[0.0, end]).expect("run");
                    run.states[[1, 0]] - x0[0]
                })
            });
        };
    }
    ours!("hnn DOPRI5", DORMAND_PRINCE5);
    ours!("hnn Tsit5", TSITOURAS5);
    ours!("hnn DOP853", DOP853);
    #[cfg(feature = "peers")]
    {
        contest.entry("fifth ode_solvers", work, || {
            again(&|| peers::ode_solvers_dopri5(Peer(Arenstorf), x0, end, TOL)[0] - x0[0])
        });
        contest.entry("fifth ivp", work, || {
            again(&|| peers::ivp_adaptive(&Peer(Arenstorf), x0, end, TOL, false)[0] - x0[0])
        });
        contest.entry("eighth ode_solvers", work, || {
            again(&|| peers::ode_solvers_dop853(Peer(Arenstorf), x0, end, TOL)[0] - x0[0])
        });
        contest.entry("eighth ivp", work, || {
            again(&|| peers::ivp_adaptive(&Peer(Arenstorf), x0, end, TOL, true)[0] - x0[0])
        });
    }
    let outcome = contest.run();
    let fifth = outcome.rate("hnn DOPRI5").max(outcome.rate("hnn Tsit5"));
    outcome.bar("order 5 against the best peer", fifth / outcome.best("fifth"), 1.0);
    let eighth = outcome.rate("hnn DOP853") / outcome.best("eighth");
    outcome.bar("order 8 against the best peer", eighth, 1.0);
}

fn main() {
    let options = Options::from_args();
    on_threads(1, || {
        pendulums(options);
        arenstorf(options);
    });
}
