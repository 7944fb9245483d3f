#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>

#include "rlhf/feedback/store.h"
#include "tests/core/scratch_folder.h"
#include "tests/feedback/questions.h"

namespace rlhf::feedback {
namespace {

/// Another program with the same file open.
class Intruder {
 public:
  explicit Intruder(const std::filesystem::path& path) { sqlite3_open(path.c_str(), &handle_); }
  ~Intruder() { sqlite3_close(handle_); }
  int run(const char* sql) { return sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr); }

 private:
  sqlite3* handle_ = nullptr;
};

TEST(StoreErrors, Locked) {
  ScratchFolder folder;
  auto store = Store::open(folder / "a.db", {.busy = std::chrono::milliseconds(50)});
  Intruder intruder(folder / "a.db");
  ASSERT_EQ(intruder.run("BEGIN IMMEDIATE"), SQLITE_OK);
  const auto error = error_of([&] { store.publish(questions_of(1)); });
  EXPECT_EQ(error.category(), Category::resource);
  EXPECT_EQ(error.problem(), "another process has been writing to it for too long");
  intruder.run("COMMIT");
  EXPECT_EQ(store.publish(questions_of(1)), 1);
}

TEST(StoreErrors, Full) {
  ScratchFolder folder;
  auto store = Store::open(folder / "a.db", {.max_bytes = 100 * 4096});
  const auto error = error_of([&] {
    for (int i = 0; i < 1000; ++i) store.publish(question_of("q" + std::to_string(i), {std::string(5000, 'x'), "b"}));
  });
  EXPECT_EQ(error.category(), Category::resource);
  EXPECT_EQ(error.problem(), "there is no room for more: the disk is full, or the store has reached its size limit");
  const auto kept = store.counts().questions;
  EXPECT_GT(kept, 10);
  EXPECT_EQ(Store::open(folder / "a.db").counts().questions, kept);
}

TEST(StoreErrors, ReadOnly) {
  ScratchFolder folder;
  Store::open(folder / "a.db").publish(questions_of(1));
  auto store = Store::open(folder / "a.db", {.read_only = true});
  EXPECT_EQ(store.counts().questions, 1);
  const auto error = error_of([&] { store.publish(questions_of(2)); });
  EXPECT_EQ(error.category(), Category::resource);
  EXPECT_EQ(error.problem(), "it is open for reading only, or its folder cannot be written to");
}

TEST(StoreErrors, NoSuchFolder) {
  ScratchFolder folder;
  const auto error = error_of([&] { Store::open(folder / "gone" / "a.db"); });
  EXPECT_EQ(error.category(), Category::resource);
  EXPECT_EQ(error.problem(), "the file cannot be opened");
}

TEST(StoreErrors, DamagedFile) {
  ScratchFolder folder;
  std::ofstream(folder / "text.db") << std::string(10000, 'x');
  const auto no_database = error_of([&] { Store::open(folder / "text.db"); });
  EXPECT_EQ(no_database.category(), Category::bad_data);
  EXPECT_EQ(no_database.problem(), "it is damaged, or no feedback store (file is not a database)");

  Store::open(folder / "a.db").publish(questions_of(200));
  std::fstream file(folder / "a.db", std::ios::in | std::ios::out | std::ios::binary);
  for (int page = 1; page < 20; ++page) file.seekp(page * 4096) << std::string(2000, '\xAB');
  file.close();
  const auto damaged = error_of([&] {
    auto store = Store::open(folder / "a.db");
    store.read(0);
    store.publish(question_of("new", {"a", "b"}));
  });
  EXPECT_EQ(damaged.category(), Category::bad_data);
}

TEST(StoreErrors, AnotherProgramsDatabaseIsLeftAlone) {
  ScratchFolder folder;
  ASSERT_EQ(Intruder(folder / "a.db").run("CREATE TABLE mine (x)"), SQLITE_OK);
  std::ifstream before_file(folder / "a.db", std::ios::binary);
  const std::string before((std::istreambuf_iterator<char>(before_file)), {});
  const auto error = error_of([&] { Store::open(folder / "a.db"); });
  EXPECT_EQ(error.problem(), "this is an SQLite file of another program, not a feedback store");
  std::ifstream after_file(folder / "a.db", std::ios::binary);
  EXPECT_EQ(std::string((std::istreambuf_iterator<char>(after_file)), {}), before);
}

TEST(StoreErrors, ANewerStore) {
  ScratchFolder folder;
  { Store::open(folder / "a.db"); }
  ASSERT_EQ(Intruder(folder / "a.db").run("PRAGMA user_version = 7"), SQLITE_OK);
  const auto error = error_of([&] { Store::open(folder / "a.db"); });
  EXPECT_EQ(error.category(), Category::bad_data);
  EXPECT_EQ(error.problem(), "the store has version 7; this program knows versions up to 2");
}

TEST(StoreErrors, TheLogCannotBeRewritten) {
  ScratchFolder folder;
  Store::open(folder / "a.db").publish(questions_of(1));
  Intruder intruder(folder / "a.db");
  EXPECT_EQ(intruder.run("UPDATE events SET body = ''"), SQLITE_CONSTRAINT);
  EXPECT_EQ(intruder.run("DELETE FROM events"), SQLITE_CONSTRAINT);
}

}  // namespace
}  // namespace rlhf::feedback
