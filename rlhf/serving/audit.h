#pragma once
#include <filesystem>
#include <mutex>
#include <string_view>

#include "rlhf/core/files.h"
#include "rlhf/serving/http.h"

namespace rlhf::serving {

/// Who did what, one JSON object a line: {"time", "principal", "role", "address", "action", "path", "status"}. Bodies,
/// passwords and tokens are never in it.
class AuditLog {
 public:
  explicit AuditLog(const std::filesystem::path& file) : file_(file) {}

  /// `action` is the method and the route's pattern: "POST /api/answers/{id}".
  void write(const Request& request, std::string_view action, int status);

 private:
  std::mutex mutex_;
  AppendFile file_;
};

}  // namespace rlhf::serving
