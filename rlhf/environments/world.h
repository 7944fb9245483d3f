#pragma once
#include <cstring>
#include <type_traits>

#include "rlhf/core/seed.h"
#include "rlhf/environments/environment.h"
#include "rlhf/environments/vector.h"

namespace rlhf::environments {

/// What one step of a world's rules decides.
struct Outcome {
  double reward = 0.0;
  bool terminated = false;
};

/// The rules of an environment, apart from where its states are kept: `Single` makes an Environment of them, `Batch`
/// a VectorEnvironment that steps a thousand in one loop. A world W has
///
///   W::Config, W(config)           settings; throws rlhf::Error for wrong ones
///   W::State                       trivially copyable: all that decides the future and the picture
///   W::Observed                    float, std::int64_t or std::uint8_t: one number of the observation
///   W::chance                      does a step draw random numbers?
///   spec()                         const Spec&
///   start(random)                  State of a new episode
///   given(numbers)                 State for the option "state" of reset; throws for what is none
///   advance(state, action[, random])  Outcome; action is std::int64_t, or const float* for a Box
///   observe(state, out)            writes the observation
///   possible(state)                could this be a state? (of bytes that were read)
///   draw(state, width, height)     Image
///
/// and, if it likes, text(state), a std::string (Capabilities::text), and info(state), JSON for Start and Step.
template <class W>
using ActionOf = std::conditional_t<W::discrete, std::int64_t, const float*>;

/// One running episode. Worlds without chance keep no generator, so that their saved states stay small.
template <class W, bool chance = W::chance>
struct Moment {
  typename W::State world;
  std::int64_t steps = 0;
  std::int64_t running = 0;  // 1 between a reset and the end of the episode
};

template <class W>
struct Moment<W, true> {
  typename W::State world;
  std::int64_t steps = 0;
  std::int64_t running = 0;
  Random random{0};
};

/// How an episode of a world begins and goes on: the same for one and for many.
template <class W>
class Rules {
 public:
  explicit Rules(const typename W::Config& config)
      : world_(config),
        start_key_(hash(world_.spec().name + ".reset")),
        step_key_(hash(world_.spec().name + ".step")) {}

  const W& world() const { return world_; }
  const Spec& spec() const { return world_.spec(); }

  Moment<W> start(std::uint64_t seed) const {
    Random random(derive(seed, {start_key_}));
    Moment<W> moment{.world = world_.start(random), .running = 1};
    if constexpr (W::chance) moment.random = Random(derive(seed, {step_key_}));
    return moment;
  }

  /// `truncated` is set when the time limit ends the episode.
  Outcome advance(Moment<W>& moment, ActionOf<W> action, bool& truncated) const {
    Outcome outcome;
    if constexpr (W::chance)
      outcome = world_.advance(moment.world, action, moment.random);
    else
      outcome = world_.advance(moment.world, action);
    ++moment.steps;
    truncated = moment.steps == spec().max_steps;
    moment.running = !outcome.terminated && !truncated;
    return outcome;
  }

 private:
  W world_;
  std::uint64_t start_key_, step_key_;
};

/// One world as an Environment.
template <class W>
class Single : public Environment {
 public:
  explicit Single(const typename W::Config& config = {});

  const Spec& spec() const override { return rules_.spec(); }
  using Environment::reset;
  Start reset(std::uint64_t seed, const nlohmann::json& options) override;
  Step step(const Action& action) override;
  Array observation() const override;
  std::string state() const override;
  void set_state(std::string_view bytes) override;
  Image render(int width, int height) const override;
  std::string text() const override;

  const W& world() const { return rules_.world(); }
  const typename W::State& now() const { return now_.world; }

 private:
  nlohmann::json info() const;

  Rules<W> rules_;
  std::size_t observed_;
  Moment<W> now_;
};

/// Many of one world, stepped in one loop over adjacent states.
template <class W>
class Batch : public VectorEnvironment {
 public:
  Batch(const typename W::Config& config, const VectorOptions& options);

  const Spec& spec() const override { return rules_.spec(); }
  std::int64_t count() const override { return std::ssize(moments_); }
  AutoReset auto_reset() const override { return auto_reset_; }
  const Tensor& reset(std::uint64_t seed) override;
  const VectorStep& step(const Tensor& actions) override;
  Place place(std::int64_t environment) const override;
  std::string state_of(std::int64_t environment) const override;
  std::string state() const override;
  void set_state(std::string_view bytes) override;
  const Tensor& observations() const override { return out_.observations; }

 private:
  using Observed = typename W::Observed;
  void begin_episode(std::int64_t environment);
  Observed* row(const Tensor& of, std::int64_t environment) const;

  Rules<W> rules_;
  AutoReset auto_reset_;
  std::size_t observed_;
  std::uint64_t seed_ = 0;
  std::vector<Moment<W>> moments_;
  std::vector<std::int64_t> episodes_;
  VectorStep out_;
};

}  // namespace rlhf::environments
