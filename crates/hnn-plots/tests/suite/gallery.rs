//! Every kind of figure, written as PNG and SVG, read back and checked.

use std::f64::consts::{PI, TAU};
use std::path::{Path, PathBuf};

use hnn_plots::{Dash, Figure, LossCurve, Mark, Motion, Panel, PlotError, Series};
use ndarray::{Array2, array};

use crate::common::{TRUE_SYSTEM, energy, motions};

/// The figures stay here after the test, to be looked at.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("gallery")
}

/// Writes the figure in both formats; checks the PNG's size and that the SVG holds every label.
fn check(figure: &Figure, name: &str, size: (u32, u32), labels: &[&str]) -> Result<(), PlotError> {
    let png_path = folder().join(format!("{name}.png"));
    figure.save(&png_path)?;
    let file = std::fs::File::open(&png_path).expect("the PNG was written");
    let mut reader =
        png::Decoder::new(std::io::BufReader::new(file)).read_info().expect("a PNG header");
    assert_eq!((reader.info().width, reader.info().height), size);
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size that fits")];
    reader.next_frame(&mut pixels).expect("a whole PNG");
    let ink = pixels.chunks_exact(4).filter(|pixel| pixel[..3] != [255, 255, 255]).count();
    assert!(ink > pixels.len() / 4 / 100, "{name}: only {ink} pixels are not white");

    let svg_path = folder().join(format!("{name}.svg"));
    figure.save(&svg_path)?;
    let svg = std::fs::read_to_string(svg_path).expect("the SVG was written");
    for label in labels {
        assert!(svg.contains(&format!(">{label}</text>")), "{name}.svg lacks `{label}`");
    }
    Ok(())
}

const MODELS: [&str; 4] = ["true system", "baseline", "HNN", "HNN + friction"];

#[test]
fn phase_portrait() -> Result<(), PlotError> {
    let panel = hnn_plots::phase_portrait(&TRUE_SYSTEM, &motions()?)?
        .with_x_label("angle θ (rad)")
        .with_y_label("momentum p = θ\u{307}/2 (rad/s)");
    let labels = [&MODELS[..], &["Phase portrait", "angle θ (rad)"]].concat();
    check(&Figure::new(panel), "phase_portrait", (1600, 1000), &labels)
}

#[test]
fn phase_portraits_side_by_side() -> Result<(), PlotError> {
    let motions = motions()?;
    let panel = |title: &str, models: &[usize]| -> Result<Panel, PlotError> {
        let shown: Vec<_> = models.iter().map(|i| motions[*i].clone()).collect();
        let panel =
            hnn_plots::phase_portrait_within(&TRUE_SYSTEM, (-2.6, 2.6), (-3.0, 3.0), &shown)?;
        Ok(panel.with_title(title))
    };
    let panels = vec![panel("HNN", &[0, 1, 2])?, panel("HNN + friction", &[0, 1, 3])?];
    let figure = Figure::grid(2, panels)?.with_title("Phase space of the damped pendulum");
    check(&figure, "phase_portraits", (2200, 900), &MODELS)
}

#[test]
fn trajectories() -> Result<(), PlotError> {
    let panels = hnn_plots::trajectories(&motions()?, &["angle θ (rad)", "momentum p (rad/s)"])?;
    let figure = Figure::grid(1, panels)?.with_title("Trajectories");
    check(&figure, "trajectories", (1600, 1440), &MODELS)
}

#[test]
fn squared_error() -> Result<(), PlotError> {
    let motions = motions()?;
    let panel = hnn_plots::squared_error(&motions[0], &motions[1..])?;
    check(&Figure::new(panel), "squared_error", (1600, 1000), &MODELS[1..])
}

#[test]
fn energy_over_time() -> Result<(), PlotError> {
    let panel =
        hnn_plots::energy(&motions()?, energy)?.with_y_label("energy H = 3(1 − cos θ) + p²");
    check(&Figure::new(panel), "energy", (1600, 1000), &MODELS)
}

#[test]
fn loss_curves() -> Result<(), PlotError> {
    let steps = || (0..=2000).step_by(5);
    let loss = |rate: f64, floor: f64, wobble: f64| {
        steps().map(move |s| {
            let s = s as f64;
            (1.0 + wobble * (0.7 * s).sin()) * (floor + (-rate * s).exp())
        })
    };
    let runs = [
        LossCurve::new("baseline", steps(), loss(0.004, 3e-3, 0.3))?
            .with_validation(steps(), loss(0.0038, 6e-3, 0.1))?,
        LossCurve::new("HNN", steps(), loss(0.007, 4e-4, 0.3))?
            .with_validation(steps(), loss(0.0065, 6e-4, 0.1))?,
    ];
    let labels = ["HNN, train", "HNN, validation", "baseline, train", "training step"];
    check(&Figure::new(hnn_plots::loss_curves(&runs)), "loss_curves", (1600, 1000), &labels)
}

#[test]
fn sweep() -> Result<(), PlotError> {
    let alpha = [0.1, 1.0, 10.0, 50.0, 100.0];
    let one_step = Series::new("one-step", alpha, [0.122, 0.119, 0.104, 0.064, 0.042])?
        .with_error_bars([0.05; 5])?;
    let full = Series::new("full trajectory", alpha, [0.1, 0.015, 0.02, 0.03, 0.05])?
        .with_error_bars([0.013; 5])?
        .with_dash(Dash::Dashed);
    let panel = hnn_plots::sweep("Spring", "weight α", "coordinate MSE", vec![one_step, full])
        .horizontal_line("derivative loss alone", 0.122, Dash::Dotted);
    check(&Figure::new(panel), "sweep", (1600, 1000), &["one-step", "weight α", "100"])
}

#[test]
fn categories() -> Result<(), PlotError> {
    let names = ["baseline", "HNN", "HNN + friction", "HNN + dissipative friction"];
    let ours = Series::from_values("this library", [1.0e-3, 0.52, 3.1e-5, 1.4e-5])?
        .with_error_bars([4e-4, 2e-3, 5e-5, 3e-6])?;
    let theirs = Series::from_values("reference", [1.1e-3, 0.526, 4.2e-5, 2.2e-5])?
        .with_error_bars([7e-4, 1e-3, 2e-5, 7e-6])?;
    let series = vec![ours, theirs];
    let points = hnn_plots::by_category(
        "Damped pendulum",
        &names,
        "energy MSE",
        Mark::Points,
        series.clone(),
    )?
    .with_log_y();
    let bars = hnn_plots::by_category(
        "The same, linear",
        &names[..3],
        "energy MSE",
        Mark::Bars,
        vec![
            Series::from_values("this library", [1.0e-3, 0.52, 3.1e-5])?
                .with_error_bars([4e-4, 2e-2, 2e-5])?,
            Series::from_values("reference", [1.1e-3, 0.526, 4.2e-5])?,
        ],
    )?;
    check(
        &Figure::new(points),
        "categories",
        (1600, 1000),
        &["HNN + dissipative friction", "reference"],
    )?;
    check(&Figure::new(bars), "bars", (1600, 1000), &["HNN + friction", "this library"])
}

#[test]
fn regularisation_path() -> Result<(), PlotError> {
    let lambda: Vec<f64> = (0..60).map(|i| 10f64.powf(-5.0 + 0.07 * f64::from(i))).collect();
    let error: Vec<f64> = lambda.iter().map(|l| 2e-3 + l / (l + 0.01) + 2e-8 / l).collect();
    let low: Vec<f64> = error.iter().map(|e| 0.8 * e).collect();
    let high: Vec<f64> = error.iter().map(|e| 1.25 * e).collect();
    let series = Series::new("cross-validated error", &lambda, &error)?.with_band(&low, &high)?;
    let chosen = [("smallest error", 1.4e-5), ("one standard error", 1e-4)];
    let terms: Vec<_> = lambda.iter().enumerate().step_by(6).map(|(i, l)| (*l, 62 - i)).collect();
    let panel = hnn_plots::regularisation_path("mean squared error", vec![series], &chosen, &terms)
        .with_log_y();
    let labels = ["number of terms", "smallest error", "cross-validated error"];
    check(&Figure::new(panel), "regularisation_path", (1600, 1000), &labels)
}

#[test]
fn overview_in_a_grid() -> Result<(), PlotError> {
    let motions = motions()?;
    let mut panels = vec![hnn_plots::phase_portrait(&TRUE_SYSTEM, &motions)?];
    panels.extend(hnn_plots::trajectories(&motions[..], &["angle θ (rad)", "momentum p"])?);
    panels.push(hnn_plots::energy(&motions, energy)?);
    let figure = Figure::grid(2, panels)?
        .with_title("Damped pendulum, θ\u{308} + 0.1 θ\u{307} + 6 sin θ = 0");
    check(&figure, "overview", (2200, 1440), &MODELS)
}

/// A million points of any kind draw in seconds, and make no huge file.
#[test]
fn a_million_points() -> Result<(), PlotError> {
    let count = 1_000_000;
    let t: Vec<f64> = (0..count).map(|i| f64::from(i) / f64::from(count)).collect();
    let noisy: Vec<f64> = t.iter().map(|t| (20.0 * t).sin() + 0.3 * (1e9 * t * t).sin()).collect();
    let error = vec![0.1; t.len()];
    let series = |label: &str| Series::new(label, &t, &noisy);
    let panel = |title: &str, series: Series| Panel::new(title).series(series);
    let (low, high) = (noisy.iter().map(|y| y - 1.0), noisy.iter().map(|y| y + 1.0));
    let panels = vec![
        panel("line", series("line")?),
        panel("dashes", series("dashes")?.with_dash(Dash::Dashed)),
        panel("points", series("points")?.with_mark(Mark::Points)),
        panel("bars", series("bars")?.with_mark(Mark::Bars)),
        panel("error bars", series("error bars")?.with_error_bars(&error)?),
        panel("band", series("band")?.with_band(low, high)?),
    ];
    let begin = std::time::Instant::now();
    check(&Figure::grid(2, panels)?, "a_million_points", (2200, 2160), &["band"])?;
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
    let file = folder().join("a_million_points.svg");
    let size = std::fs::metadata(file).expect("the SVG was written").len();
    assert!(size < 10_000_000, "{size} bytes");
    Ok(())
}

#[test]
fn angles_that_turn_over_are_drawn_within_a_turn() -> Result<(), PlotError> {
    // Over the top at pi, 3 pi and 5 pi.
    let times: Vec<f64> = (0..690).map(|k| 0.01 * f64::from(k)).collect();
    let states = Array2::from_shape_fn((690, 2), |(k, i)| [PI * times[k], 1.0][i]);
    let motion = Motion::new("plain", &times, states.view())?;
    let wrapped = motion.clone().wrapped(&[true, false])?;
    // Lines of the curve, without that of the legend.
    let pieces = |panel: Panel| -> Result<usize, PlotError> {
        Ok(Figure::new(panel).to_svg()?.matches("stroke-width=\"3.25\"").count())
    };
    let alone = |series: Series| Panel::new("one").series(series.with_width(3.25));
    let drawn = |motion: &Motion| -> Result<[usize; 2], PlotError> {
        let count = |series| pieces(alone(series));
        Ok([count(motion.coordinate(0)?)?, count(motion.path(0, 1)?)?])
    };
    let (before, after) = (drawn(&motion)?, drawn(&wrapped)?);
    assert_eq!(after, before.map(|count| count + 3));
    // A turn and 0.1 ahead is 0.1 ahead: (0.1^2 + 0) / 2.
    let ahead = &states + &array![[TAU + 0.1, 0.0]];
    let ahead = Motion::new("ahead", &times, ahead.view())?;
    let near = |motion: &Motion| {
        let panel = alone(motion.squared_error(&wrapped)?).with_y_range(0.0049, 0.0051);
        pieces(panel)
    };
    assert_eq!(near(&ahead.clone().wrapped(&[true, false])?)?, near(&ahead)? + 1);
    assert!(motion.wrapped(&[true]).is_err());
    Ok(())
}
