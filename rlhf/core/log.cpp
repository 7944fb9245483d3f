#include "rlhf/core/log.h"

#include <fmt/format.h>

#include <utility>

#include "rlhf/core/clock.h"

namespace rlhf {

Log::Log(const std::filesystem::path& file, std::function<void(std::string_view)> show)
    : file_(file), show_(std::move(show)) {}

void Log::write(Level level, std::string_view text) {
  const auto line = fmt::format("{}{}", level == Level::warning ? "warning: " : "", text);
  if (show_) show_(line);
  file_.append(fmt::format("{} {}\n", utc_now(), line));
}

}  // namespace rlhf
