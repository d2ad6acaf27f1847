//! What parts of any kind have in common: their parameters, and their form in a file.

use hnn_integrators::{Parameters, Scalar};

use crate::{ModelError, PartWriter, Persist};

/// A part of a model with a form in a file, as an object.
pub(crate) trait Part<T: Scalar>: Parameters<T> + Send + Sync {
    fn kind(&self) -> &'static str;

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError>;
}

impl<T: Scalar, P: Persist<T> + Parameters<T> + Send + Sync> Part<T> for P {
    fn kind(&self) -> &'static str {
        Persist::kind(self)
    }

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        Persist::write(self, part)
    }
}

/// `any_part!(Any: Object, "what", [Part<T>, ..])`: a part that is an object in a box, one of the
/// listed when it is read.
macro_rules! any_part {
    ($any:ident: $object:ident, $what:literal, [$($part:ty),+]) => {
        pub(crate) struct $any<T: Scalar>(Box<dyn $object<T>>);

        impl<T: Scalar> Parameters<T> for $any<T> {
            fn num_params(&self) -> usize {
                self.0.num_params()
            }

            fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
                self.0.copy_params(out)
            }

            fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
                self.0.set_params(theta)
            }

            fn set_mode(&mut self, mode: hnn_integrators::Mode) {
                self.0.set_mode(mode);
            }
        }

        impl<T: Scalar> Persist<T> for $any<T> {
            const KIND: &'static str = $what;

            fn kind(&self) -> &'static str {
                self.0.kind()
            }

            fn reads(kind: &str) -> bool {
                [$(<$part as Persist<T>>::KIND),+].contains(&kind)
            }

            fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
                Part::write(&*self.0, part)
            }

            fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
                $(if part.kind() == <$part as Persist<T>>::KIND {
                    return Ok(Self(Box::new(<$part as Persist<T>>::read(part)?)));
                })+
                Err(part.fault(format!("{:?} is no {}", part.kind(), $what)))
            }
        }
    };
}

/// The same of a network.
macro_rules! any_network {
    ($any:ident: $object:ident, $what:literal, [$($part:ty),+]) => {
        any_part!($any: $object, $what, [$($part),+]);

        impl<T: Scalar> Network<T> for $any<T> {
            fn input_dim(&self) -> usize {
                self.0.input_dim()
            }

            fn coordinate(&self, index: usize) -> Coordinate {
                self.0.coordinate(index)
            }
        }
    };
}

pub(crate) use {any_network, any_part};
