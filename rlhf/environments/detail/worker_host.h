#pragma once
// One worker, kept alive. Private to environments.
#include <optional>

#include "rlhf/environments/detail/worker_channel.h"
#include "rlhf/environments/detail/worker_memory.h"

namespace rlhf::environments {

class WorkerHost {
 public:
  /// Starts the process and returns at once, so that several start at the same time.
  WorkerHost(const WorkerProgram& program, const WorkerCare& care, const SharedMemory& memory, std::int64_t count);

  /// What it says of its environment (spec_of_worker reads it). Throws rlhf::Error when it does not answer as the protocol
  /// has it, and (usage) when it cannot make what it was asked for.
  nlohmann::json describe();
  void attach(const nlohmann::json& layout);

  /// A round: what the orders in the shared memory say. wait() throws WorkerFailure where the worker failed.
  void ring();
  void wait();

  /// One question outside of rounds. Throws rlhf::Error (usage) for an answer {"error": ...}, and WorkerFailure.
  WorkerMessage ask(const WorkerMessage& question);

  /// Ends the process and starts another, attached like the first. Throws rlhf::Error (failure) when it has failed too
  /// often.
  void restart(const std::string& why);

 private:
  WorkerMessage answer();
  void greet();

  WorkerProgram program_;
  WorkerCare care_;
  const SharedMemory& memory_;
  std::int64_t count_;
  std::unique_ptr<WorkerChannel> channel_;
  std::optional<WorkerFailure> not_rung_;
  nlohmann::json description_, layout_;
  int failures_ = 0;
  std::int64_t answered_ = 0;  // since the last failure
};

}  // namespace rlhf::environments
