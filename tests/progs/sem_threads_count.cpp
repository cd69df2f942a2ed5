// Threads are made for Ps, not for goroutines: a hundred that are always runnable need no more than one.
// CLAIMS: [C45] [C46]
// PROCS: 1 2
// REPEAT: 5
// STDOUT: at main as many as in Go: true, with 100 busy goroutines: true
#include <boot/boot.h>

#include <cstdlib>
#include <string>

using namespace std::chrono_literals;

namespace {

int threads() {
  auto status = boot::os::ReadFile("/proc/self/status");
  std::string text(status.begin(), status.end());
  auto at = text.find("Threads:");
  return at == std::string::npos ? 1000 : std::atoi(text.c_str() + at + 8);
}

}  // namespace

void main_main() {
  const int most = runtime::GOMAXPROCS(0) + 3;  // Go: 3 or 4 with one P, 4 or 5 with two
  int atMain = threads();
  for (int i = 0; i < 100; i++) {
    boot::go([] {
      for (;;) runtime::Gosched();
    });
  }
  boot::time::Sleep(20ms);
  int busy = threads();
  boot::println("at main as many as in Go: {}, with 100 busy goroutines: {}", atMain <= most, busy <= most);
  if (atMain > most || busy > most) boot::eprintln("{}, {}", atMain, busy);
}
