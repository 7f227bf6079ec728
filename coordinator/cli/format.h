// The public messages as text for people. Pure: `now` is only for ages and the local time zone for
// clocks. Every text ends in a newline.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "google/protobuf/repeated_field.h"

#include "baton/v1/agent_service.pb.h"
#include "baton/v1/event_service.pb.h"
#include "baton/v1/plan_service.pb.h"
#include "baton/v1/topology_service.pb.h"

namespace baton {

std::string FormatStatus(const v1::ListPoolsResponse& pools, absl::Time now);
// What a pool owes: copies that don't follow, hosts to fence, log that nobody else has, a line
// each.
std::string FormatDebts(const v1::PoolStatus& pool);

// Every quarantine entry of the pools, with what it holds that nobody else has.
std::string FormatQuarantine(const v1::ListPoolsResponse& pools);
std::string FormatQuarantineEntry(const v1::ResourceRef& of, const v1::QuarantineEntry& entry);

// Everything about one plan: steps, times, outcomes, what it waits for, what can be done now.
std::string FormatPlan(const v1::Plan& plan);
// Its first line: "switchover of chat.example.com, hq -> dr, epoch 1.4 -> 1.5, plan 7f3a".
std::string PlanTitle(const v1::Plan& plan);
// The same without the plan's id, for one that is only thought of.
std::string PlanDraftTitle(const v1::Plan& plan);
// Steps of the way back are part of every plan; they are shown once it is taken.
bool IsShown(const v1::Step& step);
// How it ended or what it waits for, and what to type next: for someone who has seen the whole plan
// (FormatPlan), or only that it goes on.
std::string PlanVerdict(const v1::Plan& plan, bool seen_in_full);
// Every verb that applies to it now, and what each would do. Empty: the coordinator names none.
std::string FormatOptions(const v1::Plan& plan);
// The steps that users waited for, each with its part of the outage. Empty: there were none.
std::string FormatOutage(const v1::Plan& plan);

// A plan that is only thought of, for a question: what it may cost and its steps.
std::string FormatDraft(const v1::Plan& plan);
// The same for --dry-run, with what stands against it.
std::string FormatDryRun(const v1::CreatePlanResponse& answer, const std::string& pool);
// Rule, found, wanted and what to type next, a line each.
std::string FormatRefusals(const google::protobuf::RepeatedPtrField<v1::Refusal>& refusals);

// What a failover may lose, who is fenced only on return, which rules were overridden. Empty: a
// plan without any of them.
std::string FormatStakes(const v1::Plan& plan);
// One database a row.
std::string FormatLosses(const google::protobuf::RepeatedPtrField<v1::AnnouncedLoss>& losses);

std::string FormatPlanList(const v1::ListPlansResponse& plans);
// Only what has ended, with who asked for it and why.
std::string FormatHistory(const v1::ListPlansResponse& plans);

std::string FormatAgents(const v1::ListAgentsResponse& agents, absl::Time now);
std::string FormatEvent(const v1::Event& event);
std::string FormatChanges(const v1::Topology& topology);

// "refused (RULE): message"; the reason of an ErrorInfo when there is one.
std::string FormatError(const absl::Status& status);

// Protobuf's JSON mapping with every field present, so that scripts find the same keys each time.
// `pretty`: indented, for one document; else one line.
std::string ToJson(const google::protobuf::Message& message, bool pretty);

// From the start of the first step that users wait for (a failover: from when it was asked for) to
// the end of the last one. Zero unless all of them have ended.
absl::Duration OutageOf(const v1::Plan& plan);

}  // namespace baton
