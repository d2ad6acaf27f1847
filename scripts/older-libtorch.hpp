// What `tch` 0.26 binds of PyTorch 2.13 and PyTorch 2.11 does not have. With `-include` of this file
// the bindings compile against 2.11; a call of one of these functions is an error of libtorch's kind.
#pragma once

#include <torch/torch.h>

#if TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR < 13

namespace torch {

#define HNN_LACKING(result, name)                          \
  template <typename... Arguments>                         \
  result name(Arguments&&...) {                            \
    TORCH_CHECK(false, "this libtorch does not have " #name); \
  }

HNN_LACKING(at::Tensor, _flash_attention_forward_no_dropout_inplace)
HNN_LACKING(at::Tensor, _philox_key_fold_in)
HNN_LACKING(at::Tensor, _philox_key_split)
HNN_LACKING(at::Tensor, _philox_normal)
HNN_LACKING(at::Tensor, _philox_normal_)
HNN_LACKING(at::Tensor, _philox_normal_out)
HNN_LACKING(at::Tensor, _philox_uniform)
HNN_LACKING(at::Tensor, _philox_uniform_)
HNN_LACKING(at::Tensor, _philox_uniform_out)
HNN_LACKING(at::Tensor, _upsample_lanczos2d_aa)
HNN_LACKING(at::Tensor, _upsample_lanczos2d_aa_backward)
HNN_LACKING(at::Tensor, _upsample_lanczos2d_aa_backward_out)
HNN_LACKING(at::Tensor, _upsample_lanczos2d_aa_out)
// It is there, with an argument less.
using AttentionAndWeights = std::tuple<at::Tensor, at::Tensor>;
HNN_LACKING(AttentionAndWeights, _scaled_dot_product_attention_math_for_mps)

#undef HNN_LACKING

}  // namespace torch

#endif
