//! Input that cannot be drawn is refused with an error that says why, and figures of degenerate
//! data are drawn all the same.

use hnn_integrators::{At, FieldError, VectorField, Workspace};
use hnn_plots::{
    Dash, Figure, LossCurve, Mark, Motion, Panel, PlotError, Series, by_category, phase_portrait,
    phase_portrait_within, squared_error, trajectories,
};
use ndarray::{Array2, array};
use proptest::prelude::*;

fn draw(panel: Panel) -> Result<Vec<u8>, PlotError> {
    let figure = Figure::new(panel).with_size(400, 300);
    figure.to_svg()?;
    figure.to_png()
}

fn line(x: &[f64], y: &[f64]) -> Panel {
    Panel::new("a panel").series(Series::new("a line", x, y).expect("drawable numbers"))
}

fn message<T: std::fmt::Debug>(result: Result<T, PlotError>) -> String {
    result.expect_err("must be refused").to_string()
}

#[test]
fn series_name_what_is_wrong() {
    let none: [f64; 0] = [];
    assert!(message(Series::new("HNN", none, none)).contains("`HNN` is empty"));
    assert!(message(Series::new("HNN", [0.0, 1.0], [0.0])).contains("1 values of y"));
    let nan = message(Series::new("HNN", [0.0, 1.0], [0.0, f64::NAN]));
    assert!(nan.contains("y number 1 is NaN"), "{nan}");
    let infinite = message(Series::new("HNN", [f32::INFINITY], [0.0]));
    assert!(infinite.contains("x number 0 is inf"), "{infinite}");
    let series = || Series::new("HNN", [0.0, 1.0], [0.0, 1.0]).expect("a series");
    assert!(message(series().with_error_bars([0.1])).contains("error bar"));
    assert!(message(series().with_band([0.1, 0.2], [f64::NAN; 2])).contains("upper bound"));
}

#[test]
fn rollouts_must_fit_together() -> Result<(), PlotError> {
    let states = array![[0.0, 1.0], [0.1, 0.9]];
    assert!(message(Motion::new("HNN", [0.0], states.view())).contains("2 values of state"));
    let truth = Motion::new("truth", [0.0, 0.1], states.view())?;
    let later = Motion::new("HNN", [0.0, 0.2], states.view())?;
    assert!(message(squared_error(&truth, &[later])).contains("time number 1 is 0.2"));
    // The same in other units.
    for unit in [1e-12, 1e12] {
        let at = |t: f64| Motion::new("any", [0.0, t * unit], states.view());
        assert!(squared_error(&at(0.1)?, &[at(0.2)?]).is_err());
        assert!(squared_error(&at(0.1)?, &[at(0.1 * (1.0 + 1e-12))?]).is_ok());
    }
    assert!(message(truth.coordinate(2)).contains("dimension 2, expected 3"));
    assert!(truth.path(0, usize::MAX).is_err());
    assert!(message(trajectories(&[truth], &["q", "p", "r"])).contains("dimension 2, expected 3"));
    let nothing = Array2::<f64>::zeros((0, 2));
    assert!(message(Motion::new("HNN", Vec::<f64>::new(), nothing.view())).contains("empty"));
    Ok(())
}

#[test]
fn panels_and_figures_must_have_something_to_show() {
    assert!(message(draw(Panel::new("bare"))).contains("`bare` has nothing to show"));
    assert!(message(Figure::grid(2, vec![])).contains("at least one panel"));
    assert!(message(Figure::grid(0, vec![Panel::new("bare")])).contains("one column"));
    assert!(message(draw(line(&[0.0], &[-1.0]).with_log_y())).contains("no positive value"));
    assert!(
        message(draw(line(&[0.0], &[1.0]).with_x_range(1.0, 1.0))).contains("1..1 of the x axis")
    );
    assert!(
        message(draw(line(&[0.0], &[1.0]).with_log_y().with_y_range(0.0, 1.0))).contains("y axis")
    );
    assert!(message(draw(line(&[0.0], &[1.0]).with_y_range(f64::NAN, 1.0))).contains("NaN..1"));
    let rule = line(&[0.0], &[1.0]).vertical_line("chosen", f64::NAN, Dash::Solid);
    assert!(message(draw(rule)).contains("position number 0 is NaN"));
    let tiny = Figure::new(line(&[0.0], &[1.0])).with_size(10, 10);
    assert!(message(tiny.to_png()).contains("10 x 10 pixels"));
    let huge = Figure::new(line(&[0.0], &[1.0])).with_size(u32::MAX, 500);
    assert!(message(huge.to_svg()).contains("pixels"));
    let large = Figure::new(line(&[0.0], &[1.0])).with_size(16_000, 16_000);
    assert!(message(large.to_png()).contains("256000000 pixels would take"));
    assert!(large.to_svg().is_ok());
    let names: [&str; 0] = [];
    assert!(message(by_category("a", &names, "b", Mark::Bars, vec![])).contains("nothing"));
    let one = Series::from_values("HNN", [1.0]).expect("a series");
    assert!(
        message(by_category("a", &["u", "v"], "b", Mark::Bars, vec![one])).contains("1 values")
    );
    assert!(message(LossCurve::new("HNN", [1, 2], [1.0])).contains("1 values of y"));
}

/// A field of any dimension with the same velocity in every coordinate.
struct Constant(usize, f64);

impl VectorField<f64> for Constant {
    fn dim(&self) -> usize {
        self.0
    }

    fn eval(
        &self,
        _at: At<'_, f64>,
        _x: &[f64],
        dx: &mut [f64],
        _workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        dx.fill(self.1);
        Ok(())
    }
}

#[test]
fn phase_portraits_need_a_finite_field_in_the_plane() -> Result<(), PlotError> {
    let path = Motion::new("HNN", [0.0, 1.0], array![[0.0, 1.0], [0.5, 0.5]].view())?;
    let paths = [path];
    assert!(message(phase_portrait(&Constant(4, 1.0), &paths)).contains("dimension 4, expected 2"));
    assert!(message(phase_portrait(&Constant(2, f64::NAN), &paths)).contains("is NaN"));
    assert!(message(phase_portrait(&Constant(2, 1.0), &[])).contains("nothing to show"));
    let bad = phase_portrait_within(&Constant(2, 1.0), (1.0, 0.0), (0.0, 1.0), &[]);
    assert!(message(bad).contains("1..0 of the x axis"));
    // A field at rest has no arrows, and a field alone is a picture.
    draw(phase_portrait(&Constant(2, 0.0), &paths)?)?;
    draw(phase_portrait_within(&Constant(2, 1.0), (0.0, 1.0), (0.0, 1.0), &[])?)?;
    Ok(())
}

#[test]
fn files_that_cannot_be_written_are_named_and_leave_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let figure = Figure::new(line(&[0.0, 1.0], &[0.0, 1.0]));
    assert!(message(figure.save(folder.path().join("figure.jpg"))).contains("figure.jpg"));
    assert!(message(figure.save(folder.path().join("figure"))).contains("neither .png nor .svg"));

    // A file where the folder should be.
    std::fs::write(folder.path().join("file"), "x").expect("written");
    let below_a_file = folder.path().join("file").join("figure.png");
    assert!(message(figure.save(below_a_file)).contains("file"));

    // A folder where the file should be: the last step fails, and the temporary file goes.
    std::fs::create_dir(folder.path().join("taken.png")).expect("made");
    assert!(message(figure.save(folder.path().join("taken.png"))).contains("taken.png"));

    let mut left: Vec<_> = std::fs::read_dir(folder.path())
        .expect("readable")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["file", "taken.png"]);
}

#[test]
fn a_figure_that_fails_leaves_the_old_file() -> Result<(), PlotError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep/down/figure.SVG");
    Figure::new(line(&[0.0, 1.0], &[0.0, 1.0])).save(&path)?;
    let old = std::fs::read(&path).expect("written");
    assert!(Figure::new(Panel::new("bare")).save(&path).is_err());
    assert_eq!(std::fs::read(&path).expect("still there"), old);
    Ok(())
}

#[test]
fn markup_in_labels_stays_text() -> Result<(), PlotError> {
    let panel = line(&[0.0, 1.0], &[0.0, 1.0]).with_title("a < b & \"c\" > \u{1}");
    let svg = Figure::new(panel).to_svg()?;
    assert!(svg.contains("a &lt; b &amp; \"c\" &gt;  </text>"), "{svg}");
    Ok(())
}

#[test]
fn long_titles_shrink_to_fit() -> Result<(), PlotError> {
    let short = Figure::new(line(&[0.0, 1.0], &[0.0, 1.0]).with_title("short")).to_svg()?;
    assert!(short.contains("font-size=\"14.00\" fill=\"#262626\" text-anchor=\"start\">short"));
    let title = "a title that goes on ".repeat(20);
    let long = Figure::new(line(&[0.0, 1.0], &[0.0, 1.0]).with_title(&title)).to_svg()?;
    assert!(long.contains(&title) && !long.contains("font-size=\"14.00\""));
    Ok(())
}

#[test]
fn equal_input_gives_equal_bytes() -> Result<(), PlotError> {
    assert_eq!(draw(line(&[0.0, 1.0], &[0.0, 1.0]))?, draw(line(&[0.0, 1.0], &[0.0, 1.0]))?);
    Ok(())
}

#[test]
fn a_label_has_one_colour_in_all_panels() -> Result<(), PlotError> {
    let series = |label| Series::new(label, [0.0, 1.0], [0.0, 1.0]);
    let first = Panel::new("").series(series("baseline")?).series(series("HNN")?);
    let second = Panel::new("").series(series("HNN")?);
    let svg = Figure::grid(2, vec![first, second])?.to_svg()?;
    // Vermilion, the second colour: a curve and a legend entry on the left, a curve on the right.
    assert_eq!(svg.matches("stroke=\"#d55e00\"").count(), 3);
    Ok(())
}

/// Numbers of every size, and often equal ones.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(1.0),
        Just(-1e149),
        Just(1e149),
        Just(f64::MIN_POSITIVE),
        Just(5e-324),
        Just(1.0 + f64::EPSILON),
        -10.0..10.0f64,
        (-300.0..149.0f64).prop_map(|e| 10f64.powf(e)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    /// Any finite data are drawn, or refused with an error; nothing panics, no coordinate is NaN.
    #[test]
    fn any_finite_data_are_drawn(
        points in prop::collection::vec((number(), number()), 1..12),
        mark in prop::sample::select(vec![Mark::Line, Mark::Points, Mark::LinePoints, Mark::Bars, Mark::Dots]),
        (log_x, log_y) in any::<(bool, bool)>(),
    ) {
        let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        let error: Vec<f64> = y.iter().map(|y| 0.5 * y).collect();
        let series = Series::new("any", &x, &y).and_then(|s| s.with_error_bars(&error));
        let panel = Panel::new("any").series(series.expect("finite").with_mark(mark));
        let panel = if log_x { panel.with_log_x() } else { panel };
        let panel = if log_y { panel.with_log_y() } else { panel };
        let positive = |values: &[f64]| values.iter().any(|v| *v > 0.0);
        let visible = (!log_x || positive(&x)) && (!log_y || positive(&y));
        let figure = Figure::new(panel).with_size(400, 300);
        prop_assert_eq!(figure.to_svg().is_ok(), visible);
        if let Ok(svg) = figure.to_svg() {
            prop_assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", svg);
            prop_assert!(figure.to_png().is_ok());
        }
    }
}
