#include <ATen/Version.h>
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/flags.h"
#include "app/version.h"
#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/core/machine.h"
#include "rlhf/environments/film_file.h"
#include "rlhf/models/model_location.h"

namespace rlhf::app {
namespace {

struct DoctorSettings {
  std::string model = "smollm2-135m";
  std::filesystem::path folder = ".";
  void fields(Fields& f) {
    f.field("model", model, "a model that should be found");
    f.field("folder", folder, "where runs will be written");
  }
};

enum class State { fine, notice, bad };

struct Finding {
  const char* subject;
  State state;
  std::string text;
};

Finding cpu(const nlohmann::json& machine) {
  const auto kernels = machine["cpu_capability"].get<std::string>();
  const bool slow = kernels == "DEFAULT" || kernels == "NO AVX";
  return {"cpu", slow ? State::notice : State::fine,
          fmt::format("{}; kernels {}{}", machine["processor"].get<std::string>(), kernels, slow ? ": without AVX2 everything is several times slower" : "")};
}

Finding threads(const nlohmann::json& machine) {
  const auto used = machine["threads"].get<int>(), cores = machine["cores"].get<int>();
  return {"threads", used > cores ? State::notice : State::fine,
          fmt::format("{} of {} cores{}", used, cores,
                      used > cores ? ": more threads than cores slow each other down" : used < cores ? " (--threads or OMP_NUM_THREADS)" : "")};
}

Finding memory() {
  std::ifstream file("/proc/meminfo");
  std::uint64_t total = 0, available = 0;
  for (std::string name, rest; file >> name;) {
    std::uint64_t kibibytes = 0;
    file >> kibibytes;
    std::getline(file, rest);
    if (name == "MemTotal:") total = kibibytes * 1024;
    if (name == "MemAvailable:") available = kibibytes * 1024;
  }
  const bool little = available < (std::uint64_t{2} << 30);
  return {"memory", little ? State::notice : State::fine,
          fmt::format("{} available of {}{}", bytes_as_text(available), bytes_as_text(total), little ? ": `rlhf plan` says what fits" : "")};
}

Finding disk(const std::filesystem::path& folder) {
  const auto free = free_bytes(folder);
  const bool little = free < (std::uint64_t{4} << 30);
  return {"disk", little ? State::notice : State::fine,
          fmt::format("{} free in {}{}", bytes_as_text(free), std::filesystem::absolute(folder).lexically_normal().string(),
                      little ? ": a checkpoint of a 135 M model takes 0.5 GiB, three times that while it trains" : "")};
}

Finding model(const std::string& name) {
  try {
    return {"model", State::fine, fmt::format("{} is {}", name, models::locate_model(name).path.string())};
  } catch (const Error& error) {
    return {"model", State::bad, error.what()};
  }
}

/// Only agents' films want other programs, and only in two formats of four.
Finding films() {
  std::string written = "folders of frames, animated PNG", missing;
  for (const auto& [format, name] : {std::pair{environments::FilmFormat::webp, "WebP"}, {environments::FilmFormat::mp4, "MP4"}}) {
    try {
      environments::require_encoder(format);
      written += fmt::format(", {}", name);
    } catch (const Error& error) {
      missing += fmt::format("; {}", error.problem());
    }
  }
  return {"films", missing.empty() ? State::fine : State::notice, written + missing};
}

}  // namespace

int doctor(const Invocation& call) {
  DoctorSettings settings;
  if (!read_settings(call, {.synopsis = "rlhf doctor", .description = "What this program runs on, and what is wrong with it. Exit code 5 when something is."}, settings)) return 0;
  const auto machine = describe_machine();
  const std::vector<Finding> findings = {
      {"release", State::fine, fmt::format("rlhf {}, LibTorch {}", release(), machine["torch"].get<std::string>())},
      cpu(machine), threads(machine),
      {"allocator", State::fine, allocator_name()},
      memory(), disk(settings.folder), films(), model(settings.model)};
  bool bad = false;
  for (const auto& finding : findings) {
    const char* mark = finding.state == State::fine ? "ok" : finding.state == State::notice ? "note" : "bad";
    if (call.json) std::cout << nlohmann::json{{"subject", finding.subject}, {"state", mark}, {"text", finding.text}}.dump() << '\n';
    else std::cout << fmt::format("{:<5} {:<10} {}\n", mark, finding.subject, finding.text);
    bad = bad || finding.state == State::bad;
  }
  return bad ? static_cast<int>(Category::check) : 0;
}

}  // namespace rlhf::app
