#include "common/base/shared_value.h"

#include <string>

#include "gtest/gtest.h"

namespace baton {
namespace {

TEST(SharedValueTest, HoldsNothingUntilAssigned) {
  SharedValue<std::string> value;
  EXPECT_FALSE(value.has_value());
  value = std::string("one");
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(*value, "one");
  value.reset();
  EXPECT_FALSE(value.has_value());
}

TEST(SharedValueTest, AssigningLeavesCopiesAlone) {
  SharedValue<std::string> value(std::string("one"));
  const SharedValue<std::string> copy = value;
  EXPECT_EQ(&*copy, &*value);
  value = std::string("two");
  EXPECT_EQ(*copy, "one");
  EXPECT_EQ(*value, "two");
}

TEST(SharedValueTest, ComparesByValue) {
  const SharedValue<std::string> none;
  const SharedValue<std::string> one(std::string("one"));
  EXPECT_EQ(one, SharedValue<std::string>(std::string("one")));
  EXPECT_NE(one, SharedValue<std::string>(std::string("two")));
  EXPECT_NE(one, none);
  EXPECT_EQ(none, SharedValue<std::string>());
}

}  // namespace
}  // namespace baton
