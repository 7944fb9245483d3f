#include "rlhf/text/detail/border.h"

#include "rlhf/core/error.h"

namespace rlhf::text::detail {

void fail(std::string_view where, const Bytes& error, std::string fix) {
  throw Error(
      {.category = Category::bad_data, .where = std::string(where), .what = error.text(), .fix = std::move(fix)});
}

}  // namespace rlhf::text::detail
