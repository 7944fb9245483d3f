#include "rlhf/environments/minari.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/environments/detail/hdf5.h"

namespace rlhf::environments {
namespace {

using Json = nlohmann::json;
using Shape = std::vector<std::int64_t>;

constexpr const char* dtypes[] = {"uint8", "int64", "float32", "float64"};  // in the order of Dtype

[[noreturn]] void refuse(Category category, const std::string& where, const std::string& what, const std::string& fix) {
  throw Error({.category = category, .where = where, .what = what, .fix = fix});
}

std::int64_t count_of(const Shape& shape) {
  std::int64_t count = 1;
  for (const auto side : shape) count *= side;
  return count;
}

/// JSON has no word for infinity; Python writes one all the same.
Json bound(double value) { return std::isfinite(value) ? Json(value) : Json(value > 0 ? "Infinity" : "-Infinity"); }

Json nested(const Shape& shape, std::size_t depth, const std::vector<double>& numbers, std::size_t& next) {
  if (depth == shape.size()) return bound(numbers.size() == 1 ? numbers[0] : numbers[next++]);
  Json list = Json::array();
  for (std::int64_t i = 0; i < shape[depth]; ++i) list.push_back(nested(shape, depth + 1, numbers, next));
  return list;
}

void flatten(const Json& from, std::vector<double>& to) {
  if (from.is_array())
    for (const auto& each : from) flatten(each, to);
  else if (from.is_string())
    to.push_back(from == "-Infinity" ? -std::numeric_limits<double>::infinity()
                                     : std::numeric_limits<double>::infinity());
  else
    to.push_back(from.get<double>());
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

/// All rows of one array, whatever the alternatives of Array hold.
template <class T>
void write_rows(detail::Hdf5File& file, const std::string& path, Shape shape, const std::vector<Array>& rows) {
  std::vector<T> all;
  for (const auto& row : rows) {
    const auto* numbers = std::get_if<std::vector<T>>(&row);
    if (!numbers || std::ssize(*numbers) != count_of(shape))
      refuse(Category::usage, path, "an observation does not fit the space",
             "Write it with the spec it was recorded with.");
    all.insert(all.end(), numbers->begin(), numbers->end());
  }
  shape.insert(shape.begin(), std::ssize(rows));
  file.write(path, shape, all);
}

void write_observations(detail::Hdf5File& file, const std::string& path, const Space& space,
                        const std::vector<Array>& rows) {
  const auto* box = std::get_if<Box>(&space);
  if (!box) return write_rows<std::int64_t>(file, path, {}, rows);
  switch (box->dtype) {
    case Dtype::uint8: return write_rows<std::uint8_t>(file, path, box->shape, rows);
    case Dtype::int64: return write_rows<std::int64_t>(file, path, box->shape, rows);
    case Dtype::float32: return write_rows<float>(file, path, box->shape, rows);
    case Dtype::float64: return write_rows<double>(file, path, box->shape, rows);
  }
}

void write_actions(detail::Hdf5File& file, const std::string& path, const Space& space,
                   const std::vector<Action>& actions) {
  const auto as_row = [](const auto& each) -> Array {
    if constexpr (std::is_same_v<std::decay_t<decltype(each)>, std::int64_t>)
      return std::vector<std::int64_t>{each};
    else
      return each;
  };
  std::vector<Array> rows;
  for (const auto& action : actions)
    rows.push_back(std::visit(as_row, action));
  if (const auto* box = std::get_if<Box>(&space)) return write_rows<float>(file, path, box->shape, rows);
  write_rows<std::int64_t>(file, path, {}, rows);
}

void write_episode(detail::Hdf5File& file, std::int64_t index, const MinariDataset& dataset) {
  const auto& episode = dataset.episodes[static_cast<std::size_t>(index)];
  const auto steps = std::ssize(episode.actions);
  const auto group = fmt::format("/episode_{}", index);
  file.make_group(group);
  file.set_attribute(group, "id", index);
  file.set_attribute(group, "seed", static_cast<std::int64_t>(episode.seed));
  file.set_attribute(group, "total_steps", steps);
  write_observations(file, group + "/observations", dataset.observation, episode.observations);
  write_actions(file, group + "/actions", dataset.action, episode.actions);
  file.write(group + "/rewards", {steps}, episode.rewards);
  std::vector<bool> terminations(static_cast<std::size_t>(steps)), truncations(terminations);
  if (steps > 0) {
    terminations.back() = episode.terminated;
    truncations.back() = episode.truncated;
  }
  file.write_flags(group + "/terminations", terminations);
  file.write_flags(group + "/truncations", truncations);
  file.make_group(group + "/infos");
}

template <class T>
std::vector<Array> rows_of(const std::vector<T>& all, std::size_t width) {
  std::vector<Array> rows;
  for (std::size_t at = 0; at + width <= all.size(); at += width)
    rows.push_back(std::vector<T>(all.begin() + std::ptrdiff_t(at), all.begin() + std::ptrdiff_t(at + width)));
  return rows;
}

std::vector<Array> read_rows(const detail::Hdf5File& file, const std::string& path, const Space& space) {
  const auto* box = std::get_if<Box>(&space);
  const auto width = static_cast<std::size_t>(box ? count_of(box->shape) : 1);
  if (!box || box->dtype == Dtype::int64) return rows_of(file.read<std::int64_t>(path), width);
  if (box->dtype == Dtype::uint8) return rows_of(file.read<std::uint8_t>(path), width);
  if (box->dtype == Dtype::float32) return rows_of(file.read<float>(path), width);
  return rows_of(file.read<double>(path), width);
}

std::vector<Action> read_actions(const detail::Hdf5File& file, const std::string& path, const Space& space) {
  std::vector<Action> actions;
  if (const auto* box = std::get_if<Box>(&space)) {
    const auto width = static_cast<std::size_t>(count_of(box->shape));
    for (auto& row : rows_of(file.read<float>(path), width))
      actions.push_back(std::get<std::vector<float>>(std::move(row)));
  } else {
    for (const auto choice : file.read<std::int64_t>(path)) actions.push_back(choice);
  }
  return actions;
}

data::Trajectory read_episode(const detail::Hdf5File& file, std::int64_t index, const MinariDataset& dataset) {
  const auto group = fmt::format("/episode_{}", index);
  data::Trajectory episode{.environment = dataset.id,
                           .seed = static_cast<std::uint64_t>(file.attribute(group, "seed", 0)),
                           .observations = read_rows(file, group + "/observations", dataset.observation),
                           .actions = read_actions(file, group + "/actions", dataset.action),
                           .rewards = file.read<double>(group + "/rewards")};
  const auto terminations = file.read_flags(group + "/terminations"),
             truncations = file.read_flags(group + "/truncations");
  if (episode.observations.size() != episode.actions.size() + 1 || episode.rewards.size() != episode.actions.size())
    refuse(Category::bad_data, group,
           fmt::format("has {} observations, {} actions and {} rewards; one observation more than actions was expected",
                       episode.observations.size(), episode.actions.size(), episode.rewards.size()),
           "Leave the episode out.");
  episode.terminated = !terminations.empty() && terminations.back();
  episode.truncated = !truncations.empty() && truncations.back();
  return episode;
}

/// A choice for each number, named by it: Minari knows no names.
Discrete choices(std::int64_t n) {
  Discrete discrete;
  for (std::int64_t i = 0; i < n; ++i) discrete.choices.push_back(std::to_string(i));
  return discrete;
}

Dtype dtype_of(const std::string& name) {
  for (std::size_t i = 0; i < std::size(dtypes); ++i)
    if (name == dtypes[i]) return static_cast<Dtype>(i);
  return name.starts_with("float") ? Dtype::float64 : Dtype::int64;  // numbers of other widths fit these
}

}  // namespace

std::string space_to_minari(const Space& space) {
  if (const auto* discrete = std::get_if<Discrete>(&space))
    return Json{{"type", "Discrete"}, {"dtype", "int64"}, {"start", 0}, {"n", discrete->choices.size()}}.dump();
  const auto& box = std::get<Box>(space);
  std::size_t low = 0, high = 0;
  const Json json = {{"type", "Box"},
                     {"dtype", dtypes[static_cast<int>(box.dtype)]},
                     {"shape", box.shape},
                     {"low", nested(box.shape, 0, box.low, low)},
                     {"high", nested(box.shape, 0, box.high, high)}};
  return replaced(replaced(json.dump(), "\"Infinity\"", "Infinity"), "\"-Infinity\"", "-Infinity");
}

Space space_from_minari(const std::string& text, const std::string& where) {
  const auto quoted =
      replaced(replaced(replaced(text, "Infinity", "\"Infinity\""), "-\"Infinity\"", "\"-Infinity\""), "NaN", "0");
  const auto json = Json::parse(quoted, nullptr, false);
  const auto type = json.is_object() ? json.value("type", "") : "";
  if (type == "Discrete" && json.value("start", 0) == 0) return choices(json.at("n"));
  if (type != "Box")
    refuse(Category::bad_data, where, fmt::format("a space of type '{}' cannot be read", type.empty() ? text : type),
           "Box and Discrete (from 0) can be; flatten the others when recording.");
  Box box{.dtype = dtype_of(json.at("dtype")), .shape = json.at("shape").get<Shape>(), .low = {}, .high = {}};
  flatten(json.at("low"), box.low);
  flatten(json.at("high"), box.high);
  return box;
}

void write_minari(const std::filesystem::path& folder, const MinariDataset& dataset, const std::string& algorithm) {
  if (std::filesystem::exists(folder / "metadata.json"))
    refuse(Category::usage, folder.string(), "there is a data set already", "Name another folder, or remove this one.");
  make_folder(folder);
  std::int64_t steps = 0;
  {
    auto file = detail::Hdf5File::create(folder / "main_data.hdf5");
    for (std::int64_t i = 0; i < std::ssize(dataset.episodes); ++i) {
      write_episode(file, i, dataset);
      steps += std::ssize(dataset.episodes[static_cast<std::size_t>(i)].actions);
    }
  }
  const Json metadata = {
      {"total_episodes", dataset.episodes.size()},
      {"total_steps", steps},
      {"data_format", "hdf5"},
      {"jpeg_encoding", false},
      {"observation_space", space_to_minari(dataset.observation)},
      {"action_space", space_to_minari(dataset.action)},
      {"dataset_id", dataset.id},
      {"algorithm_name", algorithm},
      {"minari_version", "0.5.4"},
      {"dataset_size", static_cast<double>(std::filesystem::file_size(folder / "main_data.hdf5")) / 1e6}};
  write_file_atomic(folder / "metadata.json", metadata.dump(2) + "\n");
}

MinariDataset read_minari(const std::filesystem::path& folder) {
  const auto where = (folder / "metadata.json").string();
  if (!std::filesystem::exists(where))
    refuse(Category::bad_data, folder.string(), "there is no Minari data set (no metadata.json)",
           "Name the folder `data` of a data set: ~/.minari/datasets/ID/data.");
  const auto metadata = Json::parse(read_file(where), nullptr, false);
  if (!metadata.is_object()) refuse(Category::bad_data, where, "is no JSON object", "Download the data set again.");
  if (metadata.value("data_format", "hdf5") != "hdf5")
    refuse(Category::bad_data, where, "the data are not in HDF5", "Record or convert it with data_format=\"hdf5\".");
  for (const char* key : {"observation_space", "action_space"})
    if (!metadata.contains(key))
      refuse(Category::bad_data, where, fmt::format("'{}' is missing", key),
             "Minari 0.5 writes it; convert the data set with it.");
  MinariDataset dataset{.id = metadata.value("dataset_id", ""),
                        .observation = space_from_minari(metadata["observation_space"], where),
                        .action = space_from_minari(metadata["action_space"], where),
                        .episodes = {}};
  const auto* box = std::get_if<Box>(&dataset.observation);
  if (box && box->dtype == Dtype::uint8 && box->shape.size() == 3 && metadata.value("jpeg_encoding", true))
    refuse(Category::bad_data, where, "its pictures are kept as JPEG, which changes them",
           "Record them with jpeg_encoding=False.");
  const auto file = detail::Hdf5File::open(folder / "main_data.hdf5");
  for (std::int64_t i = 0; file.has(fmt::format("/episode_{}", i)); ++i)
    dataset.episodes.push_back(read_episode(file, i, dataset));
  if (const auto said = metadata.value("total_episodes", std::int64_t{0}); said != std::ssize(dataset.episodes))
    refuse(Category::bad_data, where,
           fmt::format("{} episodes are announced, {} are there", said, dataset.episodes.size()),
           "The file was cut short: get it again.");
  return dataset;
}

}  // namespace rlhf::environments
