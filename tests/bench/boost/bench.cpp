// Boost.Fiber peer: one thread uses round_robin, more use work_stealing.
#include <boost/fiber/all.hpp>
#include <thread>

#include "bench.hpp"

namespace bf = boost::fibers;

struct Boost {
  static constexpr bool kYield = true, kNativeChan = true;
  static constexpr size_t kStack = 16 * 1024;
  using Mutex = bf::mutex;
  using Lock = std::unique_lock<bf::mutex>;
  using Cond = bf::condition_variable;

  static void run(int procs, std::function<void()> fn) {
    if (procs > 1) {
      for (int i = 1; i < procs; i++)
        std::thread([=] {
          bf::use_scheduling_algorithm<bf::algo::work_stealing>(procs);
          bf::mutex m;
          std::unique_lock<bf::mutex> lock(m);
          bf::condition_variable().wait(lock, [] { return false; });
        }).detach();
      bf::use_scheduling_algorithm<bf::algo::work_stealing>(procs);
    }
    bf::fiber(bf::launch::post, std::allocator_arg, bf::fixedsize_stack(256 * 1024), fn).join();
  }
  template <class F>
  static void spawn(F&& f) {
    bf::fiber(bf::launch::post, std::allocator_arg, bf::fixedsize_stack(kStack), std::forward<F>(f)).detach();
  }
  static void yield() { boost::this_fiber::yield(); }
  static void yieldPair(int64_t) {}
  static void sleep(int64_t us) { boost::this_fiber::sleep_for(std::chrono::microseconds(us)); }

  template <class T>
  struct Unbuf {
    bf::unbuffered_channel<T> ch;
    void send(T v) { ch.push(std::move(v)); }
    bool recv(T& v) { return ch.pop(v) == bf::channel_op_status::success; }
    void close() { ch.close(); }
  };
  // buffered_channel needs a power of two and holds one less than it.
  template <class T>
  struct Buf {
    bf::buffered_channel<T> ch;
    explicit Buf(size_t capacity) : ch(capacity < 2 ? 2 : capacity) {}
    void send(T v) { ch.push(std::move(v)); }
    bool recv(T& v) { return ch.pop(v) == bf::channel_op_status::success; }
  };
  using Gate = Unbuf<int64_t>;
};

int main(int argc, char** argv) { return bench::mainFor<Boost>(argc, argv); }
