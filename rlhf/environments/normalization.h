#pragma once
#include <memory>
#include <vector>

#include "rlhf/core/fields.h"
#include "rlhf/environments/vector.h"

namespace rlhf::environments {

struct NormalizationConfig {
  bool observations = false, rewards = false;
  double observation_clip = 10.0, reward_clip = 10.0;  // ±, in standard deviations
  double gamma = 0.99;                                 // of the returns whose spread rewards are divided by
  double epsilon = 1e-8;                               // added to the variance

  bool any() const { return observations || rewards; }
  void fields(Fields& f) {
    f.field("observations", observations, "mean 0 and variance 1 in each number, by what was seen so far");
    f.field("rewards", rewards, "divided by the standard deviation of discounted returns so far");
    f.field("observation_clip", observation_clip, "normalised observations are kept within ± this");
    f.field("reward_clip", reward_clip, "normalised rewards are kept within ± this");
    f.field("gamma", gamma, "discount of the returns whose spread rewards are divided by");
    f.field("epsilon", epsilon, "added to the variance");
  }
  void validate() const;
};

/// Mean and variance of all rows so far, by the merging rule of Chan et al. (1983). As Stable-Baselines3 begins: mean 0
/// and variance 1, with the weight of a ten-thousandth of a row.
struct RunningMoments {
  double count = 1e-4;
  std::vector<double> mean, variance;  // of each number

  explicit RunningMoments(std::size_t numbers = 0) : mean(numbers, 0.0), variance(numbers, 1.0) {}
  /// `rows` rows, adjacent.
  void add(const double* numbers, std::int64_t rows);
  bool operator==(const RunningMoments&) const = default;
};

nlohmann::json to_json(const RunningMoments& moments);
/// Throws rlhf::Error (bad_data) for what is none, or of another width than `numbers`.
RunningMoments moments_from_json(const nlohmann::json& record, std::size_t numbers);

/// Environments whose observations and rewards an agent sees normalised, by the rules of Stable-Baselines3's
/// VecNormalize: each step's observations count before they are normalised; an episode's last one is normalised but
/// does not count; rewards are divided and not shifted, so that their signs stay.
///
///   observations  float32, within ± observation_clip
///   rewards       normalised; VectorStep::true_rewards has what was earned
///
/// The statistics are part of state(), so that a run goes on from a checkpoint to the same bits. Throws rlhf::Error
/// (usage) to be asked for observations that are pictures or whole numbers.
class Normalized final : public VectorEnvironment {
 public:
  Normalized(std::unique_ptr<VectorEnvironment> inner, const NormalizationConfig& config);

  const Spec& spec() const override { return spec_; }
  std::int64_t count() const override { return inner_->count(); }
  AutoReset auto_reset() const override { return inner_->auto_reset(); }
  const Tensor& reset(std::uint64_t seed) override;
  const VectorStep& step(const Tensor& actions) override;
  Place place(std::int64_t environment) const override { return inner_->place(environment); }
  std::string state_of(std::int64_t environment) const override { return inner_->state_of(environment); }
  std::string state() const override;
  void set_state(std::string_view bytes) override;
  const Tensor& observations() const override { return out_.observations; }

  const VectorEnvironment& inner() const { return *inner_; }
  const NormalizationConfig& config() const { return config_; }

  /// The statistics, and what goes on from them. A frozen one learns nothing more and hands out rewards as they are:
  /// for evaluation, and for whoever uses the agent later.
  nlohmann::json statistics() const;
  void set_statistics(const nlohmann::json& statistics);
  void freeze() { frozen_ = true; }

 private:
  void show(const Tensor& seen, const Tensor& out) const;
  void learn_observations();
  void normalize_rewards(const VectorStep& step);

  std::unique_ptr<VectorEnvironment> inner_;
  NormalizationConfig config_;
  Spec spec_;
  bool frozen_ = false;
  RunningMoments observed_, returned_;
  std::vector<double> returns_;  // discounted, of each environment's running episode
  VectorStep out_;
};

/// `inner` as it is where nothing is to be normalised.
std::unique_ptr<VectorEnvironment> normalized(std::unique_ptr<VectorEnvironment> inner,
                                              const NormalizationConfig& config);

/// `fresh`, shown to an agent as `trained` showed it its environments at the end: with the statistics of then, frozen.
std::unique_ptr<VectorEnvironment> as_seen_in(const VectorEnvironment& trained,
                                              std::unique_ptr<VectorEnvironment> fresh);

}  // namespace rlhf::environments
