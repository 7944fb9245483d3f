#include "rlhf/feedback/kinds.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "rlhf/core/error.h"

namespace rlhf::feedback {
namespace {

void require(bool holds, const std::string& question, const std::string& what) {
  if (!holds)
    throw Error({.category = Category::bad_data,
                 .where = "question " + (question.empty() ? "without id" : question),
                 .what = what,
                 .fix = ""});
}

bool is_permutation(std::vector<int> order, std::size_t size) {
  std::sort(order.begin(), order.end());
  std::vector<int> sorted(size);
  std::iota(sorted.begin(), sorted.end(), 0);
  return order == sorted;
}

void validate_comparison(const Comparison& said, const Question& question) {
  const auto items = static_cast<std::int64_t>(question.items.size());
  require(question.form != Form::rating, question.id, "a comparison was given, a rating was asked for");
  require(said.best >= 0 && said.best < items, question.id,
          "the best item is " + std::to_string(said.best) + "; there are items 0 to " + std::to_string(items - 1));
  require(!said.tie || (question.form == Form::pair && question.allow_tie), question.id,
          "a tie was given, but this question allows none");
  require(std::isfinite(said.strength) && said.strength > 0, question.id, "the strength must be a number above 0");
}

void validate_rating(const Rating& said, const Question& question) {
  require(question.form == Form::rating, question.id, "a rating was given, a comparison was asked for");
  require(said.value >= question.scale.low && said.value <= question.scale.high, question.id,
          "the rating " + std::to_string(said.value) + " is outside the scale from " +
              std::to_string(question.scale.low) + " to " + std::to_string(question.scale.high));
}

}  // namespace

void validate(const Question& question) {
  const auto items = question.items.size();
  require(!question.id.empty(), question.id, "a question needs an id");
  require(question.form != Form::pair || items == 2, question.id,
          "a pair needs two items; there are " + std::to_string(items));
  require(question.form != Form::best_of_n || items >= 2, question.id,
          "a best-of-N question needs two or more items; there are " + std::to_string(items));
  require(question.form != Form::rating || items == 1, question.id,
          "a rating needs one item; there are " + std::to_string(items));
  require(is_permutation(question.shown, items), question.id,
          "the order shown must name each of the " + std::to_string(items) + " items once");
  require(question.answers >= 1, question.id, "it must want at least one answer");
  require(question.form != Form::rating || question.scale.low < question.scale.high, question.id,
          "the scale's low end must lie below its high end");
}

void validate(const Feedback& feedback, const Question& question) {
  if (const auto* comparison = std::get_if<Comparison>(&feedback)) validate_comparison(*comparison, question);
  if (const auto* rating = std::get_if<Rating>(&feedback)) validate_rating(*rating, question);
  require(!std::holds_alternative<Undo>(feedback), question.id,
          "an undo takes back an answer; it is none (use Store::undo)");
}

}  // namespace rlhf::feedback
