//! The methods of adaptive pairs with steps of a fixed size.

use super::{ExplicitRungeKutta, Tableau};
use crate::{Dop853, DormandPrince5, EmbeddedRungeKutta, Tsitouras5};

/// The method that a pair propagates, without the last stage, which only its error estimate and
/// the next step need.
macro_rules! propagated {
    ($($method:ident),*) => { $(
        /// With steps of a fixed size: the method that the pair propagates.
        impl ExplicitRungeKutta for $method {
            #[inline(always)]
            fn tableau(&self) -> Tableau<'_> {
                let tableau = self.pair().tableau;
                let stages = tableau.stages() - 1;
                let a = &tableau.a[..stages * (stages - 1) / 2];
                Tableau { a, b: &tableau.b[..stages], c: &tableau.c[..stages], ..tableau }
            }
        }
    )* };
}

propagated!(DormandPrince5, Tsitouras5, Dop853);
