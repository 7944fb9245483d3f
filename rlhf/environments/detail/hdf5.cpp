#include "rlhf/environments/detail/hdf5.h"

#include <fmt/format.h>

#include <memory>

#include "rlhf/core/error.h"

namespace rlhf::environments::detail {
namespace {

/// The library prints its own stack of errors otherwise; ours says what a user can do.
void be_quiet() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

template <class T>
hid_t native() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
}

Handle flag_type() {
  Handle type(H5Tenum_create(H5T_NATIVE_INT8), H5Tclose);
  for (const std::int8_t value : {std::int8_t{0}, std::int8_t{1}})
    H5Tenum_insert(type, value ? "TRUE" : "FALSE", &value);
  return type;
}

}  // namespace

void Hdf5File::fail(const std::string& path, const std::string& what) const {
  throw Error({.category = Category::bad_data,
               .where = fmt::format("{}: {}", name_, path),
               .what = what,
               .fix = "Write the file again with the program that made it."});
}

Hdf5File Hdf5File::create(const std::filesystem::path& file) {
  be_quiet();
  Hdf5File made(Handle(H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose), file.string());
  if (!made.file_.is_open()) made.fail("/", "cannot be written");
  return made;
}

Hdf5File Hdf5File::open(const std::filesystem::path& file) {
  be_quiet();
  Hdf5File opened(Handle(H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose), file.string());
  if (!opened.file_.is_open()) opened.fail("/", "is no HDF5 file");
  return opened;
}

bool Hdf5File::has(const std::string& path) const { return H5Lexists(file_, path.c_str(), H5P_DEFAULT) > 0; }

Handle Hdf5File::dataset(const std::string& path) const {
  Handle found(H5Dopen2(file_, path.c_str(), H5P_DEFAULT), H5Dclose);
  if (!found.is_open()) fail(path, "there is no such array");
  return found;
}

std::vector<std::int64_t> Hdf5File::shape(const std::string& path) const {
  const auto of = dataset(path);
  const Handle space(H5Dget_space(of), H5Sclose);
  std::vector<hsize_t> sides(static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(space))));
  H5Sget_simple_extent_dims(space, sides.data(), nullptr);
  return {sides.begin(), sides.end()};
}

template <class T>
std::vector<T> Hdf5File::read(const std::string& path) const {
  const auto of = dataset(path);
  std::size_t count = 1;
  for (const auto side : shape(path)) count *= static_cast<std::size_t>(side);
  std::vector<T> numbers(count);
  if (count > 0 && H5Dread(of, native<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers.data()) < 0)
    fail(path, "holds no numbers");
  return numbers;
}
template std::vector<std::uint8_t> Hdf5File::read(const std::string&) const;
template std::vector<std::int64_t> Hdf5File::read(const std::string&) const;
template std::vector<float> Hdf5File::read(const std::string&) const;
template std::vector<double> Hdf5File::read(const std::string&) const;

std::vector<bool> Hdf5File::read_flags(const std::string& path) const {
  const auto of = dataset(path);
  const Handle type(H5Dget_type(of), H5Tclose);
  if (H5Tget_class(type) != H5T_ENUM) {
    const auto numbers = read<std::uint8_t>(path);
    return {numbers.begin(), numbers.end()};
  }
  const auto own = flag_type();
  std::vector<std::int8_t> flags(static_cast<std::size_t>(shape(path).at(0)));
  if (!flags.empty() && H5Dread(of, own, H5S_ALL, H5S_ALL, H5P_DEFAULT, flags.data()) < 0) fail(path, "holds no flags");
  return {flags.begin(), flags.end()};
}

std::int64_t Hdf5File::attribute(const std::string& group, const char* name, std::int64_t missing) const {
  const Handle of(H5Gopen2(file_, group.c_str(), H5P_DEFAULT), H5Gclose);
  if (!of.is_open()) fail(group, "there is no such group");
  if (H5Aexists(of, name) <= 0) return missing;
  const Handle attribute(H5Aopen(of, name, H5P_DEFAULT), H5Aclose);
  std::int64_t value = missing;
  if (H5Aread(attribute, H5T_NATIVE_INT64, &value) < 0) return missing;
  return value;
}

void Hdf5File::make_group(const std::string& path) {
  const Handle made(H5Gcreate2(file_, path.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
  if (!made.is_open()) fail(path, "the group cannot be made");
}

void Hdf5File::write_as(const std::string& path, const std::vector<std::int64_t>& shape, hid_t type,
                        const void* bytes) {
  const std::vector<hsize_t> sides(shape.begin(), shape.end());
  const Handle space(H5Screate_simple(static_cast<int>(sides.size()), sides.data(), nullptr), H5Sclose);
  const Handle made(H5Dcreate2(file_, path.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose);
  if (!made.is_open() || H5Dwrite(made, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) < 0)
    fail(path, "the array cannot be written; is the disk full?");
}

template <class T>
void Hdf5File::write(const std::string& path, const std::vector<std::int64_t>& shape, const std::vector<T>& numbers) {
  write_as(path, shape, native<T>(), numbers.data());
}
template void Hdf5File::write(const std::string&, const std::vector<std::int64_t>&, const std::vector<std::uint8_t>&);
template void Hdf5File::write(const std::string&, const std::vector<std::int64_t>&, const std::vector<std::int64_t>&);
template void Hdf5File::write(const std::string&, const std::vector<std::int64_t>&, const std::vector<float>&);
template void Hdf5File::write(const std::string&, const std::vector<std::int64_t>&, const std::vector<double>&);

void Hdf5File::write_flags(const std::string& path, const std::vector<bool>& flags) {
  const std::vector<std::int8_t> bytes(flags.begin(), flags.end());
  write_as(path, {std::ssize(bytes)}, flag_type(), bytes.data());
}

void Hdf5File::set_attribute(const std::string& group, const char* name, std::int64_t value) {
  const Handle of(H5Gopen2(file_, group.c_str(), H5P_DEFAULT), H5Gclose);
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const Handle made(H5Acreate2(of, name, H5T_NATIVE_INT64, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  if (!made.is_open() || H5Awrite(made, H5T_NATIVE_INT64, &value) < 0) fail(group, "an attribute cannot be written");
}

}  // namespace rlhf::environments::detail
