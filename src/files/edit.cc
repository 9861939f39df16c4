#include "files/edit.h"

#include <fcntl.h>

#include "files/read.h"
#include "files/write.h"

namespace nono::files {

Expected<std::uint64_t> edit_file(Reach& reach, const std::string& path, std::string_view old_text, std::string_view new_text,
                                  Occurrences which) {
  auto file = reach.open(path, O_RDWR);
  if (!file) return tl::unexpected(file.error());
  const auto content = read_all(*file);
  if (!content) return tl::unexpected(content.error());
  const auto edited = edit_text(*content, old_text, new_text, which, kMostBytes);
  if (!edited) return tl::unexpected(edited.error());
  if (auto written = replace_content(reach, *file, edited->content); !written) return tl::unexpected(written.error());
  return edited->occurrences;
}

}  // namespace nono::files
