#pragma once
#include <unistd.h>

#include <filesystem>
#include <string>

#include "rlhf/core/run.h"

namespace rlhf::benchmarks {

/// A quiet run in a folder that goes away with it.
class ScratchRun {
 public:
  explicit ScratchRun(const std::string& name)
      : folder_(std::filesystem::temp_directory_path() / ("rlhf-" + name + "-" + std::to_string(::getpid()))),
        run_({.folder = folder_, .quiet = true}, "", nlohmann::json::object()) {}
  ~ScratchRun() {
    std::error_code ignored;  // nothing sensible is left to do with it
    std::filesystem::remove_all(folder_, ignored);
  }
  ScratchRun(const ScratchRun&) = delete;
  ScratchRun& operator=(const ScratchRun&) = delete;

  Run& run() { return run_; }

 private:
  std::filesystem::path folder_;
  Run run_;
};

}  // namespace rlhf::benchmarks
