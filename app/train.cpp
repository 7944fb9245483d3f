#include <fmt/format.h>

#include <iostream>

#include "app/commands.h"
#include "app/run_job.h"
#include "rlhf/algorithms/table.h"
#include "rlhf/control/table.h"

namespace rlhf::app {

int train(const Invocation& call) {
  auto table = algorithms::builtin_algorithms();
  table.merge(control::builtin_algorithms());
  if (call.arguments.empty() || call.arguments.front().starts_with("-")) {
    std::cout << "usage: rlhf train ALGORITHM [-c FILE.toml]... [key=value]... [--output DIR] [--resume | --overwrite] [--dry-run]\n\n";
    for (const auto& [name, make] : table) std::cout << "  " << name << "\n";
    std::cout << "\n`rlhf train ALGORITHM --help` lists its settings.\n";
    return 0;
  }
  const auto& name = call.arguments.front();
  const auto job = algorithms::find_algorithm(table, name);
  run_job(*job, "rlhf train " + name, {}, read_run_flags(call.without_first(), name), {{"name", name}, {"algorithm", name}});
  return 0;
}

}  // namespace rlhf::app
