#pragma once
#include <functional>
#include <memory>
#include <string>

#include "rlhf/feedback/store.h"
#include "rlhf/serving/router.h"

namespace rlhf::serving {

/// What the store cannot do itself; empty functions switch their routes off.
struct OwnerOptions {
  double seconds_per_answer = 40.0;  // for the cost estimate, until answers have been timed
  /// Writes all feedback in a format; throws rlhf::Error (usage) for one that it does not know.
  std::function<std::string(const std::string& format, bool anonymous)> export_as;
  /// Reads questions (JSONL) and returns how many were new.
  std::function<std::int64_t(const std::string& rows)> add_questions;
  /// Sets role and password of an annotator.
  std::function<void(const std::string& name, const std::string& role, const std::string& password)> set_login;
};

/// The pages of the one who runs a project, over HTTP (docs/http_api.md, "For the owner").
class Owner {
 public:
  Owner(feedback::Store& store, OwnerOptions options);
  ~Owner();
  void add_routes(Router& router);

  /// A reward model that learns while people label says how it does on held-out pairs.
  struct RewardPoint {
    std::int64_t labels = 0;
    double accuracy = 0.0, low = 0.0, high = 0.0;  // with a 95 % interval
    double at = 0.0;                               // seconds since 1970
  };
  void report(const RewardPoint& point);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace rlhf::serving
