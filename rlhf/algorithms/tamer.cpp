#include "rlhf/algorithms/tamer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "rlhf/algorithms/detail/state_bytes.h"
#include "rlhf/core/error.h"
#include "rlhf/core/require.h"

namespace rlhf::algorithms {
namespace {

// A press of this moment may still be on its way.
constexpr double late = 1.0;  // s
// A step whose credit a pause cut short keeps its label if this share of it had passed (Knox 2012).
constexpr double enough_credit = 0.9;

}  // namespace

void TamerConfig::validate() const {
  require_setting(credit_low >= 0, "credit_low", "Give 0 or more seconds.");
  require_setting(credit_high > credit_low, "credit_high", "Give more than credit_low.");
  require_setting(learning_rate > 0, "learning_rate", "Give a positive number.");
  deep.validate();
  require_setting(replay_every >= 0, "replay_every", "Give 0 or more steps.");
  require_setting(minibatch >= 1, "minibatch", "Give 1 or more samples.");
  require_setting(buffer >= 1, "buffer", "Give 1 or more samples.");
}

double credit(double time, double begin, double end, double low, double high) {
  const double overlap = std::min(time - begin, high) - std::max(time - end, low);
  return std::max(overlap, 0.0) / (high - low);
}

Tamer::Tamer(std::unique_ptr<SignalModel> model, const TamerConfig& config)
    : config_(config), model_(std::move(model)), random_(derive(config.seed, {hash("tamer")})) {
  config.validate();
}

Tamer::Tamer(std::int64_t actions, std::vector<double> scale, const TamerConfig& config)
    : Tamer(linear_signal(actions, {.scale = std::move(scale), .squash = config.squash}, config.learning_rate),
            config) {}

Percept Tamer::perceive(const data::Array& observation) {
  return glance_(observation, [this](const data::Array& seen) { return model_->perceive(seen); });
}

std::int64_t Tamer::best(const data::Array& observation) const {
  const auto values = predict(observation);
  return std::max_element(values.begin(), values.end()) - values.begin();
}

data::Action Tamer::act(const data::Array& observation) {
  // Equal predictions would repeat one action for ever before anybody has said a word.
  if (signals_ == 0) return random_.below(model_->actions());
  const auto values = model_->predict(perceive(observation));
  const double most = *std::max_element(values.begin(), values.end());
  if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); }))
    throw Error({.category = Category::failure,
                 .where = "tamer",
                 .what = "what it expects to be told is no number any more: its steps were too long",
                 .fix = "Lower learning_rate, or scale what it sees down to about 1."});
  const auto equals = std::count(values.begin(), values.end(), most);
  auto chosen = equals > 1 ? random_.below(equals) : 0;
  std::int64_t action = 0;
  while (values[static_cast<std::size_t>(action)] != most || chosen-- > 0) ++action;
  return action;
}

void Tamer::observe(const LiveStep& step) {
  window_.push_back({perceive(step.observation), std::get<std::int64_t>(step.action), step.begin, step.end});
  while (window_.front().end < step.end - config_.credit_high - late) {
    if (config_.credit == CreditRule::sum) settle(window_.front());
    window_.pop_front();
  }
  ++steps_;
  if (config_.replay_every > 0 && steps_ % config_.replay_every == 0 && !buffer_.empty()) replay();
}

void Tamer::signal(const LiveSignal& signal) {
  ++signals_;
  const auto before = buffer_.size();
  for (auto& step : window_) {
    const double weight =
        algorithms::credit(signal.time, step.begin, step.end, config_.credit_low, config_.credit_high);
    if (!(weight > 0)) continue;
    if (config_.credit == CreditRule::sum)
      step.said.emplace_back(signal.id, weight * signal.value);
    else
      buffer_.push_back({{step.percept, step.action, signal.value, weight}, signal.id});
  }
  std::vector<const SignalSample*> batch;
  for (auto i = before; i < buffer_.size(); ++i) batch.push_back(&buffer_[i]);
  if (signal.value > 0) praised_ += std::ssize(batch);
  if (!batch.empty()) learn(batch);
  for (; buffer_.size() > static_cast<std::size_t>(config_.buffer); buffer_.pop_front())
    praised_ -= buffer_.front().value > 0;
}

/// No more can be said about this step.
void Tamer::settle(const Seen& step) {
  double label = 0;
  for (const auto& [signal, value] : step.said) label += value;
  buffer_.push_back({{step.percept, step.action, label, 1.0}, 0});
  praised_ += label > 0;
  learn({&buffer_.back()});
  for (; buffer_.size() > static_cast<std::size_t>(config_.buffer); buffer_.pop_front())
    praised_ -= buffer_.front().value > 0;
}

void Tamer::interrupt() {
  if (config_.credit == CreditRule::sum)
    for (const auto& step : window_) {
      const double passed = window_.back().end - step.end - config_.credit_low;
      if (passed >= enough_credit * (config_.credit_high - config_.credit_low)) settle(step);
    }
  window_.clear();
}

const Tamer::Kept& Tamer::draw(std::optional<bool> praise) {
  while (true) {
    const auto& kept = buffer_[static_cast<std::size_t>(random_.below(std::ssize(buffer_)))];
    if (!praise || (kept.value > 0) == *praise) return kept;
  }
}

void Tamer::replay() {
  const bool both = config_.balanced && praised_ > 0 && praised_ < std::ssize(buffer_);
  std::vector<const SignalSample*> batch;
  for (int i = 0; i < config_.minibatch; ++i) batch.push_back(&draw(both ? std::optional(i % 2 == 0) : std::nullopt));
  learn(batch);
}

void Tamer::learn(const std::vector<const SignalSample*>& batch) {
  model_->fit(batch);
  ++updates_;
}

bool Tamer::undo(std::int64_t id) {
  bool known = false;
  for (auto& step : window_)
    known = std::erase_if(step.said, [id](const auto& each) { return each.first == id; }) > 0 || known;
  if (config_.credit == CreditRule::sum) return known;
  return std::erase_if(buffer_, [&](const Kept& sample) {
           const bool found = sample.signal == id;
           praised_ -= found && sample.value > 0;
           return found;
         }) > 0;
}

void Tamer::publish() {
  if (version_ == updates_) return;
  model_->publish();
  version_ = updates_;
}

double Tamer::praise() const {
  return buffer_.empty() ? 0.0 : static_cast<double>(praised_) / static_cast<double>(buffer_.size());
}

std::string Tamer::state() const {
  std::string bytes;
  model_->write(bytes);
  std::map<Percept, std::int64_t> written;  // samples share what was seen: once each
  const auto append_percept = [&](const Percept& percept) {
    const auto [place, fresh] = written.emplace(percept, std::ssize(written));
    append(bytes, place->second);
    if (fresh) append(bytes, *percept);
  };
  for (const auto& sample : buffer_) {
    append_percept(sample.percept);
    append(bytes, sample.action);
    append(bytes, sample.value);
    append(bytes, sample.weight);
    append(bytes, sample.signal);
  }
  for (const auto& step : window_) {
    append_percept(step.percept);
    append(bytes, step.action);
    append(bytes, step.begin);
    append(bytes, step.end);
    for (const auto& [signal, value] : step.said) append(bytes, value);
  }
  for (const auto* count : {&steps_, &signals_, &updates_, &version_}) append(bytes, *count);
  append(bytes, random_.position());
  return bytes;
}

bool needs_encoder(const environments::Spec& spec, const TamerConfig& config) {
  return shows_pictures(spec) && config.model != SignalModelKind::linear;
}

std::unique_ptr<Tamer> make_tamer(const environments::Spec& spec, const TamerConfig& config, std::vector<double> scale,
                                  std::shared_ptr<const models::FrameAutoencoder> frames) {
  const auto* choices = std::get_if<environments::Discrete>(&spec.action);
  if (!choices)
    throw Error({.category = Category::usage,
                 .where = "environment",
                 .what = "TAMER chooses among actions, and those of " + spec.name + " are numbers",
                 .fix = "Choose another environment."});
  if (needs_encoder(spec, config) && !frames)
    throw Error({.category = Category::usage,
                 .where = "model",
                 .what = "a deep model sees the pictures of " + spec.name + " through an encoder, and there is none",
                 .fix = "Learn one first, see frame_pretraining.h."});
  const auto actions = std::ssize(choices->choices);
  if (scale.empty()) scale = feature_scale(spec);
  if (config.model != SignalModelKind::deep && !needs_encoder(spec, config))
    return std::make_unique<Tamer>(actions, std::move(scale), config);
  return std::make_unique<Tamer>(
      deep_signal(actions, {.scale = std::move(scale), .frames = std::move(frames), .squash = config.squash},
                  config.deep, config.seed),
      config);
}

}  // namespace rlhf::algorithms
