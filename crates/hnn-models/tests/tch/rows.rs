//! Libtorch sums the parameters' cotangents over a batch: rows of several states are an error that
//! says so, and of one state they are the sum.

use hnn_integrators::{At, Bars, DifferentiableField, FieldError, ThetaBar};
use hnn_models::{Architecture, Baseline, Hnn, Initialisation, Lnn, Mlp};

use crate::agreement::{energy, map};
use crate::random::assert_close;

fn network(sizes: &[usize]) -> Mlp<f64> {
    Mlp::new(Architecture::new(sizes).expect("sizes"), Initialisation::Orthogonal, 1)
}

/// The parameters' cotangents at a batch, in as many rows as `rows` says.
fn cotangents<F: DifferentiableField<f64>>(
    field: &F,
    x: &[f64],
    rows: Option<usize>,
) -> Result<Vec<f64>, FieldError> {
    let (batch, params) = (x.len() / field.dim(), field.num_params());
    let (mut residuals, mut bar) = (F::Residuals::default(), vec![0.0; x.len()]);
    field.eval_recorded(At::time(&vec![0.0; batch]), x, &mut bar, &mut residuals)?;
    let mut theta = vec![0.0; rows.unwrap_or(1) * params];
    let theta_bar = match rows {
        Some(_) => ThetaBar::rows(&mut theta, params),
        None => ThetaBar::Sum(&mut theta),
    };
    let v: Vec<f64> = (0..x.len()).map(|k| 1.0 - 0.3 * k as f64).collect();
    field.vjp(x, &mut residuals, &v, Bars::new(&mut bar).with_theta(theta_bar))?;
    Ok(theta)
}

#[track_caller]
fn sums_only(judge: &impl DifferentiableField<f64>, native: &impl DifferentiableField<f64>) {
    let error = cotangents(judge, &[0.3, 0.7, -0.2, 0.5], Some(2)).expect_err("two states");
    assert_eq!(error, FieldError::SumsOnly);
    assert!(error.to_string().contains("take the native engine"), "{error}");
    let x = [0.3, -0.2];
    let row = cotangents(judge, &x, Some(1)).expect("one state");
    assert!(row == cotangents(judge, &x, None).expect("a sum"), "the row is the sum");
    assert_close("row", &row, &cotangents(native, &x, Some(1)).expect("native"), 1e-9);
}

#[test]
fn rows_of_several_states_are_refused() {
    tch::set_num_threads(1);
    let (scalar, vector) = (network(&[2, 6, 1]), network(&[2, 6, 2]));
    let hnn = |native| Hnn::new(native).expect("an energy");
    sums_only(&Hnn::new(energy(&scalar)).expect("an energy"), &hnn(scalar.clone()));
    let baseline = Baseline::new(map(&vector)).expect("a field");
    sums_only(&baseline, &Baseline::new(vector).expect("a field"));
    let lnn = Lnn::new(energy(&scalar)).expect("a Lagrangian");
    sums_only(&lnn, &Lnn::new(scalar).expect("a Lagrangian"));
}
