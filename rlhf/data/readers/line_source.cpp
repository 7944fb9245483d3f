#include "rlhf/data/readers/line_source.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "rlhf/core/error.h"

namespace rlhf::data {
namespace {

struct GzClose {
  void operator()(gzFile_s* file) const { gzclose_r(file); }
};
using GzFile = std::unique_ptr<gzFile_s, GzClose>;

[[noreturn]] void cannot_open(const std::string& name) {
  const int code = errno;
  const bool missing = code == ENOENT || code == ENOTDIR;
  throw Error(
      {.category = missing ? Category::bad_data : Category::resource,
       .where = name,
       .what = missing ? "there is no such file" : std::string("the file cannot be opened: ") + std::strerror(code),
       .fix = missing ? "Check the path." : ""});
}

/// zlib reads plain files as they are, and gzip files of any number of members.
GzFile open_file(const std::filesystem::path& path) {
  const bool standard_input = path == "-";
  if (!standard_input && std::filesystem::is_directory(path)) {
    throw Error({.category = Category::bad_data,
                 .where = path.string(),
                 .what = "this is a folder; a JSONL file was expected",
                 .fix = ""});
  }
  const int descriptor = standard_input ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) cannot_open(path.string());
  GzFile file(gzdopen(descriptor, "rb"));
  if (!file) {
    ::close(descriptor);
    throw Error(
        {.category = Category::resource, .where = path.string(), .what = "no memory for reading the file", .fix = ""});
  }
  gzbuffer(file.get(), 1 << 17);
  return file;
}

std::size_t read_some(gzFile_s* file, const std::string& name, char* buffer, std::size_t size) {
  const int count = gzread(file, buffer, static_cast<unsigned>(size));
  if (count > 0) return static_cast<std::size_t>(count);
  int code = Z_OK;
  const std::string reason = gzerror(file, &code);
  if (code == Z_OK || code == Z_STREAM_END) return 0;
  const auto at = " after " + std::to_string(gztell(file)) + " bytes of text";
  if (code == Z_ERRNO)
    throw Error({.category = Category::resource,
                 .where = name,
                 .what = "reading failed" + at + ": " + std::strerror(errno),
                 .fix = ""});
  throw Error({.category = Category::bad_data,
               .where = name,
               .what = code == Z_BUF_ERROR ? "the gzip stream is cut short: it ends" + at
                                           : "the gzip stream is damaged" + at + " (" + reason + ")",
               .fix = "Copy or download the file again; `gzip -t` checks it."});
}

}  // namespace

LineSource::LineSource(std::string name, Fill fill)
    : name_(std::move(name)), fill_(std::move(fill)), buffer_(1 << 17, '\0') {}

LineSource LineSource::open(const std::filesystem::path& path) {
  std::shared_ptr<gzFile_s> file = open_file(path);
  const std::string name = path == "-" ? "standard input" : path.string();
  return LineSource(name,
                    [file, name](char* buffer, std::size_t size) { return read_some(file.get(), name, buffer, size); });
}

LineSource LineSource::from_text(std::string bytes, std::string name) {
  const auto text = std::make_shared<std::string>(std::move(bytes));
  return LineSource(std::move(name), [text, at = std::size_t{0}](char* buffer, std::size_t size) mutable {
    const auto count = std::min(size, text->size() - at);
    std::memcpy(buffer, text->data() + at, count);
    at += count;
    return count;
  });
}

bool LineSource::refill() {
  begin_ = 0;
  end_ = fill_(buffer_.data(), buffer_.size());
  if (!started_) skip_byte_order_mark();
  started_ = true;
  return end_ > begin_;
}

void LineSource::skip_byte_order_mark() {
  const std::string_view head(buffer_.data(), std::min<std::size_t>(end_, 3));
  if (head == "\xEF\xBB\xBF") begin_ = 3;
  if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) {
    throw Error({.category = Category::bad_data,
                 .where = name_ + ":1",
                 .what = "the file is UTF-16; UTF-8 was expected",
                 .fix = "Convert it: iconv -f UTF-16 -t UTF-8 FILE."});
  }
}

bool LineSource::next(std::string& line, std::size_t limit) {
  line.clear();
  bool any = false;
  while (begin_ < end_ || refill()) {
    if (!any) ++line_;
    any = true;
    const auto* const first = buffer_.data() + begin_;
    const auto* const stop = static_cast<const char*>(std::memchr(first, '\n', end_ - begin_));
    const auto count = stop ? static_cast<std::size_t>(stop - first) : end_ - begin_;
    if (line.size() + count > limit) {
      throw Error({.category = Category::bad_data,
                   .where = name_ + ":" + std::to_string(line_),
                   .what = "the line is longer than " + std::to_string(limit) + " bytes",
                   .fix = "Each row belongs on a line of its own; a JSON array needs a name that ends in .json."});
    }
    line.append(first, count);
    begin_ += count + (stop ? 1 : 0);
    if (stop) break;
  }
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return any;
}

std::string LineSource::rest(std::size_t limit) {
  std::string text;
  while (begin_ < end_ || refill()) {
    if (text.size() + (end_ - begin_) > limit) {
      throw Error(
          {.category = Category::bad_data,
           .where = name_,
           .what = "the document is larger than " + std::to_string(limit) + " bytes and would have to fit in memory",
           .fix = "Convert it to JSONL (one row a line), which is read row by row."});
    }
    text.append(buffer_.data() + begin_, end_ - begin_);
    begin_ = end_;
  }
  return text;
}

}  // namespace rlhf::data
