//! Kernels compiled for several instruction sets, the best one chosen at run time.
//!
//! A portable build cannot assume more than the baseline of its target, and plain loops then run
//! at a quarter of the machine's speed or less. A [`Kernel`] is compiled once for each
//! [`Isa`]; [`dispatch`] picks the best one the processor has. No compiler flag is asked of the
//! user.

/// An instruction set that kernels are compiled for.
///
/// Not to be implemented outside this crate: it carries what a kernel must know at compile time.
pub trait Isa: Copy + Send + Sync + 'static {
    /// Whether a fused multiply-add is one instruction. Where it is not, `mul_add` would be a
    /// library call, 50 times slower than a product and a sum.
    const FMA: bool;
    /// Width of a vector register in bytes.
    const VECTOR_BYTES: usize;
    /// Name for reports.
    const NAME: &'static str;

    /// The same numbers: what they are computed from comes before it in the program, what is
    /// computed from them after it.
    ///
    /// Left alone, the compiler sorts the operations of a lane that fills several registers
    /// register after register, to need few of them at a time, and the processor, which looks a few
    /// hundred instructions ahead at most, waits for one long chain of dependent operations after
    /// the other. A lane kept in step after every operation of a chain has its registers advance
    /// side by side.
    #[inline(always)]
    fn in_step<T: Copy, const W: usize>(lanes: [T; W]) -> [T; W] {
        lanes
    }
}

/// The baseline of the target: SSE2 on x86-64, NEON (with FMA) on aarch64.
#[derive(Debug, Clone, Copy)]
pub struct Baseline;
/// AVX2 and FMA3 (Intel since 2013, AMD since 2017).
#[derive(Debug, Clone, Copy)]
pub struct Avx2Fma;
/// AVX-512 F, DQ, VL and BW.
#[derive(Debug, Clone, Copy)]
pub struct Avx512;

impl Isa for Baseline {
    const FMA: bool = cfg!(target_arch = "aarch64") || cfg!(target_feature = "fma");
    const VECTOR_BYTES: usize = 16;
    const NAME: &'static str = "baseline";
}
impl Isa for Avx2Fma {
    const FMA: bool = true;
    const VECTOR_BYTES: usize = 32;
    const NAME: &'static str = "AVX2 + FMA";

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn in_step<T: Copy, const W: usize>(lanes: [T; W]) -> [T; W] {
        x86::in_step_avx2(lanes)
    }
}
impl Isa for Avx512 {
    const FMA: bool = true;
    const VECTOR_BYTES: usize = 64;
    const NAME: &'static str = "AVX-512";

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn in_step<T: Copy, const W: usize>(lanes: [T; W]) -> [T; W] {
        x86::in_step_avx512(lanes)
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

/// Entry points of the x86-64 instruction sets.
///
/// The one place with `unsafe` in this crate. It buys the vector units: the benchmark
/// `rk4_throughput` runs 11 times faster than the scalar loop with it (AVX2); a fifth of that is
/// bought by `in_step`.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86 {
    use std::arch::asm;
    use std::arch::x86_64::{__m256d, __m512d};

    use super::{Avx2Fma, Avx512, Kernel};

    pub(super) enum Level {
        Avx512,
        Avx2Fma,
        Baseline,
    }

    /// The standard library caches the answers of CPUID: a call is a load and a test.
    #[inline]
    pub(super) fn level() -> Level {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        if avx2
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
        {
            Level::Avx512
        } else if avx2 {
            Level::Avx2Fma
        } else {
            Level::Baseline
        }
    }

    /// [`Isa::in_step`](super::Isa::in_step) for lanes of two or four registers: an instruction
    /// that is empty, but needs all of them.
    macro_rules! in_step {
        ($name:ident, $features:literal, $register:ident, $class:ident) => {
            #[inline(always)]
            pub(super) fn $name<T: Copy, const W: usize>(mut lanes: [T; W]) -> [T; W] {
                #[inline]
                #[target_feature(enable = $features)]
                unsafe fn two(at: *mut $register) {
                    // SAFETY: `at` has room for two registers; the instruction does nothing.
                    unsafe {
                        let [mut a, mut b] = at.cast::<[$register; 2]>().read_unaligned();
                        asm!("/* {} {} */", inout($class) a, inout($class) b,
                            options(pure, nomem, nostack, preserves_flags));
                        at.cast::<[$register; 2]>().write_unaligned([a, b]);
                    }
                }
                #[inline]
                #[target_feature(enable = $features)]
                unsafe fn four(at: *mut $register) {
                    // SAFETY: `at` has room for four registers; the instruction does nothing.
                    unsafe {
                        let [mut a, mut b, mut c, mut d] =
                            at.cast::<[$register; 4]>().read_unaligned();
                        asm!("/* {} {} {} {} */", inout($class) a, inout($class) b,
                            inout($class) c, inout($class) d,
                            options(pure, nomem, nostack, preserves_flags));
                        at.cast::<[$register; 4]>().write_unaligned([a, b, c, d]);
                    }
                }
                let at = lanes.as_mut_ptr().cast::<$register>();
                let registers = size_of::<[T; W]>() / size_of::<$register>();
                let exact = size_of::<[T; W]>() % size_of::<$register>() == 0;
                // SAFETY: the lanes fill as many registers; any bits are a value of a register,
                // and the same bits come back; kernels run with these features only where the
                // processor has them (see `run_avx2` and `run_avx512`).
                match registers {
                    2 if exact => unsafe { two(at) },
                    4 if exact => unsafe { four(at) },
                    _ => {}
                }
                lanes
            }
        };
    }

    in_step!(in_step_avx2, "avx2,fma", __m256d, ymm_reg);
    in_step!(in_step_avx512, "avx512f", __m512d, zmm_reg);

    #[inline]
    pub(super) fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]
        fn entry<K: Kernel>(kernel: K) -> K::Output {
            kernel.run::<Avx512>()
        }
        // SAFETY: called only at `Level::Avx512`, when the processor has all these features.
        unsafe { entry(kernel) }
    }

    #[inline]
    pub(super) fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma")]
        fn entry<K: Kernel>(kernel: K) -> K::Output {
            kernel.run::<Avx2Fma>()
        }
        // SAFETY: called only at `Level::Avx2Fma` or above, when the processor has both features.
        unsafe { entry(kernel) }
    }
}
