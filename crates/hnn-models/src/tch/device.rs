//! The device a network lives on.

use tch::{Cuda, Device, utils};

use crate::ModelError;

/// The device of a name: `cpu`, `cuda` (the first GPU), `cuda:1`, `mps`; it must be there.
///
/// ```
/// # use hnn_models::tch::parse_device;
/// assert_eq!(parse_device("cpu")?, tch::Device::Cpu);
/// assert!(parse_device("abacus").is_err());
/// # Ok::<(), hnn_models::ModelError>(())
/// ```
///
/// # Errors
/// If no device has that name, or as [`require_device`].
pub fn parse_device(name: &str) -> Result<Device, ModelError> {
    let device = match name.split_once(':').unwrap_or((name, "0")) {
        ("cpu", "0") => Device::Cpu,
        ("mps", "0") => Device::Mps,
        ("cuda", index) => Device::Cuda(index.parse().map_err(|_| unknown(name))?),
        _ => return Err(unknown(name)),
    };
    require_device(device)?;
    Ok(device)
}

fn unknown(name: &str) -> ModelError {
    ModelError::Device {
        device: name.to_owned(),
        reason: "no device has this name: use cpu, cuda, cuda:0, cuda:1, .. or mps".to_owned(),
    }
}

/// Checks that a device is there and that this libtorch can use it.
///
/// # Errors
/// If not, with what is missing.
pub fn require_device(device: Device) -> Result<(), ModelError> {
    let reason = match device {
        Device::Cpu => return Ok(()),
        Device::Cuda(_) if !utils::has_cuda() => {
            "this libtorch has no CUDA: set LIBTORCH to a CUDA build; if it is one, preload its \
             libtorch_cuda.so (LD_PRELOAD), which linkers leave out; or use cpu"
                .to_owned()
        }
        Device::Cuda(_) if !Cuda::is_available() => {
            "CUDA finds no GPU: check the driver (nvidia-smi), or use cpu".to_owned()
        }
        Device::Cuda(index) => match usize::try_from(Cuda::device_count()) {
            Ok(count) if index < count => return Ok(()),
            count => format!("there are {} GPUs: use cuda:0 to cuda:n-1", count.unwrap_or(0)),
        },
        Device::Mps if utils::has_mps() => return Ok(()),
        Device::Mps => {
            "this libtorch has no Metal (MPS), which is Apple's alone: use cpu".to_owned()
        }
        Device::Vulkan if utils::has_vulkan() => return Ok(()),
        Device::Vulkan => "this libtorch was built without Vulkan: use cpu".to_owned(),
    };
    Err(ModelError::Device { device: format!("{device:?}"), reason })
}
