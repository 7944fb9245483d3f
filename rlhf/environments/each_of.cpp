#include <ATen/ops/zeros.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstring>
#include <exception>
#include <thread>

#include "rlhf/core/error.h"
#include "rlhf/environments/detail/world_impl.h"
#include "rlhf/environments/vector.h"

namespace rlhf::environments {
namespace {

/// Threads that wait for work; what they run on each round is split among them by `share`.
class Crew {
 public:
  explicit Crew(int threads) : begin_(threads), end_(threads) {
    for (int i = 1; i < threads; ++i) others_.emplace_back([this, i](std::stop_token stop) { work(i, stop); });
  }
  ~Crew() {
    for (auto& thread : others_) thread.request_stop();
    if (!others_.empty()) begin_.arrive_and_wait();
  }

  int size() const { return static_cast<int>(others_.size()) + 1; }

  /// Runs share(0 .. size() - 1), each on its own thread; the first exception of any is thrown here.
  void run(const std::function<void(int)>& share) {
    share_ = &share;
    failures_.assign(static_cast<std::size_t>(size()), nullptr);
    begin_.arrive_and_wait();
    guarded(0);
    end_.arrive_and_wait();
    for (const auto& failure : failures_)
      if (failure) std::rethrow_exception(failure);
  }

 private:
  void guarded(int i) {
    try {
      (*share_)(i);
    } catch (...) {
      failures_[static_cast<std::size_t>(i)] = std::current_exception();
    }
  }
  void work(int i, const std::stop_token& stop) {
    for (;;) {
      begin_.arrive_and_wait();
      if (stop.stop_requested()) return;
      guarded(i);
      end_.arrive_and_wait();
    }
  }

  std::barrier<> begin_, end_;
  const std::function<void(int)>* share_ = nullptr;
  std::vector<std::exception_ptr> failures_;
  std::vector<std::jthread> others_;  // last: they use the rest until they are joined
};

class EachOf final : public VectorEnvironment {
 public:
  EachOf(const std::function<std::unique_ptr<Environment>()>& make, const VectorOptions& options)
      : auto_reset_(options.auto_reset),
        crew_(static_cast<int>(std::clamp<std::int64_t>(options.threads, 1, options.count))) {
    for (std::int64_t i = 0; i < options.count; ++i) each_.push_back(make());
    if (each_.empty()) make_vector_step(make()->spec(), options);  // says what is wrong
    out_ = make_vector_step(spec(), options);
    out_.true_rewards = at::zeros({options.count}, at::kDouble);
    places_.resize(each_.size());
    over_.resize(each_.size());
    row_bytes_ = observed_numbers(spec()) * out_.observations.element_size();
  }

  const Spec& spec() const override { return each_.front()->spec(); }
  std::int64_t count() const override { return std::ssize(each_); }
  AutoReset auto_reset() const override { return auto_reset_; }
  const Tensor& observations() const override { return out_.observations; }
  Place place(std::int64_t environment) const override { return places_.at(static_cast<std::size_t>(environment)); }
  std::string state_of(std::int64_t environment) const override {
    return each_.at(static_cast<std::size_t>(environment))->state();
  }

  const Tensor& reset(std::uint64_t seed) override {
    seed_ = seed;
    clear_flags(out_);
    for_each([&](std::int64_t i) { begin_episode(i, 0); });
    return out_.observations;
  }

  const VectorStep& step(const Tensor& actions) override {
    check_actions(spec(), actions, count());
    std::atomic<std::int64_t> ended = 0;
    for_each([&](std::int64_t i) { ended += step_one(i, actions); });
    out_.ended = ended;
    return out_;
  }

  std::string state() const override {
    auto record = nlohmann::json{{"seed", seed_}, {"each", nlohmann::json::array()}};
    for (std::int64_t i = 0; i < count(); ++i) {
      const auto bytes = state_of(i);
      record["each"].push_back({{"episode", places_[i].episode},
                                {"step", places_[i].step},
                                {"over", over_[i] != 0},
                                {"state", nlohmann::json::binary({bytes.begin(), bytes.end()})},
                                {"seen", row_as_binary(i)}});
    }
    const auto packed = nlohmann::json::to_cbor(record);
    return {packed.begin(), packed.end()};
  }

  void set_state(std::string_view bytes) override {
    const auto record = nlohmann::json::from_cbor(bytes.begin(), bytes.end(), true, false);
    if (!record.is_object() || record.value("each", nlohmann::json::array()).size() != each_.size())
      throw_no_state(spec());
    seed_ = record["seed"];
    clear_flags(out_);
    for (std::int64_t i = 0; i < count(); ++i) {
      const auto& one = record["each"][i];
      const auto& state = one["state"].get_binary();
      const auto& seen = one["seen"].get_binary();
      if (seen.size() != row_bytes_) throw_no_state(spec());
      each_[i]->set_state({reinterpret_cast<const char*>(state.data()), state.size()});
      places_[i] = {episode_seed(seed_, i, one["episode"]), one["episode"], one["step"]};
      over_[i] = one["over"].get<bool>();
      std::memcpy(row(out_.observations, i), seen.data(), row_bytes_);
    }
  }

 private:
  void for_each(const std::function<void(std::int64_t)>& body) {
    crew_.run([&](int thread) {
      for (std::int64_t i = thread; i < count(); i += crew_.size()) body(i);
    });
  }

  char* row(const Tensor& of, std::int64_t i) const {
    return static_cast<char*>(of.mutable_data_ptr()) + i * row_bytes_;
  }

  nlohmann::json row_as_binary(std::int64_t i) const {
    const auto* seen = reinterpret_cast<const std::uint8_t*>(row(out_.observations, i));
    return nlohmann::json::binary({seen, seen + row_bytes_});
  }

  void write_row(const Tensor& of, std::int64_t i, const Array& observation) const {
    std::visit([&](const auto& numbers) { std::memcpy(row(of, i), numbers.data(), row_bytes_); }, observation);
  }

  void begin_episode(std::int64_t i, std::int64_t episode) {
    places_[i] = {episode_seed(seed_, i, episode), episode, 0};
    over_[i] = 0;
    write_row(out_.observations, i, each_[i]->reset(places_[i].seed).observation);
  }

  Action action_of(const Tensor& actions, std::int64_t i) const {
    if (std::holds_alternative<Discrete>(spec().action)) return actions.const_data_ptr<std::int64_t>()[i];
    const auto width = actions.numel() / count();
    const float* numbers = actions.const_data_ptr<float>() + i * width;
    return std::vector<float>(numbers, numbers + width);
  }

  /// Returns 1 when its episode ended.
  std::int64_t step_one(std::int64_t i, const Tensor& actions) {
    auto& reward = out_.rewards.mutable_data_ptr<double>()[i];
    auto& true_reward = out_.true_rewards.mutable_data_ptr<double>()[i];
    bool &terminated = out_.terminated.mutable_data_ptr<bool>()[i],
         &truncated = out_.truncated.mutable_data_ptr<bool>()[i];
    if (over_[i]) {
      reward = true_reward = 0;
      if (auto_reset_ == AutoReset::disabled) return 0;
      terminated = truncated = false;
      begin_episode(i, places_[i].episode + 1);
      return 0;
    }
    const auto step = each_[i]->step(action_of(actions, i));
    ++places_[i].step;
    reward = step.reward;
    true_reward = step.info.is_object() ? step.info.value("true_reward", reward) : reward;
    terminated = step.terminated;
    truncated = step.truncated;
    write_row(out_.observations, i, step.observation);
    if (!terminated && !truncated) return 0;
    over_[i] = 1;
    if (auto_reset_ == AutoReset::same_step) {
      write_row(out_.final_observations, i, step.observation);
      begin_episode(i, places_[i].episode + 1);
    }
    return 1;
  }

  AutoReset auto_reset_;
  std::vector<std::unique_ptr<Environment>> each_;
  std::uint64_t seed_ = 0;
  std::vector<Place> places_;
  std::vector<char> over_;  // its episode has ended and it was not started anew
  std::size_t row_bytes_ = 0;
  VectorStep out_;
  Crew crew_;
};

}  // namespace

std::unique_ptr<VectorEnvironment> each_of(const std::function<std::unique_ptr<Environment>()>& make,
                                           const VectorOptions& options) {
  return std::make_unique<EachOf>(make, options);
}

}  // namespace rlhf::environments
