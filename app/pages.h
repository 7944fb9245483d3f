#pragma once
#include "rlhf/serving/router.h"

namespace rlhf::app {

/// The pages of web/, where this program was built with them.
void add_pages(serving::Router& router);

}  // namespace rlhf::app
