// Wrappers that change when episodes end, and which actions reach the environment.
#include <algorithm>

#include "rlhf/core/seed.h"
#include "rlhf/environments/detail/wrapper.h"

namespace rlhf::environments::detail {
namespace {

class TimeLimit final : public Wrapper {
 public:
  TimeLimit(std::unique_ptr<Environment> inner, std::int64_t steps) : Wrapper(std::move(inner)), limit_(steps) {
    spec_.max_steps = spec_.max_steps > 0 ? std::min(spec_.max_steps, steps) : steps;
  }
  Start reset(std::uint64_t seed, const nlohmann::json& options) override {
    auto start = inner().reset(seed, options);
    steps_ = 0;
    return start;
  }
  Step step(const Action& action) override {
    if (steps_ >= limit_) throw_not_running(spec_);
    auto step = inner().step(action);
    step.truncated = ++steps_ == limit_ || step.truncated;
    return step;
  }

 private:
  std::string own_state() const override { return as_bytes(steps_); }
  void set_own_state(std::string_view bytes) override { from_bytes(bytes, steps_); }

  std::int64_t limit_, steps_ = 0;
};

class FixedHorizon final : public Wrapper {
 public:
  FixedHorizon(std::unique_ptr<Environment> inner, std::int64_t steps) : Wrapper(std::move(inner)), limit_(steps) {
    spec_.max_steps = steps;
    if (auto* seen = std::get_if<Box>(&spec_.observation))
      seen->stack = 1;   // the next episode shows nothing of the last
    now_.steps = steps;  // nothing runs before the first reset
  }
  Start reset(std::uint64_t seed, const nlohmann::json& options) override {
    auto start = inner().reset(seed, options);
    now_ = {.seed = seed};
    return start;
  }
  Step step(const Action& action) override {
    if (now_.steps >= limit_) throw_not_running(spec_);
    auto step = inner().step(action);
    const bool last = ++now_.steps == limit_;
    // The episode that follows looks like a step of this one; the last observation of all is the true one.
    if ((step.terminated || step.truncated) && !last) {
      ++now_.rounds;
      step.observation = inner().reset(derive(now_.seed, {hash("fixed_horizon"), now_.rounds})).observation;
    }
    step.terminated = false;
    step.truncated = last;
    return step;
  }

 private:
  std::string own_state() const override { return as_bytes(now_); }
  void set_own_state(std::string_view bytes) override { from_bytes(bytes, now_); }

  struct Now {
    std::uint64_t seed = 0, rounds = 0;
    std::int64_t steps = 0;
  };
  std::int64_t limit_;
  Now now_;
};

class StickyActions final : public Wrapper {
 public:
  StickyActions(std::unique_ptr<Environment> inner, double share) : Wrapper(std::move(inner)), share_(share) {
    if (const auto* box = std::get_if<Box>(&spec_.action))
      for (const auto side : box->shape) numbers_ *= static_cast<std::size_t>(side);
    else
      numbers_ = 0;
    last_.resize(numbers_);
  }
  Start reset(std::uint64_t seed, const nlohmann::json& options) override {
    auto start = inner().reset(seed, options);
    now_ = {.key = derive(seed, {hash("sticky_actions")})};
    return start;
  }
  Step step(const Action& action) override {
    Random random(now_.key, now_.position);
    const bool stuck = now_.acted && random.uniform() < share_;
    now_.position = random.position();
    if (!stuck) remember(action);
    return inner().step(stuck ? remembered() : action);
  }

 private:
  /// A wrong action is the environment's to refuse.
  void remember(const Action& action) {
    if (numbers_ == 0)
      now_.choice = checked_choice(spec_, action);
    else
      std::copy_n(checked_numbers(spec_, action), numbers_, last_.begin());
    now_.acted = 1;
  }
  Action remembered() const {
    if (numbers_ == 0) return now_.choice;
    return last_;
  }
  std::string own_state() const override {
    return as_bytes(now_) + std::string(reinterpret_cast<const char*>(last_.data()), numbers_ * sizeof(float));
  }
  void set_own_state(std::string_view bytes) override {
    from_bytes(bytes, now_);
    std::memcpy(last_.data(), bytes.data() + sizeof now_, numbers_ * sizeof(float));
  }

  struct Now {
    std::uint64_t key = 0, position = 0;
    std::int64_t acted = 0, choice = 0;
  };
  double share_;
  std::size_t numbers_ = 1;  // of an action; 0 for a choice
  Now now_;
  std::vector<float> last_;
};

}  // namespace

std::unique_ptr<Environment> limit_time(std::unique_ptr<Environment> inner, std::int64_t steps) {
  return std::make_unique<TimeLimit>(std::move(inner), steps);
}

std::unique_ptr<Environment> fix_horizon(std::unique_ptr<Environment> inner, std::int64_t steps) {
  return std::make_unique<FixedHorizon>(std::move(inner), steps);
}

std::unique_ptr<Environment> stick_actions(std::unique_ptr<Environment> inner, double share) {
  return std::make_unique<StickyActions>(std::move(inner), share);
}

}  // namespace rlhf::environments::detail
