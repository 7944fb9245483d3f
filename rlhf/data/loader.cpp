#include "rlhf/data/loader.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "rlhf/core/error.h"
#include "rlhf/core/seed.h"

namespace rlhf::data {
namespace {

void require(bool holds, std::string where, std::string what, std::string fix) {
  if (!holds)
    throw Error(
        {.category = Category::usage, .where = std::move(where), .what = std::move(what), .fix = std::move(fix)});
}

}  // namespace

void LoaderConfig::fields(Fields& f) {
  f.field("batch", batch, "rows per optimiser step");
  f.field("micro_tokens", micro_tokens, "tokens per forward pass; 0 = all rows of a step at once");
  f.field("shuffle", shuffle, "a new order each epoch; false = the file's order");
  f.field("seed", seed, "of the order");
}

void LoaderConfig::validate() const {
  require(batch > 0, "batch", "it is " + std::to_string(batch), "It must be at least 1.");
  require(micro_tokens >= 0, "micro_tokens", "it is " + std::to_string(micro_tokens),
          "It must be at least 1, or 0 for no limit.");
}

Loader::Loader(std::vector<std::int64_t> lengths, LoaderConfig config) : lengths_(std::move(lengths)), config_(config) {
  config_.validate();
  if (lengths_.empty())
    throw Error({.category = Category::bad_data, .where = "loader", .what = "there is no row to load", .fix = ""});
  if (config_.micro_tokens > 0) pack_rows(lengths_, config_.micro_tokens);  // says now which row is too long
  start_epoch(0);
}

std::int64_t Loader::steps_per_epoch() const { return (rows() + config_.batch - 1) / config_.batch; }

void Loader::start_epoch(std::int64_t epoch) {
  epoch_ = epoch;
  position_ = 0;
  order_.resize(lengths_.size());
  std::iota(order_.begin(), order_.end(), 0);
  if (config_.shuffle)
    Random(derive(config_.seed, {hash("data/loader"), static_cast<std::uint64_t>(epoch)})).shuffle(order_);
}

Step Loader::next() {
  if (position_ >= rows()) start_epoch(epoch_ + 1);
  const auto end = std::min(position_ + config_.batch, rows());
  Step step{.epoch = epoch_, .rows = {order_.begin() + position_, order_.begin() + end}, .micro_batches = {}};
  position_ = end;

  std::vector<std::int64_t> lengths;
  for (const auto row : step.rows) lengths.push_back(lengths_[static_cast<std::size_t>(row)]);
  const auto budget = config_.micro_tokens > 0 ? config_.micro_tokens : std::numeric_limits<std::int64_t>::max();
  step.micro_batches = pack_rows(lengths, budget);
  for (auto& bin : step.micro_batches) {
    for (auto& place : bin) place = step.rows[static_cast<std::size_t>(place)];
  }
  return step;
}

std::uint64_t Loader::fingerprint() const {
  std::string bytes(reinterpret_cast<const char*>(lengths_.data()), lengths_.size() * sizeof(std::int64_t));
  bytes += std::to_string(config_.batch) + "/" + std::to_string(config_.micro_tokens) + "/" +
           std::to_string(config_.shuffle) + "/" + std::to_string(config_.seed);
  return hash(bytes);
}

nlohmann::json Loader::cursor() const {
  return {{"epoch", epoch_}, {"position", position_}, {"fingerprint", fingerprint()}};
}

void Loader::restore(const nlohmann::json& cursor) {
  const auto number = [&](const char* name) {
    const auto found = cursor.find(name);
    if (found != cursor.end() && found->is_number_integer()) return found->get<std::int64_t>();
    throw Error({.category = Category::bad_data,
                 .where = "data cursor",
                 .what = std::string("\"") + name + "\" is missing; this is no cursor of a loader",
                 .fix = ""});
  };
  if (!cursor.is_object() || cursor.value("fingerprint", std::uint64_t{0}) != fingerprint()) {
    throw Error(
        {.category = Category::check,
         .where = "data cursor",
         .what = "the checkpoint was made with other data, or with another batch, micro_tokens, shuffle or seed",
         .fix = "Resume with the data and settings of the run, or start a new one."});
  }
  const auto epoch = number("epoch"), position = number("position");
  if (epoch < 0 || position < 0 || position > rows())
    throw Error(
        {.category = Category::bad_data, .where = "data cursor", .what = "it points outside the data", .fix = ""});
  start_epoch(epoch);
  position_ = position;
}

}  // namespace rlhf::data
