// In which order goroutines run: who is woken by close, WaitGroup, Cond, RWMutex and Mutex, what go and Gosched do to the
// queue, what Stop and Reset of timers say, in 25 small scenes. The expected lines are a Go 1.19 program's, the same
// in 15 of 15 runs at GOMAXPROCS=1.
// PROCS: 1
// REPEAT: 3
// SERIAL: it measures time
#include <boot/boot.h>

#include <any>
#include <functional>
#include <string>
#include <vector>

#include "sem_out.h"

using namespace std::chrono_literals;

namespace {

void flush(const char* name) {
  boot::println("{}: {}", name, out);
  out.clear();
}

void wakeups() {
  {
    auto c = boot::make_chan<int>();
    each(6, [=](int i) {
      c.recv();
      put("{} ", i);
    });
    settle();
    c.close();
    settle();
    flush("close");
  }
  {
    boot::sync::WaitGroup wg;
    wg.Add(1);
    each(6, [&](int i) {
      wg.Wait();
      put("{} ", i);
    });
    settle();
    wg.Done();
    settle();
    flush("waitgroup");
  }
  {
    boot::sync::Mutex mu;
    boot::sync::Cond c(mu);
    each(6, [&](int i) {
      mu.Lock();
      c.Wait();
      put("{} ", i);
      mu.Unlock();
    });
    settle();
    c.Signal();
    settle();
    put("| ");
    c.Signal();
    c.Signal();
    settle();
    put("| ");
    c.Broadcast();
    settle();
    flush("cond");
  }
  {
    boot::sync::Mutex mu;
    boot::sync::Cond c(mu);
    each(5, [&](int i) {
      mu.Lock();
      c.Wait();
      put("{} ", i);
      mu.Unlock();
    });
    settle();
    mu.Lock();
    c.Broadcast();
    put("held ");
    settle();
    mu.Unlock();
    settle();
    flush("cond held");
  }
}

void locks() {
  {
    // A writer that waits keeps new readers out, and lets them in before the next writer.
    boot::sync::RWMutex mu;
    mu.RLock();
    boot::go([&] {
      mu.Lock();
      put("w0 ");
      runtime::Gosched();
      put("w0. ");
      mu.Unlock();
    });
    settle();
    each(3, [&](int i) {
      mu.RLock();
      put("r{} ", i);
      runtime::Gosched();
      mu.RUnlock();
      put("r{}. ", i);
    });
    settle();
    boot::go([&] {
      mu.Lock();
      put("w1 ");
      mu.Unlock();
    });
    settle();
    put("tryr {} tryw {} ", mu.TryRLock(), mu.TryLock());
    mu.RUnlock();
    settle();
    settle();
    flush("rwmutex");
  }
  {
    boot::sync::Mutex mu;
    mu.Lock();
    each(4, [&](int i) {
      mu.Lock();
      put("g{} ", i);
      mu.Unlock();
    });
    settle();
    mu.Unlock();
    mu.Lock();  // who runs already is first
    put("main ");
    settle();
    mu.Unlock();
    settle();
    flush("mutex barging");
  }
  {
    // Who has waited for a millisecond is given the lock.
    boot::sync::Mutex mu;
    mu.Lock();
    auto got = boot::make_chan<bool>();
    boot::go([&] {
      mu.Lock();
      put("waiter ");
      mu.Unlock();
      got.close();
    });
    settle();
    boot::time::Sleep(5ms);
    mu.Unlock();
    mu.Lock();
    put("main1 ");
    boot::time::Sleep(2ms);
    mu.Unlock();
    mu.Lock();
    put("main2 ");
    mu.Unlock();
    mu.Lock();
    put("main3 ");
    mu.Unlock();
    got.recv();
    flush("mutex starving");
  }
}

void queues() {
  {
    boot::sync::WaitGroup wg;
    std::function<void(int, int)> f = [&](int n, int d) {
      put("{} ", n);
      if (d > 0) {
        wg.Add(2);
        boot::go([&f, n, d] { f(2 * n, d - 1); });
        boot::go([&f, n, d] { f(2 * n + 1, d - 1); });
      }
      wg.Done();
    };
    wg.Add(1);
    boot::go([&] { f(1, 3); });
    wg.Wait();
    flush("tree");
  }
  {
    auto c = boot::make_chan<int>(2);
    each(6, [=](int i) {
      c.send(i);
      put("s{} ", i);
    });
    settle();
    for (int i = 0; i < 6; i++) {
      int v = c.recv();
      put("r{} ", v);
    }
    settle();
    flush("senders");
  }
  {
    auto c = boot::make_chan<int>();
    boot::sync::WaitGroup wg;
    wg.Add(2);
    each(2, [&](int p) {
      for (int i = 0; i < 4; i++) {
        c.send(p * 10 + i);
        put("s{} ", p * 10 + i);
      }
      wg.Done();
    });
    boot::go([&] {
      wg.Wait();
      c.close();
    });
    for (int v : c) put("r{} ", v);
    flush("producers");
  }
  {
    auto a = boot::make_chan<int>(), b = boot::make_chan<int>();
    boot::go([=] {
      boot::select(boot::on_recv(a, [](int v) { put("a{} ", v); }), boot::on_recv(b, [](int v) { put("b{} ", v); }));
    });
    settle();
    b.send(7);
    settle();
    boot::select(boot::on_send(a, 1, [] { put("bad "); }), boot::on_default([] { put("none "); }));
    bool done = false;  // a goroutine that sends and receives on one channel never meets itself
    boot::go([&] {
      boot::select(boot::on_send(a, 1, [] { put("sent "); }), boot::on_recv(a, [](int v) { put("got{} ", v); }));
      done = true;
    });
    settle();
    put("{} ", done);
    int v = a.recv();
    put("v{} ", v);
    settle();
    put("{}", done);
    flush("select");
  }
  {
    each(3, [](int i) {
      put("a{} ", i);
      boot::go([i] { put("c{} ", i); });
      runtime::Gosched();
      put("b{} ", i);
    });
    settle();
    flush("gosched");
  }
}

void timers() {
  {
    boot::time::Timer t(1h);
    bool a = t.Stop(), b = t.Stop();
    bool c = t.Reset(1h), d = t.Reset(1ms);
    put("{} {} {} {} ", a, b, c, d);
    boot::time::Sleep(10ms);
    a = t.Stop();
    auto len = t.C.len();
    b = t.Reset(1h);
    put("{} len{} {} ", a, len, b);
    t.C.recv();
    put("{} ", t.Stop());
    auto f = boot::time::AfterFunc(1ms, [] { put("f "); });
    boot::time::Sleep(10ms);
    a = f.Stop();
    b = f.Reset(1ms);
    put("{} {} ", a, b);
    boot::time::Sleep(10ms);
    put("{}", f.Stop());
    flush("timer");
  }
  {
    // A ticker keeps one tick for a slow reader, and none of before its Reset.
    boot::time::Ticker t(5ms);
    boot::time::Sleep(28ms);
    int n = 0;
    for (; t.C.len() > 0; n++) t.C.recv();
    t.Stop();
    put("{} ", n);
    boot::time::Sleep(12ms);
    put("{} ", t.C.len());
    t.Reset(5ms);
    boot::time::Sleep(8ms);
    put("{}", t.C.len());
    t.Stop();
    flush("ticker");
  }
  {
    boot::sync::WaitGroup wg;
    wg.Add(5);
    each(5, [&](int i) {
      boot::time::Sleep(0s);
      put("z{} ", i);
      boot::time::Sleep(-1ns);
      put("n{} ", i);
      wg.Done();
    });
    wg.Wait();
    flush("sleep zero");
  }
}

void ends() {
  {
    boot::sync::Once o;
    recovered([&] { o.Do([] { boot::panic("first"); }); });
    o.Do([] { put("again "); });
    put("done");
    flush("once");
  }
  {
    auto done = boot::make_chan<int>();
    boot::go([=] {
      boot::defer d1{[=] { done.close(); }};
      boot::defer d2{[] { put("outer "); }};
      [] {
        boot::defer d3{[] { put("inner "); }};
        runtime::Goexit();
      }();
      put("bad");
    });
    done.recv();
    flush("goexit");
  }
  {
    int n = runtime::GOMAXPROCS(3), m = runtime::GOMAXPROCS(0), k = runtime::GOMAXPROCS(-1), l = runtime::GOMAXPROCS(n);
    put("{} {} {} {}", n, m, k, l);
    flush("gomaxprocs");
  }
  {
    boot::sync::WaitGroup wg;
    recovered([&] { wg.Done(); });
    boot::chan<int> c;
    recovered([&] { c.close(); });
    c = boot::make_chan<int>(1);
    c.close();
    recovered([&] { c.send(1); });
    recovered([&] { c.close(); });
    auto [v, ok] = c.recv_ok();
    put("{} {} | ", v, ok);
    recovered([] { boot::make_chan<int>(-1); });
    recovered([] { boot::time::Ticker t(0s); });
    flush("panics");
  }
}

void more() {
  {
    constexpr int n = 20;
    std::vector<boot::chan<int>> c;
    for (int i = 0; i <= n; i++) c.push_back(boot::make_chan<int>());
    each(n, [&](int i) {
      int v = c[i].recv();
      put("{} ", i);
      c[i + 1].send(v + 1);
      put("{}. ", i);
    });
    boot::go([&] { c[0].send(0); });
    int v = c[n].recv();
    put("={}", v);
    settle();
    flush("chain");
  }
  {
    auto c = boot::make_chan<int>(), d = boot::make_chan<int>();
    each(4, [=](int i) {
      boot::select(boot::on_recv(c, [=] { put("c{} ", i); }), boot::on_recv(d, [=] { put("d{} ", i); }));
    });
    settle();
    d.send(1);
    d.send(1);
    c.close();
    settle();
    flush("close select");
  }
  {
    auto c = boot::make_chan<int>(10);
    boot::sync::WaitGroup wg;
    wg.Add(3);
    each(3, [&](int i) {
      for (int v : c) {
        put("{}:{} ", i, v);
        if (v % 3 == 0) runtime::Gosched();
      }
      wg.Done();
    });
    for (int i = 0; i < 12; i++) c.send(i);
    c.close();
    wg.Wait();
    flush("consumers");
  }
  {
    boot::sync::Mutex mu;
    mu.Lock();
    each(5, [&](int i) {
      mu.Lock();
      put("{} ", i);
      runtime::Gosched();
      mu.Unlock();
    });
    settle();
    mu.Unlock();
    for (int i = 0; i < 5; i++) settle();
    flush("mutex queue");
  }
  {
    boot::sync::Mutex mu;
    boot::sync::WaitGroup wg;
    wg.Add(3);
    each(3, [&](int i) {
      for (int k = 0; k < 3; k++) {
        mu.Lock();
        put("{} ", i);
        runtime::Gosched();
        mu.Unlock();
      }
      wg.Done();
    });
    wg.Wait();
    flush("mutex loops");
  }
  {
    auto stop = boot::make_chan<int>();
    each(3, [=](int) { stop.recv(); });
    settle();
    put("{} ", runtime::NumGoroutine());
    stop.close();
    settle();
    put("{}", runtime::NumGoroutine());
    flush("count");
  }
}

}  // namespace

void main_main() {
  wakeups();
  locks();
  queues();
  timers();
  ends();
  more();
}
