#pragma once
#include "rlhf/core/fields.h"
#include "rlhf/environments/text.h"

namespace rlhf::environments {

struct WaiterConfig {
  double forthcoming = 0.3;
  double question_cost = 0.1, mistake_cost = 0.0;
  std::int64_t patience = 5, context = 40;

  void fields(Fields& f) {
    f.field("forthcoming", forthcoming, "chance that the guest names a wish without being asked, 0 to 1");
    f.field("question_cost", question_cost, "points that a question costs");
    f.field("mistake_cost", mistake_cost, "points that an item costs which the guest does not want");
    f.field("patience", patience, "turns of the waiter before the guest leaves, the order included");
    f.field("context", context, "most tokens that are seen: the newest");
  }
  void validate() const;
};

/// A waiter finds out what a guest would like, and orders that: a dialogue with a model of a user.
///
///   guest    opens with the wishes that he names by himself, or "hello", then "."; asked for one, he says it
///   waiter   up to four words, or fewer and "."; "size", "dish" or "drink" among them is a question (the first one
///            counts); anything else is the order: the guest leaves, and so he does when his patience is over
///   score    1 for each of the three wishes that the order has; less mistake_cost where it has another value or two,
///            or one that the guest never said, and less question_cost for each question
///
/// What the guest wishes is drawn, each value as likely, when he first says it. Nobody can earn more than
/// 3 - question_cost for each wish that he did not open with: in the mean 2.79 at these settings.
TextTask waiter(const WaiterConfig& config);

}  // namespace rlhf::environments
