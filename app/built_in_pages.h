#pragma once
#include <span>

#include "rlhf/serving/assets.h"

namespace rlhf::app {

/// The files of web/dist (made by cmake/assets.cmake).
std::span<const serving::Asset> built_in_pages();

}  // namespace rlhf::app
