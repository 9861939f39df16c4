// The ls tool: what is in a directory, by name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "files/crew.h"
#include "files/failure.h"
#include "files/reach.h"
#include "files/statuses.h"

namespace nono::files {

struct Entry {
  std::string name;          // glob: below the searched directory
  bool is_directory = false; // of a link: it leads to one that may be listed
  std::uint64_t size = 0;    // bytes; 0 of a directory
  timespec modified{};
};

[[nodiscard]] Entry entry_of(std::string name, const FileStatus& status);

// Sorted by the bytes of the names. Failures: as Reach::open_directory.
[[nodiscard]] Expected<std::vector<Entry>> list_directory(Crew& crew, Reach& reach, const std::string& path);

}  // namespace nono::files
