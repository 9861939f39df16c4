// Tries to read and to write every path that stdin names, separated by NUL, and prints what the
// kernel answered: for each a line "<index> <errno of reading> <errno of writing>", 0 for success.
// Writing to a directory is creating and removing a file in it. Nothing is changed in the end.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>

namespace {

int open_and_close(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  if (fd < 0) return errno;
  ::close(fd);
  return 0;
}

int list(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  std::array<char, 4096> entries{};
  const int error = ::syscall(SYS_getdents64, fd, entries.data(), entries.size()) < 0 ? errno : 0;
  ::close(fd);
  return error;
}

int create_and_remove(const std::string& path) {
  if (const int error = open_and_close(path, O_WRONLY | O_CREAT | O_EXCL)) return error;
  return ::unlink(path.c_str()) == 0 ? 0 : errno;
}

void try_path(int index, const std::string& path) {
  struct stat st {};
  int reading = 0;
  int writing = 0;
  if (::stat(path.c_str(), &st) != 0) {
    reading = writing = errno;
  } else if (S_ISDIR(st.st_mode)) {
    reading = list(path);
    writing = create_and_remove(path + "/made by try_paths " + std::to_string(index));
  } else {
    reading = open_and_close(path, O_RDONLY | O_NONBLOCK);
    writing = open_and_close(path, O_WRONLY | O_NONBLOCK);
  }
  std::printf("%d %d %d\n", index, reading, writing);
}

}  // namespace

int main() {
  int index = 0;
  std::string path;
  for (int c = std::getchar(); c != EOF; c = std::getchar()) {
    if (c != '\0') {
      path.push_back(static_cast<char>(c));
      continue;
    }
    try_path(index++, path);
    path.clear();
  }
}
