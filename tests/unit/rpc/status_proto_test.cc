#include "common/rpc/status_proto.h"

#include "gtest/gtest.h"

#include "common/rpc/text.h"

namespace baton {
namespace {

TEST(StatusProtoTest, ReasonAndFactsSurviveTheWire) {
  const absl::Status status =
      ErrorWithReason(absl::StatusCode::kFailedPrecondition, "LEDGER_UNKNOWN",
                      "hq-sql1 shows ledger b, known is a", {{"host", "hq-sql1"}});
  const absl::Status back = FromGrpc(ToGrpc(status));
  EXPECT_EQ(back.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(back.message(), status.message());
  EXPECT_EQ(ErrorReason(back), "LEDGER_UNKNOWN");
  EXPECT_EQ(ErrorMetadata(back).at("host"), "hq-sql1");
}

TEST(StatusProtoTest, EveryCodeKeepsItsMeaning) {
  for (int code = 0; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "m");
    EXPECT_EQ(FromGrpc(ToGrpc(status)).code(), status.code());
  }
}

TEST(StatusProtoTest, PlainErrorsCarryNoReason) {
  EXPECT_EQ(ErrorReason(FromGrpc(ToGrpc(absl::NotFoundError("no pool")))), "");
  EXPECT_EQ(ErrorReason(FromGrpc(grpc::Status(grpc::INTERNAL, "x", "not a proto \xff"))), "");
}

TEST(StatusProtoTest, LongMessagesAreCutToWhatHeadersHold) {
  const absl::Status status =
      ErrorWithReason(absl::StatusCode::kInvalidArgument, "R", std::string(100'000, 'x'));
  EXPECT_LT(ToGrpc(status).error_message().size(), 10'000u);
}

TEST(TextTest, ReplacesWhatIsNotUtf8AndCutsAtCharacters) {
  EXPECT_EQ(CleanText("käse"), "käse");
  EXPECT_EQ(CleanText("a\xff\xc3"), "a??");
  EXPECT_EQ(CleanText("\xed\xa0\x80\xc0\xaf"), "?????");
  EXPECT_EQ(CleanText("äöüäöü", 8), "äö…");
  EXPECT_EQ(CleanText("abcdefgh", 8), "abcdefgh");
  EXPECT_EQ(CleanText("abcdefghi", 8), "abcde…");
  EXPECT_EQ(CleanText("abc", 2), "");
}

}  // namespace
}  // namespace baton
