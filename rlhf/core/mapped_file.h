#pragma once
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace rlhf {

/// The bytes of a file, mapped into memory and read on first touch. Copies share one mapping, which lives as long as
/// any of them.
///
/// The mapping is private: writing through it changes this process's copy of a page and never the file.
class MappedFile {
 public:
  /// Throws rlhf::Error when the file cannot be opened.
  static MappedFile open(const std::filesystem::path& path);

  /// The same interface over bytes that are in memory already (tests, fuzzing).
  static MappedFile from_bytes(std::string bytes, std::string name = "bytes");

  std::span<const std::byte> bytes() const { return bytes_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

  /// The path, for messages.
  const std::string& name() const { return name_; }

  /// Whatever keeps the bytes alive; hold a copy for as long as a pointer into them is used.
  const std::shared_ptr<const void>& owner() const { return owner_; }

 private:
  std::shared_ptr<const void> owner_;
  std::span<const std::byte> bytes_;
  std::string name_;
};

}  // namespace rlhf
