// What AgentCore does for each effect. Completions come from any thread and are posted.
#include <atomic>
#include <utility>

#include "agent/core/agent_core.h"

namespace baton::agent {
namespace {

// Wraps a completion so that it reaches the loop, unless the core is gone by then.
template <class... Args, class F>
std::function<void(Args...)> OnLoop(Scheduler* scheduler, std::weak_ptr<bool> alive, F f) {
  return [scheduler, alive = std::move(alive), f = std::move(f)](Args&&... args) {
    scheduler->Post([alive, f, ... args = std::move(args)]() mutable {
      if (!alive.expired()) f(std::move(args)...);
    });
  };
}

}  // namespace

void AgentCore::Do(const EndChildren& effect, absl::Duration) {
  ports_.children->End(effect.children,
                       OnLoop<std::vector<ChildProcess>>(
                           ports_.scheduler, alive_, [this](std::vector<ChildProcess>&& lingering) {
                             Take(ChildrenEnded{std::move(lingering)});
                           }));
}

void AgentCore::Do(const ReadFence& effect, absl::Duration) {
  const ResourceId id = effect.resource;
  resources_.at(id).fence->Read(OnLoop<absl::StatusOr<FenceRecord>, absl::StatusOr<BootId>>(
      ports_.scheduler, alive_,
      [this, id](absl::StatusOr<FenceRecord>&& file, absl::StatusOr<BootId>&& boot) {
        Take(FenceRead{id, std::move(file), std::move(boot)});
      }));
}

void AgentCore::Do(const WriteFence& effect, absl::Duration) {
  const ResourceId id = effect.record.resource;
  resources_.at(id).fence->Write(
      effect.record,
      OnLoop<absl::Status>(ports_.scheduler, alive_, [this, id](const absl::Status& status) {
        Take(FenceFileWritten{id, status});
      }));
}

void AgentCore::Do(const EnforceFence& effect, absl::Duration) {
  const ResourceId id = effect.resource;
  resources_.at(id).fence->Enforce(
      OnLoop<absl::Status>(ports_.scheduler, alive_, [this, id](const absl::Status& status) {
        Take(FenceEnforced{id, status});
      }));
}

void AgentCore::Do(const LookAt& effect, absl::Duration) {
  const CommandId id = effect.command.id;
  const auto it = resources_.find(effect.command.resource);
  if (it == resources_.end()) {
    Outcome outcome;
    outcome.message = "its resource " + effect.command.resource.value() + " is no longer on " +
                      options_.host.value();
    return PostEvent(Looked{id, std::move(outcome)});
  }
  it->second.runner->Look(effect.command,
                          OnLoop<Outcome>(ports_.scheduler, alive_, [this, id](Outcome&& outcome) {
                            Take(Looked{id, std::move(outcome)});
                          }));
}

void AgentCore::Do(const StartAction& effect, absl::Duration) {
  const CommandId id = effect.command.id;
  // One progress of a command waits in the loop at most, however often its runner calls.
  auto waiting = std::make_shared<std::atomic<bool>>(false);
  auto progress = [this, id, waiting, scheduler = ports_.scheduler,
                   alive = std::weak_ptr<bool>(alive_)](Progress told) {
    if (waiting->exchange(true)) return;
    scheduler->Post([this, id, waiting, alive, told = std::move(told)] {
      waiting->store(false);
      if (!alive.expired()) Take(ActionProgressed{id, told});
    });
  };
  resources_.at(effect.command.resource)
      .runner->Start(effect.command, std::move(progress),
                     OnLoop<Outcome>(ports_.scheduler, alive_, [this, id](Outcome&& outcome) {
                       Take(ActionEnded{id, std::move(outcome)});
                     }));
}

void AgentCore::Do(const CancelAction& effect, absl::Duration) {
  resources_.at(effect.resource).runner->Cancel(effect.command);
}

void AgentCore::Do(const CheckAction& effect, absl::Duration) {
  const uint64_t stream = effect.stream;
  const std::string id = effect.dry_run.id;
  resources_.at(effect.dry_run.resource)
      .runner->Check(
          effect.dry_run.action,
          OnLoop<Outcome>(ports_.scheduler, alive_, [this, stream, id](Outcome&& outcome) {
            Take(Checked{stream, id, std::move(outcome)});
          }));
}

void AgentCore::Do(const AskProbe& effect, absl::Duration) {
  const ResourceId id = effect.resource;
  resources_.at(id).probe->Observe(
      OnLoop<Observation>(ports_.scheduler, alive_, [this, id](Observation&& observation) {
        observation.resource = id;
        Take(Observed{std::move(observation)});
      }));
}

void AgentCore::Do(const OpenLink&, absl::Duration) {
  const uint64_t stream = state_.stream;
  CoordinatorLink::Events events;
  events.message = OnLoop<FromCoordinator>(
      ports_.scheduler, alive_,
      [this, stream](FromCoordinator&& message) { TakeMessage(stream, std::move(message)); });
  events.closed =
      OnLoop<absl::Status>(ports_.scheduler, alive_, [this, stream](const absl::Status& status) {
        Take(LinkClosed{stream, status});
      });
  ports_.link->Open(MakeHello(state_), std::move(events));
}

void AgentCore::Do(const CloseLink&, absl::Duration) { ports_.link->Close(); }

void AgentCore::Do(Send& effect, absl::Duration decided_at) {
  const absl::Duration since = ports_.clock->SinceBoot() - decided_at;
  ToCoordinator& message = effect.message;
  if (auto* report = std::get_if<Report>(&message)) {
    for (Observation& observation : report->observations) observation.age += since;
    report->clock = ports_.clock->Now();
  } else if (auto* heartbeat = std::get_if<Heartbeat>(&message)) {
    heartbeat->age += since;
    heartbeat->clock = ports_.clock->Now();
  } else if (auto* finished = std::get_if<Finished>(&message)) {
    SharedValue<Observation>& seen = finished->outcome.observation;
    if (seen.has_value()) {
      Observation aged = *seen;
      aged.age += since;
      seen = std::move(aged);
    }
  }
  ports_.link->Send(message);
}

void AgentCore::Do(const SetTimer& effect, absl::Duration) {
  const TimerKey key = effect.key;
  TimerId& timer = timers_[key];
  if (timer != 0) ports_.scheduler->Cancel(timer);
  timer = ports_.scheduler->After(effect.after, [this, key, alive = std::weak_ptr<bool>(alive_)] {
    if (alive.expired()) return;
    timers_.erase(key);
    Take(TimerRan{key});
  });
}

void AgentCore::Do(const StopTimer& effect, absl::Duration) {
  const auto it = timers_.find(effect.key);
  if (it == timers_.end()) return;
  ports_.scheduler->Cancel(it->second);
  timers_.erase(it);
}

void AgentCore::Do(const ReconnectLater&, absl::Duration decided_at) {
  Do(SetTimer{{TimerKind::kReconnect, ""}, backoff_.Next()}, decided_at);
}

void AgentCore::Do(const ResetBackoff&, absl::Duration) { backoff_.Reset(); }

void AgentCore::Do(Deliver& effect, absl::Duration) {
  if (std::holds_alternative<MessageCame>(effect.event)) ++messages_queued_;
  std::visit([this](auto& event) { queue_.push_front(std::move(event)); }, effect.event);
}

void AgentCore::Do(const Say& effect, absl::Duration) {
  if (options_.log) options_.log(effect.severity, effect.text);
}

}  // namespace baton::agent
