#include "recipes/recursive_reward_modeling/ledger.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <array>
#include <utility>

#include "rlhf/core/error.h"

namespace rlhf::recipes {
namespace {

using environments::LedgerWorld;

constexpr std::int64_t none = LedgerWorld::no_column, most = 18;  // no column; the greatest sum of one
constexpr std::int64_t page_lines = environments::LedgerConfig{}.lines;
constexpr double glance = 0.3;             // what a line costs that looks odd at a glance, in lines
constexpr double checker_accuracy = 0.75;  // of the rough check that the system has for each line

/// The digit that belongs there, given the columns that are seen; with the carry or without.
std::int64_t digit_for(std::int64_t column, std::int64_t right, std::int64_t place, bool carry) {
  if (place == 0) return column % 10;
  if (place == 2) return right >= 10 ? 1 : 0;
  return (column + (carry && right >= 10 && right != none ? 1 : 0)) % 10;
}

/// Can a clerk see this? Beside the units is nothing, and the hundreds have no column of their own.
bool occurs(std::int64_t column, std::int64_t right, std::int64_t place) {
  return (place == 0) == (right == none) && (place < 2 || column == 0);
}

/// One line of a page, read off the columns that the clerk saw and the digits that were written.
struct Line {
  std::array<std::int64_t, LedgerWorld::places> column{}, right{}, digit{};

  std::int64_t sum() const { return column[1] * 10 + column[0]; }
  std::int64_t written() const { return digit[2] * 100 + digit[1] * 10 + digit[0]; }
  bool wrong() const { return written() != sum(); }
  bool carries() const { return column[0] >= 10; }
  bool odd_at_a_glance() const { return digit[0] != column[0] % 10 || digit[1] != column[1] % 10; }
};

class Ledger final : public Subject {
 public:
  Ledger(const ClerkConfig& clerk, std::uint64_t seed) : clerk_(clerk), seed_(seed) {}

  std::unique_ptr<environments::VectorEnvironment> environments(std::int64_t count) const override {
    return std::make_unique<environments::Batch<LedgerWorld>>(environments::LedgerConfig{},
                                                              environments::VectorOptions{.count = count});
  }
  /// For each character: how far it is from its column, whether the column to its right carries, and which one it is.
  std::int64_t width() const override { return 10 * 2 * LedgerWorld::places; }
  std::int64_t features() const override { return 4; }
  double fault_cost() const override { return 1.0; }
  const char* fault_word() const override { return "wrong"; }
  const char* clear_word() const override { return "right"; }

  Tensor inputs_of(const Tensor& observations, const Tensor& actions, std::int64_t) const override {
    const auto seen = observations.contiguous(), digits = actions.contiguous();
    auto inputs = at::zeros({digits.numel(), width()}, at::kFloat);
    for (std::int64_t step = 0; step < digits.numel(); ++step) {
      const auto* now = seen.const_data_ptr<std::int64_t>() + 3 * step;
      const auto off = ((digits.const_data_ptr<std::int64_t>()[step] - now[0]) % 10 + 10) % 10;
      const auto carry = now[1] >= 10 && now[1] != none ? 1 : 0;
      inputs.mutable_data_ptr<float>()[step * width() + (now[2] * 2 + carry) * 10 + off] = 1;
    }
    return inputs;
  }

  Output output_of(const Tensor& observations, const Tensor& actions) const override {
    const auto seen = observations.contiguous(), digits = actions.contiguous();
    std::vector<Line> lines(page_lines);
    for (std::int64_t step = 0; step < digits.numel(); ++step) {
      const auto* now = seen.const_data_ptr<std::int64_t>() + 3 * step;
      auto& line = lines[static_cast<std::size_t>(step / LedgerWorld::places)];
      const auto place = static_cast<std::size_t>(now[2]);
      line.column[place] = now[0];
      line.right[place] = now[1];
      line.digit[place] = digits.const_data_ptr<std::int64_t>()[step];
    }
    Random random(derive(seed_, {hash("rough check"), hash(text_of(lines))}));
    auto output = shown(lines, random);
    output.inputs = inputs_of(observations, actions, 0);
    return output;
  }

  void demonstrate(const models::ActorCritic& agent) const override {
    std::vector<std::int64_t> seen;
    std::vector<float> chances;
    for (std::int64_t place = 0; place < LedgerWorld::places; ++place)
      for (std::int64_t column = 0; column <= most; ++column)
        for (std::int64_t right = 0; right <= none; ++right) {
          if (!occurs(column, right, place)) continue;
          seen.insert(seen.end(), {column, right, place});
          const auto chance = chances_of(column, right, place);
          chances.insert(chances.end(), chance.begin(), chance.end());
        }
    const auto rows = std::ssize(seen) / 3;
    imitate(agent, agent.encode()(at::tensor(seen).view({rows, 3})), at::tensor(chances).view({rows, 10}),
            at::ones({rows}), 300);
  }

  /// Pages of clerks who err like the demonstrated ones; other sums, and nobody's weights.
  std::vector<Output> practice(std::int64_t count, std::uint64_t seed) const override {
    Random random(derive(seed, {hash("practice ledger")}));
    std::vector<Output> outputs;
    for (std::int64_t i = 0; i < count; ++i) {
      std::vector<Line> lines(page_lines);
      for (auto& line : lines) {
        const std::int64_t first = 10 + random.below(90), second = 10 + random.below(90);
        const std::int64_t units = first % 10 + second % 10, tens = first / 10 + second / 10;
        line.column = {units, tens, 0};
        line.right = {none, units, tens + (units >= 10 ? 1 : 0)};
        for (std::int64_t place = 0; place < LedgerWorld::places; ++place) {
          const auto at = static_cast<std::size_t>(place);
          const bool carry = random.uniform() >= clerk_.forgets_carry, slip = random.uniform() < clerk_.careless;
          line.digit[at] = slip ? random.below(10) : digit_for(line.column[at], line.right[at], place, carry);
        }
      }
      outputs.push_back(shown(lines, random));
    }
    return outputs;
  }

 private:
  /// What a clerk writes there: the chance of each digit.
  std::array<float, 10> chances_of(std::int64_t column, std::int64_t right, std::int64_t place) const {
    std::array<float, 10> chance;
    chance.fill(static_cast<float>(clerk_.careless / 10));
    for (const bool carry : {true, false}) {
      const double share = carry ? 1 - clerk_.forgets_carry : clerk_.forgets_carry;
      chance[static_cast<std::size_t>(digit_for(column, right, place, carry))] +=
          static_cast<float>((1 - clerk_.careless) * share);
    }
    return chance;
  }

  static std::string text_of(const std::vector<Line>& lines) {
    std::string text;
    for (const auto& line : lines)
      text += fmt::format("{} + {} = {}\n", line.column[1], line.column[0], line.written());
    return text;
  }

  static Output shown(const std::vector<Line>& lines, Random& random) {
    Output output;
    for (const auto& line : lines) {
      const auto begin = std::ssize(output.text);
      output.text += fmt::format("tens {:2}, units {:2}: {}", line.column[1], line.column[0], line.written());
      const bool rough = random.uniform() < checker_accuracy ? line.wrong() : !line.wrong();
      output.places.push_back({.name = fmt::format("line {}", output.places.size() + 1),
                               .features = {1.0f, rough ? 1.0f : 0.0f, line.carries() ? 1.0f : 0.0f,
                                            line.odd_at_a_glance() ? 1.0f : 0.0f},
                               .fault = line.wrong(),
                               .begin = begin,
                               .end = std::ssize(output.text)});
      output.text += "\n";
      output.visible -= line.odd_at_a_glance() ? glance : 0.0;
      output.truth += line.wrong() ? 0.0 : 1.0;
    }
    return output;
  }

  ClerkConfig clerk_;
  std::uint64_t seed_;
};

}  // namespace

void ClerkConfig::fields(Fields& f) {
  f.field("forgets_carry", forgets_carry, "share of the carries that are forgotten");
  f.field("careless", careless, "share of the characters that are any digit");
}

void ClerkConfig::validate() const {
  for (const auto& [field, share] : {std::pair{"forgets_carry", forgets_carry}, std::pair{"careless", careless}})
    if (!(share >= 0 && share <= 1))
      throw Error(
          {.category = Category::usage, .where = field, .what = "out of range", .fix = "Give a share from 0 to 1."});
}

std::unique_ptr<Subject> make_ledger(const ClerkConfig& clerk, std::uint64_t seed) {
  return std::make_unique<Ledger>(clerk, seed);
}

}  // namespace rlhf::recipes
