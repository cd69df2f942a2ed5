// The program whose schedule the tour shows: a source, three workers that compute for some microseconds, a sink, and a
// goroutine that only waits. Small enough to be watched event by event, and with enough to do for two Ps.
// PROCS: 1 2
// STDOUT: sum 78
#include <boot/boot.h>

#include <atomic>
#include <utility>

namespace {

// Some tens of microseconds of work that the compiler cannot leave out.
[[gnu::noinline]] int compute(int v) {
  unsigned x = static_cast<unsigned>(v) | 1;
  for (int i = 0; i < 20000; i++) x ^= x << 13, x ^= x >> 17, x ^= x << 5;
  return x == 0 ? 0 : v;
}

// The first two workers wait here for each other, computing: the work of this program is done in less time than a thread
// takes to start on some machines, and then all of it would be one P's.
void meet() {
  static std::atomic<int> here;
  if (runtime::GOMAXPROCS(0) == 1) return;
  here++;
  while (here < 2) {
  }
}

void source(boot::chan<int> out) {
  for (int i = 1; i <= 12; i++) out.send(compute(i));
  out.close();
}

void worker(boot::chan<int> in, boot::chan<int> out, boot::sync::WaitGroup* busy) {
  bool first = true;
  for (int v : in) {
    if (std::exchange(first, false)) meet();
    out.send(compute(v));
  }
  busy->Done();
}

void sink(boot::chan<int> in, boot::chan<int> total) {
  int sum = 0;
  for (int v : in) sum += v;
  total.send(sum);
}

void waiter(boot::chan<bool> over) { over.recv_ok(); }

}  // namespace

void main_main() {
  auto jobs = boot::make_chan<int>(), results = boot::make_chan<int>(2), total = boot::make_chan<int>();
  auto over = boot::make_chan<bool>();
  boot::sync::WaitGroup busy;
  busy.Add(3);
  boot::go(sink, results, total);
  for (int i = 0; i < 3; i++) boot::go(worker, jobs, results, &busy);
  boot::go(waiter, over);
  boot::go(source, jobs);
  busy.Wait();
  results.close();
  int sum = total.recv();
  over.close();
  runtime::Gosched();
  boot::println("sum {}", sum);
}
