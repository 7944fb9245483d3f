#pragma once
#include <span>
#include <string_view>

#include "rlhf/serving/router.h"

namespace rlhf::serving {

/// A file that is part of the program (cmake/assets.cmake makes the table).
struct Asset {
  std::string_view path;  // "assets/index-4f3a.js"
  std::string_view mime;  // "text/javascript; charset=utf-8"
  std::string_view etag;  // with its quotes
  std::string_view bytes;
  std::string_view gzip;  // the same, compressed; empty where that saves nothing
  std::string_view brotli;
};

/// Serves a single-page program: each file at its path, "/" and every address that looks like a page (no extension, not
/// below /api, /v1 or /media) as index.html. Files below assets/ have their content's hash in their name (Vite writes
/// them so) and are kept by browsers for good; others are asked for again, with an ETag. Open to everyone: the page has
/// to load before anybody can sign in, and holds no data.
///
/// `assets` has to outlive the server.
void add_assets(Router& router, std::span<const Asset> assets);

}  // namespace rlhf::serving
