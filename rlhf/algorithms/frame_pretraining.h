#pragma once
#include <filesystem>
#include <memory>

#include "rlhf/algorithms/optimizer.h"
#include "rlhf/environments/environment.h"
#include "rlhf/models/frame_autoencoder.h"

namespace rlhf::algorithms {

/// How an agent gets its eyes before a person teaches it: an autoencoder of what random play shows.
struct FramePretrainingConfig {
  models::FrameAutoencoderConfig autoencoder;
  std::int64_t frames = 3000;  // that are learnt from; a tenth more are held out
  std::int64_t stride = 4;     // steps of random play from one frame to the next
  std::int64_t epochs = 20;
  std::int64_t batch = 32;
  double learning_rate = 2e-3;  // falls to 0 in a straight line
  AdamConfig adam;
  std::uint64_t seed = 1;

  void fields(Fields& f) {
    autoencoder.fields(f);
    f.field("frames", frames, "of random play that the eyes are learnt from; a tenth more are held out");
    f.field("stride", stride, "steps of random play from one frame to the next");
    f.field("epochs", epochs, "over the frames");
    f.field("batch", batch, "frames of an optimiser step");
    f.field("learning_rate", learning_rate, "of Adam; falls to 0 in a straight line");
    f.group("adam", adam, "the optimiser");
    f.field("seed", seed, "of the play, the first weights and the order");
  }
  void validate() const;
};

struct FramePretraining {
  std::shared_ptr<const models::FrameAutoencoder> autoencoder;
  double error = 0.0;     // squared, a pixel of the frames held out, pixels from 0 to 1
  double variance = 0.0;  // of those pixels about the mean frame, which nothing need be seen to know
};

/// Observations of random play, uint8 [count, channels, height, width].
Tensor random_frames(environments::Environment& environment, std::int64_t count, std::int64_t stride,
                     std::uint64_t seed);

/// A function of its settings. Throws rlhf::Error (usage) for an environment that shows no pictures.
FramePretraining pretrain_frames(environments::Environment& environment, const FramePretrainingConfig& config);

/// The same, kept in a safetensors file: read where it is there (and made with these settings, for this environment),
/// else made and written.
FramePretraining pretrained_frames(environments::Environment& environment, const FramePretrainingConfig& config,
                                   const std::filesystem::path& file);

}  // namespace rlhf::algorithms
