// boot::log(): a spdlog logger for goroutines (hosted mode; link spdlog::spdlog).
//
//   boot::log().info("listening on {}", port);
//   boot::log_reports();                          // the runtime's own reports go there, too
//
// Formatter flags beside spdlog's own: %G the goroutine, %N the M (thread), %Q the P; "-" where there is none.
//
// Owns: the sink. A line is formatted where it is logged, on the goroutine, and queued; one goroutine writes what is
// queued, many lines in one call. When the queue is full the goroutine that logs parks; its thread goes on with others.
//
// Invariant: a line is written whole, once, and in the order of the queue. A thread that is not the runtime's (a
// std::thread, the one that takes reports) writes its lines itself.
//
// Way not taken: spdlog's async logger. Its queue blocks the thread that logs, and its threads format, where the
// goroutine is not known any more.
#pragma once

#ifndef BOOT_HOSTED
#error "boot/log.h is for hosted mode: boot_add_executable(NAME HOSTED ...)"
#endif

#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>

#include <unistd.h>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>

#include "boot/chan.h"
#include "boot/go.h"
#include "boot/os.h"
#include "boot/sync.h"
#include "runtime/cgo/report.h"

namespace boot {

namespace detail {

template <char Flag>
struct placeflag final : spdlog::custom_flag_formatter {
  void format(const spdlog::details::log_msg&, const std::tm&, spdlog::memory_buf_t& dest) override {
    runtime::cgo::place at = runtime::cgo::whereami();
    std::int64_t v = Flag == 'G' ? at.g : Flag == 'N' ? at.m : at.p;
    std::string s = v < 0 ? "-" : std::to_string(v);
    dest.append(s.data(), s.data() + s.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<placeflag>(); }
};

}  // namespace detail

inline std::unique_ptr<spdlog::pattern_formatter> log_formatter(std::string pattern) {
  auto f = std::make_unique<spdlog::pattern_formatter>();
  f->add_flag<detail::placeflag<'G'>>('G').add_flag<detail::placeflag<'N'>>('N').add_flag<detail::placeflag<'Q'>>('Q');
  f->set_pattern(std::move(pattern));
  return f;
}

constexpr const char* kLogPattern = "%H:%M:%S.%e g%G m%N p%Q %l: %v";

class goroutine_sink final : public spdlog::sinks::sink {
 public:
  explicit goroutine_sink(int fd, std::size_t queue = 1024) : fd_(fd), queue_(make_chan<item*>(queue)) {
    goroutines_.formatter = log_formatter(kLogPattern);
    threads_.formatter = log_formatter(kLogPattern);
    go([this] { writer(); });
  }
  // What is queued is written before the sink is gone, and its goroutine ends.
  ~goroutine_sink() override {
    flush();
    auto ended = make_chan<int>();
    queue_.send(new item{{}, ended, item::last});
    ended.recv();
  }

  void log(const spdlog::details::log_msg& msg) override {
    spdlog::memory_buf_t buf;
    if (!runtime::cgo::mayPark()) {
      {
        std::lock_guard lock(threads_.mu);
        threads_.formatter->format(msg, buf);
      }
      return write(buf.data(), buf.size());
    }
    {
      std::lock_guard lock(goroutines_.mu);
      goroutines_.formatter->format(msg, buf);
    }
    queue_.send(new item{std::string(buf.data(), buf.size()), {}, item::line});
  }
  void flush() override {
    if (!runtime::cgo::mayPark()) return;
    auto done = make_chan<int>();
    queue_.send(new item{{}, done, item::mark});
    done.recv();
  }
  void set_pattern(const std::string& pattern) override { set_formatter(log_formatter(pattern)); }
  void set_formatter(std::unique_ptr<spdlog::formatter> f) override {
    {
      std::lock_guard lock(threads_.mu);
      threads_.formatter = f->clone();
    }
    std::lock_guard lock(goroutines_.mu);
    goroutines_.formatter = std::move(f);
  }

 private:
  struct item {
    std::string text;
    chan<int> done;  // of a mark: told when all before it is written
    enum { line, mark, last } what;
  };

  void write(const char* p, std::size_t n) {
    std::lock_guard lock(writing_);
    while (n > 0) {
      std::ptrdiff_t w = runtime::cgo::mayPark() ? os::Write(fd_, p, n) : ::write(fd_, p, n);
      if (w <= 0) return;  // nobody there to read: as stdio, the line is lost
      p += w;
      n -= static_cast<std::size_t>(w);
    }
  }

  void writer() {
    constexpr std::size_t kMost = 64 * 1024;
    std::string out;
    for (;;) {
      std::unique_ptr<item> it(queue_.recv());
      out += it->text;
      if (it->what == item::line && out.size() < kMost && queue_.len() != 0) continue;  // there is more to take along
      write(out.data(), out.size());
      out.clear();
      if (it->what != item::line) it->done.send(0);
      if (it->what == item::last) return;
    }
  }

  int fd_;
  chan<item*> queue_;
  std::mutex writing_;  // the writer's, and threads'
  // One formatter for goroutines, which park for it, and one for threads, which can't.
  struct {
    sync::Mutex mu;
    std::unique_ptr<spdlog::formatter> formatter;
  } goroutines_;
  struct {
    std::mutex mu;
    std::unique_ptr<spdlog::formatter> formatter;
  } threads_;
};

// The program's logger: to standard error, level info and above until told otherwise.
inline spdlog::logger& log() {
  static spdlog::logger logger("boot", std::make_shared<goroutine_sink>(2));
  return logger;
}

// Sends the runtime's reports to log(), a line each: boottrace as trace, schedtrace as debug, gctrace and inittrace as
// info, a throw or a panic as critical (and printed, too), anything else as a warning.
inline void log_reports() {
  log();
  runtime::cgo::takeReports([](runtime::cgo::reportLevel level, const char* line, std::size_t n) {
    constexpr spdlog::level::level_enum levels[] = {spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
                                                    spdlog::level::warn, spdlog::level::critical};
    log().log(levels[level], spdlog::string_view_t(line, n));
  });
}

}  // namespace boot
