#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace rlhf::data {

/// Lines of a file, plain or gzip, without their ends. Memory is bounded by the longest line.
class LineSource {
 public:
  /// "-" is standard input. Throws when the file cannot be opened.
  static LineSource open(const std::filesystem::path& path);
  static LineSource from_text(std::string bytes, std::string name);

  /// Reads the next line into `line`; false at the end. Throws when it is longer than `limit`, or the stream is broken.
  bool next(std::string& line, std::size_t limit);

  /// All that is left.
  std::string rest(std::size_t limit);

  std::int64_t line() const { return line_; }  // number of the line last read, from 1
  const std::string& name() const { return name_; }

 private:
  /// Fills the buffer and returns the number of bytes; 0 at the end; throws on a broken stream.
  using Fill = std::function<std::size_t(char* buffer, std::size_t size)>;
  LineSource(std::string name, Fill fill);
  bool refill();
  void skip_byte_order_mark();

  std::string name_;
  Fill fill_;
  std::string buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::int64_t line_ = 0;
  bool started_ = false;
};

}  // namespace rlhf::data
