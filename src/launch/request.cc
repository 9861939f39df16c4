#include "launch/request.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <variant>

#include "base/text.h"
#include "kernel/fd_table.h"

namespace nono::launch {
namespace {

tl::unexpected<Error> io(std::string_view what) {
  return fail(ErrorKind::kIo, cat(what, " failed: ", os_error(errno)));
}

Result<Fd> duplicate(int fd) {
  Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy.valid()) return io("fcntl(F_DUPFD_CLOEXEC)");
  return copy;
}

Status make_nonblocking(const Fd& fd) {
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) return io("fcntl(O_NONBLOCK)");
  return {};
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> list;
  list.reserve(strings.size() + 1);
  for (auto& text : strings) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

// There is nothing else in such a view, not even the directories on the way to grants as they are outside.
Status check_directory(const plan::Plan& plan, const std::string& directory) {
  const auto holds_it = [&](const capability::FsCapability& grant) { return grant.covers(directory); };
  if (!plan.view || !plan.view->only_grants || std::ranges::any_of(plan.grants, holds_it)) return {};
  return fail(ErrorKind::kSandboxInit,
              cat("Sandbox initialization failed: the working directory ", escape(directory),
                  " lies in no grant, and isolation=\"strict\" shows nothing else"),
              "Grant it, or start the command in a directory that is granted.");
}

}  // namespace

Result<Fd> Request::child_end(const Output& sink, Fd& reader) {
  if (const auto* given = std::get_if<OutputDescriptor>(&sink)) return duplicate(given->fd);
  kernel::Pipe pipe = NONO_TRY(kernel::pipe2(0));
  if (Status ok = make_nonblocking(pipe.read); !ok) return tl::unexpected(ok.error());
  reader = std::move(pipe.read);
  return std::move(pipe.write);
}

Status Request::prepare_streams(const Command& command) {
  if (const auto* given = std::get_if<InputDescriptor>(&command.input)) {
    standard_[kStdin] = NONO_TRY(duplicate(given->fd));
  } else if (std::holds_alternative<InputBytes>(command.input)) {
    kernel::Pipe pipe = NONO_TRY(kernel::pipe2(0));
    if (Status ok = make_nonblocking(pipe.write); !ok) return ok;
    standard_[kStdin] = std::move(pipe.read);
    input = std::move(pipe.write);
  } else {
    launch.null_input = true;
  }
  standard_[kStdout] = NONO_TRY(child_end(command.output, output));
  standard_[kStderr] = command.error_is_output ? NONO_TRY(duplicate(standard_[kStdout].get()))
                                               : NONO_TRY(child_end(command.error, error));
  return {};
}

Status Request::prepare(const plan::Plan& plan, Command& command) {
  if (Status ok = check_directory(plan, command.directory); !ok) return ok;
  directory_ = NONO_TRY(kernel::open_path(command.directory, O_DIRECTORY));
  if (Status ok = prepare_streams(command); !ok) return ok;

  for (const auto& [name, value] : plan.environment) environment_text_.push_back(cat(name, "=", value));
  argv_ = pointers(command.argv);
  environment_ = pointers(environment_text_);
  for (const auto& limit : plan.rlimits) {
    rlimit own{};
    // Nobody has asked for this one, so a host that may have less is not refused.
    const bool is_less = limit.resource == RLIMIT_CORE && ::getrlimit(RLIMIT_CORE, &own) == 0 && own.rlim_max < limit.value;
    limits_.push_back({limit.resource, is_less ? own.rlim_max : limit.value});
  }

  launch.program = command.program.c_str();
  launch.argv = argv_.data();
  launch.environment = environment_.data();
  launch.kept_numbers = plan.keep_descriptors.data();
  launch.kept_count = plan.keep_descriptors.size();
  launch.limits = limits_.data();
  launch.limit_count = limits_.size();
  launch.kept_capabilities = plan.kept_capabilities;
  launch.change_identity = plan.become.has_value();
  launch.drop_capabilities =
      plan.facts.capabilities != 0 || plan.become || (plan.view && plan.view->user_namespace);
  if (plan.become) {
    launch.uid = plan.become->uid;
    launch.gid = plan.become->gid;
  }
  if (plan.view) {
    const kernel::Identity here = NONO_TRY(kernel::fstat(directory_));
    launch.directory_in_view = {command.directory.c_str(), here.device, here.inode};
    for (const auto& rule : plan.view->in_proc) proc_rules_.push_back({rule.path.c_str(), rule.access});
    launch.proc.rules = proc_rules_.data();
    launch.proc.rule_count = proc_rules_.size();
  }
  return {};
}

// A place must not be empty: the directory stands in for what is not used.
std::vector<int> Request::descriptors(const plan::Plan& plan) const {
  std::vector<int> list(kFirstKept, directory_.get());
  for (std::size_t stream = kStdin; stream <= kStderr; ++stream) {
    if (standard_[stream].valid()) list[stream] = standard_[stream].get();
  }
  list.insert(list.end(), plan.keep_descriptors.begin(), plan.keep_descriptors.end());
  return list;
}

void Request::release_streams() {
  for (Fd& stream : standard_) stream.reset();
}

}  // namespace nono::launch
