//! Rows shared out among ranks, which here are threads of this program: `tests/mpi.rs` does the same with
//! processes.

#[path = "../ranks/fits.rs"]
mod fits;
#[path = "../../../hnn-testing/ranks/threads.rs"]
mod threads;

use hnn_integrators::Parameters;
use hnn_losses::{
    DerivativeLoss, Distributed, Loss, LossError, Selection, TotalLoss, TrajectoryLoss, Window,
};
use hnn_train::{LeastSquares, TrainError};
use threads::on_ranks;

/// That ranks have the numbers of one process, all the same bits, and again in a second run.
fn same_as_one(
    tolerance: f64,
    numbers: impl Fn(fits::Team<'_>) -> Result<Vec<f64>, Box<dyn std::error::Error>> + Sync,
) {
    let one = numbers(None).unwrap();
    for count in 1..=3 {
        let run = || on_ranks(count, |ranks| numbers(Some(ranks)).unwrap());
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
    same_as_one(1e-9, fits::least_squares);
}

#[test]
fn a_saved_run_goes_on_with_other_ranks() {
    let whole = fits::training(None, 20, None).unwrap();
    for (first, second) in [(1, 3), (2, 3), (3, 1)] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run");
        on_ranks(first, |ranks| fits::training(Some(ranks), 8, Some(&file)).unwrap());
        let resumed =
            on_ranks(second, |ranks| fits::training(Some(ranks), 20, Some(&file)).unwrap());
        for (a, b) in resumed[0].iter().zip(&whole) {
            assert!((a - b).abs() <= 1e-10 * b.abs().max(1e-3), "{a} instead of {b}");
        }
    }
}

#[test]
fn an_error_of_one_rank_is_that_of_all() {
    let errors = on_ranks(3, |ranks| fits::failure(ranks).unwrap());
    assert!(errors.iter().all(|error| *error == errors[0]));
    // The last three trajectories of 12, 11, ... 6 rows.
    let expected = "step 0: rank 2 of 3 (rows 42..63): the data have 1 inputs a row";
    assert!(errors[0].starts_with(expected), "{}", errors[0]);
}

#[test]
fn what_ranks_cannot_share_is_an_error() {
    on_ranks(2, |ranks| {
        let (data, mut model) = (fits::data().unwrap(), fits::model().unwrap());
        let derivative = || DerivativeLoss::of(&data).unwrap();
        // Rows of a total in which one term is distributed would count once a rank.
        let inside = Distributed::new(derivative(), ranks);
        let mut total = TotalLoss::new(inside).plus(1.0, derivative()).unwrap();
        let error = LeastSquares::new(1).fit(&mut model, &mut total, None, &mut ()).unwrap_err();
        let TrainError::Loss { source: LossError::NotShared { .. }, .. } = error else {
            panic!("{error}")
        };
        // Locals, and states of two terms.
        let fitted = || {
            let loss = TrajectoryLoss::new(hnn_integrators::RK4, Window::Steps(3), &data).unwrap();
            loss.with_fitted_starts(0.1).unwrap()
        };
        let mut starts = Distributed::new(fitted(), ranks);
        let error = LeastSquares::new(1).fit(&mut model, &mut starts, None, &mut ()).unwrap_err();
        assert!(error.to_string().contains("has fitted starts"), "{error}");
        let two = TotalLoss::new(fitted()).plus(1.0, fitted()).unwrap();
        let error = Distributed::new(two, ranks).value(&model, Selection::All).unwrap_err();
        assert!(error.to_string().contains("2 terms of a loss have fitted starts"), "{error}");
        // A row that nobody has.
        let mut loss = Distributed::new(derivative(), ranks);
        let rows = loss.total_rows();
        let error = loss.value(&model, Selection::Rows(&[rows])).unwrap_err();
        assert_eq!(error, LossError::NoSuchRow { row: rows, rows });
        assert_eq!(rows, 2 * data.len());
        assert!(model.num_params() > 0);
    });
}
