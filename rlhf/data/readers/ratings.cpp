#include <utility>

#include "rlhf/data/readers/columns.h"
#include "rlhf/data/readers/each_row.h"
#include "rlhf/data/readers/rows.h"

namespace rlhf::data {
namespace {

RatedCompletion rating_from(const JsonlRow& row, RowShape shape, const std::string& file) {
  if (shape == RowShape::query_rating) {
    return {prompt_of_row(row, file, "query"),
            {.text = "", .messages = {}, .ids = as_token_ids(row.value["sample"], row.where, "sample")},
            number_column(row, "score"),
            row.where};
  }
  RatedCompletion made{prompt_of_row(row, file, "prompt"),
                       as_completion(row.value["completion"], row.where, "completion"), number_column(row, "rating"),
                       row.where};
  match_prompt(made.prompt, made.completion, row.where, "completion");
  return made;
}

}  // namespace

std::vector<RatedCompletion> read_ratings(JsonlReader& reader, const ReadOptions& options) {
  std::vector<RatedCompletion> rows;
  each_row(reader, options, {RowShape::rating, RowShape::query_rating},
           [&](const JsonlRow& row, RowShape shape) { rows.push_back(rating_from(row, shape, reader.name())); });
  return rows;
}

std::vector<RatedCompletion> read_ratings(const std::filesystem::path& path, const ReadOptions& options) {
  auto reader = JsonlReader::open(path);
  return read_ratings(reader, options);
}

}  // namespace rlhf::data
