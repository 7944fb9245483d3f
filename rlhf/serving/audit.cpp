#include "rlhf/serving/audit.h"

#include <nlohmann/json.hpp>

#include "rlhf/core/clock.h"
#include "rlhf/serving/credentials.h"

namespace rlhf::serving {

void AuditLog::write(const Request& request, std::string_view action, int status) {
  nlohmann::ordered_json row = {
      {"time", utc_now()}, {"principal", nullptr}, {"role", nullptr}, {"address", request.address},
      {"action", action},  {"path", request.path}, {"status", status}};
  if (request.session) {
    row["principal"] = request.session->name;
    row["role"] = name_of(request.session->role);
  }
  const auto line = row.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
  const std::lock_guard lock(mutex_);
  file_.append(line);
}

}  // namespace rlhf::serving
