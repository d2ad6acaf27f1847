//! The composition of Kahan and Li of order 8.

use super::{composed, splitting_method};

splitting_method! {
    /// The composition of Kahan and Li of order 8 (s17odr8a): symmetric, seventeen forces a step;
    /// the choice for energies good to rounding.
    ///
    /// Kahan, Li, *Math. Comp.* 66 (1997), 1089-1099.
    KahanLi8, "Kahan-Li 8", 8, Kick,
    composed::<9, 35>([
        0.130_202_483_088_890_08,
        0.561_162_981_775_108_4,
        -0.389_474_962_644_847_3,
        0.158_841_906_555_155_6,
        -0.395_903_894_133_237_6,
        0.184_539_640_978_315_7,
        0.258_374_387_686_322_05,
        0.295_011_723_609_310_3,
        -0.605_508_533_830_034_5,
    ])
}
