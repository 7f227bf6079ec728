#include "common/rpc/endpoint.h"

#include "gtest/gtest.h"

namespace baton {
namespace {

TEST(EndpointTest, KnowsLoopbackFromTheRest) {
  for (const char* address : {"127.0.0.1:7400", "127.1.2.3:0", "[::1]:7400", "localhost:1", "::1",
                              "unix:/run/baton/socket"}) {
    EXPECT_TRUE(IsLoopback(address)) << address;
  }
  for (const char* address : {"0.0.0.0:7400", "10.0.0.1:1", "[::]:7400", "example.com:1", "",
                              "127.0.0.1.example.com:1", "127.0.0:1", "127.0.0.999:1"}) {
    EXPECT_FALSE(IsLoopback(address)) << address;
  }
}

TEST(EndpointTest, RefusesToListenInPlainTextBeyondThisHost) {
  grpc::ServerBuilder builder;
  const absl::Status status = AddListener(builder, "0.0.0.0:7400", nullptr);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace baton
