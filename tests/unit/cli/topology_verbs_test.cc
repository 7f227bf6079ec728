#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "coordinator/cli/commands.h"
#include "tests/unit/cli/fake_console.h"
#include "tests/unit/cli/fake_coordinator.h"

namespace baton {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TopologyVerbsTest : public ::testing::Test {
 protected:
  TopologyVerbsTest()
      : client_({{"fake:1", coordinator_.Channel()}}, terminal_.terminal(), absl::Seconds(30), 1) {
    options_.file = BATON_SOURCE_DIR "/deploy/config/topology.yaml";
    options_.requested_by = "alice@ops1";
    options_.request_id = "r1";
    v1::Topology topology;
    topology.set_text("sites: {}\n");
    topology.set_revision(3);
    topology.set_applied_by("bob@ops2");
    topology.add_changes("host co1: added (site witness)");
    coordinator_.SetTopology(topology);
  }

  ExitCode Do(Verb verb) {
    options_.verb = verb;
    return RunVerb(options_, client_, terminal_.terminal());
  }

  FakeTerminal terminal_;
  FakeCoordinator coordinator_;
  Client client_;
  Options options_;
};

TEST_F(TopologyVerbsTest, ValidateSendsTheTextAndChangesNothing) {
  EXPECT_EQ(Do(Verb::kTopologyValidate), ExitCode::kDone);
  ASSERT_EQ(coordinator_.apply_requests().size(), 1u);
  const v1::ApplyTopologyRequest request = coordinator_.apply_requests()[0];
  EXPECT_TRUE(request.validate_only());
  EXPECT_EQ(request.file_name(), options_.file);
  EXPECT_THAT(request.text(), HasSubstr("chat.example.com:"));
  EXPECT_THAT(terminal_.console.out(),
              HasSubstr("is valid and would change:\n  host co1: added (site witness)\n"));
}

TEST_F(TopologyVerbsTest, ValidateOfflineNeedsNoCoordinator) {
  options_.offline = true;
  EXPECT_EQ(Do(Verb::kTopologyValidate), ExitCode::kDone);
  EXPECT_THAT(coordinator_.apply_requests(), IsEmpty());
  options_.file = testing::TempDir() + "/wrong.yaml";
  std::ofstream(options_.file) << "sites: []\n";
  EXPECT_EQ(Do(Verb::kTopologyValidate), ExitCode::kRefused);
  EXPECT_THAT(terminal_.console.err(),
              HasSubstr("wrong.yaml:1: the topology: sites: found a list, wanted a mapping"));
}

TEST_F(TopologyVerbsTest, ApplyAsksOnATerminalAndTellsTheRevision) {
  terminal_.console.set_interactive(true);
  EXPECT_EQ(Do(Verb::kTopologyApply), ExitCode::kDeclined);
  EXPECT_EQ(coordinator_.apply_requests().size(), 1u);
  terminal_.console.Answer(true);
  EXPECT_EQ(Do(Verb::kTopologyApply), ExitCode::kDone);
  EXPECT_THAT(terminal_.console.questions(), ElementsAre("Apply it?", "Apply it?"));
  ASSERT_EQ(coordinator_.apply_requests().size(), 3u);
  EXPECT_FALSE(coordinator_.apply_requests()[2].validate_only());
  EXPECT_EQ(coordinator_.apply_requests()[2].request_id(), "r1");
  EXPECT_THAT(terminal_.console.out(), HasSubstr("applied as revision 3\n"));
}

TEST_F(TopologyVerbsTest, ARefusedTopologyHasItsExitCode) {
  coordinator_.FailNext(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "t.yaml:3: pool: ..."));
  EXPECT_EQ(Do(Verb::kTopologyApply), ExitCode::kRefused);
  EXPECT_THAT(terminal_.console.err(), HasSubstr("t.yaml:3: pool"));
}

TEST_F(TopologyVerbsTest, AMissingFileIsNamed) {
  options_.file = "/nowhere/topology.yaml";
  EXPECT_EQ(Do(Verb::kTopologyApply), ExitCode::kUsage);
  EXPECT_THAT(terminal_.console.err(), HasSubstr("topology file /nowhere/topology.yaml: found No "
                                                 "such file or directory, wanted a readable file"));
}

TEST_F(TopologyVerbsTest, ShowPrintsTheTextAloneOnStandardOutput) {
  EXPECT_EQ(Do(Verb::kTopologyShow), ExitCode::kDone);
  EXPECT_EQ(terminal_.console.out(), "sites: {}\n");
  EXPECT_THAT(terminal_.console.err(), HasSubstr("revision 3"));
}

}  // namespace
}  // namespace baton
