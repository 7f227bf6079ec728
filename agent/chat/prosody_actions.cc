#include "agent/chat/prosody_actions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/chat/database_file.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace baton::chat {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(2);
// A server that ended while it started says so to its manager, not to us.
constexpr int kPollsPerStatus = 10;
constexpr absl::Duration kControlTimeout = absl::Seconds(5);
// A client that has not taken its goodbye by then is cut off.
constexpr absl::Duration kFarewell = absl::Milliseconds(300);
// What Deactivate and Stop spend on ending sessions kindly; the stop itself ends them too.
constexpr absl::Duration kDrainBeforeStop = absl::Seconds(1);
// One that has nobody left to care for ends within a second, unless it waits for its database.
constexpr absl::Duration kEmptyStop = absl::Seconds(2);
// One that answers nothing, as when its database hangs, is not waited for as another is.
constexpr absl::Duration kSilence = absl::Milliseconds(200);
constexpr absl::Duration kSilentStop = absl::Milliseconds(500);
constexpr absl::Duration kProofTimeout = absl::Seconds(5);
constexpr absl::Duration kStreamTimeout = absl::Seconds(2);

absl::Status ControlFailure(const absl::Status& status) {
  if (absl::IsDeadlineExceeded(status)) {
    return Unsure("CONTROL_SILENT",
                  absl::StrCat("the chat server does not answer, perhaps because its database does "
                               "not: ",
                               status.message()));
  }
  return Failure("CONTROL_UNREACHABLE", std::string(status.message()));
}

absl::Status EnsureFence(ActionContext* context, const FenceRecord& wanted) {
  BATON_RETURN_IF_ERROR(context->server().fences().Write(wanted));
  context->Did(absl::StrCat("the fence says ", std::string(ToString(wanted.phase)), " under epoch ",
                            wanted.fence_epoch.ToString()));
  return absl::OkStatus();
}

// Tells the server to end all sessions and waits until none is left. Returns how many there were.
absl::StatusOr<uint64_t> EndSessions(ActionContext* context, absl::Duration limit) {
  const ProsodyServer& server = context->server();
  const absl::Duration start = server.clock().SinceBoot();
  const absl::Duration patience = std::min(kControlTimeout, limit);
  // What is there before counts: the answer to Drain no longer names those that left at once.
  absl::StatusOr<ChatStatus> status = server.control().Status(context->Left(patience));
  BATON_RETURN_IF_ERROR(status.status());
  const uint64_t sessions = status->sessions;
  absl::Duration farewell = start;
  while (status->accepting || status->sessions > 0) {
    const absl::Duration now = server.clock().SinceBoot();
    if (now - start > limit) {
      return absl::DeadlineExceededError(absl::StrCat(
          status->sessions, " client sessions are left after ", absl::FormatDuration(limit)));
    }
    if (now >= farewell) {
      status = server.control().Drain(context->Left(patience));
      if (farewell == start) context->Did("clients told to leave");
      farewell = now + kFarewell;
    } else {
      BATON_RETURN_IF_ERROR(context->Wait(kPoll));
      status = server.control().Status(context->Left(patience));
    }
    BATON_RETURN_IF_ERROR(status.status());
  }
  return sessions;
}

// Kills a server that takes too long, say because its database hangs: what it has acknowledged is
// committed, so nothing is lost by that.
absl::Status EndProcess(ActionContext* context, absl::Duration patience) {
  ServiceManager& service = context->server().service();
  const absl::Duration kind = std::min(patience, context->Left() / 2);
  absl::Status stopped = service.Stop(StopMode::kClean, kind);
  if (absl::IsDeadlineExceeded(stopped)) {
    context->Did(absl::StrCat("killed, since it did not stop within ", absl::FormatDuration(kind)));
    stopped = service.Stop(StopMode::kImmediate, context->Left());
  }
  if (absl::IsDeadlineExceeded(stopped)) {
    return Failure("STOP_TIMED_OUT", absl::StrCat("even killed, ", context->name(),
                                                  " is there: ", stopped.message()));
  }
  if (stopped.ok()) context->Did("stopped");
  return stopped;
}

absl::Status StopAndProve(ActionContext* context, absl::Duration patience) {
  const ProsodyServer& server = context->server();
  BATON_RETURN_IF_ERROR(EndProcess(context, patience));
  const absl::Status proof = server.fences().ProveNothingRuns(context->Left(kProofTimeout));
  if (absl::IsDeadlineExceeded(proof)) {
    return Failure("STILL_ALIVE", absl::StrCat("its manager says that ", context->name(),
                                               " is stopped, but ", proof.message()));
  }
  BATON_RETURN_IF_ERROR(proof);
  const absl::Status refused =
      RefusesClients(server.listener(), context->Left(kStreamTimeout), server.clock());
  if (absl::IsFailedPrecondition(refused)) {
    return Failure("STILL_LISTENING",
                   absl::StrCat(context->name(), " is stopped, but the ", refused.message(),
                                ": another process has its port"));
  }
  return refused;
}

// Sessions end before the process is told to: with none left it stops in milliseconds. Kindness
// only: whatever comes of it, the stop ends them. Returns how long the stop may take.
absl::Duration SayGoodbye(ActionContext* context) {
  const absl::Duration patience = context->config().stop_timeout;
  const absl::Duration limit = context->Left(kDrainBeforeStop);
  const absl::Status ended = EndSessions(context, limit).status();
  if (ended.ok()) {
    context->Did("no client session is left");
    return std::min(patience, kEmptyStop);
  }
  const bool silent = absl::IsDeadlineExceeded(ended) &&
                      !context->server().control().Status(context->Left(kSilence)).ok();
  return silent ? std::min(patience, kSilentStop) : patience;
}

absl::Status LookThatItRuns(const ActionContext& context) {
  BATON_ASSIGN_OR_RETURN(const ServiceStatus status, context.server().service().Status());
  if (status.running) return absl::OkStatus();
  return Failure(
      "ENDED_WHILE_STARTING",
      absl::StrCat(context.name(), " ended while it started (",
                   status.refused.empty() ? status.last_exit : status.refused, "); see its log"));
}

// A server that was drained and not stopped keeps its listener closed until it is told otherwise,
// and one whose database came late does not look for it by itself.
void OpenDoors(const ActionContext& context) {
  const ControlClient& control = context.server().control();
  const absl::StatusOr<ChatStatus> status = control.Status(context.Left(kControlTimeout));
  if (status.ok() && !(status->accepting && status->database_connected))
    control.Accept(context.Left(kControlTimeout)).IgnoreError();
}

absl::Status StartAndWait(ActionContext* context) {
  const ProsodyServer& server = context->server();
  const absl::StatusOr<HostId> instance = ReadInstance(context->config());
  if (!instance.ok()) {
    return Refusal("NOT_POINTED", absl::StrCat("it is not known which database ", context->name(),
                                               " would use: ", instance.status().message()));
  }
  BATON_RETURN_IF_ERROR(server.service().Start(context->Left()));
  context->Did("started");
  context->Report("waiting until clients are served");
  std::string why;
  for (int polls = 1;; ++polls) {
    const absl::Status serving = LooksServing(*context, context->Left(kStreamTimeout));
    if (serving.ok() || absl::IsAborted(serving)) return serving;
    // A look that the command's own end cut off says nothing of the server.
    const bool cut = absl::IsDeadlineExceeded(serving) && absl::IsDeadlineExceeded(context->Live());
    if (!cut || why.empty()) why = std::string(serving.message());
    if (polls % kPollsPerStatus == 0) BATON_RETURN_IF_ERROR(LookThatItRuns(*context));
    OpenDoors(*context);
    const absl::Status waited = context->Wait(kPoll);
    if (absl::IsDeadlineExceeded(waited)) {
      return absl::DeadlineExceededError(
          absl::StrCat(waited.message(), ": ", context->name(), " was started, but ", why));
    }
    BATON_RETURN_IF_ERROR(waited);
  }
}

absl::StatusOr<std::string> Serving(const ActionContext& context) {
  BATON_ASSIGN_OR_RETURN(const HostId instance, ReadInstance(context.config()));
  return absl::StrCat("serves clients at ", context.config().address, ":",
                      context.config().c2s_port, " from the database on ", instance.value());
}

}  // namespace

absl::StatusOr<FenceRecord> OpenFence(const ActionContext& context) {
  BATON_ASSIGN_OR_RETURN(FenceRecord record, context.server().Fence());
  BATON_RETURN_IF_ERROR(context.RefuseOlder(record));
  BATON_ASSIGN_OR_RETURN(record.confirmed_boot, context.server().fences().Boot());
  record.phase = FencePhase::kOpen;
  record.fence_epoch = context.command().epoch;
  // A chat server ships no log: of a lineage it has epoch and host only.
  Lineage write;
  write.epoch = context.command().epoch;
  write.instance = context.config().host;
  record.write = write;
  record.fetch.clear();
  return record;
}

absl::Status LooksDrained(const ActionContext& context) {
  const ProsodyServer& server = context.server();
  if (server.IsDown(context.Left(kStreamTimeout)).ok()) return absl::OkStatus();
  BATON_ASSIGN_OR_RETURN(const ChatStatus status,
                         server.control().Status(context.Left(kControlTimeout)));
  if (status.accepting || status.sessions > 0) {
    return Failure("NOT_DRAINED",
                   absl::StrCat(context.name(), " has ", status.sessions, " client sessions and ",
                                status.accepting ? "takes" : "refuses", " new ones"));
  }
  return RefusesClients(server.listener(), context.Left(kStreamTimeout), server.clock());
}

absl::Status LooksServing(const ActionContext& context, absl::Duration timeout) {
  const ProsodyServer& server = context.server();
  BATON_RETURN_IF_ERROR(OpenStream(server.listener(), timeout, server.clock()));
  BATON_ASSIGN_OR_RETURN(const ChatStatus status, server.control().Status(timeout));
  BATON_ASSIGN_OR_RETURN(const HostId instance, ReadInstance(context.config()));
  if (status.instance == instance.value()) {
    if (status.database_connected) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat(context.name(),
                                               " has no connection to the database on ",
                                               instance.value(), "; see its log"));
  }
  return absl::AbortedError(absl::StrCat(context.name(), " uses the database on \"",
                                         status.instance, "\", its file says \"", instance.value(),
                                         "\": stop it and start it again"));
}

absl::StatusOr<std::string> Act(ActionContext* context, const Drain&) {
  BATON_RETURN_IF_ERROR(context->RefuseOlder());
  if (context->server().IsDown(context->Left(kStreamTimeout)).ok()) {
    return std::string("it does not run, so nobody is connected");
  }
  const absl::StatusOr<uint64_t> ended = EndSessions(context, context->Left());
  if (absl::IsUnavailable(ended.status()) || absl::IsDeadlineExceeded(ended.status())) {
    BATON_RETURN_IF_ERROR(context->Live());
    return ControlFailure(ended.status());
  }
  BATON_RETURN_IF_ERROR(ended.status());
  BATON_RETURN_IF_ERROR(RefusesClients(context->server().listener(), context->Left(kStreamTimeout),
                                       context->server().clock()));
  return absl::StrCat(*ended, " client sessions ended, new ones are refused");
}

absl::StatusOr<std::string> Act(ActionContext* context, const Deactivate&) {
  BATON_ASSIGN_OR_RETURN(FenceRecord record, context->server().Fence());
  BATON_RETURN_IF_ERROR(context->RefuseOlder(record));
  record.phase = FencePhase::kClosed;
  record.fence_epoch = context->command().epoch;
  record.write.reset();
  record.fetch.clear();
  const absl::Duration patience = SayGoodbye(context);
  BATON_RETURN_IF_ERROR(context->Live());
  BATON_RETURN_IF_ERROR(EnsureFence(context, record));
  BATON_RETURN_IF_ERROR(StopAndProve(context, patience));
  return std::string("fenced and stopped; clients are refused, nothing of it is alive");
}

absl::StatusOr<std::string> Act(ActionContext* context, const PointAt& action) {
  BATON_RETURN_IF_ERROR(context->RefuseOlder());
  const ProsodyConfig& config = context->config();
  absl::StatusOr<std::string> text = DatabaseFileFor(config, action.instance);
  if (absl::IsNotFound(text.status()) && config.instances.count(action.instance) == 0) {
    return Refusal("UNKNOWN_INSTANCE", std::string(text.status().message()));
  }
  BATON_RETURN_IF_ERROR(text.status());
  const absl::StatusOr<HostId> present = ReadInstance(config);
  const std::string message =
      absl::StrCat("the next start uses the database on ", action.instance.value());
  if (present.ok() && *present == action.instance) return message;
  const absl::Status down = context->server().IsDown(context->Left(kStreamTimeout));
  if (absl::IsFailedPrecondition(down)) {
    return Refusal("RUNNING", absl::StrCat(down.message(),
                                           "; it reads its database file only when it starts: "
                                           "Deactivate it first"));
  }
  BATON_RETURN_IF_ERROR(down);
  BATON_RETURN_IF_ERROR(WriteFileDurably(config.database_file, *text, 0600));
  context->Did(absl::StrCat(config.database_file, " written"));
  BATON_RETURN_IF_ERROR(ReadInstance(config).status());
  return message;
}

absl::StatusOr<std::string> Act(ActionContext* context, const Activate&) {
  BATON_ASSIGN_OR_RETURN(const FenceRecord record, OpenFence(*context));
  const absl::StatusOr<HostId> instance = ReadInstance(context->config());
  if (!instance.ok()) {
    return Refusal("NOT_POINTED",
                   absl::StrCat("PointAt comes before Activate: ", instance.status().message()));
  }
  BATON_RETURN_IF_ERROR(EnsureFence(context, record));
  BATON_RETURN_IF_ERROR(StartAndWait(context));
  return Serving(*context);
}

absl::StatusOr<std::string> Act(ActionContext* context, const Start&) {
  BATON_RETURN_IF_ERROR(context->RefuseOlder());
  BATON_RETURN_IF_ERROR(StartAndWait(context));
  return Serving(*context);
}

absl::StatusOr<std::string> Act(ActionContext* context, const Stop&) {
  BATON_RETURN_IF_ERROR(context->RefuseOlder());
  const absl::Duration patience = SayGoodbye(context);
  BATON_RETURN_IF_ERROR(context->Live());
  BATON_RETURN_IF_ERROR(StopAndProve(context, patience));
  return std::string("stopped; clients are refused");
}

}  // namespace baton::chat
