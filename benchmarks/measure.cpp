#include "benchmarks/measure.h"

#include <ATen/Parallel.h>
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <numeric>

#include "rlhf/core/error.h"

namespace rlhf::benchmarks {

void Common::fields(Fields& f) {
  f.field("model", model, "HF directory");
  f.field("workload", workload, "JSON of peers/make_workload.py");
  f.field("threads", threads, "threads of the matrix products; 0 = as LibTorch decides");
}

Workload read_workload(const std::string& path) {
  std::ifstream file(path);
  if (!file)
    throw Error({.category = Category::usage, .where = "workload", .what = "cannot read '" + path + "'",
                 .fix = "make it with benchmarks/peers/make_workload.py"});
  const auto json = nlohmann::json::parse(file);
  return {.prompts = json.at("prompts").get<std::vector<TokenIds>>(), .texts = json.at("texts").get<std::vector<TokenIds>>()};
}

void prepare(const Common& common) {
  if (common.threads > 0) at::set_num_threads(common.threads);
}

void report(std::string_view what, const Common& common, std::span<const double> seconds, std::span<const double> tokens,
            nlohmann::json more) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::vector<double> sorted(seconds.begin(), seconds.end());
  std::ranges::sort(sorted);
  nlohmann::json line = {
      {"what", what},
      {"engine", "rlhf.cpp"},
      {"tokens_per_second", std::accumulate(tokens.begin(), tokens.end(), 0.0) / std::accumulate(seconds.begin(), seconds.end(), 0.0)},
      {"seconds", sorted.at(sorted.size() / 2)},
      {"all_seconds", std::vector<double>(seconds.begin(), seconds.end())},
      {"tokens", std::vector<double>(tokens.begin(), tokens.end())},
      {"peak_rss_mb", static_cast<double>(usage.ru_maxrss) / 1024},
      {"threads", at::get_num_threads()}};
  line.update(more);
  fmt::print("{}\n", line.dump());
}

int guarded(int argc, char** argv, void (*body)(std::span<const std::string> arguments)) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    body(arguments);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return 1;
  }
}

}  // namespace rlhf::benchmarks
