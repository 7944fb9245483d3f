#pragma once
#include <hdf5.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace rlhf::environments::detail {

/// A handle of the HDF5 library, closed with its scope.
class Handle {
 public:
  Handle() = default;
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const { return id_; }
  bool is_open() const { return id_ >= 0; }

 private:
  hid_t id_ = -1;
  herr_t (*close_)(hid_t) = nullptr;
};

/// An HDF5 file of arrays in groups. Every failure is rlhf::Error (bad_data) with file and path within it.
class Hdf5File {
 public:
  static Hdf5File create(const std::filesystem::path& file);
  static Hdf5File open(const std::filesystem::path& file);

  bool has(const std::string& path) const;
  std::vector<std::int64_t> shape(const std::string& path) const;

  /// [numbers], converted to T: std::uint8_t, std::int64_t, float or double.
  template <class T>
  std::vector<T> read(const std::string& path) const;
  /// Python's booleans, which h5py stores as an enumeration.
  std::vector<bool> read_flags(const std::string& path) const;
  std::int64_t attribute(const std::string& group, const char* name, std::int64_t missing) const;

  void make_group(const std::string& path);
  template <class T>
  void write(const std::string& path, const std::vector<std::int64_t>& shape, const std::vector<T>& numbers);
  void write_flags(const std::string& path, const std::vector<bool>& flags);
  void set_attribute(const std::string& group, const char* name, std::int64_t value);

 private:
  Hdf5File(Handle file, std::string name) : file_(std::move(file)), name_(std::move(name)) {}
  [[noreturn]] void fail(const std::string& path, const std::string& what) const;
  Handle dataset(const std::string& path) const;
  void write_as(const std::string& path, const std::vector<std::int64_t>& shape, hid_t type, const void* bytes);

  Handle file_;
  std::string name_;
};

}  // namespace rlhf::environments::detail
