//! The parameters of a model: those of its parts, one after the other.

/// `parameters!(Model<A, B>: a, b)` implements [`Parameters`](hnn_integrators::Parameters) by the
/// fields that have some; `parameters!(impl<..> for Model: a)` where other generics are needed.
macro_rules! parameters {
    ($model:ident<$($part:ident),+>: $($field:tt),+) => {
        crate::parameters::parameters!(
            impl<T: hnn_integrators::Scalar, $($part: hnn_integrators::Parameters<T>),+>
            for $model<$($part),+>: $($field),+
        );
    };
    (impl<T: $($scalar:ident)::+ $(+ $other:ident)? $(, $part:ident $(: $bound:path)?)*> for $model:ty: $($field:tt),*) => {
        impl<T: $($scalar)::+ $(+ $other)?, $($part $(: $bound)?),*> hnn_integrators::Parameters<T> for $model {
            fn num_params(&self) -> usize {
                0 $(+ self.$field.num_params())*
            }

            fn copy_params(&self, out: &mut [T]) -> Result<(), hnn_integrators::FieldError> {
                let expected = 0 $(+ self.$field.num_params())*;
                hnn_integrators::FieldError::check_parameters(out.len(), expected)?;
                let _rest = out;
                $(
                    let (own, _rest) = _rest.split_at_mut(self.$field.num_params());
                    self.$field.copy_params(own)?;
                )*
                Ok(())
            }

            fn set_params(&mut self, theta: &[T]) -> Result<(), hnn_integrators::FieldError> {
                let expected = 0 $(+ self.$field.num_params())*;
                hnn_integrators::FieldError::check_parameters(theta.len(), expected)?;
                let _rest = theta;
                $(
                    let (own, _rest) = _rest.split_at(self.$field.num_params());
                    self.$field.set_params(own)?;
                )*
                Ok(())
            }

            fn set_mode(&mut self, _mode: hnn_integrators::Mode) {
                $(self.$field.set_mode(_mode);)*
            }
        }
    };
}

pub(crate) use parameters;
