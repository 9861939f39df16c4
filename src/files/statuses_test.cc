#include "files/statuses.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "capability/test_directory.h"

namespace nono::files {
namespace {

class StatusesTest : public ::testing::Test {
 protected:
  // Files of 0, 1, 2 ... bytes.
  std::vector<std::string> make(std::size_t count) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) {
      names.push_back("f" + std::to_string(i));
      directory_.file(names.back(), std::string(i, 'x'));
    }
    return names;
  }
  [[nodiscard]] Fd opened() const { return Fd(::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); }

  static void expect_all(const std::vector<FileStatus>& found, std::size_t count) {
    ASSERT_EQ(found.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_TRUE(S_ISREG(found[i].mode)) << i;
      EXPECT_EQ(found[i].size, i);
    }
  }

  capability::TestDirectory directory_;
};

TEST_F(StatusesTest, AreFoundWithoutHelp) {
  for (const std::size_t count : {0U, 1U, 8U, 9U, 100U}) {
    Statuses statuses;
    statuses.begin(opened(), make(count));
    expect_all(statuses.finish(), count);
  }
}

TEST_F(StatusesTest, AreTheSameWithHelpWheneverItComes) {
  constexpr std::size_t kCount = 60;
  const auto names = make(kCount);
  for (int round = 0; round < 300; ++round) {
    const auto statuses = std::make_shared<Statuses>();
    std::thread helper([statuses, round] {
      if (round % 3 != 0) std::this_thread::sleep_for(std::chrono::microseconds(round));
      statuses->help();
    });
    statuses->begin(opened(), names);
    if (round % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(round));
    expect_all(statuses->finish(), kCount);
    helper.join();
    EXPECT_EQ(statuses->names(), names);
  }
}

TEST_F(StatusesTest, HaveOneHelperAtATime) {
  constexpr std::size_t kCount = 300;
  const auto names = make(kCount);
  for (int round = 0; round < 100; ++round) {
    const auto statuses = std::make_shared<Statuses>();
    std::thread early([statuses] { statuses->help(); });
    if (round % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(3 * round));
    statuses->begin(opened(), names);
    std::thread late([statuses] {
      if (statuses->wants_help()) statuses->help();
      statuses->help();
    });
    expect_all(statuses->finish(), kCount);
    early.join();
    late.join();
  }
}

TEST_F(StatusesTest, HelpThatFindsAllIsEnough) {
  constexpr std::size_t kCount = 60;
  Statuses statuses;
  statuses.begin(opened(), make(kCount));
  EXPECT_TRUE(statuses.help());
  EXPECT_FALSE(statuses.help());
  expect_all(statuses.finish(), kCount);
}

TEST_F(StatusesTest, HelpThatIsNotNeededEnds) {
  Statuses never_begun;
  EXPECT_FALSE(never_begun.help());
  Statuses over;
  over.begin(opened(), make(20));
  expect_all(over.finish(), 20);
  EXPECT_FALSE(over.help());
}

TEST_F(StatusesTest, TellOfWhatIsGoneAndOfLinks) {
  directory_.file("file", "abc");
  directory_.link("link", "file");
  directory_.directory("directory");
  Statuses statuses;
  statuses.begin(opened(), {"gone", "file", "link", "directory"});
  const auto found = statuses.finish();
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].mode, 0U);
  EXPECT_EQ(found[1].size, 3U);
  EXPECT_TRUE(S_ISLNK(found[2].mode));
  EXPECT_TRUE(S_ISDIR(found[3].mode));
}

}  // namespace
}  // namespace nono::files
