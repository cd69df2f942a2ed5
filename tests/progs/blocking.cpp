// boot::blocking: its function runs without a P, and all that works elsewhere works in there; the collector sees what it
// holds, also in registers alone, and it writes to the heap only while the collector does not read.
// ENV: GODEBUG=gccheckmark=1,clobberfree=1
// PROCS: 1 2 8
// HOSTED: also
// TIMEOUT: 120
// STDOUT: println inside
// STDOUT: P lent, seen, moved, nested, sleeps, channels, select, locks, goroutines, timers, memory, std, exceptions, panic
#include <boot/boot.h>

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;

namespace {

std::string passed;
void say(const char* what, bool ok) {
  if (!ok) boot::panic(std::string("blocking: wrong: ") + what);
  passed += passed.empty() ? "" : ", ";
  passed += what;
}

struct Obj {
  std::uint64_t magic[4];
};
constexpr std::uint64_t kMagic = 0xa5a5'1234'5678'9abc;
[[gnu::noinline]] Obj* make() { return boot::New<Obj>(Obj{{kMagic, kMagic + 1, kMagic + 2, kMagic + 3}}); }
[[gnu::noinline]] bool good(const Obj* o) {
  for (std::uint64_t i = 0; i < 4; i++)
    if (o->magic[i] != kMagic + i) return false;
  return true;
}
void churn(int n) {
  for (int i = 0; i < n; i++) {
    runtime::GC();
    for (int k = 0; k < 1000; k++) boot::New<Obj>(Obj{{1, 2, 3, 4}});
  }
}

// A call that nobody but the kernel knows of.
long rawRead(int fd, void* p, long n) {
  long r;
  __asm__ volatile("syscall" : "=a"(r) : "0"(0L), "D"(fd), "S"(p), "d"(n) : "rcx", "r11", "memory");
  return r;
}

void lent() {
  auto [rfd, wfd] = boot::os::Pipe();
  boot::go([wfd = wfd] { boot::os::Write(wfd, "x", 1); });
  char c = 0;
  long n = boot::blocking([&, rfd = rfd] {
    long r;
    do r = rawRead(rfd, &c, 1);
    while (r == -4);
    return r;
  });
  say("P lent", n == 1 && c == 'x');
  boot::os::Close(rfd);
  boot::os::Close(wfd);
}

// In registers and frames of it, while others collect.
void seen() {
  bool done = false, ok = false;
  std::uint32_t started = 0;
  auto end = boot::make_chan<int>();
  boot::go([&] {
    boot::blocking([&] {
      Obj *a = make(), *b = make();
      Obj* volatile inFrame = make();
      __atomic_store_n(&started, 1, __ATOMIC_SEQ_CST);
      while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) __asm__ volatile("" : "+r"(a), "+x"(b));
      ok = good(a) && good(b) && good(inFrame);
    });
    end.send(1);
  });
  while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) == 0) boot::time::Sleep(100us);
  churn(20);
  __atomic_store_n(&done, true, __ATOMIC_SEQ_CST);
  end.recv();
  say("seen", ok);
}

// Moves the only pointers to objects from one place to another, as fast as it can.
void moved() {
  constexpr std::size_t kN = 512;
  bool done = false;
  std::uint32_t bad = 0, started = 0;
  auto end = boot::make_chan<int>();
  constexpr int kMovers = 3;
  for (int k = 0; k < kMovers; k++)
    boot::go([&, k] {
      auto* from = boot::New<std::array<Obj*, kN>>();
      auto* to = boot::New<std::array<Obj*, kN>>();
      std::vector<Obj*> box(16);
      for (auto& p : *from) p = make();
      boot::blocking([&] {
        std::uint64_t r = static_cast<std::uint64_t>(k) * 77 + 1;
        __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
        while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
          r = r * 6364136223846793005 + 1442695040888963407;
          std::size_t i = (r >> 33) % kN, j = (r >> 50) % kN;
          Obj* o = (*from)[i];
          (*from)[i] = nullptr;
          if (o == nullptr) continue;
          std::swap(o, (*to)[j]);
          std::swap(o, box[i % 16]);
          (*from)[i] = o;
          std::swap((*from)[j], (*to)[i]);
        }
      });
      for (auto* t : {from, to})
        for (Obj* p : *t)
          if (p != nullptr && !good(p)) bad++;
      for (Obj* p : box)
        if (p != nullptr && !good(p)) bad++;
      end.send(1);
    });
  while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) != kMovers) boot::time::Sleep(100us);
  churn(60);
  __atomic_store_n(&done, true, __ATOMIC_SEQ_CST);
  for (int k = 0; k < kMovers; k++) end.recv();
  say("moved", bad == 0);
}

void calls() {
  int depth = 0;
  boot::blocking([&] {
    depth++;
    boot::blocking([&] { boot::blocking([&] { depth++; }); });
    boot::println("println inside");
  });
  say("nested", depth == 2);

  auto begin = std::chrono::steady_clock::now();
  boot::blocking([&] {
    std::this_thread::sleep_for(2ms);
    boot::time::Sleep(2ms);
    runtime::Gosched();
    std::this_thread::yield();
  });
  say("sleeps", std::chrono::steady_clock::now() - begin >= 4ms);

  auto ask = boot::make_chan<int>(), answer = boot::make_chan<int>(), many = boot::make_chan<int>(4);
  boot::go([=] {
    for (int v : ask) answer.send(v + 1);
    answer.close();
  });
  long sum = boot::blocking([&] {
    long s = 0;
    for (int i = 0; i < 100; i++) {
      ask.send(i);
      s += answer.recv();
      many.send(i);
      s -= many.recv();
    }
    ask.close();
    return s + (answer.recv_ok().ok ? 1000 : 0);
  });
  say("channels", sum == 100);

  auto never = boot::make_chan<int>();
  boot::go([=] { many.send(5); });
  int got = boot::blocking([&] {
    int v = 0;
    boot::select(boot::on_recv(never, [](int, bool) {}), boot::on_recv(many, [&](int x, bool) { v = x; }));
    return v;
  });
  say("select", got == 5);

  boot::sync::Mutex mu;
  boot::sync::WaitGroup wg;
  long n = 0;
  for (int k = 0; k < 4; k++) {
    wg.Add(1);
    boot::go([&, k] {
      auto work = [&] {
        for (int i = 0; i < 500; i++) {
          std::lock_guard l(mu);
          n++;
        }
      };
      if (k % 2 == 0)
        boot::blocking(work);
      else
        work();
      wg.Done();
    });
  }
  boot::blocking([&] { wg.Wait(); });
  say("locks", n == 2000);

  boot::blocking([&] {
    for (int i = 0; i < 10; i++) boot::go([=] { many.send(i); });
    n = 0;
    for (int i = 0; i < 10; i++) n += many.recv();
  });
  say("goroutines", n == 45);

  boot::blocking([&] {
    boot::time::AfterFunc(1ms, [=] { many.send(7); });
    n = many.recv();
    boot::time::Timer t(1h);
    n += t.Stop() ? 1 : 0;
  });
  say("timers", n == 8);

  bool ok = boot::blocking([&] {
    auto c = boot::make_chan<Obj*>(3);
    c.send(make());
    std::vector<Obj*> v;
    for (int i = 0; i < 3000; i++) v.push_back(make());
    runtime::GC();
    churn(2);
    runtime::MemStats m;
    runtime::ReadMemStats(&m);
    auto big = boot::make_slice<Obj*>(100000);
    big[99999] = make();
    churn(1);
    for (Obj* o : v)
      if (!good(o)) return false;
    return good(c.recv()) && good(big[99999]);
  });
  say("memory", ok);

  std::mutex m;
  std::condition_variable cv;
  int turn = 0;
  std::thread other([&] {
    for (int i = 0; i < 50; i++) {
      std::unique_lock l(m);
      cv.wait(l, [&] { return turn % 2 == 1; });
      turn++;
      cv.notify_all();
    }
  });
  boot::blocking([&] {
    for (int i = 0; i < 50; i++) {
      std::unique_lock l(m);
      cv.wait(l, [&] { return turn % 2 == 0; });
      turn++;
      cv.notify_all();
    }
    other.join();
  });
  say("std", turn == 100);

  std::string what;
  try {
    boot::blocking([&] {
      try {
        never.close();
        never.close();  // a panic out of a call that has a P
      } catch (std::exception& e) {
        what = e.what();
      }
      many.send(1);
      throw std::runtime_error("out");
    });
  } catch (std::runtime_error& e) {
    what += std::string(" ") + e.what();
  }
  say("exceptions", what == "close of closed channel out" && many.recv() == 1);

  bool caught = false;
  auto end = boot::make_chan<int>();
  boot::go([&] {
    boot::defer d([&] { end.send(1); });
    boot::blocking([&] {
      boot::defer in([&] { caught = true; });
      runtime::Goexit();
    });
  });
  end.recv();
  say("panic", caught);
}

}  // namespace

void main_main() {
  lent();
  seen();
  moved();
  calls();
  boot::println("{}", passed);
}
