//! Locals, and the forms of the equations: other ways to the same steps.

use hnn_losses::Loss;
use hnn_train::{Form, LeastSquares, Scaling};

use super::squares::{Constants, Residual, Squares, close, fit, noise, squares};

/// Decays of twelve groups with amplitudes of their own: `a_g exp(-b t) + c`.
fn decay(b: &[f64], amplitude: f64, i: usize) -> (f64, [f64; 3]) {
    let (group, t) = (i / 10, (i % 10) as f64 / 5.0);
    let truth = (1.0 + 0.3 * group as f64) * (-0.7 * t).exp() + 0.4;
    let factor = (-b[0] * t).exp();
    let residual = amplitude * factor + b[1] - truth - 0.01 * noise(i);
    (residual, [-t * amplitude * factor, 1.0, factor])
}

pub(super) fn with_locals() -> Squares<impl Fn(&[f64], &[f64], usize) -> Residual + Send> {
    squares(vec![(10, 1); 12], |b, amplitudes, i| {
        let (residual, [by_b, by_c, by_a]) = decay(b, amplitudes[0], i);
        (residual, vec![by_b, by_c], vec![by_a])
    })
}

#[test]
fn locals_cost_nothing_but_give_the_same() {
    let mut arrow = with_locals();
    let mut dense = squares(vec![(10, 0); 12], |b: &[f64], _: &[f64], i| {
        let (residual, [by_b, by_c, by_a]) = decay(b, b[2 + i / 10], i);
        let mut row = vec![0.0; 14];
        (row[0], row[1], row[2 + i / 10]) = (by_b, by_c, by_a);
        (residual, row, vec![])
    });
    let settings = LeastSquares::new(100).with_scaling(Scaling::Diagonal);
    let (theta, record) = fit::<f64>(&settings, &[0.1, 0.0], &mut arrow);
    let start = [&[0.1, 0.0][..], &[1.0; 12]].concat();
    let (expected, of_dense) = fit::<f64>(&settings, &start, &mut dense);
    close(&theta, &expected[..2], 1e-7);
    close(&arrow.locals, &expected[2..], 1e-7);
    close(&[record.final_loss()], &[of_dense.final_loss()], 1e-10);
    let errors = |theta: &[f64], loss: &mut dyn Loss<f64, Constants>| {
        let posterior = settings.posterior(&mut Constants(theta.to_vec()), loss, None);
        let posterior = posterior.expect("determined");
        (posterior.standard_errors().to_vec(), posterior.variance())
    };
    let (of_arrow, variance) = errors(&theta, &mut arrow);
    let (of_dense, same) = errors(&expected, &mut dense);
    close(&of_arrow, &of_dense[..2], 1e-6);
    close(&[variance], &[same], 1e-9);
    // Without a matrix, as well.
    let mut free = with_locals();
    let settings = settings.with_form(Form::MatrixFree);
    let (theta, _) = fit::<f64>(&settings, &[0.1, 0.0], &mut free);
    close(&theta, &expected[..2], 1e-7);
    close(&free.locals, &expected[2..], 1e-7);
}

/// Fewer residuals than parameters, and a prior: sums of sines of frequencies that are parameters.
fn wide() -> Squares<impl Fn(&[f64], &[f64], usize) -> Residual + Send> {
    let mut loss = squares(vec![(3, 0); 7], |b: &[f64], _: &[f64], i| {
        let t = i as f64 / 10.0;
        let row = |k: usize| (b[k] * t).sin();
        let sum: f64 = (0..40).map(row).sum();
        let row = (0..40).map(|k| t * (b[k] * t).cos()).collect();
        (sum - 3.0 * (2.0 * t).cos(), row, vec![])
    });
    loss.prior = 1e-3;
    loss
}

#[test]
fn all_forms_give_the_same_steps() {
    let start: Vec<f64> = (0..40).map(|k| 2.0 * noise(100 + k)).collect();
    let run = |settings: LeastSquares| fit::<f64>(&settings, &start, &mut wide());
    let new = || LeastSquares::new(6);
    let (normal, record) = run(new().with_form(Form::Normal));
    assert!(record.final_loss() < 0.5 * record.steps[0].loss, "{record:?}");
    let (dual, same) = run(new().with_form(Form::Dual));
    close(&dual, &normal, 1e-8);
    close(&[same.final_loss()], &[record.final_loss()], 1e-8);
    let (chosen, same) = run(new());
    assert_eq!((chosen, same.steps), (dual, run(new().with_form(Form::Dual)).1.steps));
    // Conjugate gradients stop early, and single precision rounds: other steps, as good ones.
    let (_, free) = run(new().with_form(Form::MatrixFree));
    assert!(free.final_loss() < 1.2 * record.final_loss(), "{free:?}");
    let (_, single) = fit::<f32>(&new(), &start, &mut wide());
    assert!(single.final_loss() < 1.2 * record.final_loss(), "{single:?}");
}
