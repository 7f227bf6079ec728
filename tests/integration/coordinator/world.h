// The sample topology's hosts, each with its agent, and one coordinator, with a client's view.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "baton/v1/agent_service.grpc.pb.h"
#include "baton/v1/event_service.grpc.pb.h"
#include "baton/v1/plan_service.grpc.pb.h"
#include "baton/v1/topology_service.grpc.pb.h"
#include "tests/integration/coordinator/fake_agent.h"
#include "tests/integration/coordinator/test_coordinator.h"

namespace baton::testing {

inline constexpr char kPool[] = "chat.example.com";
// For what ends by itself; never reached when all is well.
inline constexpr absl::Duration kPatience = absl::Seconds(30);

class World {
 public:
  World();
  ~World() { StopAgents(); }

  void StartAgents();
  void StopAgents() { agents_.clear(); }
  FakeAgent& agent(const std::string& host) { return *agents_.at(host); }

  absl::StatusOr<v1::Topology> Apply(const std::string& text, const std::string& request_id,
                                     const std::string& reason = "a test");
  absl::StatusOr<v1::CreatePlanResponse> Create(v1::PlanKind kind, const std::string& request_id,
                                                bool validate_only = false);
  absl::StatusOr<v1::Plan> Get(const std::string& plan);
  absl::StatusOr<v1::Plan> Resume(const std::string& request_id);
  absl::StatusOr<v1::PoolStatus> Pool();
  // Events from `first` on that are there now.
  std::vector<v1::Event> Events(uint64_t first);

  // Waits until the pool can be switched over, or a plan is in a state where it rests; the last
  // answer otherwise.
  v1::PoolStatus AwaitReady();
  v1::Plan AwaitRest(const std::string& plan);
  void AwaitConnected();

  // Topology applied and pool adopted.
  void Adopt();
  // The hosts of databases that accept writes just now.
  std::vector<std::string> Writers();
  std::vector<std::string> ServingChat();
  // Command ids that acted more than once, on any host.
  std::vector<std::string> ActedTwice();

  TestCoordinator coordinator;

 private:
  // Asks `done` again after each new event or a moment, until it says so.
  void Await(const std::function<bool()>& done);

  std::map<std::string, std::unique_ptr<FakeAgent>> agents_;
};

std::string SampleText();

}  // namespace baton::testing
