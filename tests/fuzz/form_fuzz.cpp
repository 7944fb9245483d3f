// Any bytes as an address, a form, cookies and the data of an event, with what has to hold for each.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "rlhf/serving/stream.h"
#include "rlhf/serving/url.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rlhf::serving;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  require(percent_decode(percent_encode(bytes)) == bytes);
  require(percent_decode(percent_encode(bytes), true) == bytes);
  for (const auto& [name, value] : decode_form(bytes)) {
    require(!name.empty());
    require(decode_form(percent_encode(name) + "=" + percent_encode(value)).at(name) == value);
  }
  for (const auto& [name, value] : decode_cookies(bytes)) require(!name.empty() && value.find(';') == value.npos);
  if (const auto pieces = split_path(bytes))
    for (const auto& piece : *pieces) require(piece != ".." && piece != "." && piece.find('\0') == piece.npos);
  const auto event = event_text(bytes, bytes, bytes);
  require(event.find("\n\n") == event.size() - 2);  // it ends where it ends, not before
  require(event.find('\r') == event.npos);
  return 0;
}
