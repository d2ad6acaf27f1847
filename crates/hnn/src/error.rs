//! One error for programs that use several of the crates.

use std::error::Error as StdError;
use std::fmt::{self, Debug, Display, Formatter, Write};

/// The most bytes of a message that are shown; an error may quote what it was given.
const LONGEST: usize = 2000;

macro_rules! error {
    ($($(#[cfg($cfg:meta)])? #[doc = $doc:literal] $name:ident($error:ty),)*) => {
        /// Whatever went wrong in one of the crates: each crate's own error converts into it by `?`.
        ///
        /// `Debug` shows the message, as `Display` does, so that a program whose `main` returns it
        /// ends with a sentence. Very long messages are cut.
        ///
        /// ```
        /// use hnn::prelude::*;
        ///
        /// fn main() -> Result<(), hnn::Error> {
        ///     let network = Mlp::<f64>::new(Architecture::new(&[2, 8, 1])?, Initialisation::Orthogonal, 0);
        ///     let model = Hnn::new(network)?;
        ///     let start = hnn::ndarray::array![1.0, 0.0];
        ///     solve(&model, start.view(), &[0.0, 1.0], Tolerances::default())?;
        ///     let error: hnn::Error = Architecture::new(&[2, 0, 1]).expect_err("a size of 0").into();
        ///     assert!(format!("{error:?}").starts_with("layer sizes [2, 0, 1] make no network: "));
        ///     Ok(())
        /// }
        /// ```
        #[non_exhaustive]
        pub enum Error {
            $($(#[cfg($cfg)])? #[doc = $doc] $name($error),)*
        }

        impl Error {
            fn inner(&self) -> &(dyn StdError + 'static) {
                match self {
                    $($(#[cfg($cfg)])? Self::$name(error) => error,)*
                }
            }
        }

        $(
            $(#[cfg($cfg)])?
            impl From<$error> for Error {
                fn from(error: $error) -> Self {
                    Self::$name(error)
                }
            }
        )*
    };
}

error! {
    /// A vector field was given what does not fit, or failed.
    Field(hnn_integrators::FieldError),
    /// A solver did not reach the end.
    Solve(hnn_integrators::SolveError),
    /// The coefficients of a Runge-Kutta method make none.
    Tableau(hnn_integrators::TableauError),
    /// A data set, or a file of measurements.
    Data(hnn_data::DataError),
    /// A system, or what is sampled of it.
    System(hnn_systems::SystemError),
    /// A network, a model or its file.
    Model(hnn_models::ModelError),
    /// A loss or a metric.
    Loss(hnn_losses::LossError),
    /// A formula and its identification.
    Sparse(hnn_sparse::SparseError),
    /// Training.
    Train(hnn_train::TrainError),
    #[cfg(feature = "plots")]
    /// A figure.
    Plot(hnn_plots::PlotError),
    #[cfg(feature = "identify")]
    /// Nothing was identified.
    Identify(hnn_identify::IdentifyError),
    /// A file that cannot be written.
    File(hnn_files::FileError),
    /// Arrays whose shapes do not fit.
    Shape(ndarray::ShapeError),
    /// The system's own answer about a file.
    Io(std::io::Error),
}

/// What had been computed before is dropped.
impl<P: Debug> From<hnn_integrators::SolveFailure<P>> for Error {
    fn from(failure: hnn_integrators::SolveFailure<P>) -> Self {
        Self::Solve(failure.error)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner().source()
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut cut = Cut { out: f, left: LONGEST, is_full: false };
        let result = write!(cut, "{}", self.inner());
        if cut.is_full { f.write_str(" ... (cut)") } else { result }
    }
}

impl Debug for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

/// Passes the begin of a text on, and then ends the writing of it.
struct Cut<'a, 'f> {
    out: &'a mut Formatter<'f>,
    left: usize,
    is_full: bool,
}

impl Write for Cut<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let most = self.left.min(text.len());
        let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.out.write_str(&text[..end])?;
        self.left -= end;
        self.is_full = end < text.len();
        if self.is_full { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn debug_is_the_message_and_long_ones_are_cut() {
        let io = std::io::Error::other("θ".repeat(900));
        let error = Error::from(io);
        assert_eq!(format!("{error:?}"), "θ".repeat(900));
        assert_eq!(error.to_string(), format!("{error:?}"));
        let long = Error::from(std::io::Error::other("x".repeat(1_000_000)));
        assert_eq!(format!("{long:?}"), format!("{} ... (cut)", "x".repeat(2000)));
        let odd = Error::from(std::io::Error::other(format!("x{}", "θ".repeat(1000))));
        assert_eq!(odd.to_string(), format!("x{} ... (cut)", "θ".repeat(999)));
    }

    /// The error of any crate in one function, and what caused it.
    #[test]
    fn errors_of_all_crates_convert_and_keep_their_source() {
        fn all(which: usize) -> Result<(), Error> {
            match which {
                0 => drop(hnn_files::write_all("/", b"")?),
                1 => drop(hnn_files::write_all("/missing/file", b"")?),
                2 => drop(hnn_train::MiniBatch::points(0, 1, 0)?),
                3 => drop(std::fs::read("/missing/file")?),
                _ => drop(ndarray::Array2::from_shape_vec((2, 2), vec![0.0; 3])?),
            }
            Ok(())
        }
        let has_source = |which| {
            let error = all(which).expect_err("fails");
            assert!(!error.to_string().is_empty());
            std::error::Error::source(&error).is_some()
        };
        assert_eq!([0, 1, 2, 3, 4].map(has_source), [false, true, false, false, false]);
    }
}
