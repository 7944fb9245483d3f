#pragma once
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/core/fields.h"
#include "rlhf/core/tokens.h"

namespace rlhf::benchmarks {

/// What every benchmark takes; the names are those of the peers' scripts (benchmarks/peers/measure.py).
struct Common {
  std::string model;     // HF directory
  std::string workload;  // JSON of peers/make_workload.py
  int threads = 0;       // 0: as LibTorch decides

  void fields(Fields& f);
};

/// Token ids both sides read.
struct Workload {
  std::vector<TokenIds> prompts, texts;
};

Workload read_workload(const std::string& path);

/// Sets the thread count and the seed.
void prepare(const Common& common);

/// Prints the one JSON line. `tokens`: as many entries as `seconds`.
void report(std::string_view what, const Common& common, std::span<const double> seconds, std::span<const double> tokens,
            nlohmann::json more = nlohmann::json::object());

/// Runs `body(arguments)`; an Error becomes a paragraph on standard error and exit code 1.
int guarded(int argc, char** argv, void (*body)(std::span<const std::string> arguments));

}  // namespace rlhf::benchmarks
