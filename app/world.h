#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "rlhf/core/fields.h"
#include "rlhf/environments/environment.h"

namespace rlhf::app {

/// The environment in which a verb plays, as its settings name it.
struct World {
  std::string environment = "cart_pole";
  std::string settings;  // a JSON object; empty = the environment's own defaults

  void fields(Fields& f);
  /// Throws rlhf::Error (usage) for an unknown environment or setting.
  std::unique_ptr<environments::Environment> make() const;
};

/// `given`, or the folder of that name beside the store, see rlhf/feedback/store_folder.h.
std::filesystem::path beside(const std::string& store, const std::string& given, const char* name);

}  // namespace rlhf::app
