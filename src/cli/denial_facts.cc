#include "cli/denial_facts.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "base/fd.h"
#include "base/text.h"
#include "kernel/uapi.h"
#include "plan/explain_socket.h"

namespace nono::cli {

using capability::AccessMode;

PathFacts DenialFacts::look_up(const std::string& path) {
  if (!protected_) protected_.emplace();
  const std::string whole = path.starts_with('/') ? path : cat(directory_, "/", path);
  const capability::Ancestry ancestry = capability::ancestry_of(whole);
  PathFacts facts;
  facts.canonical = ancestry.canonical;
  facts.exists = ancestry.exists;
  struct stat st {};
  const bool is_there = ::stat(facts.canonical.c_str(), &st) == 0;
  facts.is_directory = is_there && S_ISDIR(st.st_mode);
  facts.is_socket = is_there && S_ISSOCK(st.st_mode);
  facts.socket_granted = plan::explain_unix_socket(plan_, ancestry, plan::SocketUse::kConnect).allowed();
  facts.is_protected = protected_->contains(facts.canonical);
  facts.is_system = ProtectedPaths::is_system(facts.canonical);
  facts.user_may_read = ::access(facts.canonical.c_str(), R_OK) == 0;
  facts.user_may_write = ::access(facts.canonical.c_str(), W_OK) == 0;
  facts.read = plan::explain_path(plan_.grants, plan_.denials, ancestry, AccessMode::kRead);
  facts.write = plan::explain_path(plan_.grants, plan_.denials, ancestry, AccessMode::kWrite);
  return facts;
}

NetworkFacts DenialFacts::network() const {
  NetworkFacts facts;
  facts.sockets = plan_.seccomp_rules.sockets;
  for (const auto& rule : plan_.landlock.ports) {
    if ((rule.access & kernel::kNetConnectTcp) != 0) facts.connect_ports.push_back(rule.port);
  }
  return facts;
}

namespace {

template <class Header>
bool read_at(const Fd& fd, std::uint64_t offset, Header& header) {
  return ::pread(fd.get(), &header, sizeof header, static_cast<off_t>(offset)) == sizeof header;
}

std::optional<std::string> elf_interpreter(const Fd& fd) {
  Elf64_Ehdr file{};
  if (!read_at(fd, 0, file) || std::memcmp(file.e_ident, ELFMAG, SELFMAG) != 0 ||
      file.e_ident[EI_CLASS] != ELFCLASS64 || file.e_phentsize != sizeof(Elf64_Phdr)) {
    return std::nullopt;
  }
  for (unsigned i = 0; i < file.e_phnum; ++i) {
    Elf64_Phdr segment{};
    if (!read_at(fd, file.e_phoff + i * sizeof segment, segment)) return std::nullopt;
    if (segment.p_type != PT_INTERP) continue;
    std::array<char, 256> path{};
    const std::size_t size = std::min<std::size_t>(segment.p_filesz, path.size() - 1);
    if (::pread(fd.get(), path.data(), size, static_cast<off_t>(segment.p_offset)) < 0) return std::nullopt;
    return std::string(path.data());
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> interpreter_of(const std::string& program) {
  const Fd fd(::open(program.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return std::nullopt;
  std::array<char, 256> start{};
  const ssize_t size = ::pread(fd.get(), start.data(), start.size(), 0);
  if (size <= 2) return std::nullopt;
  std::string_view line(start.data(), static_cast<std::size_t>(size));
  if (!line.starts_with("#!")) return elf_interpreter(fd);
  line.remove_prefix(2);
  line = line.substr(0, line.find('\n'));
  const std::size_t word = line.find_first_not_of(" \t");
  if (word == line.npos) return std::nullopt;
  line.remove_prefix(word);
  return std::string(line.substr(0, line.find_first_of(" \t")));
}

}  // namespace nono::cli
