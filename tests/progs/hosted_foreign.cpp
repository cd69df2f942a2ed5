// Calls that need a goroutine, on a thread that has none, and ends of threads and processes in unusual places; see
// check_foreign.py, which runs each scene.
// HOSTED: only
// STDOUT: nothing asked
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mutex>
#include <string>
#include <thread>

#include "cxx_check.h"

namespace {

auto channel = boot::make_chan<int>();

void foreign(void (*f)()) { std::thread(f).join(); }

std::mutex held;
struct unlocked {
  ~unlocked() { held.unlock(); }
};

void forks(void (*child)()) {
  pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    child();
    _exit(0);
  }
  int status;
  CHECK(waitpid(pid, &status, 0) == pid);
  boot::println("child: {}", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

struct {
  const char* name;
  void (*run)();
} const scenes[] = {
    {"println", [] { foreign([] { boot::println("{}", 1); }); }},
    {"New", [] { foreign([] { boot::New<int>(1); }); }},
    {"send", [] { foreign([] { channel.send(1); }); }},
    {"recv", [] { foreign([] { channel.recv(); }); }},
    {"panic", [] { foreign([] { boot::panic("foreign"); }); }},
    {"go", [] { foreign([] { boot::go([] {}); }); }},
    {"Gosched", [] { foreign([] { runtime::Gosched(); }); }},
    {"Sleep", [] { foreign([] { boot::time::Sleep(std::chrono::milliseconds(1)); }); }},
    {"abort", [] { foreign([] { abort(); }); }},
    {"nil", [] { foreign([] { *static_cast<volatile int*>(nullptr) = 1; }); }},
    {"pthread_exit",
     [] {
       auto done = boot::make_chan<int>();
       boot::go([=] {
         boot::defer d{[=] { done.send(1); }};
         held.lock();
         unlocked u;
         pthread_exit(nullptr);
       });
       done.recv();
       held.lock();
       boot::println("ended");
     }},
    {"fork", [] { forks([] { (void)!write(1, "works\n", 6); }); }},
    {"fork and exec", [] { forks([] { execl("/bin/echo", "echo", "exec", nullptr); }); }},
    {"fork and go",
     [] {
       forks([] {
         auto c = boot::make_chan<int>();
         boot::go([=] { c.send(1); });
         c.recv();
       });
     }},
    {"popen",
     [] {
       FILE* f = popen("echo popen", "r");
       char line[100] = {};
       CHECK(f != nullptr && fgets(line, sizeof line, f) != nullptr && pclose(f) == 0);
       boot::print("{}", line);
     }},
};

}  // namespace

void main_main() {
  auto args = boot::os::Args();
  for (const auto& s : scenes)
    if (args.size() > 1 && std::string_view(args[1]) == s.name) return s.run();
  boot::println("nothing asked");
}
