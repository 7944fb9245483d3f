#include "rlhf/serving/assets.h"

#include <algorithm>

namespace rlhf::serving {
namespace {

const Asset* find(std::span<const Asset> assets, std::string_view path) {
  const auto found = std::find_if(assets.begin(), assets.end(), [&](const Asset& asset) { return asset.path == path; });
  return found == assets.end() ? nullptr : &*found;
}

bool is_page(std::string_view path) {
  for (const std::string_view below : {"api", "v1", "media", "assets"})
    if (path == below || (path.starts_with(below) && path.substr(below.size()).starts_with('/'))) return false;
  return path.find('.', path.rfind('/') == path.npos ? 0 : path.rfind('/')) == path.npos;
}

/// Does a list such as "gzip, br;q=0.5" have this item, with a weight above zero?
bool lists(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    auto item = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    item.remove_prefix(std::min(item.find_first_not_of(" \t"), item.size()));
    const auto name = item.substr(0, item.find_first_of("; \t"));
    const auto weight = item.find("q=");
    const bool refused = weight != item.npos && item.find_first_not_of("0.", weight + 2) == item.npos;
    if (name == wanted) return !refused;
  }
  return false;
}

Response send(const Asset& asset, const Request& request) {
  const auto accepted = request.headers.get("Accept-Encoding");
  const bool brotli = !asset.brotli.empty() && lists(accepted, "br");
  const bool gzip = !brotli && !asset.gzip.empty() && lists(accepted, "gzip");

  Response response;
  response.headers.set("ETag", asset.etag);
  response.headers.set("Vary", "Accept-Encoding");
  const bool hashed = asset.path.starts_with("assets/");
  response.headers.set("Cache-Control", hashed ? "public, max-age=31536000, immutable" : "no-cache");
  if (lists(request.headers.get("If-None-Match"), asset.etag)) {
    response.status = 304;
    return response;
  }
  response.headers.set("Content-Type", asset.mime);
  if (brotli || gzip) response.headers.set("Content-Encoding", brotli ? "br" : "gzip");
  response.fixed = brotli ? asset.brotli : gzip ? asset.gzip : asset.bytes;
  return response;
}

}  // namespace

void add_assets(Router& router, std::span<const Asset> assets) {
  const auto serve = [assets](const Request& request) {
    const auto path = std::string_view(request.path).substr(1);  // paths of assets need no decoding
    if (const auto* asset = find(assets, path)) return send(*asset, request);
    const auto* index = find(assets, "index.html");
    if (index && is_page(path)) return send(*index, request);
    return Response::error(404, "there is nothing at this address", "", request.path);
  };
  router.fallback(serve, {.access = Access::everyone, .cost = 0.2});
}

}  // namespace rlhf::serving
