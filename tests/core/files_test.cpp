#include "rlhf/core/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "rlhf/core/spelling.h"
#include "tests/core/scratch_folder.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// While it lives, no file of this process may grow beyond `bytes`: a full disk without a disk to fill.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(Files, WritesAndReads) {
  const ScratchFolder folder;
  const std::string bytes("a\0b\n", 4);
  write_file_atomic(folder / "x", bytes);
  EXPECT_EQ(read_file(folder / "x"), bytes);
  write_file_atomic(folder / "x", "");
  EXPECT_EQ(read_file(folder / "x"), "");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1)
      << "a temporary file is left";
  EXPECT_FALSE(read_file("/proc/self/status").empty()) << "files that claim to have no bytes";
}

TEST(Files, MissingOnesNameTheirNeighbours) {
  const ScratchFolder folder;
  for (const char* name : {"prompts.jsonl", "prompts.json", "other"}) std::ofstream(folder / name) << "x";
  const auto error = error_of([&] { read_file(folder / "promts.jsonl"); });
  EXPECT_EQ(error.category(), Category::bad_data);
  EXPECT_EQ(error.where(), (folder / "promts.jsonl").string());
  EXPECT_EQ(error.fix(), "In that folder there is: prompts.jsonl, prompts.json.");
  EXPECT_THAT(error_of([&] { read_file(folder / "no/x"); }).problem(),
              HasSubstr("the folder '" + (folder / "no").string() + "' does not exist"));
  EXPECT_THAT(error_of([&] { read_file(folder.path()); }).problem(), HasSubstr("this is a folder"));
}

TEST(Files, WhereNobodyMayWrite) {
  const auto error = error_of([] { write_file_atomic("/proc/x", "text"); });
  EXPECT_EQ(error.category(), Category::resource);
  EXPECT_THAT(error.what(), HasSubstr("/proc/x"));
  EXPECT_EQ(error_of([] { make_folder("/proc/x"); }).category(), Category::resource);
  EXPECT_EQ(error_of([] { read_file("/proc/self/mem"); }).category(), Category::resource);  // opens, but can't be read
}

TEST(Files, ADeviceIsNotReplacedByAFile) {
  const ScratchFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { write_file_atomic(folder / "pipe", "x"); }).category(), Category::resource);
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "pipe"));
}

TEST(Files, NoPermission) {
  const ScratchFolder folder;
  fs::permissions(folder.path(), fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
  write_file_atomic(folder / "secret", "x");
  fs::permissions(folder / "secret", fs::perms::none);
  const bool root = ::geteuid() == 0;  // may read everything: be somebody else for a moment
  if (root && ::seteuid(65534) != 0) GTEST_SKIP() << "root here may not change its user";
  const auto error = error_of([&] { read_file(folder / "secret"); });
  if (root) ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(error.category(), Category::resource);
  EXPECT_THAT(error.problem(), HasSubstr("Permission denied"));
  EXPECT_THAT(error.fix(), HasSubstr("permissions"));
}

TEST(Files, FullDisk) {
  AppendFile full("/dev/full");
  const auto error = error_of([&] { full.append("row\n"); });
  EXPECT_EQ(error.category(), Category::resource);
  EXPECT_THAT(error.problem(), HasSubstr("No space left on device"));
  EXPECT_THAT(error.fix(), HasSubstr("free there"));
}

TEST(Files, AFailedAtomicWriteLeavesTheOldFile) {
  const ScratchFolder folder;
  write_file_atomic(folder / "x", "old");
  {
    const FileSizeLimit limit(1000);
    EXPECT_EQ(error_of([&] { write_file_atomic(folder / "x", std::string(5000, 'n')); }).category(),
              Category::resource);
  }
  EXPECT_EQ(read_file(folder / "x"), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(Files, AFailedAppendLeavesWholeRows) {
  const ScratchFolder folder;
  AppendFile file(folder / "rows");
  file.append("first\n");
  {
    const FileSizeLimit limit(10);
    EXPECT_EQ(error_of([&] { file.append("second row\n"); }).category(), Category::resource);
  }
  EXPECT_EQ(read_file(folder / "rows"), "first\n");
  file.append("third\n");
  file.sync();
  EXPECT_EQ(read_file(folder / "rows"), "first\nthird\n");
  EXPECT_EQ(file.size(), 12U);
}

TEST(Files, AppendCutsToWhatIsKept) {
  const ScratchFolder folder;
  AppendFile(folder / "rows").append("one\ntwo\n");
  EXPECT_EQ(AppendFile(folder / "rows", 100).size(), 8U);
  EXPECT_EQ(AppendFile(folder / "rows", 4).size(), 4U);
  EXPECT_EQ(read_file(folder / "rows"), "one\n");
}

TEST(Files, FreeSpace) {
  const ScratchFolder folder;
  EXPECT_GT(free_bytes(folder / "not/yet/there"), 0U);
  require_free_bytes(folder.path(), 1, "a test");
  const auto error = error_of([&] { require_free_bytes(folder.path(), std::uint64_t{1} << 62, "a checkpoint"); });
  EXPECT_EQ(error.category(), Category::resource);
  EXPECT_THAT(error.problem(), HasSubstr("a checkpoint needs 4.0 EiB (4611686018427387904 bytes), and "));
}

TEST(Files, BytesAsText) {
  EXPECT_EQ(bytes_as_text(1023), "1023 B");
  EXPECT_EQ(bytes_as_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_as_text(std::uint64_t{3} << 30), "3.0 GiB");
}

// FIPS 180-2, B.1 and B.2.
TEST(Files, Sha256) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const ScratchFolder folder;
  const std::string large(3'000'000, 'a');
  write_file_atomic(folder / "x", large);
  EXPECT_EQ(sha256_file(folder / "x"), sha256(large));
}

TEST(Lock, OneHolderAtATime) {
  const ScratchFolder folder;
  {
    const Lock lock(folder / ".lock", "run folder a");
    const auto error = error_of([&] { Lock again(folder / ".lock", "run folder a"); });
    EXPECT_EQ(error.category(), Category::usage);
    EXPECT_EQ(error.where(), "run folder a");
    EXPECT_EQ(error.problem(), "in use by pid " + std::to_string(::getpid()));
  }
  const Lock free_again(folder / ".lock", "run folder a");
}

TEST(Lock, EndsWithItsProcess) {
  const ScratchFolder folder;
  const auto file = folder / ".lock";
  const pid_t child = ::fork();
  if (child == 0) {
    new Lock(file, "x");  // never released by the child: the system does it
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  const Lock lock(file, "x");
}

TEST(Spelling, Distances) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("ragne", "range"), 1U);  // two neighbours changed places
  const std::vector<std::string> names = {"epochs", "steps"};
  EXPECT_EQ(nearest("epoch", names), "epochs");
  EXPECT_EQ(nearest("zebra", names), std::nullopt);
}

}  // namespace
}  // namespace rlhf
