//! A damped pendulum and two imperfect models of it.

use hnn_integrators::{AnalyticField, Lane, VectorField};
use hnn_plots::{Motion, PlotError};
use ndarray::Array2;

/// H = 3 (1 - cos q) + p^2 with friction: (2 p, -strength sin q - damping p).
pub(crate) struct Pendulum {
    pub(crate) strength: f64,
    pub(crate) damping: f64,
}

pub(crate) const TRUE_SYSTEM: Pendulum = Pendulum { strength: 3.0, damping: 0.1 };

impl AnalyticField for Pendulum {
    type State<L: Lane> = [L; 2];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, [q, p]: &[L; 2]) -> [L; 2] {
        let (strength, damping) = (L::constant(self.strength), L::constant(self.damping));
        [*p + *p, -(strength * q.sin()) - damping * *p]
    }
}

pub(crate) fn energy(x: &[f64]) -> f64 {
    3.0 * (1.0 - x[0].cos()) + x[1] * x[1]
}

impl Pendulum {
    /// 400 states over 20 s by the classical Runge-Kutta method.
    pub(crate) fn motion(&self, label: &str, start: [f64; 2]) -> Result<Motion, PlotError> {
        let h = 0.05;
        let times: Vec<f64> = (0..400).map(|i| h * f64::from(i)).collect();
        let mut states = Array2::zeros((times.len(), 2));
        let mut x = start.to_vec();
        for mut row in states.rows_mut() {
            row.assign(&ndarray::aview1(&x));
            let ahead = |k: &[f64], c: f64| vec![x[0] + c * h * k[0], x[1] + c * h * k[1]];
            let k1 = self.eval_state(0.0, &x)?;
            let k2 = self.eval_state(0.0, &ahead(&k1, 0.5))?;
            let k3 = self.eval_state(0.0, &ahead(&k2, 0.5))?;
            let k4 = self.eval_state(0.0, &ahead(&k3, 1.0))?;
            x = (0..2)
                .map(|i| x[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
                .collect();
        }
        Motion::new(label, &times, states.view())
    }
}

/// The truth, then models named as in the experiments.
pub(crate) fn motions() -> Result<Vec<Motion>, PlotError> {
    let start = [1.9, 0.4];
    Ok(vec![
        TRUE_SYSTEM.motion("true system", start)?.truth(),
        Pendulum { strength: 2.8, damping: 0.04 }.motion("baseline", start)?,
        Pendulum { strength: 3.0, damping: 0.0 }.motion("HNN", start)?,
        Pendulum { strength: 3.01, damping: 0.099 }.motion("HNN + friction", start)?,
    ])
}
