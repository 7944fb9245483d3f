// VectorEnvironment over workers; see worker.h.
#include <cstring>

#include "rlhf/core/error.h"
#include "rlhf/environments/detail/worker_fleet.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {
namespace {

nlohmann::json as_binary(const char* bytes, std::size_t size) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(bytes);
  return nlohmann::json::binary({begin, begin + size});
}

std::string from_binary(const nlohmann::json& binary) {
  const auto& bytes = binary.get_binary();
  return {bytes.begin(), bytes.end()};
}

class WorkerVector final : public VectorEnvironment {
 public:
  WorkerVector(const WorkerProgram& program, const WorkerCare& care, const VectorOptions& options)
      : auto_reset_(options.auto_reset),
        fleet_(std::make_unique<WorkerFleet>(program, care, options.count, options.report)) {
    // Observations lie in the shared memory; the rest is copied, so that what a worker writes is read once.
    out_ = make_vector_step(spec(), {.count = options.count, .auto_reset = AutoReset::disabled});
    out_.observations = fleet_->observations();
    if (auto_reset_ == AutoReset::same_step) out_.final_observations = fleet_->finals();
    places_.resize(static_cast<std::size_t>(options.count));
    over_.resize(places_.size());
  }

  const Spec& spec() const override { return fleet_->spec(); }
  std::int64_t count() const override { return fleet_->count(); }
  AutoReset auto_reset() const override { return auto_reset_; }
  const Tensor& observations() const override { return out_.observations; }
  Place place(std::int64_t i) const override { return places_.at(static_cast<std::size_t>(i)); }

  const Tensor& reset(std::uint64_t seed) override {
    seed_ = seed;
    for (std::int64_t i = 0; i < count(); ++i) go_to_episode(i, 0);
    begin_where_they_are();
    return out_.observations;
  }

  const VectorStep& step(const Tensor& actions) override {
    check_actions(spec(), actions, count());
    std::memcpy(fleet_->actions(), actions.const_data_ptr(), static_cast<std::size_t>(count()) * fleet_->action_bytes());
    std::vector<Order> orders(places_.size());
    for (std::size_t i = 0; i < orders.size(); ++i) {
      orders[i] = !over_[i]                              ? (same_step() ? Order::step_next : Order::step)
                  : auto_reset_ == AutoReset::disabled ? Order::rest
                                                         : Order::next;
      fleet_->orders()[i] = orders[i];
      fleet_->seeds()[i] = episode_seed(seed_, static_cast<std::int64_t>(i), places_[i].episode + 1);
    }
    std::vector<char> lost(places_.size());
    for (const auto& loss : fleet_->round()) std::fill(lost.begin() + loss.begin, lost.begin() + loss.end, 1);
    out_.observations = fleet_->observations();
    out_.ended = 0;
    for (std::int64_t i = 0; i < count(); ++i) take(i, orders[static_cast<std::size_t>(i)], lost[i] != 0);
    return out_;
  }

  std::string state_of(std::int64_t i) const override {
    if (!spec().can.state)
      throw Error({.category = Category::usage,
                   .where = "environment " + spec().name,
                   .what = "it cannot save its state",
                   .fix = "Ask spec().can.state first; clips of it need stored frames."});
    try {
      return fleet_->ask(i, {.head = {{"do", "state"}}}).bytes;
    } catch (const WorkerFailure& failure) {
      throw_failed(failure);
    }
  }

  std::string state() const override {
    auto record = nlohmann::json{{"seed", seed_}, {"each", nlohmann::json::array()}};
    for (std::int64_t i = 0; i < count(); ++i) {
      const auto bytes = spec().can.state ? state_of(i) : std::string();
      record["each"].push_back({{"episode", places_[i].episode},
                                {"step", places_[i].step},
                                {"over", over_[i] != 0},
                                {"state", as_binary(bytes.data(), bytes.size())},
                                {"seen", as_binary(fleet_->row(i), fleet_->row_bytes())}});
    }
    const auto packed = nlohmann::json::to_cbor(record);
    return {packed.begin(), packed.end()};
  }

  void set_state(std::string_view bytes) override {
    const auto record = nlohmann::json::from_cbor(bytes.begin(), bytes.end(), true, false);
    if (!record.is_object() || record.value("each", nlohmann::json::array()).size() != places_.size())
      throw_no_state(spec());
    seed_ = record["seed"];
    clear_flags(out_);
    for (std::int64_t i = 0; i < count(); ++i)
      go_to_episode(i, record["each"][i]["episode"].get<std::int64_t>() + (spec().can.state ? 0 : 1));
    if (!spec().can.state) {
      fleet_->report("environment " + spec().name + ": it cannot save its state, so that new episodes begin here");
      return begin_where_they_are();
    }
    for (std::int64_t i = 0; i < count(); ++i) restore(i, record["each"][i]);
  }

 private:
  bool same_step() const { return auto_reset_ == AutoReset::same_step; }

  [[noreturn]] void throw_failed(const WorkerFailure& failure) const {
    throw Error({.category = Category::failure,
                 .where = "environment " + spec().name,
                 .what = std::string("its worker failed: ") + failure.what(),
                 .fix = "Resume the run from its last checkpoint."});
  }

  void go_to_episode(std::int64_t i, std::int64_t episode) {
    places_[i] = {episode_seed(seed_, i, episode), episode, 0};
    over_[i] = 0;
  }

  void begin_where_they_are() {
    for (std::int64_t i = 0; i < count(); ++i) {
      fleet_->orders()[i] = Order::begin;
      fleet_->seeds()[i] = places_[i].seed;
    }
    fleet_->round();  // a worker that fails here is at the same starts when it is back
    out_.observations = fleet_->observations();
    clear_flags(out_);
  }

  /// What became of environment i in a round.
  void take(std::int64_t i, Order order, bool lost) {
    bool &terminated = out_.terminated.mutable_data_ptr<bool>()[i],
         &truncated = out_.truncated.mutable_data_ptr<bool>()[i];
    auto& reward = out_.rewards.mutable_data_ptr<double>()[i];
    if (order == Order::rest || order == Order::next) reward = 0;
    if (order == Order::next) {
      terminated = truncated = false;
      return go_to_episode(i, places_[i].episode + 1);
    }
    // What the worker shows after a loss is the start of the next episode.
    if (lost && !same_step()) std::memcpy(fleet_->row(i), fleet_->row_before(i), fleet_->row_bytes());
    if (order == Order::rest) return;
    ++places_[i].step;
    reward = lost ? 0 : fleet_->rewards()[i];
    terminated = !lost && fleet_->terminated()[i] != 0;
    truncated = lost || fleet_->truncated()[i] != 0;
    if (!terminated && !truncated) return;
    ++out_.ended;
    over_[i] = 1;
    if (!same_step()) return;
    if (lost) std::memcpy(fleet_->final_row(i), fleet_->row_before(i), fleet_->row_bytes());
    go_to_episode(i, places_[i].episode + 1);
  }

  void restore(std::int64_t i, const nlohmann::json& one) {
    const auto state = from_binary(one["state"]), seen = from_binary(one["seen"]);
    if (seen.size() != fleet_->row_bytes()) throw_no_state(spec());
    try {
      fleet_->ask(i, {.head = {{"do", "set_state"}}, .bytes = state});
    } catch (const WorkerFailure& failure) {
      throw_failed(failure);
    }
    places_[i].step = one["step"];
    over_[i] = one["over"].get<bool>();
    std::memcpy(fleet_->row(i), seen.data(), seen.size());
  }

  AutoReset auto_reset_;
  std::unique_ptr<WorkerFleet> fleet_;
  std::uint64_t seed_ = 0;
  std::vector<Place> places_;
  std::vector<char> over_;  // its episode has ended and it was not started anew
  VectorStep out_;
};

}  // namespace

std::unique_ptr<VectorEnvironment> make_worker_vector(const WorkerProgram& program, const WorkerCare& care,
                                                      const VectorOptions& options) {
  care.validate();
  return std::make_unique<WorkerVector>(program, care, options);
}

}  // namespace rlhf::environments
