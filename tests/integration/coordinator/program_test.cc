// The program as its operator meets it: what it says and how it exits.
#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace baton {
namespace {

// A socket that listens on a free port of 127.0.0.1.
struct Listener {
  Listener() : fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(listen(fd, 1), 0);
    EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port = ntohs(address.sin_port);
  }
  ~Listener() { close(fd); }
  int fd;
  int port = 0;
};

// One run of baton-coordinator, with what it writes to standard error.
class Program {
 public:
  explicit Program(const std::vector<std::string>& arguments) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDERR_FILENO);
      close(ends[0]);
      close(ends[1]);
      std::string path = BATON_BIN_DIR "/baton-coordinator";
      std::vector<std::string> words = arguments;
      std::vector<char*> argv = {path.data()};
      for (std::string& word : words) argv.push_back(word.data());
      argv.push_back(nullptr);
      execv(path.c_str(), argv.data());
      _exit(127);
    }
    close(ends[1]);
    out_ = ends[0];
  }
  ~Program() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(out_);
  }

  // Reads until `text` was written; false when the program ended before.
  bool Says(const std::string& text) {
    char c;
    while (said_.find(text) == std::string::npos) {
      if (read(out_, &c, 1) != 1) return false;
      said_.push_back(c);
    }
    return true;
  }
  void Signal(int number) { kill(pid_, number); }
  int Exit() {
    Says("\x01");
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  const std::string& said() const { return said_; }

 private:
  pid_t pid_ = 0;
  int out_ = -1;
  std::string said_;
};

class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() {
    char name[] = "/tmp/baton-program-XXXXXX";
    directory_ = mkdtemp(name);
  }
  ~ProgramTest() override { std::filesystem::remove_all(directory_); }

  std::string Config(const std::string& listen, const std::string& journal) {
    const std::string path = directory_ + "/coordinator.conf";
    std::ofstream(path) << "listen = " << listen << "\njournal = " << journal << "\n";
    return path;
  }
  std::string Journal() { return directory_ + "/journal.db"; }
  // The kernel chooses; nobody has to know which.
  static constexpr char kAnyPort[] = "127.0.0.1:0";

  std::string directory_;
};

TEST_F(ProgramTest, EndsCleanlyWhenAskedAndStartsAgainOnItsJournal) {
  for (int round = 0; round < 2; ++round) {
    Program program({"--config", Config(kAnyPort, Journal())});
    ASSERT_TRUE(program.Says("listening on")) << program.said();
    program.Signal(round == 0 ? SIGTERM : SIGINT);
    EXPECT_EQ(program.Exit(), 0) << program.said();
  }
}

TEST_F(ProgramTest, StartsAgainAfterKill) {
  const std::string config = Config(kAnyPort, Journal());
  {
    Program program({"--config", config});
    ASSERT_TRUE(program.Says("listening on")) << program.said();
  }
  Program program({"--config", config});
  EXPECT_TRUE(program.Says("listening on")) << program.said();
}

TEST_F(ProgramTest, NamesWhatIsWrongWithItsConfiguration) {
  const std::string config = Config(kAnyPort, Journal());
  std::ofstream(config, std::ios::app) << "jurnal = /x\n";
  Program unknown({"--config", config});
  EXPECT_EQ(unknown.Exit(), 65);
  EXPECT_NE(unknown.said().find(config + ":3"), std::string::npos) << unknown.said();
  EXPECT_NE(unknown.said().find("jurnal"), std::string::npos) << unknown.said();
  Program open({"--config", Config("0.0.0.0:7400", Journal())});
  EXPECT_EQ(open.Exit(), 65);
  EXPECT_NE(open.said().find("loopback"), std::string::npos) << open.said();
  EXPECT_FALSE(std::filesystem::exists(Journal())) << "nothing is made before all is checked";
  EXPECT_EQ(Program({}).Exit(), 64);
}

TEST_F(ProgramTest, ASecondOneOnTheSameJournalIsRefused) {
  const std::string config = Config(kAnyPort, Journal());
  Program first({"--config", config});
  ASSERT_TRUE(first.Says("listening on")) << first.said();
  Program second({"--config", config});
  EXPECT_EQ(second.Exit(), 69);
  EXPECT_NE(second.said().find("another coordinator"), std::string::npos) << second.said();
}

TEST_F(ProgramTest, APortInUseIsNamed) {
  const Listener taken;
  const std::string listen = absl::StrCat("127.0.0.1:", taken.port);
  Program program({"--config", Config(listen, Journal())});
  EXPECT_EQ(program.Exit(), 69);
  EXPECT_NE(program.said().find(listen + " cannot be bound"), std::string::npos) << program.said();
}

TEST_F(ProgramTest, ADamagedJournalIsLeftAsItIs) {
  std::ofstream(Journal()) << std::string(8192, 'x');
  Program program({"--config", Config(kAnyPort, Journal())});
  EXPECT_EQ(program.Exit(), 65);
  EXPECT_NE(program.said().find("baton adopt"), std::string::npos) << program.said();
  EXPECT_EQ(std::filesystem::file_size(Journal()), 8192u);
}

}  // namespace
}  // namespace baton
