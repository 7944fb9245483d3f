#include "rlhf/core/require.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.h"

namespace rlhf {
namespace {

TEST(Require, NamesTheFieldAndWhatIsWrongWithIt) {
  require_setting(true, "batch", "Give 1 or more rows.");
  const auto refused = [](auto... words) {
    try {
      require_setting(false, words...);
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), Category::usage);
      return error.where() + "|" + error.problem() + "|" + error.fix();
    }
    return std::string("nothing");
  };
  EXPECT_EQ(refused("batch", "Give 1 or more rows."), "batch|out of range|Give 1 or more rows.");
  EXPECT_EQ(refused("arms", "nothing is compared", "Name one."), "arms|nothing is compared|Name one.");
}

}  // namespace
}  // namespace rlhf
