#include "files/directory.h"

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace nono::files {

int for_each_name(const Fd& directory, const std::function<bool(std::string_view, unsigned char)>& each) {
  alignas(dirent64) std::array<char, 32 * 1024> buffer;
  for (;;) {
    const long size = ::syscall(SYS_getdents64, directory.get(), buffer.data(), buffer.size());
    if (size < 0) return errno;
    if (size == 0) return 0;
    for (long at = 0; at < size;) {
      const char* record = buffer.data() + at;
      unsigned short length = 0;
      std::memcpy(&length, record + offsetof(dirent64, d_reclen), sizeof length);
      const auto type = static_cast<unsigned char>(record[offsetof(dirent64, d_type)]);
      const std::string_view name = record + offsetof(dirent64, d_name);
      at += length;
      if (name != "." && name != ".." && !each(name, type)) return 0;
    }
  }
}

}  // namespace nono::files
