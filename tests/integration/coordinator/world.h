// The sample topology's hosts, each with its agent, and one coordinator, with a client's view.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
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
  // "pause", "retry", "skip", "abort" of the pool's plan.
  absl::StatusOr<v1::Plan> Operate(const std::string& verb, const std::string& request_id,
                                   std::optional<uint32_t> step = std::nullopt);
  // A failover of the home site, which KillHome has taken down.
  absl::StatusOr<v1::CreatePlanResponse> FailOver(const std::string& request_id);
  // Everything of the home site dies at once, and is seen to be gone.
  void KillHome();
  absl::StatusOr<v1::PoolStatus> Pool();
  // Events from `first` on that are there now.
  std::vector<v1::Event> Events(uint64_t first);

  // Reads events until the one numbered `last` was seen; false when the stream ended before.
  bool WatchUntil(uint64_t first, uint64_t last);

  // Waits until the pool can be switched over, or a plan is in a state where it rests; the last
  // answer otherwise.
  v1::PoolStatus AwaitReady();
  v1::Plan AwaitRest(const std::string& plan);
  void AwaitConnected();

  // Waits until `done` says so, for the time that everything ends in.
  void Await(const std::function<bool()>& done);
  // The pool's member, as its status shows it.
  v1::MemberStatus Member(const std::string& host);
  // Topology applied and pool adopted.
  void Adopt();
  // The hosts of databases that accept writes just now.
  std::vector<std::string> Writers();
  std::vector<std::string> ServingChat();
  // Command ids that acted more than once, on any host.
  std::vector<std::string> ActedTwice();

  TestCoordinator coordinator;

 private:
  std::map<std::string, std::unique_ptr<FakeAgent>> agents_;
};

std::string SampleText();

}  // namespace baton::testing
