#include "rlhf/core/machine.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <torch/headeronly/version.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"

namespace rlhf {
namespace {

using nlohmann::json;

// The value of the first line "key : value" of a file such as /proc/cpuinfo.
std::string first_value(const char* file, std::string_view key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(':');
    if (!line.starts_with(key) || colon == std::string::npos) continue;
    return line.substr(std::min(line.find_first_not_of(" \t", colon + 1), line.size()));
  }
  return "";
}

// Those that change which arithmetic kernels run.
std::vector<std::string> cpu_features() {
  static constexpr std::array<std::string_view, 12> watched = {"sse4_2",      "avx",         "avx2",     "fma",
                                                               "f16c",        "avx512f",     "avx512bw", "avx512vl",
                                                               "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8"};
  std::vector<std::string> found;
  std::istringstream words(first_value("/proc/cpuinfo", "flags"));
  for (std::string word; words >> word;) {
    if (std::find(watched.begin(), watched.end(), word) != watched.end()) found.push_back(word);
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string hash_of_program() {
  static const std::string hash = [] {
    try {
      return sha256_file("/proc/self/exe");
    } catch (const Error&) {
      return std::string("unknown");
    }
  }();
  return hash;
}

}  // namespace

json exactness_of_machine() {
  return {{"binary", hash_of_program()},
          {"torch", TORCH_VERSION},
          {"cpu_features", cpu_features()},
          {"cpu_capability", at::get_cpu_capability()},
          {"threads", at::get_num_threads()}};
}

json describe_machine() {
  utsname system{};
  ::uname(&system);
  auto about = exactness_of_machine();
  about["release"] = release();
  about["compiler"] = fmt::format("{} C++{}", __VERSION__, __cplusplus);
  about["host"] = host_name();
  about["system"] = fmt::format("{} {} {}", system.sysname, system.release, system.machine);
  about["processor"] = first_value("/proc/cpuinfo", "model name");
  about["cores"] = std::thread::hardware_concurrency();
  about["memory_bytes"] =
      static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGE_SIZE));
  return about;
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 && name[0] ? name : "unknown";
}

std::string release() { return RLHF_RELEASE; }

std::vector<std::string> differences(const json& then, const json& now) {
  std::vector<std::string> lines;
  for (const auto& [key, value] : now.items()) {
    const auto before = then.is_object() ? then.value(key, json()) : json();
    if (before != value) lines.push_back(fmt::format("{}: {} then, {} now", key, before.dump(), value.dump()));
  }
  return lines;
}

}  // namespace rlhf
