#include "rlhf/serving/stream.h"

#include <algorithm>

namespace rlhf::serving {
namespace {

void append_field(std::string& text, std::string_view field, std::string_view value) {
  text.append(field).append(": ");
  std::copy_if(value.begin(), value.end(), std::back_inserter(text),
               [](char c) { return c != '\r' && c != '\n' && c != '\0'; });
  text.push_back('\n');
}

}  // namespace

std::string event_text(std::string_view data, std::string_view name, std::string_view id) {
  std::string text;
  text.reserve(data.size() + 32);
  if (!name.empty()) append_field(text, "event", name);
  if (!id.empty()) append_field(text, "id", id);
  // A line ends with \n, \r or \r\n (WHATWG HTML, "Server-sent events"); every line needs its own "data:".
  for (std::size_t begin = 0; begin <= data.size();) {
    const auto end = std::min(data.find_first_of("\r\n", begin), data.size());
    text.append("data: ").append(data.substr(begin, end - begin)).push_back('\n');
    const bool pair = data.substr(end, 2) == "\r\n";
    begin = end + (pair ? 2 : 1);
  }
  text.push_back('\n');
  return text;
}

bool Stream::event(std::string_view data, std::string_view name, std::string_view id) {
  return write(event_text(data, name, id));
}

bool Stream::try_event(std::string_view data, std::string_view name, std::string_view id) {
  return try_write(event_text(data, name, id));
}

}  // namespace rlhf::serving
