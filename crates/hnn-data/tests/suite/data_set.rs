//! The container of trajectories.

use hnn_data::{DataError, DataSet, Trajectory};
use ndarray::{Array2, array};
use proptest::prelude::*;

/// A trajectory whose numbers say where they come from: state `100 m + k + i / 8`.
fn labelled(m: usize, len: usize) -> Trajectory<f64> {
    let label = |k: usize, i: usize| (100 * m + k) as f64 + i as f64 / 8.0;
    Trajectory::new(
        (0..len).map(|k| k as f64 * 0.5 + m as f64).collect(),
        Array2::from_shape_fn((len, 2), |(k, i)| label(k, i)),
        Array2::from_shape_fn((len, 2), |(k, i)| -label(k, i)),
    )
}

fn data(lengths: &[usize]) -> DataSet<f64> {
    DataSet::new(lengths.iter().enumerate().map(|(m, &len)| labelled(m, len))).expect("valid")
}

fn message(result: Result<DataSet<f64>, DataError>) -> String {
    result.expect_err("bad data").to_string()
}

proptest! {
    #[test]
    fn pairs_never_cross_the_end_of_a_trajectory(
        lengths in prop::collection::vec(1_usize..7, 1..6),
    ) {
        let data = data(&lengths);
        let pairs = data.pairs();
        let count = pairs.row.len();
        prop_assert_eq!(count, data.len() - data.num_trajectories());
        for i in 0..count {
            prop_assert_eq!(pairs.next[i] - pairs.x[i], 1.0);
            prop_assert_eq!(pairs.next[count + i] - pairs.x[count + i], 1.0);
            prop_assert_eq!(pairs.dt[i], 0.5);
            prop_assert_eq!(pairs.t[i], data.times()[pairs.row[i]]);
            prop_assert_eq!(pairs.x[i], data.states()[[pairs.row[i], 0]]);
        }
    }

    #[test]
    fn trajectories_come_back(lengths in prop::collection::vec(1_usize..7, 1..6)) {
        let data = data(&lengths);
        prop_assert_eq!(data.len(), lengths.iter().sum::<usize>());
        for (m, one) in data.iter().enumerate() {
            prop_assert_eq!(one.to_owned(), labelled(m, lengths[m]));
        }
        prop_assert!(data.trajectory(lengths.len()).is_none());
        let again = DataSet::new(data.iter().map(|one| one.to_owned())).expect("valid");
        prop_assert_eq!(again, data);
    }

    #[test]
    fn a_split_shares_no_trajectory(
        lengths in prop::collection::vec(1_usize..7, 2..6), at in 0_usize..7,
    ) {
        let data = data(&lengths);
        match data.split_at(at) {
            Ok((train, test)) => {
                prop_assert_eq!(train.num_trajectories(), at);
                prop_assert_eq!(train.len() + test.len(), data.len());
                let joined = DataSet::new(train.iter().chain(test.iter()).map(|one| one.to_owned()));
                prop_assert_eq!(joined.expect("valid"), data);
            }
            Err(_) => prop_assert!(at == 0 || at >= lengths.len()),
        }
    }

    #[test]
    fn time_batches_hold_every_trajectory_once(
        lengths in prop::collection::vec(1_usize..4, 1..8),
    ) {
        // All begin at time 0, so that those of equal length share their times.
        let data = DataSet::new(lengths.iter().enumerate().map(|(m, &len)| Trajectory {
            times: (0..len).map(|k| k as f64).collect(),
            ..labelled(m, len)
        }))
        .expect("valid");
        let mut seen = Vec::new();
        for batch in data.time_batches() {
            prop_assert_eq!(batch.states.len(), batch.times.len());
            for (place, &m) in batch.trajectories.iter().enumerate() {
                let one = data.trajectory(m).expect("in range");
                prop_assert_eq!(&batch.times, one.times);
                for (k, block) in batch.states.iter().enumerate() {
                    prop_assert_eq!(block[place], one.states[[k, 0]]);
                    prop_assert_eq!(block[batch.trajectories.len() + place], one.states[[k, 1]]);
                }
                seen.push(m);
            }
        }
        seen.sort_unstable();
        prop_assert_eq!(seen, Vec::from_iter(0..lengths.len()));
        let mut different = lengths;
        different.sort_unstable();
        different.dedup();
        prop_assert_eq!(data.time_batches().len(), different.len());
    }

    #[test]
    fn windows_are_slices(
        lengths in prop::collection::vec(1_usize..9, 1..5), len in 1_usize..6, stride in 1_usize..4,
    ) {
        let data = data(&lengths);
        let expected: usize =
            lengths.iter().filter(|&&n| n >= len).map(|n| (n - len) / stride + 1).sum();
        match data.windows(len, stride) {
            Ok(windows) => {
                prop_assert_eq!(windows.num_trajectories(), expected);
                for one in windows.iter() {
                    prop_assert_eq!(one.times.len(), len);
                    prop_assert_eq!(one.states[[len - 1, 0]] - one.states[[0, 0]], (len - 1) as f64);
                }
            }
            Err(_) => prop_assert_eq!(expected, 0),
        }
    }
}

#[test]
fn points_are_coordinate_major() {
    let points = data(&[2, 1]).points();
    assert_eq!(points.t, [0.0, 0.5, 1.0]);
    assert_eq!(points.x, [0.0, 1.0, 100.0, 0.125, 1.125, 100.125]);
    assert_eq!(points.dx, [0.0, -1.0, -100.0, -0.125, -1.125, -100.125]);
    assert!(points.u.is_empty());
}

#[test]
fn starts_are_the_first_states() {
    assert_eq!(data(&[2, 3]).starts(), array![[0.0, 0.125], [100.0, 100.125]]);
}

#[test]
fn inputs_come_along() {
    let forced =
        |m, len| Trajectory { inputs: Array2::from_elem((len, 1), m as f64), ..labelled(m, len) };
    let data = DataSet::new([forced(0, 2), forced(1, 3)]).expect("valid");
    assert_eq!(data.points().u, [0.0, 0.0, 1.0, 1.0, 1.0]);
    assert_eq!(data.trajectory(1).expect("two").inputs, array![[1.0], [1.0], [1.0]]);
    // The first has an input, the second none.
    let error = message(DataSet::new([forced(0, 2), labelled(1, 2)]));
    assert_eq!(error, "trajectory 1: 0 columns of inputs, but 1 are expected");
}

#[test]
fn derivatives_need_not_be_known() {
    let unknown = |m| Trajectory::states_only(labelled(m, 3).times, labelled(m, 3).states);
    let data = DataSet::new([unknown(0), unknown(1)]).expect("valid");
    assert_eq!((data.dim(), data.derivatives().dim()), (2, (6, 0)));
    assert_eq!(data.windows(2, 1).expect("short").derivatives().dim(), (8, 0));
    let error = message(DataSet::new([unknown(0), labelled(1, 3)]));
    assert_eq!(error, "trajectory 1: 2 columns of derivatives, but 0 are expected");
    let error = message(DataSet::new([labelled(0, 3), unknown(1)]));
    assert_eq!(error, "trajectory 1: 0 columns of derivatives, but 2 are expected");
}

#[test]
fn another_precision() {
    let single = data(&[3, 2]).cast::<f32>().expect("fits");
    assert_eq!(single.states()[[4, 1]], 101.125_f32);
    assert_eq!(single.len(), 5);
    // In f32 these two times are one.
    let close = Trajectory { times: vec![1.0, 1.0 + 1e-12], ..labelled(0, 2) };
    let close = DataSet::new([close]).expect("increasing in f64");
    assert!(close.cast::<f32>().is_err());
}

#[test]
fn bad_data_name_their_place() {
    assert_eq!(message(DataSet::new([])), "no trajectory: at least one is needed");

    let empty = labelled(1, 0);
    let error = message(DataSet::new([labelled(0, 2), empty]));
    assert_eq!(error, "trajectory 1 has no points: leave it out");

    let mut bad = labelled(1, 4);
    bad.states[[2, 1]] = f64::NAN;
    let error = message(DataSet::new([labelled(0, 2), bad]));
    assert!(error.starts_with("trajectory 1, row 2: the states hold NaN"), "{error}");

    let mut bad = labelled(0, 4);
    bad.derivatives[[3, 0]] = f64::INFINITY;
    let error = message(DataSet::new([bad]));
    assert!(error.starts_with("trajectory 0, row 3: the derivatives hold inf"), "{error}");

    let mut bad = labelled(0, 4);
    bad.times[1] = f64::NAN;
    assert!(message(DataSet::new([bad])).starts_with("trajectory 0, row 1: the times hold NaN"));

    for time in [0.0, -1.0] {
        let mut bad = labelled(0, 4);
        bad.times[1] = time;
        let error = message(DataSet::new([bad]));
        assert!(error.starts_with("trajectory 0, row 1: time"), "{error}");
        assert!(error.contains("does not come after 0"), "{error}");
    }

    let short = Trajectory { derivatives: Array2::zeros((3, 2)), ..labelled(0, 4) };
    let error = message(DataSet::new([short]));
    assert_eq!(error, "trajectory 0 has 4 times, but 3 rows of derivatives");

    let wide = Trajectory { derivatives: Array2::zeros((4, 3)), ..labelled(0, 4) };
    let error = message(DataSet::new([wide]));
    assert_eq!(error, "trajectory 0: 3 columns of derivatives, but 2 are expected");
}

#[test]
fn bad_requests() {
    let data = data(&[3, 2]);
    let error = data.select(&[0, 2]).expect_err("two trajectories").to_string();
    assert_eq!(error, "trajectory 2 asked for, but there are 2, counted from 0");
    assert!(data.select(&[]).is_err());
    assert!(data.split_at(0).is_err() && data.split_at(2).is_err());
    assert!(data.windows(0, 1).is_err() && data.windows(2, 0).is_err());
    assert!(data.windows(usize::MAX, 1).is_err());
    // Windows that would hold 2.5e9 numbers of 1e5 points.
    let long =
        Trajectory::states_only((0..100_000).map(f64::from).collect(), Array2::zeros((100_000, 1)));
    let long = DataSet::new([long]).expect("valid");
    let error = long.windows(50_000, 1).expect_err("too many").to_string();
    assert_eq!(
        error,
        "2500050000 points of windows would take 80001600000 bytes, but a call may take 1073741824 at most: take shorter windows, or a longer stride"
    );
    let error = data.windows(4, 1).expect_err("too long").to_string();
    assert_eq!(error, "3 points in the longest trajectory, but one window needs at least 4");
}
