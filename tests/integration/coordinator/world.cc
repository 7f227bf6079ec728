#include "tests/integration/coordinator/world.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/rpc/status_proto.h"
#include "common/runtime/system_clock.h"

namespace baton::testing {
namespace {

// One unary call; UNAVAILABLE while the coordinator is down.
template <class Service, class Request, class Response>
absl::StatusOr<Response> Call(TestCoordinator& coordinator, const Request& request,
                              grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                                    const Request&, Response*)) {
  const std::shared_ptr<grpc::Channel> channel = coordinator.Channel();
  if (channel == nullptr) return absl::UnavailableError("the coordinator is down");
  const std::unique_ptr<typename Service::Stub> stub = Service::NewStub(channel);
  grpc::ClientContext context;
  Response response;
  const grpc::Status status = ((*stub).*method)(&context, request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response;
}

}  // namespace

std::string SampleText() {
  std::ifstream file(BATON_SOURCE_DIR "/deploy/config/topology.yaml");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

World::World() {
  const absl::Status started = coordinator.Start();
  EXPECT_TRUE(started.ok()) << started;
}

void World::StartAgents() {
  const auto dial = [this] { return coordinator.Channel(); };
  const auto add = [&](const std::string& host, Observation seen) {
    agents_[host] =
        std::make_unique<FakeAgent>(host, std::vector<Observation>{std::move(seen)}, dial);
  };
  add("hq-sql1", StoppedPrimary());
  add("dr-sql1", StoppedBackup());
  for (const char* host : {"hq-chat1", "hq-chat2", "dr-chat1", "dr-chat2"}) {
    add(host, StoppedChat());
  }
}

absl::StatusOr<v1::Topology> World::Apply(const std::string& text, const std::string& request_id,
                                          const std::string& reason) {
  v1::ApplyTopologyRequest request;
  request.set_text(text);
  request.set_file_name("topology.yaml");
  request.set_request_id(request_id);
  request.set_requested_by("test");
  request.set_reason(reason);
  return Call<v1::TopologyService>(coordinator, request, &v1::TopologyService::Stub::ApplyTopology);
}

absl::StatusOr<v1::CreatePlanResponse> World::Create(v1::PlanKind kind,
                                                     const std::string& request_id,
                                                     bool validate_only) {
  v1::CreatePlanRequest request;
  request.set_pool(kPool);
  request.set_kind(kind);
  request.set_reason("a test");
  request.set_request_id(request_id);
  request.set_validate_only(validate_only);
  return Call<v1::PlanService>(coordinator, request, &v1::PlanService::Stub::CreatePlan);
}

absl::StatusOr<v1::Plan> World::Get(const std::string& plan) {
  v1::GetPlanRequest request;
  request.set_name(plan);
  return Call<v1::PlanService>(coordinator, request, &v1::PlanService::Stub::GetPlan);
}

absl::StatusOr<v1::Plan> World::Resume(const std::string& request_id) {
  v1::ResumePlanRequest request;
  request.set_pool(kPool);
  request.set_reason("mended");
  request.set_request_id(request_id);
  return Call<v1::PlanService>(coordinator, request, &v1::PlanService::Stub::ResumePlan);
}

absl::StatusOr<v1::Plan> World::Operate(const std::string& verb, const std::string& request_id,
                                        std::optional<uint32_t> step) {
  using Stub = v1::PlanService::Stub;
  v1::OperatePlanRequest request;
  request.set_pool(kPool);
  request.set_reason("a test");
  request.set_requested_by("tester");
  request.set_request_id(request_id);
  if (step.has_value()) request.set_step(*step);
  if (verb == "pause") return Call<v1::PlanService>(coordinator, request, &Stub::PausePlan);
  if (verb == "retry") return Call<v1::PlanService>(coordinator, request, &Stub::RetryStep);
  if (verb == "skip") return Call<v1::PlanService>(coordinator, request, &Stub::SkipStep);
  return Call<v1::PlanService>(coordinator, request, &Stub::AbortPlan);
}

absl::StatusOr<v1::CreatePlanResponse> World::FailOver(const std::string& request_id) {
  v1::CreatePlanRequest request;
  request.set_pool(kPool);
  request.set_kind(v1::PLAN_KIND_FAILOVER);
  request.set_reason("the site is gone");
  request.set_request_id(request_id);
  request.set_lost_site("hq");
  return Call<v1::PlanService>(coordinator, request, &v1::PlanService::Stub::CreatePlan);
}

void World::KillHome() {
  const std::vector<std::string> hosts = {"hq-sql1", "hq-chat1", "hq-chat2"};
  for (const std::string& host : hosts) agent(host).Die();
  Await([&] {
    for (const std::string& host : hosts) {
      if (Member(host).agent_connected()) return false;
    }
    return true;
  });
}

v1::MemberStatus World::Member(const std::string& host) {
  const absl::StatusOr<v1::PoolStatus> pool = Pool();
  if (!pool.ok()) return {};
  for (const v1::MemberStatus& member : pool->members()) {
    if (member.resource().host() == host) return member;
  }
  return {};
}

absl::StatusOr<v1::PoolStatus> World::Pool() {
  const absl::StatusOr<v1::ListPoolsResponse> pools = Call<v1::TopologyService>(
      coordinator, v1::ListPoolsRequest(), &v1::TopologyService::Stub::ListPools);
  if (!pools.ok()) return pools.status();
  if (pools->pools().empty()) return absl::NotFoundError("no pool");
  return pools->pools(0);
}

std::vector<v1::Event> World::Events(uint64_t first) {
  std::vector<v1::Event> events;
  const std::shared_ptr<grpc::Channel> channel = coordinator.Channel();
  if (channel == nullptr) return events;
  const auto stub = v1::EventService::NewStub(channel);
  grpc::ClientContext context;
  v1::WatchEventsRequest request;
  request.set_from_sequence(first);
  const auto stream = stub->WatchEvents(&context, request);
  v1::Event event;
  while (stream->Read(&event)) events.push_back(event);
  stream->Finish();
  return events;
}

bool World::WatchUntil(uint64_t first, uint64_t last) {
  const auto stub = v1::EventService::NewStub(coordinator.Channel());
  grpc::ClientContext context;
  v1::WatchEventsRequest request;
  request.set_from_sequence(first);
  request.set_follow(true);
  const auto stream = stub->WatchEvents(&context, request);
  v1::Event event;
  bool seen = false;
  while (!seen && stream->Read(&event)) seen = !event.transient() && event.sequence() >= last;
  context.TryCancel();
  stream->Finish();
  return seen;
}

void World::Await(const std::function<bool()>& done) {
  const SystemClock clock;
  const absl::Duration until = clock.SinceBoot() + kPatience;
  Mutex mutex;
  CondVar moment;
  while (!done() && clock.SinceBoot() < until) {
    MutexLock lock(&mutex);
    moment.WaitFor(&mutex, absl::Milliseconds(3));
  }
}

v1::PoolStatus World::AwaitReady() {
  v1::PoolStatus last;
  Await([&] {
    const absl::StatusOr<v1::PoolStatus> pool = Pool();
    if (pool.ok()) last = *pool;
    return pool.ok() && pool->switchover_ready();
  });
  return last;
}

v1::Plan World::AwaitRest(const std::string& plan) {
  v1::Plan last;
  Await([&] {
    const absl::StatusOr<v1::Plan> now = Get(plan);
    if (now.ok()) last = *now;
    const bool by_itself = last.waiting_for().find("goes on by itself") != std::string::npos;
    return now.ok() && !by_itself && now->state() != v1::PLAN_STATE_RUNNING &&
           now->state() != v1::PLAN_STATE_UNDOING;
  });
  return last;
}

void World::AwaitConnected() {
  Await([&] {
    const absl::StatusOr<v1::PoolStatus> pool = Pool();
    if (!pool.ok()) return false;
    for (const v1::MemberStatus& member : pool->members()) {
      if (!member.agent_connected() || !member.has_observation()) return false;
    }
    return true;
  });
}

void World::Adopt() {
  (void)Apply(SampleText(), "apply-sample");
  StartAgents();
  AwaitConnected();
  const absl::StatusOr<v1::CreatePlanResponse> plan = Create(v1::PLAN_KIND_ADOPT, "adopt-pool");
  if (plan.ok() && plan->has_plan()) AwaitRest(plan->plan().name());
}

std::vector<std::string> World::Writers() {
  std::vector<std::string> found;
  for (const char* host : {"hq-sql1", "dr-sql1"}) {
    if (agent(host).Of("mgc").database()->state == DatabaseState::kPrimary) found.push_back(host);
  }
  return found;
}

std::vector<std::string> World::ServingChat() {
  std::vector<std::string> found;
  for (const char* host : {"hq-chat1", "hq-chat2", "dr-chat1", "dr-chat2"}) {
    if (agent(host).Of("prosody").chat()->state == ChatState::kServing) found.push_back(host);
  }
  return found;
}

std::vector<std::string> World::ActedTwice() {
  std::vector<std::string> found;
  for (const auto& [host, agent] : agents_) {
    for (const auto& [id, times] : agent->acted()) {
      if (times > 1) found.push_back(absl::StrCat(host, ": ", id));
    }
  }
  return found;
}

}  // namespace baton::testing
