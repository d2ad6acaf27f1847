//! Series, panels and figures.

use hnn::Error;
use hnn::plots::{
    Color, Dash, Figure, LossCurve, Mark, Motion, Panel, Series, by_category, energy, loss_curves,
    phase_portrait, phase_portrait_within, squared_error, trajectories,
};

use super::integrators::field;
use crate::odd::Odd;

pub(super) fn call(odd: &mut Odd) -> Result<(), Error> {
    let panels = match odd.below(4) {
        0 => charts(odd)?,
        1 => vec![loss_curves(&[curve(odd)?])],
        _ => vec![panel(odd)?; 1 + odd.below(2)],
    };
    let figure = Figure::grid(odd.count(3), panels)?.with_title(label(odd));
    let figure = if odd.is_odd() {
        figure.with_size(odd.count(9) as u32, odd.count(9) as u32)
    } else {
        figure.with_size(200 + odd.below(400) as u32, 200 + odd.below(400) as u32)
    };
    figure.to_svg()?;
    if odd.yes(0.2) {
        figure.to_png()?;
    }
    Ok(())
}

fn label(odd: &mut Odd) -> String {
    let labels = ["", "energy", "<&>\"\u{0}", "ÿ∂π", "a long label that goes on and on"];
    odd.pick(&labels).to_owned()
}

fn series(odd: &mut Odd) -> Result<Series, Error> {
    let points = 1 + odd.below(30);
    let mut series = Series::new(label(odd), odd.numbers(points), odd.numbers(points))?
        .with_mark(odd.pick(&[Mark::Line, Mark::Points, Mark::LinePoints, Mark::Bars]))
        .with_dash(odd.pick(&[Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::DashDot]))
        .with_color(Color::for_model(odd.count(9)))
        .with_width(odd.positive());
    if odd.yes(0.2) {
        series = series.with_error_bars(odd.numbers(points))?;
    }
    if odd.yes(0.2) {
        series = series.with_band(odd.numbers(points), odd.numbers(points))?;
    }
    Ok(series)
}

fn panel(odd: &mut Odd) -> Result<Panel, Error> {
    let mut panel = Panel::new(label(odd)).with_x_label(label(odd)).with_y_label(label(odd));
    for _ in 0..odd.below(3) {
        panel = panel.series(series(odd)?);
    }
    if odd.yes(0.2) {
        panel = panel.with_log_x();
    }
    if odd.yes(0.2) {
        panel = panel.with_log_y();
    }
    if odd.yes(0.2) {
        let low = odd.number();
        panel = panel.with_x_range(low, low + odd.positive());
    }
    if odd.yes(0.2) {
        panel = panel.horizontal_line(label(odd), odd.number(), Dash::Dashed);
        panel = panel.vertical_line(label(odd), odd.number(), Dash::Dotted);
    }
    if odd.yes(0.1) {
        let ticks: Vec<_> = odd.some(4, |odd| (odd.number(), label(odd)));
        panel = panel.with_top_axis(label(odd), ticks);
    }
    if odd.yes(0.1) {
        let names = odd.some(3, label);
        panel = by_category(label(odd), &names, label(odd), Mark::Bars, vec![series(odd)?])?;
    }
    Ok(panel)
}

fn curve(odd: &mut Odd) -> Result<LossCurve, Error> {
    let steps = (0..odd.length(4)).map(|_| odd.count(9) as u64).collect::<Vec<_>>();
    let losses = odd.numbers(4);
    Ok(LossCurve::new(label(odd), steps.clone(), &losses)?.with_validation(steps, &losses)?)
}

fn motion(odd: &mut Odd) -> Result<Motion, Error> {
    let times: Vec<f64> = (0..odd.length(5)).map(|k| 0.1 * k as f64).collect();
    Ok(Motion::new(label(odd), times, odd.table(5, 2).view())?)
}

fn charts(odd: &mut Odd) -> Result<Vec<Panel>, Error> {
    let (a, b) = (motion(odd)?.truth(), motion(odd)?);
    a.path(odd.count(2), odd.count(2))?;
    let motions = [a.clone(), b.clone()];
    let panels = [
        phase_portrait(field(odd)?.as_ref(), &motions)?,
        phase_portrait_within(
            field(odd)?.as_ref(),
            (-1.0, odd.or_odd(1.0)),
            (-1.0, odd.or_odd(1.0)),
            &[],
        )?,
        squared_error(&a, &[b])?,
        energy(&motions, |x| x.iter().sum())?,
    ];
    let mut all = trajectories(&motions, &["q", "p"][..odd.length(2).min(2)])?;
    all.extend(panels);
    Ok(all)
}
