#include "files/read.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/text.h"
#include "files/utf8.h"

namespace nono::files {
namespace {

constexpr std::size_t kChunk = 64 * 1024;
constexpr std::size_t kSniffed = 8192;
constexpr off_t kCounted = 1024 * 1024;  // lines of larger files are counted as far as they are read only
constexpr std::string_view kCutNotice =
    "\n\n[Output was truncated due to size limits. This paginated read result exceeded the sandbox stdout limit. "
    "Continue reading with a larger offset or smaller limit to inspect the rest of the file.]";

// Lines of a file that may change meanwhile: \n, \r\n and \r end one.
class Lines {
 public:
  explicit Lines(const Opened& file)
      : file_(file.fd), buffer_(std::clamp(static_cast<std::size_t>(file.st.st_size) + 1, std::size_t{4096}, kChunk), '\0') {}

  // The beginning of the file, up to a chunk.
  [[nodiscard]] std::string_view peek() {
    if (at_ == end_) fill();
    return {buffer_.data() + at_, end_ - at_};
  }
  [[nodiscard]] bool at_end() { return peek().empty(); }
  [[nodiscard]] int error() const { return error_; }

  // The next line, of which no more than `most` bytes are kept. False: there is none.
  bool next(std::string* line, std::size_t most) {
    if (at_end()) return false;
    for (;;) {
      const std::string_view rest = peek();
      if (rest.empty()) return true;  // the last line has no end
      const std::size_t feed = rest.find('\n');
      const std::size_t end = std::min(feed, rest.substr(0, feed).find('\r'));
      const std::string_view part = rest.substr(0, end);
      if (line != nullptr && line->size() < most) line->append(part.substr(0, most - line->size()));
      at_ += part.size();
      if (end == std::string_view::npos) continue;
      const bool is_return = rest[end] == '\r';
      ++at_;
      if (is_return && peek().starts_with('\n')) ++at_;
      return true;
    }
  }

 private:
  void fill() {
    at_ = end_ = 0;
    ssize_t size = 0;
    do size = ::read(file_.get(), buffer_.data(), buffer_.size());
    while (size < 0 && errno == EINTR);
    if (size < 0) error_ = errno;
    else end_ = static_cast<std::size_t>(size);
  }

  const Fd& file_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  int error_ = 0;
};

Expected<Page> read_binary(const Opened& file) {
  if (::lseek(file.fd.get(), 0, SEEK_SET) != 0) return refuse(errno);
  auto bytes = read_all(file, kMostPageBytes);
  if (!bytes) return tl::unexpected(bytes.error());
  Page page;
  page.is_text = false;
  page.content = *std::move(bytes);
  return page;
}

Expected<Page> read_lines(Lines& lines, off_t size, const Window& window) {
  std::uint64_t count = 0;
  while (count < window.offset && lines.next(nullptr, 0)) ++count;

  constexpr std::size_t kMost = kMostPageBytes - kCutNotice.size();
  Page page;
  std::uint64_t returned = 0;
  bool is_cut = false;
  std::string line;
  std::string piece;
  while (count == window.offset + returned && returned < window.limit && !is_cut) {
    line.clear();
    if (!lines.next(&line, kMostPageBytes)) break;
    ++count;
    piece.clear();
    if (returned > 0) piece += '\n';
    append_utf8(piece, line);
    is_cut = page.content.size() + piece.size() > kMost;
    page.content.append(first_bytes(piece, kMost - page.content.size()));
    if (!is_cut) ++returned;
  }
  const bool is_end = lines.at_end();
  if (is_end || size <= kCounted) {
    while (lines.next(nullptr, 0)) ++count;
    page.total_lines = count;
  }
  if (lines.error() != 0) return refuse(lines.error());
  if (returned == 0 && !is_cut) {
    while (lines.next(nullptr, 0)) ++count;
    return refuse(cat("Line offset ", window.offset, " exceeds file length (", count, " lines)"));
  }
  if (is_cut) page.content.append(kCutNotice);
  // Of a line that no page can hold the rest cannot be had; the next page begins after it.
  if (is_cut && returned == 0) returned = 1;
  page.start_line = window.offset + 1;
  page.end_line = window.offset + returned;
  if (!page.total_lines || page.end_line < *page.total_lines) page.next_offset = page.end_line;
  return page;
}

}  // namespace

Expected<std::string> read_all(const Opened& file, std::size_t most) {
  if (static_cast<std::uint64_t>(file.st.st_size) > most) return refuse(code::kTooLarge);
  const auto said = static_cast<std::size_t>(file.st.st_size);
  std::string bytes(std::max(std::size_t{4096}, said + 1), '\0');
  std::size_t size = 0;
  for (;;) {  // until the end, which another may move
    if (size == bytes.size()) bytes.resize(size + kChunk);
    const ssize_t more = ::read(file.fd.get(), bytes.data() + size, bytes.size() - size);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return refuse(errno);
    size += static_cast<std::size_t>(more);
    if (size > most) return refuse(code::kTooLarge);
    if (more == 0 || size == said) break;  // there was room for more
  }
  bytes.resize(size);
  return bytes;
}

Expected<std::string> read_all(Reach& reach, const std::string& path) {
  const auto file = reach.open(path, O_RDONLY);
  if (!file) return tl::unexpected(file.error());
  return read_all(*file);
}

Expected<Page> read_page(Reach& reach, const std::string& path, const Window& window) {
  const auto file = reach.open(path, O_RDONLY);
  if (!file) return tl::unexpected(file.error());
  Lines lines(*file);
  if (lines.at_end() && lines.error() == 0) {
    Page page;
    page.is_empty_file = true;
    return page;
  }
  if (lines.error() != 0) return refuse(lines.error());
  if (window.kind == Kind::kBinary || !is_cut_utf8(lines.peek().substr(0, kSniffed))) return read_binary(*file);
  if (window.limit == 0) {
    Page page;
    page.no_lines_requested = true;
    return page;
  }
  return read_lines(lines, file->st.st_size, window);
}

}  // namespace nono::files
