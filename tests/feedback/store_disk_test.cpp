#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "rlhf/feedback/store.h"
#include "tests/core/scratch_folder.h"
#include "tests/feedback/faulty_disk.h"
#include "tests/feedback/questions.h"

namespace rlhf::feedback {
namespace {

using std::chrono::seconds;
using Acknowledged = std::map<std::int64_t, std::string>;  // number -> id of the question

/// Every answer that was acknowledged is there; returns how many are not.
std::size_t lost(const Store& store, const Acknowledged& acknowledged) {
  Acknowledged found;
  for (const auto& event : store.read(0, 100000)) {
    if (std::holds_alternative<Answer>(event.body)) found[event.sequence] = event.question;
  }
  std::size_t missing = 0;
  for (const auto& [sequence, question] : acknowledged) {
    const auto at = found.find(sequence);
    missing += at == found.end() || at->second != question ? 1 : 0;
  }
  return missing;
}

/// No answer is there twice, and the queue agrees with the log.
void expect_consistent(const Store& store) {
  std::set<std::string> answered;
  for (const auto& event : store.read(0, 100000)) {
    if (!std::holds_alternative<Answer>(event.body)) continue;
    EXPECT_TRUE(answered.insert(event.question).second) << event.question << " was answered twice";
  }
  const auto counts = store.counts();
  EXPECT_EQ(counts.answers, std::ssize(answered));
  EXPECT_EQ(counts.open, counts.questions - counts.answers);
}

struct Cuts {
  int cuts = 0;
  std::size_t acknowledged = 0, lost = 0;
  int unreadable = 0;
};

/// Two annotators answer; the power is cut again and again at any moment, and each time what the disk would hold is
/// looked at.
Cuts cut_while_labelling(bool disk_lies) {
  ScratchFolder folder;
  FaultyDisk disk;
  auto store = Store::open((folder / "a.db").string());
  store.publish(questions_of(2000));
  disk.lies = disk_lies;
  std::mutex mutex;
  Acknowledged acknowledged;
  std::atomic<bool> over = false;
  std::vector<std::thread> annotators;
  for (const auto* name : {"ann", "bob"}) {
    annotators.emplace_back([&, name] {
      while (!over) {
        const auto assignment = store.lease({name, Source::human}, seconds(60));
        if (!assignment) return;
        const auto number = store.answer(*assignment, Comparison{.best = 1});
        const std::lock_guard guard(mutex);
        acknowledged[number] = assignment->question.id;
      }
    });
  }
  std::mt19937 random(7);
  Cuts result;
  for (; result.cuts < 10; ++result.cuts) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    const auto found = folder / ("cut" + std::to_string(result.cuts));
    Acknowledged before;
    {
      const std::lock_guard guard(mutex);
      before = acknowledged;
    }
    disk.cut_power(folder.path(), found, [&] { return random() % 2 == 0; });
    result.acknowledged = before.size();
    try {
      const auto after = Store::open((found / "a.db").string());
      result.lost += lost(after, before);
      if (!disk_lies) expect_consistent(after);
    } catch (const Error&) {
      ++result.unreadable;
    }
  }
  over = true;
  for (auto& each : annotators) each.join();
  return result;
}

TEST(StoreOnAFaultyDisk, WhatWasAcknowledgedSurvivesAPowerCut) {
  const auto result = cut_while_labelling(false);
  EXPECT_GT(result.acknowledged, 50u);
  EXPECT_EQ(result.unreadable, 0);
  EXPECT_EQ(result.lost, 0u);
}

TEST(StoreOnAFaultyDisk, WithoutTheSyncTheyWouldBeLost) {  // or the test above would prove nothing
  const auto result = cut_while_labelling(true);
  EXPECT_GT(result.lost + static_cast<std::size_t>(result.unreadable), 0u);
}

struct Fault {
  const char* name;
  FaultyDisk::Operation operation;
  int code;
};

class StoreFault : public testing::TestWithParam<Fault> {};

/// The disk fails at the n-th operation of a kind, for every n that occurs; the program goes on with the same store.
TEST_P(StoreFault, NothingAcknowledgedIsLostAndWorkGoesOn) {
  const auto& failure = GetParam();
  int failed = 0;
  for (int n = 1; n <= 40; ++n) {
    ScratchFolder folder;
    FaultyDisk disk;
    auto store = Store::open((folder / "a.db").string());
    store.publish(questions_of(6));
    std::atomic<int> left = n;
    disk.fault = [&](FaultyDisk::Operation operation) {
      return operation == failure.operation && --left == 0 ? failure.code : SQLITE_OK;
    };
    Acknowledged acknowledged;
    int errors = 0;
    for (int tries = 0; tries < 40; ++tries) {
      try {
        const auto assignment = store.lease({"ann", Source::human}, seconds(60));
        if (!assignment && store.held({"ann", Source::human}).empty()) break;
        const auto work = assignment ? *assignment : store.held({"ann", Source::human}).front();
        acknowledged[store.answer(work, Comparison{.best = 0})] = work.question.id;
      } catch (const Error& error) {
        ++errors;
        EXPECT_TRUE(error.category() == Category::resource) << error.what();
        EXPECT_FALSE(error.fix().empty()) << error.what();
      }
    }
    disk.fault = nullptr;
    failed += errors;
    EXPECT_LE(errors, 1) << "operation " << n;
    EXPECT_EQ(acknowledged.size(), 6u) << "operation " << n;
    expect_consistent(store);
    EXPECT_EQ(lost(Store::open((folder / "a.db").string()), acknowledged), 0u) << "operation " << n;
  }
  EXPECT_GT(failed, 0) << "no operation of this kind ever failed";
}

INSTANTIATE_TEST_SUITE_P(Disk, StoreFault,
                         testing::Values(Fault{"ShortWrite", FaultyDisk::Operation::write, SQLITE_IOERR_WRITE},
                                         Fault{"FullDisk", FaultyDisk::Operation::write, SQLITE_FULL},
                                         Fault{"FailedSync", FaultyDisk::Operation::sync, SQLITE_IOERR_FSYNC},
                                         Fault{"FailedRead", FaultyDisk::Operation::read, SQLITE_IOERR_READ}),
                         [](const auto& fault) { return std::string(fault.param.name); });

}  // namespace
}  // namespace rlhf::feedback
