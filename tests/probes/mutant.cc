// nono with one rule taken out of its plan, to show that the probes notice:
//
//   nono_mutant MUTATION NETWORK [r|w|d|s PATH | p NAME]... -- COMMAND...
//
//   MUTATION   none; call:NAME,...: the filter allows these system calls; fs:NAME: Landlock does not
//              handle this right; sockets: any socket, and listen
//   NETWORK    blocked, or the port that may be connected to
//   r, w       grant for reading, for reading and writing; d denies; s grants a Unix socket; p protects
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "kernel/host_facts.h"
#include "kernel/uapi.h"
#include "launch/child.h"
#include "launch/environment.h"
#include "plan/plan.h"
#include "supervise/launch.h"

namespace {

using namespace nono;
using Words = std::vector<std::string>;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "nono_mutant: %s\n", why.c_str());
  std::exit(126);
}

template <class T>
T must(Result<T> result) {
  if (!result) give_up(result.error().message);
  return *std::move(result);
}

Words split(const std::string& list) {
  Words words(1);
  for (const char c : list) {
    if (c == ',') words.emplace_back();
    else words.back() += c;
  }
  return words;
}

void allow_calls(plan::Plan& plan, const Words& names) {
  constexpr std::uint16_t kLoad = 0x20, kJumpIfEqual = 0x15, kReturn = 0x06;  // BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
  std::vector<plan::SockFilter> program;
  for (const auto& call : plan::syscall_table()) {
    for (const auto& name : names) {
      if (call.name != name) continue;
      const int number = plan.facts.arch == kernel::Arch::kX86_64 ? call.x86_64 : call.aarch64;
      program.push_back({kLoad, 0, 0, 0});
      program.push_back({kJumpIfEqual, 0, 1, static_cast<std::uint32_t>(number)});
      program.push_back({kReturn, 0, 0, 0x7fff0000});  // SECCOMP_RET_ALLOW
    }
  }
  if (program.size() != 3 * names.size()) give_up("no such system call");
  program.insert(program.end(), plan.seccomp_program->begin(), plan.seccomp_program->end());
  plan.seccomp_program = std::make_shared<const std::vector<plan::SockFilter>>(std::move(program));
}

void unhandle(plan::Plan& plan, const std::string& right) {
  const std::map<std::string, std::uint64_t> rights{{"read_file", kernel::kFsReadFile},
                                                    {"read_dir", kernel::kFsReadDir},
                                                    {"write_file", kernel::kFsWriteFile},
                                                    {"truncate", kernel::kFsTruncate},
                                                    {"make_reg", kernel::kFsMakeReg}};
  if (!rights.contains(right)) give_up("no such right");
  plan.landlock.handled_fs &= ~rights.at(right);
  for (auto& rule : plan.landlock.paths) rule.access &= plan.landlock.handled_fs;
}

void mutate(plan::Plan& plan, const std::string& mutation) {
  if (mutation.starts_with("call:")) {
    allow_calls(plan, split(mutation.substr(5)));
  } else if (mutation.starts_with("fs:")) {
    unhandle(plan, mutation.substr(3));
  } else if (mutation == "sockets") {
    plan.seccomp_rules.sockets = plan::Sockets::kInternet;
    plan.seccomp_rules.listen = true;
    plan.seccomp_program = must(plan::compile_seccomp(plan.seccomp_rules));
    plan.landlock.handled_net = 0;
    plan.landlock.ports.clear();
  } else if (mutation != "none") {
    give_up("no such mutation");
  }
}

capability::CapabilitySet grants(const Words& words, std::size_t& next) {
  capability::CapabilitySet set;
  const auto grant = [&](const std::string& path, capability::AccessMode mode) {
    if (::access(path.c_str(), F_OK) != 0) return;
    const Status ok = set.allow_any(path, mode, capability::CapabilitySource::user());
    if (!ok) give_up(ok.error().message);
  };
  for (const char* path : {"/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache"}) {
    grant(path, capability::AccessMode::kRead);
  }
  grant("/dev/null", capability::AccessMode::kReadWrite);
  for (; words.at(next) != "--"; next += 2) {
    const std::string &kind = words[next], &name = words.at(next + 1);
    Status ok;
    if (kind == "d") ok = set.deny_path(name);
    else if (kind == "s") ok = set.allow_unix_socket(name);
    else if (kind == "p") ok = set.protect({name});
    else grant(name, kind == "r" ? capability::AccessMode::kRead : capability::AccessMode::kReadWrite);
    if (!ok) give_up(ok.error().message);
  }
  return set;
}

}  // namespace

int main(int argc, char** argv) {
  const Words words(argv + 1, argv + argc);
  if (words.size() < 4) give_up("MUTATION NETWORK [r|w|d|s PATH | p NAME]... -- COMMAND...");
  std::size_t next = 2;
  capability::CapabilitySet set = grants(words, next);
  if (words[1] == "blocked") set.block_network();
  else set.allow_tcp_connect_port(static_cast<std::uint16_t>(std::stoi(words[1])));

  plan::Options options;
  options.isolation = plan::Isolation::kProcess;
  options.environment = must(launch::make_environment(launch::host_environment(), {}));
  plan::Plan plan = must(plan::make_plan(set, kernel::host_facts(), options));
  mutate(plan, words[0]);

  launch::Command command;
  command.argv.assign(words.begin() + static_cast<std::ptrdiff_t>(next) + 1, words.end());
  command.program = command.argv.at(0);
  command.directory = must(capability::canonicalize("."));
  command.input = launch::InputDescriptor{STDIN_FILENO};
  command.output = launch::OutputDescriptor{STDOUT_FILENO};
  command.error = launch::OutputDescriptor{STDERR_FILENO};
  const auto child = must(supervise::launch(std::move(plan), std::move(command)));
  while (child->poll(std::nullopt) != launch::Child::Progress::kEnded) {
  }
  const launch::Outcome outcome = child->take_outcome();
  if (outcome.failed_to_start) give_up(outcome.setup_failure.message);
  return outcome.signal != 0 ? 128 + outcome.signal : outcome.exit_status;
}
