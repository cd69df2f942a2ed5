// Programs that check_refused.py runs with one system call refused: `collect` and `mixed` print "ok" when all went well.
// RUN: %prog collect && %prog mixed
// PROCS: 1 2
// TIMEOUT: 60
// STDOUT: ok
// STDOUT: ok
#include <boot/boot.h>
#include <boot/signal.h>

#include <string_view>
#include <vector>

using namespace std::chrono_literals;

namespace {

void check(bool ok, const char* what) {
  if (ok) return;
  boot::eprintln("refused: {} went wrong", what);
  boot::os::Exit(1);
}

// The heap is beyond the size from which the collector marks beside the program, then given back.
void collect() {
  struct node {
    node* next;
    char room[1000];
  };
  node* list = nullptr;
  int n = 0;
  for (int i = 0; i < 90000; i++) {
    auto* fresh = boot::New<node>();
    if (i % 2 == 0) fresh->next = list, list = fresh, n++;
  }
  runtime::GC();
  for (node* p = list; p != nullptr; p = p->next) n--;
  check(n == 0, "a collection");
  list = nullptr;
  runtime::debug::FreeOSMemory();
}

void mixed() {
  boot::sync::WaitGroup wg;
  auto c = boot::make_chan<int>();
  for (int i = 0; i < 20; i++) {
    wg.Add(1);
    boot::go([&, i] {
      boot::time::Sleep(std::chrono::microseconds(100 * i));
      c.send(i);
      wg.Done();
    });
  }
  int sum = 0;
  for (int i = 0; i < 20; i++) sum += c.recv();
  wg.Wait();
  check(sum == 190, "a sum");

  auto [r, w] = boot::os::Pipe();
  boot::go([w = w] {
    boot::time::Sleep(2ms);
    boot::os::Write(w, "x", 1);
    boot::os::Close(w);
  });
  char buf[4];
  long n = boot::os::Read(r, buf, sizeof buf);
  if (n < 0) {
    boot::eprintln("refused: read failed, errno={}", -n);
    boot::os::Exit(1);
  }
  check(n == 1, "a pipe");
  boot::os::Close(r);

  auto sig = boot::make_chan<boot::os::Signal>(1);
  boot::os::signal::Notify(sig, boot::os::User1);
  boot::os::signal::Stop(sig);

  for (int i = 0; i < 3; i++) {
    wg.Add(1);
    boot::go([&] {
      runtime::LockOSThread();
      boot::time::Sleep(1ms);
      wg.Done();
    });
  }
  wg.Wait();
  boot::blocking([] {});

  // Stopped by a signal, or by the check in the prologue of what it calls.
  bool stop = false;
  wg.Add(1);
  boot::go([&] {
    struct call {
      [[gnu::noinline]] static void some(bool* p) { __asm__ volatile("" ::"r"(p) : "memory"); }
    };
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) call::some(&stop);
    wg.Done();
  });
  boot::time::Sleep(15ms);
  runtime::GC();
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  wg.Wait();
  runtime::GOMAXPROCS(3);
  try {
    volatile int* nil = nullptr;
    *nil = 1;
    check(false, "a nil dereference");
  } catch (const boot::RuntimeError&) {}
}

}  // namespace

void main_main() {
  auto args = boot::os::Args();
  if (args.size() > 1 && std::string_view(args[1]) == "collect")
    collect();
  else
    mixed();
  boot::println("ok");
}
