#include "rlhf/core/require.h"

#include "rlhf/core/error.h"

namespace rlhf {

void require_setting(bool holds, std::string_view field, std::string_view fix) {
  require_setting(holds, field, "out of range", fix);
}

void require_setting(bool holds, std::string_view field, std::string_view what, std::string_view fix) {
  if (holds) return;
  throw Error({.category = Category::usage,
               .where = std::string(field),
               .what = std::string(what),
               .fix = std::string(fix)});
}

}  // namespace rlhf
