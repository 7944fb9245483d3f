#include "rlhf/data/readers/each_row.h"

#include <algorithm>
#include <string>

#include "rlhf/core/error.h"

namespace rlhf::data {
namespace {

void require_accepted(RowShape format, const std::vector<RowShape>& accepted) {
  if (std::find(accepted.begin(), accepted.end(), format) != accepted.end()) return;
  std::string usable;
  for (const auto shape : accepted) usable += (usable.empty() ? "" : ", ") + std::string(shape_name(shape));
  throw Error(
      {.category = Category::usage,
       .where = "format",
       .what = "rows of the format " + std::string(shape_name(format)) + " cannot be used here; these can: " + usable,
       .fix = ""});
}

}  // namespace

void each_row(JsonlReader& reader, const ReadOptions& options, const std::vector<RowShape>& accepted,
              const std::function<void(const JsonlRow&, RowShape)>& use) {
  if (options.format) require_accepted(*options.format, accepted);
  auto shape = options.format;
  std::int64_t rows = 0;
  while (options.limit == 0 || rows < options.limit) {
    const auto row = reader.next();
    if (!row) break;
    if (!shape) shape = sniff(*row, accepted);
    require_shape(*row, *shape);
    use(*row, *shape);
    ++rows;
  }
  if (rows == 0) {
    throw Error({.category = Category::bad_data,
                 .where = reader.name(),
                 .what = "there is no row in it",
                 .fix = "Such a file has one JSON object a line, for example " +
                        std::string(shape_example(accepted.front())) + "."});
  }
}

}  // namespace rlhf::data
