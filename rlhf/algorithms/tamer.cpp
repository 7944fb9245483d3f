#include "rlhf/algorithms/tamer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "rlhf/core/error.h"

namespace rlhf::algorithms {
namespace {

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

void append(std::string& bytes, const void* data, std::size_t size) {
  bytes.append(static_cast<const char*>(data), size);
}

}  // namespace

void TamerConfig::validate() const {
  const auto refuse = [](const char* field, const char* fix) {
    throw Error({.category = Category::usage, .where = field, .what = "out of range", .fix = fix});
  };
  if (!(credit_low >= 0)) refuse("credit_low", "Give 0 or more seconds.");
  if (!(credit_high > credit_low)) refuse("credit_high", "Give more than credit_low.");
  if (!(learning_rate > 0)) refuse("learning_rate", "Give a positive number.");
  if (replay_every < 0) refuse("replay_every", "Give 0 or more steps.");
  if (minibatch < 1) refuse("minibatch", "Give 1 or more samples.");
  if (buffer < 1) refuse("buffer", "Give 1 or more samples.");
}

double credit(double time, double begin, double end, double low, double high) {
  const double overlap = std::min(time - begin, high) - std::max(time - end, low);
  return std::max(overlap, 0.0) / (high - low);
}

Tamer::Tamer(std::int64_t actions, std::vector<double> scale, const TamerConfig& config)
    : config_(config),
      scale_(std::move(scale)),
      learnt_(static_cast<std::size_t>(actions), std::vector<double>(scale_.size() + 1, 0.0)),
      published_(learnt_),
      random_(derive(config.seed, {hash("tamer")})) {
  config.validate();
}

Tamer::Features Tamer::features(const data::Array& observation) const {
  Features result =
      std::visit([](const auto& numbers) { return Features(numbers.begin(), numbers.end()); }, observation);
  if (result.size() != scale_.size()) {
    throw Error({.category = Category::usage,
                 .where = "tamer",
                 .what = fmt::format("an observation has {} numbers, the scale {}", result.size(), scale_.size()),
                 .fix = "Give one scale for each number of the observation."});
  }
  for (std::size_t i = 0; i < scale_.size(); ++i) result[i] *= scale_[i];
  result.push_back(1.0);
  return result;
}

std::vector<double> Tamer::predict(const data::Array& observation) const {
  const auto seen = features(observation);
  std::vector<double> values;
  for (const auto& weights : published_) values.push_back(dot(weights, seen));
  return values;
}

data::Action Tamer::act(const data::Array& observation) {
  // Equal predictions would repeat one action for ever before anybody has said a word.
  if (signals_ == 0) return random_.below(static_cast<std::int64_t>(published_.size()));
  const auto values = predict(observation);
  return static_cast<std::int64_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

void Tamer::observe(const LiveStep& step) {
  window_.push_back({features(step.observation), std::get<std::int64_t>(step.action), step.begin, step.end});
  // A press of this moment may still be on its way: keep twice the window.
  while (window_.front().end < step.end - 2 * config_.credit_high) window_.pop_front();
  ++steps_;
  if (config_.replay_every == 0 || steps_ % config_.replay_every != 0 || buffer_.empty()) return;
  std::vector<const Sample*> batch;
  for (int i = 0; i < config_.minibatch; ++i) {
    batch.push_back(&buffer_[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(buffer_.size())))]);
  }
  learn(batch);
}

void Tamer::signal(const LiveSignal& signal) {
  ++signals_;
  const auto before = buffer_.size();
  for (const auto& step : window_) {
    const double weight = credit(signal.time, step.begin, step.end, config_.credit_low, config_.credit_high);
    if (weight > 0) buffer_.push_back({step.features, step.action, signal.value, weight, signal.id});
  }
  std::vector<const Sample*> batch;
  for (auto i = before; i < buffer_.size(); ++i) batch.push_back(&buffer_[i]);
  learn(batch);
  while (buffer_.size() > static_cast<std::size_t>(config_.buffer)) buffer_.pop_front();
}

void Tamer::learn(const std::vector<const Sample*>& batch) {
  double total = 0;
  for (const auto* sample : batch) total += sample->weight;
  if (!(total > 0)) return;
  auto next = learnt_;  // every error of one step is taken at the same weights
  for (const auto* sample : batch) {
    const double error = sample->value - dot(learnt_[sample->action], sample->features);
    const double rate = 2 * config_.learning_rate * sample->weight / total * error;
    auto& weights = next[sample->action];
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] += rate * sample->features[i];
  }
  learnt_ = std::move(next);
  ++updates_;
}

bool Tamer::undo(std::int64_t id) {
  const auto of_signal = [id](const Sample& sample) { return sample.signal == id; };
  const auto removed = std::remove_if(buffer_.begin(), buffer_.end(), of_signal);
  const bool known = removed != buffer_.end();
  buffer_.erase(removed, buffer_.end());
  return known;
}

void Tamer::publish() {
  if (version_ == updates_) return;
  published_ = learnt_;
  version_ = updates_;
}

std::string Tamer::state() const {
  std::string bytes;
  for (const auto& weights : learnt_) append(bytes, weights.data(), weights.size() * sizeof(double));
  for (const auto& sample : buffer_) {
    append(bytes, sample.features.data(), sample.features.size() * sizeof(double));
    append(bytes, &sample.action, sizeof sample.action);
    append(bytes, &sample.value, sizeof sample.value);
    append(bytes, &sample.weight, sizeof sample.weight);
  }
  const auto position = random_.position();
  for (const auto* count : {&steps_, &signals_, &updates_, &version_}) append(bytes, count, sizeof *count);
  append(bytes, &position, sizeof position);
  return bytes;
}

}  // namespace rlhf::algorithms
