#include "rlhf/algorithms/softmax_policy.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tanh.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "rlhf/algorithms/detail/state_bytes.h"
#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"
#include "rlhf/models/network.h"

namespace rlhf::algorithms {
namespace {

/// Scores of one percept as the softmax gets them, and how each follows its raw score.
struct Scores {
  std::vector<double> values, slopes;
};

std::vector<double> softmax(const std::vector<double>& scores) {
  const double most = *std::max_element(scores.begin(), scores.end());
  std::vector<double> chances;
  double sum = 0;
  for (const double score : scores) sum += chances.emplace_back(std::exp(score - most));
  for (double& chance : chances) chance /= sum;
  return chances;
}

double entropy_of(const std::vector<double>& chances) {
  double sum = 0;
  for (const double chance : chances)
    if (chance > 0) sum -= chance * std::log(chance);
  return sum;
}

class LinearPolicy final : public SoftmaxPolicy {
 public:
  LinearPolicy(std::int64_t actions, Eyes eyes, double limit)
      : actions_(static_cast<std::size_t>(actions)),
        eyes_(std::move(eyes)),
        limit_(limit),
        width_(static_cast<std::size_t>(width_of(eyes_)) + 1),
        learnt_(actions_ * width_, 0.0),
        published_(learnt_) {}

  Percept perceive(const data::Array& observation) const override { return see(eyes_, observation, 1); }
  std::vector<double> chances(const Percept& percept) const override {
    return softmax(scores(published_, *percept).values);
  }
  std::vector<double> learnt_chances(std::span<const PolicyTerm> terms) const override {
    std::vector<double> each;
    for (const auto& term : terms)
      each.push_back(softmax(scores(learnt_, *term.percept).values)[static_cast<std::size_t>(term.action)]);
    return each;
  }

  /// d log pi(a) / d score_b = [a = b] - pi(b);  d H / d score_b = -pi(b) (log pi(b) + H).
  ParameterVector gradient(std::span<const PolicyTerm> terms) const override {
    ParameterVector sum(learnt_.size(), 0.0);
    for (const auto& term : terms) {
      const auto scores = this->scores(learnt_, *term.percept);
      const auto chances = softmax(scores.values);
      const double entropy = entropy_of(chances);
      for (std::size_t b = 0; b < actions_; ++b) {
        const double taken = b == static_cast<std::size_t>(term.action) ? 1.0 : 0.0;
        double slope = term.weight * (taken - chances[b]);
        if (chances[b] > 0) slope -= term.entropy * chances[b] * (std::log(chances[b]) + entropy);
        for (std::size_t i = 0; i < width_; ++i)
          sum[b * width_ + i] += slope * scores.slopes[b] * static_cast<double>((*term.percept)[i]);
      }
    }
    return sum;
  }

  ParameterVector parameters() const override { return learnt_; }
  void add(const ParameterVector& change) override {
    for (std::size_t i = 0; i < learnt_.size(); ++i) learnt_[i] += change[i];
  }
  void publish() override { published_ = learnt_; }
  std::int64_t actions() const override { return static_cast<std::int64_t>(actions_); }
  void write(std::string& bytes) const override { append(bytes, learnt_); }

 private:
  Scores scores(const ParameterVector& weights, const std::vector<float>& features) const {
    Scores scores;
    for (std::size_t b = 0; b < actions_; ++b) {
      double raw = 0;
      for (std::size_t i = 0; i < width_; ++i) raw += weights[b * width_ + i] * static_cast<double>(features[i]);
      const double squashed = limit_ > 0 ? std::tanh(raw / limit_) : 0.0;
      scores.values.push_back(limit_ > 0 ? limit_ * squashed : raw);
      scores.slopes.push_back(1 - squashed * squashed);
    }
    return scores;
  }

  std::size_t actions_;
  Eyes eyes_;
  double limit_;
  std::size_t width_;                   // of a percept with its constant
  ParameterVector learnt_, published_;  // [actions, width]
};

class NetworkPolicy final : public SoftmaxPolicy {
 public:
  NetworkPolicy(std::int64_t actions, Eyes eyes, const SoftmaxPolicyConfig& config, std::uint64_t seed)
      : actions_(actions), eyes_(std::move(eyes)), limit_(config.logit_limit) {
    const auto make = [&] {
      // The last layer's small gain makes the first policy nearly uniform.
      return models::make_network({.hidden = config.hidden}, {width_of(eyes_)}, actions, 0.01,
                                  derive(seed, {hash("policy")}));
    };
    learnt_ = make();
    published_ = make();
  }

  Percept perceive(const data::Array& observation) const override { return see(eyes_, observation); }
  std::vector<double> chances(const Percept& percept) const override {
    const at::NoGradGuard no_gradient;
    const PolicyTerm term{.percept = percept};
    const auto each = log_chances(*published_, rows_of({&term, 1})).exp().to(at::kDouble).contiguous();
    return {each.const_data_ptr<double>(), each.const_data_ptr<double>() + actions_};
  }
  std::vector<double> learnt_chances(std::span<const PolicyTerm> terms) const override {
    const at::NoGradGuard no_gradient;
    const auto each = log_chances(*learnt_, rows_of(terms)).exp().to(at::kDouble).contiguous();
    std::vector<double> chances;
    for (std::size_t i = 0; i < terms.size(); ++i)
      chances.push_back(each.const_data_ptr<double>()[static_cast<std::int64_t>(i) * actions_ + terms[i].action]);
    return chances;
  }

  ParameterVector gradient(std::span<const PolicyTerm> terms) const override {
    const auto rows = std::ssize(terms);
    auto weights = at::empty({rows}, at::kFloat), entropies = at::empty({rows}, at::kFloat);
    auto actions = at::empty({rows, 1}, at::kLong);
    for (std::int64_t i = 0; i < rows; ++i) {
      const auto& term = terms[static_cast<std::size_t>(i)];
      weights.mutable_data_ptr<float>()[i] = static_cast<float>(term.weight);
      entropies.mutable_data_ptr<float>()[i] = static_cast<float>(term.entropy);
      actions.mutable_data_ptr<std::int64_t>()[i] = term.action;
    }
    for (auto& [name, weight] : learnt_->weights()) weight.mutable_grad().reset();
    const auto logs = log_chances(*learnt_, rows_of(terms));  // [terms, actions]
    const auto entropy = -(logs.exp() * logs).sum(1);
    (weights * logs.gather(1, actions).squeeze(1) + entropies * entropy).sum().backward();
    ParameterVector flat;
    for (const auto& [name, weight] : learnt_->weights()) {
      if (weight.grad().defined())
        append_numbers(flat, weight.grad());
      else
        flat.resize(flat.size() + static_cast<std::size_t>(weight.numel()), 0.0);
    }
    return flat;
  }

  ParameterVector parameters() const override {
    ParameterVector flat;
    for (const auto& [name, weight] : learnt_->weights()) append_numbers(flat, weight);
    return flat;
  }
  void add(const ParameterVector& change) override {
    const at::NoGradGuard no_gradient;
    const double* from = change.data();
    for (auto& [name, weight] : learnt_->weights()) {
      auto* numbers = weight.mutable_data_ptr<float>();
      for (std::int64_t i = 0; i < weight.numel(); ++i) numbers[i] += static_cast<float>(*from++);
    }
  }
  void publish() override { models::copy_weights(*learnt_, *published_); }
  std::int64_t actions() const override { return actions_; }
  void write(std::string& bytes) const override {
    algorithms::append(bytes, parameters());
    if (!eyes_.frames) return;
    ParameterVector encoder;
    for (const auto& [name, tensor] : eyes_.frames->everything()) append_numbers(encoder, tensor);
    algorithms::append(bytes, encoder);
  }

 private:
  static void append_numbers(ParameterVector& flat, const Tensor& tensor) {
    const auto plain = tensor.detach().to(at::kFloat).contiguous();
    const auto* numbers = plain.const_data_ptr<float>();
    flat.insert(flat.end(), numbers, numbers + plain.numel());
  }
  static Tensor rows_of(std::span<const PolicyTerm> terms) {
    const auto width = std::ssize(*terms[0].percept);
    auto rows = at::empty({std::ssize(terms), width}, at::kFloat);
    auto* out = rows.mutable_data_ptr<float>();
    for (const auto& term : terms) out = std::copy(term.percept->begin(), term.percept->end(), out);
    return rows;
  }
  Tensor log_chances(const models::Network& network, const Tensor& rows) const {
    const auto raw = network.forward(rows);
    return at::log_softmax(limit_ > 0 ? limit_ * at::tanh(raw / limit_) : raw, 1);
  }

  std::int64_t actions_;
  Eyes eyes_;
  double limit_;
  std::unique_ptr<models::Network> learnt_, published_;
};

}  // namespace

void SoftmaxPolicyConfig::validate() const {
  if (!hidden.empty()) models::NetworkConfig{.hidden = hidden}.validate();
  if (!(logit_limit >= 0))
    throw Error({.category = Category::usage,
                 .where = "logit_limit",
                 .what = "out of range",
                 .fix = "Give a limit above 0, or 0 for none."});
}

std::unique_ptr<SoftmaxPolicy> make_softmax_policy(std::int64_t actions, Eyes eyes, const SoftmaxPolicyConfig& config,
                                                   std::uint64_t seed) {
  config.validate();
  if (config.hidden.empty()) return std::make_unique<LinearPolicy>(actions, std::move(eyes), config.logit_limit);
  return std::make_unique<NetworkPolicy>(actions, std::move(eyes), config, seed);
}

std::int64_t drawn_action(const std::vector<double>& chances, double uniform) {
  for (std::size_t action = 0; action + 1 < chances.size(); ++action)
    if ((uniform -= chances[action]) < 0) return static_cast<std::int64_t>(action);
  return std::ssize(chances) - 1;
}

std::int64_t likeliest_action(const std::vector<double>& chances) {
  return std::max_element(chances.begin(), chances.end()) - chances.begin();
}

}  // namespace rlhf::algorithms
