#pragma once
#include "rlhf/models/network.h"

namespace rlhf::models {

/// Sizes of Deep TAMER's encoder are filters 64, halvings 4 for frames of 160 x 160 (100 features); the defaults suit
/// 40 x 40 (25 features).
struct FrameAutoencoderConfig {
  std::int64_t filters = 16;  // of each of the three blocks
  std::int64_t halvings = 3;  // poolings 2 x 2: the frames' side over the code's is 2 to this power; 1 to 4

  void fields(Fields& f);
  void validate() const;
};

/// Frames to a small code and back (Warnell et al. 2018, arXiv:1709.10163): three blocks of a 3x3 convolution, batch
/// norm, ReLU and a 2x2 max pooling, then a convolution with one filter, batch norm and a pooling; the way back mirrors
/// it with nearest-neighbour upsampling. Learnt by squared error from frames alone, it is then an agent's frozen eye.
///
/// What all frames share is taken off before and added after, so that the code holds what differs.
///
/// Differs from the paper: with fewer halvings than four, the last blocks of three are not pooled.
class FrameAutoencoder {
 public:
  /// `seen` is [channels, height, width]; throws rlhf::Error (usage) when a side cannot be halved so often.
  FrameAutoencoder(const std::vector<std::int64_t>& seen, const FrameAutoencoderConfig& config, std::uint64_t seed);

  /// frames [rows, channels, height, width] float32 -> [rows, features], batch norm by its running statistics, without
  /// gradients.
  Tensor encode(const Tensor& frames) const;

  /// There and back, same shape. `learning`: batch norm by the batch, whose statistics it keeps.
  Tensor reconstruct(const Tensor& frames, bool learning) const;

  /// [channels, height, width]
  void set_mean(const Tensor& mean);

  std::int64_t features() const { return features_; }
  const std::vector<std::int64_t>& seen() const { return seen_; }
  NamedWeights weights() const;  // to train
  NamedWeights everything() const;  // and the statistics: what a file keeps

 private:
  struct Layer {
    std::string name;
    Tensor weight, bias;                                     // of the convolution
    Tensor scale, shift, running_mean, running_variance;     // of the batch norm; undefined without
    bool relu = true, halves = false;                        // doubles, on the way back
  };
  Layer make_layer(const std::string& name, std::int64_t inputs, std::int64_t outputs, std::uint64_t seed) const;
  Tensor normalised(const Tensor& values, const Layer& layer, bool learning) const;
  Tensor code(const Tensor& frames, bool learning) const;  // [rows, 1, height, width]

  std::vector<std::int64_t> seen_;
  std::int64_t features_ = 0;
  Tensor mean_;
  std::vector<Layer> down_, up_;
};

}  // namespace rlhf::models
