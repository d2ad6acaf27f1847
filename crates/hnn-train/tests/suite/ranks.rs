//! Rows shared out among ranks, which here are threads of this program: `tests/mpi.rs` does the same with
//! processes.

#[path = "../ranks/fits.rs"]
mod fits;

use hnn_integrators::Parameters;
use hnn_losses::{
    DerivativeLoss, Distributed, Loss, LossError, RowSelection, TotalLoss, TrajectoryLoss, Window,
    on_threads,
};
use hnn_train::{LeastSquares, TrainError};

/// That ranks have the numbers of one process, all the same bits, and again in a second run.
fn same_as_one(
    tolerance: f64,
    numbers: impl Fn(fits::Team<'_>) -> Result<Vec<f64>, Box<dyn std::error::Error>> + Sync,
) {
    let one = numbers(None).expect("of one process");
    for count in 1..=3 {
        let run = || on_threads(count, |ranks| numbers(Some(ranks)).expect("of a rank"));
        let all = run();
        assert!(all.iter().all(|numbers| *numbers == all[0]), "ranks differ");
        assert_eq!(run(), all, "runs differ");
        assert_eq!(all[0].len(), one.len());
        for (place, (given, expected)) in all[0].iter().zip(&one).enumerate() {
            let error = (given - expected).abs();
            assert!(
                error <= tolerance * expected.abs().max(1e-3),
                "{count} ranks, number {place}: {given} instead of {expected}"
            );
        }
    }
}

#[test]
fn losses_and_gradients_are_those_of_one_process() {
    same_as_one(1e-12, fits::losses);
}

#[test]
fn training_is_that_of_one_process() {
    same_as_one(1e-12, |ranks| fits::training(ranks, 20, None));
}

#[test]
fn least_squares_are_those_of_one_process() {
    same_as_one(1e-12, fits::least_squares);
    same_as_one(1e-9, fits::matrix_free);
}

#[test]
fn a_saved_run_goes_on_with_other_ranks() {
    let whole = fits::training(None, 20, None).expect("a run");
    for (first, second) in [(1, 3), (2, 3), (3, 1)] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("run");
        on_threads(first, |ranks| fits::training(Some(ranks), 8, Some(&file)).expect("a run"));
        let resumed = on_threads(second, |ranks| {
            fits::training(Some(ranks), 20, Some(&file)).expect("a run")
        });
        for (a, b) in resumed[0].iter().zip(&whole) {
            assert!((a - b).abs() <= 1e-10 * b.abs().max(1e-3), "{a} instead of {b}");
        }
    }
}

#[test]
fn an_error_of_one_rank_is_that_of_all() {
    let errors = on_threads(3, |ranks| fits::failure(ranks).expect("a failure"));
    assert!(errors.iter().all(|error| *error == errors[0]));
    // The last three trajectories of 12, 11, ... 6 rows.
    let expected = "step 0: rank 2 of 3 (rows 42..63): the data have 1 inputs a row";
    assert!(errors[0].starts_with(expected), "{}", errors[0]);
}

#[test]
fn what_ranks_cannot_share_is_an_error() {
    on_threads(2, |ranks| {
        let (data, mut model) = (fits::data().expect("data"), fits::model().expect("a model"));
        let derivative = || DerivativeLoss::from_data(&data).expect("a loss");
        // Rows of a total in which one term is distributed would count once a rank.
        let inside = Distributed::new(derivative(), ranks);
        let mut total = TotalLoss::new(inside).plus(1.0, derivative()).expect("a total");
        let error = LeastSquares::new(1)
            .fit(&mut model, &mut total, None, &mut ())
            .expect_err("ranks cannot share it");
        let TrainError::Loss { source: LossError::NotShared { .. }, .. } = error else {
            panic!("{error}")
        };
        // Locals, and states of two terms.
        let fitted = || {
            let loss =
                TrajectoryLoss::new(hnn_integrators::RK4, Window::Steps(3), &data).expect("a loss");
            loss.with_fitted_starts(0.1).expect("starts")
        };
        let mut starts = Distributed::new(fitted(), ranks);
        let error = LeastSquares::new(1)
            .fit(&mut model, &mut starts, None, &mut ())
            .expect_err("ranks cannot share it");
        assert!(error.to_string().contains("has fitted starts"), "{error}");
        let two = TotalLoss::new(fitted()).plus(1.0, fitted()).expect("a total");
        let error = Distributed::new(two, ranks)
            .value(&model, RowSelection::All)
            .expect_err("ranks cannot share it");
        assert!(error.to_string().contains("2 terms of a loss have fitted starts"), "{error}");
        // A row that nobody has.
        let mut loss = Distributed::new(derivative(), ranks);
        let rows = loss.total_rows();
        let error =
            loss.value(&model, RowSelection::Rows(&[rows])).expect_err("ranks cannot share it");
        assert_eq!(error, LossError::NoSuchRow { row: rows, rows });
        assert_eq!(rows, 2 * data.len());
        assert!(model.num_params() > 0);
    });
}
