//! The models side by side.

use clap::Args;
use hnn_losses::Window;
use serde::Serialize;

use super::{OscillatorOptions, Setting, TrajectoryTerm, Variant};
use hnn_examples::Result;

/// Options of the comparison: baseline, HNN, one-step loss, windows, multiple shooting, least squares.
#[derive(Debug, Clone, Args, Serialize)]
pub struct Comparison {
    #[command(flatten)]
    #[serde(flatten)]
    shared: OscillatorOptions,
    /// Weight of the one-step loss; 100 in the reference.
    #[arg(long, default_value_t = 100.0)]
    alpha: f64,
    /// Weight of the growing windows, which begin at measured states.
    #[arg(long, default_value_t = 10.0)]
    window_alpha: f64,
    /// Their steps, separated by commas: each for an equal share of the training [default:
    /// 1,5,15,29,29 for the spring, 1,5,15 for the pendulum].
    #[arg(long, value_delimiter = ',')]
    windows: Option<Vec<usize>>,
    /// Weight of the states in multiple shooting.
    #[arg(long, default_value_t = 3.0)]
    shooting_alpha: f64,
    /// Steps a window of multiple shooting.
    #[arg(long, default_value_t = 15)]
    shooting_window: usize,
}

impl Comparison {
    /// Trains and compares the models, and draws them; `windows` are the growing ones'
    /// steps by default.
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
        let growing = TrajectoryTerm::growing(self.window_alpha, &windows);
        let window = Window::Steps(self.shooting_window);
        let shooting = TrajectoryTerm::new(self.shooting_alpha, window).shooting();
        let mut variants = vec![
            Variant::network(),
            Variant::plain(),
            Variant::with_trajectory("hnn_one_step", "HNN + one-step loss", one_step),
            Variant::with_trajectory("hnn_windows", "HNN + growing windows", growing),
            Variant::with_trajectory("hnn_shooting", "HNN + multiple shooting", shooting),
        ];
        let setting = setting(&self.shared)?;
        if self.shared.has_least_squares() {
            let is_noisy = self.shared.noise.is_some_and(|noise| noise > 0.0);
            variants.push(Variant::least_squares(is_noisy.then(|| setting.noisy.clone())));
        }
        let trained = self.shared.run(name, self, &setting, &variants)?;
        let Some((report, output)) = trained else { return Ok(()) };
        report.draw(&output)
    }
}
