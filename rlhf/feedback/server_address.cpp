#include "rlhf/feedback/server_address.h"

#include <fstream>

#include "rlhf/core/files.h"
#include "rlhf/feedback/store.h"

namespace rlhf::feedback {

ServerAddress::ServerAddress(const std::string& store, const std::string& url) {
  if (is_postgres(store)) return;
  file_ = store + ".url";
  write_file_atomic(file_, url + "\n");
}

ServerAddress::~ServerAddress() {
  std::error_code gone;
  if (!file_.empty()) std::filesystem::remove(file_, gone);
}

std::string server_address(const std::string& store) {
  std::ifstream file(store + ".url");
  std::string url;
  std::getline(file, url);
  return url;
}

}  // namespace rlhf::feedback
