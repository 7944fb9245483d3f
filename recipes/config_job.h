#pragma once
#include <functional>
#include <memory>

#include "rlhf/algorithms/job.h"

namespace rlhf::recipes {

/// A recipe's job: settings, and the function that does what they say once they are valid.
template <class Config>
class ConfigJob final : public algorithms::Job {
 public:
  using Body = void (*)(const Config& config, Run& run);

  explicit ConfigJob(Body body) : body_(body) {}
  void fields(Fields& f) override { config_.fields(f); }
  void run(Run& run) override {
    config_.validate();
    body_(config_, run);
  }

 private:
  Body body_;
  Config config_;
};

/// For Recipe::make.
template <class Config>
std::function<std::unique_ptr<algorithms::Job>()> job_of(void (*body)(const Config& config, Run& run)) {
  return [body] { return std::make_unique<ConfigJob<Config>>(body); };
}

}  // namespace rlhf::recipes
