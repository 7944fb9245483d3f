#pragma once
#include <stdexcept>
#include <string>

namespace rlhf {

/// What kind of failure it is; `app/` turns it into the process's exit code (the number beside it).
enum class Category {
  failure = 1,   // anything else
  usage = 2,     // flags, settings, arguments
  bad_data = 3,  // a file or stream that cannot be used as it is
  resource = 4,  // memory, disk, permissions
  check = 5,     // a check that the user asked for did not hold
};

/// Every error a user can meet answers three questions: where, what, and how to fix it.
///
///   throw Error({.category = Category::bad_data,
///                .where = "data/pairs.jsonl:17",
///                .what = "the key \"chosen\" is missing; found \"prompt\", \"completion\"",
///                .fix = "Rename the column, or pass --format prompt_completion."});
class Error : public std::runtime_error {
 public:
  struct Parts {
    Category category = Category::failure;
    std::string where;  // file:line, flag, config key, function: as exact as it is known
    std::string what;   // what was found and what was expected
    std::string fix;    // one thing to do next; may be empty when there is nothing to do
  };

  explicit Error(Parts parts);

  Category category() const { return parts_.category; }
  const std::string& where() const { return parts_.where; }
  const std::string& problem() const { return parts_.what; }
  const std::string& fix() const { return parts_.fix; }

 private:
  Parts parts_;
};

}  // namespace rlhf
