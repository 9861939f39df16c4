// What the plan says is what the kernel does: random grants and denials, random paths, and for each path three
// answers that must be the same: the explanation, one worked out from the record alone, and the
// kernel's to a command in the sandbox. NONO_AGREEMENT_SEED=<number> repeats what a failure names.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "base/text.h"
#include "capability/ancestry.h"
#include "capability/test_directory.h"
#include "kernel/uapi.h"
#include "plan/explain.h"
#include "plan/record.h"
#include "run.h"

namespace nono::launch {
namespace {

namespace fs = std::filesystem;
using capability::AccessMode;
using capability::CapabilitySet;
using capability::CapabilitySource;
using nlohmann::json;

constexpr std::size_t kPathsOfASet = 20;

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return engine_() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class T>
  const T& of(const std::vector<T>& list) {
    return list[below(list.size())];
  }

 private:
  std::mt19937 engine_;
};

bool is_or_is_below(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory + "/");
}

// As the record shows a path: what is not UTF-8 is replaced.
std::string shown(const std::string& path) {
  return json::parse(json(path).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
}

// Some 60 files, directories and links that everybody may read and write.
class Tree {
 public:
  Tree() {
    const mode_t before = ::umask(0);
    for (const std::string name : {"plain", "with space", "new\nline", "not\xff utf-8", "-dash"}) {
      root_.directory(name + "/inner/deep");
      for (const char* file : {"/file", "/inner/file", "/inner/other file", "/inner/deep/file"}) {
        root_.file(name + file);
      }
    }
    root_.directory("plainer");  // "plain" is a prefix of its name, and no directory above it
    root_.file("plainer/file");
    root_.directory("elsewhere/inner");
    root_.file("elsewhere/file");

    root_.link("to file", "plain/file");
    root_.link("to directory", "with space/inner");
    root_.link("to link", "to directory");
    root_.link("absolute", root_ / "elsewhere");
    root_.link("plain/up", "..");
    root_.link("plain/inner/out", "../../new\nline");
    root_.link("plain/inner/to fifo", root_ / "elsewhere/fifo");
    root_.link("with space/not\xff utf-8", root_ / "not\xff utf-8/inner/deep");
    root_.link("elsewhere/back", "../plain/inner/file");

    fs::create_hard_link(root_ / "plain/file", root_ / "elsewhere/same as plain");
    fs::create_hard_link(root_ / "plain/file", root_ / "with space/inner/same as plain");
    fs::create_hard_link(root_ / "new\nline/inner/file", root_ / "plainer/same as new line");
    for (const char* fifo : {"elsewhere/fifo", "plain/inner/fifo"}) {
      EXPECT_EQ(::mkfifo((root_ / fifo).c_str(), 0666), 0);
    }
    ::umask(before);
    collect();
  }

  // Every entry by its own name, and what is in a directory also through each link to it.
  [[nodiscard]] const std::vector<std::string>& paths() const { return paths_; }

  [[nodiscard]] bool contains(const std::string& canonical) const {
    return is_or_is_below(canonical, root_.path()) && canonical != root_.path();
  }

  // Is the file that the record calls `grant` the one that it would call `path`, by this or by another name?
  [[nodiscard]] bool same_file(const std::string& grant, const std::string& path) const {
    const auto a = inodes_.find(grant);
    const auto b = inodes_.find(path);
    return a != inodes_.end() && b != inodes_.end() && a->second == b->second;
  }

  // One of the paths, at times spelled in another way.
  [[nodiscard]] std::string pick(Random& random) const {
    std::string path = random.of(paths_);
    const std::size_t start = root_.path().size();
    switch (random.below(8)) {
      case 0: return path.insert(start, "/.");
      case 1: return path.insert(start, "//");
      case 2: return path.insert(start, "/elsewhere/inner/../..");
      case 3: return path.insert(start, "/plain/up");
      default: return path;
    }
  }

 private:
  void collect() {
    for (const auto& entry : fs::recursive_directory_iterator(root_.path())) {
      const std::string path = entry.path().string();
      paths_.push_back(path);
      if (!entry.is_symlink()) {
        struct stat st {};
        EXPECT_EQ(::lstat(path.c_str(), &st), 0);
        EXPECT_TRUE(inodes_.emplace(shown(path), st.st_ino).second) << "two names that the record shows as one";
      } else if (entry.is_directory()) {
        for (const auto& inside : fs::directory_iterator(path)) paths_.push_back(inside.path().string());
      }
    }
    std::ranges::sort(paths_);  // directories have no order of their own, and a seed is to mean one set
  }

  capability::TestDirectory root_;
  std::vector<std::string> paths_;
  std::map<std::string, ino_t> inodes_;
};

struct Verdict {
  bool read = false;
  bool write = false;
  bool operator==(const Verdict&) const = default;
  friend void PrintTo(const Verdict& verdict, std::ostream* out) {
    *out << (verdict.read ? "read, " : "no read, ") << (verdict.write ? "write" : "no write");
  }
};

Verdict explained(const plan::Plan& plan, const std::string& path) {
  const auto ancestry = capability::ancestry_of(path);
  const auto allowed = [&](AccessMode mode) {
    return plan::explain_path(plan.grants, plan.denials, ancestry, mode).allowed();
  };
  const Verdict verdict{allowed(AccessMode::kRead), allowed(AccessMode::kWrite)};
  EXPECT_EQ(allowed(AccessMode::kReadWrite), verdict.read && verdict.write);
  return verdict;
}

// The same from the record. Landlock knows a file by its inode: a grant of one is a grant of all its
// names, which the record cannot tell, so the tree is asked.
struct Recorded {
  Verdict verdict;
  bool written_by_name = false;  // a grant for this name, or for a directory above it, allows writing
};

// The longest grant of such an access that covers `target` by name, and the shortest.
std::pair<std::size_t, std::size_t> granted_lengths(const json& record, const std::string& target, std::string_view access) {
  std::size_t longest = 0;
  std::size_t shortest = std::string::npos;
  for (const auto& grant : record["grants"]) {
    const auto name = grant["path"].get<std::string>();
    const bool covers = grant["is_file"].get<bool>() ? target == name : is_or_is_below(target, name);
    if (!covers || grant["access"].get<std::string>().find(access) == std::string::npos) continue;
    longest = std::max(longest, name.size());
    shortest = std::min(shortest, name.size());
  }
  return {longest, shortest};
}

// What the record's grant gives at `target`. A pattern "X/**/name" is about what has such a name on its way below X; other
// directories below X can be listed.
std::uint64_t rights_at(const json& grant, const std::string& target, bool is_directory) {
  const auto granted = grant["landlock_rights"].get<std::uint64_t>();
  const auto path = grant["path"].get<std::string>();
  if (grant["is_file"].get<bool>()) return target == path ? granted : 0;
  if (!is_or_is_below(target, path)) return 0;
  if (!grant.contains("pattern")) return granted;
  const std::string pattern = grant["pattern"].get<std::string>();
  const std::string name = cat("/", pattern.substr(pattern.rfind('/') + 1), "/");
  const bool matches = (target.substr(path.size()) + "/").find(name) != std::string::npos;
  return matches ? granted : is_directory ? granted & kernel::kFsReadDir : 0;
}

// A literal closes itself and what is below it; a pattern "**/name" what has such a name on its way. A grant inside beats a
// denial, and of what a pattern denies also one of that very path.
bool is_denied(const json& record, const std::string& target, std::string_view access) {
  const std::size_t granted = granted_lengths(record, target, access).first;
  // A denial with no grant around it takes nothing from anyone: what is open here is so by another of its names.
  const std::size_t around = granted_lengths(record, target, "").second;
  for (const auto& denial : record.value("denials", json::array())) {
    const auto path = denial["path"].get<std::string>();
    if (!path.starts_with("**/")) {
      if (is_or_is_below(target, path) && path.size() >= granted && path.size() >= around) return true;
      continue;
    }
    for (std::size_t begin = 0; begin < target.size();) {
      const std::size_t end = std::min(target.find('/', begin + 1), target.size());
      if (target.substr(begin + 1, end - begin - 1) == path.substr(3) && end > granted && end > around) return true;
      begin = end;
    }
  }
  return false;
}

Recorded recorded(const json& record, const Tree& tree, const std::string& path) {
  const std::string target = shown(fs::canonical(path).string());
  std::uint64_t rights = 0;
  std::uint64_t rights_by_name = 0;
  const bool directory = fs::is_directory(path);
  for (const auto& grant : record["grants"]) {
    rights_by_name |= rights_at(grant, target, directory);
    const bool is_file = grant["is_file"].get<bool>();
    if (is_file && tree.same_file(grant["path"].get<std::string>(), target)) {
      rights |= grant["landlock_rights"].get<std::uint64_t>();
    }
  }
  rights |= rights_by_name;
  const std::uint64_t reading = directory ? kernel::kFsReadDir : kernel::kFsReadFile;
  const std::uint64_t writing =
      kernel::kFsWriteFile | (directory ? kernel::kFsMakeReg | kernel::kFsRemoveFile : 0);
  const bool read = (rights & reading) == reading && !is_denied(record, target, "read");
  const bool write = (rights & writing) == writing && !is_denied(record, target, "write");
  return {{read, write}, (rights_by_name & writing) == writing};
}

// Is anything granted that is, holds or lies below it, or is it on the way of a granted path?
bool is_shown(const plan::Plan& plan, const json& record, const std::string& path) {
  const auto leads_to = [&](const capability::Link& link) { return is_or_is_below(link.path, path); };
  if (std::ranges::any_of(plan.view->links, leads_to)) return true;
  const std::string target = shown(path);
  return std::ranges::any_of(record["grants"], [&](const json& grant) {
    const auto name = grant["path"].get<std::string>();
    return is_or_is_below(name, target) || (grant["is_file"].get<bool>() ? target == name : is_or_is_below(target, name));
  });
}

struct Errors {
  int read = -1;
  int write = -1;
};

std::vector<Errors> ask_kernel(const plan::Plan& plan, const std::string& program,
                               const std::vector<std::string>& paths) {
  Command command;
  command.program = program;
  command.argv = {"nono_try_paths"};
  command.directory = "/usr";
  InputBytes input;
  for (const auto& path : paths) input.bytes.append(path).push_back('\0');
  command.input = std::move(input);
  const auto outcome = run(plan, std::move(command), {}, [] { return false; });
  std::vector<Errors> answers(paths.size());
  if (!outcome) {
    ADD_FAILURE() << outcome.error().message;
    return answers;
  }
  EXPECT_EQ(outcome->exit_status, 0) << outcome->setup_failure.message << outcome->error;
  std::istringstream lines(outcome->output);
  std::size_t index = 0;
  for (Errors errors; lines >> index >> errors.read >> errors.write;) {
    if (index < answers.size()) answers[index] = errors;
  }
  return answers;
}

class Agreement : public ::testing::Test {
 protected:
  void SetUp() override {
    program_ = fs::canonical("/proc/self/exe").parent_path() / "nono_try_paths";
    ASSERT_TRUE(fs::exists(program_)) << program_ << " is built next to this program";
    for (const char* path : {"/usr", "/bin", "/lib", "/lib64"}) {
      if (fs::exists(path)) {
        ASSERT_TRUE(system_.allow_path(path, AccessMode::kRead));
      }
    }
    ASSERT_TRUE(system_.allow_file(program_, AccessMode::kRead));
    system_.block_network();
  }

  enum class Names { kPlain, kDenied, kGrantedPatterns };

  // Sets of which the first is from `seed`, the next from `seed + 1`.
  void compare_sets(unsigned count, plan::Isolation isolation, Names names = Names::kPlain) {
    const char* asked = std::getenv("NONO_AGREEMENT_SEED");
    const unsigned seed =
        asked != nullptr ? static_cast<unsigned>(std::strtoul(asked, nullptr, 10)) : std::random_device{}();
    for (unsigned i = 0; i < count && !HasFailure(); ++i) {
      compare_set(seed + i, isolation, names);
    }
    // Neither everything nor nothing is granted, or nothing has been tested.
    if (asked != nullptr || HasFailure()) return;
    EXPECT_GT(allowed_, answers_ / 10);
    EXPECT_LT(allowed_, answers_ / 10 * 9);
  }

 private:
  CapabilitySet random_set(Random& random) const {
    CapabilitySet set = system_;
    for (std::size_t grants = 1 + random.below(8); grants > 0; --grants) {
      const auto source = random.one_in(4) ? CapabilitySource::group("some") : CapabilitySource::user();
      const std::string path = tree_.pick(random);
      EXPECT_TRUE(set.allow_any(path, static_cast<AccessMode>(random.below(3)), source)) << escape(path);
    }
    // One of them once more, by its other name and with what access it may be.
    if (random.one_in(3)) {
      const std::string again = random.of(set.fs().list()).resolved;
      if (tree_.contains(again)) {
        EXPECT_TRUE(set.allow_any(again, static_cast<AccessMode>(random.below(3)), CapabilitySource::user()));
      }
    }
    if (random.one_in(3)) set.deduplicate();
    return set;
  }

  void deny_some(CapabilitySet& set, Random& random) const {
    for (std::size_t denials = 1 + random.below(3); denials > 0; --denials) {
      const fs::path path = fs::canonical(tree_.pick(random));
      // Another name of what a literal denies is closed as well, which the explanation does not look for.
      const bool has_other_names = fs::is_regular_file(path) && fs::hard_link_count(path) > 1;
      const std::string denied = has_other_names || random.one_in(2) ? cat("**/", path.filename().string()) : path.string();
      const Status added = set.deny_path(denied);
      EXPECT_TRUE(added) << escape(denied);
    }
  }

  // Below a directory, by a name that something in the tree has.
  void grant_patterns(CapabilitySet& set, Random& random) const {
    for (std::size_t patterns = 1 + random.below(3); patterns > 0; --patterns) {
      const std::string name = fs::canonical(tree_.pick(random)).filename();
      fs::path below = fs::canonical(tree_.pick(random));
      if (!fs::is_directory(below)) below = below.parent_path();
      const std::string pattern = cat(below.string(), "/**/", name);
      EXPECT_TRUE(set.allow_glob(pattern, static_cast<AccessMode>(random.below(3)))) << escape(pattern);
    }
  }

  void compare_set(unsigned seed, plan::Isolation isolation, Names names) {
    Random random(seed);
    plan::Options options;
    options.isolation = isolation;
    CapabilitySet set = random_set(random);
    if (names == Names::kDenied) deny_some(set, random);
    if (names == Names::kGrantedPatterns) grant_patterns(set, random);
    const auto plan = plan::make_plan(set, facts_, options);
    ASSERT_TRUE(plan) << plan.error().message;
    const json record = json::parse(plan::record_json(*plan));
    std::vector<std::string> paths;
    while (paths.size() < kPathsOfASet) {
      std::string path = tree_.pick(random);
      // Links that lie in no grant are not there.
      paths.push_back(plan->view && plan->view->only_grants ? fs::canonical(path).string() : path);
    }

    const std::vector<Errors> answers = ask_kernel(*plan, program_, paths);
    for (std::size_t i = 0; i < paths.size(); ++i) compare_path(*plan, record, paths[i], answers[i]);
    if (HasFailure()) {
      ADD_FAILURE() << "To repeat: NONO_AGREEMENT_SEED=" << seed << "\n" << escape_lines(record["grants"])
                    << escape(record.value("denials", json::array()).dump());
    }
  }

  void compare_path(const plan::Plan& plan, const json& record, const std::string& path, const Errors& errors) {
    const Verdict said = explained(plan, path);
    const Recorded from_record = recorded(record, tree_, path);
    EXPECT_EQ(said, from_record.verdict) << "explanation and record differ on " << escape(path);

    const bool fifo = fs::is_fifo(path);
    Verdict expected = said;
    // The one known disagreement: a file that is granted for writing by one of its names is read-only by
    // the others in a mount view, which knows names and not inodes. The explanation does not ask for the
    // isolation and says that it may be written.
    if (plan.view && !fifo) expected.write = said.write && from_record.written_by_name;
    // And in a strict view names that lie in no grant are not there.
    if (plan.view && plan.view->only_grants && !is_shown(plan, record, path)) {
      EXPECT_EQ(errors.read, ENOENT) << escape(path);
      EXPECT_EQ(errors.write, ENOENT) << escape(path);
      answers_ += 2;
      return;
    }
    EXPECT_EQ(answer(errors.read, false, false, path), expected.read) << "reading " << escape(path);
    EXPECT_EQ(answer(errors.write, fifo, plan.view.has_value(), path), expected.write) << "writing " << escape(path);
  }

  // Did the kernel allow it? What is neither that nor a refusal of the sandbox's must not happen.
  bool answer(int error, bool may_lack_reader, bool may_be_read_only, const std::string& path) {
    const bool allowed = error == 0 || (may_lack_reader && error == ENXIO);
    EXPECT_TRUE(allowed || error == EACCES || (may_be_read_only && error == EROFS))
        << (error < 0 ? "no answer" : std::strerror(error)) << ": " << escape(path);
    ++answers_;
    allowed_ += allowed;
    return allowed;
  }

  static std::string escape_lines(const json& grants) {
    std::string text;
    for (const auto& grant : grants) {
      text += cat(grant["access"].get<std::string>(), " ", escape(grant["path"].get<std::string>()), "\n");
    }
    return text;
  }

 protected:
  const kernel::HostFacts facts_ = kernel::host_facts_with_namespaces();

 private:
  Tree tree_;
  CapabilitySet system_;
  fs::path program_;
  std::size_t answers_ = 0;
  std::size_t allowed_ = 0;
};

TEST_F(Agreement, OfPlanAndKernel) {
  compare_sets(500, plan::Isolation::kProcess);
}

TEST_F(Agreement, OfPlanAndKernelWhateverTheIsolation) {
  compare_sets(400, plan::Isolation::kAuto);
}

TEST_F(Agreement, OfDenials) {
  if (!facts_.user_notification) GTEST_SKIP() << "expected: no supervisor is possible here";
  compare_sets(300, plan::Isolation::kProcess, Names::kDenied);
}

TEST_F(Agreement, OfGrantedPatterns) {
  if (!facts_.user_notification) GTEST_SKIP() << "expected: no supervisor is possible here";
  compare_sets(300, plan::Isolation::kProcess, Names::kGrantedPatterns);
}

TEST_F(Agreement, OfPlanAndMountView) {
  if (!facts_.private_view) GTEST_SKIP() << facts_.private_view_error;
  compare_sets(100, plan::Isolation::kNamespaces);
}

TEST_F(Agreement, OfPlanAndStrictView) {
  if (!facts_.private_view) GTEST_SKIP() << facts_.private_view_error;
  compare_sets(100, plan::Isolation::kStrict);
}

}  // namespace
}  // namespace nono::launch
