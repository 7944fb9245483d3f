#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "rlhf/core/files.h"

namespace rlhf {

enum class Level { info, warning };

/// Lines with a time for a file, and without one for people. Neither exits nor throws because of the reader's terminal.
class Log {
 public:
  /// `show` gets each line for people (usually Progress::print, so that lines do not break the progress line); may be
  /// empty.
  Log(const std::filesystem::path& file, std::function<void(std::string_view)> show);

  void write(Level level, std::string_view text);
  void info(std::string_view text) { write(Level::info, text); }
  void warning(std::string_view text) { write(Level::warning, text); }

 private:
  AppendFile file_;
  std::function<void(std::string_view)> show_;
};

}  // namespace rlhf
