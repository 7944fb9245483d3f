#pragma once
#include <string>

namespace rlhf::app {

/// What --version prints: release, engine, BLAS, CPU features, allocator. As text, or one JSON object.
std::string version_text(bool json);

/// "jemalloc 5.3.0-0-g..." where it serves this process, "libc" otherwise.
std::string allocator_name();

}  // namespace rlhf::app
