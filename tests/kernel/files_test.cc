// The file tools on their confined threads: what they may reach, many at once, in forks, at their end. What each tool answers
// is in tests/python/test_files.py and integrations/langchain/tests.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "capability/test_directory.h"
#include "files/edit.h"
#include "files/glob.h"
#include "files/grep.h"
#include "files/list.h"
#include "files/read.h"
#include "files/remove.h"
#include "files/tools.h"
#include "files/write.h"

namespace nono::files {
namespace {

using capability::AccessMode;

class Files : public ::testing::Test {
 protected:
  Files() : inside_(directory_.directory("inside")), outside_(directory_.directory("outside")) {
    directory_.file("outside/secret", "the secret");
  }

  [[nodiscard]] capability::CapabilitySet grants() const {
    capability::CapabilitySet set;
    EXPECT_TRUE(set.allow_path(inside_, AccessMode::kReadWrite));
    set.block_network();
    return set;
  }

  [[nodiscard]] static std::unique_ptr<Tools> tools_for(const capability::CapabilitySet& set) {
    auto tools = Tools::of(set, {});
    if (!tools) {
      ADD_FAILURE() << tools.error().message;
      return nullptr;
    }
    return *std::move(tools);
  }

  // What `tool` returns, of one call.
  template <class Tool>
  static auto call(Tools& tools, Purpose purpose, Tool tool) {
    std::promise<decltype(tool(std::declval<Crew&>(), std::declval<Reach&>()))> found;
    auto result = found.get_future();
    EXPECT_TRUE(tools.start(purpose, [&](Crew& crew, Reach& reach) { found.set_value(tool(crew, reach)); }));
    auto value = result.get();
    // Until the promise is out of use over there.
    std::promise<void> after;
    EXPECT_TRUE(tools.start(purpose, [&](Crew&, Reach&) { after.set_value(); }));
    after.get_future().wait();
    return value;
  }

  static std::string read(Tools& tools, const std::string& path) {
    const auto content = call(tools, Purpose::kReads, [&](Crew&, Reach& reach) { return read_all(reach, path); });
    return content ? *content : content.error().code;
  }
  static std::string write(Tools& tools, const std::string& path, const std::string& content) {
    const auto done = call(tools, Purpose::kChanges, [&](Crew&, Reach& reach) { return write_file(reach, path, content, Existing::kIsReplaced); });
    return done ? "" : done.error().code;
  }
  static std::string remove(Tools& tools, const std::string& path) {
    const auto done = call(tools, Purpose::kChanges, [&](Crew&, Reach& reach) { return remove_tree(reach, path); });
    return done ? "" : done.error().code;
  }

  capability::TestDirectory directory_;
  const std::string inside_;
  const std::string outside_;
};

TEST_F(Files, ReachWhatIsGrantedAndNothingElse) {
  const auto tools = tools_for(grants());
  EXPECT_EQ(write(*tools, inside_ + "/new/a", "content"), "");
  EXPECT_EQ(read(*tools, inside_ + "/new/a"), "content");
  EXPECT_EQ(read(*tools, outside_ + "/secret"), code::kPermissionDenied);
  EXPECT_EQ(read(*tools, outside_ + "/missing"), code::kPermissionDenied);
  EXPECT_EQ(write(*tools, outside_ + "/secret", "x"), code::kPermissionDenied);
  EXPECT_EQ(write(*tools, outside_ + "/new/file", "x"), code::kPermissionDenied);
  EXPECT_EQ(remove(*tools, outside_ + "/secret"), code::kPermissionDenied);
  directory_.link("inside/far", outside_);
  EXPECT_EQ(read(*tools, inside_ + "/far/secret"), code::kPermissionDenied);
  EXPECT_EQ(remove(*tools, inside_ + "/far"), "");
  EXPECT_TRUE(std::filesystem::exists(outside_ + "/secret"));
}

// Its threads may trace one another; to procfs they are the host.
TEST_F(Files, ShowNothingOfTheHost) {
  auto set = grants();
  ASSERT_TRUE(set.allow_path("/proc", AccessMode::kRead));
  const auto tools = tools_for(set);
  directory_.link("inside/self", "/proc/self/environ");
  for (const std::string& path : {std::string("/proc/self/environ"), cat("/proc/", ::getpid(), "/environ"), inside_ + "/self",
                                  std::string("/proc/self/fd/0"), std::string("/proc/thread-self/maps")}) {
    EXPECT_EQ(read(*tools, path), code::kPermissionDenied) << path;
  }
  const auto found = call(*tools, Purpose::kReads, [&](Crew& crew, Reach& reach) { return grep(crew, reach, "/proc", {.pattern = "PATH"}, {}); });
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, code::kPermissionDenied);
}

TEST_F(Files, KeepToDeniedAndProtectedNames) {
  directory_.directory("inside/.git/hooks");
  directory_.file("inside/.env", "token");
  directory_.file("inside/.git/config", "mine");
  directory_.directory("inside/shut");
  directory_.file("inside/shut/needle", "needle\n");
  directory_.file("inside/open", "needle\n");
  auto set = grants();
  ASSERT_TRUE(set.deny_path("**/.env"));
  ASSERT_TRUE(set.deny_path(inside_ + "/shut"));
  ASSERT_TRUE(set.protect({"git"}));
  const auto tools = tools_for(set);
  EXPECT_EQ(read(*tools, inside_ + "/.env"), code::kPermissionDenied);
  EXPECT_EQ(write(*tools, inside_ + "/deep/.env", "x"), code::kPermissionDenied);
  EXPECT_EQ(read(*tools, inside_ + "/.git/config"), "mine");
  EXPECT_EQ(write(*tools, inside_ + "/.git/config", "x"), code::kPermissionDenied);
  EXPECT_EQ(write(*tools, inside_ + "/.git/hooks/pre-commit", "x"), code::kPermissionDenied);
  EXPECT_EQ(write(*tools, inside_ + "/.git/index", "x"), "");
  EXPECT_EQ(remove(*tools, inside_ + "/.git"), code::kPermissionDenied);
  EXPECT_TRUE(std::filesystem::exists(inside_ + "/.git/config"));
  std::filesystem::create_hard_link(inside_ + "/shut/needle", inside_ + "/shut/again");
  const auto found = call(*tools, Purpose::kReads, [&](Crew& crew, Reach& reach) { return grep(crew, reach, inside_, {.pattern = "needle"}, {}); });
  ASSERT_TRUE(found);
  ASSERT_EQ(found->files.size(), 1U);
  EXPECT_EQ(found->files[0].name, "open");
  const auto globbed = call(*tools, Purpose::kReads, [&](Crew& crew, Reach& reach) { return glob(crew, reach, inside_, {.pattern = "needle"}, {}); });
  ASSERT_TRUE(globbed);
  EXPECT_TRUE(globbed->matches.empty());
  EXPECT_EQ(globbed->incomplete, Incomplete::kUnreadable);
}

TEST_F(Files, WorkForManyThreadsAtOnce) {
  const auto tools = tools_for(grants());
  for (int i = 0; i < 300; ++i) directory_.file("inside/f" + std::to_string(i), "line\nneedle\n");
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 40; ++t) {  // more than there are threads in a crew
    threads.emplace_back([&, t] {
      const std::string own = cat(inside_, "/own", t);
      for (int i = 0; i < 20; ++i) {
        const std::string content = cat(t, " ", i);
        if (write(*tools, own + "/file", content) != "" || read(*tools, own + "/file") != content) ++wrong;
        const auto listed = call(*tools, Purpose::kReads, [&](Crew& crew, Reach& reach) { return list_directory(crew, reach, own); });
        if (!listed || listed->size() != 1) ++wrong;
      }
      const auto found = call(*tools, Purpose::kReads, [&](Crew& crew, Reach& reach) {
        return grep(crew, reach, inside_, {.pattern = "needle", .max_count = 50}, {});
      });
      if (!found || found->files.size() != 50 || !found->is_cut || found->files[0].name != "f0") ++wrong;
      const auto all = call(*tools, Purpose::kReads, [&](Crew& crew, Reach& reach) { return list_directory(crew, reach, inside_); });
      if (!all || all->size() < 300 || !std::ranges::is_sorted(*all, {}, &Entry::name) || all->front().size != 12) ++wrong;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(Files, WorkInAForkOfTheProcess) {
  const auto tools = tools_for(grants());
  ASSERT_EQ(write(*tools, inside_ + "/file", "parent"), "");
  const pid_t child = ::fork();
  if (child == 0) {
    const bool works = read(*tools, inside_ + "/file") == "parent" && write(*tools, inside_ + "/file", "child").empty() &&
                       read(*tools, outside_ + "/secret") == code::kPermissionDenied;
    ::_exit(works ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read(*tools, inside_ + "/file"), "child");
}

TEST_F(Files, EndASearchThatIsCancelled) {
  for (int i = 0; i < 300; ++i) directory_.directory(cat("inside/d", i));
  const auto tools = tools_for(grants());
  const auto cancelled = std::make_shared<std::atomic<bool>>(true);
  const auto found = call(*tools, Purpose::kReads, [&](Crew& crew, Reach& reach) { return glob(crew, reach, inside_, {.pattern = "*"}, cancelled); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->incomplete, Incomplete::kBudget);
}

// Also within one file, which may be as large as a disk, or have no end.
TEST_F(Files, EndASearchOfALargeFileThatIsCancelled) {
  std::string lines;
  for (int i = 0; i < 100'000; ++i) lines += "a line of a large file\n";
  directory_.file("inside/large", lines + "needle\n");
  const auto tools = tools_for(grants());
  for (const bool is_cancelled : {false, true}) {
    const auto cancelled = std::make_shared<std::atomic<bool>>(is_cancelled);
    const auto found =
        call(*tools, Purpose::kReads, [&](Crew& crew, Reach& reach) { return grep(crew, reach, inside_ + "/large", {.pattern = "needle"}, cancelled); });
    ASSERT_TRUE(found);
    EXPECT_EQ(found->is_cut, is_cancelled);
    EXPECT_EQ(found->files.empty(), is_cancelled);
  }
}

TEST_F(Files, CanBeGivenUpWhileTheyWork) {
  for (int round = 0; round < 20; ++round) {
    auto tools = tools_for(grants());
    std::atomic<int> begun{0};
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(tools->start(Purpose::kChanges, [&, i](Crew&, Reach& reach) {
        ++begun;
        (void)write_file(reach, cat(inside_, "/f", i), "content", Existing::kIsReplaced);
      }));
    }
    tools.reset();
    EXPECT_GE(begun, 0);
  }
}

}  // namespace
}  // namespace nono::files
