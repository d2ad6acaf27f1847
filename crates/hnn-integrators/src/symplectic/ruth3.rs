//! Ruth's method of order 3.

use super::splitting_method;

splitting_method! {
    /// Ruth's method of order 3: three forces a step, not symmetric.
    ///
    /// Ruth, *IEEE Trans. Nucl. Sci.* NS-30 (1983), 2669.
    Ruth3, "Ruth 3", 3, Kick,
    [7.0 / 24.0, 2.0 / 3.0, 3.0 / 4.0, -2.0 / 3.0, -1.0 / 24.0, 1.0]
}
