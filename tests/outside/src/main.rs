//! Fits a model to numbers in memory, saves it, loads it, rolls it out and draws it.

use hnn::plots::phase_portrait;
use hnn::prelude::*;

fn main() -> Result<(), hnn::Error> {
    let t = Vec::from_iter((0..120).map(|k| 0.05 * f64::from(k)));
    let [q, p] = [0.0, 1.6].map(|lag| Vec::from_iter(t.iter().map(|t| (2.0 * t + lag).cos())));
    let columns = Recording::from_columns([("t", &t[..]), ("q", &q), ("p", &p)]);
    let data = columns.time("t").position("q").momentum("p").load()?.differentiate()?.data;
    let network = Mlp::new(Architecture::new(&[2, 8, 1])?, Initialisation::Orthogonal, 0);
    let mut model = Hnn::new(network)?;
    LeastSquares::new(40).fit(&mut model, &mut DerivativeLoss::from_data(&data)?, None, &mut ())?;
    model.save("oscillator.safetensors")?;
    let learned = Hnn::<Mlp<f64>>::load("oscillator.safetensors")?;
    let rollout = solve(&learned, data.starts().row(0), data.times(), Tolerances::default())?;
    let motion = Motion::new("HNN", data.times(), rollout.states.view())?;
    Figure::new(phase_portrait(&learned, &[motion])?).save("oscillator.svg")?;
    let errors = &rollout.states - &data.states();
    println!("{:.1e}", errors.iter().fold(0.0_f64, |largest, error| largest.max(error.abs())));
    Ok(())
}
