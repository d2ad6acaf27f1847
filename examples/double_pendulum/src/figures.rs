//! Figures and animation of one start's rollouts.

use hnn_examples::{Judge, Output, Result, write_animation};
use hnn_plots::{Figure, Motion, Panel, energy, trajectories};
use hnn_systems::Hamiltonian;
use ndarray::{Array2, s};

use crate::{Contender, Verdict};

/// The rollouts from the first start up to a time: the truth, and every contender that stayed
/// finite.
pub struct Show {
    times: Vec<f64>,
    motions: Vec<(&'static str, Array2<f64>)>,
}

impl Show {
    /// Of contenders and what they reached.
    #[must_use]
    pub fn new(judge: &Judge, contenders: &[(Contender, Verdict)], end: f64) -> Self {
        let shown = judge.times.iter().take_while(|t| **t <= end).count();
        let truth = ("truth", &judge.truth.states);
        let learned = contenders.iter().map(|(c, verdict)| (c.label, &verdict.rollouts.states));
        let motions = [truth].into_iter().chain(learned);
        let motions = motions.map(|(label, states)| (label, states.slice(s![0, ..shown, ..])));
        let finite = motions.filter(|(_, states)| states.iter().all(|x| x.is_finite()));
        Self {
            times: judge.times[..shown].to_vec(),
            motions: finite.map(|(label, states)| (label, states.to_owned())).collect(),
        }
    }

    /// The last time shown.
    #[must_use]
    pub fn end(&self) -> f64 {
        self.times.last().copied().unwrap_or(0.0)
    }

    /// The motions to plot, the truth first.
    ///
    /// # Errors
    /// If there is nothing to plot.
    pub fn motions(&self) -> Result<Vec<Motion>> {
        let motion = |(index, (label, states)): (usize, &(&str, Array2<f64>))| {
            let motion = Motion::new(*label, &self.times, states.view())?;
            Ok(if index == 0 { motion.truth() } else { motion })
        };
        self.motions.iter().enumerate().map(motion).collect()
    }

    /// Angles and true energy over time.
    ///
    /// # Errors
    /// If there is nothing to plot.
    pub fn panels(&self, system: &dyn Hamiltonian<f64>) -> Result<Vec<Panel>> {
        let motions = self.motions()?;
        let level = |x: &[f64]| system.energy_state(x).unwrap_or(f64::NAN);
        let mut panels = trajectories(&motions, &["angle q1 (rad)", "angle q2 (rad)"])?;
        panels.push(energy(&motions, level)?.with_y_label("energy (J)"));
        Ok(panels)
    }

    /// Writes a figure of [`panels`](Self::panels).
    ///
    /// # Errors
    /// If it cannot be drawn or written.
    pub fn figure(&self, system: &dyn Hamiltonian<f64>, output: &Output, name: &str) -> Result<()> {
        let title = format!("Double pendulum: {} s", self.end());
        output.figure(name, &Figure::grid(1, self.panels(system)?)?.with_title(title))
    }

    /// Writes the page `animation.html` of the motions.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn animation(&self, output: &Output, title: &str) -> Result<()> {
        let shows = Vec::from_iter(self.motions.iter().map(|(label, x)| (*label, x.view())));
        let seconds = self.times.get(1).map_or(1.0, |t| t - self.times[0]);
        write_animation(&output.path("animation.html"), title, 2, &shows, seconds)
    }
}
