#include "rlhf/environments/worker.h"

#include <algorithm>
#include <cstring>

#include "rlhf/core/error.h"
#include "rlhf/environments/detail/worker_fleet.h"
#include "rlhf/environments/detail/world_impl.h"

namespace rlhf::environments {

void WorkerCare::fields(Fields& f) {
  f.field("timeout", timeout, "seconds that an answer of the worker may take");
  f.field("silence", silence, "seconds that its heart may stand still");
  f.field("restarts", restarts, "how often it is started anew before that is an error");
  f.field("workers", workers, "processes that step at the same time");
}

void WorkerCare::validate() const {
  const auto require = [](bool holds, const char* field, const char* fix) {
    if (!holds) throw Error({.category = Category::usage, .where = field, .what = "out of range", .fix = fix});
  };
  require(timeout > 0, "timeout", "Give a positive number of seconds.");
  require(silence >= 2, "silence", "A heart beats once a second: give 2 or more.");
  require(restarts >= 0, "restarts", "Give 0 or more.");
  require(workers >= 1, "workers", "Give 1 or more.");
}

namespace {

template <class Number>
Array numbers_from(const char* bytes, std::size_t count) {
  std::vector<Number> numbers(count);
  std::memcpy(numbers.data(), bytes, count * sizeof(Number));
  return numbers;
}

Array array_from(const Spec& spec, const char* bytes) {
  const auto count = observed_numbers(spec);
  switch (std::get<Box>(spec.observation).dtype) {
    case Dtype::uint8: return numbers_from<std::uint8_t>(bytes, count);
    case Dtype::int64: return numbers_from<std::int64_t>(bytes, count);
    case Dtype::float32: return numbers_from<float>(bytes, count);
    case Dtype::float64: break;
  }
  return numbers_from<double>(bytes, count);
}

class Worker final : public Environment {
 public:
  Worker(const WorkerProgram& program, const WorkerCare& care)
      : fleet_(std::make_unique<WorkerFleet>(program, care, 1, nullptr)) {}

  const Spec& spec() const override { return fleet_->spec(); }
  using Environment::reset;

  Start reset(std::uint64_t seed, const nlohmann::json& options) override {
    *fleet_->seeds() = seed;
    running_ = false;
    const WorkerMessage question{.head = {{"do", "reset"}, {"seed", seed}, {"options", options}}};
    for (;;) try {
        const auto said = fleet_->ask(0, question);
        running_ = true;
        return {.observation = observation(), .info = said.head.value("info", nlohmann::json())};
      } catch (const WorkerFailure& failure) {
        fleet_->recover(0, failure.what());  // an Error once it has failed too often
      }
  }

  Step step(const Action& action) override {
    if (!running_) throw_not_running(spec());
    if (std::holds_alternative<Discrete>(spec().action)) {
      const auto choice = checked_choice(spec(), action);
      std::memcpy(fleet_->actions(), &choice, sizeof choice);
    } else {
      std::memcpy(fleet_->actions(), checked_numbers(spec(), action), fleet_->action_bytes());
    }
    *fleet_->orders() = Order::step;
    if (const auto losses = fleet_->round(); !losses.empty()) {
      running_ = false;
      std::memcpy(fleet_->row(0), fleet_->row_before(0), fleet_->row_bytes());
      return {.observation = observation(), .truncated = true, .info = {{"worker", losses.front().why}}};
    }
    const bool terminated = *fleet_->terminated() != 0, truncated = *fleet_->truncated() != 0;
    running_ = !terminated && !truncated;
    return {.observation = observation(),
            .reward = *fleet_->rewards(),
            .terminated = terminated,
            .truncated = truncated};
  }

  Array observation() const override { return array_from(spec(), fleet_->row(0)); }

  std::string state() const override {
    if (!spec().can.state) return Environment::state();
    return ask({.head = {{"do", "state"}}}).bytes;
  }

  void set_state(std::string_view bytes) override {
    if (!spec().can.state) return Environment::set_state(bytes);
    running_ = ask({.head = {{"do", "set_state"}}, .bytes = std::string(bytes)}).head.value("running", true);
  }

  Image render(int width, int height) const override {
    if (!spec().can.render) return Environment::render(width, height);
    const auto said = ask({.head = {{"do", "render"}}});
    Image image{.width = said.head.value("width", 0), .height = said.head.value("height", 0)};
    if (image.width < 1 || image.height < 1 || image.width > 8192 || image.height > 8192 ||
        said.bytes.size() != static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 3)
      throw Error({.category = Category::bad_data,
                   .where = "environment " + spec().name,
                   .what = "its worker's picture is no picture",
                   .fix = "docs/workers.md says what the answer to \"render\" has to hold."});
    image.rgb.assign(said.bytes.begin(), said.bytes.end());
    return fitted(image, width, height);
  }

 private:
  /// For what a restart cannot mend: the episode is gone.
  WorkerMessage ask(const WorkerMessage& question) const {
    try {
      return fleet_->ask(0, question);
    } catch (const WorkerFailure& failure) {
      throw Error({.category = Category::failure,
                   .where = "environment " + spec().name,
                   .what = std::string("its worker failed: ") + failure.what(),
                   .fix = "Call reset; the episode that was running is lost."});
    }
  }

  std::unique_ptr<WorkerFleet> fleet_;
  bool running_ = false;
};

}  // namespace

std::unique_ptr<Environment> make_worker(const WorkerProgram& program, const WorkerCare& care) {
  care.validate();
  return std::make_unique<Worker>(program, care);
}

}  // namespace rlhf::environments
