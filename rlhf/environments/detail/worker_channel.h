#pragma once
// The line to a worker's process. Private to environments.
#include <sys/types.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "rlhf/environments/worker.h"

namespace rlhf::environments {

constexpr int protocol_version = 1;

/// One message: a JSON object, bytes, or nothing at all, which is the doorbell of a round.
struct WorkerMessage {
  nlohmann::json head;
  std::string bytes;
};

/// The worker crashed, hung or sent what is no message. what() holds the end of its output.
struct WorkerFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// How often the worker's heart has beaten.
using Beats = std::function<std::uint64_t()>;

/// A process with a socket as its descriptor 3, shared memory as 4, and output that is kept for error messages. It gets a
/// process group of its own: Ctrl-C is ours to handle. Ends with the object.
class WorkerChannel {
 public:
  /// Throws WorkerFailure when the program cannot be started.
  WorkerChannel(const WorkerProgram& program, int memory);
  ~WorkerChannel();
  WorkerChannel(const WorkerChannel&) = delete;
  WorkerChannel& operator=(const WorkerChannel&) = delete;

  void ring() { send({}); }
  void send(const WorkerMessage& message);

  /// Waits for `timeout` seconds; with `beats`, for no longer than `silence` seconds from one beat to the next.
  WorkerMessage receive(double timeout, const Beats& beats = {}, double silence = 0);

  /// A WorkerFailure whose message is `what` with the end of the worker's output.
  WorkerFailure failure(const std::string& what);

 private:
  /// What has arrived or does so soon, at most `bytes`; 0 = nothing. Asks again and again, giving way to other threads.
  std::size_t take(char* to, std::size_t bytes);
  void read_exactly(char* to, std::size_t bytes, double until, const Beats& beats, double silence);
  void drain_output();
  std::string how_it_ended();

  std::string name_;
  pid_t process_ = -1;
  int socket_ = -1, output_ = -1;
  std::string said_;  // the end of its output
};

}  // namespace rlhf::environments
