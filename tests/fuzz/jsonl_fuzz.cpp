// Any bytes as JSONL (plain or gzip) or as one JSON document, read as every kind of dataset: rows or an Error, nothing
// else.
#include <cstdint>
#include <string>

#include "rlhf/core/error.h"
#include "rlhf/data/readers/rows.h"

namespace {

template <class Read>
void read_as(const char* name, const std::string& bytes, Read read) {
  try {
    auto reader = rlhf::data::JsonlReader::from_text(bytes, name, {.line_bytes = 1 << 20, .document_bytes = 1 << 20});
    read(reader);
  } catch (const rlhf::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rlhf::data;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  for (const auto* name : {"a.jsonl", "a.json"}) {
    read_as(name, bytes, [](JsonlReader& reader) {
      while (reader.next()) {
      }
    });
    read_as(name, bytes, [](JsonlReader& reader) { read_prompts(reader); });
    read_as(name, bytes, [](JsonlReader& reader) { read_demonstrations(reader); });
    read_as(name, bytes, [](JsonlReader& reader) { read_preferences(reader); });
    read_as(name, bytes, [](JsonlReader& reader) { read_ratings(reader); });
  }
  return 0;
}
