//! Recordings and data sets.

use hnn::Error;
use hnn::data::{Column, DataSet, DerivativeScheme, Recording, Trajectory};
use hnn::integrators::{FixedStep, RK4, Tolerances, Trajectories, solve};
use hnn::ndarray::Array2;
use hnn::systems::Spring;

use crate::odd::Odd;

pub(super) fn call(odd: &mut Odd) -> Result<(), Error> {
    match odd.below(3) {
        0 => recordings(odd),
        1 => conversions(odd),
        _ => sets(odd),
    }
}

/// Trajectories of the plane, mostly with derivatives.
pub(super) fn set(odd: &mut Odd) -> Result<DataSet<f64>, Error> {
    let known = !odd.yes(0.1);
    let trajectories = odd.some(3, |odd| {
        let rows = 1 + odd.below(7);
        let (times, states) = (odd.times(rows), odd.table(rows, 2));
        if known {
            Trajectory::new(times, states, odd.table(rows, 2))
        } else {
            Trajectory::states_only(times, states)
        }
    });
    Ok(DataSet::new(trajectories)?)
}

fn sets(odd: &mut Odd) -> Result<(), Error> {
    let data = set(odd)?;
    assert!(data.states().iter().chain(data.times()).all(|x| x.is_finite()));
    let _ = (data.points(), data.pairs(), data.time_batches(), data.starts());
    let _ = data.trajectory(odd.count(4));
    data.cast::<f32>()?.cast::<f64>()?;
    let (a, b) = data.split_at(odd.count(3))?;
    assert_eq!(a.len() + b.len(), data.len());
    data.select(&[odd.count(2), 0])?;
    data.windows(odd.count(4), odd.count(3))?;
    data.with_derivatives_of(&Spring::new(odd.positive(), odd.positive())?)?;
    DataSet::from_states(&Spring::default(), odd.number(), odd.table(3, 2))?;
    Ok(())
}

fn recordings(odd: &mut Odd) -> Result<(), Error> {
    let rows = odd.below(30);
    let trials = (0..odd.length(rows)).map(|k| if odd.is_odd() { odd.number() } else { k as f64 });
    let trials = Vec::from_iter(trials.map(|k| (k / 19.0).floor()));
    let (t, q, p, u) = (odd.times(rows), odd.numbers(rows), odd.numbers(rows), odd.numbers(rows));
    let columns = [("trial", &trials[..]), ("t", &t), ("q", &q), ("p", &p), ("u", &u)];
    let mut reader = Recording::from_columns(columns).with_gap(odd.or_odd(3.0));
    let angle = Column::new("q").scaled(odd.or_odd(1.0));
    reader = if odd.yes(0.5) { reader.angle(angle.wrapped()) } else { reader.position(angle) };
    reader = if odd.yes(0.9) { reader.time("t") } else { reader.with_interval(odd.positive()) };
    reader = if odd.yes(0.5) { reader.momentum("p") } else { reader };
    reader = if odd.yes(0.5) { reader.trial("trial") } else { reader };
    reader = if odd.yes(0.5) { reader.input(Column::new("u").held()) } else { reader };
    let recording = reader.load()?;
    let _ = recording.report().to_string();
    assert_eq!(recording.data_set()?.len(), recording.len());
    let schemes =
        [DerivativeScheme::Midpoint, DerivativeScheme::Central, DerivativeScheme::Forward];
    let data = recording.differences(odd.pick(&schemes))?;
    assert!(data.derivatives().iter().all(|x| x.is_finite()));
    let found = recording.differentiate()?;
    assert_eq!(found.data.len() + found.left_out, recording.len());
    recording.select(&[odd.count(3)])?;
    let (first, rest) = recording.split_at(odd.count(20))?;
    assert_eq!(first.len() + rest.len(), recording.len());
    Ok(())
}

fn conversions(odd: &mut Odd) -> Result<(), Error> {
    let (spring, x0) = (Spring::default(), odd.table(2, 2));
    let times = odd.times(4);
    let run = FixedStep::count(RK4, 2).run_at(&spring, &times, x0.view())?;
    let data = DataSet::try_from(&run)?;
    let _ = Trajectories::try_from(&data)?;
    let mut solution = solve(&spring, x0.row(0), &times, Tolerances::default())?;
    DataSet::try_from(&solution)?;
    (solution.times, solution.states) = (odd.times(3), odd.table(3, 2));
    DataSet::try_from(&solution)?;
    let states = Array2::zeros((odd.length(3), 2)).insert_axis(hnn::ndarray::Axis(0));
    DataSet::try_from(&Trajectories { times: odd.times(3), states })?;
    Ok(())
}
