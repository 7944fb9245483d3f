#include "rlhf/core/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <vector>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/core/safetensors.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int manifest_format = 1;
constexpr std::uint64_t slack = 1 << 20;  // bytes for small files and the file system's own records

std::string name_of(std::int64_t step) { return fmt::format("step-{:06}", step); }

std::optional<std::int64_t> step_of(const fs::path& checkpoint) {
  const auto name = checkpoint.filename().string();
  std::int64_t step = 0;
  if (!name.starts_with("step-")) return std::nullopt;
  const auto [end, status] = std::from_chars(name.data() + 5, name.data() + name.size(), step);
  if (status != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return step;
}

// Newest first.
std::vector<fs::path> checkpoints_in(const fs::path& folder) {
  std::vector<fs::path> found;
  if (!fs::is_directory(folder)) return found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory() && !entry.is_symlink() && step_of(entry.path())) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) { return *step_of(a) > *step_of(b); });
  return found;
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// What a crash left behind and, once there is a newer checkpoint, what was found damaged.
void remove_leftovers(const fs::path& folder, bool damaged_too) {
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    const bool crashed = name.starts_with(".step-") || name.starts_with(".latest");
    if (crashed || (damaged_too && name.starts_with("damaged-"))) leftovers.push_back(entry.path());
  }
  for (const auto& leftover : leftovers) fs::remove_all(leftover);
}

std::uint64_t bytes_of(const State& state) {
  return std::accumulate(state.tensors.begin(), state.tensors.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& named) { return sum + named.second.nbytes(); });
}

std::uint64_t bytes_of_newest(const fs::path& folder) {
  const auto existing = checkpoints_in(folder);
  if (existing.empty()) return 0;
  std::uint64_t sum = 0;
  for (const auto& file : files_below(existing.front())) sum += fs::file_size(file);
  return sum;
}

// CBOR and not JSON: it keeps infinities, NaN and any text as they are.
void write_state(const fs::path& folder, const State& state) {
  write_safetensors(folder / "tensors.safetensors", state.tensors);
  const auto bytes = json::to_cbor(state.values);
  write_file_atomic(folder / "values.cbor", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

State read_state(const fs::path& folder) {
  State state;
  const auto file = SafetensorsFile::open(folder / "tensors.safetensors");
  for (const auto& name : file.names())
    state.tensors[name] = file.tensor(name).clone();  // the file may be removed later
  state.values = json::from_cbor(read_file(folder / "values.cbor"));
  return state;
}

// The manifest guards the files; its own last key guards the manifest.
void write_manifest(const fs::path& folder, const CheckpointRecord& record) {
  json files = json::object();
  for (const auto& file : files_below(folder)) {
    files[fs::relative(file, folder).generic_string()] = {{"bytes", fs::file_size(file)},
                                                          {"sha256", sha256_file(file)}};
  }
  json manifest = {{"format", manifest_format},
                   {"step", record.step},
                   {"offsets", record.offsets},
                   {"machine", record.machine},
                   {"files", files}};
  manifest["sha256"] = sha256(manifest.dump());
  write_file_atomic(folder / "manifest.json", manifest.dump(2) + "\n");
}

std::optional<std::string> damage_of_file(const fs::path& file, const json& expected) {
  std::error_code error;
  const auto bytes = fs::file_size(file, error);
  if (error) return "is missing";
  if (bytes != expected.at("bytes").get<std::uint64_t>()) {
    return fmt::format("has {} bytes; the manifest says {}", bytes, expected.at("bytes").dump());
  }
  if (sha256_file(file) != expected.at("sha256").get<std::string>()) return "has other bytes than the manifest says";
  return std::nullopt;
}

std::optional<std::string> damage_of_manifest(json manifest) {
  if (!manifest.is_object() || !manifest.contains("sha256")) return "manifest.json is not whole";
  const auto expected = manifest["sha256"];
  manifest.erase("sha256");
  if (expected != json(sha256(manifest.dump()))) return "manifest.json is not whole";
  if (manifest.at("format") != manifest_format) {
    return fmt::format("manifest.json has format {}; this release reads {}", manifest.at("format").dump(),
                       manifest_format);
  }
  return std::nullopt;
}

void point_latest_at(const fs::path& checkpoint) {
  const auto folder = checkpoint.parent_path();
  const auto temporary = folder / ".latest";
  fs::remove(temporary);
  fs::create_directory_symlink(checkpoint.filename(), temporary);
  fs::rename(temporary, folder / "latest");  // replaces the old pointer in one step
  sync_folder(folder);
}

void put_in_place(const fs::path& temporary, const fs::path& checkpoint) {
  const auto old = checkpoint.parent_path() / fmt::format(".{}.old", checkpoint.filename().string());
  if (fs::exists(checkpoint)) fs::rename(checkpoint, old);  // a folder can't be renamed onto one that has files
  fs::rename(temporary, checkpoint);
  sync_folder(checkpoint.parent_path());
}

void keep_newest(const fs::path& folder, int keep) {
  const auto existing = checkpoints_in(folder);
  for (std::size_t i = static_cast<std::size_t>(std::max(keep, 1)); i < existing.size(); ++i)
    fs::remove_all(existing[i]);
  remove_leftovers(folder, true);
}

[[noreturn]] void throw_unwritable(const fs::path& checkpoint, const std::string& what, Category category,
                                   const std::string& fix) {
  throw Error({.category = category,
               .where = checkpoint.string(),
               .what = fmt::format("the checkpoint was not written: {} ({} free); earlier checkpoints are as they were",
                                   what, bytes_as_text(free_bytes(checkpoint))),
               .fix = fix});
}

}  // namespace

fs::path write_checkpoint(const fs::path& checkpoints, const CheckpointRecord& record, const WriteModel& write_model,
                          const State& state, int keep) {
  const auto checkpoint = checkpoints / name_of(record.step);
  const auto temporary = checkpoints / fmt::format(".{}.tmp", name_of(record.step));
  make_folder(checkpoints);
  remove_leftovers(checkpoints, false);
  require_free_bytes(checkpoints, std::max(bytes_of_newest(checkpoints), bytes_of(state)) + slack, "a checkpoint");
  try {
    make_folder(temporary);
    write_model(temporary);
    write_state(temporary / "state", state);
    write_manifest(temporary, record);
    sync_tree(temporary);
    put_in_place(temporary, checkpoint);
    point_latest_at(checkpoint);
  } catch (const Error& error) {
    fs::remove_all(temporary);
    throw_unwritable(checkpoint, error.where() + ": " + error.problem(), error.category(), error.fix());
  } catch (const fs::filesystem_error& error) {
    fs::remove_all(temporary);
    throw_unwritable(checkpoint, error.what(), Category::resource, "");
  } catch (...) {
    fs::remove_all(temporary);
    throw;
  }
  keep_newest(checkpoints, keep);
  return checkpoint;
}

std::optional<std::string> damage(const fs::path& checkpoint) {
  try {
    const auto manifest = json::parse(read_file(checkpoint / "manifest.json"), nullptr, false);
    if (const auto problem = damage_of_manifest(manifest)) return problem;
    for (const auto& [name, expected] : manifest.at("files").items()) {
      if (const auto problem = damage_of_file(checkpoint / name, expected)) return name + " " + *problem;
    }
    return std::nullopt;
  } catch (const Error& error) {
    return error.what();
  } catch (const json::exception& error) {
    return std::string("manifest.json: ") + error.what();
  }
}

std::pair<Restored, CheckpointRecord> read_checkpoint(const fs::path& checkpoint) {
  if (const auto problem = damage(checkpoint)) {
    throw Error({.category = Category::bad_data,
                 .where = checkpoint.string(),
                 .what = "the checkpoint is damaged: " + *problem,
                 .fix = "Use an earlier one."});
  }
  const auto manifest = json::parse(read_file(checkpoint / "manifest.json"));
  CheckpointRecord record{.step = manifest.at("step").get<std::int64_t>(),
                          .offsets = manifest.at("offsets").get<std::map<std::string, std::uint64_t>>(),
                          .machine = manifest.at("machine")};
  return {Restored{.step = record.step, .model_folder = checkpoint, .state = read_state(checkpoint / "state")}, record};
}

std::optional<std::pair<Restored, CheckpointRecord>> newest_checkpoint(
    const fs::path& checkpoints, const std::function<void(std::string_view)>& warn) {
  const auto existing = checkpoints_in(checkpoints);
  std::vector<fs::path> damaged;
  for (const auto& checkpoint : existing) {
    const auto problem = damage(checkpoint);
    if (!problem) {
      for (const auto& bad : damaged) fs::rename(bad, checkpoints / ("damaged-" + bad.filename().string()));
      point_latest_at(checkpoint);  // a crash may have come between the checkpoint and its pointer
      return read_checkpoint(checkpoint);
    }
    warn(fmt::format("{} is damaged and will not be used: {}", checkpoint.string(), *problem));
    damaged.push_back(checkpoint);
  }
  if (existing.empty()) return std::nullopt;
  throw Error({.category = Category::bad_data,
               .where = checkpoints.string(),
               .what = fmt::format("all {} checkpoints are damaged", existing.size()),
               .fix = "Start again with --overwrite, or restore one of them from a backup."});
}

}  // namespace rlhf
