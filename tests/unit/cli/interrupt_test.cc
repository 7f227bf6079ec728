#include <thread>

#include "gtest/gtest.h"

#include "coordinator/cli/terminal.h"

namespace baton {
namespace {

TEST(InterruptTest, IsNobodysWithoutAScope) {
  Interrupt interrupt;
  EXPECT_FALSE(interrupt.Trigger());
  EXPECT_FALSE(interrupt.triggered());
}

TEST(InterruptTest, CallsTheInnermostScopeOnce) {
  Interrupt interrupt;
  int outer = 0;
  int inner = 0;
  const Interrupt::Scope around(interrupt, [&] { ++outer; });
  {
    const Interrupt::Scope within(interrupt, [&] { ++inner; });
    EXPECT_TRUE(interrupt.Trigger());
    EXPECT_TRUE(interrupt.Trigger());
  }
  EXPECT_EQ(inner, 1);
  EXPECT_EQ(outer, 0);
  EXPECT_TRUE(interrupt.Trigger());
  EXPECT_EQ(outer, 1);
}

TEST(InterruptTest, EndsWaits) {
  Interrupt interrupt;
  const Interrupt::Scope scope(interrupt, nullptr);
  EXPECT_FALSE(interrupt.WaitFor(absl::Milliseconds(1)));
  std::thread other([&] { interrupt.Trigger(); });
  while (!interrupt.WaitFor(absl::Hours(1))) {
  }
  other.join();
  EXPECT_TRUE(interrupt.triggered());
}

}  // namespace
}  // namespace baton
