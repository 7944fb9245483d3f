#include <utility>

#include "rlhf/core/error.h"
#include "rlhf/data/readers/columns.h"
#include "rlhf/data/readers/each_row.h"
#include "rlhf/data/readers/rows.h"

namespace rlhf::data {
namespace {

Demonstration demonstration_from(const JsonlRow& row, RowShape shape, const std::string& file) {
  if (shape == RowShape::prompt_completion) {
    Demonstration made{prompt_of_row(row, file, "prompt"),
                       as_completion(row.value["completion"], row.where, "completion"), row.where};
    match_prompt(made.prompt, made.completion, row.where, "completion");
    return made;
  }
  const std::string field(shape_name(shape));  // "text" or "messages"
  Demonstration made{prompt_of_row(row, file), as_completion(row.value[field], row.where, field), row.where};
  if (made.completion.messages.empty() == (shape == RowShape::text)) return made;
  throw Error({.category = Category::bad_data,
               .where = row.where,
               .what = shape == RowShape::text ? "\"text\" is a list of messages; a string was expected"
                                               : "\"messages\" is a string; a list of messages was expected",
               .fix = "Such a row looks like " + std::string(shape_example(shape)) + "."});
}

}  // namespace

std::vector<Demonstration> read_demonstrations(JsonlReader& reader, const ReadOptions& options) {
  std::vector<Demonstration> rows;
  each_row(reader, options, {RowShape::prompt_completion, RowShape::messages, RowShape::text},
           [&](const JsonlRow& row, RowShape shape) { rows.push_back(demonstration_from(row, shape, reader.name())); });
  return rows;
}

std::vector<Demonstration> read_demonstrations(const std::filesystem::path& path, const ReadOptions& options) {
  auto reader = JsonlReader::open(path);
  return read_demonstrations(reader, options);
}

}  // namespace rlhf::data
