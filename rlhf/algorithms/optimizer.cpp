#include "rlhf/algorithms/optimizer.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

// Sums are taken over pieces of this many entries and then in order: the norm has the same bits with any thread count.
constexpr std::int64_t piece = 1 << 16;

struct StepSizes {
  float beta1, beta2, epsilon;
  float gradient_scale;      // 1 unless clipped
  float decay;               // 1 - learning rate * weight decay
  float learning_rate;       // bias corrections included
  float correction;          // applied to sqrt(v) before epsilon is added
};

// One pass: everything an entry needs is read, changed and written once. The loop vectorises as it stands.
void update(float* __restrict weight, const float* __restrict gradient, float* __restrict first, float* __restrict second,
            std::int64_t size, const StepSizes& s) {
  for (std::int64_t i = 0; i < size; ++i) {
    const float g = gradient[i] * s.gradient_scale;
    const float m = first[i] = s.beta1 * first[i] + (1 - s.beta1) * g;
    const float v = second[i] = s.beta2 * second[i] + (1 - s.beta2) * g * g;
    weight[i] = weight[i] * s.decay - s.learning_rate * m / (std::sqrt(v) * s.correction + s.epsilon);
  }
}

double squared_norm(const Tensor& gradient) {
  const Tensor dense = gradient.contiguous();
  const float* values = dense.const_data_ptr<float>();
  const std::int64_t size = dense.numel(), pieces = (size + piece - 1) / piece;
  std::vector<double> sums(pieces);
  at::parallel_for(0, pieces, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      // Eight running sums: the compiler may not reorder one double sum, but it may vectorise eight.
      double lanes[8] = {};
      const std::int64_t last = std::min(size, (p + 1) * piece);
      std::int64_t i = p * piece;
      for (; i + 8 <= last; i += 8)
        for (int lane = 0; lane < 8; ++lane) lanes[lane] += double(values[i + lane]) * values[i + lane];
      for (; i < last; ++i) lanes[0] += double(values[i]) * values[i];
      for (const double lane : lanes) sums[p] += lane;
    }
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

Error not_finite(const NamedParameters& parameters) {
  std::string names;
  int count = 0;
  for (const auto& [name, parameter] : parameters) {
    if (!parameter.grad().defined() || std::isfinite(squared_norm(parameter.grad()))) continue;
    if (++count <= 3) names += (names.empty() ? "" : ", ") + name;
  }
  return Error({.category = Category::failure,
                .where = "optimizer",
                .what = "the gradient is not finite in " + std::to_string(count) + " parameters (" + names + (count > 3 ? ", ..." : "") +
                        "); no weight was changed",
                .fix = "Lower learning_rate, set max_grad_norm, or look for extreme scores in the batch."});
}

const Tensor& stored(const State& state, const std::string& name, const Tensor& like) {
  const auto found = state.tensors.find(name);
  if (found != state.tensors.end() && found->second.sizes() == like.sizes()) return found->second;
  throw Error({.category = Category::bad_data,
               .where = "checkpoint: " + name,
               .what = found == state.tensors.end() ? "there is no such tensor" : "the tensor has another shape than the model's",
               .fix = "Resume with the model and the settings that the run was started with."});
}

}  // namespace

double gradient_norm(const NamedParameters& parameters) {
  double squares = 0;
  for (const auto& [name, parameter] : parameters)
    if (parameter.grad().defined()) squares += squared_norm(parameter.grad());
  const double norm = std::sqrt(squares);
  if (!std::isfinite(norm)) throw not_finite(parameters);
  return norm;
}

void AdamConfig::fields(Fields& f) {
  f.field("beta1", beta1, "decay of the mean gradient");
  f.field("beta2", beta2, "decay of the mean squared gradient");
  f.field("epsilon", epsilon, "added to the root of the mean squared gradient");
  f.choice("epsilon_form", epsilon_form,
           {{"after_correction", AdamEpsilon::after_correction}, {"before_correction", AdamEpsilon::before_correction}},
           "after_correction is PyTorch's Adam, before_correction TensorFlow's");
  f.field("weight_decay", weight_decay, "decoupled weight decay");
  f.field("max_grad_norm", max_grad_norm, "gradients are scaled down to this norm; 0 = never");
}

void AdamConfig::validate() const {
  const auto require = [](bool holds, const char* field, double value, const char* expected) {
    if (!holds)
      throw Error({.category = Category::usage, .where = field, .what = std::to_string(value) + " is not " + expected, .fix = ""});
  };
  require(beta1 >= 0 && beta1 < 1, "adam.beta1", beta1, "in [0, 1)");
  require(beta2 >= 0 && beta2 < 1, "adam.beta2", beta2, "in [0, 1)");
  require(epsilon > 0, "adam.epsilon", epsilon, "more than 0");
  require(weight_decay >= 0, "adam.weight_decay", weight_decay, "0 or more");
  require(max_grad_norm >= 0, "adam.max_grad_norm", max_grad_norm, "0 or more");
}

AdamW::AdamW(NamedParameters parameters, const AdamConfig& config) : parameters_(std::move(parameters)), config_(config) {
  config.validate();
  if (parameters_.empty())
    throw Error({.category = Category::usage, .where = "optimizer", .what = "there is no parameter to train", .fix = "Attach an adapter or train the weights."});
  const at::NoGradGuard no_grad;
  for (const auto& [name, parameter] : parameters_) {
    if (!parameter.is_contiguous() || parameter.scalar_type() != at::kFloat)
      throw Error({.category = Category::usage, .where = "optimizer: " + name, .what = "the parameter is not contiguous float32", .fix = "Load the model in float32 to train it."});
    first_.push_back(at::zeros_like(parameter));
    second_.push_back(at::zeros_like(parameter));
  }
}

double AdamW::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  const double norm = gradient_norm(parameters_);
  ++steps_;

  const double correction1 = 1 - std::pow(config_.beta1, steps_), correction2 = 1 - std::pow(config_.beta2, steps_);
  const bool torch_form = config_.epsilon_form == AdamEpsilon::after_correction;
  const bool clip = config_.max_grad_norm > 0 && norm > config_.max_grad_norm;
  const StepSizes sizes{
      .beta1 = static_cast<float>(config_.beta1),
      .beta2 = static_cast<float>(config_.beta2),
      .epsilon = static_cast<float>(config_.epsilon),
      .gradient_scale = static_cast<float>(clip ? config_.max_grad_norm / (norm + 1e-6) : 1.0),
      .decay = static_cast<float>(1 - learning_rate * config_.weight_decay),
      .learning_rate = static_cast<float>(learning_rate / correction1 * (torch_form ? 1 : std::sqrt(correction2))),
      .correction = static_cast<float>(torch_form ? 1 / std::sqrt(correction2) : 1.0)};

  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Tensor& parameter = parameters_[i].second;
    if (!parameter.grad().defined()) continue;
    const Tensor gradient = parameter.grad().contiguous();
    float* weight = parameter.mutable_data_ptr<float>();
    const float* slope = gradient.const_data_ptr<float>();
    float* first = first_[i].mutable_data_ptr<float>();
    float* second = second_[i].mutable_data_ptr<float>();
    at::parallel_for(0, parameter.numel(), piece, [&](std::int64_t begin, std::int64_t end) {
      update(weight + begin, slope + begin, first + begin, second + begin, end - begin, sizes);
    });
  }
  return norm;
}

void AdamW::zero_grad() {
  for (auto& [name, parameter] : parameters_) parameter.mutable_grad().reset();
}

void AdamW::save(State& state, const std::string& prefix) const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    state.tensors[prefix + ".exp_avg." + parameters_[i].first] = first_[i];
    state.tensors[prefix + ".exp_avg_sq." + parameters_[i].first] = second_[i];
  }
  state.values[prefix + ".steps"] = steps_;
}

void AdamW::restore(const State& state, const std::string& prefix) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    first_[i].copy_(stored(state, prefix + ".exp_avg." + parameters_[i].first, first_[i]));
    second_[i].copy_(stored(state, prefix + ".exp_avg_sq." + parameters_[i].first, second_[i]));
  }
  steps_ = state.values.at(prefix + ".steps").get<std::int64_t>();
}

void save_parameters(const NamedParameters& parameters, State& state) {
  for (const auto& [name, parameter] : parameters) state.tensors["parameter." + name] = parameter.detach();
}

void restore_parameters(const NamedParameters& parameters, const State& state) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, parameter] : parameters) parameter.copy_(stored(state, "parameter." + name, parameter));
}

}  // namespace rlhf::algorithms
