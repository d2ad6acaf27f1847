//! Model files of libtorch perceptrons: those of the native engine.

use hnn_integrators::Scalar;
use tch::Device;
use tch::kind::Element;

use super::{TchEnergy, TchMap};
use crate::{Mlp, ModelError, PartReader, PartWriter, Persist};

/// The files of an [`Mlp`]: what one engine saves, the other loads. Loaded to the CPU.
impl<T: Scalar + Element> Persist<T> for TchEnergy<T> {
    const KIND: &'static str = <Mlp<T> as Persist<T>>::KIND;

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        self.network().native()?.write(part)
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        Self::mlp(Mlp::read(part)?, Device::Cpu)
    }
}

/// The files of an [`Mlp`]: what one engine saves, the other loads. Loaded to the CPU.
impl<T: Scalar + Element> Persist<T> for TchMap<T> {
    const KIND: &'static str = <Mlp<T> as Persist<T>>::KIND;

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        self.network().native()?.write(part)
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        Self::mlp(Mlp::read(part)?, Device::Cpu)
    }
}
