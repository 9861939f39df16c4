#include "files/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <iterator>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include "base/text.h"
#include "capability/path_resolution.h"
#include "files/directory.h"
#include "kernel/uapi.h"
#include "supervise/object.h"

namespace nono::files {
namespace {

// Of paths that are kept: a tree without end takes no more memory than that.
constexpr std::size_t kMostFound = 1'000'000;
constexpr std::size_t kMostForOne = 8;  // directories that wait for one thread

class Walk {
 public:
  Walk(const Reach& reach, const Opened& root, const Wanted& wanted, const Budget& budget)
      : reach_(reach), root_(root), wanted_(wanted), budget_(budget) {
    auto place = supervise::place_of(root.fd, root.st);
    if (auto* path = std::get_if<std::string>(&place)) place_ = std::move(*path);
    waiting_.emplace_back();
  }

  // On each thread that takes part. With a limit: until so many directories wait.
  void work(std::size_t most_waiting = std::numeric_limits<std::size_t>::max()) {
    std::vector<Entry> found;
    std::vector<std::string> inner;
    while (auto directory = next(most_waiting)) {
      inner.clear();
      const bool is_read = read(*directory, found, inner);
      const std::lock_guard lock(mutex_);
      if (!is_read) result_.is_unreadable = true;
      std::ranges::move(inner, std::back_inserter(waiting_));
      --active_;
      changed_.notify_all();
    }
    const std::lock_guard lock(mutex_);
    std::ranges::move(found, std::back_inserter(result_.found));
  }

  [[nodiscard]] bool is_over() const { return waiting_.empty(); }  // when no thread is at work

  Walked take() {
    std::ranges::sort(result_.found, {}, &Entry::name);
    return std::move(result_);
  }

 private:
  std::optional<std::string> next(std::size_t most_waiting) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !waiting_.empty() || active_ == 0; });
    if (waiting_.empty() || waiting_.size() > most_waiting) return std::nullopt;
    if (found_.load() > kMostFound || budget_.is_spent()) {
      result_.is_cut = true;
      waiting_.clear();
      changed_.notify_all();
      return std::nullopt;
    }
    ++active_;
    std::string directory = std::move(waiting_.back());
    waiting_.pop_back();
    return directory;
  }

  // `path` is empty for the root. False: it cannot be entered.
  bool read(const std::string& path, std::vector<Entry>& found, std::vector<std::string>& inner) {
    Fd opened;
    if (!path.empty()) {
      opened = Fd(open_below(root_.fd, path, O_RDONLY | O_DIRECTORY));
      if (!opened.valid()) return errno == ENOENT || errno == ENOTDIR;  // gone again
      struct stat st {};
      if (::fstat(opened.get(), &st) != 0) return false;
      if (st.st_dev != root_.st.st_dev && is_in_proc(opened, st)) return true;
      if (is_closed(path, st)) return false;
    }
    const Fd& directory = path.empty() ? root_.fd : opened;
    std::string full = path.empty() ? path : path + "/";
    const std::size_t prefix = full.size();
    const int error = for_each_name(directory, [&](std::string_view name, unsigned char type) {
      full.resize(prefix);
      full += name;
      add(directory, full, name, type, found, inner);
      return found.size() % 1024 != 0 || !budget_.is_spent();
    });
    return error == 0;
  }

  void add(const Fd& directory, const std::string& full, std::string_view name, unsigned char type, std::vector<Entry>& found,
           std::vector<std::string>& inner) {
    struct stat st {};
    if (type == DT_UNKNOWN) {
      if (::fstatat(directory.get(), name.data(), &st, AT_SYMLINK_NOFOLLOW) != 0) return;
      type = static_cast<unsigned char>(IFTODT(st.st_mode));
    }
    if (type == DT_DIR && is_entered(full, name)) inner.push_back(full);
    const bool is_wanted = type == DT_REG || (type == DT_DIR && wanted_.directories) || (type == DT_LNK && wanted_.links);
    if (!is_wanted || (wanted_.pattern != nullptr && !wanted_.pattern->matches(full))) return;
    if (type == DT_LNK) {
      if (!look_through(directory, std::string(name), st)) return;
    } else if (wanted_.status && ::fstatat(directory.get(), name.data(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      return;
    }
    found.push_back(entry_of(full, status_of(st)));
    if (!wanted_.status) found.back().is_directory = type == DT_DIR;
    found_.fetch_add(1, std::memory_order_relaxed);
  }

  bool is_entered(const std::string& full, std::string_view name) const {
    if (std::ranges::find(wanted_.skipped, name) != wanted_.skipped.end()) return false;
    // Without end, and nobody's files.
    if (place_ == "/" && (full == "proc" || full == "sys" || full == "dev")) return false;
    return wanted_.pattern == nullptr || wanted_.pattern->may_match_below(full);
  }

  bool look_through(const Fd& directory, const std::string& name, struct stat& st) const {
    const supervise::Origin origin{.fd = Fd(::fcntl(directory.get(), F_DUPFD_CLOEXEC, 3)), .path = name};
    const Fd target(supervise::open_from(origin, name, O_PATH, 0, 0));
    if (!target.valid() || ::fstat(target.get(), &st) != 0 || !S_ISREG(st.st_mode)) return false;
    const auto place = supervise::place_of(target, st);
    const auto* path = std::get_if<std::string>(&place);
    return path != nullptr && !path->empty() && capability::is_within_folded(place_, *path);
  }

  bool is_closed(const std::string& path, const struct stat& st) const {
    if (reach_.reads_freely()) return false;
    return reach_.is_closed(cat(place_ == "/" ? "" : place_, "/", path), &st, plan::Use::kRead);
  }

  const Reach& reach_;
  const Opened& root_;
  const Wanted& wanted_;
  const Budget& budget_;
  std::string place_;
  std::atomic<std::size_t> found_{0};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> waiting_;  // under the mutex, as all below: directories to be read
  std::size_t active_ = 0;            // being read
  Walked result_;
};

}  // namespace

int open_below(const Fd& directory, const std::string& path, int flags) {
  kernel::OpenHow how;
  how.flags = static_cast<unsigned>(flags | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
  how.resolve = kernel::kResolveBeneath | kernel::kResolveNoSymlinks | kernel::kResolveNoMagiclinks;
  return static_cast<int>(::syscall(kernel::kNrOpenat2, directory.get(), path.c_str(), &how, sizeof how));
}

Walked walk(Crew& crew, const Reach& reach, const Opened& root, const Wanted& wanted, const Budget& budget) {
  Walk walk(reach, root, wanted, budget);
  // To wake others takes as long as a small directory.
  walk.work(kMostForOne);
  if (!walk.is_over()) crew.share([&walk] { walk.work(); });
  return walk.take();
}

}  // namespace nono::files
