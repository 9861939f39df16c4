#include "files/grep.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>
#include <variant>

#include "base/text.h"
#include "files/literal.h"
#include "supervise/object.h"

namespace nono::files {
namespace {

constexpr std::chrono::seconds kTime{15};
constexpr std::uint64_t kMostMatches = 100'000;
constexpr std::size_t kMostTextBytes = std::size_t{64} * 1024 * 1024;  // of all matches
constexpr std::size_t kMostLineText = std::size_t{1024} * 1024;        // of one; the rest is left out
constexpr std::size_t kChunk = std::size_t{64} * 1024;
constexpr std::size_t kLargeChunk = std::size_t{512} * 1024;  // for files that do not fit into the other
constexpr std::size_t kMostLine = std::size_t{16} * 1024 * 1024;  // about; a longer one is not text
constexpr std::size_t kBatch = 8;        // files that one thread takes at once
constexpr std::size_t kMostForOne = 64;  // files

std::string_view without_return(std::string_view line) { return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line; }

// One thread's search of one file after another.
class FileSearch {
 public:
  FileSearch(const Literal& literal, std::uint64_t most, const Budget& budget) : literal_(literal), most_(most), budget_(budget) {}

  // The lines found, `most` at most, and as far as the budget allows. `size`: of the file, as it was.
  std::vector<MatchedLine> search(const Fd& file, std::uint64_t size) {
    lines_.clear();
    number_ = 0;
    std::uint64_t total = 0;  // bytes read
    std::size_t kept = 0;     // of them, of an unfinished line
    for (bool is_end = false; !is_end;) {
      if (total > 0 && budget_.is_spent()) {
        is_cut_ = true;
        break;
      }
      const bool is_small = size_ - kept < kChunk / 2 || (size_ < kLargeChunk && size > size_);
      if (is_small && !grow(kept)) return {};
      std::size_t held = kept;
      while (held < size_ && !is_end) {
        const ssize_t more = ::read(file.get(), buffer_.get() + held, size_ - held);
        if (more < 0 && errno == EINTR) continue;
        if (more < 0) return {};
        held += static_cast<std::size_t>(more);
        total += static_cast<std::size_t>(more);
        is_end = more == 0 || (held < size_ && total == size);
      }
      if (std::memchr(buffer_.get() + kept, 0, held - kept) != nullptr) return {};
      const std::string_view all(buffer_.get(), held);
      const std::string_view whole = is_end ? all : all.substr(0, all.rfind('\n') + 1);
      if (!look(whole)) break;
      if (!is_end) count(whole);
      kept = all.size() - whole.size();
      std::memmove(buffer_.get(), buffer_.get() + whole.size(), kept);
    }
    return std::move(lines_);
  }
  // Has the budget ended a search?
  [[nodiscard]] bool is_cut() const { return is_cut_; }

 private:
  // `text`: whole lines. False: enough is found.
  bool look(std::string_view text) {
    counted_ = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t found = literal_.find(text.substr(at));
      if (found == std::string_view::npos || at + found == text.size()) return true;
      if (lines_.size() == most_) return false;
      const std::size_t feed = at + found == 0 ? std::string_view::npos : text.rfind('\n', at + found - 1);
      const std::size_t begin = feed == std::string_view::npos ? 0 : feed + 1;
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      number_ += count_lines(text.substr(counted_, begin - counted_));
      counted_ = begin;
      const std::string_view line = without_return(text.substr(begin, end - begin));
      lines_.push_back({number_ + 1, std::string(line.substr(0, kMostLineText))});
      at = std::min(end + 1, text.size());
    }
    return true;
  }

  void count(std::string_view text) { number_ += count_lines(text.substr(counted_)); }

  // False: what is kept is no line of a text any more.
  bool grow(std::size_t kept) {
    if (size_ >= kMostLine) return false;
    const std::size_t size = size_ == 0 ? kChunk : 8 * size_;
    auto larger = std::make_unique_for_overwrite<char[]>(size);
    if (kept > 0) std::memcpy(larger.get(), buffer_.get(), kept);
    buffer_ = std::move(larger);
    size_ = size;
    return true;
  }

  const Literal& literal_;
  const std::uint64_t most_;
  const Budget& budget_;
  bool is_cut_ = false;
  std::unique_ptr<char[]> buffer_;
  std::size_t size_ = 0;
  std::vector<MatchedLine> lines_;
  std::uint64_t number_ = 0;   // lines before `counted_`
  std::size_t counted_ = 0;    // in the text that is looked at
};

// Files in their order, by several threads; ended when those that come first have enough.
class Search {
 public:
  Search(const Reach& reach, const Opened& root, const GrepQuery& query, const Budget& budget, std::vector<Entry> files)
      : reach_(reach),
        root_(root),
        literal_(query.pattern),
        most_(std::min(query.max_count.value_or(kMostMatches), kMostMatches)),
        budget_(budget),
        files_(std::move(files)),
        found_(files_.size()),
        batches_((files_.size() + kBatch - 1) / kBatch) {
    const auto place = supervise::place_of(root.fd, root.st);
    if (const auto* path = std::get_if<std::string>(&place)) place_ = *path == "/" ? "" : *path;
  }

  [[nodiscard]] std::size_t size() const { return files_.size(); }

  void work() {
    FileSearch search(literal_, most_ + 1, budget_);  // one more: to know whether there are more
    while (!is_over_.load(std::memory_order_relaxed)) {
      const std::size_t batch = next_.fetch_add(1);
      if (batch >= batches_.size()) return;
      if (budget_.is_spent()) {
        is_cut_ = is_over_ = true;
        return;
      }
      std::uint64_t count = 0;
      for (std::size_t i = batch * kBatch; i < std::min((batch + 1) * kBatch, files_.size()); ++i) {
        found_[i] = search_file(search, files_[i].name);
        count += found_[i].size();
        for (const MatchedLine& line : found_[i]) bytes_ += line.text.size();
      }
      if (search.is_cut()) is_cut_ = is_over_ = true;
      finish(batch, count);
    }
  }

  Grepped take() {
    Grepped result;
    result.is_cut = is_cut_;
    std::uint64_t left = most_;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (found_[i].empty()) continue;
      if (found_[i].size() > left) {
        result.is_cut = true;
        found_[i].resize(left);
      }
      left -= found_[i].size();
      if (!found_[i].empty()) result.files.push_back({std::move(files_[i].name), std::move(found_[i])});
      if (left == 0 && result.is_cut) break;
    }
    return result;
  }

 private:
  std::vector<MatchedLine> search_file(FileSearch& search, const std::string& name) const {
    const Fd file(open_below(root_.fd, name, O_RDONLY));
    struct stat st {};
    if (!file.valid() || ::fstat(file.get(), &st) != 0 || !S_ISREG(st.st_mode)) return {};
    if (st.st_dev != root_.st.st_dev && is_in_proc(file, st)) return {};
    if (!reach_.reads_freely() && reach_.is_closed(cat(place_, "/", name), &st, plan::Use::kRead)) return {};
    return search.search(file, static_cast<std::uint64_t>(st.st_size));
  }

  void finish(std::size_t batch, std::uint64_t count) {
    if (bytes_ > kMostTextBytes) is_cut_ = is_over_ = true;
    const std::lock_guard lock(mutex_);
    batches_[batch] = count;
    while (first_open_ < batches_.size() && batches_[first_open_]) matches_so_far_ += *batches_[first_open_++];
    if (matches_so_far_ > most_) is_over_ = true;
  }

  const Reach& reach_;
  const Opened& root_;
  const Literal literal_;
  const std::uint64_t most_;
  const Budget& budget_;
  std::vector<Entry> files_;
  std::vector<std::vector<MatchedLine>> found_;
  std::string place_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::size_t> bytes_{0};
  std::atomic<bool> is_over_{false};
  std::atomic<bool> is_cut_{false};

  std::mutex mutex_;
  std::vector<std::optional<std::uint64_t>> batches_;  // under the mutex, as those below: matches in each that is finished
  std::size_t first_open_ = 0;
  std::uint64_t matches_so_far_ = 0;  // before that one
};

Grepped grep_file(const Opened& file, const GrepQuery& query, const Budget& budget) {
  const std::uint64_t most = std::min(query.max_count.value_or(kMostMatches), kMostMatches);
  const Literal literal(query.pattern);
  Grepped result;
  FileSearch search(literal, most + 1, budget);
  auto lines = search.search(file.fd, static_cast<std::uint64_t>(file.st.st_size));
  result.is_cut = search.is_cut() || lines.size() > most;
  if (lines.size() > most) lines.resize(most);
  if (!lines.empty()) result.files.push_back({{}, std::move(lines)});
  return result;
}

}  // namespace

Expected<Grepped> grep(Crew& crew, Reach& reach, const std::string& path, const GrepQuery& query, const Cancelled& cancelled) {
  const auto root = reach.open_any(path, O_RDONLY);
  if (!root) return tl::unexpected(root.error());
  const Budget budget(kTime, cancelled);
  if (S_ISREG(root->st.st_mode)) return grep_file(*root, query, budget);
  if (!S_ISDIR(root->st.st_mode)) return refuse(code::kNotAFile);

  std::optional<PathGlob> pattern;
  if (query.glob) {
    auto made = PathGlob::of(*query.glob);
    if (!made) return tl::unexpected(made.error());
    pattern = *std::move(made);
  }
  Wanted wanted{.pattern = pattern ? &*pattern : nullptr, .skipped = query.skipped};
  const std::string searched = path.substr(0, path.find_last_not_of('/') + 1);
  std::erase(wanted.skipped, searched.substr(searched.rfind('/') + 1));

  Walked walked = walk(crew, reach, *root, wanted, budget);
  Search search(reach, *root, query, budget, std::move(walked.found));
  // To wake others takes as long as some files.
  if (search.size() > kMostForOne) crew.share([&search] { search.work(); });
  else search.work();
  Grepped result = search.take();
  result.is_cut = result.is_cut || walked.is_cut;
  return result;
}

}  // namespace nono::files
