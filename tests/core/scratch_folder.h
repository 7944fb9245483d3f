#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "rlhf/core/error.h"

namespace rlhf {

/// A new, empty folder for one test, removed at its end.
class ScratchFolder {
 public:
  ScratchFolder() {
    auto name = (std::filesystem::temp_directory_path() / "rlhf-test-XXXXXX").string();
    if (!::mkdtemp(name.data())) ADD_FAILURE() << "no scratch folder";
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// The Error that `action` throws; the test fails if it throws none.
template <class Action>
Error error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no rlhf::Error was thrown";
  return Error({.category = Category::failure, .where = "", .what = "", .fix = ""});
}

}  // namespace rlhf
