#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "rlhf/data/trajectory.h"
#include "rlhf/environments/environment.h"
#include "rlhf/models/frame_autoencoder.h"

namespace rlhf::algorithms {

/// What a learner that people teach live keeps of an observation. Steps and samples share it.
using Percept = std::shared_ptr<const std::vector<float>>;

/// How it looks at one: numbers times `scale`, or pictures through a frozen encoder, which comes first.
struct Eyes {
  std::vector<double> scale;
  std::shared_ptr<const models::FrameAutoencoder> frames;
  bool squash = false;  // then the hyperbolic tangent of each number, within -1 .. 1
};

/// The observation through these eyes, and then `constants` numbers that are 1. Throws rlhf::Error (usage) for one of
/// another size than the eyes were made for.
Percept see(const Eyes& eyes, const data::Array& observation, std::int64_t constants = 0);

/// Numbers of a percept, without constants.
std::int64_t width_of(const Eyes& eyes);

/// What brings each number of an observation to the order of 1: the inverse of its bounds, 0.5 where it has none.
std::vector<double> feature_scale(const environments::Spec& spec);

bool shows_pictures(const environments::Spec& spec);

/// Looks once at what is looked at twice running: an observation is acted upon and then observed.
class Glance {
 public:
  template <class Look>
  const Percept& operator()(const data::Array& observation, const Look& look) {
    if (!percept_ || observation_ != observation) {
      percept_ = look(observation);
      observation_ = observation;
    }
    return percept_;
  }

 private:
  data::Array observation_;
  Percept percept_;
};

}  // namespace rlhf::algorithms
