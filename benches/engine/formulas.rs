//! Formulas over time by adaptive methods, tolerances 1e-9: Arenstorf's orbit, and 1000 pendulums to t = 10.

use std::hint::black_box;

use hnn_benches::systems::{ARENSTORF, Arenstorf, Pendulum, start};
use hnn_benches::{Case, Error, Run};
use hnn_integrators::{Adaptive, DOP853, DORMAND_PRINCE5, EmbeddedPair, Tolerances};
use ndarray::{Array1, Array2};

pub(crate) fn cases() -> Vec<Case> {
    let methods = || [("DOP853", DOP853), ("DOPRI5", DORMAND_PRINCE5)];
    let case = |what, make: fn(EmbeddedPair) -> Result<Run, Error>| {
        methods()
            .map(|(name, pair)| Case::new(format!("{what}: {name}"), move || make(pair.clone())))
    };
    case("orbit", orbit).into_iter().chain(case("pendulums", pendulums)).collect()
}

fn orbit(pair: EmbeddedPair) -> Result<Run, Error> {
    let (x0, end) = ARENSTORF;
    let (start, solver) = (Array1::from(x0.to_vec()), Adaptive::new(pair, Tolerances::both(1e-9)));
    Ok(Box::new(move || {
        black_box(&solver.solve(&Arenstorf, start.view(), &[0.0, end])?.states);
        Ok(())
    }))
}

fn pendulums(pair: EmbeddedPair) -> Result<Run, Error> {
    let starts = Array2::from_shape_fn((1000, 2), |(row, i)| start(row)[i]);
    let solver = Adaptive::new(pair, Tolerances::both(1e-9));
    Ok(Box::new(move || {
        black_box(&solver.solve_batch(&Pendulum, starts.view(), &[0.0, 10.0])?.states);
        Ok(())
    }))
}
