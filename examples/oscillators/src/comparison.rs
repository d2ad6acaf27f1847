//! The four models of the slides' comparison.

use clap::Args;
use hnn_losses::Window;
use serde::Serialize;

use super::{OscillatorOptions, Setting, TrajectoryTerm, Variant};
use hnn_examples::Result;

/// Options of the comparison: baseline, HNN, one-step loss, multiple shooting.
#[derive(Debug, Clone, Args, Serialize)]
pub struct Comparison {
    #[command(flatten)]
    #[serde(flatten)]
    shared: OscillatorOptions,
    /// Weight of the one-step loss; 100 in the deck.
    #[arg(long, default_value_t = 100.0)]
    alpha: f64,
    /// Weight of the window loss of multiple shooting.
    #[arg(long, default_value_t = 3.0)]
    shooting_alpha: f64,
    /// Steps a window of multiple shooting, separated by commas: each for an equal share of the
    /// training [default: 5,15,29 for the spring, 15 for the pendulum].
    #[arg(long, value_delimiter = ',')]
    windows: Option<Vec<usize>>,
}

impl Comparison {
    /// Trains and compares the models, and draws them; `windows` are those of multiple shooting
    /// by default.
    ///
    /// # Errors
    /// If an option makes no sense, a training run fails, or a file cannot be written.
    pub fn run(
        &self,
        name: &'static str,
        setting: fn(&OscillatorOptions) -> Result<Setting>,
        windows: &[usize],
    ) -> Result<()> {
        let one_step = TrajectoryTerm::new(self.alpha, Window::Steps(1));
        let windows = self.windows.as_deref().unwrap_or(windows);
        let windows: Vec<Window> = windows.iter().map(|steps| Window::Steps(*steps)).collect();
        let shooting = TrajectoryTerm::growing(self.shooting_alpha, &windows).shooting();
        let variants = [
            Variant::network(),
            Variant::plain(),
            Variant::with_trajectory("hnn_one_step", "HNN + one-step loss", one_step),
            Variant::with_trajectory("hnn_shooting", "HNN + multiple shooting", shooting),
        ];
        let setting = setting(&self.shared)?;
        let (report, output) = self.shared.run(name, self, &setting, &variants)?;
        report.draw(&output)
    }
}
