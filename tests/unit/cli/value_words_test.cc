#include "coordinator/cli/value_words.h"

#include <string>

#include "gtest/gtest.h"

namespace baton {
namespace {

TEST(ValueWordsTest, TimesHaveUnits) {
  EXPECT_EQ(*ParseTime("90s"), absl::Seconds(90));
  EXPECT_EQ(*ParseTime("1h30m"), absl::Minutes(90));
  EXPECT_EQ(*ParseTime("500ms"), absl::Milliseconds(500));
  EXPECT_EQ(*ParseTime("0"), absl::ZeroDuration());
  for (const std::string wrong : {"", "90", "-3s", "inf", "any", "soon", "3d"}) {
    EXPECT_FALSE(ParseTime(wrong).ok()) << wrong;
  }
  EXPECT_EQ(*ParseTimeOrAny("any"), absl::InfiniteDuration());
  EXPECT_EQ(*ParseTimeOrAny("2m"), absl::Minutes(2));
  EXPECT_FALSE(ParseTimeOrAny("inf").ok());
}

TEST(ValueWordsTest, ByteCountsMayHaveUnits) {
  EXPECT_EQ(*ParseByteCount("4096"), 4096u);
  EXPECT_EQ(*ParseByteCount("16MB"), 16'000'000u);
  EXPECT_EQ(*ParseByteCount("16 mb"), 16'000'000u);
  EXPECT_EQ(*ParseByteCount("1.5GiB"), 1'610'612'736u);
  EXPECT_EQ(*ParseByteCount("0.1B"), 1u);
  EXPECT_EQ(*ParseByteCount("0"), 0u);
  for (const std::string wrong :
       {"", "MB", "-1", "1e9", "16XB", "1.2.3", ".", "99999999999999999999", "9999999TB"}) {
    EXPECT_FALSE(ParseByteCount(wrong).ok()) << wrong;
  }
}

TEST(ValueWordsTest, CountsAndStepsAreWholeNumbers) {
  EXPECT_EQ(*ParseCount("18446744073709551615", UINT64_MAX), UINT64_MAX);
  EXPECT_FALSE(ParseCount("11", 10).ok());
  EXPECT_FALSE(ParseCount("-1", 10).ok());
  EXPECT_EQ(*ParseStepNumber("1"), 1u);
  for (const std::string wrong : {"", "0", "-1", "1.5", "4294967296", "all"}) {
    EXPECT_FALSE(ParseStepNumber(wrong).ok()) << wrong;
  }
}

TEST(ValueWordsTest, PairsKeepBothHalves) {
  EXPECT_EQ(ParseSalvage("h=/mnt/a=b")->host, "h");
  EXPECT_EQ(ParseSalvage("h=/mnt/a=b")->directory, "/mnt/a=b");
  for (const std::string wrong : {"", "h", "h=", "=/mnt", "h=mnt"}) {
    EXPECT_FALSE(ParseSalvage(wrong).ok()) << wrong;
  }
  EXPECT_EQ(ParseInstanceName("hq-sql1/mgc")->host, "hq-sql1");
  EXPECT_EQ(ParseInstanceName("hq-sql1/mgc")->resource, "mgc");
  for (const std::string wrong : {"", "hq-sql1", "/mgc", "hq-sql1/", "a/b/c"}) {
    EXPECT_FALSE(ParseInstanceName(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace baton
