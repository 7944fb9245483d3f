#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "rlhf/core/tensor.h"
#include "rlhf/environments/environment.h"

namespace rlhf::environments {

/// What becomes of an environment whose episode has ended.
enum class AutoReset {
  same_step,  // it starts anew at once: observations hold the new start, final_observations the end (EnvPool, SB3)
  next_step,  // its next step ignores the action and gives the new start with reward 0 (Gymnasium 1.x)
  disabled,   // it stands still, with reward 0 and its flags kept, until reset
};

struct VectorOptions {
  std::int64_t count = 1;  // environments
  AutoReset auto_reset = AutoReset::same_step;
  int threads = 1;  // for environments whose step takes longer than handing it to a thread, about 20 us
  /// Hears of what stops nothing and yet has to be known: a worker that was started anew. Empty: standard error.
  std::function<void(std::string_view)> report;
};

/// What one step of all environments gave. The tensors belong to the environment and change with its next call.
struct VectorStep {
  Tensor observations;           // [envs, ...] of the spec's dtype
  Tensor rewards;                // [envs] float64
  Tensor terminated, truncated;  // [envs] bool, never merged: what follows a truncation has a value
  Tensor final_observations;     // [envs, ...]; same_step only: rows of ended episodes hold their last observation
  std::int64_t ended = 0;        // how many episodes ended in this step
  Tensor true_rewards;           // [envs] float64: what was earned, where learners see other rewards; may be undefined
};

/// What the environments themselves gave, whatever the learner sees: for reports, and for trainers who know the truth.
const Tensor& earned(const VectorStep& step);

/// Which episode an environment is in, and how far.
struct Place {
  std::uint64_t seed = 0;  // what Environment::reset of one alone takes to start the same episode
  std::int64_t episode = 0, step = 0;
};

/// Many copies of one environment that step together. Environment i is to the bit what one Environment alone would be
/// that is reset with place(i).seed and given the same actions.
///
/// Errors are those of Environment; a wrong shape or dtype of `actions` is rlhf::Error (usage).
class VectorEnvironment {
 public:
  virtual ~VectorEnvironment() = default;

  virtual const Spec& spec() const = 0;
  virtual std::int64_t count() const = 0;
  virtual AutoReset auto_reset() const = 0;

  /// Starts an episode in each; episode k of environment i has seed episode_seed(seed, i, k). [envs, ...]
  virtual const Tensor& reset(std::uint64_t seed) = 0;

  /// `actions`: int64 [envs] for a Discrete space, float32 [envs, ...] for a Box.
  virtual const VectorStep& step(const Tensor& actions) = 0;

  virtual Place place(std::int64_t environment) const = 0;

  /// What set_state of one Environment with the same spec takes.
  virtual std::string state_of(std::int64_t environment) const = 0;

  /// All of them and where their episodes stand; a run that goes on from it repeats the same bits.
  virtual std::string state() const = 0;
  virtual void set_state(std::string_view bytes) = 0;
  /// The observations that set_state left, [envs, ...].
  virtual const Tensor& observations() const = 0;
};

std::uint64_t episode_seed(std::uint64_t seed, std::int64_t environment, std::int64_t episode);

/// Any environments side by side; `make` is called once for each. With more than one thread, each steps its share.
std::unique_ptr<VectorEnvironment> each_of(const std::function<std::unique_ptr<Environment>()>& make,
                                           const VectorOptions& options);

/// The tensors that a VectorEnvironment of this spec hands out. Throws rlhf::Error (usage) for no environments.
VectorStep make_vector_step(const Spec& spec, const VectorOptions& options);

/// Nothing was earned and nothing has ended: how things stand after a reset.
void clear_flags(VectorStep& step);

/// Actions of one environment each, all of one kind, as VectorEnvironment::step takes them.
Tensor stacked(std::span<const Action> actions);

/// Observations of this spec, as an environment's tensors hold them: [rows, ...].
Tensor stacked(const Spec& spec, std::span<const Array> observations);

/// Throws rlhf::Error (usage) unless `actions` fit `environments` environments of this spec: dtype, shape, and choices
/// that exist.
void check_actions(const Spec& spec, const Tensor& actions, std::int64_t environments);

}  // namespace rlhf::environments
