#include "agent/guard/archive.h"

#include <filesystem>
#include <fstream>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "agent/guard/archived_file.h"
#include "agent/guard/share.h"
#include "common/os/file.h"
#include "guard_world.h"

namespace baton {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kSegment[] = "000000010000000000000003";
constexpr char kNext[] = "000000010000000000000004";
constexpr uint64_t kMiB = 1 << 20;

class ArchiveTest : public ::testing::Test {
 protected:
  ArchiveTest() { world_.Write(world_.Open(3)); }

  std::string Folder(const std::string& root, const Lineage& lineage) const {
    return LineageFolder(world_.config(), world_.root() + root, lineage);
  }
  std::string ShippedTo() const { return Folder("/home", *world_.Open(3).write); }
  // As another host's instance would have shipped it to its share.
  void ShipFromAfar(const Lineage& lineage, const std::string& name, char fill) const {
    const std::string root = lineage.share.value() == "dr" ? "/dr" : "/home";
    ASSERT_TRUE(
        PublishFile(world_.Log(name, fill), Folder(root, lineage), name, std::nullopt, nullptr)
            .ok());
  }
  void Follow(std::vector<Lineage> fetch) {
    FenceRecord record = world_.InPhase(FencePhase::kClosed, 9);
    record.write.reset();
    record.fetch = std::move(fetch);
    world_.Write(record);
  }
  absl::Status Fetch(const std::string& name) const {
    return FetchLogFile(world_.config(), name, world_.root() + "/target");
  }
  std::string Target() const { return world_.Get(world_.root() + "/target"); }

  GuardWorld world_;
  const Lineage afar_ = GuardWorld::MakeLineage(7, "dr-sql1", "dr");
};

using PushTest = ArchiveTest;
using FetchTest = ArchiveTest;
using CopyTest = ArchiveTest;

TEST_F(PushTest, ShipsWholeFilesWithTheirChecksum) {
  ASSERT_TRUE(PushLogFile(world_.config(), world_.Log(kSegment, 'a')).ok());
  EXPECT_EQ(world_.Get(ShippedTo() + "/" + kSegment), std::string(kMiB, 'a'));
  EXPECT_EQ(ReadFileSum(ShippedTo(), kSegment)->bytes, kMiB);
  EXPECT_THAT(*ListDirectory(ShippedTo(), 10),
              ElementsAre(kSegment, absl::StrCat(kSegment, ".sum")));
}

TEST_F(PushTest, SameBytesAgainSucceedOtherBytesNever) {
  const std::string path = world_.Log(kSegment, 'a');
  ASSERT_TRUE(PushLogFile(world_.config(), path).ok());
  EXPECT_TRUE(PushLogFile(world_.config(), path).ok());
  world_.Log(kSegment, 'b');
  EXPECT_TRUE(absl::IsAlreadyExists(PushLogFile(world_.config(), path)));
  EXPECT_EQ(world_.Get(ShippedTo() + "/" + kSegment), std::string(kMiB, 'a'));
}

TEST_F(PushTest, FinishesWhatACrashLeftAfterTheClaim) {
  const std::string path = world_.Log(kSegment, 'a');
  ASSERT_TRUE(PushLogFile(world_.config(), path).ok());
  std::filesystem::remove(ShippedTo() + "/" + kSegment);
  EXPECT_TRUE(PushLogFile(world_.config(), path).ok());
  EXPECT_EQ(world_.Get(ShippedTo() + "/" + kSegment), std::string(kMiB, 'a'));
}

TEST_F(PushTest, FindsThatTheShippedBytesWereDamaged) {
  const std::string path = world_.Log(kSegment, 'a');
  ASSERT_TRUE(PushLogFile(world_.config(), path).ok());
  world_.Put(ShippedTo() + "/" + kSegment, std::string(kMiB, 'x'));
  EXPECT_TRUE(absl::IsDataLoss(PushLogFile(world_.config(), path)));
}

TEST_F(PushTest, ShipsWhileUnconfirmedOrClosingAndNeverWhenClosedOrUnreadable) {
  const std::string path = world_.Log(kSegment, 'a');
  for (const FencePhase phase : {FencePhase::kUnconfirmed, FencePhase::kClosing}) {
    world_.Write(world_.InPhase(phase, 3));
    EXPECT_TRUE(PushLogFile(world_.config(), path).ok()) << ToString(phase);
  }
  world_.Write(world_.InPhase(FencePhase::kClosed, 3));
  EXPECT_TRUE(absl::IsFailedPrecondition(PushLogFile(world_.config(), path)));
  world_.Put(world_.config().fence_file, "garbage");
  EXPECT_TRUE(absl::IsFailedPrecondition(PushLogFile(world_.config(), path)));
  std::filesystem::remove(world_.config().fence_file);
  EXPECT_TRUE(absl::IsFailedPrecondition(PushLogFile(world_.config(), path)));
}

TEST_F(PushTest, IsNotCountedWhenTheFenceClosedMeanwhile) {
  const std::string path = world_.root() + "/log/" + kSegment;
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);  // the push waits for these bytes
  const pid_t pusher =
      world_.Spawn({world_.guard(), "archive-push", world_.config_file(), path}, "push.log");
  {
    std::ofstream bytes(path, std::ios::binary);
    bytes << std::string(kMiB / 2, 'a') << std::flush;
    world_.Write(world_.InPhase(FencePhase::kClosed, 4));
    bytes << std::string(kMiB / 2, 'a');
  }
  EXPECT_EQ(WEXITSTATUS(world_.Wait(pusher)), 109) << world_.Get(world_.root() + "/push.log");
}

TEST_F(PushTest, IsNotCountedWhenTheLineageChangedMeanwhile) {
  const std::string path = world_.root() + "/log/" + kSegment;
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const pid_t pusher =
      world_.Spawn({world_.guard(), "archive-push", world_.config_file(), path}, "push.log");
  {
    std::ofstream bytes(path, std::ios::binary);
    world_.Write(world_.Open(5));
    bytes << std::string(kMiB, 'a');
  }
  EXPECT_EQ(WEXITSTATUS(world_.Wait(pusher)), 109);
}

TEST_F(PushTest, GoesOnWithoutAShareThatHangs) {
  const std::string path = world_.root() + "/log/" + kSegment;
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);  // nobody ever writes into it
  ResourceConfig config = world_.config();
  config.share_timeout = absl::Milliseconds(100);
  EXPECT_TRUE(absl::IsUnavailable(PushLogFile(config, path)));
}

TEST_F(PushTest, AnUnmountedShareIsNotWrittenTo) {
  std::filesystem::remove(world_.root() + "/home/.baton-share");
  const absl::Status status = PushLogFile(world_.config(), world_.Log(kSegment, 'a'));
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("not mounted"));
  EXPECT_THAT(*ListDirectory(world_.root() + "/home", 10), ElementsAre());
  world_.Put(world_.root() + "/home/.baton-share", "dr\n");
  EXPECT_TRUE(absl::IsUnavailable(PushLogFile(world_.config(), world_.Log(kSegment, 'a'))));
}

TEST_F(PushTest, AFullShareFailsAndKeepsNothingHalfDone) {
  const std::string share = world_.root() + "/home";
  if (mount("tmpfs", share.c_str(), "tmpfs", 0, "size=256k") != 0) {
    GTEST_SKIP() << "mounting needs root";
  }
  world_.Put(share + "/.baton-share", "home\n");
  const absl::Status status = PushLogFile(world_.config(), world_.Log(kSegment, 'a'));
  const absl::StatusOr<std::vector<std::string>> left = ListDirectory(ShippedTo(), 10);
  EXPECT_EQ(umount2(share.c_str(), MNT_DETACH), 0);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_THAT(*left, ElementsAre());
}

TEST_F(PushTest, AnEmptyFolderOnThisHostsOwnDiskIsNotMarkedAsAShare) {
  const std::string marker = world_.root() + "/home/.baton-share";
  std::filesystem::remove(marker);
  const absl::Status status = PrepareShare(world_.config());
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("mount it and ask again"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("echo home > " + marker));
  EXPECT_THAT(*ListDirectory(world_.root() + "/home", 10), ElementsAre());
  world_.Put(marker, "home\n");
  EXPECT_TRUE(PrepareShare(world_.config()).ok()) << "an operator's word that it is meant";
}

TEST_F(PushTest, AnEmptyMountedShareIsMarked) {
  const std::string share = world_.root() + "/home";
  std::filesystem::remove(share + "/.baton-share");
  if (mount("tmpfs", share.c_str(), "tmpfs", 0, "size=256k") != 0) {
    GTEST_SKIP() << "mounting needs root";
  }
  const absl::Status status = PrepareShare(world_.config());
  const std::string marker = world_.Get(share + "/.baton-share");
  EXPECT_EQ(umount2(share.c_str(), MNT_DETACH), 0);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(marker, "home\n");
}

TEST_F(PushTest, RefusesWhatIsNoLogFile) {
  world_.Put(world_.root() + "/log/passwd", "x");
  EXPECT_TRUE(absl::IsInvalidArgument(PushLogFile(world_.config(), world_.root() + "/log/passwd")));
  EXPECT_TRUE(absl::IsInvalidArgument(PushLogFile(world_.config(), "/etc/..")));
  EXPECT_TRUE(absl::IsNotFound(
      PushLogFile(world_.config(), world_.root() + "/log/00000001000000000000000A")));
}

TEST_F(PushTest, OfTwoWritersOfOtherBytesExactlyOneSucceeds) {
  std::filesystem::create_directory(world_.root() + "/other");
  for (int i = 0; i < 20; ++i) {
    const std::string name = absl::StrCat("0000000100000000000000", 10 + i);
    const std::string one = world_.Log(name, 'a');
    const std::string two = world_.root() + "/other/" + name;
    world_.Put(two, std::string(kMiB, 'b'));
    std::vector<int> codes;
    const pid_t first =
        world_.Spawn({world_.guard(), "archive-push", world_.config_file(), one}, "push.log");
    const pid_t second =
        world_.Spawn({world_.guard(), "archive-push", world_.config_file(), two}, "push.log");
    codes.push_back(WEXITSTATUS(world_.Wait(first)));
    codes.push_back(WEXITSTATUS(world_.Wait(second)));
    EXPECT_THAT(codes, ::testing::UnorderedElementsAre(0, 106));
    EXPECT_TRUE(PublishedBytes(ShippedTo(), name).ok());
    EXPECT_TRUE(RestoreFile(ShippedTo(), name, world_.root() + "/target").ok());
    EXPECT_EQ(Target()[0], codes[0] == 0 ? 'a' : 'b');
  }
}

TEST_F(FetchTest, CopiesFromTheShareFirstAndServesFromTheCopyAfterwards) {
  ShipFromAfar(afar_, kSegment, 'a');
  Follow({afar_});
  ASSERT_TRUE(Fetch(kSegment).ok());
  EXPECT_EQ(Target(), std::string(kMiB, 'a'));
  std::filesystem::remove_all(world_.root() + "/dr");
  std::filesystem::remove(world_.root() + "/target");
  ASSERT_TRUE(Fetch(kSegment).ok());
  EXPECT_EQ(Target(), std::string(kMiB, 'a'));
}

TEST_F(FetchTest, WhatIsNotThereYetIsNotFound) {
  Follow({afar_});
  EXPECT_TRUE(absl::IsNotFound(Fetch(kSegment)));
  EXPECT_TRUE(absl::IsNotFound(Fetch("00000002.history")));
  Follow({});
  EXPECT_TRUE(absl::IsNotFound(Fetch(kSegment)));
}

TEST_F(FetchTest, AnUnmountedShareIsNotAnAbsentFile) {
  Follow({afar_});
  std::filesystem::remove(world_.root() + "/dr/.baton-share");
  const absl::Status status = Fetch(kSegment);
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("dr"), HasSubstr("not mounted")));
}

TEST_F(FetchTest, ASealedLineageServesUpToItsSealEvenFromTheCopy) {
  Lineage sealed = afar_;
  ShipFromAfar(afar_, kSegment, 'a');
  ShipFromAfar(afar_, kNext, 'b');
  Follow({afar_});
  ASSERT_TRUE(Fetch(kNext).ok());  // copied before the seal was known
  sealed.sealed = LogPosition{1, 4 * kMiB - 1};
  Follow({sealed});
  EXPECT_TRUE(Fetch(kSegment).ok());
  EXPECT_TRUE(absl::IsNotFound(Fetch(kNext)));
  sealed.sealed = LogPosition{1, 4 * kMiB};
  Follow({sealed});
  EXPECT_TRUE(Fetch(kNext).ok());
}

// A server that dies before its fence is open must find again what it had followed, and nothing
// that comes later or has to be waited for.
TEST_F(FetchTest, WhoWasGivenTheRightFindsWhatWasSealedAndCopied) {
  Lineage sealed = afar_;
  sealed.sealed = LogPosition{1, 5 * kMiB - 1};
  ShipFromAfar(afar_, kSegment, 'a');
  ShipFromAfar(afar_, kNext, 'b');
  Follow({sealed});
  ASSERT_TRUE(Fetch(kSegment).ok());
  for (const FencePhase phase : {FencePhase::kUnconfirmed, FencePhase::kClosing}) {
    FenceRecord record = world_.InPhase(phase, 10);
    ASSERT_TRUE(record.write.has_value());
    record.fetch = {sealed};
    world_.Write(record);
    EXPECT_TRUE(Fetch(kSegment).ok());
    EXPECT_TRUE(absl::IsNotFound(Fetch(kNext))) << "it is on the share alone";
    record.fetch = {afar_};
    world_.Write(record);
    EXPECT_TRUE(absl::IsNotFound(Fetch(kSegment))) << "its lineage still grows";
  }
}

// Its primary was adopted anew between the two: no position seals what it had shipped before, and
// nothing is added to it any more.
TEST_F(FetchTest, WhoWasGivenTheRightFindsWhatCameBeforeTheSealedLineage) {
  Lineage later = GuardWorld::MakeLineage(8, "dr-sql1", "dr");
  later.sealed = LogPosition{1, 5 * kMiB - 1};
  const Lineage growing = GuardWorld::MakeLineage(9, "dr-sql1", "dr");
  ShipFromAfar(afar_, kSegment, 'a');
  ShipFromAfar(growing, kNext, 'c');
  Follow({afar_, later, growing});
  ASSERT_TRUE(Fetch(kSegment).ok());
  ASSERT_TRUE(Fetch(kNext).ok());
  FenceRecord record = world_.InPhase(FencePhase::kUnconfirmed, 10);
  record.fetch = {afar_, later, growing};
  world_.Write(record);
  EXPECT_TRUE(Fetch(kSegment).ok());
  EXPECT_EQ(Target()[0], 'a');
  EXPECT_TRUE(absl::IsNotFound(Fetch(kNext))) << "its lineage still grows";
}

TEST_F(FetchTest, TheNewestLineageComesFirst) {
  const Lineage newer = GuardWorld::MakeLineage(8, "home-sql1", "home");
  ShipFromAfar(afar_, kSegment, 'a');
  ShipFromAfar(newer, kSegment, 'b');
  Follow({afar_, newer});
  ASSERT_TRUE(Fetch(kSegment).ok());
  EXPECT_EQ(Target()[0], 'b');
}

TEST_F(FetchTest, AnUnreachableNewerLineageIsNotPassedOver) {
  ShipFromAfar(afar_, kSegment, 'a');
  Follow({afar_});
  ASSERT_TRUE(Fetch(kSegment).ok());
  Follow({afar_, GuardWorld::MakeLineage(8, "home-sql1", "home")});
  std::filesystem::remove(world_.root() + "/home/.baton-share");
  EXPECT_TRUE(absl::IsUnavailable(Fetch(kSegment)));
}

TEST_F(FetchTest, DamagedBytesAreNeverServed) {
  ShipFromAfar(afar_, kSegment, 'a');
  Follow({afar_});
  std::string bytes(kMiB, 'a');
  bytes[12345] = 'b';
  world_.Put(Folder("/dr", afar_) + "/" + kSegment, bytes);
  EXPECT_TRUE(absl::IsDataLoss(Fetch(kSegment)));
  EXPECT_FALSE(*Exists(world_.root() + "/target"));
  EXPECT_TRUE(absl::IsNotFound(PublishedBytes(Folder("/copied", afar_), kSegment).status()));
  world_.Put(Folder("/dr", afar_) + "/" + kSegment, std::string(kMiB, 'a'));
  ASSERT_TRUE(Fetch(kSegment).ok());
  world_.Put(Folder("/copied", afar_) + "/" + kSegment, bytes);
  std::filesystem::remove(world_.root() + "/target");
  EXPECT_TRUE(absl::IsDataLoss(Fetch(kSegment)));
  EXPECT_FALSE(*Exists(world_.root() + "/target"));
}

TEST_F(FetchTest, AShareThatTheResourceFileDoesNotKnowIsNamed) {
  Follow({GuardWorld::MakeLineage(8, "far-sql1", "moon")});
  const absl::Status status = Fetch(kSegment);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("share.moon"));
}

TEST_F(CopyTest, CopiesWhatTheSealsServeAndTellsHowMuch) {
  Lineage sealed = afar_;
  sealed.sealed = LogPosition{1, 3 * kMiB};
  const Lineage newer = GuardWorld::MakeLineage(8, "home-sql1", "home");
  ShipFromAfar(afar_, kSegment, 'a');
  ShipFromAfar(afar_, kNext, 'b');
  ShipFromAfar(newer, "00000002.history", 'h');
  ShipFromAfar(newer, "000000010000000000000003.partial", 'p');
  uint64_t done = 0;
  uint64_t total = 0;
  const absl::StatusOr<uint64_t> copied = CopyPendingLogFiles(
      world_.config(), {sealed, newer}, [&](uint64_t d, uint64_t t) { done = d, total = t; });
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_EQ(*copied, 2 * kMiB);
  EXPECT_EQ(done, 2 * kMiB);
  EXPECT_EQ(total, 2 * kMiB);
  const std::string copies = world_.config().copy_destination;
  EXPECT_TRUE(*Exists(LineageFolder(world_.config(), copies, sealed) + "/" + kSegment));
  EXPECT_FALSE(*Exists(LineageFolder(world_.config(), copies, sealed) + "/" + kNext));
  EXPECT_TRUE(*Exists(LineageFolder(world_.config(), copies, newer) + "/00000002.history"));
  EXPECT_EQ(*CopyPendingLogFiles(world_.config(), {sealed, newer}, nullptr), 0u);
}

TEST_F(CopyTest, AnUnmountedShareLooksDrainedToNobody) {
  std::filesystem::remove(world_.root() + "/dr/.baton-share");
  EXPECT_TRUE(absl::IsUnavailable(CopyPendingLogFiles(world_.config(), {afar_}, nullptr).status()));
}

TEST_F(ArchiveTest, CheckFindsAMissingShare) {
  EXPECT_TRUE(CheckShares(world_.config()).ok());
  std::filesystem::remove(world_.root() + "/dr/.baton-share");
  const absl::Status status = CheckShares(world_.config());
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("share dr"));
}

// Each history names every timeline before it: what is known already must not crowd out what is
// new, since a child at work on a share can say little.
TEST_F(ArchiveTest, ListsWhatIsNewHoweverManyMovesThereWereBefore) {
  std::vector<Lineage> fetch;
  std::string history;
  for (uint32_t timeline = 2; timeline <= 60; ++timeline) {
    fetch.push_back(GuardWorld::MakeLineage(timeline, "dr-sql1", "dr"));
    absl::StrAppend(&history, timeline - 1, "\t0/", timeline, "00000\tno recovery target\n");
    const std::string name = absl::StrFormat("%08X.history", timeline);
    world_.Put(world_.root() + "/" + name, history);
    ASSERT_TRUE(PublishFile(world_.root() + "/" + name, Folder("/dr", fetch.back()), name,
                            std::nullopt, nullptr)
                    .ok());
  }
  const std::string next = "0000003C0000000000000070";
  ShipFromAfar(fetch.back(), next, 'n');
  const auto listed = ListLogFiles(world_.config(), fetch, "0000003B0000000000000060", true);
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_EQ(*listed, "fork 58 60 100663296\nrun 58 60 112 112");
}

}  // namespace
}  // namespace baton
