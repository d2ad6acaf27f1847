//! The weight of the one-step loss, from 0 (plain HNN) to 100: does a larger one lower the
//! trajectory error, and what does it cost in energy?
//!
//! `cargo run --release --example alpha_sweep`
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use clap::Parser;
use hnn_examples::{Result, Row, exit};
use hnn_losses::Window;
use hnn_oscillator_examples::{OscillatorOptions, System, TrajectoryTerm, Variant};
use hnn_plots::{Dash, Figure, Mark, Panel, Series};
use serde::Serialize;

/// The weight alpha of the trajectory loss.
#[derive(Debug, Parser, Serialize)]
struct Options {
    #[command(flatten)]
    #[serde(flatten)]
    shared: OscillatorOptions,
    /// Which system.
    #[arg(long, value_enum, default_value_t = System::Spring)]
    system: System,
    /// Weights of the one-step loss.
    #[arg(long, value_delimiter = ',', default_value = "1,10,50,100")]
    alphas: Vec<f64>,
}

fn main() -> ExitCode {
    exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let setting = options.system.setting(&options.shared)?;
    let with = |alpha: &f64| {
        let (key, label) = (format!("hnn_one_step_{alpha}"), format!("α = {alpha}"));
        Variant::with_trajectory(&key, &label, TrajectoryTerm::new(*alpha, Window::Steps(1)))
    };
    let variants: Vec<Variant> =
        [Variant::plain()].into_iter().chain(options.alphas.iter().map(with)).collect();
    let trained = options.shared.run("alpha_sweep", options, &setting, &variants)?;
    let Some((report, output)) = trained else { return Ok(()) };

    let rows = report.rows()?;
    let panel = |metric: &str, label: &str| -> Result<_> {
        let own = rows.iter().filter(|row| row.metric == metric);
        let (plain, swept): (Vec<_>, Vec<_>) = own.partition(|row| row.model == "hnn");
        let means = swept.iter().map(|row| row.mean);
        let alphas = || options.alphas.iter().copied();
        let series = Series::new("HNN + one-step loss", alphas(), means)?
            .with_error_bars(swept.iter().map(|row| row.std_error))?
            .with_mark(Mark::LinePoints);
        // The plain HNN, with its standard error as a band.
        let Row { mean, std_error, .. } = *plain[0];
        let flat = |value: f64| alphas().map(move |_| value);
        let plain = Series::new("HNN", alphas(), flat(mean))?
            .with_band(flat((mean - std_error).max(0.0)), flat(mean + std_error))?
            .with_dash(Dash::Dashed);
        let panel = Panel::new("").with_x_label("weight α").with_y_label(label).with_log_x();
        Ok(panel.series(series).series(plain))
    };
    let panels = vec![
        panel("coordinate_mse_ring", "coordinate MSE, ring starts")?,
        panel("energy_mse_ring", "energy MSE, ring starts")?,
    ];
    let title = setting.title("mean and standard error over the seeds");
    output.figure("sweep", &Figure::grid(2, panels)?.with_title(title))?;
    report.draw(&output)
}
