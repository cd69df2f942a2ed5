// Exceptions on goroutines: their state is the goroutine's own. A goroutine yields inside catch blocks, inside nested ones,
// and while destructors run during unwinding; what it then rethrows is what it caught, whatever ran meanwhile.
// PROCS: 1 2 8
// TIMEOUT: 60
// HOSTED: also
// PIE: also
// STDOUT: 50 goroutines, 50000 throws
#include <exception>
#include <stdexcept>
#include <string>

#include "cxx_check.h"

struct Mine : std::runtime_error {
  int who, turn;
  Mine(int w, int t) : std::runtime_error("goroutine " + std::to_string(w)), who(w), turn(t) {}
};

struct yieldInDestructor {
  int& count;
  ~yieldInDestructor() {
    // One exception is on its way here: counted per goroutine, not per thread.
    CHECK(std::uncaught_exceptions() == 1);
    runtime::Gosched();
    CHECK(std::uncaught_exceptions() == 1);
    count++;
  }
};

static int destroyed(int who, int turn, int depth, int& count) {
  yieldInDestructor d{count};
  if (depth == 0) throw Mine(who, turn);
  return destroyed(who, turn, depth - 1, count) + 1;
}

static void nested(int who, int turn) {
  try {
    throw Mine(who, turn);
  } catch (...) {
    runtime::Gosched();
    try {
      throw turn;
    } catch (int t) {
      runtime::Gosched();
      CHECK(t == turn);
      try {
        throw std::string("inner");
      } catch (const std::string& s) {
        runtime::Gosched();
        CHECK(s == "inner");
      }
    }
    runtime::Gosched();
    throw;  // the outer one again
  }
}

static int one(int who, int turn) {
  int throws = 0;
  try {
    nested(who, turn);
  } catch (const Mine& e) {
    runtime::Gosched();
    CHECK(e.who == who && e.turn == turn);
    throws++;
  }
  int count = 0;
  if (turn % 50 == 0) {
    try {
      destroyed(who, turn, 10, count);
    } catch (const std::exception& e) {
      CHECK(e.what() == "goroutine " + std::to_string(who));
    }
    CHECK(count == 11);
  }
  if (turn % 100 == 0) {
    std::exception_ptr p;
    try {
      try {
        throw Mine(who, turn);
      } catch (...) {
        std::throw_with_nested(std::logic_error("outer"));
      }
    } catch (...) {
      p = std::current_exception();
    }
    runtime::Gosched();
    try {
      std::rethrow_exception(p);
    } catch (const std::exception& e) {
      try {
        std::rethrow_if_nested(e);
        CHECK(false);
      } catch (const Mine& m) {
        CHECK(m.who == who);
      }
    }
  }
  CHECK(std::current_exception() == nullptr && std::uncaught_exceptions() == 0);
  return throws;
}

void main_main() {
  constexpr int kGoroutines = 50, kTurns = 1000;
  auto sum = boot::make_chan<int>(kGoroutines);
  for (int who = 0; who < kGoroutines; who++) {
    boot::go([=] {
      int n = 0;
      for (int turn = 0; turn < kTurns; turn++) n += one(who, turn);
      sum.send(n);
    });
  }
  int throws = 0;
  for (int i = 0; i < kGoroutines; i++) throws += sum.recv();
  boot::println("{} goroutines, {} throws", kGoroutines, throws);
}
