#include "app/pages.h"

#ifdef RLHF_PAGES
#include <vector>

#include "rlhf/serving/assets.h"

/// The files of web/dist (made by cmake/assets.cmake).
const std::vector<rlhf::serving::Asset>& built_in_pages();
#endif

namespace rlhf::app {

void add_pages(serving::Router& router) {
#ifdef RLHF_PAGES
  serving::add_assets(router, built_in_pages());
#else
  router.fallback(
      [](const serving::Request&) {
        return serving::Response::text("This program was built without its pages: Node was not there. The API works.\n",
                                       404);
      },
      {.access = serving::Access::everyone});
#endif
}

}  // namespace rlhf::app
