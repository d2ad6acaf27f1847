//! States with the field there, and rollouts from some of them.

use hnn_data::DataError;
use hnn_integrators::{SolveError, Tolerances, VectorField, solve_batch};
use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, Axis};

use crate::SystemError;

/// States, the field there, and their sizes.
pub(super) struct Sample {
    pub(super) states: Array2<f64>,
    slopes: Array2<f64>,
    /// The standard deviation of each coordinate.
    sizes: Array1<f64>,
    /// That of the fastest coordinate, relative to its size.
    pub(super) rate: f64,
}

impl Sample {
    pub(super) fn new(
        states: ArrayView2<'_, f64>,
        slopes: Array2<f64>,
    ) -> Result<Self, SystemError> {
        for (what, rows) in [("states", states), ("slopes", slopes.view())] {
            if let Some(((row, _), value)) = rows.indexed_iter().find(|(_, x)| !x.is_finite()) {
                let (trajectory, value) = (0, *value);
                return Err(DataError::NotFinite { trajectory, row, what, value }.into());
            }
        }
        let size = |column: ArrayView1<'_, f64>| match column.std(0.0) {
            deviation if deviation > 0.0 => deviation,
            // A coordinate that is the same at all states.
            _ => Some(column[0].abs()).filter(|size| *size > 0.0).unwrap_or(1.0),
        };
        let sizes = states.map_axis(Axis(0), size);
        let rates = slopes.columns().into_iter().zip(&sizes).map(|(f, size)| rms(f) / size);
        let rate = rates.fold(0.0, f64::max);
        if rate > 0.0 && rate.is_finite() {
            return Ok(Self { states: states.to_owned(), slopes, sizes, rate });
        }
        let hint = "the field is 0, or beyond all bounds, at all states: give states that move";
        Err(SystemError::Undetermined { what: "what is conserved", hint })
    }

    /// `grad Q . f` at each state.
    pub(super) fn rates(&self, gradient: ArrayView2<'_, f64>) -> Array1<f64> {
        (&gradient * &self.slopes).sum_axis(Axis(1))
    }

    /// `|s grad Q|`, root mean square.
    pub(super) fn size(&self, gradient: ArrayView2<'_, f64>) -> f64 {
        let scaled = self.scaled(gradient);
        (scaled.iter().map(|x| x * x).sum::<f64>() / scaled.nrows() as f64).sqrt()
    }

    /// `s grad Q`.
    pub(super) fn scaled(&self, gradient: ArrayView2<'_, f64>) -> Array2<f64> {
        &gradient * &self.sizes
    }

    /// Rates relative to what they could be; infinite of a constant.
    pub(super) fn drift(&self, rates: ArrayView1<'_, f64>, size: f64) -> f64 {
        if size > 0.0 { rms(rates) / (self.rate * size) } else { f64::INFINITY }
    }
}

fn rms(numbers: ArrayView1<'_, f64>) -> f64 {
    (numbers.dot(&numbers) / numbers.len() as f64).sqrt()
}

/// Rollouts from some of the states, shape (M, T, D).
pub(super) struct Rollouts(Array3<f64>);

/// Times at which quantities are compared with those of the start.
const TIMES: usize = 41;

impl Rollouts {
    pub(super) fn none() -> Self {
        Self(Array3::zeros((0, 0, 0)))
    }

    pub(super) fn new(
        field: &dyn VectorField<f64>,
        starts: ArrayView2<'_, f64>,
        duration: f64,
    ) -> Result<Self, SystemError> {
        if starts.nrows() == 0 {
            return Ok(Self::none());
        }
        let times = Array1::linspace(0.0, duration, TIMES).to_vec();
        let run = solve_batch(field, starts, &times, Tolerances::relative(1e-10));
        Ok(Self(run.map_err(SolveError::from)?.states))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len_of(Axis(0))
    }

    /// The root mean square of `Q(t) - Q(0)`, over the size of `Q`; none without rollouts.
    pub(super) fn drift(
        &self,
        size: f64,
        quantity: &mut dyn FnMut(ArrayView1<'_, f64>) -> Result<f64, SystemError>,
    ) -> Result<Option<f64>, SystemError> {
        let (mut squares, mut count) = (0.0, 0);
        for states in self.0.outer_iter() {
            let first = quantity(states.row(0))?;
            for x in states.outer_iter().skip(1) {
                squares += (quantity(x)? - first).powi(2);
                count += 1;
            }
        }
        let drift = (squares / f64::from(count)).sqrt() / size;
        Ok((count > 0 && size > 0.0).then_some(drift))
    }
}
