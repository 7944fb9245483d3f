#pragma once
#include <mutex>

#include "recipes/arms.h"
#include "recipes/deep_tamer/config.h"

namespace rlhf::recipes {

/// Encoders that runs of one seed share, kept in files under `folder`.
class SharedEyes {
 public:
  SharedEyes(std::filesystem::path folder, const algorithms::FramePretrainingConfig& config)
      : folder_(std::move(folder)), config_(config) {}
  algorithms::FramePretraining of(std::uint64_t seed);

 private:
  std::filesystem::path folder_;
  algorithms::FramePretrainingConfig config_;
  std::mutex mutex_;
};

/// One run of one arm on one task: "return" (the mean of the last episodes, greedy, nobody teaching), and of a taught
/// one "signals", "praise" (share of the samples), and "relearnt" (the return of a learner that was given the log with
/// the first TAMER's window). Its folder keeps the session's log and curve.jsonl: rows {"steps", "return"}. Nothing
/// when the run was asked to stop. Throws rlhf::Error (check) if the log does not give the same bits again.
std::optional<nlohmann::json> run_tamer_arm(const DeepTamerConfig& config, const std::string& task,
                                            const std::string& arm, std::uint64_t seed, SharedEyes& eyes, Run& part);

/// Steps of a run until its curve first reached `wanted`; `never` if it did not.
double steps_to_reach(const std::filesystem::path& curve, double wanted, double never);

}  // namespace rlhf::recipes
