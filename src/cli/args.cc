#include "cli/args.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "base/text.h"
#include "capability/protected_names.h"
#include "cli/help.h"
#include "cli/values.h"

namespace nono::cli {
namespace {

using capability::AccessMode;
using capability::SocketMode;
using capability::SocketScope;

constexpr std::uint64_t kLeastMemory = 1 << 20;

struct PathFlag {
  const char* names;
  const char* name;
  AccessMode access;
  GrantKind kind;
  const char* help;
};
constexpr std::array<PathFlag, 6> kPathFlags{{
    {"-r,--read", "--read", AccessMode::kRead, GrantKind::kDirectory,
     "Read and execute all below this directory; or read what\na pattern matches, such as '/data/**/*.csv'"},
    {"-w,--write", "--write", AccessMode::kWrite, GrantKind::kDirectory,
     "Write, create and delete all below it, without reading"},
    {"-a,--allow", "--allow", AccessMode::kReadWrite, GrantKind::kDirectory, "Read and write all below it"},
    {"--read-file", "--read-file", AccessMode::kRead, GrantKind::kFile, "Read and execute this file"},
    {"--write-file", "--write-file", AccessMode::kWrite, GrantKind::kFile, "Write this file"},
    {"--allow-file", "--allow-file", AccessMode::kReadWrite, GrantKind::kFile, "Read and write this file"},
}};

struct SocketFlag {
  const char* name;
  capability::SocketScope scope;
  capability::SocketMode mode;
  const char* value;
  const char* help;
};
constexpr std::array<SocketFlag, 6> kSocketFlags{{
    {"--allow-unix-socket", SocketScope::kFile, SocketMode::kConnect, "PATH",
     "Connect to this Unix socket; what answers runs outside"},
    {"--allow-unix-socket-bind", SocketScope::kFile, SocketMode::kConnectBind, "PATH", "The same, and make it"},
    {"--allow-unix-socket-dir", SocketScope::kDirChildren, SocketMode::kConnect, "DIR",
     "Connect to the Unix sockets directly in DIR"},
    {"--allow-unix-socket-dir-bind", SocketScope::kDirChildren, SocketMode::kConnectBind, "DIR", "The same, and make some there"},
    {"--allow-unix-socket-subtree", SocketScope::kDirSubtree, SocketMode::kConnect, "DIR",
     "Connect to the Unix sockets anywhere below DIR"},
    {"--allow-unix-socket-subtree-bind", SocketScope::kDirSubtree, SocketMode::kConnectBind, "DIR",
     "The same, and make some there"},
}};

// Our usage line, the value's name and nothing else behind each option, and no spellings that are
// there for habit's sake.
class HelpText : public CLI::Formatter {
 public:
  explicit HelpText(const char* usage) : usage_(usage) { column_width(30); }
  std::string make_usage(const CLI::App*, std::string) const override { return cat("\n", usage_); }
  std::string make_option_name(const CLI::Option* option, bool) const override {
    const std::string longest = cat("--", option->get_lnames().front());
    return option->get_snames().empty() ? cat("    ", longest)
                                        : cat("-", option->get_snames().front(), ", ", longest);
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_option_text().empty() ? "" : cat(" ", option->get_option_text());
  }

 private:
  const char* usage_;
};

// A flag that may be repeated, with one value each time.
template <class T>
CLI::Option* repeated(CLI::App& app, const char* names, std::vector<T>& values, const std::string& help) {
  return app.add_option(names, values, help)->allow_extra_args(false)->take_all();
}

// One of a few words.
template <class T>
CLI::Option* choice(CLI::App& app, const char* name, T& value, const char* help, std::map<std::string, T> words) {
  const CLI::IsMember known(words);
  const auto take = [&value, words](const std::string& word) { value = words.at(word); };
  return app.add_option_function<std::string>(name, take, help)->check(known);
}

// Where CLI11 puts what it reads until it becomes values.
struct Raw {
  std::array<std::vector<std::string>, kPathFlags.size()> paths;
  std::array<std::vector<std::string>, kSocketFlags.size()> sockets;
  std::string timeout;
  std::string memory;
};

std::vector<std::string> protected_words() {
  std::vector<std::string> words = capability::ProtectedNames::known();
  words.emplace_back("all");
  return words;
}

void add_grants(CLI::App& app, GrantArguments& grants, Raw& raw) {
  for (std::size_t i = 0; i < kPathFlags.size(); ++i) {
    const PathFlag& flag = kPathFlags[i];
    repeated(app, flag.names, raw.paths[i], flag.help)->option_text("PATH")->group("Files");
  }
  repeated(app, "--deny", grants.denied,
           "Closed with all below it inside the grants, also before it exists;\n'**/.env' is anywhere, '*.pem' in this directory")
      ->option_text("PATTERN")->group("Files");
  repeated(app, "--unprotect", grants.unprotected,
           cat("Let these be changed as well, which are only read otherwise:\n",
               join(capability::ProtectedNames::known(), ", "), "; all"))
      ->check(CLI::IsMember(protected_words()))->option_text("NAME")->group("Files");
  app.add_flag("!--no-system", grants.system,
               "Without the programs, libraries and settings under /usr, /lib and /etc")
      ->group("Files");
  app.add_flag("--block-net", grants.block_network, "No network at all")->group("Network");
  repeated(app, "--allow-connect,--allow-connect-port", grants.connect_ports,
           "Only TCP, and to this port of any host")
      ->check(CLI::Range(1, 65535))->option_text("PORT")->group("Network");
  repeated(app, "--allow-bind,--listen-port", grants.bind_ports,
           "Only TCP, and a server on this port (0: one of the kernel's choice)")
      ->check(CLI::Range(0, 65535))->option_text("PORT")->group("Network");
  for (std::size_t i = 0; i < kSocketFlags.size(); ++i) {
    const SocketFlag& flag = kSocketFlags[i];
    repeated(app, flag.name, raw.sockets[i], flag.help)->option_text(flag.value)->group("Unix sockets");
  }
}

void take_paths(const Raw& raw, GrantArguments& grants) {
  for (std::size_t i = 0; i < kPathFlags.size(); ++i) {
    for (const auto& path : raw.paths[i]) {
      grants.paths.push_back({kPathFlags[i].name, path, kPathFlags[i].access, kPathFlags[i].kind});
    }
  }
  for (std::size_t i = 0; i < kSocketFlags.size(); ++i) {
    const SocketFlag& flag = kSocketFlags[i];
    for (const auto& path : raw.sockets[i]) grants.sockets.push_back({flag.name, path, flag.scope, flag.mode});
  }
}

void prepare(CLI::App& app, const char* usage, const char* examples) {
  app.set_help_flag();
  app.formatter(std::make_shared<HelpText>(usage));
  app.footer(examples);
}

tl::unexpected<Stop> wrong(std::string_view subcommand, std::string_view what) {
  return tl::unexpected(Stop{kExitUsage, cat("nono ", subcommand, ": ", escape(what), "\nSee nono ",
                                             subcommand, " --help\n")});
}

// CLI11 leaves two empty lines between groups.
std::string single_spaced(std::string text) {
  for (std::size_t at = 0; (at = text.find("\n\n\n", at)) != text.npos;) text.erase(at, 1);
  return text;
}

// Nothing: parsed. CLI11 wants the words in reverse.
std::optional<Stop> parse(CLI::App& app, std::string_view subcommand, std::vector<std::string> words) {
  app.set_help_flag("-h,--help", "This text")->group("Output");
  std::ranges::reverse(words);
  try {
    app.parse(std::move(words));
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    return Stop{0, single_spaced(app.help())};
  } catch (const CLI::ParseError& error) {
    return wrong(subcommand, error.what()).value();
  }
}

}  // namespace

Parsed<RunArguments> parse_run(const std::vector<std::string>& words) {
  RunArguments run;
  Raw raw;
  CLI::App app(kRunText);
  prepare(app, "Usage: nono run [OPTIONS] -- COMMAND [ARGUMENTS]\n", kRunExamples);
  add_grants(app, run.grants, raw);
  repeated(app, "--env", run.environment, "Set a variable, or pass on the caller's; nothing else is inherited")
      ->option_text("NAME[=VALUE]")->group("Command");
  app.add_option("--cwd,--workdir", run.directory, "Where the command starts")
      ->option_text("DIR")->group("Command");
  app.add_option("--timeout", raw.timeout, "End the whole tree after this time")
      ->option_text("SECONDS")->group("Limits");
  app.add_option("--memory", raw.memory, "Address space of each process, such as 512M or 2G")
      ->option_text("SIZE")->group("Limits");
  app.add_option("--max-processes", run.limits.processes, "Processes and threads of the user (not of root)")
      ->option_text("N")->check(CLI::Range(1U, 4194304U))->group("Limits");
  choice<plan::Isolation>(app, "--isolation", run.isolation,
                          "auto, process, namespaces (own /proc), strict (and only grants seen)",
                          {{"auto", plan::Isolation::kAuto},
                           {"process", plan::Isolation::kProcess},
                           {"namespaces", plan::Isolation::kNamespaces},
                           {"strict", plan::Isolation::kStrict}})
      ->option_text("HOW")->group("Sandbox");
  app.add_option("--uid", run.uid, "Run as this user (root only)")->option_text("UID")->group("Sandbox");
  app.add_option("--gid", run.gid, "Run as this group")->option_text("GID")->group("Sandbox");
  app.add_flag("--dry-run", run.dry_run, "Show what would be enforced and run nothing")->group("Output");
  app.add_flag("--json", run.json, "Print the result (with --dry-run: the record) as one JSON object")
      ->group("Output");

  // What follows -- belongs to the command, whatever it looks like.
  app.prefix_command();
  const auto separator = std::ranges::find(words, "--");
  if (auto stop = parse(app, "run", {words.begin(), separator})) return tl::unexpected(*std::move(stop));
  run.command = app.remaining();
  if (!run.command.empty() && run.command.front().starts_with('-')) {
    return wrong("run", cat("unknown option ", run.command.front()));
  }
  if (separator != words.end()) {
    const auto rest = run.command.empty() ? separator + 1 : separator;
    run.command.insert(run.command.end(), rest, words.end());
  }
  if (run.command.empty() || run.command.front().empty()) {
    return wrong("run", "no command given; write it after --");
  }

  take_paths(raw, run.grants);
  if (!raw.timeout.empty()) {
    run.timeout = parse_seconds(raw.timeout);
    if (!run.timeout) return wrong("run", cat("--timeout: not a number of seconds: ", raw.timeout));
  }
  if (!raw.memory.empty()) {
    run.limits.memory_bytes = parse_size(raw.memory);
    if (!run.limits.memory_bytes) return wrong("run", cat("--memory: not a size: ", raw.memory));
    if (*run.limits.memory_bytes < kLeastMemory) return wrong("run", "--memory: at least 1M");
  }
  return run;
}

Parsed<WhyArguments> parse_why(const std::vector<std::string>& words) {
  WhyArguments why;
  Raw raw;
  CLI::App app(kWhyText);
  prepare(app, "Usage: nono why (--path PATH [--op OP] | --host HOST [--port PORT] | --unix-socket PATH) [OPTIONS]\n", kWhyExamples);
  auto* path = app.add_option("--path", why.path, "May this path be used ...");
  path->option_text("PATH")->group("Question");
  choice<AccessMode>(app, "--op", why.operation, "... for read (default), write or readwrite?",
                     {{"read", AccessMode::kRead},
                      {"write", AccessMode::kWrite},
                      {"readwrite", AccessMode::kReadWrite}})
      ->option_text("OP")->needs(path)->group("Question");
  auto* host = app.add_option("--host", why.host, "May this host be connected to ...");
  host->option_text("HOST")->excludes(path)->group("Question");
  app.add_option("--port", why.port, "... on this TCP port (default 443)?")
      ->check(CLI::Range(1, 65535))->option_text("PORT")->needs(host)->group("Question");
  auto* socket = app.add_option("--unix-socket", why.unix_socket, "May this Unix socket be used ...");
  socket->option_text("PATH")->excludes(path)->excludes(host)->group("Question");
  choice<plan::SocketUse>(app, "--socket-op", why.socket_use, "... to connect (default) or bind?",
                          {{"connect", plan::SocketUse::kConnect}, {"bind", plan::SocketUse::kBind}})
      ->option_text("OP")->needs(socket)->group("Question");
  add_grants(app, why.grants, raw);
  app.add_flag("--json", why.json, "Answer as one JSON object")->group("Output");
  if (auto stop = parse(app, "why", words)) return tl::unexpected(*std::move(stop));
  if (!why.path && !why.host && !why.unix_socket) {
    return wrong("why", "ask about --path PATH, --host HOST or --unix-socket PATH");
  }
  take_paths(raw, why.grants);
  return why;
}

Parsed<bool> parse_setup(const std::vector<std::string>& words) {
  CLI::App app(kSetupText);
  prepare(app, "Usage: nono setup [--check-only]\n", kSetupExamples);
  bool check_only = true;
  app.add_flag("--check-only", check_only, "Look, and change nothing; there is nothing else to do yet")
      ->group("Output");
  if (auto stop = parse(app, "setup", words)) return tl::unexpected(*std::move(stop));
  return true;
}

}  // namespace nono::cli
