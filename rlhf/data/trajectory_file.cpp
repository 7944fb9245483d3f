#include "rlhf/data/trajectory_file.h"

#include <nlohmann/json.hpp>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/data/readers/jsonl.h"

namespace rlhf::data {
namespace {

constexpr int format = 1;
constexpr const char* dtypes[] = {"uint8", "int64", "float32", "float64"};  // in the order of Array's alternatives

nlohmann::json as_json(const auto& of) {
  return std::visit([](const auto& value) { return nlohmann::json(value); }, of);
}

Array array_of(const nlohmann::json& numbers, std::string_view dtype) {
  if (dtype == dtypes[0]) return numbers.get<std::vector<std::uint8_t>>();
  if (dtype == dtypes[1]) return numbers.get<std::vector<std::int64_t>>();
  if (dtype == dtypes[2]) return numbers.get<std::vector<float>>();
  if (dtype == dtypes[3]) return numbers.get<std::vector<double>>();
  throw std::invalid_argument("\"dtype\" is none of uint8, int64, float32, float64");
}

Action action_of(const nlohmann::json& given) {
  if (given.is_array()) return given.get<std::vector<float>>();
  return given.get<std::int64_t>();
}

void check(const Trajectory& trajectory) {
  const auto steps = trajectory.actions.size();
  if (steps == 0) throw std::invalid_argument("it has no steps");
  if (trajectory.observations.size() != steps + 1)
    throw std::invalid_argument("\"observations\" holds " + std::to_string(trajectory.observations.size()) + ", not one more than the " +
                                std::to_string(steps) + " actions");
  if (trajectory.rewards.size() != steps) throw std::invalid_argument("there is not one reward for each action");
  const auto size = [](const auto& of) { return std::visit([](const auto& each) { return each.size(); }, of); };
  for (const auto& seen : trajectory.observations)
    if (size(seen) != size(trajectory.observations.front()))
      throw std::invalid_argument("the observations differ in size");
  for (const auto& action : trajectory.actions) {
    const auto *numbers = std::get_if<std::vector<float>>(&action),
               *first = std::get_if<std::vector<float>>(&trajectory.actions.front());
    if (!numbers != !first || (numbers && numbers->size() != first->size()))
      throw std::invalid_argument("the actions differ in kind or size");
  }
}

Trajectory trajectory_of(const nlohmann::json& row) {
  if (row.at("format").get<int>() > format)
    throw std::invalid_argument("it was written in a newer format than this program knows");
  Trajectory trajectory{.environment = row.at("environment"),
                        .spec = row.at("spec"),
                        .seed = row.at("seed"),
                        .policy_version = row.value("policy_version", std::int64_t{0}),
                        .rewards = row.at("rewards").get<std::vector<double>>(),
                        .terminated = row.at("terminated"),
                        .truncated = row.at("truncated")};
  const std::string dtype = row.at("dtype");
  for (const auto& numbers : row.at("observations")) trajectory.observations.push_back(array_of(numbers, dtype));
  for (const auto& action : row.at("actions")) trajectory.actions.push_back(action_of(action));
  check(trajectory);
  return trajectory;
}

}  // namespace

std::string to_line(const Trajectory& trajectory) {
  nlohmann::json row = {{"format", format},
                        {"environment", trajectory.environment},
                        {"spec", trajectory.spec},
                        {"seed", trajectory.seed},
                        {"policy_version", trajectory.policy_version},
                        {"dtype", dtypes[trajectory.observations.front().index()]},
                        {"observations", nlohmann::json::array()},
                        {"actions", nlohmann::json::array()},
                        {"rewards", trajectory.rewards},
                        {"terminated", trajectory.terminated},
                        {"truncated", trajectory.truncated}};
  for (const auto& seen : trajectory.observations) row["observations"].push_back(as_json(seen));
  for (const auto& action : trajectory.actions) row["actions"].push_back(as_json(action));
  return row.dump() + "\n";
}

void write_trajectories(const std::filesystem::path& file, std::span<const Trajectory> trajectories) {
  std::string text;
  for (const auto& each : trajectories) text += to_line(each);
  write_file_atomic(file, text);
}

std::vector<Trajectory> read_trajectories(const std::filesystem::path& file) {
  std::vector<Trajectory> all;
  auto reader = JsonlReader::open(file);
  while (const auto row = reader.next()) {
    try {
      all.push_back(trajectory_of(row->value));
    } catch (const std::exception& error) {  // of a wrong column's type as well
      throw Error({.category = Category::bad_data,
                   .where = row->where,
                   .what = std::string("is no episode: ") + error.what(),
                   .fix = "Write one with `rlhf env record`; docs/formats.md has the columns."});
    }
  }
  return all;
}

TrajectoryWriter::TrajectoryWriter(const std::filesystem::path& file) {
  const bool there = std::filesystem::exists(file);
  const auto text = there ? read_file(file) : "";
  if (text.starts_with("\x1f\x8b"))
    throw Error({.category = Category::usage,
                 .where = file.string(),
                 .what = "episodes cannot be added to a gzip file",
                 .fix = "Unpack it (gunzip), or name another file."});
  if (there) read_trajectories(file);
  file_.emplace(file);
  if (!text.empty() && text.back() != '\n') file_->append("\n");
  if (!there) sync_folder(std::filesystem::absolute(file).parent_path());
}

void TrajectoryWriter::add(const Trajectory& trajectory) {
  const auto size = file_->size();
  file_->append(to_line(trajectory));
  before_ = size;
  file_->sync();
}

void TrajectoryWriter::take_back() {
  if (!before_) return;
  const auto path = file_->path();
  if (std::filesystem::file_size(path) != file_->size())
    throw Error({.category = Category::check,
                 .where = path.string(),
                 .what = "another program has written to it since the last episode",
                 .fix = "Take the episode out by hand."});
  file_.emplace(path, *before_);
  before_.reset();
  file_->sync();
}

}  // namespace rlhf::data
