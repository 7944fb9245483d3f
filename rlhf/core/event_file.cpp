#include "rlhf/core/event_file.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>

#include "rlhf/core/clock.h"

namespace rlhf {
namespace {

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78U : 0U);
    table[byte] = crc;
  }
  return table;
}

template <class Number>
void append_raw(std::string& out, Number number) {
  static_assert(std::endian::native == std::endian::little, "both formats are little-endian");
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof number);
}

// Protocol buffers' wire format: a key is (field number << 3) | wire type.
enum Wire { varint = 0, eight_bytes = 1, length_delimited = 2, four_bytes = 5 };

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void append_key(std::string& out, int field, Wire wire) {
  append_varint(out, static_cast<std::uint64_t>(field) << 3 | wire);
}

void append_text(std::string& out, int field, std::string_view text) {
  append_key(out, field, length_delimited);
  append_varint(out, text.size());
  out += text;
}

// message Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; }
std::string event_head(double wall, std::int64_t step) {
  std::string out;
  append_key(out, 1, eight_bytes);
  append_raw(out, wall);
  if (step != 0) {  // proto3 leaves zeros out
    append_key(out, 2, varint);
    append_varint(out, static_cast<std::uint64_t>(step));
  }
  return out;
}

// Masked, so that a CRC stored inside data that is itself checked does no harm.
std::uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8U; }

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr auto table = crc_table();
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}

std::string tfrecord(std::string_view bytes) {
  std::string out;
  append_raw(out, static_cast<std::uint64_t>(bytes.size()));
  append_raw(out, masked_crc(out));
  out += bytes;
  append_raw(out, masked_crc(bytes));
  return out;
}

std::string first_event(double wall) {
  auto out = event_head(wall, 0);
  append_text(out, 3, "brain.Event:2");
  return out;
}

std::string scalar_event(double wall, std::int64_t step, std::span<const std::pair<std::string, double>> scalars) {
  std::string summary;
  for (const auto& [tag, number] : scalars) {  // message Summary.Value { string tag = 1; float simple_value = 2; }
    std::string value;
    append_text(value, 1, tag);
    append_key(value, 2, four_bytes);
    append_raw(value, static_cast<float>(number));
    append_text(summary, 1, value);
  }
  auto out = event_head(wall, step);
  append_text(out, 5, summary);
  return out;
}

std::string event_file_name(double wall, std::string_view host) {
  return fmt::format("events.out.tfevents.{}.{}", static_cast<std::int64_t>(wall), host);
}

EventFile::EventFile(const std::filesystem::path& file, std::uint64_t keep) : file_(file, keep) {
  if (file_.size() == 0) file_.append(tfrecord(first_event(wall_seconds())));
}

void EventFile::write(std::int64_t step, std::span<const std::pair<std::string, double>> scalars) {
  file_.append(tfrecord(scalar_event(wall_seconds(), step, scalars)));
}

}  // namespace rlhf
