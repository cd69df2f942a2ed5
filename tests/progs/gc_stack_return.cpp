// Goroutines that were deep once and wait now cost what they did before: each goes down to 1 MB of stack, then all wait,
// and the memory goes back to the kernel at the scavenger's pace. Then they go down again, and end.
// CLAIMS: [C42] [C54]
// PROCS: 1 2 8
// TIMEOUT: 120
// STDOUT: deep
// STDOUT: given back
// STDOUT: deep again
// STDOUT: given back
#include <boot/boot.h>

#include <charconv>
#include <cstdlib>

static std::int64_t residentKB() {
  std::string text = boot::os::ReadFile("/proc/self/status");
  std::size_t at = text.find("VmRSS:") + 6;
  while (text[at] == ' ' || text[at] == '\t') at++;
  std::int64_t kb = 0;
  std::from_chars(text.data() + at, text.data() + text.size(), kb);
  return kb;
}

[[gnu::noinline]] static long down(long depth) {
  volatile char pad[1000];
  pad[0] = static_cast<char>(depth);
  long r = depth == 0 ? 0 : down(depth - 1) + 1;
  if (pad[0] != static_cast<char>(depth)) boot::panic("stack overwritten");
  return r;
}

void main_main() {
  long n = 300;  // gc_stack_return_10000.run asks for more
  if (auto args = boot::os::Args(); args.size() > 1) n = std::atol(args[1]);
  auto turn = boot::make_chan<int>(16);  // so many are deep at a time
  auto was = boot::make_chan<long>();
  auto again = boot::make_chan<int>();
  auto deep = [=] {
    turn.send(0);
    long d = down(1000);
    turn.recv();
    was.send(d);
  };
  auto all = [=] {
    for (long i = 0; i < n; i++)
      if (was.recv() != 1000) boot::panic("wrong depth");
  };
  // 4.5 KB each, and what is kept for the next: 16 segments of each size to 1 MB, the dead goroutines' first pages.
  std::int64_t bound = residentKB() + n * 9 / 2 + 36 * 1024;
  auto settle = [=] {
    while (residentKB() > bound) boot::time::Sleep(std::chrono::milliseconds(20));
    boot::println("given back");
  };
  for (long i = 0; i < n; i++)
    boot::go([=] {
      deep();
      again.recv();
      deep();
    });
  all();
  boot::println("deep");
  settle();
  for (long i = 0; i < n; i++) again.send(0);
  all();
  boot::println("deep again");
  settle();
}
