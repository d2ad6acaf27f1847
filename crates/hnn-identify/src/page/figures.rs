//! Figures of held-out rows.

use std::path::Path;

use hnn_plots::{Figure, Motion, trajectories};

use crate::score::rollout;
use crate::{Candidate, Identification, IdentifyError};

impl Identification {
    /// The longest held-out piece and what the models make of it; the files' names and what they show.
    pub(super) fn figures(&self, folder: &Path) -> Result<Vec<(String, String)>, IdentifyError> {
        let problem = &self.problem;
        let part = &problem.whole;
        let lengths = part.measured.lengths().iter().enumerate();
        let Some((index, _)) = lengths.max_by_key(|(_, len)| **len) else { return Ok(vec![]) };
        let Some(truth) = part.measured.trajectory(index) else { return Ok(vec![]) };
        let mut motions = vec![Motion::new("measured", truth.times, truth.states)?.truth()];
        for candidate in self.shown() {
            if let Some(run) = rollout(candidate.model.field(), problem, part, index) {
                motions.push(Motion::new(&candidate.name, truth.times, run.states())?);
            }
        }
        let rates = problem.positions.iter().map(|name| match problem.has_momenta {
            true => format!("momentum of {name}"),
            false => format!("{name}'"),
        });
        let labels = Vec::from_iter(problem.positions.iter().cloned().chain(rates));
        let labels = Vec::from_iter(labels.iter().map(String::as_str));
        let panels = trajectories(&motions, &labels)?;
        let figure = Figure::grid(1, panels)?.with_title("Held-out rows");
        figure.save(folder.join("held_out.png"))?;
        let text = format!(
            "The longest held-out piece, measured and predicted from its first row by {}",
            Vec::from_iter(self.shown().map(|candidate| candidate.name.as_str())).join(", ")
        );
        Ok(vec![("held_out.png".into(), text)])
    }

    /// The best model, and the two others with the lowest errors.
    fn shown(&self) -> impl Iterator<Item = &Candidate> {
        let mut others =
            Vec::from_iter(self.candidates.iter().filter(|c| c.name != self.best().name));
        others.sort_by(|a, b| a.score.mean().total_cmp(&b.score.mean()));
        others.truncate(2);
        others.insert(0, self.best());
        others.into_iter()
    }
}
