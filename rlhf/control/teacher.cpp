#include "rlhf/control/teacher.h"

#include <cmath>

#include "rlhf/core/error.h"
#include "rlhf/core/require.h"
#include "rlhf/core/seed.h"

namespace rlhf::control {
namespace {

class Teacher final : public feedback::Labeler {
 public:
  explicit Teacher(const TeacherConfig& config) : config_(config) { config.validate(); }

  feedback::Answer answer(const feedback::Question& question) override {
    if (question.items.size() != 2) return feedback::Feedback(feedback::Skip{"a teacher of clips compares two"});
    const double first = judged(question, 0), second = judged(question, 1);
    Random random(derive(config_.seed, {hash("teacher"), hash(question.id)}));
    const double chance = random.uniform(),
                 mistake = random.uniform();  // drawn in any case, so that settings stay apart
    if (std::max(first, second) < config_.skip_below)
      return feedback::Feedback(feedback::Skip{"nothing worth judging"});
    if (std::abs(first - second) <= config_.tie_within)
      return feedback::Feedback(feedback::Comparison{.best = 0, .tie = true});
    bool prefers_first = first > second;
    if (config_.rationality > 0) prefers_first = chance < 1 / (1 + std::exp(-config_.rationality * (first - second)));
    if (mistake < config_.error_rate) prefers_first = !prefers_first;
    return feedback::Feedback(feedback::Comparison{.best = prefers_first ? 0 : 1});
  }

 private:
  double judged(const feedback::Question& question, std::size_t item) const {
    const auto& segment = question.items[item].segment;
    if (segment.is_null())
      throw Error({.category = Category::bad_data,
                   .where = "question " + question.id,
                   .what = "it shows something that is no clip",
                   .fix = "A simulated teacher answers questions about clips only: give the others to people."});
    return judged_return(data::segment_from_json(segment, question.id), config_.discount);
  }

  TeacherConfig config_;
};

}  // namespace

void TeacherConfig::fields(Fields& f) {
  f.field("rationality", rationality, "picks by sigmoid(rationality * difference); 0 = always the better clip");
  f.field("discount", discount, "weight of a step against the one after it: below 1, the clip's end counts most");
  f.field("error_rate", error_rate, "share of answers turned round");
  f.field("skip_below", skip_below, "skips a pair when neither clip's sum reaches this");
  f.field("tie_within", tie_within, "a tie when the sums differ by at most this");
  f.field("seed", seed, "of its mistakes");
}

void TeacherConfig::validate() const {
  require_setting(rationality >= 0, "rationality", "Give 0 or more.");
  require_setting(discount > 0 && discount <= 1, "discount", "Give a number above 0, at most 1.");
  require_setting(error_rate >= 0 && error_rate <= 1, "error_rate", "Give a share from 0 to 1.");
  require_setting(tie_within >= 0, "tie_within", "Give 0 or more.");
}

double judged_return(const data::Segment& segment, double discount) {
  double sum = 0;
  for (const double reward : segment.rewards) sum = discount * sum + reward;
  return sum;
}

std::unique_ptr<feedback::Labeler> make_teacher(const TeacherConfig& config) {
  return std::make_unique<Teacher>(config);
}

}  // namespace rlhf::control
