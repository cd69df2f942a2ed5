// Files, pipes, errors, the environment.
// PROCS: 1 2
// ENV: NAME=value
// ENV: EMPTY=
// STDOUT: args 1
// STDOUT: env "value" "" "" set=true unset=true
// STDOUT: open no-such-file: no such file or directory
// STDOUT: open: no such file or directory
// STDOUT: read .: is a directory
// STDOUT: proc has pid: true
// STDOUT: file 300000 bytes, equal true
// STDOUT: pread world 5
// STDOUT: size 300000 regular true
// STDOUT: pipe 3 abc
// STDOUT: end 0
// STDOUT: closed bad file descriptor
// STDOUT: other goroutines ran while one was in read: true
// STDOUT: nonblocking 5 later
// STDOUT: errno 4095
// STDERR: to stderr 7
#include <boot/boot.h>

#include <atomic>
#include <string>

namespace os = boot::os;

void main_main() {
  boot::println("args {}", os::Args().size());
  boot::println("env \"{}\" \"{}\" \"{}\" set={} unset={}", os::Getenv("NAME"), os::Getenv("EMPTY"), os::Getenv("NAM"),
                os::LookupEnv("EMPTY").has_value(), !os::LookupEnv("NAME=").has_value());
  try {
    os::ReadFile("no-such-file");
  } catch (const os::PathError& e) {
    boot::println("{}", e.what());
  }
  boot::println("open: {}", os::Strerror(-os::Open("no-such-file")));
  try {
    os::ReadFile(".");
  } catch (const std::exception& e) {
    boot::println("{}", e.what());
  }
  boot::println("proc has pid: {}", os::ReadFile("/proc/self/status").find("\nPid:") != std::string::npos);

  std::string text;
  while (text.size() < 300000) text += "hello world\n";
  text.resize(300000);
  int fd = os::Open("file", 0101 /* O_WRONLY|O_CREAT */, 0600);
  os::Write(fd, text.data(), text.size());
  os::Close(fd);
  std::string back = os::ReadFile("file");
  boot::println("file {} bytes, equal {}", back.size(), back == text);
  fd = os::Open("file");
  char buf[16] = {};
  std::ptrdiff_t n = os::Pread(fd, buf, 5, 12 * 1000 + 6);
  boot::println("pread {} {}", buf, n);
  os::FileInfo info{};
  os::Fstat(fd, info);
  boot::println("size {} regular {}", info.size, info.IsRegular());
  os::Close(fd);

  auto [r, w] = os::Pipe();
  os::Write(w, "abc", 3);
  n = os::Read(r, buf, sizeof buf);
  boot::println("pipe {} {}", n, std::string_view(buf, 3));
  os::Close(w);
  boot::println("end {}", os::Read(r, buf, sizeof buf));
  os::Close(r);
  boot::println("closed {}", os::Strerror(static_cast<int>(-os::Read(r, buf, 1))));

  // A read that blocks gives its P away: with one P, the other goroutine could not run otherwise.
  auto [r2, w2] = os::Pipe();
  std::atomic<bool> ran{false};
  int wfd = w2;
  boot::go([&ran, wfd] {
    ran = true;
    os::Write(wfd, "x", 1);
  });
  os::Read(r2, buf, 1);
  boot::println("other goroutines ran while one was in read: {}", ran.load());

  // A descriptor that somebody made non-blocking: Read waits all the same.
  int nb = os::Open("/dev/fd/" + std::to_string(r2), 04000 /* O_NONBLOCK */);
  boot::go([wfd] { os::Write(wfd, "later", 5); });
  n = os::Read(nb, buf, 5);
  boot::println("nonblocking {} {}", n, std::string_view(buf, 5));
  boot::println("{}", os::Strerror(4095));
  boot::eprint("to {}", "stderr ");
  boot::eprintln("{}", 7);
}
