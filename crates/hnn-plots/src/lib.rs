//! Figures of mechanical systems, as PNG or SVG, made by Rust alone.
//!
//! A [`Figure`] holds one [`Panel`] or several; a panel holds [`Series`]. The charts of the field
//! are functions of [`Motion`]s or series that return a panel: [`phase_portrait`], [`trajectories`], [`squared_error`],
//! [`energy`], [`loss_curves`], [`sweep`], [`by_category`], [`regularisation_path`].
//!
//! Colours are told apart by colour-blind readers, the legend covers no curve, text may hold Greek
//! and mathematics (the font is embedded), and the picture is the same on every machine.
//! Shapes are anti-aliased at sub-pixel positions by `tiny-skia`.
//!
//! ```
//! use hnn_integrators::{AnalyticField, Lane};
//! use hnn_plots::{Figure, Motion, phase_portrait};
//!
//! /// H = 3 (1 - cos q) + p^2.
//! struct Pendulum;
//! impl AnalyticField for Pendulum {
//!     type State<L: Lane> = [L; 2];
//!     #[inline(always)]
//!     fn eval_lanes<L: Lane>(&self, _t: L, [q, p]: &[L; 2]) -> [L; 2] {
//!         [*p + *p, -(q.sin() + q.sin() + q.sin())]
//!     }
//! }
//!
//! let t: Vec<f64> = (0..100).map(|i| 0.02 * f64::from(i)).collect();
//! let omega = 6f64.sqrt();
//! let states = ndarray::Array2::from_shape_fn((100, 2), |(row, i)| match i {
//!     0 => (omega * t[row]).cos(),
//!     _ => -0.5 * omega * (omega * t[row]).sin(),
//! });
//! let small_angle = Motion::new("small-angle solution", &t, states.view())?;
//! let panel = phase_portrait(&Pendulum, &[small_angle])?.with_x_label("angle q (rad)");
//! let png = Figure::new(panel).to_png()?;
//! assert_eq!(&png[1..4], b"PNG");
//! # Ok::<(), hnn_plots::PlotError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `serde` | no | colours, dashes and marks are `Serialize` and `Deserialize` |

mod axis;
mod charts;
mod draw;
mod error;
mod field;
mod figure;
mod font;
mod ink;
mod layout;
mod legend;
mod motion;
mod panel;
mod png;
mod save;
mod scene;
mod series;
mod style;
mod svg;
mod thin;
mod ticks;

pub use charts::{
    LossCurve, by_category, energy, loss_curves, phase_portrait, phase_portrait_within,
    regularisation_path, squared_error, sweep, trajectories,
};
pub use error::PlotError;
pub use figure::Figure;
pub use motion::Motion;
pub use panel::Panel;
pub use series::{Series, Value};
pub use style::{Color, Dash, Mark};
