#include "rlhf/data/readers/shape.h"

#include <algorithm>
#include <array>
#include <utility>

#include "rlhf/core/error.h"
#include "rlhf/core/spelling.h"

namespace rlhf::data {
namespace {

struct Described {
  RowShape shape;
  std::string_view name;
  std::vector<std::string> columns;  // that make the shape
  std::string_view example;
};

/// More columns first: the first shape whose columns are all there is the row's.
const std::vector<Described>& shapes() {
  static const std::vector<Described> all = {
      {RowShape::query_compare,
       "query_compare",
       {"query", "sample0", "sample1", "difference"},
       R"({"query": [1, 2], "sample0": [3], "sample1": [4], "difference": 0.5})"},
      {RowShape::query_best_of_n,
       "query_best_of_n",
       {"query", "sample0", "sample1", "best"},
       R"({"query": [1, 2], "sample0": [3], "sample1": [4], "best": 0})"},
      {RowShape::query_rating,
       "query_rating",
       {"query", "sample", "score"},
       R"({"query": [1, 2], "sample": [3], "score": 0.5})"},
      {RowShape::best_of_n,
       "best_of_n",
       {"prompt", "completions", "best"},
       R"({"prompt": "...", "completions": ["...", "..."], "best": 0})"},
      {RowShape::rating,
       "rating",
       {"prompt", "completion", "rating"},
       R"({"prompt": "...", "completion": "...", "rating": 4})"},
      {RowShape::preference,
       "preference",
       {"chosen", "rejected"},
       R"({"prompt": "...", "chosen": "...", "rejected": "..."})"},
      {RowShape::prompt_completion,
       "prompt_completion",
       {"prompt", "completion"},
       R"({"prompt": "...", "completion": "..."})"},
      {RowShape::messages,
       "messages",
       {"messages"},
       R"({"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]})"},
      {RowShape::prompt, "prompt", {"prompt"}, R"({"prompt": "..."})"},
      {RowShape::text, "text", {"text"}, R"({"text": "..."})"},
  };
  return all;
}

const Described& described(RowShape shape) {
  return *std::find_if(shapes().begin(), shapes().end(), [&](const Described& d) { return d.shape == shape; });
}

bool has(const nlohmann::json& row, const std::string& column) {
  const auto found = row.find(column);
  return found != row.end() && !found->is_null();
}

std::string list_columns(const nlohmann::json& row) {
  std::string text;
  int count = 0;
  for (const auto& [key, value] : row.items()) {
    if (++count > 12) return text + ", ...";
    text += (text.empty() ? "\"" : ", \"") + key.substr(0, 40) + "\"";
  }
  return text.empty() ? "none" : text;
}

/// How much of a shape a row has: whole columns count more than misspelt ones.
double likeness(const nlohmann::json& row, const Described& shape) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : row.items()) keys.push_back(key);
  double sum = 0.0;
  for (const auto& column : shape.columns) {
    if (has(row, column))
      sum += 1.0;
    else if (nearest(column, keys))
      sum += 0.75;
  }
  return sum / static_cast<double>(shape.columns.size());
}

/// `"completion" is missing ("completon" may be meant)` for each missing column.
std::string missing_columns(const nlohmann::json& row, const Described& shape) {
  std::string text;
  for (const auto& column : shape.columns) {
    if (has(row, column)) continue;
    std::vector<std::string> keys;
    for (const auto& [key, value] : row.items()) {
      if (std::find(shape.columns.begin(), shape.columns.end(), key) == shape.columns.end()) keys.push_back(key);
    }
    text += (text.empty() ? "" : ", ") + ("\"" + column + "\" is ") + (row.contains(column) ? "null" : "missing");
    if (const auto meant = nearest(column, keys)) text += " (is \"" + *meant + "\" meant?)";
  }
  return text;
}

void require_object(const JsonlRow& row) {
  if (row.value.is_object()) return;
  throw Error(
      {.category = Category::bad_data,
       .where = row.where,
       .what =
           std::string("the row is a JSON ") + row.value.type_name() + "; an object with named columns was expected",
       .fix = row.value.is_array() ? "If the file is one JSON array of rows, give it a name that ends in .json." : ""});
}

}  // namespace

std::string_view shape_name(RowShape shape) { return described(shape).name; }

std::string_view shape_example(RowShape shape) { return described(shape).example; }

RowShape parse_shape(std::string_view name) {
  std::string plain(name);
  std::replace(plain.begin(), plain.end(), '-', '_');
  std::vector<std::string> names;
  for (const auto& shape : shapes()) {
    if (plain == shape.name) return shape.shape;
    names.emplace_back(shape.name);
  }
  std::string known;
  for (const auto& each : names) known += (known.empty() ? "" : ", ") + each;
  const auto meant = nearest(plain, names);
  throw Error({.category = Category::usage,
               .where = "format",
               .what = "there is no format \"" + std::string(name) + "\"; there are " + known,
               .fix = meant ? "Did you mean \"" + *meant + "\"?" : ""});
}

RowShape sniff(const JsonlRow& row, const std::vector<RowShape>& accepted) {
  if (row.value.is_string() && std::find(accepted.begin(), accepted.end(), RowShape::prompt) != accepted.end())
    return RowShape::prompt;
  require_object(row);
  const Described* best = nullptr;
  double best_likeness = -1.0;
  for (const auto& shape : shapes()) {
    if (std::find(accepted.begin(), accepted.end(), shape.shape) == accepted.end()) continue;
    const auto value = likeness(row.value, shape);
    if (missing_columns(row.value, shape).empty()) return shape.shape;
    if (value >= best_likeness) best = &shape, best_likeness = value;  // of equals the last, which is the simplest
  }
  throw Error({.category = Category::bad_data,
               .where = row.where,
               .what = "the columns " + list_columns(row.value) + " make no row that can be used here; nearest is " +
                       std::string(best->name) + ", but " + missing_columns(row.value, *best),
               .fix = "Such a row looks like " + std::string(best->example) + "."});
}

void require_shape(const JsonlRow& row, RowShape shape) {
  if (row.value.is_string() && shape == RowShape::prompt) return;
  require_object(row);
  const auto missing = missing_columns(row.value, described(shape));
  if (missing.empty()) return;
  throw Error(
      {.category = Category::bad_data,
       .where = row.where,
       .what = missing + "; the columns are " + list_columns(row.value),
       .fix = "A " + std::string(shape_name(shape)) + " row looks like " + std::string(shape_example(shape)) + "."});
}

}  // namespace rlhf::data
