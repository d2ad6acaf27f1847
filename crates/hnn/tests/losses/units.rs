//! Training does not depend on the units of the data.

use hnn_integrators::VectorField;
use hnn_losses::DerivativeLoss;
use hnn_models::{Architecture, Hnn, Initialisation, Mlp, Scales};
use hnn_systems::{Pendulum, Sampling};
use hnn_train::{Schedule, Trainer};
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// The README's network on the README's pendulum, with p times `10^k` and t times `10^m`: the
/// relative errors of dq/dt and dp/dt on data that it has not seen.
fn relative_errors(k: i32, m: i32) -> [f64; 2] {
    let sampling = Sampling { trajectories: 10, points: 16, ..Sampling::pendulum() };
    let data = sampling.sample(&Pendulum::default(), 0).expect("samples");
    let (train, test) = data.split_at(8).expect("splits");
    let (p, t) = (10_f64.powi(k), 10_f64.powi(m));
    let states = |x: ArrayView2<'_, f64>| &x * &ndarray::arr1(&[1.0, p]);
    let slopes = |dx: ArrayView2<'_, f64>| &dx * &ndarray::arr1(&[1.0 / t, p / t]);

    let (x, dx) = (states(train.states()), slopes(train.derivatives()));
    let times: Array1<f64> = train.times().iter().map(|now| now * t).collect();
    let scales = Scales::new(x.view(), dx.view()).expect("sizes");
    let mut loss = DerivativeLoss::new(times.view(), x.view(), dx.view())
        .and_then(|loss| loss.with_coordinate_weights(&scales.derivative_weights()))
        .expect("fits");
    let architecture = Architecture::new(&[2, 20, 1]).expect("sizes");
    let network = Mlp::new(architecture, Initialisation::Orthogonal, 0);
    let mut model = Hnn::new(scales.energy(network).expect("fits")).expect("even");
    Trainer::new(200)
        .with_schedule(Schedule::Cosine { from: 3e-2, to: 0.0 })
        .fit(&mut model, &mut loss, None, &mut ())
        .expect("trains");

    let (x, truth) = (states(test.states()), slopes(test.derivatives()));
    let slope = |row: ndarray::ArrayView1<'_, f64>| model.eval_state(0.0, &row.to_vec());
    let rows = x.rows().into_iter().flat_map(|row| slope(row).expect("evaluates")).collect();
    let found = Array2::from_shape_vec(truth.dim(), rows).expect("as many");
    let size = |dx: &Array2<f64>, i| dx.index_axis(Axis(1), i).mapv(|dx| dx * dx).sum().sqrt();
    [0, 1].map(|i| size(&(&found - &truth), i) / size(&truth, i))
}

#[test]
fn the_readmes_network_learns_in_any_units() {
    let first = relative_errors(0, 0);
    assert!(first.iter().all(|error| *error < 0.2), "{first:?}");
    let exponents = [-12, -6, -3, 3, 6, 12];
    for (k, m) in exponents.iter().flat_map(|k| exponents.map(|m| (*k, m))) {
        let errors = relative_errors(k, m);
        let is_near = errors.iter().zip(first).all(|(error, first)| *error <= 1.2 * first);
        assert!(is_near, "p times 1e{k}, t times 1e{m}: {errors:?}, in the first units {first:?}");
    }
}
