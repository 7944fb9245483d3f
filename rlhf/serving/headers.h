#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rlhf::serving {

/// Header fields in the order they came. Names are compared without regard to case.
class Headers {
 public:
  /// The first value with this name, or an empty one.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const { return count(name) > 0; }
  int count(std::string_view name) const;

  /// `set` replaces every value with this name, `add` keeps them. Throws rlhf::Error (failure) for a value with a line
  /// break: it would start a header of its own.
  void set(std::string_view name, std::string_view value);
  void add(std::string_view name, std::string_view value);
  void remove(std::string_view name);

  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// Equal without regard to the case of ASCII letters.
bool equal_ignoring_case(std::string_view one, std::string_view other);

}  // namespace rlhf::serving
