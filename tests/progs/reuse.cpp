// What is taken out is cleared: a value that has been received, in whatever way, is garbage while its channel lives. And
// what is used again carries nothing of its last owner.
// PROCS: 1 2 8
// TIMEOUT: 60
// STDOUT: ok
#include <boot/boot.h>

#include <atomic>
#include <cerrno>
#include <string_view>
#include <thread>

#include <pthread.h>

using namespace std::chrono_literals;

namespace {

void check(bool ok, std::string_view what) {
  if (ok) return;
  boot::println("wrong: {}", what);
  boot::os::Exit(1);
}

std::atomic<int> gone;

struct thing {
  int v;
  explicit thing(int x) : v(x) {}
  ~thing() { gone++; }
};

// Runs f on a goroutine of its own, whose stack then mentions nothing any more.
template <class F>
void apart(F f) {
  boot::sync::WaitGroup wg;
  wg.Add(1);
  boot::go([&] {
    f();
    wg.Done();
  });
  wg.Wait();
}

bool allGone(int n) {
  for (int i = 0; i < 500 && gone < n; i++) {
    apart([] { runtime::GC(); });  // registers that a switch left behind are another goroutine's
    boot::time::Sleep(1ms);
  }
  return gone == n;
}

// A struct that is moved as bytes, and one with a destructor of its own, which leaves its bytes as they were.
struct pair {
  std::int64_t number;
  thing* t;
};
struct holder {
  thing* t = nullptr;
  holder() = default;
  explicit holder(thing* x) : t(x) {}
  holder(holder&& o) noexcept : t(o.t) {}
  holder& operator=(holder&& o) noexcept {
    t = o.t;
    return *this;
  }
  ~holder() {}
};

constexpr int kCount = 10;

// Ten things go through a channel that lives on. take(c) receives one.
template <class T, class Take>
void through(std::string_view what, Take take) {
  gone = 0;
  auto c = boot::make_chan<T>(kCount + 3);
  apart([&] {
    for (int i = 0; i < kCount; i++) {
      if constexpr (std::is_same_v<T, pair>)
        c.send(pair{i, boot::New<thing>(i)});
      else
        c.send(T(boot::New<thing>(i)));
    }
  });
  apart([&] {
    for (int i = 0; i < kCount; i++) take(c);
  });
  check(allGone(kCount), what);
  check(c.cap() == kCount + 3, "the channel");  // and is needed until here
}

void channels() {
  through<thing*>("received", [](auto& c) { c.recv(); });
  through<thing*>("received by recv_ok", [](auto& c) { c.recv_ok(); });
  through<thing*>("received by select", [](auto& c) {
    boot::select(boot::on_recv(c), boot::on_recv(boot::chan<int>(boot::make_chan<int>())));
  });
  through<thing*>("received by a select with a default",
                  [](auto& c) { boot::select(boot::on_recv(c), boot::on_default()); });
  through<pair>("received in a struct", [](auto& c) { c.recv(); });
  through<holder>("received with a destructor", [](auto& c) { c.recv(); });
}

// A goroutine that gets a dead one's g.
void goroutines() {
  pthread_key_t key;
  static pthread_key_t insists;
  static std::atomic<int> destroyed = 0, again = 0;
  pthread_key_create(&key, [](void*) { destroyed++; });
  pthread_key_create(&insists, [](void* p) {
    again++;
    pthread_setspecific(insists, p);  // each time: its values are dropped in the end
  });
  std::atomic<int> wrong = 0;
  int x = 0;
  for (int i = 0; i < 200; i++)
    apart([&] {
      if (errno != 0 || pthread_getspecific(key) != nullptr || pthread_getspecific(insists) != nullptr) wrong++;
      errno = EDOM;
      pthread_setspecific(key, &x);
      pthread_setspecific(insists, &x);
    });
  while (destroyed < 200) runtime::Gosched();
  check(wrong == 0, "errno or a pthread key's value of a goroutine that is gone");
  check(again >= 200, "destructors that set again");

  // A key that is used again has no value, and its new destructor is not for values of before.
  static std::atomic<int> second = 0;
  pthread_setspecific(key, &x);
  std::atomic<bool> go = false;
  boot::sync::WaitGroup wg;
  wg.Add(1);
  boot::go([&] {
    pthread_setspecific(key, &x);
    while (!go) runtime::Gosched();
    if (pthread_getspecific(key) != nullptr) wrong++;
    wg.Done();
  });
  for (int i = 0; i < 20; i++) runtime::Gosched();
  check(pthread_key_delete(key) == 0 && pthread_key_delete(key) == EINVAL, "pthread_key_delete");
  check(pthread_setspecific(key, &x) == EINVAL, "a value for a key that is gone");
  pthread_key_t fresh;
  pthread_key_create(&fresh, [](void*) { second++; });
  check(fresh == key, "the key is used again");
  go = true;
  wg.Wait();
  for (int i = 0; i < 20; i++) runtime::Gosched();
  check(pthread_getspecific(fresh) == nullptr && wrong == 0 && second == 0, "a value of the key's former use");
  pthread_key_delete(fresh);
  pthread_key_delete(insists);

  // A std::thread that ends by Goexit is joined as any other, and what comes after it is no std::thread.
  for (int i = 0; i < 50; i++) {
    std::thread t([] { runtime::Goexit(); });
    auto id = t.get_id();
    t.join();
    apart([&] { check(std::this_thread::get_id() != id, "the id of a thread that is gone"); });
  }
}

}  // namespace

void main_main() {
  channels();
  goroutines();
  boot::println("ok");
}
