#include "rlhf/feedback/store_folder.h"

#include "rlhf/feedback/store.h"

namespace rlhf::feedback {

std::filesystem::path folder_beside(const std::string& store, const char* name) {
  return is_postgres(store) ? std::filesystem::path(name) : std::filesystem::path(store).parent_path() / name;
}

}  // namespace rlhf::feedback
