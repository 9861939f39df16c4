#include "cli/explain_denial.h"

#include <gtest/gtest.h>

#include <map>

#include "base/text.h"

namespace nono::cli {
namespace {

using Reason = plan::PathAnswer::Reason;

plan::PathAnswer answer(Reason reason, std::string access = {}) {
  plan::PathAnswer out;
  out.reason = reason;
  out.access = std::move(access);
  return out;
}

PathFacts file(std::string path, Reason read, Reason write, std::string granted = {}) {
  PathFacts facts;
  facts.canonical = std::move(path);
  facts.exists = true;
  facts.user_may_read = true;
  facts.user_may_write = true;
  facts.read = answer(read, granted);
  facts.write = answer(write, granted);
  return facts;
}
PathFacts closed(std::string path) { return file(std::move(path), Reason::kPathNotGranted, Reason::kPathNotGranted); }
PathFacts readable(std::string path) {
  return file(std::move(path), Reason::kGrantedPath, Reason::kInsufficientAccess, "read");
}

// A file system with a few things in it. Everything else does not exist; /work is readable.
class ExplainDenial : public testing::Test {
 protected:
  ExplainDenial() {
    add(closed("/etc/shadow"));
    add(readable("/work/notes.txt"));
    add(readable("/usr/bin/sh"));
    add(closed("/data/a b"));
    PathFacts directory = closed("/srv/dir");
    directory.is_directory = true;
    add(directory);
    PathFacts secret = closed("/home/u/.ssh/id_rsa");
    secret.is_protected = true;
    add(secret);
    PathFacts other = closed("/srv/others");
    other.user_may_read = other.user_may_write = false;
    add(other);
  }

  void add(const PathFacts& facts) { files_[facts.canonical] = facts; }

  PathFacts look_up(const std::string& path) {
    ++look_ups_;
    const std::string whole = path.starts_with('/') ? path : cat("/work/", path);
    if (const auto found = files_.find(whole); found != files_.end()) return found->second;
    PathFacts facts = whole.starts_with("/work/") ? readable(whole) : closed(whole);
    facts.exists = false;
    return facts;
  }

  std::string explain(std::string_view text) {
    return explain_denial(text, network_, [&](const std::string& path) { return look_up(path); }).value_or("");
  }

  std::map<std::string, PathFacts> files_;
  NetworkFacts network_;
  int look_ups_ = 0;
};

constexpr const char* kShadow =
    "nono: /etc/shadow was not readable here: not granted (add --read-file /etc/shadow)";

TEST_F(ExplainDenial, KnowsTheWaysOfManyPrograms) {
  for (const char* text : {
           "cat: /etc/shadow: Permission denied\n",
           "cat: '/etc/shadow': Permission denied\n",
           "cat: can't open '/etc/shadow': Permission denied\n",
           "bash: line 1: /etc/shadow: Permission denied\n",
           "sh: 1: cannot open /etc/shadow: Permission denied\n",
           "/usr/bin/sh: 1: cannot open /etc/shadow: Permission denied\n",
           "PermissionError: [Errno 13] Permission denied: '/etc/shadow'\n",
           "Error: EACCES: permission denied, open '/etc/shadow'\n",
           "panic: open /etc/shadow: permission denied\n",
           "error: couldn't read `/etc/shadow`: Permission denied (os error 13)\n",
           "grep: /etc/shadow: Operation not permitted\r\n",
           "head: cannot open \xe2\x80\x98/etc/shadow\xe2\x80\x99 for reading: Permission denied\n",
           "java.io.FileNotFoundException: /etc/shadow (Permission denied)\n",
       }) {
    EXPECT_EQ(explain(text), kShadow) << text;
  }
}

TEST_F(ExplainDenial, SaysNothingOfWhatItDoesNotKnow) {
  for (const char* text : {"", "\n\n", "error: it did not work\n", "Permission denied\n",
                           "ssh: Permission denied (publickey).\n", "cat: /x: No such file or directory\n"}) {
    EXPECT_EQ(explain(text), "") << text;
  }
}

TEST_F(ExplainDenial, SaysNothingWhereThePlanAllowsIt) {
  add(file("/work/open", Reason::kGrantedPath, Reason::kGrantedPath));
  EXPECT_EQ(explain("cat: /work/open: Permission denied\n"), "");
}

TEST_F(ExplainDenial, TheLatestRefusalIsTheReason) {
  EXPECT_EQ(explain("cat: /srv/dir: Permission denied\ncat: /etc/shadow: Permission denied\nfailed\n"), kShadow);
}

TEST_F(ExplainDenial, Writing) {
  EXPECT_EQ(explain("touch: cannot touch '/etc/shadow': Permission denied\n"),
            "nono: /etc/shadow was not writable here: not granted (add --write-file /etc/shadow)");
  EXPECT_EQ(explain("touch: cannot touch 'new.txt': Permission denied\n"),
            "nono: /work/new.txt was not writable here: only read is granted");
  EXPECT_EQ(explain("sh: 1: cannot create new.txt: Permission denied\n"),
            "nono: /work/new.txt was not writable here: only read is granted");
  EXPECT_EQ(explain("rm: cannot remove 'notes.txt': Read-only file system\n"),
            "nono: /work/notes.txt was not writable here: only read is granted (add --write-file /work/notes.txt)");
  EXPECT_EQ(explain("bash: line 1: notes.txt: Permission denied\n"),
            "nono: /work/notes.txt is granted for reading only here (to write it, add --write-file /work/notes.txt)");
}

TEST_F(ExplainDenial, OwnersAndModesTakeTheRightToWrite) {
  const std::string line =
      "nono: /work/notes.txt was not writable here: only read is granted (add --write-file /work/notes.txt)";
  EXPECT_EQ(explain("chown: changing ownership of '/work/notes.txt': Operation not permitted\n"), line);
  EXPECT_EQ(explain("chmod: changing permissions of '/work/notes.txt': Operation not permitted\n"), line);
}

TEST_F(ExplainDenial, Directories) {
  EXPECT_EQ(explain("ls: cannot open directory '/srv/dir': Permission denied\n"),
            "nono: /srv/dir was not readable here: not granted (add --read /srv/dir)");
}

TEST_F(ExplainDenial, ProtectedPathsAreNeverSuggested) {
  EXPECT_EQ(explain("cat: /home/u/.ssh/id_rsa: Permission denied\n"),
            "nono: /home/u/.ssh/id_rsa was not readable here: not granted");
}

TEST_F(ExplainDenial, WritingToTheSystemIsNeverSuggested) {
  PathFacts program = readable("/usr/bin/env");
  program.is_system = true;
  add(program);
  EXPECT_EQ(explain("touch: cannot touch '/usr/bin/env': Permission denied\n"),
            "nono: /usr/bin/env was not writable here: only read is granted");
  EXPECT_EQ(explain("bash: line 1: /usr/bin/env: Permission denied\n"), "");
}

TEST_F(ExplainDenial, NoFlagThatWouldNotHelp) {
  EXPECT_EQ(explain("cat: /srv/others: Permission denied\n"),
            "nono: /srv/others was not readable here: not granted, nor do its file permissions allow it to you");
}

TEST_F(ExplainDenial, SuggestionsAreShellWords) {
  EXPECT_EQ(explain("cat: '/data/a b': Permission denied\n"),
            "nono: /data/a b was not readable here: not granted (add --read-file '/data/a b')");
  add(closed("/data/x;rm -rf $HOME"));
  EXPECT_EQ(explain("cat: \"/data/x;rm -rf $HOME\": Permission denied\n"),
            "nono: /data/x;rm -rf $HOME was not readable here: not granted (add --read-file '/data/x;rm -rf $HOME')");
  add(closed("/data/x' $(rm) '"));
  EXPECT_EQ(explain("cat: \"/data/x' $(rm) '\": Permission denied\n"),
            "nono: /data/x' $(rm) ' was not readable here: not granted");
}

TEST_F(ExplainDenial, NothingATerminalWouldActUpon) {
  add(closed("/data/\x1b[2J\x1b]0;owned\x07"));
  EXPECT_EQ(explain("cat: '/data/\x1b[2J\x1b]0;owned\x07': Permission denied\n"),
            "nono: /data/\\x1b[2J\\x1b]0;owned\\x07 was not readable here: not granted");
  add(closed("/data/\xff\xfe"));
  EXPECT_EQ(explain("cat: /data/\xff\xfe: Permission denied\n"),
            "nono: /data/\\xff\\xfe was not readable here: not granted");
  add(closed("/data/\u202etxt.exe"));
  EXPECT_EQ(explain("cat: /data/\u202etxt.exe: Permission denied\n"),
            "nono: /data/\\u{202e}txt.exe was not readable here: not granted");
}

TEST_F(ExplainDenial, HostileTextIsBounded) {
  const std::string long_path = cat("/", std::string(1 << 20, 'a'));
  EXPECT_EQ(explain(cat("cat: ", long_path, ": Permission denied\n")), "");
  const std::string long_line = cat(std::string(10 << 20, '\''), "cat: /etc/shadow: Permission denied\n");
  EXPECT_EQ(explain(long_line), kShadow);
  look_ups_ = 0;
  std::string many;
  for (int i = 0; i < 20000; ++i) many += cat("cat: '/work/", i, "' '/work/x", i, "': Permission denied\n");
  EXPECT_EQ(explain(many), "");
  EXPECT_LT(look_ups_, 200);
  EXPECT_EQ(explain(std::string("cat: /etc/sha\0dow: Permission denied\n", 38)), "");
}

TEST_F(ExplainDenial, BlockedNetwork) {
  network_.sockets = plan::Sockets::kNone;
  for (const char* text : {
           "ping: socktype: SOCK_RAW\nping: socket: Operation not permitted\n",
           "curl: (6) Could not resolve host: example.com\n",
           "curl: (7) Failed to connect to 192.0.2.1 port 80 after 0 ms: Couldn't connect to server\n",
           "socket.gaierror: [Errno -3] Temporary failure in name resolution\n",
           "    _socket.socket.__init__(self, family, type, proto, fileno)\n"
           "PermissionError: [Errno 1] Operation not permitted\n",
       }) {
    EXPECT_EQ(explain(text), "nono: the network is blocked here (--block-net)") << text;
  }
}

TEST_F(ExplainDenial, LimitedNetwork) {
  network_ = {plan::Sockets::kTcp, {443, 8443}};
  EXPECT_EQ(explain("connect: Permission denied\n"),
            "nono: the network is limited here to TCP port 443, 8443 (--allow-connect); there is no UDP, "
            "so names are not resolved");
  EXPECT_EQ(explain("curl: (7) Failed to connect to 192.0.2.1 port 443\n"), "");
}

TEST_F(ExplainDenial, OpenNetworkIsNoReason) {
  EXPECT_EQ(explain("curl: (6) Could not resolve host: example.com\n"), "");
  EXPECT_EQ(explain("connect: Permission denied\n"), "");
}

TEST(ExplainNotStarted, ProgramAndInterpreter) {
  EXPECT_EQ(explain_not_started(closed("/opt/tool"), "").value_or(""),
            "nono: /opt/tool cannot be executed here: not granted (add --read-file /opt/tool)");
  EXPECT_EQ(explain_not_started(closed("/opt/sh"), "/work/run.sh").value_or(""),
            "nono: /opt/sh, which /work/run.sh needs to start, cannot be executed here: not granted "
            "(add --read-file /opt/sh)");
  EXPECT_FALSE(explain_not_started(readable("/usr/bin/sh"), ""));
}

TEST_F(ExplainDenial, AProtectedNameIsNamedWithWhatOpensIt) {
  PathFacts hook = file("/work/.git/config", Reason::kGrantedPath, Reason::kDeniedPath);
  hook.write.denied_path = "**/.git/config";
  hook.write.protected_by = "git";
  add(hook);
  for (const char* text : {"tee: /work/.git/config: Permission denied", "sh: 1: cannot create .git/config: Permission denied"}) {
    EXPECT_EQ(explain(text), "nono: /work/.git/config was not writable here: protected (git) (add --unprotect git)") << text;
  }
  hook.write.protected_by.clear();
  add(hook);
  EXPECT_EQ(explain("cannot write '/work/.git/config': Permission denied"),
            "nono: /work/.git/config was not writable here: denied (--deny **/.git/config)");
}

TEST_F(ExplainDenial, ASocketOutsideIsNamedAndNotSuggested) {
  PathFacts socket = closed("/srv/db.sock");
  socket.is_socket = true;
  add(socket);
  const std::string text = "dial unix /srv/db.sock: connect: permission denied\n";
  EXPECT_EQ(explain(text), "nono: /srv/db.sock is a Unix socket outside, and not granted here "
                           "(see nono why --unix-socket /srv/db.sock)");
  socket.socket_granted = true;
  add(socket);
  EXPECT_EQ(explain(text), "");
  socket = file("/srv/db.sock", Reason::kGrantedPath, Reason::kGrantedPath);
  socket.is_socket = true;
  add(socket);
  EXPECT_EQ(explain(text), "");
}

}  // namespace
}  // namespace nono::cli
