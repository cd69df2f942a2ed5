// Hosted mode: what only libc's world has, used on goroutines.
// HOSTED: only
// PROCS: 1 2 8
// TIMEOUT: 60
// STDOUT: constructor before main, on a goroutine: 7
// STDOUT: iostreams on 50 goroutines: 5000 lines right
// STDOUT: regex on 20 goroutines: 400 matches
// STDOUT: getaddrinfo on 8 goroutines: 8 times 127.0.0.1
// STDOUT: std::thread is a thread: 8 ids of its own
// STDOUT: blocking: the P went on
// STDOUT: blocking gives 42, throws on, and can be nested
// STDOUT: a throw out of qsort's callback: caught
// STDOUT: deep under libc: 100 callbacks
// STDOUT: errno stays with the goroutine
// STDOUT: main ends
// STDOUT: static destroyed on a goroutine
// STDOUT: unflushed
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iomanip>
#include <iostream>
#include <mutex>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include "cxx_check.h"

static void say(const std::string& s) { std::cout << s << std::endl; }

static struct Static {
  Static() {
    auto c = boot::make_chan<int>();
    boot::go([=] { c.send(7); });
    say("constructor before main, on a goroutine: " + std::to_string(c.recv()));
  }
  ~Static() {
    auto c = boot::make_chan<std::string>();
    boot::go([=] { c.send("on a goroutine"); });
    say("static destroyed " + c.recv());
    std::printf("unflushed\n");  // exit's work, since this goes to a pipe
  }
} object;

static void streams() {
  std::atomic<int> right = 0;
  onGoroutines(50, [&](int i) {
    for (int k = 0; k < 100; k++) {
      std::ostringstream o;
      o << std::setw(4) << std::setfill('0') << i << ' ' << std::hex << k;
      runtime::Gosched();
      o << ' ' << std::fixed << std::setprecision(2) << k / 4.0;
      std::istringstream in(o.str());
      int a = -1, b = -1;
      double d = -1;
      in >> a >> std::hex >> b >> d;
      right += a == i && b == k && d == k / 4.0;
    }
  });
  std::ostringstream o;
  o << "iostreams on 50 goroutines: " << right << " lines right";
  say(o.str());
}

static void regexes() {
  std::atomic<int> found = 0;
  onGoroutines(20, [&](int i) {
    std::regex re("(g[a-z]+)-([0-9]+)");
    std::string text;
    for (int k = 0; k < 20; k++) text += "x goroutine-" + std::to_string(i * 100 + k) + ", ";
    for (std::sregex_iterator it(text.begin(), text.end(), re), end; it != end; ++it, runtime::Gosched())
      found += (*it)[1] == "goroutine" && std::stoi((*it)[2]) / 100 == i;
  });
  say("regex on 20 goroutines: " + std::to_string(found) + " matches");
}

static void names() {
  std::atomic<int> right = 0;
  onGoroutines(8, [&](int) {
    addrinfo hints{}, *list = nullptr;
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST;
    int err = boot::blocking([&] { return getaddrinfo("127.0.0.1", "80", &hints, &list); });
    CHECK(err == 0);
    right += ntohl(reinterpret_cast<sockaddr_in*>(list->ai_addr)->sin_addr.s_addr) == INADDR_LOOPBACK;
    freeaddrinfo(list);
  });
  say("getaddrinfo on 8 goroutines: " + std::to_string(right) + " times 127.0.0.1");
}

static void threads() {
  std::mutex mu;
  std::set<pthread_t> ids;
  pthread_t mine = pthread_self();
  std::vector<std::thread> list;
  std::atomic<int> in = 0;
  for (int i = 0; i < 8; i++) {
    list.emplace_back([&, i] {
      try {
        throw i;  // on a thread without a g
      } catch (int) {}
      static int once = [] { return 1; }();
      {
        std::lock_guard lock(mu);
        ids.insert(pthread_self());
      }
      in += once;
      while (in < 8) std::this_thread::yield();
    });
  }
  for (auto& t : list) t.join();
  CHECK(ids.count(mine) == 0);
  say("std::thread is a thread: " + std::to_string(ids.size()) + " ids of its own");
}

static void blocking() {
  int fds[2];
  CHECK(pipe(fds) == 0);
  boot::go([&] { CHECK(write(fds[1], "x", 1) == 1); });  // with one P it runs only if the P is free
  char c = 0;
  CHECK(boot::blocking([&] { return read(fds[0], &c, 1); }) == 1 && c == 'x');
  say("blocking: the P went on");
  int depth = 0;
  try {
    boot::blocking([&] {
      boot::blocking([&] { depth++; });
      throw std::runtime_error("out of it");
    });
  } catch (const std::exception& e) {
    depth += std::string(e.what()) == "out of it";
  }
  CHECK(depth == 2);
  int r = boot::blocking([] { return -1 + (errno = 0) + 43; });
  say("blocking gives " + std::to_string(r) + ", throws on, and can be nested");
  close(fds[0]);
  close(fds[1]);
}

static int throwing(const void*, const void*) { throw std::runtime_error("no order"); }

static void callbacks() {
  int v[8] = {3, 1, 2, 5, 4, 8, 7, 6};
  const char* what = "not caught";
  try {
    qsort(v, 8, sizeof v[0], throwing);
  } catch (const std::runtime_error&) {
    what = "caught";
  }
  say(std::string("a throw out of qsort's callback: ") + what);
  // 60 KB of libc's and our frames without a check, then user code again, which has to grow the stack down there.
  std::atomic<int> n = 0;
  onGoroutines(100, [&](int i) {
    std::vector<int> big(12000);
    for (std::size_t k = 0; k < big.size(); k++) big[k] = static_cast<int>(k * 7919 % 12007) + i;
    qsort(big.data(), big.size(), sizeof(int), [](const void* a, const void* b) {
      volatile char frame[700];
      frame[0] = 1;
      return *static_cast<const int*>(a) - *static_cast<const int*>(b) + frame[0] - 1;
    });
    n += std::is_sorted(big.begin(), big.end());
  });
  say("deep under libc: " + std::to_string(n) + " callbacks");
}

// Out of line, since a compiler keeps errno's address, which is the thread's, in a register.
[[gnu::noinline]] static void setErrno(int e) { errno = e; }
[[gnu::noinline]] static int getErrno() { return errno; }

// Goroutines that are preempted, by a signal in a loop without calls, between setting errno and reading it.
static void errnos() {
  std::atomic<int> wrong = 0;
  onGoroutines(8, [&](int i) {
    for (int k = 0; k < 10; k++) {
      setErrno(100 + i);
      for (volatile int n = 0; n < 5000000;) n = n + 1;
      wrong += getErrno() != 100 + i;
    }
  });
  say(wrong == 0 ? "errno stays with the goroutine" : "errno was another's " + std::to_string(wrong) + " times");
}

void main_main() {
  streams();
  regexes();
  names();
  threads();
  blocking();
  callbacks();
  errnos();
  say("main ends");
}
