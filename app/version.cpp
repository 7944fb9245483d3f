#include "app/version.h"

#include <ATen/Version.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "rlhf/core/machine.h"

namespace rlhf::app {
namespace {

/// The first line of LibTorch's description of its BLAS.
std::string blas() {
  const auto text = at::get_mkl_version();
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::string allocator_name() {
  using Control = int (*)(const char*, void*, std::size_t*, void*, std::size_t);
  const auto control = reinterpret_cast<Control>(::dlsym(RTLD_DEFAULT, "mallctl"));
  const char* version = nullptr;
  std::size_t size = sizeof version;
  if (!control || control("version", &version, &size, nullptr, 0) != 0) return "libc";
  return fmt::format("jemalloc {}", std::string_view(version).substr(0, std::string_view(version).find('-')));
}

std::string version_text(bool json) {
  auto about = describe_machine();
  about["blas"] = blas();
  about["allocator"] = allocator_name();
  if (json) return about.dump() + "\n";
  return fmt::format("rlhf {}\n  engine     LibTorch {}\n  BLAS       {}\n  CPU        {}; kernels: {}; features: {}\n  threads    {} of {} cores\n"
                     "  allocator  {}\n  compiler   {}\n",
                     release(), about["torch"].get<std::string>(), blas(), about["processor"].get<std::string>(),
                     about["cpu_capability"].get<std::string>(), fmt::join(about["cpu_features"].get<std::vector<std::string>>(), " "),
                     about["threads"].get<int>(), about["cores"].get<int>(), allocator_name(), about["compiler"].get<std::string>());
}

}  // namespace rlhf::app
