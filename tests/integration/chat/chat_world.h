// A real Prosody under a real supervisor, in front of a real PostgreSQL, for tests of the Prosody
// runner and probe. Everything lies in one temporary folder and ends with the object.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "absl/time/time.h"

#include "agent/chat/prosody_probe.h"
#include "agent/chat/prosody_runner.h"
#include "agent/core/host_ports.h"
#include "common/protocol/action.h"
#include "common/protocol/epoch.h"
#include "common/protocol/resource_config.h"
#include "common/runtime/system_clock.h"
#include "tests/integration/chat/chat_client.h"

namespace baton::test {

// Methods fail the current test when something does not work.
class ChatWorld {
 public:
  static constexpr char kDomain[] = "chat.example";
  static constexpr char kRoom[] = "lobby@rooms.chat.example";

  // The database "sql1" runs and has accounts; the chat server is stopped, fenced and points
  // nowhere. Changes a root process to an unprivileged user for good.
  ChatWorld();
  ~ChatWorld();
  ChatWorld(const ChatWorld&) = delete;
  ChatWorld& operator=(const ChatWorld&) = delete;

  const ResourceConfig& config() const { return config_; }
  FenceStore& fences() { return *fences_; }
  ServiceManager& service() { return *service_; }
  const Clock& clock() const { return clock_; }
  ProsodyRunner& runner() { return *runner_; }
  uint16_t c2s_port() const { return c2s_port_; }
  uint16_t control_port() const { return control_port_; }
  std::string folder() const { return folder_; }

  Epoch epoch{1, 1};

  // One action under `epoch`, to its outcome.
  Outcome Do(Action action, absl::Duration timeout = absl::Seconds(30));
  Outcome Look(Action action);
  Outcome Check(Action action);
  ChatObservation Observe();
  // PointAt sql1, then Activate.
  void Serve();

  std::unique_ptr<ChatClient> Join(const std::string& user);
  // Runs SQL in the chat database as the superuser; one line of output.
  std::string Sql(const std::string& sql);
  // kill -9 of every process of the database's, as when its host loses power.
  void KillDatabase();
  // After KillDatabase: it recovers and answers again.
  void RestartDatabase() { RunDatabase(); }
  // Stops them as they are: connections stay open, nothing answers any more.
  void FreezeDatabase();
  // False when it did not come to that in time.
  bool SqlBecomes(const std::string& sql, const std::string& wanted);
  // Sends bytes to the control endpoint and returns what comes back until it closes.
  std::string SendToControl(std::string_view bytes);

  void PrintLogs() const;

 private:
  void StartDatabase();
  void RunDatabase();
  void SignalDatabase(int signal);
  void WriteConfiguration();
  void MakeAccounts();
  void Supervise();
  void Await(pid_t* pid, int signal);

  SystemClock clock_;
  std::string folder_;
  std::string plugin_;
  std::string template_;
  uint16_t database_port_ = 0;
  uint16_t c2s_port_ = 0;
  uint16_t control_port_ = 0;
  uint64_t commands_ = 0;
  pid_t database_ = 0;
  pid_t supervisor_ = 0;
  ResourceConfig config_;
  std::unique_ptr<FenceStore> fences_;
  std::unique_ptr<ServiceManager> service_;
  std::unique_ptr<ProsodyRunner> runner_;
  std::unique_ptr<ProsodyProbe> probe_;
};

}  // namespace baton::test
