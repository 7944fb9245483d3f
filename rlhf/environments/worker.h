#pragma once
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rlhf/core/fields.h"
#include "rlhf/environments/vector.h"

namespace rlhf::environments {

/// An environment that another program plays, in any language and under any licence. The two talk over a socket and
/// share memory; docs/workers.md is the protocol.
struct WorkerProgram {
  std::string name;                  // of the environment, as Spec::name
  std::vector<std::string> command;  // program and arguments; the program is looked for on the PATH
  std::string input;                 // what its standard input holds: a script, as a rule
  nlohmann::json request;            // what it is asked to make: the settings that the worker knows
  nlohmann::json settings;           // Spec::settings: what the user chose
};

/// How long a worker may be silent, and how often it may fail.
struct WorkerCare {
  double timeout = 60.0;  // s that an answer may take
  double silence = 15.0;  // s between two heart-beats, which a worker gives once a second whatever else it does
  int restarts = 3;       // failures without 1,000 answers in between; one more is an Error
  int workers = 1;        // processes that share a VectorEnvironment's copies

  void fields(Fields& f);
  void validate() const;
};

/// One environment in a worker of its own: for clips and play.
///
/// A worker that crashes or hangs is ended and started anew. The step in which that happened gives the last
/// observation, no reward, `truncated`, and info {"worker": what happened}; what was in the worker is lost. Throws
/// rlhf::Error (failure) with the end of the worker's own output when it cannot be started, does not speak the
/// protocol, or has failed `restarts` times before; never waits for ever.
std::unique_ptr<Environment> make_worker(const WorkerProgram& program, const WorkerCare& care = {});

/// Many of it, `options.count` shared out evenly among care.workers processes that step at the same time; `threads` is
/// not used. After a crash the episodes of that worker end as truncated and new ones begin; `options.report` hears
/// of it.
///
/// Where the worker cannot save states, state() holds which episodes are played, and set_state begins the next ones.
std::unique_ptr<VectorEnvironment> make_worker_vector(const WorkerProgram& program, const WorkerCare& care,
                                                      const VectorOptions& options);

}  // namespace rlhf::environments
