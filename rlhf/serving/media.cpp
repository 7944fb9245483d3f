#include "rlhf/serving/media.h"

#include <algorithm>

#include "rlhf/core/files.h"

namespace rlhf::serving {

bool is_media_name(std::string_view name) {
  const auto ending = name.substr(std::min<std::size_t>(name.size(), 64));
  return (ending == ".png" || ending == ".json") &&
         name.substr(0, 64).find_first_not_of("0123456789abcdef") == name.npos;
}

void add_media(Router& router, std::filesystem::path folder, RouteOptions options) {
  const auto send = [folder = std::move(folder)](const Request& request) {
    const auto& name = request.parameter("name");
    std::error_code error;
    if (!is_media_name(name) || !std::filesystem::is_regular_file(folder / name, error))
      return Response::error(404, "there is no such picture or clip", "", request.path);
    const auto etag = "\"" + name.substr(0, 64) + "\"";
    const bool known = request.headers.get("If-None-Match") == etag;
    const auto type = name.ends_with(".json") ? "application/json" : "image/png";
    auto response = known ? Response::empty(304) : Response::bytes(read_file(folder / name), type);
    response.headers.set("ETag", etag);
    response.headers.set("Cache-Control", "private, max-age=31536000, immutable");
    return response;
  };
  router.get("/media/{name}", send, options);
}

std::string store_media(const std::filesystem::path& folder, std::string_view png) {
  const auto name = sha256(png) + ".png";
  if (!std::filesystem::exists(folder / name)) {
    make_folder(folder);
    write_file_atomic(folder / name, png);
  }
  return name;
}

}  // namespace rlhf::serving
