//! Data sets of solutions, and back.

use hnn_data::{DataError, DataSet, Trajectory};
use hnn_integrators::{
    Adaptive, DORMAND_PRINCE5, FixedStep, FnField, RK4, Tolerances, Trajectories, VectorField,
    solve, solve_batch,
};
use ndarray::{Array2, array};

/// `x' = t - x`: the time matters.
fn driven() -> impl VectorField<f64> {
    FnField::new(1, |t: f64, x: &[f64], dx: &mut [f64]| dx[0] = t - x[0])
}

#[test]
fn solutions_become_trajectories() {
    let (times, tolerances) = ([0.0, 0.5, 2.0], Tolerances::default());
    let run = solve(&driven(), array![1.0].view(), &times, tolerances).expect("solved");
    let data = DataSet::try_from(&run).expect("increasing times");
    assert_eq!((data.times(), data.states()), (&times[..], run.states.view()));
    assert_eq!(data.derivatives().dim(), (3, 0));

    let starts = array![[1.0], [3.0]];
    let run = solve_batch(&driven(), starts.view(), &times, tolerances).expect("solved");
    let data = DataSet::from_batch(&run, [&times[..]; 2]).expect("all solved");
    assert_eq!((data.lengths(), data.starts()), (&[3, 3][..], starts.clone()));

    let run = FixedStep::count(RK4, 4).with_save_every(2).run(&driven(), (0.0, 2.0), starts.view());
    let run = run.expect("runs");
    let data = DataSet::try_from(&run).expect("increasing times");
    assert_eq!((data.num_trajectories(), data.times()), (2, &[0.0, 1.0, 2.0, 0.0, 1.0, 2.0][..]));
    assert_eq!(Trajectories::try_from(&data).expect("equal times"), run);
}

#[test]
fn a_batch_may_have_times_of_its_own() {
    let times: [&[f64]; 2] = [&[0.0, 1.0], &[-1.0, 0.0, 4.0]];
    let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::default());
    let run =
        solver.solve_batch_at(&driven(), array![[1.0], [2.0]].view(), &times).expect("solved");
    let data = DataSet::from_batch(&run, times).expect("all solved");
    assert_eq!((data.lengths(), data.times()), (&[2, 3][..], &[0.0, 1.0, -1.0, 0.0, 4.0][..]));
    assert!(matches!(Trajectories::try_from(&data), Err(DataError::OtherTimes { trajectory: 1 })));
    // A row of times too few, and one time too many.
    let error = DataSet::from_batch(&run, [times[0]]).expect_err("two").to_string();
    assert_eq!(error, "1 lists of times for 2 trajectories: give each its times");
    assert!(DataSet::from_batch(&run, [times[0], &[0.0, 1.0, 2.0, 3.0]]).is_err());
    // Beyond its own end, a row of the batch holds NaN.
    assert!(DataSet::from_batch(&run, [times[1], times[1]]).is_err());
}

#[test]
fn what_was_not_solved_is_an_error() {
    let explosion = FnField::new(1, |_t, x: &[f64], dx: &mut [f64]| dx[0] = x[0] * x[0]);
    let (starts, times) = (array![[-1.0], [1.0]], [0.0, 2.0]);
    let failure = solve_batch(&explosion, starts.view(), &times, Tolerances::default());
    let partial = failure.expect_err("the second ends at t = 1").partial.expect("the first");
    let error = DataSet::from_batch(&partial, [&times[..]; 2]);
    assert!(matches!(error, Err(DataError::Solve(_))));
    // Backwards in time.
    let run = solve(&driven(), array![1.0].view(), &[1.0, 0.0], Tolerances::default());
    let error = DataSet::try_from(&run.expect("solved"));
    assert!(matches!(error, Err(DataError::TimeOrder { trajectory: 0, row: 1, .. })));
}

/// Each point's derivative is taken at its own time.
#[test]
fn derivatives_of_a_driven_field() {
    let one = |start: f64| {
        let times = vec![start, start + 1.0];
        Trajectory::states_only(times, array![[1.0], [2.0]])
    };
    let data = DataSet::new([one(0.0), one(10.0)]).expect("valid");
    let data = data.with_derivatives_of(&driven()).expect("field");
    assert_eq!(data.derivatives(), array![[-1.0], [-1.0], [9.0], [9.0]]);

    let wide = Trajectory::states_only(vec![0.0], Array2::zeros((1, 2)));
    let wide = DataSet::new([wide]).expect("valid").with_derivatives_of(&driven());
    assert!(matches!(wide, Err(DataError::Field(_))));
    let pole = FnField::new(1, |t: f64, _x: &[f64], dx: &mut [f64]| dx[0] = 1.0 / (t - 11.0));
    let error = data.with_derivatives_of(&pole).expect_err("a pole").to_string();
    assert!(error.starts_with("trajectory 1, row 1: the derivatives hold inf"), "{error}");
}
