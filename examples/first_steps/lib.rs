//! Six short programs that use `hnn` alone: the examples of this package.
