#include "rlhf/algorithms/signal_model.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <cstring>

#include "rlhf/algorithms/detail/state_bytes.h"
#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"

namespace rlhf::algorithms {
namespace {

class LinearSignal final : public SignalModel {
 public:
  LinearSignal(std::int64_t actions, Eyes eyes, double learning_rate)
      : eyes_(std::move(eyes)),
        learning_rate_(learning_rate),
        learnt_(static_cast<std::size_t>(actions),
                std::vector<double>(static_cast<std::size_t>(width_of(eyes_)) + 1, 0.0)),
        published_(learnt_) {}

  Percept perceive(const data::Array& observation) const override { return see(eyes_, observation, 1); }

  std::vector<double> predict(const Percept& percept) const override {
    std::vector<double> values;
    for (const auto& weights : published_) values.push_back(product(weights, *percept));
    return values;
  }

  void fit(const std::vector<const SignalSample*>& batch) override {
    double total = 0;
    for (const auto* sample : batch) total += sample->weight;
    std::vector<double> rates;  // every error of one step is taken at the same weights
    for (const auto* sample : batch) {
      const double error = sample->value - product(learnt_[static_cast<std::size_t>(sample->action)], *sample->percept);
      rates.push_back(2 * learning_rate_ * sample->weight / total * error);
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
      auto& weights = learnt_[static_cast<std::size_t>(batch[i]->action)];
      const auto& features = *batch[i]->percept;
      for (std::size_t j = 0; j < weights.size(); ++j) weights[j] += rates[i] * static_cast<double>(features[j]);
    }
  }

  void publish() override { published_ = learnt_; }
  std::int64_t actions() const override { return std::ssize(learnt_); }
  void write(std::string& bytes) const override {
    for (const auto& weights : learnt_) append(bytes, weights);
  }

 private:
  static double product(const std::vector<double>& weights, const std::vector<float>& features) {
    double sum = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) sum += weights[i] * static_cast<double>(features[i]);
    return sum;
  }

  Eyes eyes_;
  double learning_rate_;
  std::vector<std::vector<double>> learnt_, published_;  // [actions, features]
};

class DeepSignal final : public SignalModel {
 public:
  DeepSignal(std::int64_t actions, Eyes eyes, const DeepSignalConfig& config, std::uint64_t seed)
      : eyes_(std::move(eyes)),
        config_(config),
        actions_(actions),
        learnt_(make(seed)),
        published_(make(seed)),
        optimizer_(learnt_->weights(), config.adam) {}

  Percept perceive(const data::Array& observation) const override { return see(eyes_, observation); }

  std::vector<double> predict(const Percept& percept) const override {
    const at::NoGradGuard no_gradient;
    const auto features = at::from_blob(const_cast<float*>(percept->data()), {1, std::ssize(*percept)}, at::kFloat);
    const auto values = published_->forward(features).contiguous();
    const auto* numbers = values.const_data_ptr<float>();
    return {numbers, numbers + values.numel()};
  }

  void fit(const std::vector<const SignalSample*>& batch) override {
    const auto rows = std::ssize(batch), width = std::ssize(*batch[0]->percept);
    auto features = at::empty({rows, width}, at::kFloat), said = at::empty({rows}, at::kFloat);
    auto weights = at::empty({rows}, at::kFloat), actions = at::empty({rows, 1}, at::kLong);
    for (std::int64_t i = 0; i < rows; ++i) {
      const auto& sample = *batch[static_cast<std::size_t>(i)];
      std::memcpy(features.mutable_data_ptr<float>() + i * width, sample.percept->data(),
                  static_cast<std::size_t>(width) * sizeof(float));
      said.mutable_data_ptr<float>()[i] = static_cast<float>(sample.value);
      weights.mutable_data_ptr<float>()[i] = static_cast<float>(sample.weight);
      actions.mutable_data_ptr<std::int64_t>()[i] = sample.action;
    }
    optimizer_.zero_grad();
    const auto expected = learnt_->forward(features).gather(1, actions).squeeze(1);
    ((weights * (expected - said).square()).sum() / weights.sum()).backward();
    optimizer_.step(config_.learning_rate);
  }

  void publish() override { models::copy_weights(*learnt_, *published_); }
  std::int64_t actions() const override { return actions_; }
  void write(std::string& bytes) const override {
    State state;
    optimizer_.save(state, "optimizer");
    for (const auto& [name, tensor] : state.tensors) append_tensor(bytes, tensor);
    for (const auto& [name, tensor] : learnt_->weights()) append_tensor(bytes, tensor);
    if (eyes_.frames)
      for (const auto& [name, tensor] : eyes_.frames->everything()) append_tensor(bytes, tensor);
  }

 private:
  std::unique_ptr<models::Network> make(std::uint64_t seed) const {
    return models::make_network(
        {.hidden = config_.hidden, .activation = models::Activation::relu, .initial = models::Initial::uniform},
        {width_of(eyes_)}, actions_, 1.0, derive(seed, {hash("signal")}));
  }
  static void append_tensor(std::string& bytes, const Tensor& tensor) {
    const auto plain = tensor.contiguous();
    bytes.append(static_cast<const char*>(plain.const_data_ptr()), plain.nbytes());
  }

  Eyes eyes_;
  DeepSignalConfig config_;
  std::int64_t actions_;
  std::unique_ptr<models::Network> learnt_, published_;
  AdamW optimizer_;
};

}  // namespace

void DeepSignalConfig::validate() const {
  models::NetworkConfig{.hidden = hidden}.validate();
  adam.validate();
  if (!(learning_rate > 0))
    throw Error({.category = Category::usage,
                 .where = "learning_rate",
                 .what = "out of range",
                 .fix = "Give a positive number."});
}

std::unique_ptr<SignalModel> linear_signal(std::int64_t actions, Eyes eyes, double learning_rate) {
  return std::make_unique<LinearSignal>(actions, std::move(eyes), learning_rate);
}

std::unique_ptr<SignalModel> deep_signal(std::int64_t actions, Eyes eyes, const DeepSignalConfig& config,
                                         std::uint64_t seed) {
  config.validate();
  return std::make_unique<DeepSignal>(actions, std::move(eyes), config, seed);
}

}  // namespace rlhf::algorithms
