#include "recipes/recursive_reward_modeling/ledger.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <array>

namespace rlhf::recipes {
namespace {

using environments::LedgerWorld;

constexpr std::int64_t none = LedgerWorld::no_column;
constexpr std::int64_t page_lines = environments::LedgerConfig{}.lines;
constexpr double glance = 0.3;             // what a line costs that looks odd at a glance, in lines
constexpr double checker_accuracy = 0.75;  // of the rough check that the system has for each line
constexpr double forgets_carry = 0.5, careless = 0.02;  // how demonstrated clerks err: per carry, per character

/// The digit that belongs there, given the columns that are seen; with the carry or without.
std::int64_t digit_for(std::int64_t column, std::int64_t right, std::int64_t place, bool carry) {
  if (place == 0) return column % 10;
  if (place == 2) return right >= 10 ? 1 : 0;
  return (column + (carry && right >= 10 && right != none ? 1 : 0)) % 10;
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
  explicit Ledger(std::uint64_t seed) : seed_(seed) {}

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
    constexpr std::int64_t columns = 20;
    auto observations = at::empty({columns * columns * LedgerWorld::places, 3}, at::kLong);
    auto probabilities = at::full({observations.size(0), 10}, careless / 10, at::kFloat);
    std::int64_t row = 0;
    for (std::int64_t place = 0; place < LedgerWorld::places; ++place)
      for (std::int64_t column = 0; column < columns; ++column)
        for (std::int64_t right = 0; right < columns; ++right, ++row) {
          const std::int64_t now[] = {column, right, place};
          for (int i = 0; i < 3; ++i) observations[row][i] = now[i];
          probabilities[row][digit_for(column, right, place, true)] += (1 - careless) * (1 - forgets_carry);
          probabilities[row][digit_for(column, right, place, false)] += (1 - careless) * forgets_carry;
        }
    imitate(agent, agent.encode()(observations), probabilities, at::ones({row}), 300);
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
          const bool carry = random.uniform() >= forgets_carry, slip = random.uniform() < careless;
          line.digit[at] = slip ? random.below(10) : digit_for(line.column[at], line.right[at], place, carry);
        }
      }
      outputs.push_back(shown(lines, random));
    }
    return outputs;
  }

 private:
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

  std::uint64_t seed_;
};

}  // namespace

std::unique_ptr<Subject> make_ledger(std::uint64_t seed) { return std::make_unique<Ledger>(seed); }

}  // namespace rlhf::recipes
