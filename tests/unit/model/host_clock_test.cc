#include "coordinator/model/host_clock.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1'700'000'000);

absl::Duration Second(int n) { return absl::Seconds(n); }

TEST(HostClockTest, RunsOnInTheCoordinatorsTime) {
  HostClock clock;
  clock.Tell(kNoon, Second(100));
  EXPECT_EQ(clock.At(Second(107)), kNoon + Second(7));
  EXPECT_EQ(clock.Since(kNoon - Second(2), Second(107)), Second(9));
}

TEST(HostClockTest, OneThatWasNeverToldDatesNothing) {
  const HostClock clock;
  EXPECT_EQ(clock.At(Second(5)), absl::InfinitePast());
  EXPECT_EQ(clock.Since(kNoon, Second(5)), absl::InfiniteDuration());
  HostClock told;
  told.Tell(kNoon, Second(5));
  EXPECT_EQ(told.Since(absl::InfinitePast(), Second(6)), absl::InfiniteDuration());
}

TEST(HostClockTest, WhatItHasNotComeToYetIsNotKnown) {
  HostClock clock;
  clock.Tell(kNoon, Second(100));
  EXPECT_EQ(clock.Since(kNoon + Second(8), Second(107)), absl::InfiniteDuration());
  EXPECT_EQ(clock.Since(kNoon + Second(8), Second(108)), absl::ZeroDuration());
}

TEST(HostClockTest, WhatASetBackClockMayHaveDatedBeforeIsCountedFromThen) {
  HostClock clock;
  clock.Tell(kNoon, Second(100));
  clock.Tell(kNoon - Second(59), Second(101));  // a minute back
  // Before it was set back, or after: the former is meant.
  EXPECT_EQ(clock.Since(kNoon - Second(10), Second(161)), Second(71));
  EXPECT_EQ(clock.Since(kNoon - Second(200), Second(161)), Second(261));
  // That it had not come to before.
  EXPECT_EQ(clock.Since(kNoon + Second(10), Second(180)), Second(10));
  clock.Tell(kNoon + Second(2), Second(102));  // and set right again
  EXPECT_EQ(clock.Since(kNoon - Second(10), Second(161)), Second(71));
}

TEST(HostClockTest, OneThatWasSetForwardNeverMakesSomethingYounger) {
  HostClock clock;
  clock.Tell(kNoon, Second(100));
  clock.Tell(kNoon + Second(3601), Second(101));
  EXPECT_EQ(clock.Since(kNoon, Second(102)), Second(3602));
  EXPECT_EQ(clock.Since(kNoon + Second(3601), Second(102)), Second(1));
}

TEST(HostClockTest, AMessageThatWasHeldUpTakesNothingAway) {
  HostClock clock;
  clock.Tell(kNoon, Second(100));
  clock.Tell(kNoon + Second(1), Second(109));  // eight seconds on its way
  EXPECT_EQ(clock.Since(kNoon, Second(110)), Second(10));
}

TEST(HostClockTest, WaysThatGrowLongerDoNotAddUp) {
  HostClock clock;
  clock.Tell(kNoon, Second(100));
  for (int i = 1; i <= 10; ++i) {
    clock.Tell(kNoon + Second(i), Second(100) + i * absl::Milliseconds(1900));
  }
  // But for what a slow clock may lose meanwhile.
  EXPECT_GE(clock.Since(kNoon + Second(10), Second(120)), Second(10) - absl::Milliseconds(5));
}

TEST(HostClockTest, OneThatRunsSlowIsFollowed) {
  HostClock clock;
  clock.Tell(kNoon, Second(100));
  for (int hour = 1; hour <= 1000; ++hour) {
    clock.Tell(kNoon + hour * (absl::Hours(1) - absl::Milliseconds(180)),  // 50 ppm
               Second(100) + absl::Hours(hour));
  }
  const absl::Duration end = Second(100) + absl::Hours(1000);
  EXPECT_LT(clock.Since(clock.At(end) - Second(10), end), Second(11));
  EXPECT_LT(clock.At(end), kNoon + absl::Hours(1000) - Second(179));
}

}  // namespace
}  // namespace baton
