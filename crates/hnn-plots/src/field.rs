//! The arrows of a vector field.

use ndarray::Array2;

use hnn_integrators::VectorField;

use crate::PlotError;
use crate::series::finite;

/// Columns and rows of arrows.
const GRID: (usize, usize) = (25, 17);

/// A field sampled on a grid over a range of the plane.
#[derive(Debug, Clone)]
pub(crate) struct Arrows {
    pub(crate) x: (f64, f64),
    pub(crate) y: (f64, f64),
    /// Foot points and velocities: (q, p), (dq/dt, dp/dt).
    pub(crate) arrows: Vec<([f64; 2], [f64; 2])>,
}

impl Arrows {
    pub(crate) const COLUMNS: usize = GRID.0;
    pub(crate) const ROWS: usize = GRID.1;

    /// Samples the field at time 0 at the centres of the grid's cells.
    pub(crate) fn sample(
        field: &dyn VectorField<f64>,
        x: (f64, f64),
        y: (f64, f64),
    ) -> Result<Self, PlotError> {
        if field.dim() != 2 {
            return Err(PlotError::Dimension {
                what: "the vector field of a phase portrait",
                given: field.dim(),
                expected: 2,
            });
        }
        let at = |(low, high): (f64, f64), i: usize, n: usize| {
            low + (high - low) * (i as f64 + 0.5) / n as f64
        };
        let (columns, rows) = GRID;
        let states =
            Array2::from_shape_fn((columns * rows, 2), |(i, coordinate)| match coordinate {
                0 => at(x, i % columns, columns),
                _ => at(y, i / columns, rows),
            });
        let velocities = field.eval_rows(0.0, states.view())?;
        finite("the vector field", "component", &velocities)?;
        let pairs = states.rows().into_iter().zip(velocities.rows());
        let arrows = pairs.map(|(s, v)| ([s[0], s[1]], [v[0], v[1]])).collect();
        Ok(Self { x, y, arrows })
    }
}
