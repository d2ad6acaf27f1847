//! Kernels compiled for several instruction sets, the best one chosen at run time.
//!
//! A portable build cannot assume more than the baseline of its target, and plain loops then leave
//! most of its vector units idle. A [`Kernel`] is compiled once for each
//! [`Isa`]; [`dispatch`] picks the best one the processor has. No compiler flag is asked of the
//! user. Builds with debug assertions go without AVX-512, which doubles the code to compile.

pub(crate) mod register;
mod room;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use register::Register;
pub(crate) use room::Room;

mod sealed {
    /// Keeps [`Isa`](super::Isa) to this crate.
    pub trait Sealed {}
    impl Sealed for super::Baseline {}
    impl Sealed for super::Avx2Fma {}
    impl Sealed for super::Avx512 {}
}

/// An instruction set that kernels are compiled for.
///
/// Sealed: it carries what a kernel must know at compile time.
pub trait Isa: sealed::Sealed + Copy + Send + Sync + 'static {
    /// Whether a fused multiply-add is one instruction. Where it is not, `mul_add` would be a
    /// library call.
    const FMA: bool;
    /// Width of a vector register in bytes.
    const VECTOR_BYTES: usize;
    /// Name for reports.
    const NAME: &'static str;
    /// A vector register of `f32`.
    type F32: Register<f32>;
    /// A vector register of `f64`.
    type F64: Register<f64>;

    /// The same numbers: what they are computed from comes before it in the program, what is
    /// computed from them after it.
    ///
    /// Left alone, the compiler sorts the operations of a lane that fills several registers
    /// register after register, to need few of them at a time, and the processor, which looks only so
    /// many instructions ahead, waits for one long chain of dependent operations after
    /// the other. A lane kept in step after every operation of a chain has its registers advance
    /// side by side.
    #[inline(always)]
    fn in_step<T: Copy, const W: usize>(lanes: [T; W]) -> [T; W] {
        lanes
    }

    /// Runs a part of a kernel, which has the same instructions, as a function of its own: compiled
    /// once where several kernels share it.
    fn apart<K: Kernel>(part: K) -> K::Output;
}

/// The baseline of the target: SSE2 on x86-64, NEON (with FMA) on aarch64.
#[derive(Debug, Clone, Copy)]
pub struct Baseline;
/// AVX2 and FMA3. Only for kernels that [`dispatch`] runs, which asks the processor first.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Avx2Fma;
/// AVX-512 F, DQ, VL and BW. Likewise.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Avx512;

impl Isa for Baseline {
    const FMA: bool = cfg!(target_arch = "aarch64") || cfg!(target_feature = "fma");
    const VECTOR_BYTES: usize = 16;
    const NAME: &'static str = "baseline";
    type F32 = f32;
    type F64 = f64;

    #[inline(never)]
    fn apart<K: Kernel>(part: K) -> K::Output {
        part.run::<Self>()
    }
}
impl Isa for Avx2Fma {
    const FMA: bool = true;
    const VECTOR_BYTES: usize = 32;
    const NAME: &'static str = "AVX2 + FMA";
    #[cfg(target_arch = "x86_64")]
    type F32 = std::arch::x86_64::__m256;
    #[cfg(not(target_arch = "x86_64"))]
    type F32 = f32;
    #[cfg(target_arch = "x86_64")]
    type F64 = std::arch::x86_64::__m256d;
    #[cfg(not(target_arch = "x86_64"))]
    type F64 = f64;

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn in_step<T: Copy, const W: usize>(lanes: [T; W]) -> [T; W] {
        x86::in_step_avx2(lanes)
    }

    #[inline(always)]
    fn apart<K: Kernel>(part: K) -> K::Output {
        #[cfg(target_arch = "x86_64")]
        return x86::run_avx2(part);
        #[cfg(not(target_arch = "x86_64"))]
        part.run::<Self>()
    }
}
impl Isa for Avx512 {
    const FMA: bool = true;
    const VECTOR_BYTES: usize = 64;
    const NAME: &'static str = "AVX-512";
    #[cfg(target_arch = "x86_64")]
    type F32 = std::arch::x86_64::__m512;
    #[cfg(not(target_arch = "x86_64"))]
    type F32 = f32;
    #[cfg(target_arch = "x86_64")]
    type F64 = std::arch::x86_64::__m512d;
    #[cfg(not(target_arch = "x86_64"))]
    type F64 = f64;

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn in_step<T: Copy, const W: usize>(lanes: [T; W]) -> [T; W] {
        x86::in_step_avx512(lanes)
    }

    #[inline(always)]
    fn apart<K: Kernel>(part: K) -> K::Output {
        #[cfg(target_arch = "x86_64")]
        return x86::run_avx512(part);
        #[cfg(not(target_arch = "x86_64"))]
        part.run::<Self>()
    }
}

/// A computation to be compiled for every instruction set.
///
/// `run` and everything hot that it calls must be `#[inline(always)]` (or `#[inline]` and small),
/// or it is compiled for the baseline.
pub trait Kernel {
    /// What the kernel returns.
    type Output;
    /// The computation, compiled with the instructions of `I`.
    fn run<I: Isa>(self) -> Self::Output;
}

/// Runs a kernel with the best instruction set of this processor.
///
/// ```
/// use hnn_integrators::simd::{dispatch, Isa, Kernel};
/// struct Sum<'a>(&'a [f64]);
/// impl Kernel for Sum<'_> {
///     type Output = f64;
///     #[inline(always)]
///     fn run<I: Isa>(self) -> f64 {
///         self.0.iter().sum()
///     }
/// }
/// assert_eq!(dispatch(Sum(&[1.0, 2.0, 3.0])), 6.0);
/// ```
#[inline]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        match x86::level() {
            x86::Level::Avx512 => x86::run_avx512(kernel),
            x86::Level::Avx2Fma => x86::run_avx2(kernel),
            x86::Level::Baseline => kernel.run::<Baseline>(),
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    kernel.run::<Baseline>()
}

/// As [`dispatch`] on a processor with vectors worth the name; else gives the kernel back. It is
/// compiled for one instruction set less.
#[inline]
pub(crate) fn dispatch_vectors<K: Kernel>(kernel: K) -> Result<K::Output, K> {
    #[cfg(target_arch = "x86_64")]
    {
        match x86::level() {
            x86::Level::Avx512 => Ok(x86::run_avx512(kernel)),
            x86::Level::Avx2Fma => Ok(x86::run_avx2(kernel)),
            x86::Level::Baseline => Err(kernel),
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    Ok(kernel.run::<Baseline>())
}

/// Runs a kernel of one trajectory. Wider registers do not help it, so that it is compiled for one
/// instruction set less.
#[inline]
pub(crate) fn dispatch_alone<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        match x86::level() {
            x86::Level::Avx512 | x86::Level::Avx2Fma => x86::run_avx2(kernel),
            x86::Level::Baseline => kernel.run::<Baseline>(),
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    kernel.run::<Baseline>()
}

/// As [`dispatch_alone`] on a processor with vectors worth the name; else gives the kernel back.
#[inline]
pub(crate) fn dispatch_alone_vectors<K: Kernel>(kernel: K) -> Result<K::Output, K> {
    #[cfg(target_arch = "x86_64")]
    {
        match x86::level() {
            x86::Level::Avx512 | x86::Level::Avx2Fma => Ok(x86::run_avx2(kernel)),
            x86::Level::Baseline => Err(kernel),
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    Ok(kernel.run::<Baseline>())
}

/// Name of the instruction set that [`dispatch`] uses on this machine.
#[must_use]
pub fn instruction_set() -> &'static str {
    struct Name;
    impl Kernel for Name {
        type Output = &'static str;
        fn run<I: Isa>(self) -> &'static str {
            I::NAME
        }
    }
    dispatch(Name)
}
